/** What openssl does with keys of the token, by whichever way it reaches them. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  type Environment,
  type Runner,
  run,
  runner,
  type Service,
  temporaryFolder,
} from '../service.ts'
import { EC, generateKeys, type KeyPair, RSA, uriOf } from './keys.ts'
import { HEARD, SAID, startTlsServer, VERSIONS } from './tls.ts'

const MESSAGE = 'signed by OpenSSL with a key of the token'

/** A way to sign: the options of openssl dgst. */
const SIGNINGS: readonly { readonly key: KeyPair; readonly options: readonly string[] }[] = [
  { key: RSA, options: ['-sha256'] },
  { key: RSA, options: ['-sha512', '-sigopt', 'rsa_padding_mode:pss'] },
  { key: EC, options: ['-sha256'] },
  { key: EC, options: ['-sha384'] },
]

/** The options of openssl pkeyutl for each padding. */
export const PADDINGS = {
  pkcs1: ['rsa_padding_mode:pkcs1'],
  oaep: ['rsa_padding_mode:oaep'],
  oaepSha256: ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256', 'rsa_mgf1_md:sha256'],
} as const

/** How openssl reaches the token. */
export interface Way {
  /** A configuration of OpenSSL that loads what is needed. */
  readonly configuration: string
  /** The options that say so where a key is named. */
  readonly options: readonly string[]
}

export interface Bench {
  readonly path: string
  /** Without the token. */
  readonly plain: Runner
  /** With the token. */
  readonly token: Runner
  /** In which openssl has the token. */
  readonly environment: Environment
  readonly options: readonly string[]
  /** A file of the test's folder. */
  readonly file: (name: string) => string
}

const REQUESTS = `
[req]
distinguished_name = name
prompt = no
[name]
CN = of the token
`

/** Makes the keys on the token "test", and the configuration. */
export async function makeBench(t: TestContext, path: string, service: Service, way: Way) {
  await generateKeys(service)
  const folder = temporaryFolder(t)
  const file = (name: string) => join(folder, name)
  writeFileSync(file('openssl.cnf'), way.configuration + REQUESTS)
  writeFileSync(file('message'), MESSAGE)
  const environment = { ...service.environment, OPENSSL_CONF: file('openssl.cnf') }
  const plain = runner(path, service.environment)
  const token = runner(path, environment)
  return { path, plain, token, environment, options: way.options, file } satisfies Bench
}

/** A certificate request, a self-signed certificate and its public key, made with the token's key. */
async function certify(key: KeyPair, { plain, token, options: way, file }: Bench): Promise<void> {
  const [request, certificate] = [file(`${key.label}.csr`), file(`${key.label}.pem`)]
  const withKey = [...way, '-key', uriOf(key, 'private')]
  await token('req', '-new', ...withKey, '-out', request)
  assert.match(await plain('req', '-in', request, '-verify', '-noout'), /self-signature verify OK/)
  await token('req', '-new', '-x509', '-days', '2', ...withKey, '-out', certificate)
  await plain('verify', '-check_ss_sig', '-CAfile', certificate, certificate)
  await plain('x509', '-in', certificate, '-pubkey', '-noout', '-out', file(`${key.label}.pub`))
}

async function signAndVerify(
  key: KeyPair,
  options: readonly string[],
  { plain, token, options: way, file }: Bench,
): Promise<void> {
  const signature = file('signature')
  const digest = ['dgst', ...options]
  const check = ['-signature', signature, file('message')]
  const sign = [...way, '-sign', uriOf(key, 'private'), '-out', signature, file('message')]
  await token(...digest, ...sign)
  assert.match(await plain(...digest, '-verify', file(`${key.label}.pub`), ...check), /Verified OK/)
  assert.match(
    await token(...digest, ...way, '-verify', uriOf(key, 'public'), ...check),
    /Verified OK/,
  )
}

async function decrypt(
  padding: readonly string[],
  { plain, token, options: way, file }: Bench,
): Promise<void> {
  const options = padding.flatMap((option) => ['-pkeyopt', option])
  const publicKey = ['-pubin', '-inkey', file('rsa.pub')]
  const encrypted = ['-in', file('message'), '-out', file('encrypted')]
  await plain('pkeyutl', '-encrypt', ...options, ...publicKey, ...encrypted)
  const withKey = [...way, '-inkey', uriOf(RSA, 'private')]
  const decrypted = ['-in', file('encrypted'), '-out', file('decrypted')]
  await token('pkeyutl', '-decrypt', ...options, ...withKey, ...decrypted)
  assert.equal(readFileSync(file('decrypted'), 'utf8'), MESSAGE)
}

/** ECDH: a secret made with the token's key is the one made with the peer's. */
async function agree({ plain, token, options: way, file }: Bench): Promise<void> {
  const [peer, peerPublic] = [file('peer.key'), file('peer.pub')]
  const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
  await plain('genpkey', ...curve, '-out', peer)
  await plain('pkey', '-in', peer, '-pubout', '-out', peerPublic)
  const withKey = [...way, '-inkey', uriOf(EC, 'private'), '-peerkey', peerPublic]
  await token('pkeyutl', '-derive', ...withKey, '-out', file('ours'))
  const withPeer = ['-inkey', peer, '-peerkey', file('ec.pub')]
  await plain('pkeyutl', '-derive', ...withPeer, '-out', file('theirs'))
  assert.deepEqual(readFileSync(file('ours')), readFileSync(file('theirs')))
}

/** A handshake of a server that has its key in the token. */
async function serve(t: TestContext, key: KeyPair, version: string, bench: Bench): Promise<void> {
  const { path, environment, options, file } = bench
  const certificate = file(`${key.label}.pem`)
  const words = [version, ...options, '-key', uriOf(key, 'private'), '-cert', certificate]
  const { port } = await startTlsServer(t, path, environment, words)
  const trust = ['-CAfile', certificate, '-verify_return_error']
  const client = await run(
    path,
    ['s_client', '-connect', `127.0.0.1:${port}`, ...trust, '-brief', '-ign_eof'],
    { ...environment, OPENSSL_CONF: '/dev/null' },
    SAID,
  )
  assert.match(client.stderr, /Verification: OK/)
  assert.match(client.stdout, HEARD)
  assert.match(client.stderr, key === RSA ? /Signature type: RSA-PSS/ : /Signature type: ECDSA/)
}

/** Everything above, with the paddings that can be had this way. */
export async function useKeys(
  t: TestContext,
  bench: Bench,
  paddings: readonly (readonly string[])[],
): Promise<void> {
  for (const key of [RSA, EC])
    await t.test(`${key.label}: a certificate request and a certificate verify`, () =>
      certify(key, bench),
    )
  for (const { key, options } of SIGNINGS)
    await t.test(`${key.label}: what dgst ${options.join(' ')} signs verifies both ways`, () =>
      signAndVerify(key, options, bench),
    )
  for (const padding of paddings)
    await t.test(`it decrypts with ${padding.join(' ')}`, () => decrypt(padding, bench))
  await t.test('it agrees on a secret by ECDH', () => agree(bench))
  for (const key of [RSA, EC])
    for (const version of VERSIONS)
      await t.test(`${key.label}: s_server ${version} shakes hands`, (t) =>
        serve(t, key, version, bench),
      )
}
