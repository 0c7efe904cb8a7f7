/** What else pkcs11-tool of OpenSC does: its further tests of its own, imported keys, wrapping, derivation, PINs. */
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
  startToken,
  temporaryFolder,
  tool,
} from '../service.ts'

const IV = '000102030405060708090a0b0c0d0e0f'
const MESSAGE = 'signed with a key that came from elsewhere'

interface Bench {
  /** Without a token; with the token; as its user. */
  readonly pkcs11: Runner
  readonly token: Runner
  readonly user: Runner
  readonly openssl: Runner
  /** Runs pkcs11-tool with the token where it need not succeed. */
  readonly tried: (words: readonly string[], input?: string) => ReturnType<typeof run>
  /** A file of the test's folder. */
  readonly file: (name: string) => string
}

const USER = ['--login', '--pin', PIN]
const OFFICER = ['--login', '--login-type', 'so', '--so-pin', SO_PIN]

/** undefined where a tool is missing. */
async function openBench(t: TestContext): Promise<Bench | undefined> {
  const [path, opensslPath] = [tool(t, 'pkcs11-tool'), tool(t, 'openssl')]
  if (path === undefined || opensslPath === undefined) return undefined
  const environment: Environment = (await startToken(t)).environment
  const folder = temporaryFolder(t)
  const module = ['--module', modulePath()]
  const label = ['--token-label', 'test']
  return {
    pkcs11: runner(path, environment, ...module),
    token: runner(path, environment, ...module, ...label),
    user: runner(path, environment, ...module, ...label, ...USER),
    openssl: runner(opensslPath, environment),
    tried: (words, input) => run(path, [...module, ...label, ...words], environment, input),
    file: (name) => join(folder, name),
  }
}

/** What pkcs11-tool generates, of which it prints the objects. */
const generate = ({ user }: Bench, kind: 'key' | 'keypair', type: string, ...words: string[]) =>
  user(`--${kind}gen`, '--key-type', type, ...words)

const certificate = ({ openssl, file }: Bench) =>
  openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=imported', '-days', '2'],
    ...['-keyout', file('rsa.pem'), '-out', file('certificate'), '-outform', 'DER'],
  )

/** Both halves of two key pairs that OpenSSL made, and a certificate, as files that pkcs11-tool reads. */
async function makeFiles(bench: Bench): Promise<void> {
  const { openssl, file } = bench
  await certificate(bench)
  // P-256, because this pkcs11-tool cannot read back points of another curve, from any token.
  await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file('ec.pem'))
  for (const type of ['rsa', 'ec']) {
    const key = [type, '-in', file(`${type}.pem`), '-outform', 'DER', '-out']
    await openssl(...key, file(`${type}.private`))
    await openssl(...key, file(`${type}.public`), '-pubout')
  }
  writeFileSync(file('message'), MESSAGE)
}

const importObject = ({ user, file }: Bench, name: string, type: string, ...words: string[]) =>
  user('--write-object', file(name), '--type', type, ...words)

async function importPair(bench: Bench, type: string, id: string): Promise<void> {
  const uses = type === 'ec' ? ['--usage-sign', '--usage-derive'] : []
  const words = ['--id', id, '--label', type, ...uses]
  assert.match(
    await importObject(bench, `${type}.private`, 'privkey', ...words),
    /Private Key Object/,
  )
  assert.match(await importObject(bench, `${type}.public`, 'pubkey', ...words), /Public Key Object/)
}

/** The imported private key signs; OpenSSL verifies with the public key it made. */
async function signImported(bench: Bench, type: string, mechanism: string, id: string) {
  const { user, openssl, file } = bench
  const format = type === 'ec' ? ['--signature-format', 'openssl'] : []
  const signing = ['--sign', '-m', mechanism, '--id', id, ...format]
  await user(...signing, '-i', file('message'), '-o', file('signature'))
  const key = ['-keyform', 'DER', '-verify', file(`${type}.public`)]
  const signature = ['-signature', file('signature'), file('message')]
  assert.match(await openssl('dgst', '-sha256', ...key, ...signature), /Verified OK/)
}

async function readBack({ user, file }: Bench): Promise<void> {
  for (const [type, id, name] of [
    ['cert', '10', 'certificate'],
    ['pubkey', '10', 'rsa.public'],
    ['pubkey', '11', 'ec.public'],
  ] as const) {
    await user('--read-object', '--type', type, '--id', id, '-o', file('read'))
    assert.deepEqual(readFileSync(file('read')), readFileSync(file(name)), name)
  }
}

/** CKM_ECDH1_DERIVE with the imported key gives what OpenSSL derives on the other side. */
async function deriveBothSides({ user, openssl, file }: Bench): Promise<void> {
  await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file('peer.pem'))
  const peer = ['ec', '-in', file('peer.pem'), '-pubout', '-outform', 'DER']
  await openssl(...peer, '-out', file('peer.public'))
  const own = ['-inkey', file('peer.pem'), '-peerform', 'DER', '-peerkey', file('ec.public')]
  await openssl('pkeyutl', '-derive', ...own, '-out', file('there'))
  // CK_ECDH1_DERIVE_PARAMS: a token must take the point as it is and may take it DER-encoded.
  for (const form of [[], ['--derive-pass-der']]) {
    const derivation = ['--derive', '-m', 'ECDH1-DERIVE', '--id', '11', ...form]
    await user(...derivation, '-i', file('peer.public'), '-o', file('here'))
    assert.deepEqual(readFileSync(file('here')), readFileSync(file('there')))
  }
}

/** The wrapped key comes back as it was: pkcs11-tool shows what it may read. */
async function wrapAndUnwrap(bench: Bench, mechanism: string, id: string): Promise<void> {
  const { user, file } = bench
  const shown = (printed: string) => printed.match(/VALUE:\s+([0-9a-f]{32})\n/)?.[1]
  const wrapping = ['-m', mechanism, '--id', id]
  const made = await generate(bench, 'key', 'AES:16', '--extractable', '--id', '21')
  await user('--wrap', ...wrapping, '--application-id', '21', '-o', file('wrapped'))
  const target = ['--key-type', 'AES:', '--application-id', '22', '--extractable']
  const unwrapped = await user('--unwrap', ...wrapping, '-i', file('wrapped'), ...target)
  assert.ok(shown(made))
  assert.equal(shown(unwrapped), shown(made))
  for (const key of ['21', '22']) await user('--delete-object', '--type', 'secrkey', '--id', key)
}

async function keepData({ user, token, tried, file }: Bench): Promise<void> {
  const name = ['--type', 'data', '--label', 'note']
  const more = ['--application-label', 'app', '--application-id', '1.2.3.4', '--private']
  const written = await user('--write-object', file('message'), ...name, ...more)
  assert.match(written, /app_id:\s+1\.2\.3\.4\n\s+flags:\s+modifiable private/)
  assert.doesNotMatch(await token('-O'), /note/, 'private objects need a login')
  await user('--read-object', ...name, '-o', file('read'))
  assert.equal(readFileSync(file('read'), 'utf8'), MESSAGE)
  await user('--delete-object', ...name)
  assert.notEqual((await tried([...USER, '--read-object', ...name])).status, 0)
}

const generateRandom = async ({ token, file }: Bench): Promise<void> => {
  await token('--generate-random', '100000', '-o', file('random'))
  const bytes = readFileSync(file('random'))
  assert.equal(bytes.length, 100_000)
  assert.equal(new Set(bytes).size, 256)
}

test('pkcs11-tool brings keys, certificates and data to the token, uses them and deletes them', async (t) => {
  const bench = await openBench(t)
  if (bench === undefined) return
  await makeFiles(bench)
  await t.test('it imports RSA and EC key pairs and a certificate', async () => {
    await importPair(bench, 'rsa', '10')
    await importPair(bench, 'ec', '11')
    const words = ['--id', '10', '--label', 'rsa']
    assert.match(await importObject(bench, 'certificate', 'cert', ...words), /CN=imported/)
  })
  await t.test('what it reads back is what it wrote', () => readBack(bench))
  await t.test('openssl verifies what the imported keys sign', async () => {
    await signImported(bench, 'rsa', 'SHA256-RSA-PKCS', '10')
    await signImported(bench, 'ec', 'ECDSA-SHA256', '11')
  })
  await t.test('ECDH derives what openssl derives', () => deriveBothSides(bench))
  await t.test('it imports an AES key', async () => {
    writeFileSync(bench.file('aes'), Buffer.alloc(32, 7))
    const words = ['--key-type', 'AES:32', '--id', '12']
    assert.match(await importObject(bench, 'aes', 'secrkey', ...words), /AES length 32/)
  })
  await t.test('it keeps data, of which private ones need a login', () => keepData(bench))
  await t.test('it changes an identifier', async () => {
    await bench.user('--session-rw', '--set-id', '1a', '--type', 'privkey', '--id', '11')
    assert.match(await bench.user('-O', '--type', 'privkey'), /label:\s+ec\n\s+ID:\s+1a/)
    await bench.user('--session-rw', '--set-id', '11', '--type', 'privkey', '--id', '1a')
  })
  await t.test('it deletes every object', async () => {
    for (const id of ['10', '11'])
      for (const type of ['privkey', 'pubkey'])
        await bench.user('--delete-object', '--type', type, '--id', id)
    await bench.user('--delete-object', '--type', 'cert', '--id', '10')
    await bench.user('--delete-object', '--type', 'secrkey', '--id', '12')
    assert.doesNotMatch(await bench.user('-O', '--session-rw'), /Object/)
  })
})

test('pkcs11-tool wraps keys, makes random numbers and digests, and asks for the PIN at each use', async (t) => {
  const bench = await openBench(t)
  if (bench === undefined) return
  const { user, openssl, tried, file } = bench
  writeFileSync(file('message'), MESSAGE)
  await t.test('AES-KEY-WRAP and RSA-PKCS wrap and unwrap a key', async () => {
    await generate(bench, 'key', 'AES:32', '--id', '20', '--usage-wrap')
    await wrapAndUnwrap(bench, 'AES-KEY-WRAP', '20')
    await generate(bench, 'keypair', 'rsa:2048', '--id', '30', '--usage-wrap')
    await wrapAndUnwrap(bench, 'RSA-PKCS', '30')
  })
  await t.test('AES-CBC-PAD encrypts a megabyte', async () => {
    writeFileSync(file('megabyte'), Buffer.alloc(1 << 20, 'x'))
    await generate(bench, 'key', 'AES:32', '--id', '23')
    const cipher = ['-m', 'AES-CBC-PAD', '--id', '23', '--iv', IV]
    await user('--encrypt', ...cipher, '-i', file('megabyte'), '-o', file('encrypted'))
    await user('--decrypt', ...cipher, '-i', file('encrypted'), '-o', file('decrypted'))
    assert.deepEqual(readFileSync(file('decrypted')), readFileSync(file('megabyte')))
  })
  await t.test('random numbers', () => generateRandom(bench))
  await t.test('a digest is that of openssl', async () => {
    await user('--hash', '-m', 'SHA256', '-i', file('message'), '-o', file('here'))
    await openssl('dgst', '-sha256', '-binary', '-out', file('there'), file('message'))
    assert.deepEqual(readFileSync(file('here')), readFileSync(file('there')))
  })
  await t.test('a key with CKA_ALWAYS_AUTHENTICATE signs after a second login', async () => {
    await generate(bench, 'keypair', 'rsa:2048', '--id', '60', '--always-auth')
    assert.match(await user('-O', '--type', 'privkey', '--id', '60'), /always authenticate/)
    const signing = ['--sign', '-m', 'SHA256-RSA-PKCS', '--id', '60', '-i', file('message')]
    await user(...signing, '-o', file('signature'))
  })
  await t.test('a key signs with its allowed mechanisms only', async () => {
    const allowed = ['--allowed-mechanisms', 'SHA256-RSA-PKCS']
    await generate(bench, 'keypair', 'rsa:2048', '--id', '61', ...allowed)
    const signing = ['--sign', '--id', '61', '-i', file('message'), '-o', file('signature')]
    await user(...signing, '-m', 'SHA256-RSA-PKCS')
    const { status, stderr } = await tried([...USER, ...signing, '-m', 'SHA512-RSA-PKCS'])
    assert.notEqual(status, 0)
    assert.match(stderr, /CKR_MECHANISM_INVALID/)
  })
})

test('pkcs11-tool changes PINs', async (t) => {
  const bench = await openBench(t)
  if (bench === undefined) return
  const { token, user, tried } = bench
  const works = (...pin: string[]) => token('--login', ...pin, '-O')

  await t.test('the user changes the user PIN', async () => {
    await user('--change-pin', '--new-pin', 'another-1')
    await works('--pin', 'another-1')
    const { stderr } = await tried([...USER, '-O'])
    assert.match(stderr, /CKR_PIN_INCORRECT/)
    await token('--login', '--pin', 'another-1', '--change-pin', '--new-pin', PIN)
  })
  await t.test('the security officer changes the SO PIN and sets the user PIN', async () => {
    await token(...OFFICER, '--change-pin', '--new-pin', 'another-2')
    const officer = ['--login', '--login-type', 'so', '--so-pin', 'another-2']
    await token(...officer, '--init-pin', '--new-pin', 'another-3')
    await works('--pin', 'another-3')
    await token(...officer, '--change-pin', '--new-pin', SO_PIN)
    await token(...OFFICER, '--init-pin', '--new-pin', PIN)
  })
  await t.test(
    '--unlock-pin, which cards know and the standard does not, changes nothing',
    async () => {
      const unlocking = ['--unlock-pin', '--puk', SO_PIN, '--new-pin', 'another-4']
      assert.match((await tried(unlocking)).stderr, /C_SetPIN failed: rv = CKR_PIN_INCORRECT/)
      const context = ['--login', '--login-type', 'context-specific']
      const { stderr } = await tried([...context, ...unlocking])
      assert.match(stderr, /C_Login failed: rv = CKR_OPERATION_NOT_INITIALIZED/)
      await works('--pin', PIN)
    },
  )
})

/** Commands of --test-threads: C_Initialize with locks or NULL, C_GetInfo, C_GetSlotList, C_GetTokenInfo. */
const THREADS = ['ILGISLT0', 'INGISLT0', 'ILSLT0SLT1', 'INSLGIGIGI', 'INSLSLSLT0']

/** The main thread logs in and tests meanwhile, which takes longer than what the threads do. */
async function ownThreads({ tried }: Bench): Promise<void> {
  const threads = THREADS.flatMap((commands) => ['--test-threads', commands])
  const main = ['--session-rw', '--test-ec', '--key-type', 'EC:prime256v1', '--id', '08']
  const { status, stdout, stderr } = await tried(['--use-locking', ...threads, ...USER, ...main])
  assert.equal(status, 0, stdout + stderr)
  assert.match(stdout, /==> OK/)
  const results = [...stderr.matchAll(/^test_threads thread:\d+ state:-?\d+, rv:(\w+)$/gm)]
  assert.deepEqual(
    results.slice(-THREADS.length).map(([, rv]) => rv),
    THREADS.map(() => 'CKR_OK'),
    stderr,
  )
}

test('the token passes the further tests that pkcs11-tool has', async (t) => {
  const bench = await openBench(t)
  if (bench === undefined) return
  const { pkcs11, user, token, tried, file } = bench
  for (const curve of ['prime256v1', 'secp384r1', 'secp521r1'])
    await t.test(`--test-ec on ${curve}`, async () => {
      const key = ['--key-type', `EC:${curve}`, '--label', 'tested', '--id', '07']
      assert.match(await user('--session-rw', '--test-ec', ...key), /==> OK/)
    })
  await t.test('--moz-cert', async () => {
    await certificate(bench)
    const key = ['--key-type', 'RSA:2048', '--label', 'tested', '--id', '41']
    const printed = await user('--session-rw', '--moz-cert', file('certificate'), ...key)
    assert.match(printed, /OK, successful! Should work with Mozilla/)
  })
  await t.test('they leave no object behind', async () =>
    assert.doesNotMatch(await user('-O'), /Object/),
  )
  await t.test('--test-threads', () => ownThreads(bench))
  await t.test('--test-fork', async () =>
    assert.match(await token('--test-fork'), /C_Initialize in forked child process/),
  )
  await t.test('--test-hotplug', async () => {
    const { status, stdout, stderr } = await tried(['--test-hotplug'], '\nx\nx\n')
    assert.equal(status, 0, stderr)
    assert.match(stdout, /token label\s*: test\n/)
  })
  await t.test('--show-info', async () =>
    assert.match(await pkcs11('--show-info'), /Manufacturer\s+Softoki/),
  )
})

test('pkcs11-tool lists the interfaces of 3.2, 3.0 and 2.40, and the vendor’s own', async (t) => {
  const bench = await openBench(t)
  if (bench === undefined) return
  const told = await bench.pkcs11('--list-interfaces')
  assert.deepEqual(
    Array.from(
      told.matchAll(/'(.+)'\s+version: (\S+)/g),
      ([, name, version]) => `${name} ${version}`,
    ),
    ['PKCS 11 3.2', 'PKCS 11 3.0', 'PKCS 11 2.40', 'Vendor Softoki 1.0'],
  )
})
