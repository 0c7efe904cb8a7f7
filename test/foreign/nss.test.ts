/** NSS, as Firefox and Thunderbird use it: its tools with the token as a further security device. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type Environment,
  modulePath,
  PIN,
  type Runner,
  run,
  runner,
  start,
  startToken,
  temporaryFolder,
  tool,
} from '../service.ts'
import { generateKeys } from './keys.ts'
import { demanding, HEARD, makeServerCertificate, SAID, startTlsServer, VERSIONS } from './tls.ts'

const TOOLS = ['certutil', 'modutil', 'pk12util', 'cmsutil', 'tstclnt', 'openssl'] as const
type Tool = (typeof TOOLS)[number]

const MESSAGE = 'signed and encrypted by NSS\n'

/** Keys as certutil asks for them. */
const KINDS = [
  ['rsa', ['-k', 'rsa', '-g', '2048']],
  ['ec', ['-k', 'ec', '-q', 'nistp256']],
] as const

/** The answers to what certutil -2 asks: an authority, no limit to the path, critical. */
const AUTHORITY = 'y\n\ny\n'

interface Bench {
  readonly tools: Readonly<Record<Tool, Runner>>
  readonly path: string
  readonly environment: Environment
  /** The database, where the module is entered, and that it asks no PIN for. */
  readonly database: readonly string[]
  /** The database, and the token with its PIN. */
  readonly token: readonly string[]
  /** A file of the test's folder. */
  readonly file: (name: string) => string
}

async function makeBench(t: TestContext): Promise<Bench | undefined> {
  const paths = TOOLS.map((name) => [name, tool(t, name)] as const)
  if (paths.some(([, path]) => path === undefined)) return undefined
  // NSS gives every session a callback: here it is called as often as can be.
  const service = await startToken(t, { SOFTOKI_SURRENDER_MS: '0' })
  await generateKeys(service)
  const folder = temporaryFolder(t)
  const file = (name: string) => join(folder, name)
  writeFileSync(file('pin'), PIN)
  writeFileSync(file('noise'), randomBytes(1024))
  writeFileSync(file('message'), MESSAGE)
  const { environment } = service
  const runners = paths.map(([name, path]) => [name, runner(path as string, environment)])
  const database = ['-d', `sql:${folder}`]
  return {
    tools: Object.fromEntries(runners) as Record<Tool, Runner>,
    path: paths.find(([name]) => name === 'openssl')?.[1] as string,
    environment,
    database,
    token: [...database, '-h', 'test', '-f', file('pin')],
    file,
  }
}

/** FRIENDLY: certificates are read without a login, as they are from Softoki. */
async function enterModule({ tools: { certutil, modutil }, database, file }: Bench) {
  await certutil('-N', ...database, '--empty-password')
  const place = ['-dbdir', `sql:${file('')}`, '-force']
  const module = ['-libfile', modulePath(), '-mechanisms', 'FRIENDLY']
  assert.match(await modutil(...place, '-add', 'Softoki', ...module), /"Softoki" added/)
  assert.match(await modutil(...place, '-list'), /token: test\n/)
  const listed = await modutil(...place, '-list', 'Softoki')
  assert.match(listed, /Status: Enabled\n\s+Token Name: test /)
  assert.match(listed, /Login Type: Login required\n\s+User Pin: Initialized/)
}

async function listKeys({ tools: { certutil }, token }: Bench): Promise<void> {
  const listed = await certutil('-K', ...token)
  assert.match(listed, /rsa\s+01\s+rsa/)
  assert.match(listed, /ec\s+02\s+ec/)
}

/** A self-signed certificate with a new key, both in the token. */
async function certifyItself(kind: string, words: readonly string[], bench: Bench): Promise<void> {
  const { certutil, openssl } = bench.tools
  const made = ['-n', kind, '-s', `CN=${kind} by NSS`, '-x', '-t', 'CTu,Cu,Cu', '-v', '12', '-2']
  const key = [...words, '-z', bench.file('noise')]
  const asked = ['-S', ...bench.token, ...made, ...key]
  const { status, stderr } = await run('certutil', asked, bench.environment, AUTHORITY)
  assert.equal(status, 0, stderr)
  assert.match(await certutil('-L', ...bench.token), new RegExp(`test:${kind} +CTu,Cu,Cu`))
  assert.match(await certutil('-K', ...bench.token), new RegExp(`test:${kind}\\n`))
  const certificate = bench.file(`${kind}.pem`)
  writeFileSync(certificate, await certutil('-L', ...bench.token, '-n', `test:${kind}`, '-a'))
  await openssl('verify', '-check_ss_sig', '-CAfile', certificate, certificate)
}

/** The key "ec" of the token certifies another of its keys, whose certificate is then put there too. */
async function certifyAnother(bench: Bench): Promise<void> {
  const { tools, database, token, file } = bench
  const [request, certificate] = [file('request'), file('another.der')]
  const key = ['-k', 'rsa', '-g', '2048', '-z', file('noise')]
  await tools.certutil('-R', ...token, ...key, '-s', 'CN=another by NSS', '-o', request)
  const read = ['-inform', 'DER', '-in', request]
  assert.match(await tools.openssl('req', ...read, '-verify', '-noout'), /verify OK/)
  const signed = ['-m', '2', '-v', '12', '-f', file('pin'), '-i', request, '-o', certificate]
  await tools.certutil('-C', ...database, '-c', 'test:ec', ...signed)
  await tools.openssl('verify', '-CAfile', file('ec.pem'), certificate)
  await tools.certutil('-A', ...token, '-n', 'another', '-t', ',,', '-i', certificate)
  assert.match(await tools.certutil('-K', ...token), /test:another\n/)
}

/** CMS (RFC 5652): what NSS signs openssl verifies, what openssl encrypts NSS decrypts. */
async function exchangeMessages(bench: Bench): Promise<void> {
  const { tools, database, file } = bench
  const [message, sealed] = [file('message'), file('sealed')]
  const withPin = [...database, '-f', file('pin')]
  for (const name of ['rsa', 'ec', 'another']) {
    const by = ['-N', `test:${name}`, '-G', '-H', 'SHA256']
    await tools.cmsutil('-S', ...withPin, ...by, '-i', message, '-o', sealed)
    const trust = ['-CAfile', file(name === 'another' ? 'ec.pem' : `${name}.pem`)]
    const read = ['-inform', 'DER', '-in', sealed, '-purpose', 'any', '-out', file('opened')]
    await tools.openssl('cms', '-verify', '-binary', ...trust, ...read)
    assert.equal(readFileSync(file('opened'), 'utf8'), MESSAGE)
  }
  const to = ['-outform', 'DER', '-in', message, '-out', sealed, file('rsa.pem')]
  await tools.openssl('cms', '-encrypt', '-binary', '-aes256', ...to)
  await tools.cmsutil('-D', ...withPin, '-i', sealed, '-o', file('opened'))
  assert.equal(readFileSync(file('opened'), 'utf8'), MESSAGE)
}

/** PKCS #12: a key pair and certificate from outside go into the token. */
async function importKey(kind: string, algorithm: string, bench: Bench): Promise<void> {
  const { tools, database, token, file } = bench
  const [key, certificate, bundle] = [file('key'), file('imported.pem'), file('imported.p12')]
  const parameters = kind === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:P-384'] : []
  await tools.openssl(
    ...['req', '-x509', '-newkey', algorithm, ...parameters, '-nodes', '-subj', `/CN=${kind}`],
    ...['-days', '2', '-keyout', key, '-out', certificate],
  )
  const packed = ['-inkey', key, '-in', certificate, '-name', `imported ${kind}`, '-out', bundle]
  await tools.openssl('pkcs12', '-export', ...packed, '-passout', 'pass:bundle')
  const into = [...database, '-h', 'test', '-k', file('pin'), '-W', 'bundle']
  assert.match(await tools.pk12util('-i', bundle, ...into), /IMPORT SUCCESSFUL/)
  assert.match(await tools.certutil('-L', ...token), new RegExp(`test:imported ${kind} +u,u,u`))
}

/** A TLS client that authenticates with a key of the token. */
async function authenticate(t: TestContext, name: string, version: string, bench: Bench) {
  const { tools, path, environment, database, file } = bench
  const certificate = await makeServerCertificate(tools.openssl, file)
  const words = [version, ...demanding(certificate, file(`${name}.pem`))]
  const server = await startTlsServer(t, path, environment, words)
  const place = ['-h', '127.0.0.1', '-p', server.port, ...database]
  // -o: NSS does not know the server's certificate, which is none of the token's business.
  const client = start(
    t,
    'tstclnt',
    [...place, '-n', `test:${name}`, '-W', file('pin'), '-o'],
    environment,
  )
  client.write(SAID)
  await client.matched(HEARD)
  const of = await server.program.matched(/Peer certificate: CN = (.*)\n/)
  assert.equal(of, `${name} by NSS`)
  client.child.kill('SIGKILL')
  await client.end()
}

async function remove({ tools: { certutil }, token }: Bench): Promise<void> {
  await certutil('-D', ...token, '-n', 'test:another')
  assert.doesNotMatch(await certutil('-L', ...token), /another/)
  assert.match(await certutil('-K', ...token), /\(orphan\)/)
  await certutil('-F', ...token, '-n', 'test:rsa')
  assert.doesNotMatch(await certutil('-K', ...token), /test:rsa/)
  assert.doesNotMatch(await certutil('-L', ...token), /test:rsa/)
}

async function refuse({ database, environment, file }: Bench): Promise<void> {
  writeFileSync(file('wrong'), `${PIN}0`)
  const words = ['-K', ...database, '-h', 'test', '-f', file('wrong')]
  const { status, stderr } = await run('certutil', words, environment)
  assert.equal(status, 255)
  assert.match(stderr, /SEC_ERROR_BAD_PASSWORD/)
}

test('NSS uses the token as a security device', async (t) => {
  const bench = await makeBench(t)
  if (bench === undefined) return
  await t.test('modutil enters the module and shows the token', () => enterModule(bench))
  await t.test('certutil -K lists the private keys', () => listKeys(bench))
  for (const [kind, words] of KINDS)
    await t.test(`certutil -S makes a key ${kind} and certifies it`, () =>
      certifyItself(kind, words, bench),
    )
  await t.test('certutil -R and -C: a key of the token certifies another', () =>
    certifyAnother(bench),
  )
  await t.test('cmsutil signs and decrypts messages', () => exchangeMessages(bench))
  for (const [kind, algorithm] of [
    ['rsa', 'rsa:2048'],
    ['ec', 'ec'],
  ] as const)
    await t.test(`pk12util imports a key ${kind} with its certificate`, () =>
      importKey(kind, algorithm, bench),
    )
  for (const [kind] of KINDS)
    for (const version of VERSIONS)
      await t.test(`tstclnt authenticates with the key ${kind} by ${version}`, (t) =>
        authenticate(t, kind, version, bench),
      )
  await t.test('certutil -D deletes a certificate, -F a key with its certificate', () =>
    remove(bench),
  )
  await t.test('a wrong PIN is told as such', () => refuse(bench))
})
