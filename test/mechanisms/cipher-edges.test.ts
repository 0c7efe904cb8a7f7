/** What ciphers and their MACs refuse, and with which return value, through the C_ functions. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Mechanism } from '../../src/mechanisms/mechanism.ts'
import { families } from '../../src/mechanisms/table.ts'
import { CKA, CKD, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, bytes, data, openToken, template } from '../in-process.ts'
import { CipherToken, type Given, type What } from './cipher-calls.ts'
import { hex, maker, secretKey, through, toHex, ulong } from './rows.ts'

const FAMILIES = [
  'aes',
  'aes-xts',
  'des',
  'camellia',
  'aria',
  'seed',
  'chacha20',
  'historical-ciphers',
]

const rows: readonly Mechanism[] = FAMILIES.flatMap((family) => families[family] ?? [])
const ciphers = rows.filter(({ encrypt }) => encrypt)
const macs = rows.filter(({ sign }) => sign)

/** Bytes of a block of the cipher that a row names. */
const blockOf = ({ name }: Pick<Mechanism, 'name'>): number =>
  /^(DES|RC2|CAST|IDEA|BLOWFISH)/.test(name) ? 8 : 16

const KEY_LENGTHS: Readonly<Record<number, number>> = {
  [CKK.DES]: 8,
  [CKK.DES3]: 24,
  [CKK.CHACHA20]: 32,
  [CKK.AES_XTS]: 32,
}

/** 1, 2, 4, 7, 8 ...: all differ and have an odd number of ones, as DES wants. */
const keyOf = (keyType: number): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => byte)
    .filter((byte) => byte.toString(2).replaceAll('0', '').length % 2 === 1)
    .subarray(0, KEY_LENGTHS[keyType] ?? 16)

const structures: Readonly<Record<string, (dataLen: number) => Given>> = {
  CK_AES_CTR_PARAMS: () => ({ counterBits: 64, cb: new Uint8Array(16) }),
  CK_CAMELLIA_CTR_PARAMS: () => ({ counterBits: 64, cb: new Uint8Array(16) }),
  CK_GCM_PARAMS: () => ({ iv: new Uint8Array(12), ivBits: 96, aad: hex(''), tagBits: 128 }),
  CK_CCM_PARAMS: (dataLen) => ({ dataLen, nonce: new Uint8Array(12), aad: hex(''), macLen: 8 }),
  CK_CHACHA20_PARAMS: () => ({
    blockCounter: new Uint8Array(4),
    blockCounterBits: 32,
    nonce: new Uint8Array(12),
    nonceBits: 96,
  }),
  CK_SALSA20_CHACHA20_POLY1305_PARAMS: () => ({
    nonce: new Uint8Array(24),
    nonceLen: 192,
    aad: hex('01'),
  }),
  CK_RC2_CBC_PARAMS: () => ({ effectiveBits: 1024, iv: new Uint8Array(8) }),
  CK_RC2_MAC_GENERAL_PARAMS: () => ({ effectiveBits: 40, macLength: 3 }),
}

/** A parameter that fits a row, for so many bytes of data. */
function fitting(row: Mechanism, dataLength = 0): Given {
  const { name, parameter, parameterOptional } = row
  if (parameter === undefined || parameterOptional) return null
  if (parameter !== 'bytes') return structures[parameter]?.(dataLength) ?? null
  if (name.endsWith('MAC_GENERAL')) return ulong(3)
  return name.startsWith('RC2') ? ulong(64) : new Uint8Array(blockOf(row))
}

const whatOf = (row: Mechanism, parameter: Given): What => {
  const keyType = row.keyTypes[0] as number
  return { type: row.type, keyType, key: keyOf(keyType), parameter }
}

/** Whether a mechanism takes so many bytes to encrypt. */
function takes({ name }: Mechanism, length: number): boolean {
  if (/_(ECB|CBC)$/.test(name)) return length % blockOf({ name }) === 0
  if (/_(CTS|XTS)$/.test(name)) return length >= 16
  if (name === 'AES_KEY_WRAP') return length >= 16 && length % 8 === 0
  if (name === 'AES_KEY_WRAP_KWP') return length >= 1
  return /_WRAP_/.test(name) ? length >= 8 : true
}

const LENGTHS = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128]

test('every cipher gives back data of the lengths that it takes, and refuses the others', async (t) => {
  const token = await CipherToken.open(t)
  for (const row of ciphers)
    for (const length of LENGTHS) {
      const what = whatOf(row, fitting(row, length))
      const plain = randomBytes(length)
      const name = `${row.name}, ${length} bytes`
      for (const size of [undefined, 1, 9, 16]) {
        if (!takes(row, length)) {
          await assert.rejects(token.encrypt(what, plain, size), answers('DATA_LEN_RANGE'), name)
          continue
        }
        const encrypted = await token.encrypt(what, plain, size)
        assert.equal(toHex(await token.decrypt(what, encrypted, size)), toHex(plain), name)
      }
    }
})

/** Ciphers whose output has a length that tells when a byte is missing; the others are one byte of plaintext short. */
const truncation = ({ name }: Mechanism) => {
  if (/_(ECB|CBC|CBC_PAD)$|_WRAP|_CCM$/.test(name)) return 'ENCRYPTED_DATA_LEN_RANGE'
  return /_(GCM|POLY1305)$/.test(name) ? 'ENCRYPTED_DATA_INVALID' : undefined
}

test('a ciphertext that lost its last byte is refused where that can be told', async (t) => {
  const token = await CipherToken.open(t)
  for (const row of ciphers) {
    const what = whatOf(row, fitting(row, 64))
    const encrypted = await token.encrypt(what, randomBytes(64))
    const short = encrypted.subarray(0, encrypted.length - 1)
    const rv = truncation(row)
    if (rv !== undefined) await assert.rejects(token.decrypt(what, short), answers(rv), row.name)
    else assert.equal((await token.decrypt(what, short)).length, 63, row.name)
  }
})

test('a key of another type is refused', async (t) => {
  const token = await CipherToken.open(t)
  for (const row of [...ciphers, ...macs]) {
    const what = { ...whatOf(row, fitting(row)), keyType: CKK.GENERIC_SECRET }
    const begin = row.encrypt ? token.encrypt(what, hex('')) : token.sign(what, hex(''))
    await assert.rejects(begin, answers('KEY_TYPE_INCONSISTENT'), row.name)
  }
})

test('a parameter that is missing, too much or of another length is refused', async (t) => {
  const token = await CipherToken.open(t)
  for (const row of [...ciphers, ...macs]) {
    const wrong: Given[] = [new Uint8Array(3), new Uint8Array(33)]
    if (row.parameter !== undefined && !row.parameterOptional) wrong.push(null, hex(''))
    for (const parameter of wrong) {
      const what = whatOf(row, parameter)
      const begin = row.encrypt ? token.encrypt(what, hex('')) : token.sign(what, hex(''))
      await assert.rejects(begin, answers('MECHANISM_PARAM_INVALID'), row.name)
    }
  }
})

const AES = { keyType: CKK.AES, key: keyOf(CKK.AES) }
const CHACHA = { keyType: CKK.CHACHA20, key: keyOf(CKK.CHACHA20) }
const ccm = { dataLen: 5, nonce: new Uint8Array(13), aad: hex(''), macLen: 8 }
const gmac = { iv: new Uint8Array(12), ivBits: 96, aad: hex(''), tagBits: 128 }
const stream = {
  blockCounter: new Uint8Array(4),
  blockCounterBits: 32,
  nonce: new Uint8Array(12),
  nonceBits: 96,
}

test('values of parameters that make no sense are refused', async (t) => {
  const token = await CipherToken.open(t)
  const refused: readonly What[] = [
    { ...AES, type: CKM.AES_CCM, parameter: { ...ccm, nonce: new Uint8Array(6) } },
    { ...AES, type: CKM.AES_CCM, parameter: { ...ccm, nonce: new Uint8Array(14) } },
    { ...AES, type: CKM.AES_CCM, parameter: { ...ccm, macLen: 5 } },
    { ...AES, type: CKM.AES_CCM, parameter: { ...ccm, macLen: 2 } },
    // Two bytes are left for the length.
    { ...AES, type: CKM.AES_CCM, parameter: { ...ccm, dataLen: 65536 } },
    { ...CHACHA, type: CKM.CHACHA20, parameter: { ...stream, blockCounter: null } },
    {
      ...CHACHA,
      type: CKM.CHACHA20,
      parameter: { ...stream, blockCounter: new Uint8Array(8), blockCounterBits: 64 },
    },
    {
      ...CHACHA,
      type: CKM.CHACHA20_POLY1305,
      parameter: { nonce: new Uint8Array(8), nonceLen: 64, aad: hex('') },
    },
    { keyType: CKK.RC2, key: hex('01'), type: CKM.RC2_ECB, parameter: ulong(0) },
    { keyType: CKK.RC2, key: hex('01'), type: CKM.RC2_ECB, parameter: ulong(1025) },
  ]
  for (const what of refused)
    await assert.rejects(token.encrypt(what, hex('')), answers('MECHANISM_PARAM_INVALID'))
  const macsRefused: readonly What[] = [
    { ...AES, type: CKM.AES_MAC_GENERAL, parameter: ulong(0) },
    { ...AES, type: CKM.AES_MAC_GENERAL, parameter: ulong(17) },
    { ...AES, type: CKM.AES_CMAC_GENERAL, parameter: ulong(17) },
    { ...AES, type: CKM.AES_GMAC, parameter: { ...gmac, aad: hex('00') } },
    { ...AES, type: CKM.AES_GMAC, parameter: { ...gmac, tagBits: 40 } },
    { ...AES, type: CKM.AES_GMAC, parameter: { ...gmac, iv: hex('') } },
    {
      keyType: CKK.RC2,
      key: hex('01'),
      type: CKM.RC2_MAC_GENERAL,
      parameter: { effectiveBits: 64, macLength: 9 },
    },
  ]
  for (const what of macsRefused)
    await assert.rejects(token.sign(what, hex('')), answers('MECHANISM_PARAM_INVALID'))
})

test('AES keys that are not 128 bits long make no XCBC-MAC', async (t) => {
  const token = await CipherToken.open(t)
  for (const type of [CKM.AES_XCBC_MAC, CKM.AES_XCBC_MAC_96])
    await assert.rejects(
      token.sign({ keyType: CKK.AES, key: new Uint8Array(32), type }, hex('')),
      answers('KEY_SIZE_RANGE'),
    )
})

test('CCM takes as many bytes as it was told, and gives no plaintext before the tag is verified', async (t) => {
  const token = await CipherToken.open(t)
  const what = { ...AES, type: CKM.AES_CCM, parameter: { ...ccm, dataLen: 20 } }
  for (const length of [0, 19, 21])
    await assert.rejects(token.encrypt(what, randomBytes(length)), answers('DATA_LEN_RANGE'))
  const encrypted = await token.encrypt(what, new Uint8Array(20))
  assert.equal(encrypted.length, 28)
  for (const length of [7, 27, 29])
    await assert.rejects(
      token.decrypt(what, Buffer.alloc(length)),
      answers('ENCRYPTED_DATA_LEN_RANGE'),
    )
  const { call, session } = token.token
  const handle = await token.key(AES.keyType, AES.key)
  await call('C_DecryptInit', [session, { type: what.type, parameter: what.parameter }, handle])
  assert.equal(bytes(await call('C_DecryptUpdate', [session, data(encrypted), 100])).length, 0)
  assert.equal(bytes(await call('C_DecryptFinal', [session, 100])).length, 20)
  for (const at of [0, 19, 20, 27]) {
    const other = encrypted.map((byte, i) => (i === at ? byte ^ 1 : byte))
    await assert.rejects(token.decrypt(what, other, 3), answers('ENCRYPTED_DATA_INVALID'))
  }
})

test('ChaCha20 stops where its counter of 32 bits is used up, and counts on with 64', async (t) => {
  const token = await CipherToken.open(t)
  const last = { ...stream, blockCounter: hex('ffffffff') }
  const what = { ...CHACHA, type: CKM.CHACHA20, parameter: last }
  assert.equal((await token.encrypt(what, new Uint8Array(64))).length, 64)
  await assert.rejects(token.encrypt(what, new Uint8Array(65)), answers('DATA_LEN_RANGE'))
  const from = (counter: string) => ({
    ...CHACHA,
    type: CKM.CHACHA20,
    parameter: {
      blockCounter: hex(counter),
      blockCounterBits: 64,
      nonce: new Uint8Array(24),
      nonceBits: 192,
    },
  })
  const both = await token.encrypt(from('ffffffff00000000'), new Uint8Array(128))
  const second = await token.encrypt(from('0000000001000000'), new Uint8Array(64))
  assert.equal(toHex(both.subarray(64)), toHex(second))
  await assert.rejects(
    token.encrypt(from('ffffffffffffffff'), new Uint8Array(65)),
    answers('DATA_LEN_RANGE'),
  )
})

test('a MAC that is saved midway goes on from there', async (t) => {
  const token = await CipherToken.open(t)
  const { call, session } = token.token
  for (const row of macs) {
    const what = whatOf(row, fitting(row))
    const [first, second] = [randomBytes(21), randomBytes(30)]
    const whole = await token.sign(what, Buffer.concat([first, second]))
    const handle = await token.key(what.keyType, what.key)
    await call('C_SignInit', [
      session,
      { type: what.type, parameter: what.parameter ?? null },
      handle,
    ])
    await call('C_SignUpdate', [session, data(first)])
    const state = bytes(await call('C_GetOperationState', [session, 1000]))
    await call('C_SignUpdate', [session, data(randomBytes(7))])
    await call('C_SignFinal', [session, 100])
    await call('C_SetOperationState', [session, state, 0, handle])
    await call('C_SignUpdate', [session, data(second)])
    assert.equal(toHex(bytes(await call('C_SignFinal', [session, 100]))), toHex(whole), row.name)
  }
})

test('wrapped keys that lost a byte or their wrapping key are refused', async (t) => {
  const token = await CipherToken.open(t)
  const { call, session } = token.token
  const secret = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GENERIC_SECRET, EXTRACTABLE: true }
  const key = await token.key(CKK.GENERIC_SECRET, randomBytes(32))
  for (const row of ciphers.filter(({ wrap }) => wrap)) {
    const { type, keyType, key: value, parameter = null } = whatOf(row, fitting(row))
    const wrapping = await token.key(keyType, value)
    const mechanism = { type, parameter }
    const wrapped = bytes(await call('C_WrapKey', [session, mechanism, wrapping, key, 1000]))
    const unwrap = (input: Uint8Array, with_ = wrapping) =>
      call('C_UnwrapKey', [session, mechanism, with_, input, template(secret)])
    await unwrap(wrapped)
    await assert.rejects(
      unwrap(wrapped, key),
      answers('UNWRAPPING_KEY_TYPE_INCONSISTENT'),
      row.name,
    )
    await assert.rejects(unwrap(hex('')), (error) => {
      const refused = ['WRAPPED_KEY_LEN_RANGE', 'WRAPPED_KEY_INVALID'] as const
      return refused.some((rv) => String(error).includes(rv))
    })
    const rv = truncation(row)
    if (rv === undefined) continue
    // Where a key is unwrapped, CCM is told no length but its own.
    const isLength = rv === 'ENCRYPTED_DATA_LEN_RANGE' && row.name !== 'AES_CCM'
    await assert.rejects(
      unwrap(wrapped.subarray(1)),
      answers(isLength ? 'WRAPPED_KEY_LEN_RANGE' : 'WRAPPED_KEY_INVALID'),
      row.name,
    )
  }
})

/** The bytes of an attribute; undefined where the object has none of that type. */
async function attribute(
  { token: { call, session } }: CipherToken,
  key: number,
  type: number,
): Promise<Uint8Array | undefined> {
  const got = await call('C_GetAttributeValue', [session, key, [{ type, room: 1000 }]])
  const value = got.answers[0]?.value
  return value instanceof Uint8Array ? value : undefined
}

const odd = (value: Uint8Array | undefined) =>
  value?.every((byte) => byte.toString(2).replaceAll('0', '').length % 2 === 1)

test('DES keys have parity however they come, and no CKA_VALUE_LEN', async (t) => {
  const token = await CipherToken.open(t)
  const { call, session } = token.token
  const wrapping = await token.key(AES.keyType, AES.key)
  const open = { EXTRACTABLE: true, SENSITIVE: false }
  for (const [keyType, generation, length] of [
    [CKK.DES, CKM.DES_KEY_GEN, 8],
    [CKK.DES2, CKM.DES2_KEY_GEN, 16],
    [CKK.DES3, CKM.DES3_KEY_GEN, 24],
  ] as const) {
    const made = await call('C_GenerateKey', [
      session,
      { type: generation, parameter: null },
      template(open),
    ])
    const value = await attribute(token, made, CKA.VALUE)
    assert.equal(value?.length, length)
    assert.ok(odd(value))
    assert.equal(await attribute(token, made, CKA.VALUE_LEN).catch(() => undefined), undefined)

    const described = { ...open, CLASS: CKO.SECRET_KEY, KEY_TYPE: keyType }
    const even = new Uint8Array(length)
    const create = (VALUE: Uint8Array) =>
      call('C_CreateObject', [session, template({ ...described, VALUE })])
    await assert.rejects(create(even), answers('ATTRIBUTE_VALUE_INVALID'))
    await assert.rejects(
      create(new Uint8Array(length + 1).fill(1)),
      answers('ATTRIBUTE_VALUE_INVALID'),
    )

    const mechanism = { type: CKM.AES_KEY_WRAP_KWP, parameter: null }
    const unwrap = async (plain: Uint8Array) => {
      const wrapped = await token.encrypt({ ...AES, type: mechanism.type }, plain)
      return call('C_UnwrapKey', [session, mechanism, wrapping, wrapped, template(described)])
    }
    await assert.rejects(unwrap(even), answers('WRAPPED_KEY_INVALID'))
    await assert.rejects(
      unwrap(new Uint8Array(length - 1).fill(1)),
      answers('WRAPPED_KEY_LEN_RANGE'),
    )
    await unwrap(new Uint8Array(length).fill(1))

    const derived = await call('C_DeriveKey', [
      session,
      { type: CKM.AES_ECB_ENCRYPT_DATA, parameter: { data: new Uint8Array(32) } },
      wrapping,
      template({ ...open, KEY_TYPE: keyType }),
    ])
    assert.ok(odd(await attribute(token, derived, CKA.VALUE)))
  }
})

test('a DES key that two sides agree on has as many bytes as it needs, and parity', async (t) => {
  const token = await CipherToken.open(t)
  const { call, session } = token.token
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.EC_KEY_PAIR_GEN, parameter: null },
    template({ EC_PARAMS: hex('06082a8648ce3d030107') }),
    template({ DERIVE: true }),
  ])
  const point = await attribute(token, publicKey, CKA.EC_POINT)
  const parameter = { kdf: CKD.NULL, sharedData: hex(''), publicData: point as Uint8Array }
  const derived = await call('C_DeriveKey', [
    session,
    { type: CKM.ECDH1_DERIVE, parameter },
    privateKey,
    template({ KEY_TYPE: CKK.DES3, SENSITIVE: false, EXTRACTABLE: true }),
  ])
  const value = await attribute(token, derived, CKA.VALUE)
  assert.equal(value?.length, 24)
  assert.ok(odd(value))
})

test('XTS keys have halves that differ', async (t) => {
  const token = await CipherToken.open(t)
  for (const length of [32, 64])
    await assert.rejects(
      token.key(CKK.AES_XTS, new Uint8Array(length)),
      answers('ATTRIBUTE_VALUE_INVALID'),
    )
  await assert.rejects(token.key(CKK.AES_XTS, randomBytes(48)), answers('ATTRIBUTE_VALUE_INVALID'))
})

test('a data unit of XTS has at most 16 MiB', async (t) => {
  const token = await CipherToken.open(t)
  const key = { keyType: CKK.AES_XTS, key: keyOf(CKK.AES_XTS) }
  const what = { ...key, type: CKM.AES_XTS, parameter: new Uint8Array(16) }
  const tooLong = Buffer.alloc((16 << 20) + 1)
  await assert.rejects(token.encrypt(what, tooLong, 1 << 20), answers('DATA_LEN_RANGE'))
  await assert.rejects(token.decrypt(what, tooLong, 1 << 20), answers('ENCRYPTED_DATA_LEN_RANGE'))
})

test('as many bytes come out as were foretold, whole and in parts', async () => {
  for (const row of ciphers)
    for (const length of LENGTHS.filter((bytes) => takes(row, bytes))) {
      const { keyType, key, type, parameter = null } = whatOf(row, fitting(row, length))
      const what = { key: secretKey(keyType, key), mechanism: { type, parameter } }
      for (const size of [undefined, 1, 9, 16, 40]) {
        const encrypted = await through(
          await maker(rows, type, 'encrypt')(what),
          randomBytes(length),
          size,
        )
        await through(await maker(rows, type, 'decrypt')(what), encrypted, size)
      }
    }
})

test('the keys that ECB and CBC of data make are the start of the ciphertext', async (t) => {
  const token = await CipherToken.open(t)
  const { call, session } = token.token
  for (const row of rows.filter(({ derive }) => derive)) {
    const block = blockOf(row)
    const keyType = row.keyTypes[0] as number
    const base = await token.key(keyType, keyOf(keyType))
    const isCbc = row.name.includes('CBC')
    const iv = new Uint8Array(block).fill(7)
    const parameter = (bytes: Uint8Array): Given => (isCbc ? { iv, data: bytes } : { data: bytes })
    const derive = (bytes: Uint8Array, ...wanted: Parameters<typeof template>) =>
      call('C_DeriveKey', [
        session,
        { type: row.type, parameter: parameter(bytes) },
        base,
        template({ SENSITIVE: false, EXTRACTABLE: true, ...wanted[0] }),
      ])
    const plain = randomBytes(48)
    const cipher = CKM[row.name.replace('_ENCRYPT_DATA', '') as 'AES_ECB']
    const what = { keyType, key: keyOf(keyType), type: cipher, parameter: isCbc ? iv : null }
    const encrypted = await token.encrypt(what, plain)

    const generic = await attribute(token, await derive(plain, {}), CKA.VALUE)
    assert.equal(toHex(generic as Uint8Array), toHex(encrypted), row.name)
    const aes = await derive(plain, { KEY_TYPE: CKK.AES, VALUE_LEN: 24 })
    const value = await attribute(token, aes, CKA.VALUE)
    assert.equal(toHex(value as Uint8Array), toHex(encrypted.subarray(0, 24)), row.name)

    await assert.rejects(
      derive(plain, { KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: 49 }),
      answers('DATA_LEN_RANGE'),
    )
    await assert.rejects(derive(plain, { KEY_TYPE: CKK.AES }), answers('TEMPLATE_INCOMPLETE'))
    for (const length of [0, block - 1, block + 1])
      await assert.rejects(derive(randomBytes(length), {}), answers('MECHANISM_PARAM_INVALID'))
  }
})

test('check values are those of 4.11 and of the ciphers', async (t) => {
  const token = await CipherToken.open(t)
  const check = async (keyType: number, key: Uint8Array) => {
    const value = await attribute(token, await token.key(keyType, key), CKA.CHECK_VALUE)
    return value && toHex(value)
  }
  const zeros = async (type: number, keyType: number, key: Uint8Array, block: number) => {
    const iv = type === CKM.BLOWFISH_CBC ? new Uint8Array(block) : null
    const what = { type, keyType, key, parameter: iv }
    return toHex((await token.encrypt(what, new Uint8Array(block))).subarray(0, 3))
  }
  for (const [type, keyType, length, block] of [
    [CKM.DES_ECB, CKK.DES, 8, 8],
    [CKM.DES3_ECB, CKK.DES2, 16, 8],
    [CKM.DES3_ECB, CKK.DES3, 24, 8],
    [CKM.CAMELLIA_ECB, CKK.CAMELLIA, 24, 16],
    [CKM.ARIA_ECB, CKK.ARIA, 32, 16],
    [CKM.SEED_ECB, CKK.SEED, 16, 16],
    [CKM.IDEA_ECB, CKK.IDEA, 16, 8],
    [CKM.CAST128_ECB, CKK.CAST128, 9, 8],
    [CKM.BLOWFISH_CBC, CKK.BLOWFISH, 56, 8],
  ] as const) {
    const key = new Uint8Array(length).fill(0x49)
    assert.equal(await check(keyType, key), await zeros(type, keyType, key, block))
  }
  // SHA-1 of 32 zeros.
  assert.equal(await check(CKK.CHACHA20, new Uint8Array(32)), 'de8a84')
  for (const keyType of [CKK.RC2, CKK.RC4])
    assert.equal(await check(keyType, hex('0102')), undefined)
})

test('CKM_CHACHA20_KEY_GEN makes keys of 32 bytes, whether the template says so or not', async (t) => {
  const token = await CipherToken.open(t)
  const { call, session } = token.token
  const generate = (wanted: Parameters<typeof template>[0]) =>
    call('C_GenerateKey', [
      session,
      { type: CKM.CHACHA20_KEY_GEN, parameter: null },
      template({ SENSITIVE: false, EXTRACTABLE: true, ...wanted }),
    ])
  for (const wanted of [{}, { VALUE_LEN: 32 }])
    assert.equal((await attribute(token, await generate(wanted), CKA.VALUE))?.length, 32)
  await assert.rejects(generate({ VALUE_LEN: 16 }), answers('ATTRIBUTE_VALUE_INVALID'))
})

test('broken and obsolete ciphers are offered under the profile legacy only', async (t) => {
  const legacy = rows.filter(({ standing }) => standing === 'legacy')
  assert.ok(legacy.length > 30)
  const { call, session, slot } = await openToken(t)
  const offered = new Set((await call('C_GetMechanismList', [slot, 1000])) as number[])
  for (const row of rows) assert.equal(offered.has(row.type), row.standing !== 'legacy', row.name)
  await assert.rejects(
    call('C_GenerateKey', [session, { type: CKM.DES_KEY_GEN, parameter: null }, []]),
    answers('MECHANISM_INVALID'),
  )
})
