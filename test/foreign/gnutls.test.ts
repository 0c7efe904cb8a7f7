/** GnuTLS: p11tool as a token's tool from the beginning, certtool and gnutls-cli with keys of the token. */
import assert from 'node:assert/strict'
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
  SO_PIN,
  startService,
  temporaryFolder,
  tool,
} from '../service.ts'
import { demanding, HEARD, makeServerCertificate, SAID, startTlsServer, VERSIONS } from './tls.ts'

const TOKEN = 'pkcs11:token=gnutls'

/** The words of p11tool for each key pair that it generates, by label. */
const GENERATED: Readonly<Record<string, readonly string[]>> = {
  rsa: ['rsa', '--bits', '2048', '--id', '01'],
  ec: ['ecdsa', '--curve', 'secp256r1', '--id', '02'],
  ec384: ['ecdsa', '--curve', 'secp384r1', '--id', '03'],
}

/** What openssl makes and p11tool imports. */
interface Imported {
  readonly label: string
  /** The words of openssl req -newkey. */
  readonly key: readonly string[]
  /** The words of p11tool for the private key. */
  readonly words: readonly string[]
}

const IMPORTED: readonly Imported[] = [
  { label: 'rsa from outside', key: ['rsa:2048'], words: [] },
  { label: 'ec from outside', key: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521'], words: [] },
  { label: 'wary', key: ['rsa:2048'], words: ['--mark-always-authenticate'] },
]

/** Keys that certtool signs with, and how. */
const CERTIFIED: readonly (readonly [string, readonly string[]])[] = [
  ['rsa', ['--sign-params', 'RSA-PSS', '--hash', 'SHA256']],
  ['rsa', []],
  ['ec', []],
  ['wary', []],
]

const TEMPLATE = `
cn = "made by certtool"
expiration_days = 2
ca
cert_signing_key
signing_key
tls_www_client
`

interface Bench {
  readonly p11tool: Runner
  /** p11tool in an environment with more. */
  readonly p11toolWith: (more: Environment) => Runner
  readonly certtool: Runner
  readonly openssl: Runner
  readonly environment: Environment
  readonly paths: { readonly p11tool: string; readonly gnutls: string; readonly openssl: string }
  /** A file of the test's folder. */
  readonly file: (name: string) => string
}

async function makeBench(t: TestContext): Promise<Bench | undefined> {
  const [p11tool, certtool] = [tool(t, 'p11tool'), tool(t, 'certtool')]
  const [gnutls, openssl] = [tool(t, 'gnutls-cli'), tool(t, 'openssl')]
  if (!p11tool || !certtool || !gnutls || !openssl) return undefined
  const service = await startService(t)
  const folder = temporaryFolder(t)
  const file = (name: string) => join(folder, name)
  writeFileSync(file('template'), TEMPLATE)
  const environment = { ...service.environment, GNUTLS_PIN: PIN, GNUTLS_SO_PIN: SO_PIN }
  const p11toolWith = (more: Environment) =>
    runner(p11tool, { ...environment, ...more }, '--provider', modulePath(), '--batch')
  return {
    p11tool: p11toolWith({}),
    p11toolWith,
    certtool: runner(certtool, environment, '--provider', modulePath()),
    openssl: runner(openssl, environment),
    environment,
    paths: { p11tool, gnutls, openssl },
    file,
  }
}

const uriOf = (label: string, type: 'private' | 'public' | 'cert') =>
  `${TOKEN};object=${encodeURIComponent(label)};type=${type}`

/** Runs p11tool where it is to fail; answers what it printed. */
async function refused({ environment, paths }: Bench, ...words: string[]): Promise<string> {
  const all = ['--provider', modulePath(), '--batch', ...words]
  const { status, stdout, stderr } = await run(paths.p11tool, all, environment)
  assert.equal(status, 1, stdout + stderr)
  return stdout + stderr
}

async function initialise({ p11tool }: Bench): Promise<void> {
  assert.equal(await p11tool('--list-token-urls'), '', 'an empty slot holds no token')
  const initialised = await p11tool('--initialize', '--label', 'gnutls', 'pkcs11:')
  assert.match(initialised, /Token was successfully initialized/)
  assert.match(await p11tool('--list-tokens'), /Label: gnutls\n[\s\S]*uPIN uninitialized/)
  await p11tool('--initialize-pin', TOKEN)
  assert.doesNotMatch(await p11tool('--list-tokens'), /uninitialized/)
}

/** Both PINs are set anew and back; neither old one is good any more. */
async function changePins(bench: Bench): Promise<void> {
  const { p11tool, p11toolWith } = bench
  const other = 'some-other-pin'
  const setPin = ['--initialize-pin', TOKEN, '--set-pin']
  await p11toolWith({ GNUTLS_NEW_SO_PIN: other })('--initialize-so-pin', TOKEN)
  await refused(bench, ...setPin, PIN)
  const back = { GNUTLS_SO_PIN: other, GNUTLS_NEW_SO_PIN: SO_PIN }
  await p11toolWith(back)('--initialize-so-pin', TOKEN)
  await p11tool(...setPin, other)
  assert.match(await refused(bench, '--login', '--list-privkeys', TOKEN), /wrong password/)
  assert.match(await p11tool('--list-tokens'), /uPIN low count/)
  await p11tool(...setPin, PIN)
  assert.doesNotMatch(await p11tool('--list-tokens'), /low count/)
}

/** What p11tool prints of a public key when it makes it, it exports from the private key too. */
async function generate({ p11tool, file }: Bench): Promise<void> {
  for (const [label, words] of Object.entries(GENERATED)) {
    const made = ['--outfile', file(`${label}.pub`), '--label', label]
    await p11tool('--login', '--generate-privkey', ...words, ...made, TOKEN)
    // Without --outfile it would print the key and wait for three seconds.
    const out = ['--outfile', file('exported')]
    await p11tool('--login', '--export-pubkey', ...out, uriOf(label, 'private'))
    assert.deepEqual(readFileSync(file('exported')), readFileSync(file(`${label}.pub`)))
  }
}

async function list(bench: Bench): Promise<void> {
  const { p11tool } = bench
  const all = await p11tool('--login', '--list-all', TOKEN)
  for (const type of ['RSA-2048', 'EC/ECDSA-SECP256R1', 'EC/ECDSA-SECP384R1'])
    for (const half of ['Public', 'Private'])
      assert.ok(all.includes(`Type: ${half} key (${type})`), `${half} ${type} in ${all}`)
  assert.match(all, /Flags: CKA_PRIVATE; CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE; \n/)
  const open = await p11tool('--list-all', TOKEN)
  assert.doesNotMatch(open, /Private/, 'private objects need a login')
  assert.match(open, /Public key/)
  await refused(bench, '--login', '--export', uriOf('rsa', 'private'))
}

async function sign({ p11tool }: Bench): Promise<void> {
  const test = ['--login', '--test-sign']
  for (const label of Object.keys(GENERATED))
    assert.equal((await p11tool(...test, uriOf(label, 'private'))).match(/ok\n/g)?.length, 3)
  const pss = ['--sign-params', 'RSA-PSS', '--hash', 'SHA384', uriOf('rsa', 'private')]
  assert.match(await p11tool(...test, ...pss), /Signing using RSA-PSS-SHA384... ok/)
}

/** A key and its certificate go in; the key signs, the certificate comes out as it was. */
async function importKey(imported: Imported, { p11tool, openssl, file }: Bench): Promise<void> {
  const { label, words } = imported
  const [key, certificate] = [file('imported.key'), file('imported.pem')]
  const made = ['-nodes', '-subj', '/CN=outside', '-days', '2']
  await openssl(
    'req',
    '-x509',
    ...made,
    '-newkey',
    ...imported.key,
    '-keyout',
    key,
    '-out',
    certificate,
  )
  await openssl('pkey', '-in', key, '-pubout', '-out', file('imported.pub'))
  const write = ['--login', '--write', '--label', label, '--id', '0a']
  await p11tool(...write, ...words, '--load-privkey', key, TOKEN)
  await p11tool(...write, '--load-pubkey', file('imported.pub'), TOKEN)
  await p11tool(...write, '--load-certificate', certificate, TOKEN)
  const info = await p11tool('--login', '--info', uriOf(label, 'private'))
  assert.equal(/CKA_ALWAYS_AUTH;/.test(info), words.length > 0)
  await p11tool('--login', '--test-sign', uriOf(label, 'private'))
  assert.equal(
    (await p11tool('--export', uriOf(label, 'cert'))).trim(),
    readFileSync(certificate, 'utf8').trim(),
  )
}

/** CKA_TRUSTED may be set by the SO only. PKCS #11 3.2, 4.6.2, footnote 10. */
async function trust(bench: Bench): Promise<void> {
  const { p11tool, file } = bench
  const marked = [
    '--load-certificate',
    file('imported.pem'),
    '--mark-trusted',
    '--label',
    'trusted',
  ]
  assert.match(await refused(bench, '--login', '--write', ...marked, TOKEN), /error in attribute/)
  await p11tool('--so-login', '--write', ...marked, TOKEN)
  const trusted = await p11tool('--list-all-trusted', '--only-urls', TOKEN)
  assert.match(trusted, /^\S*object=trusted;type=cert\s*$/)
}

async function rename({ p11tool }: Bench): Promise<void> {
  await p11tool('--login', '--set-label', 'renamed', uriOf('ec384', 'private'))
  await p11tool('--login', '--set-id', '0b0c', uriOf('renamed', 'private'))
  const info = await p11tool('--login', '--info', uriOf('renamed', 'private'))
  assert.match(info, /Label: renamed\n[\s\S]*ID: 0b:0c\n/)
}

/** A self-signed certificate and a certificate request. */
async function certify(label: string, words: readonly string[], bench: Bench): Promise<void> {
  const { certtool, openssl, file } = bench
  const certificate = file(`${label}.pem`)
  const from = ['--load-privkey', uriOf(label, 'private'), '--template', file('template'), ...words]
  await certtool('--generate-self-signed', ...from, '--outfile', certificate)
  await openssl('verify', '-check_ss_sig', '-CAfile', certificate, certificate)
  await certtool('--generate-request', ...from, '--outfile', file('request'))
  assert.match(await openssl('req', '-in', file('request'), '-verify', '-noout'), /verify OK/)
}

/** A TLS client that authenticates with a key of the token. */
async function authenticate(t: TestContext, label: string, version: string, bench: Bench) {
  const { openssl, environment, paths, file } = bench
  const certificate = await makeServerCertificate(openssl, file)
  const words = [version, ...demanding(certificate, file(`${label}.pem`))]
  const { program, port } = await startTlsServer(t, paths.openssl, environment, words)
  const own = ['--x509keyfile', uriOf(label, 'private'), '--x509certfile', file(`${label}.pem`)]
  const peer = ['--x509cafile', certificate.certificate, '-p', port, '127.0.0.1']
  const all = ['--provider', modulePath(), ...own, ...peer]
  const { stdout, stderr } = await run(paths.gnutls, all, environment, SAID)
  assert.match(stdout, HEARD, stderr)
  assert.equal(await program.matched(/Peer certificate: CN = (.*)\n/), 'made by certtool')
}

async function remove({ p11tool }: Bench): Promise<void> {
  const object = `${TOKEN};object=rsa%20from%20outside`
  assert.match(await p11tool('--login', '--delete', object), /3 objects deleted/)
  assert.match(await p11tool('--login', '--delete', uriOf('wary', 'private')), /1 objects deleted/)
  const left = await p11tool('--login', '--list-all', '--only-urls', TOKEN)
  assert.doesNotMatch(left, /rsa%20from|object=wary;type=private/)
  assert.match(left, /object=wary;type=public/)
}

test('GnuTLS makes a token and uses it', async (t) => {
  const bench = await makeBench(t)
  if (bench === undefined) return
  await t.test('p11tool initialises the token and the user PIN', () => initialise(bench))
  await t.test('p11tool sets both PINs anew', () => changePins(bench))
  await t.test('p11tool generates keys and exports public ones', () => generate(bench))
  await t.test('p11tool lists objects, the private ones after a login', () => list(bench))
  await t.test('p11tool signs and verifies', () => sign(bench))
  for (const imported of IMPORTED)
    await t.test(`p11tool imports a key with its certificate: ${imported.label}`, () =>
      importKey(imported, bench),
    )
  await t.test('p11tool marks a certificate as trusted for the SO only', () => trust(bench))
  await t.test('p11tool changes label and ID', () => rename(bench))
  for (const [label, words] of CERTIFIED)
    await t.test(`certtool certifies ${[label, ...words].join(' ')}`, () =>
      certify(label, words, bench),
    )
  for (const label of ['rsa', 'ec'])
    for (const version of VERSIONS)
      await t.test(`gnutls-cli authenticates with the key ${label} by ${version}`, (t) =>
        authenticate(t, label, version, bench),
      )
  await t.test('p11tool deletes objects', () => remove(bench))
})
