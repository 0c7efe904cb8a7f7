import assert from 'node:assert/strict'
import { type CipherCCMTypes, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { isNativeError, type NativeOptions, native } from '../../src/engine/binding.ts'
import { cipherStream, type Direction } from '../../src/engine/ciphers.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const text = (value: string) => new Uint8Array(Buffer.from(value))

interface Whole {
  readonly name: string
  readonly key: Uint8Array
  readonly iv?: Uint8Array | null
  readonly options?: NativeOptions
}

function run(direction: Direction, { name, key, iv = null, options }: Whole, input: Uint8Array) {
  const stream = cipherStream({ name, direction, key, iv, ...(options && { options }) })
  return new Uint8Array(Buffer.concat([stream.update(input), stream.final()]))
}

const UNPADDED = { padding: 0 }

/** name, key, plaintext, ciphertext, further options. */
const blocks: readonly (readonly [string, string, string, string, NativeOptions?])[] = [
  // FIPS 197, appendix C.1
  [
    'AES-128-ECB',
    '000102030405060708090a0b0c0d0e0f',
    '00112233445566778899aabbccddeeff',
    '69c4e0d86a7b0430d8cdb78070b4c55a',
  ],
  // RFC 3713, appendix A
  [
    'CAMELLIA-128-ECB',
    '0123456789abcdeffedcba9876543210',
    '0123456789abcdeffedcba9876543210',
    '67673138549669730857065648eabe43',
  ],
  // RFC 5794, appendix A.1
  [
    'ARIA-128-ECB',
    '000102030405060708090a0b0c0d0e0f',
    '00112233445566778899aabbccddeeff',
    'd718fbd6ab644c739da95f3be6451778',
  ],
  // RFC 4269, appendix B.1
  [
    'SEED-ECB',
    '00000000000000000000000000000000',
    '000102030405060708090a0b0c0d0e0f',
    '5ebac6e0054e166819aff1cc6d346cdb',
  ],
  // FIPS 81, table B1
  ['DES-ECB', '0123456789abcdef', '4e6f772069732074', '3fa40e8a984d4815'],
  // Lai, On the Design and Security of Block Ciphers (1992), the sample of IDEA
  ['IDEA-ECB', '00010002000300040005000600070008', '0000000100020003', '11fbed2b01986de5'],
  // RFC 2144, appendix B.1: keys of 128, 80 and 40 bits
  ['CAST5-ECB', '0123456712345678234567893456789a', '0123456789abcdef', '238b4fe5847e44b2'],
  ['CAST5-ECB', '01234567123456782345', '0123456789abcdef', 'eb6a711a2c02271b'],
  ['CAST5-ECB', '0123456712', '0123456789abcdef', '7ac816d16e9b302e'],
  // Schneier, the test vectors of Blowfish
  ['BF-ECB', '0000000000000000', '0000000000000000', '4ef997456198dd78'],
  ['BF-ECB', 'f0e1d2c3b4a59687', 'fedcba9876543210', 'e87a244e2cc85e82'],
  // RFC 2268, section 5: effective key bits other than the key's
  ['RC2-ECB', '0000000000000000', '0000000000000000', 'ebb773f993278eff', { keybits: 63 }],
  ['RC2-ECB', 'ffffffffffffffff', 'ffffffffffffffff', '278b27e42e2f0d49', { keybits: 64 }],
  ['RC2-ECB', '88', '0000000000000000', '61a8a244adacccf0', { keybits: 64 }],
  [
    'RC2-ECB',
    '88bca90e90875a7f0f79c384627bafb2',
    '0000000000000000',
    '2269552ab0f85ca6',
    { keybits: 128 },
  ],
]

test('block ciphers, old and new, make what their papers say', () => {
  for (const [name, key, plain, encrypted, more] of blocks) {
    const whole = { name, key: hex(key), options: { ...UNPADDED, ...more } }
    assert.equal(toHex(run('encrypt', whole, hex(plain))), encrypted, name)
    assert.equal(toHex(run('decrypt', whole, hex(encrypted))), plain, name)
  }
})

test('RC4 makes the stream of RFC 6229, and ChaCha20 that of RFC 8439', () => {
  // RFC 6229, section 2: a key of 40 bits
  const rc4 = run('encrypt', { name: 'RC4', key: hex('0102030405') }, new Uint8Array(16))
  assert.equal(toHex(rc4), 'b2396305f03dc027ccc3524a0a1118a8')
  // RFC 8439, 2.4.2: the block counter 1, little-endian, stands before the nonce
  const iv = hex('01000000000000000000004a00000000')
  const key = Uint8Array.from({ length: 32 }, (_, i) => i)
  const chacha = run('encrypt', { name: 'ChaCha20', key, iv }, text('Ladies and Gentl'))
  assert.equal(toHex(chacha), '6e2e359a2568f98041ba0728dd0d6981')
})

test('ciphertext stealing makes what RFC 3962 says', () => {
  // RFC 3962, appendix B: CBC-CS3
  const whole = {
    name: 'AES-128-CBC-CTS',
    key: text('chicken teriyaki'),
    iv: new Uint8Array(16),
    options: { cts_mode: 'CS3' },
  }
  const plain = text('I would like the ')
  const encrypted = run('encrypt', whole, plain)
  assert.equal(toHex(encrypted), 'c6353568f2bf8cb4d8a580362da7ff7f97')
  assert.deepEqual(run('decrypt', whole, encrypted), plain)
})

test('SIV makes what RFC 5297 says', () => {
  // RFC 5297, A.1
  const key = hex('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff')
  const stream = cipherStream({ name: 'AES-128-SIV', direction: 'encrypt', key, iv: null })
  stream.aad(hex('101112131415161718191a1b1c1d1e1f2021222324252627'))
  assert.equal(
    toHex(stream.update(hex('112233445566778899aabbccddee'))),
    '40c02b9690c4dc04daef7f6afe5c',
  )
  stream.final()
  assert.equal(toHex(stream.tag(16)), '85632d07c6e8f37f950acd320a2ecc93')
})

test('in every mode that node:crypto has too, it makes the same, in parts of any length', () => {
  const ciphers = [
    ['aes-256-cfb', 32],
    ['aes-192-cfb1', 24],
    ['aes-128-cfb8', 16],
    ['aes-128-ofb', 16],
    ['aes-128-ctr', 16],
    ['aes-256-cbc', 32],
    ['camellia-192-cfb8', 24],
    ['camellia-256-ctr', 32],
    ['aria-256-cbc', 32],
    ['aria-192-ofb', 24],
    ['aria-128-ctr', 16],
  ] as const
  const input = fc.record({
    cipher: fc.constantFrom(...ciphers),
    parts: fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 }),
  })
  fc.assert(
    fc.property(input, ({ cipher: [name, length], parts }) => {
      const [key, iv] = [randomBytes(length), randomBytes(16)]
      const theirs = createCipheriv(name, key, iv)
      const ours = cipherStream({ name, direction: 'encrypt', key, iv })
      const encrypted = [...parts.map((part) => ours.update(part)), ours.final()]
      const expected = [...parts.map((part) => theirs.update(part)), theirs.final()]
      assert.deepEqual(Buffer.concat(encrypted), Buffer.concat(expected))
      const decrypted = run('decrypt', { name, key, iv }, Buffer.concat(encrypted))
      assert.deepEqual(Buffer.from(decrypted), Buffer.concat(parts))
    }),
    { numRuns: 200 },
  )
})

test('XTS and key wrap of any kind are those of node:crypto', () => {
  const [key, iv, plain] = [randomBytes(64), randomBytes(16), randomBytes(33)]
  const theirs = createCipheriv('aes-256-xts', key, iv)
  const expected = Buffer.concat([theirs.update(plain), theirs.final()])
  assert.deepEqual(Buffer.from(run('encrypt', { name: 'AES-256-XTS', key, iv }, plain)), expected)

  for (const length of [1, 7, 8, 9, 31]) {
    const secret = randomBytes(length)
    const wrap = { name: 'AES-192-WRAP-PAD', key: randomBytes(24) }
    const wrapped = run('encrypt', wrap, secret)
    const iv4 = hex('a65959a6')
    assert.deepEqual(
      Buffer.from(wrapped),
      createCipheriv('id-aes192-wrap-pad', wrap.key, iv4).update(secret),
    )
    assert.deepEqual(Buffer.from(run('decrypt', wrap, wrapped)), secret)
  }
  const inverse = { name: 'AES-128-WRAP-INV', key: randomBytes(16) }
  const secret = randomBytes(24)
  assert.deepEqual(Buffer.from(run('decrypt', inverse, run('encrypt', inverse, secret))), secret)
})

test('a tag that comes before or after the ciphertext is verified', () => {
  const aad = randomBytes(21)
  const plain = randomBytes(100)
  const cases = [
    ['AES-128-GCM', 16, 12],
    ['ARIA-256-GCM', 32, 12],
    ['AES-192-GCM', 24, 60],
    ['ChaCha20-Poly1305', 32, 12],
    ['AES-256-OCB', 32, 15],
    ['AES-128-GCM-SIV', 16, 12],
  ] as const
  for (const [name, keyLength, ivLength] of cases) {
    const [key, iv] = [randomBytes(keyLength), randomBytes(ivLength)]
    const encryption = cipherStream({ name, direction: 'encrypt', key, iv })
    encryption.aad(aad)
    const encrypted = Buffer.concat([encryption.update(plain), encryption.final()])
    const tag = encryption.tag(16)
    const decrypt = (expected: Uint8Array) => {
      // GCM-SIV decrypts nothing before it has the tag.
      const options = name.endsWith('SIV') ? { tag: expected } : {}
      const stream = cipherStream({ name, direction: 'decrypt', key, iv, options })
      stream.aad(aad)
      const decrypted = stream.update(encrypted)
      if (!name.endsWith('SIV')) stream.expect(expected)
      return Buffer.concat([decrypted, stream.final()])
    }
    assert.deepEqual(decrypt(tag), plain, name)
    const wrong = Uint8Array.from(tag, (byte, i) => (i === 15 ? byte ^ 1 : byte))
    assert.throws(
      () => decrypt(wrong),
      (error) => isNativeError(error, 'OPENSSL_DECRYPT'),
    )
  }
})

test('ChaCha20-Poly1305 makes the tag of RFC 8439', () => {
  // RFC 8439, 2.8.2
  const stream = cipherStream({
    name: 'ChaCha20-Poly1305',
    direction: 'encrypt',
    key: Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i),
    iv: hex('070000004041424344454647'),
  })
  stream.aad(hex('50515253c0c1c2c3c4c5c6c7'))
  stream.update(
    text(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ),
  )
  stream.final()
  assert.equal(toHex(stream.tag(16)), '1ae10b594f09e26a7e902ecbd0600691')
})

test('CCM with every length of tag and nonce is that of node:crypto, also over nothing', () => {
  for (const [tagLength, ivLength, length] of [
    [4, 7, 0],
    [10, 13, 50],
    [16, 12, 16],
  ] as const) {
    const [key, iv, aad, plain] = [16, ivLength, 9, length].map((size) => randomBytes(size)) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ]
    const theirs = createCipheriv('aes-128-ccm' as CipherCCMTypes, key, iv, {
      authTagLength: tagLength,
    })
    theirs.setAAD(aad, { plaintextLength: length })
    const expected = theirs.update(plain)
    theirs.final()
    const ours = cipherStream({
      name: 'AES-128-CCM',
      direction: 'encrypt',
      key,
      iv,
      options: { taglen: tagLength },
    })
    ours.length(length)
    ours.aad(aad)
    assert.deepEqual(Buffer.from(ours.update(plain)), expected)
    ours.final()
    const tag = ours.tag(tagLength)
    assert.deepEqual(Buffer.from(tag), theirs.getAuthTag())

    const back = (expectedTag: Uint8Array) => {
      const options = { tag: expectedTag }
      const stream = cipherStream({ name: 'AES-128-CCM', direction: 'decrypt', key, iv, options })
      stream.length(length)
      stream.aad(aad)
      return stream.update(expected)
    }
    assert.deepEqual(Buffer.from(back(tag)), plain)
    assert.throws(
      () => back(tag.map((byte) => byte ^ 255)),
      (error) => isNativeError(error, 'OPENSSL_DECRYPT'),
    )
  }
})

test('a copy goes on from where the cipher was', () => {
  const [key, iv] = [randomBytes(16), randomBytes(8)]
  const one = cipherStream({ name: 'IDEA-CBC', direction: 'encrypt', key, iv })
  const start = one.update(new Uint8Array(13))
  const other = one.copy()
  const end = one.final()
  assert.deepEqual(other.final(), end)
  const whole = run('encrypt', { name: 'IDEA-CBC', key, iv }, new Uint8Array(13))
  assert.deepEqual(new Uint8Array(Buffer.concat([start, end])), whole)
})

test('what is old is had here only, not from node:crypto', () => {
  run('encrypt', { name: 'RC2-ECB', key: new Uint8Array(16) }, new Uint8Array(8))
  assert.ok(native().has('cipher', 'DES-CBC'))
  assert.throws(() => createDecipheriv('des-cbc', new Uint8Array(8), new Uint8Array(8)))
})

test('lengths that a cipher does not take are refused before OpenSSL reads that far', () => {
  const refused: readonly (readonly [string, number, number | null])[] = [
    ['AES-128-CBC', 15, 16],
    ['AES-128-CBC', 17, 16],
    ['AES-128-CBC', 16, 15],
    ['AES-128-CBC', 16, 0],
    ['AES-128-CBC', 16, null],
    ['AES-128-ECB', 16, 16],
    ['AES-128-GCM', 16, null],
    ['AES-128-GCM', 32, 12],
    ['AES-128-XTS', 16, 16],
    ['AES-128-WRAP', 16, 4],
    ['AES-128-CCM', 16, 16],
    ['DES-EDE3-CBC', 16, 8],
    ['ChaCha20', 32, 12],
    ['ChaCha20-Poly1305', 16, 12],
    ['BF-CBC', 0, 8],
    ['RC4', 0, null],
    ['NULL', 0, null],
  ]
  for (const [name, key, iv] of refused)
    assert.throws(
      () =>
        cipherStream({
          name,
          direction: 'encrypt',
          key: randomBytes(key),
          iv: iv === null ? null : randomBytes(iv),
        }),
      (error) => isNativeError(error, 'OPENSSL_ARGUMENT') || isNativeError(error, 'OPENSSL_OPTION'),
      `${name} ${key} ${iv}`,
    )
})
