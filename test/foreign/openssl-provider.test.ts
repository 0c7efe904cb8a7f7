/** OpenSSL through pkcs11-provider, which gives the token a callback, shows it and cancels by it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  compile,
  type Environment,
  fileOf,
  library,
  modulePath,
  PIN,
  report,
  runner,
  type Service,
  softoki,
  startToken,
  tool,
} from '../service.ts'
import { makeBench, PADDINGS, useKeys } from './openssl.ts'

/** The provider writes a file that names the new key in place of the key itself. */
const configuration = (provider: string) => `
openssl_conf = start
[start]
providers = providers
[providers]
default = own
pkcs11 = token
[own]
activate = 1
[token]
module = ${provider}
pkcs11-module-path = ${modulePath()}
pkcs11-module-token-pin = ${PIN}
pkcs11-module-encode-provider-uri-to-pem = true
activate = 1
`

/** The provider leaves hash and MGF of OAEP at 0 where no option names them. */
const POSSIBLE = [PADDINGS.pkcs1, PADDINGS.oaepSha256]

/** What openssl-provider.c prints. */
interface Generated {
  readonly made: boolean
  readonly callbacks: number
  readonly reason: string
}

/** The labels of the token's objects. */
async function labels({ environment }: Service): Promise<string[]> {
  const all = ['objects', '--token', 'test', '--pin', PIN, '--json']
  const objects = JSON.parse(await runner(process.execPath, environment, softoki)(...all))
  return (objects as { label: string }[]).map(({ label }) => label)
}

async function startBench(t: TestContext, settings: Environment = {}) {
  const [path, provider] = [tool(t, 'openssl'), library(t, 'ossl-modules/pkcs11.so')]
  if (path === undefined || provider === undefined) return undefined
  const service = await startToken(t, settings)
  const way = { configuration: configuration(provider), options: [] }
  return { service, bench: await makeBench(t, path, service, way) }
}

test('OpenSSL uses the keys of the token through pkcs11-provider', async (t) => {
  const { bench } = (await startBench(t)) ?? {}
  if (bench !== undefined) await useKeys(t, bench, POSSIBLE)
})

test('openssl genpkey prints a dot whenever C_GenerateKeyPair surrenders', async (t) => {
  const { bench } = (await startBench(t, { SOFTOKI_SURRENDER_MS: '10' })) ?? {}
  if (bench === undefined) return
  const wanted = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:6144']
  const place = ['-propquery', '?provider=pkcs11', '-pkeyopt', 'pkcs11_uri:pkcs11:object=dots']
  const file = bench.file('key.pem')
  const printed = await bench.token('genpkey', ...place, ...wanted, '-out', file)
  t.diagnostic(`RSA-6144: ${printed.length} dots`)
  assert.match(printed, /^\.+$/)
  const signed = ['-sign', file, '-out', bench.file('signature'), bench.file('message')]
  await bench.token('dgst', '-sha256', ...signed)
})

test('a program that ends EVP_PKEY_generate in its callback cancels C_GenerateKeyPair', async (t) => {
  const { service, bench } = (await startBench(t)) ?? {}
  if (!service || !bench || !fileOf(t, '/usr/include/openssl/evp.h')) return
  const program = compile(t, join(import.meta.dirname, 'openssl-provider.c'), '-lcrypto')
  const generate = (label: string, ...words: string[]) =>
    report<Generated>(program, [`pkcs11:object=${label}`, ...words], bench.environment)

  const kept = await generate('kept', '4096', '0')
  assert.equal(kept.made, true, kept.reason)
  const { made, callbacks, reason } = await generate('cancelled', '16384', '3')
  assert.deepEqual(
    { made, callbacks, reason },
    { made: false, callbacks: 3, reason: 'The function was canceled in mid-execution' },
  )
  const left = await labels(service)
  assert.deepEqual(left.filter((label) => label === 'kept').length, 2)
  assert.ok(!left.includes('cancelled'))
})
