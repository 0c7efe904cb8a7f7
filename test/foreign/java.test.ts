import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  modulePath,
  PIN,
  type Runner,
  report,
  runner,
  startToken,
  temporaryFolder,
  tool,
} from '../service.ts'

/** What Java asks of keys only where its configuration says so; see docs/CLIENTS.md. */
const ATTRIBUTES = `
attributes(generate, CKO_PRIVATE_KEY, CKK_EC) = { CKA_DERIVE = true }
attributes(generate, CKO_SECRET_KEY, CKK_GENERIC_SECRET) = { CKA_SENSITIVE = false
                                                             CKA_EXTRACTABLE = true }
attributes(generate, CKO_PUBLIC_KEY, CKK_RSA) = { CKA_WRAP = true }
attributes(generate, CKO_PRIVATE_KEY, CKK_RSA) = { CKA_UNWRAP = true }
attributes(import, CKO_SECRET_KEY, CKK_AES) = { CKA_EXTRACTABLE = true }
`

/** Where the key store is: keytool's words, with the prefix dest where it is a destination. */
const onToken = (configuration: string, prefix = '') => [
  ...[`-${prefix}keystore`, 'NONE', `-${prefix}storetype`, 'PKCS11', `-${prefix}storepass`, PIN],
  ...['-providerClass', 'sun.security.pkcs11.SunPKCS11', '-providerArg', configuration],
]

function writeConfiguration(folder: string): string {
  const file = join(folder, 'softoki.cfg')
  writeFileSync(file, `name = Softoki\nlibrary = ${modulePath()}\nslot = 0\n${ATTRIBUTES}`)
  return file
}

const generation = (alias: string, ...words: string[]) => [
  ...['-genkeypair', '-alias', alias, '-dname', `CN=${alias}`],
  ...words,
]

/** The names and kinds of keytool's list. */
const entries = (listed: string) =>
  [...listed.matchAll(/^(\S+), (\w+Entry)/gm)].map(([, name, kind]) => `${name} ${kind}`).sort()

interface Bench {
  readonly keytool: Runner
  readonly token: readonly string[]
  readonly configuration: string
  readonly folder: string
}

/** A key made in a file by Java, brought to the token with its certificate. */
async function importKey({ keytool, configuration, folder }: Bench): Promise<void> {
  const [file, password] = [join(folder, 'key.p12'), 'of-the-file']
  const key = ['-keyalg', 'EC', '-groupname', 'secp384r1']
  await keytool(...generation('moved', ...key), '-keystore', file, '-storepass', password)
  await keytool(
    ...['-importkeystore', '-srckeystore', file, '-srcstorepass', password],
    ...onToken(configuration, 'dest'),
  )
}

async function signArchive(t: TestContext, bench: Bench, environment: Record<string, string>) {
  const [jar, jarsigner] = [tool(t, 'jar'), tool(t, 'jarsigner')]
  if (jar === undefined || jarsigner === undefined) return
  const file = join(bench.folder, 'signed.jar')
  await runner(jar, environment)('cf', file, '-C', bench.folder, 'softoki.cfg')
  const run = runner(jarsigner, environment)
  await run(...bench.token, file, 'rsa')
  assert.match(await run('-verify', file), /jar verified/)
}

test('keytool and jarsigner keep and use their keys in the token', async (t) => {
  const path = tool(t, 'keytool')
  if (path === undefined) return
  const { environment } = await startToken(t)
  const folder = temporaryFolder(t)
  const configuration = writeConfiguration(folder)
  const token = onToken(configuration)
  const keytool = runner(path, environment)
  const list = async () => entries(await keytool('-list', ...token))
  const bench = { keytool, token, configuration, folder }

  await t.test('keytool generates RSA and EC keys with their certificates', async () => {
    await keytool(...generation('rsa', '-keyalg', 'RSA', '-keysize', '2048'), ...token)
    await keytool(...generation('ec', '-keyalg', 'EC', '-groupname', 'secp256r1'), ...token)
    assert.deepEqual(await list(), ['ec PrivateKeyEntry', 'rsa PrivateKeyEntry'])
  })
  await t.test('keytool signs a certificate request', async () =>
    assert.match(await keytool('-certreq', '-alias', 'ec', ...token), /NEW CERTIFICATE REQUEST/),
  )
  await t.test('keytool brings a key from a file, renames it and deletes it', async () => {
    await importKey(bench)
    await keytool('-changealias', '-alias', 'moved', '-destalias', 'renamed', ...token)
    const kept = ['ec PrivateKeyEntry', 'rsa PrivateKeyEntry']
    assert.deepEqual(await list(), [kept[0], 'renamed PrivateKeyEntry', kept[1]])
    await keytool('-delete', '-alias', 'renamed', ...token)
    assert.deepEqual(await list(), kept)
  })
  await t.test('jarsigner signs an archive', (t) => signArchive(t, bench, environment))
})

test('a Java program generates, signs, encrypts, agrees and serves TLS with keys of the token', async (t) => {
  const [java, path] = [tool(t, 'java'), tool(t, 'keytool')]
  if (java === undefined || path === undefined) return
  const { environment } = await startToken(t)
  const configuration = writeConfiguration(temporaryFolder(t))
  const key = generation('served', '-keyalg', 'EC', '-groupname', 'secp256r1')
  await runner(path, environment)(...key, ...onToken(configuration))
  const client = join(import.meta.dirname, 'Client.java')
  const words = [client, configuration, PIN, 'served']
  const checks = await report<Record<string, true>>(java, words, environment)
  t.diagnostic(`${Object.keys(checks).length} checks: ${Object.keys(checks).join(', ')}`)
  assert.ok(checks.TLS, 'the last check was made')
})
