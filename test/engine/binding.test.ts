import assert from 'node:assert/strict'
import { fork, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import {
  isNativeError,
  type Native,
  type NativeErrorCode,
  type NativeKey,
  native,
} from '../../src/engine/binding.ts'
import { jwsKey, rfc6979 } from './keys.ts'

const digest = new Uint8Array(32).fill(1)

const fails = (code: NativeErrorCode) => (error: unknown) => {
  assert.ok(isNativeError(error, code), `${(error as { code?: string }).code} is not ${code}`)
  return true
}

/** The binding as somebody without types would call it. */
const untyped = () => native() as unknown as Record<keyof Native, (...values: unknown[]) => unknown>

const ecKey = () => native().generate('EC', { group: 'P-256' })

test('a key that was generated is the key that its components make', () => {
  const key = ecKey()
  const priv = native().component(key, 'priv')
  const again = native().importKey('EC', 'private', { group: 'P-256', priv })
  const pub = native().importKey('EC', 'public', {
    group: 'P-256',
    pub: native().component(key, 'pub'),
  })
  const signature = native().sign(again, digest)
  assert.equal(native().verify(pub, digest, undefined, undefined, signature), true)
  assert.deepEqual(native().component(again, 'priv'), priv)
})

test('a private key cannot be had from its public half', () => {
  const { n, e } = jwsKey
  const key = native().importKey('RSA', 'public', { n, e })
  assert.throws(() => native().component(key, 'd'), fails('OPENSSL_COMPONENT'))
  assert.throws(() => native().sign(key, digest))
})

test('arguments of a wrong type are refused', () => {
  const key = ecKey()
  const {
    sign,
    verify,
    importKey,
    generate,
    check,
    component,
    derive,
    completeRsa,
    reduceToScalar,
  } = untyped()
  const refused: (() => unknown)[] = [
    () => sign(),
    () => sign(key),
    () => sign({}, digest),
    () => sign(null, digest),
    () => sign('key', digest),
    () => sign(key, 'text'),
    () => sign(key, [1, 2]),
    () => sign(key, new Uint16Array(4)),
    () => sign(key, new DataView(new ArrayBuffer(4))),
    () => sign(key, digest, 5),
    () => sign(key, digest, 'digest'),
    () => sign(key, digest, {}, 7),
    () => sign(key, digest, {}, 'x'.repeat(64)),
    () => sign(key, digest, {}, ''),
    () => sign(key, digest, {}, 'ECDSA\0'),
    () => verify(key, digest, {}, undefined),
    () => verify(key, digest, {}, undefined, 'signature'),
    () => importKey('RSA', 'both', {}),
    () => importKey(1, 'public', {}),
    () => importKey('RSA', 'public', { n: new Uint8Array(0), e: Uint8Array.of(3) }),
    () => importKey('RSA', 'public', { n: 'text', e: Uint8Array.of(3) }),
    () => importKey('RSA', 'public', { n: new Uint8Array((1 << 20) + 1), e: Uint8Array.of(3) }),
    () => importKey('EC', 'public', { group: 7 }),
    () => importKey('EC', 'public', { group: digest }),
    () => generate('RSA', { bits: -1 }),
    () => generate('RSA', { bits: 1024.5 }),
    () => generate('RSA', { bits: Number.NaN }),
    () => generate('RSA', { bits: 2 ** 60 }),
    () => check(key, 'everything'),
    () => component(key, 5),
    () => derive(key, digest),
    () => reduceToScalar(digest),
    () => reduceToScalar(digest, 5),
    () => reduceToScalar(digest, new Uint8Array(129)),
    () => completeRsa(digest, digest),
    () => completeRsa(digest, digest, 5),
    () => completeRsa(new Uint8Array(2049), digest, digest),
  ]
  for (const [at, call] of refused.entries())
    assert.throws(call, fails('OPENSSL_ARGUMENT'), `call ${at}`)
})

test('an option that OpenSSL does not list is refused, and one that is undefined is not there', () => {
  const key = ecKey()
  assert.throws(() => native().sign(key, digest, { salt: 1 }), fails('OPENSSL_OPTION'))
  assert.throws(() => native().sign(key, digest, { digest: 'md17' }), fails('OPENSSL_OPTION'))
  assert.ok(native().sign(key, digest, { salt: undefined }).length > 0)
})

test('more options than any operation has are refused', () => {
  const options = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`option-${i}`, 1]))
  assert.throws(() => native().sign(ecKey(), digest, options), fails('OPENSSL_ARGUMENT'))
})

test('a key does not leave its thread', async () => {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
     const key = require(process.argv[2]).generate('EC', { group: 'P-256' })
     try { parentPort.postMessage(key) } catch (error) { parentPort.postMessage(error.name) }`,
    { eval: true, argv: [bindingFile()] },
  )
  const [message] = await once(worker, 'message')
  assert.equal(message, 'DataCloneError')
  await worker.terminate()
})

const bindingFile = () => {
  native()
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] }
  const file = sharedObjects.find((name) => name.endsWith('softoki-openssl.node'))
  assert.ok(file)
  return file
}

test('deterministic ECDSA makes the signature of RFC 6979', () => {
  const key = native().importKey('EC', 'private', { group: 'P-256', priv: rfc6979.scalar })
  const hash = createHash('sha256').update(rfc6979.message).digest()
  const options = { digest: 'sha256', 'nonce-type': 1 }
  const signature = native().sign(key, hash, options)
  assert.deepEqual(native().sign(key, hash, options), signature)
  const body = Buffer.from(signature).toString('hex')
  for (const half of [rfc6979.signature.subarray(0, 32), rfc6979.signature.subarray(32)])
    assert.ok(body.includes(Buffer.from(half).toString('hex')))
})

test('a prehashed signature can be made over the digest and over the message', () => {
  const key = native().generate('ED25519', {})
  const message = Buffer.from('message')
  const hash = createHash('sha512').update(message).digest()
  const signature = native().signDigest(key, hash, {}, 'ED25519ph')
  assert.deepEqual(native().sign(key, message, {}, 'ED25519ph'), signature)
  assert.equal(native().verifyDigest(key, hash, {}, 'ED25519ph', signature), true)
  assert.equal(native().verify(key, message, {}, 'ED25519ph', signature), true)
  assert.equal(native().verifyDigest(key, hash, {}, 'ED25519ph', new Uint8Array(64)), false)
  assert.throws(() => native().signDigest(key, hash, {}, 'ED25519'))
  assert.throws(() => native().signDigest(key, hash.subarray(1), {}, 'ED25519ph'))
})

test('a signature is verified on the thread pool as it is here', async () => {
  const key = native().generate('ED448', {})
  const message = new Uint8Array(100_000)
  const signature = await native().signLater(key, message, {}, 'ED448')
  const verified = native().verifyLater(key, message, {}, 'ED448', signature)
  assert.ok(verified instanceof Promise)
  // The input was copied: what becomes of it afterwards does not matter.
  message.fill(1)
  assert.equal(await verified, true)
  assert.equal(await native().verifyLater(key, message, {}, 'ED448', signature), false)
  assert.equal(await native().verifyLater(key, message, {}, 'ED448', new Uint8Array(0)), false)
  const { verifyLater } = untyped()
  assert.throws(() => verifyLater(key, message, {}, 'ED448'), fails('OPENSSL_ARGUMENT'))
  assert.throws(() => verifyLater(key, message, {}, 'ED448', 'text'), fails('OPENSSL_ARGUMENT'))
})

test('an algorithm named with the call signs messages: Ed25519, Ed25519ph, ML-DSA', () => {
  const ed = native().generate('ED25519', {})
  const lattice = native().generate('ML-DSA-44', {})
  for (const [key, algorithm, length] of [
    [ed, 'ED25519', 64],
    [ed, 'ED25519ph', 64],
    [lattice, 'ML-DSA-44', 2420],
  ] as const) {
    const signature = native().sign(key, digest, {}, algorithm)
    assert.equal(signature.length, length)
    assert.equal(native().verify(key, digest, {}, algorithm, signature), true)
    assert.equal(native().verify(key, new Uint8Array(32), {}, algorithm, signature), false)
  }
  assert.throws(() => native().sign(ed, digest, {}, 'ED448'), fails('OPENSSL_OPTION'))
  assert.throws(() => native().encrypt(ed, digest, {}, 'ED25519'), fails('OPENSSL_OPTION'))
})

test('many operations on one key run on the thread pool at the same time', async () => {
  const { n, e, d } = jwsKey
  const key = native().importKey('RSA', 'private', { n, e, d })
  const options = { 'pad-mode': 'pkcs1', digest: 'sha256' }
  const signatures = await Promise.all(
    Array.from({ length: 16 }, () => native().signLater(key, digest, options)),
  )
  assert.ok(signatures.every((one) => Buffer.compare(one, signatures[0] as Uint8Array) === 0))
})

test('a promise is rejected with a code and no data', async () => {
  const key = native().importKey('RSA', 'private', { ...only(jwsKey, ['n', 'e', 'd']) })
  const secret = Buffer.alloc(256, 'secret')
  await assert.rejects(native().decryptLater(key, secret, { 'pad-mode': 'oaep' }), (error) => {
    assert.ok(isNativeError(error, 'OPENSSL_DECRYPT'))
    assert.equal((error as Error).message, 'failed')
    return true
  })
  await assert.rejects(
    native().signLater(key, new Uint8Array(300), { 'pad-mode': 'pkcs1' }),
    fails('OPENSSL_SIGN'),
  )
})

const only = <T extends object, K extends keyof T>(whole: T, names: readonly K[]): Pick<T, K> =>
  Object.fromEntries(names.map((name) => [name, whole[name]])) as Pick<T, K>

test('a thread that ends with work on the pool takes the work along', async () => {
  const worker = new Worker(
    `const binding = require(process.argv[2])
     const { parentPort, workerData } = require('node:worker_threads')
     const key = binding.importKey('RSA', 'private', workerData)
     for (let i = 0; i < 40; i++)
       binding.signLater(key, new Uint8Array(32), { 'pad-mode': 'pkcs1' }).catch(() => {})
     parentPort.postMessage('queued')`,
    { eval: true, argv: [bindingFile()], workerData: only(jwsKey, ['n', 'e', 'd']) },
  )
  await once(worker, 'message')
  assert.equal(await worker.terminate(), 1)
})

test('keys that nobody holds any more are freed', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const numbers = only(jwsKey, ['n', 'e', 'd'])
  const held: NativeKey[] = []
  /** How much the process grows while it makes 20,000 keys. */
  const growth = async (hold: boolean) => {
    const { rss } = process.memoryUsage()
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 1000; i++) {
        const key = native().importKey('RSA', 'private', numbers)
        if (hold) held.push(key)
      }
      collect()
      await setImmediate()
    }
    return process.memoryUsage().rss - rss
  }
  await growth(false)
  const freed = await growth(false)
  assert.ok(freed < (await growth(true)) / 2)
  assert.equal(held.length, 20_000)
})

test('a process that dies with its parent is killed in the middle of a native call', async (t) => {
  if (process.platform !== 'linux') return t.diagnostic('the kernel does this on Linux only')
  const parent = fork(new URL('./parent.ts', import.meta.url))
  const [pid] = (await once(parent, 'message')) as [number]
  assert.ok(isAlive(pid))
  parent.kill('SIGKILL')
  while (isAlive(pid)) await setTimeout(10)
})

/** Whether a process runs; one that ended and that nobody asked about yet does not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

test('a missing build says what to run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-'))
  try {
    mkdirSync(join(folder, 'src'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const file = join(folder, 'src/binding.ts')
    copyFileSync(new URL('../../src/engine/binding.ts', import.meta.url), file)
    const program = `import { native } from ${JSON.stringify(file)}; native()`
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    assert.match(stderr, /softoki-openssl\.node is missing: run `npm run build`/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
