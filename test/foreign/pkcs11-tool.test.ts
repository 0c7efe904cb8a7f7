import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  modulePath,
  PIN,
  type Runner,
  runner,
  SO_PIN,
  startService,
  temporaryFolder,
  tool,
} from '../service.ts'

const MESSAGE = 'signed by a foreign program'
const IV = '000102030405060708090a0b0c0d0e0f'
const LOGGED_IN = ['--token-label', 'foreign', '--login', '--pin', PIN]

interface Bench {
  readonly pkcs11: Runner
  readonly openssl: Runner
  /** A file of the test's folder. */
  readonly file: (name: string) => string
}

/** One way to sign: pkcs11-tool's words, which of our files it reads, and how openssl verifies. */
interface Signing {
  readonly mechanism: string
  readonly id: string
  readonly words?: readonly string[]
  readonly input: 'message' | 'hash' | 'digest-info'
  readonly verify: readonly string[]
}

const PSS = ['--mgf', 'MGF1-SHA256', '--salt-len', '32']
const DER = ['--signature-format', 'openssl']
const DGST = ['dgst', '-sha256', '-keyform', 'DER']
const OPENSSL_PSS = ['rsa_padding_mode:pss', 'rsa_pss_saltlen:32', 'rsa_mgf1_md:sha256'].flatMap(
  (option) => ['-sigopt', option],
)

const SIGNINGS: readonly Signing[] = [
  { mechanism: 'RSA-PKCS', id: '01', input: 'digest-info', verify: DGST },
  { mechanism: 'SHA256-RSA-PKCS', id: '01', input: 'message', verify: DGST },
  {
    mechanism: 'RSA-PKCS-PSS',
    id: '01',
    words: ['--hash-algorithm', 'SHA256', ...PSS],
    input: 'hash',
    verify: [...DGST, ...OPENSSL_PSS],
  },
  {
    mechanism: 'SHA256-RSA-PKCS-PSS',
    id: '01',
    words: PSS,
    input: 'message',
    verify: [...DGST, ...OPENSSL_PSS],
  },
  { mechanism: 'ECDSA', id: '02', words: DER, input: 'hash', verify: DGST },
  { mechanism: 'ECDSA-SHA256', id: '02', words: DER, input: 'message', verify: DGST },
]

/** What is signed, in the forms that mechanisms take: itself, its SHA-256, and that as a DigestInfo. */
async function writeInputs({ openssl, file }: Bench): Promise<void> {
  writeFileSync(file('message'), MESSAGE)
  await openssl('dgst', '-sha256', '-binary', '-out', file('hash'), file('message'))
  const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex')
  writeFileSync(file('digest-info'), Buffer.concat([prefix, readFileSync(file('hash'))]))
}

async function makeToken({ pkcs11 }: Bench): Promise<void> {
  assert.match(await pkcs11('-L'), /uninitialized/)
  await pkcs11('--slot-index', '0', '--init-token', '--label', 'foreign', '--so-pin', SO_PIN)
  const officer = ['--token-label', 'foreign', '--login', '--login-type', 'so', '--so-pin', SO_PIN]
  await pkcs11(...officer, '--init-pin', '--pin', PIN)
  assert.match(
    await pkcs11('-L'),
    /token label\s*: foreign\n[\s\S]*token initialized, PIN initialized/,
  )
}

async function makeKeys({ pkcs11 }: Bench): Promise<void> {
  const generate = (...words: string[]) => pkcs11(...LOGGED_IN, ...words)
  const rsa = await generate(
    '--keypairgen',
    '--key-type',
    'rsa:3072',
    '--label',
    'rsa',
    '--id',
    '01',
  )
  assert.match(rsa, /Public Key Object; RSA 3072 bits/)
  const ec = await generate(
    '--keypairgen',
    '--key-type',
    'EC:prime256v1',
    '--label',
    'ec',
    '--id',
    '02',
  )
  assert.match(ec, /Public Key Object; EC +EC_POINT 256 bits/)
  const aes = await generate(
    '--keygen',
    '--key-type',
    'AES:32',
    '--label',
    'aes',
    '--id',
    '03',
    '--private',
  )
  assert.match(aes, /Secret Key Object; AES length 32/)
}

async function readPublicKeys({ pkcs11, file }: Bench): Promise<void> {
  for (const id of ['01', '02'])
    await pkcs11(
      ...LOGGED_IN,
      '--read-object',
      '--type',
      'pubkey',
      '--id',
      id,
      '-o',
      file(`${id}.der`),
    )
}

async function signAndVerify(signing: Signing, { pkcs11, openssl, file }: Bench): Promise<void> {
  const { mechanism, id, words = [], input, verify } = signing
  const signature = file(`${mechanism}.signature`)
  const common = [...LOGGED_IN, '--id', id, '-m', mechanism, ...words, '-i', file(input)]
  await pkcs11(...common, '--sign', '-o', signature)
  assert.match(
    await pkcs11(...common, '--verify', '--signature-file', signature),
    /Signature is valid/,
  )
  assert.match(
    await openssl(
      ...verify,
      '-verify',
      file(`${id}.der`),
      '-signature',
      signature,
      file('message'),
    ),
    /Verified OK/,
  )
}

/** openssl encrypts with the public key: this pkcs11-tool encrypts with secret keys only. */
async function rsaDecrypt(
  options: string[],
  words: string[],
  { pkcs11, openssl, file }: Bench,
): Promise<void> {
  const key = ['-pubin', '-keyform', 'DER', '-inkey', file('01.der')]
  const padding = options.flatMap((option) => ['-pkeyopt', option])
  await openssl(
    'pkeyutl',
    '-encrypt',
    ...key,
    ...padding,
    '-in',
    file('message'),
    '-out',
    file('encrypted'),
  )
  await pkcs11(
    ...LOGGED_IN,
    '--decrypt',
    '--id',
    '01',
    ...words,
    '-i',
    file('encrypted'),
    '-o',
    file('decrypted'),
  )
  assert.equal(readFileSync(file('decrypted'), 'utf8'), MESSAGE)
}

async function aesBothWays({ pkcs11, file }: Bench): Promise<void> {
  const common = [...LOGGED_IN, '--id', '03', '-m', 'AES-CBC-PAD', '--iv', IV]
  await pkcs11(...common, '--encrypt', '-i', file('message'), '-o', file('encrypted'))
  assert.equal(readFileSync(file('encrypted')).length, 32)
  await pkcs11(...common, '--decrypt', '-i', file('encrypted'), '-o', file('decrypted'))
  assert.equal(readFileSync(file('decrypted'), 'utf8'), MESSAGE)
}

async function listObjects({ pkcs11 }: Bench): Promise<void> {
  const all = await pkcs11(...LOGGED_IN, '-O')
  for (const kind of [
    'Public Key Object; RSA',
    'Private Key Object; RSA',
    'Public Key Object; EC',
    'Private Key Object; EC',
    'Secret Key Object; AES',
  ])
    assert.match(all, new RegExp(kind))
  assert.doesNotMatch(
    await pkcs11('--token-label', 'foreign', '-O'),
    /Private|Secret/,
    'private objects need a login',
  )
}

/** pkcs11-tool's own tests: random numbers, digests, signatures, verification, unwrapping, decryption. */
async function ownTests(t: TestContext, { pkcs11 }: Bench): Promise<void> {
  const printed = await pkcs11(...LOGGED_IN, '--test')
  const wrong = printed
    .split('\n')
    .filter(
      (line) => line !== 'No errors' && /\bERR|error|fail|differ|mismatch|incorrect/i.test(line),
    )
  assert.deepEqual(wrong, [], printed)
  assert.match(printed, /No errors/)
  t.diagnostic(`${printed.match(/\bOK\b/g)?.length} checks of pkcs11-tool --test`)
}

test('pkcs11-tool makes a token, uses it, and passes its own tests on it', async (t) => {
  const [path, opensslPath] = [tool(t, 'pkcs11-tool'), tool(t, 'openssl')]
  if (path === undefined || opensslPath === undefined) return
  const { environment } = await startService(t)
  const folder = temporaryFolder(t)
  const bench: Bench = {
    pkcs11: runner(path, environment, '--module', modulePath()),
    openssl: runner(opensslPath, environment),
    file: (name) => join(folder, name),
  }

  await t.test('it makes a token and sets both PINs', () => makeToken(bench))
  await t.test('it lists the mechanisms', async () => {
    const listed = await bench.pkcs11('--token-label', 'foreign', '-M')
    for (const { mechanism } of SIGNINGS)
      assert.match(listed, new RegExp(`\\b${mechanism}, .*sign, verify`))
  })
  await t.test('it generates RSA, EC and AES keys', () => makeKeys(bench))
  await t.test('it reads public keys', () => readPublicKeys(bench))
  await writeInputs(bench)
  for (const signing of SIGNINGS)
    await t.test(`${signing.mechanism}: both it and openssl verify what it signs`, () =>
      signAndVerify(signing, bench),
    )
  await t.test('it decrypts RSA-PKCS', () =>
    rsaDecrypt(['rsa_padding_mode:pkcs1'], ['-m', 'RSA-PKCS'], bench),
  )
  await t.test('it decrypts RSA-PKCS-OAEP', () =>
    rsaDecrypt(
      ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256', 'rsa_mgf1_md:sha256'],
      ['-m', 'RSA-PKCS-OAEP', '--hash-algorithm', 'SHA256', '--mgf', 'MGF1-SHA256'],
      bench,
    ),
  )
  await t.test('it encrypts and decrypts AES-CBC-PAD', () => aesBothWays(bench))
  await t.test('it lists the objects, the private ones after a login only', () =>
    listObjects(bench),
  )
  await t.test('it passes its own tests', (t) => ownTests(t, bench))
})
