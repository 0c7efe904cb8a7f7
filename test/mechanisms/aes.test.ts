import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gcmDecrypting } from '../../src/mechanisms/aes-ciphers.ts'
import { CKM, CKR } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { begin, type Given, gcm, gcmAad, iv16, key128, none, run } from './aes-calls.ts'
import { hex, toHex, withReturnValue } from './rows.ts'
import { everyCase, type WycheproofCase } from './wycheproof.ts'

// SP 800-38A, appendix F: the plaintext and the 128-bit key of all its examples.
const fourBlocks = hex(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
    '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
)

interface KnownAnswer {
  readonly name: string
  readonly type: number
  readonly key: Uint8Array
  readonly parameter: Given
  readonly plain: Uint8Array
  readonly encrypted: string
}

const fips197 = (key: string, encrypted: string): KnownAnswer => ({
  name: `FIPS 197, appendix C, ${key.length * 4} bits`,
  type: CKM.AES_ECB,
  key: hex(key),
  parameter: null,
  plain: hex('00112233445566778899aabbccddeeff'),
  encrypted,
})

const gcmKey = hex('feffe9928665731c6d6a8f9467308308')
const gcmPlain = hex(
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
    '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
)

const wrapKey192 = hex('5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8')

const knownAnswers: readonly KnownAnswer[] = [
  fips197('000102030405060708090a0b0c0d0e0f', '69c4e0d86a7b0430d8cdb78070b4c55a'),
  fips197('000102030405060708090a0b0c0d0e0f1011121314151617', 'dda97ca4864cdfe06eaf70a0ec0d7191'),
  fips197(
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    '8ea2b7ca516745bfeafc49904b496089',
  ),
  {
    name: 'SP 800-38A, F.2.1, CBC',
    type: CKM.AES_CBC,
    key: key128,
    parameter: iv16,
    plain: fourBlocks,
    encrypted:
      '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2' +
      '73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7',
  },
  {
    name: 'SP 800-38A, F.5.1, CTR',
    type: CKM.AES_CTR,
    key: key128,
    parameter: { counterBits: 128, cb: hex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff') },
    plain: fourBlocks,
    encrypted:
      '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff' +
      '5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee',
  },
  {
    name: 'GCM (McGrew and Viega), test case 4',
    type: CKM.AES_GCM,
    key: gcmKey,
    parameter: gcm(hex('cafebabefacedbaddecaf888'), gcmAad),
    plain: gcmPlain,
    encrypted:
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e' +
      '21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091' +
      '5bc94fbc3221a5db94fae95ae7121a47',
  },
  {
    name: 'GCM (McGrew and Viega), test case 6, an IV of 60 bytes',
    type: CKM.AES_GCM,
    key: gcmKey,
    parameter: gcm(
      hex(
        '9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728' +
          'c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b',
      ),
      gcmAad,
    ),
    plain: gcmPlain,
    encrypted:
      '8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca7' +
      '01e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5' +
      '619cc5aefffe0bfa462af43c1699d050',
  },
  {
    name: 'RFC 3394, 4.1',
    type: CKM.AES_KEY_WRAP,
    key: iv16,
    parameter: null,
    plain: hex('00112233445566778899aabbccddeeff'),
    encrypted: '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5',
  },
  {
    name: 'RFC 5649, 6, twenty bytes',
    type: CKM.AES_KEY_WRAP_KWP,
    key: wrapKey192,
    parameter: null,
    plain: hex('c37b7e6492584340bed12207808941155068f738'),
    encrypted: '138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a',
  },
  {
    name: 'RFC 5649, 6, seven bytes',
    type: CKM.AES_KEY_WRAP_KWP,
    key: wrapKey192,
    parameter: null,
    plain: hex('466f7250617369'),
    encrypted: 'afbeb0f07dfbf5419200f2ccb50bb24f',
  },
]

for (const { name, type, key, parameter, plain, encrypted } of knownAnswers)
  test(`${name}: encrypts and decrypts as published, whole and in parts`, async () => {
    for (const size of [undefined, 1, 7, 16, 33]) {
      assert.equal(toHex(await run('encrypt', type, key, parameter, plain, size)), encrypted)
      assert.deepEqual(
        Uint8Array.from(await run('decrypt', type, key, parameter, hex(encrypted), size)),
        plain,
      )
    }
  })

test('CBC_PAD gives back data of every length, whole and in parts', async () => {
  for (let length = 0; length <= 49; length++) {
    const plain = randomBytes(length)
    const encrypted = await run('encrypt', CKM.AES_CBC_PAD, key128, iv16, plain, 5)
    assert.equal(encrypted.length, length - (length % 16) + 16)
    for (const size of [undefined, 1, 15, 16, 17])
      assert.deepEqual(
        Buffer.from(await run('decrypt', CKM.AES_CBC_PAD, key128, iv16, encrypted, size)),
        plain,
      )
  }
})

test('data that are not whole blocks are refused by their length', async () => {
  for (const [type, parameter] of [
    [CKM.AES_ECB, null],
    [CKM.AES_CBC, iv16],
  ] as const) {
    await assert.rejects(
      run('encrypt', type, key128, parameter, randomBytes(17)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
    await assert.rejects(
      run('decrypt', type, key128, parameter, randomBytes(31)),
      withReturnValue(CKR.ENCRYPTED_DATA_LEN_RANGE),
    )
  }
  for (const length of [0, 1, 15, 17, 31])
    await assert.rejects(
      run('decrypt', CKM.AES_CBC_PAD, key128, iv16, randomBytes(length)),
      withReturnValue(CKR.ENCRYPTED_DATA_LEN_RANGE),
    )
})

test('wrong padding answers CKR_ENCRYPTED_DATA_INVALID', async () => {
  const encrypted = await run('encrypt', CKM.AES_CBC, key128, iv16, new Uint8Array(32))
  await assert.rejects(
    run('decrypt', CKM.AES_CBC_PAD, key128, iv16, encrypted),
    withReturnValue(CKR.ENCRYPTED_DATA_INVALID),
  )
})

test('an IV of another length than the block is refused', async () => {
  for (const type of [CKM.AES_CBC, CKM.AES_CBC_PAD])
    for (const parameter of [null, none, randomBytes(15), randomBytes(17)])
      await assert.rejects(
        begin('encrypt', type, key128, parameter),
        withReturnValue(CKR.MECHANISM_PARAM_INVALID),
      )
})

test('CTR counts in its counter bits only, and stops where they are used up', async () => {
  // The example of 6.11.3: two bits that start as 1 serve three blocks.
  const two = { counterBits: 2, cb: hex('000000000000000000000000000000fd') }
  const cipher = await begin('encrypt', CKM.AES_CTR, key128, two)
  const first = await cipher.update(new Uint8Array(40))
  assert.equal(first.length, 40)
  assert.equal((await cipher.update(new Uint8Array(8))).length, 8)
  assert.throws(() => cipher.update(new Uint8Array(1)), withReturnValue(CKR.DATA_LEN_RANGE))

  for (const use of ['encrypt', 'decrypt'] as const)
    await assert.rejects(
      run(use, CKM.AES_CTR, key128, two, new Uint8Array(49)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
  const all = { counterBits: 128, cb: hex('ffffffffffffffffffffffffffffffff') }
  assert.equal((await run('encrypt', CKM.AES_CTR, key128, all, new Uint8Array(16))).length, 16)
  await assert.rejects(
    run('encrypt', CKM.AES_CTR, key128, all, new Uint8Array(17)),
    withReturnValue(CKR.DATA_LEN_RANGE),
  )
})

test('the blocks of CTR are those of the counter block, for every width of the counter', async () => {
  for (const counterBits of [1, 3, 8, 9, 32, 64, 127, 128]) {
    const cb = hex('a5a5a5a5a5a5a5a5a5a5a5a5a5a5a500')
    const blocks = Math.min(2 ** Math.min(counterBits, 8), 20)
    const out = await run(
      'encrypt',
      CKM.AES_CTR,
      key128,
      { counterBits, cb },
      new Uint8Array(blocks * 16),
    )
    const counters = Buffer.concat(
      Array.from({ length: blocks }, (_, at) => [...cb.subarray(0, 15), at]).map((block) =>
        Uint8Array.from(block),
      ),
    )
    assert.equal(toHex(out), toHex(await run('encrypt', CKM.AES_ECB, key128, null, counters)))
  }
})

test('a counter of 0 or more than 128 bits is refused', async () => {
  for (const counterBits of [0, 129, 2 ** 64])
    await assert.rejects(
      begin('encrypt', CKM.AES_CTR, key128, { counterBits, cb: iv16 }),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
})

test('GCM gives no plaintext before the tag is verified, and none where it is wrong', async () => {
  const parameter = gcm(randomBytes(12), none)
  const plain = randomBytes(100)
  const encrypted = await run('encrypt', CKM.AES_GCM, key128, parameter, plain)
  const cipher = await begin('decrypt', CKM.AES_GCM, key128, parameter)
  assert.equal((await cipher.update(encrypted)).length, 0)
  assert.deepEqual(cipher.outputLength(0, true), { bytes: 100, exact: true })
  assert.deepEqual(Buffer.from(await cipher.final(new Surrender())), plain)

  for (const at of [0, 50, 99, 100, 115]) {
    const other = Uint8Array.from(encrypted)
    other[at] = (other[at] ?? 0) ^ 0x10
    await assert.rejects(
      run('decrypt', CKM.AES_GCM, key128, parameter, other, 9),
      withReturnValue(CKR.ENCRYPTED_DATA_INVALID),
    )
  }
  await assert.rejects(
    run('decrypt', CKM.AES_GCM, key128, parameter, encrypted.subarray(0, 15)),
    withReturnValue(CKR.ENCRYPTED_DATA_LEN_RANGE),
  )
})

test('GCM takes the tag lengths of SP 800-38D and no other', async () => {
  const iv = randomBytes(12)
  const plain = randomBytes(33)
  for (let tagBits = 0; tagBits <= 136; tagBits++) {
    const parameter = gcm(iv, none, tagBits)
    const encryption = run('encrypt', CKM.AES_GCM, key128, parameter, plain)
    if ([32, 64, 96, 104, 112, 120, 128].includes(tagBits)) {
      const encrypted = await encryption
      assert.equal(encrypted.length, 33 + tagBits / 8)
      const back = await run('decrypt', CKM.AES_GCM, key128, parameter, encrypted, 4)
      assert.deepEqual(Buffer.from(back), plain)
    } else await assert.rejects(encryption, withReturnValue(CKR.MECHANISM_PARAM_INVALID))
  }
})

test('GCM needs an IV and goes by its length in bytes, not in bits', async () => {
  await assert.rejects(
    begin('encrypt', CKM.AES_GCM, key128, gcm(none, none)),
    withReturnValue(CKR.MECHANISM_PARAM_INVALID),
  )
  const iv = randomBytes(12)
  const one = await run('encrypt', CKM.AES_GCM, key128, gcm(iv, none), fourBlocks)
  const other = { ...gcm(iv, none), ivBits: 0 }
  assert.equal(toHex(await run('encrypt', CKM.AES_GCM, key128, other, fourBlocks)), toHex(one))
})

test('a GCM decryption withholds no more than its bound', async () => {
  const what = { iv: randomBytes(12), aad: none, tagLength: 16 }
  const cipher = gcmDecrypting(key128, what, { most: 1000 })
  cipher.update(new Uint8Array(1016))
  assert.throws(
    () => cipher.update(new Uint8Array(1)),
    withReturnValue(CKR.ENCRYPTED_DATA_LEN_RANGE),
  )
})

test('a cancelled GCM decryption answers no plaintext', async () => {
  const parameter = gcm(randomBytes(12), none)
  const encrypted = await run('encrypt', CKM.AES_GCM, key128, parameter, randomBytes(3 << 20))
  const cipher = await begin('decrypt', CKM.AES_GCM, key128, parameter)
  for (let at = 0; at < encrypted.length; at += 1 << 20)
    await cipher.update(encrypted.subarray(at, at + (1 << 20)))
  const cancelling = new Surrender({ interval: 0, notify: () => CKR.CANCEL })
  await assert.rejects(async () => cipher.final(cancelling), withReturnValue(CKR.FUNCTION_CANCELED))
})

interface CipherCase extends WycheproofCase {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

test('Wycheproof: AES-CBC with PKCS #7 padding', (t) =>
  everyCase<object, CipherCase>(t, 'aes_cbc_pkcs5', async (one) => {
    const [key, iv, encrypted] = [hex(one.key), hex(one.iv), hex(one.ct)]
    const decryption = run('decrypt', CKM.AES_CBC_PAD, key, iv, encrypted)
    if (one.result === 'invalid') {
      const rv = encrypted.length === 0 ? CKR.ENCRYPTED_DATA_LEN_RANGE : CKR.ENCRYPTED_DATA_INVALID
      return assert.rejects(decryption, withReturnValue(rv), `case ${one.tcId}`)
    }
    assert.equal(toHex(await decryption), one.msg, `case ${one.tcId}`)
    const encryption = await run('encrypt', CKM.AES_CBC_PAD, key, iv, hex(one.msg))
    assert.equal(toHex(encryption), one.ct, `case ${one.tcId}`)
  }))

test('Wycheproof: AES-GCM', (t) =>
  everyCase<{ tagSize: number }, CipherCase>(t, 'aes_gcm', async (one, { tagSize }) => {
    const parameter = gcm(hex(one.iv), hex(one.aad), tagSize)
    const key = hex(one.key)
    const encrypted = one.ct + one.tag
    const decryption = run('decrypt', CKM.AES_GCM, key, parameter, hex(encrypted))
    if (one.result === 'invalid') {
      const rv = one.iv === '' ? CKR.MECHANISM_PARAM_INVALID : CKR.ENCRYPTED_DATA_INVALID
      return assert.rejects(decryption, withReturnValue(rv), `case ${one.tcId}`)
    }
    assert.equal(toHex(await decryption), one.msg, `case ${one.tcId}`)
    const encryption = await run('encrypt', CKM.AES_GCM, key, parameter, hex(one.msg))
    assert.equal(toHex(encryption), encrypted, `case ${one.tcId}`)
  }))

/** Data of these cases have a length that KW does not wrap; 'acceptable' are those of one semiblock. */
const UNWRAPPABLE = ['EmptyKey', 'ShortKey', 'WrongDataSize']

const keyWrapCase = (type: number) => async (one: CipherCase) => {
  const encrypt = () => run('encrypt', type, hex(one.key), null, hex(one.msg))
  const decrypt = () => run('decrypt', type, hex(one.key), null, hex(one.ct))
  const name = `case ${one.tcId}`
  if (one.flags.some((flag) => UNWRAPPABLE.includes(flag)))
    await assert.rejects(encrypt, withReturnValue(CKR.DATA_LEN_RANGE), name)
  if (one.result !== 'valid') {
    const refused = withReturnValue(CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE)
    return assert.rejects(decrypt, refused, name)
  }
  assert.equal(toHex(await encrypt()), one.ct, name)
  assert.equal(toHex(await decrypt()), one.msg, name)
}

test('Wycheproof: AES key wrap', (t) =>
  everyCase<object, CipherCase>(t, 'aes_wrap', keyWrapCase(CKM.AES_KEY_WRAP)))

test('Wycheproof: AES key wrap with padding', (t) =>
  everyCase<object, CipherCase>(t, 'aes_kwp', keyWrapCase(CKM.AES_KEY_WRAP_KWP)))
