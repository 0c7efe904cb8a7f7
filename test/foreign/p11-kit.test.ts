import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  compile,
  fileOf,
  library,
  modulePath,
  PIN,
  report,
  run,
  type Service,
  servicesOf,
  softoki,
  startToken,
  temporaryFolder,
  tool,
} from '../service.ts'

const HEADERS = '/usr/include/p11-kit-1/p11-kit/p11-kit.h'

test("p11-kit's own client lists the token and signs with it over the socket of the service", async (t) => {
  const client = library(t, 'p11-kit-client.so')
  const pkcs11Tool = tool(t, 'pkcs11-tool')
  const openssl = tool(t, 'openssl')
  if (client === undefined || pkcs11Tool === undefined || openssl === undefined) return
  const service = await startToken(t)
  const folder = temporaryFolder(t)
  const file = (name: string) => join(folder, name)
  const environment = {
    ...service.environment,
    P11_KIT_SERVER_ADDRESS: `unix:path=${join(service.home, 'service.sock')}`,
  }
  const pkcs11 = async (...words: string[]) => {
    const { status, stdout, stderr } = await run(
      pkcs11Tool,
      ['--module', client, ...words],
      environment,
    )
    assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }
  const loggedIn = ['--token-label', 'test', '--login', '--pin', PIN]
  const key = ['--id', '01']

  assert.match(await pkcs11('-L'), /token label\s*: test/)
  assert.match(await pkcs11('--token-label', 'test', '-M'), /ECDSA/)
  await pkcs11(
    ...loggedIn,
    '--keypairgen',
    '--key-type',
    'EC:prime256v1',
    '--label',
    'over p11-kit',
    ...key,
  )
  assert.match(await pkcs11(...loggedIn, '-O'), /label:\s+over p11-kit/)

  writeFileSync(file('message'), 'signed over p11-kit')
  await run(
    openssl,
    ['dgst', '-sha256', '-binary', '-out', file('hash'), file('message')],
    environment,
  )
  const signature = ['--signature-format', 'openssl', '-m', 'ECDSA']
  await pkcs11(
    ...loggedIn,
    '--sign',
    ...key,
    ...signature,
    '-i',
    file('hash'),
    '-o',
    file('signature'),
  )
  await pkcs11(...loggedIn, '--read-object', '--type', 'pubkey', ...key, '-o', file('key.der'))
  const verified = await run(
    openssl,
    [
      'dgst',
      '-sha256',
      '-verify',
      file('key.der'),
      '-keyform',
      'DER',
      '-signature',
      file('signature'),
      file('message'),
    ],
    environment,
  )
  assert.match(verified.stdout, /Verified OK/, verified.stderr)
})

/** Runs p11-kit.c on a p11-kit configuration with one module, which is `softoki serve --stdio`. */
async function signByRemote(t: TestContext, { environment }: Service, headers: string) {
  const folder = temporaryFolder(t)
  const [configuration, modules] = [join(folder, 'pkcs11.conf'), join(folder, 'modules')]
  mkdirSync(modules)
  writeFileSync(configuration, 'user-config: none\n')
  const remote = `${process.execPath} ${softoki} serve --stdio`
  writeFileSync(join(modules, 'softoki.module'), `remote: |${remote}\n`)
  const flags = ['-I', dirname(dirname(headers)), '-lp11-kit']
  const program = compile(t, join(import.meta.dirname, 'p11-kit.c'), ...flags)
  return report(program, [configuration, modules, PIN], environment)
}

test("libp11-kit signs through a module file's line remote: |softoki serve --stdio", async (t) => {
  const headers = fileOf(t, HEADERS)
  if (headers === undefined) return
  const service = await startToken(t)
  await service.stop()
  assert.deepEqual(await signByRemote(t, service, headers), { label: 'test', signed: true })
  for (let waited = 0; waited < 20_000 && servicesOf(service.home).length > 0; waited += 20)
    await sleep(20)
  assert.deepEqual(servicesOf(service.home), [], 'no service stays')
})

test('a key made through softoki serve --stdio is there for the programs of a running service', async (t) => {
  const headers = fileOf(t, HEADERS)
  if (headers === undefined) return
  const service = await startToken(t)
  assert.deepEqual(await signByRemote(t, service, headers), { label: 'test', signed: true })
  const program = compile(t, join(import.meta.dirname, 'restart.c'))
  await report(program, [modulePath(), PIN, 'sign'], service.environment)
})
