import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isNativeError, type NativeOptions, native } from '../../src/engine/binding.ts'
import { namedDigesting } from '../../src/engine/digests.ts'
import { macing } from '../../src/engine/macs.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const text = (value: string) => new Uint8Array(Buffer.from(value))
const counting = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => from + i)

const digestOf = (name: string, message: Uint8Array, options?: NativeOptions) => {
  const digest = namedDigesting(name, options)
  digest.update(message)
  return toHex(digest.digest())
}

const macOf = (name: string, key: Uint8Array, message: Uint8Array, options?: NativeOptions) => {
  const mac = macing(name, key, options)
  mac.update(message)
  return toHex(mac.digest())
}

test('digests that node:crypto has not make what their papers say', () => {
  // RFC 1320, appendix A.5
  assert.equal(digestOf('MD4', text('abc')), 'a448017aaf21d8525fc10ae87aa6729d')
  // ISO/IEC 10118-3: Whirlpool of "abc"
  assert.equal(
    digestOf('WHIRLPOOL', text('abc')),
    '4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c' +
      '7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5',
  )
  assert.equal(digestOf('MDC2', text('abc')).length, 32)
  // BLAKE2b with other lengths is another function, no cut: checked with Python's hashlib.
  assert.equal(
    digestOf('BLAKE2B-512', text('abc'), { size: 20 }),
    '384264f676f39536840523f284921cdc68b6846b',
  )
})

test('an extendable digest answers as much as is asked for, at once or by and by', () => {
  const expected = createHash('shake128', { outputLength: 600 }).update('abc').digest('hex')
  assert.equal(digestOf('SHAKE-128', text('abc'), { xoflen: 600 }), expected)
  const binding = native()
  const begun = () => {
    const digest = binding.digest('SHAKE-128')
    binding.digestUpdate(digest, text('abc'))
    return digest
  }
  assert.equal(toHex(binding.digestFinal(begun(), 600)), expected)
  const squeezed = begun()
  const parts = [1, 167, 168, 264].map((length) => binding.digestSqueeze(squeezed, length))
  assert.equal(toHex(Buffer.concat(parts)), expected)
  assert.throws(() => binding.digestUpdate(squeezed, text('abc')))
  assert.throws(() => binding.digestFinal(begun()))
  assert.throws(() => binding.digestSqueeze(binding.digest('SHA256'), 8))
})

test('MACs make what their standards say', () => {
  // RFC 4231, 4.2
  assert.equal(
    macOf('HMAC', new Uint8Array(20).fill(11), text('Hi There'), { digest: 'SHA256' }),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  )
  // RFC 4493, section 4: examples 1 and 2
  const key = hex('2b7e151628aed2a6abf7158809cf4f3c')
  const cmac = { cipher: 'AES-128-CBC' }
  assert.equal(macOf('CMAC', key, new Uint8Array(0), cmac), 'bb1d6929e95937287fa37d129b756746')
  assert.equal(
    macOf('CMAC', key, hex('6bc1bee22e409f96e93d7e117393172a'), cmac),
    '070a16b46b4d4144f79bdd9dd04a287c',
  )
  // RFC 8439, 2.5.2
  assert.equal(
    macOf(
      'POLY1305',
      hex('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b'),
      text('Cryptographic Forum Research Group'),
    ),
    'a8061dc1305136c6c22b8baf0c0127a9',
  )
  // NIST, KMAC samples 1 and 2 (Cryptographic Standards and Guidelines, examples with intermediate values)
  const message = hex('00010203')
  assert.equal(
    macOf('KMAC-128', counting(32, 0x40), message, { size: 32 }),
    'e5780b0d3ea6f7d3a429c5706aa43a00fadbd7d49628839e3187243f456ee14e',
  )
  assert.equal(
    macOf('KMAC-128', counting(32, 0x40), message, {
      size: 32,
      custom: text('My Tagged Application'),
    }),
    '3b1fba963cd8b0b59e8c1a6d71888b7143651af8ba0a7070c0979e2811324aa5',
  )
  // The paper of SipHash (Aumasson, Bernstein), appendix A
  assert.equal(macOf('SIPHASH', counting(16), counting(15), { size: 8 }), 'e545be4961ca29a1')
  // McGrew and Viega, test case 1 of GCM: the tag over nothing
  assert.equal(
    macOf('GMAC', new Uint8Array(16), new Uint8Array(0), {
      cipher: 'AES-128-GCM',
      iv: new Uint8Array(12),
    }),
    '58e2fccefa7e3061367f1d57a4e7455a',
  )
  // BLAKE2b with a key: checked with Python's hashlib.
  assert.equal(
    macOf('BLAKE2BMAC', counting(32), text('abc'), { size: 20 }),
    '9a44793314a8cd80c4d8dbf3ea3a8ab62c65ea6a',
  )
})

test('HMAC takes keys of any length, also none, and goes on from a copy', () => {
  for (const length of [0, 1, 64, 65, 1000]) {
    const key = randomBytes(length)
    const one = macing('HMAC', key, { digest: 'SHA512' })
    one.update(text('ab'))
    const other = one.copy()
    other.update(text('c'))
    one.update(text('d'))
    const theirs = (message: string) => createHmac('sha512', key).update(message).digest('hex')
    assert.equal(toHex(other.digest()), theirs('abc'))
    assert.equal(toHex(one.digest()), theirs('abd'))
  }
})

test('a MAC is made of old digests and ciphers too', () => {
  // HMAC-MD4, checked by its definition (RFC 2104)
  const key = counting(20)
  const pad = (value: number) => new Uint8Array(64).map((_, i) => (key[i] ?? 0) ^ value)
  const inner = digestOf('MD4', Buffer.concat([pad(0x36), text('abc')]))
  assert.equal(
    macOf('HMAC', key, text('abc'), { digest: 'MD4' }),
    digestOf('MD4', Buffer.concat([pad(0x5c), hex(inner)])),
  )
  assert.equal(macOf('CMAC', counting(16), text('abc'), { cipher: 'SEED-CBC' }).length, 32)
})

test('keys and options that a MAC does not take are refused', () => {
  const refused: readonly (readonly [string, number, NativeOptions])[] = [
    ['HMAC', 16, {}],
    ['HMAC', 16, { digest: 'MD17' }],
    ['HMAC', 16, { digest: 'SHA256', 'tls-data-size': 9 }],
    ['CMAC', 15, { cipher: 'AES-128-CBC' }],
    ['POLY1305', 31, {}],
    ['KMAC-128', 3, {}],
    ['GMAC', 16, { cipher: 'AES-128-CBC' }],
  ]
  for (const [name, length, options] of refused)
    assert.throws(
      () => macing(name, randomBytes(length), options),
      (error) => isNativeError(error, 'OPENSSL_OPTION'),
      name,
    )
  assert.throws(
    () => macing('MD17', randomBytes(16)),
    (error) => isNativeError(error, 'OPENSSL_UNKNOWN'),
  )
  const huge = native().mac('KMAC-128', randomBytes(16), { size: 2_000_000 })
  assert.throws(
    () => native().macFinal(huge),
    (error) => isNativeError(error, 'OPENSSL_MAC'),
  )
})
