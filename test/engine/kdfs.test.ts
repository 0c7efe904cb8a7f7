import assert from 'node:assert/strict'
import { createHash, createHmac, hkdfSync, pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto'
import { test } from 'node:test'
import { isNativeError, type NativeOptions, native } from '../../src/engine/binding.ts'
import { macing } from '../../src/engine/macs.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const text = (value: string) => new Uint8Array(Buffer.from(value))
const kdf = (name: string, length: number, options: NativeOptions) =>
  toHex(native().kdf(name, options, length))
const sha256 = (...parts: readonly Uint8Array[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest()

test('HKDF makes what RFC 5869 says, in one and in two steps', () => {
  // RFC 5869, A.1
  const key = new Uint8Array(22).fill(11)
  const salt = hex('000102030405060708090a0b0c')
  const info = hex('f0f1f2f3f4f5f6f7f8f9')
  const extracted = '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5'
  const expanded =
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'
  const digest = 'SHA256'
  assert.equal(kdf('HKDF', 42, { digest, key, salt, info }), expanded)
  assert.equal(kdf('HKDF', 32, { digest, key, salt, mode: 'EXTRACT_ONLY' }), extracted)
  const second = { digest, key: hex(extracted), mode: 'EXPAND_ONLY' }
  assert.equal(kdf('HKDF', 42, { ...second, info }), expanded)
  // The mode may be a number, and the information may come in pieces.
  const pieces = [info.subarray(0, 3), info.subarray(3)]
  assert.equal(kdf('HKDF', 42, { ...second, mode: 2, info: pieces }), expanded)
  assert.equal(
    kdf('HKDF', 50, { digest: 'SHA3-256', key, salt, info }),
    Buffer.from(hkdfSync('sha3-256', key, salt, info, 50)).toString('hex'),
  )
})

test('PBKDF2, scrypt and PKCS12KDF turn passwords into keys', () => {
  const pass = text('password')
  const salt = text('salt')
  assert.equal(
    kdf('PBKDF2', 40, { pass, salt, iter: 3, digest: 'SHA512' }),
    pbkdf2Sync(pass, salt, 3, 40, 'sha512').toString('hex'),
  )
  // RFC 6070, section 2
  assert.equal(
    kdf('PBKDF2', 20, { pass, salt, iter: 2, digest: 'SHA1' }),
    'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957',
  )
  assert.equal(
    kdf('SCRYPT', 64, { pass, salt, n: 16, r: 8, p: 1 }),
    scryptSync(pass, salt, 64, { N: 16, r: 8, p: 1 }).toString('hex'),
  )
  // Gutmann's vectors for RFC 7292, appendix B: "smeg", a key (1) for 3DES
  assert.equal(
    kdf('PKCS12KDF', 24, {
      pass: hex('0073006d006500670000'),
      salt: hex('0a58cf64530d823f'),
      iter: 1,
      id: 1,
      digest: 'SHA1',
    }),
    '8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3',
  )
})

test('KBKDF is counter and feedback mode of SP 800-108', () => {
  const [key, label, context] = [randomBytes(32), randomBytes(7), randomBytes(9)]
  const seed = randomBytes(32)
  const length = Buffer.from('00000200', 'hex') // 512 bits
  const hmac = (...parts: readonly Uint8Array[]) =>
    createHmac('sha256', key).update(Buffer.concat(parts)).digest()
  const number = (i: number) => Buffer.from([0, 0, 0, i])
  const fixed = Buffer.concat([label, Buffer.of(0), context, length])
  const options = { mac: 'HMAC', digest: 'SHA256', key, salt: label, info: context }

  const counter = Buffer.concat([hmac(number(1), fixed), hmac(number(2), fixed)])
  assert.equal(kdf('KBKDF', 64, { ...options, mode: 'COUNTER' }), counter.toString('hex'))

  const first = hmac(seed, number(1), fixed)
  const feedback = Buffer.concat([first, hmac(first, number(2), fixed)])
  assert.equal(kdf('KBKDF', 64, { ...options, mode: 'FEEDBACK', seed }), feedback.toString('hex'))

  const short = { ...options, mode: 'COUNTER', 'use-l': 0, 'use-separator': 0, r: 16 }
  assert.equal(kdf('KBKDF', 32, short), hmac(Buffer.of(0, 1), label, context).toString('hex'))

  const cipher = { mac: 'CMAC', cipher: 'AES-256-CBC', mode: 'COUNTER', key, salt: label }
  const cmac = macing('CMAC', key, { cipher: 'AES-256-CBC' })
  cmac.update(Buffer.concat([number(1), label, Buffer.of(0), context, Buffer.of(0, 0, 0, 128)]))
  assert.equal(kdf('KBKDF', 16, { ...cipher, info: context }), toHex(cmac.digest()))
})

test('X9.63, single-step and SSH derivation are hashes of what they are given', () => {
  const [secret, info] = [randomBytes(40), randomBytes(11)]
  const one = Buffer.of(0, 0, 0, 1)
  const two = Buffer.of(0, 0, 0, 2)
  const x963 = Buffer.concat([sha256(secret, one, info), sha256(secret, two, info)])
  assert.equal(
    kdf('X963KDF', 50, { digest: 'SHA256', key: secret, info }),
    x963.subarray(0, 50).toString('hex'),
  )
  assert.equal(
    kdf('SSKDF', 32, { digest: 'SHA256', key: secret, info }),
    sha256(one, secret, info).toString('hex'),
  )
  const [hash, session] = [randomBytes(32), randomBytes(32)]
  assert.equal(
    kdf('SSHKDF', 32, {
      digest: 'SHA256',
      key: secret,
      xcghash: hash,
      session_id: session,
      type: 'C',
    }),
    sha256(secret, hash, text('C'), session).toString('hex'),
  )
})

test('the PRF of TLS 1.2 takes its seed in pieces', () => {
  const [secret, label, random] = [randomBytes(48), text('key expansion'), randomBytes(64)]
  const seed = Buffer.concat([label, random])
  // RFC 5246, section 5: P_hash
  const hmac = (data: Uint8Array) => createHmac('sha256', secret).update(data).digest()
  const first = hmac(seed)
  const second = hmac(first)
  const expected = Buffer.concat([
    hmac(Buffer.concat([first, seed])),
    hmac(Buffer.concat([second, seed])),
  ])
  const pieces = [label, random.subarray(0, 32), random.subarray(32)]
  assert.equal(
    kdf('TLS1-PRF', 64, { digest: 'SHA256', secret, seed: pieces }),
    expected.toString('hex'),
  )
  assert.equal(kdf('TLS1-PRF', 48, { digest: 'MD5-SHA1', secret, seed: pieces }).length, 96)
})

test('a KDF is made of old digests too', () => {
  const [pass, salt] = [text('password'), text('salt')]
  const mac = macing('HMAC', pass, { digest: 'MD4' })
  mac.update(Buffer.concat([salt, Buffer.of(0, 0, 0, 1)]))
  assert.equal(kdf('PBKDF2', 16, { pass, salt, iter: 1, digest: 'MD4' }), toHex(mac.digest()))
})

test('lengths, names and options that a KDF does not take are refused', () => {
  const options = { digest: 'SHA256', key: new Uint8Array(32) }
  const fails =
    (code: 'OPENSSL_ARGUMENT' | 'OPENSSL_OPTION' | 'OPENSSL_UNKNOWN' | 'OPENSSL_DERIVE') =>
    (error: unknown) =>
      isNativeError(error, code)
  for (const length of [0, -1, 1.5, (1 << 20) + 1, Number.NaN])
    assert.throws(() => native().kdf('HKDF', options, length), fails('OPENSSL_ARGUMENT'))
  assert.throws(() => native().kdf('HKDF17', options, 9), fails('OPENSSL_UNKNOWN'))
  assert.throws(() => native().kdf('HKDF', { ...options, mode: 9 }, 9), fails('OPENSSL_OPTION'))
  assert.throws(() => native().kdf('HKDF', { colour: 9 }, 9), fails('OPENSSL_OPTION'))
  assert.throws(() => native().kdf('HKDF', {}, 9), fails('OPENSSL_DERIVE'))
  const info = Array.from({ length: 16 }, () => new Uint8Array(1))
  assert.throws(() => native().kdf('HKDF', { ...options, info }, 9), fails('OPENSSL_ARGUMENT'))
})
