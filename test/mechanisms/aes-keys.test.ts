import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { aes, aesKeyType } from '../../src/mechanisms/aes.ts'
import { MOST_WRAPPED } from '../../src/mechanisms/aes-ciphers.ts'
import { CKA, CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import {
  begin,
  type Given,
  gcm,
  gcmAad,
  iv16,
  key128,
  none,
  run,
  unwrap,
  wrap,
} from './aes-calls.ts'
import { make, maker, mechanism, secretKey, withReturnValue } from './rows.ts'

test('CKM_AES_KEY_GEN makes keys of 16, 24 and 32 bytes', async () => {
  const generate = maker(aes, CKM.AES_KEY_GEN, 'generateKey')
  const generated = async (template: ReadonlyMap<number, number>) =>
    generate(make(CKM.AES_KEY_GEN, template))
  for (const length of [16, 24, 32]) {
    const value = (await generated(new Map([[CKA.VALUE_LEN, length]]))).get(CKA.VALUE)
    assert.ok(value instanceof Uint8Array)
    assert.equal(value.length, length)
  }
  for (const length of [0, 8, 17, 33, 2 ** 64])
    await assert.rejects(
      generated(new Map([[CKA.VALUE_LEN, length]])),
      withReturnValue(CKR.ATTRIBUTE_VALUE_INVALID),
    )
  await assert.rejects(generated(new Map()), withReturnValue(CKR.TEMPLATE_INCOMPLETE))
})

test('an AES key is completed with its length and the start of a block of zeros encrypted', () => {
  const value = randomBytes(24)
  const zeros = createCipheriv('aes-192-ecb', value, null).update(new Uint8Array(16))
  const complete = (...given: [number, number | Uint8Array][]) =>
    aesKeyType.complete?.(CKO.SECRET_KEY, new Map([[CKA.VALUE, value], ...given]))
  const check = Uint8Array.from(zeros.subarray(0, 3))
  const both = new Map<number, unknown>([
    [CKA.VALUE_LEN, 24],
    [CKA.CHECK_VALUE, check],
  ])
  assert.deepEqual(complete(), both)
  assert.deepEqual(complete([CKA.CHECK_VALUE, check]), both)
  // An empty check value keeps the key from having one. 4.11.
  assert.deepEqual(complete([CKA.CHECK_VALUE, none]), new Map([[CKA.VALUE_LEN, 24]]))
  for (const wrong of [Uint8Array.of(zeros[0] ?? 0), zeros.subarray(0, 4), zeros.subarray(1, 4)])
    assert.throws(
      () => complete([CKA.CHECK_VALUE, wrong]),
      withReturnValue(CKR.ATTRIBUTE_VALUE_INVALID),
    )
  assert.throws(
    () => complete([CKA.VALUE, randomBytes(23)]),
    withReturnValue(CKR.ATTRIBUTE_VALUE_INVALID),
  )
})

test('a key that is no AES key is refused, as each function says it', async () => {
  const key = secretKey(CKK.GENERIC_SECRET, randomBytes(16))
  const what = { key, mechanism: mechanism(CKM.AES_ECB) }
  assert.throws(
    () => maker(aes, CKM.AES_ECB, 'encrypt')(what),
    withReturnValue(CKR.KEY_TYPE_INCONSISTENT),
  )
  const sixteen = randomBytes(16)
  const surrender = new Surrender()
  await assert.rejects(
    async () => maker(aes, CKM.AES_ECB, 'wrap')(what, sixteen, surrender),
    withReturnValue(CKR.WRAPPING_KEY_TYPE_INCONSISTENT),
  )
  await assert.rejects(
    async () => maker(aes, CKM.AES_ECB, 'unwrap')(what, sixteen, surrender),
    withReturnValue(CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT),
  )
  await assert.rejects(
    begin('encrypt', CKM.AES_ECB, randomBytes(17)),
    withReturnValue(CKR.KEY_SIZE_RANGE),
  )
})

test('key wrap refuses lengths that it cannot wrap or never puts out', async () => {
  for (const length of [0, 8, 15, 17, 20, MOST_WRAPPED + 8])
    await assert.rejects(
      run('encrypt', CKM.AES_KEY_WRAP, key128, null, randomBytes(length)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
  for (const length of [0, MOST_WRAPPED + 1])
    await assert.rejects(
      run('encrypt', CKM.AES_KEY_WRAP_KWP, key128, null, randomBytes(length)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
  for (const [type, lengths] of [
    [CKM.AES_KEY_WRAP, [0, 8, 16, 23, 25]],
    [CKM.AES_KEY_WRAP_KWP, [0, 8, 15, 17]],
  ] as const)
    for (const length of lengths)
      await assert.rejects(
        run('decrypt', type, key128, null, randomBytes(length)),
        withReturnValue(CKR.ENCRYPTED_DATA_LEN_RANGE),
      )
})

test('the longest data key wrap takes come back', async () => {
  const plain = randomBytes(MOST_WRAPPED)
  for (const type of [CKM.AES_KEY_WRAP, CKM.AES_KEY_WRAP_KWP]) {
    const wrapped = await run('encrypt', type, key128, null, plain)
    assert.deepEqual(Buffer.from(await run('decrypt', type, key128, null, wrapped)), plain)
  }
})

test('key wrap takes an initial value of its own length, and the same is needed to unwrap', async () => {
  for (const [type, length] of [
    [CKM.AES_KEY_WRAP, 8],
    [CKM.AES_KEY_WRAP_KWP, 4],
  ] as const) {
    const iv = randomBytes(length)
    const plain = randomBytes(24)
    const wrapped = await run('encrypt', type, key128, iv, plain)
    assert.deepEqual(Buffer.from(await run('decrypt', type, key128, iv, wrapped)), plain)
    await assert.rejects(
      run('decrypt', type, key128, none, wrapped),
      withReturnValue(CKR.ENCRYPTED_DATA_INVALID),
    )
    for (const wrong of [12 - length, 1, 16])
      await assert.rejects(
        begin('encrypt', type, key128, randomBytes(wrong)),
        withReturnValue(CKR.MECHANISM_PARAM_INVALID),
      )
  }
})

const wrapping = (): readonly [type: number, parameter: Given, unit: number][] => [
  [CKM.AES_ECB, null, 16],
  [CKM.AES_CBC, iv16, 16],
  [CKM.AES_CBC_PAD, iv16, 1],
  [CKM.AES_CTR, { counterBits: 32, cb: iv16 }, 1],
  [CKM.AES_GCM, gcm(iv16, gcmAad), 1],
  [CKM.AES_KEY_WRAP, null, 8],
  [CKM.AES_KEY_WRAP_KWP, null, 1],
]

test('every AES mechanism unwraps what it wraps, with the zeros it filled up with', async () => {
  for (const [type, parameter, unit] of wrapping())
    for (const length of [9, 16, 20, 32, 1218]) {
      const plain = randomBytes(length)
      const wrapped = await wrap(type, key128, parameter, plain)
      const back = Buffer.from(await unwrap(type, key128, parameter, wrapped))
      assert.deepEqual(back.subarray(0, length), plain)
      assert.deepEqual(back.subarray(length), Buffer.alloc((unit - (length % unit)) % unit))
      const row = aes.find((one) => one.type === type)
      assert.equal(row?.padsWrappedKeys, unit > 1 ? 'behind' : undefined)
    }
})

test('a key that a mechanism cannot wrap for its length answers CKR_KEY_SIZE_RANGE', async () => {
  for (const [type, parameter] of wrapping())
    await assert.rejects(wrap(type, key128, parameter, none), withReturnValue(CKR.KEY_SIZE_RANGE))
  // One semiblock is too little for KW (SP 800-38F, 5.3.1), and more zeros would be ambiguous.
  await assert.rejects(
    wrap(CKM.AES_KEY_WRAP, key128, null, randomBytes(8)),
    withReturnValue(CKR.KEY_SIZE_RANGE),
  )
})

test('C_UnwrapKey has return values of its own', async () => {
  for (const [type, parameter, length] of [
    [CKM.AES_ECB, null, 0],
    [CKM.AES_ECB, null, 17],
    [CKM.AES_CBC, iv16, 15],
    [CKM.AES_CBC_PAD, iv16, 17],
    [CKM.AES_CTR, { counterBits: 1, cb: new Uint8Array(16) }, 33],
    [CKM.AES_GCM, gcm(iv16, none), 15],
    [CKM.AES_KEY_WRAP, null, 16],
    [CKM.AES_KEY_WRAP_KWP, null, 17],
  ] as const)
    await assert.rejects(
      unwrap(type, key128, parameter, randomBytes(length)),
      withReturnValue(CKR.WRAPPED_KEY_LEN_RANGE),
    )
  for (const [type, parameter] of [
    [CKM.AES_GCM, gcm(iv16, none)],
    [CKM.AES_KEY_WRAP, null],
    [CKM.AES_KEY_WRAP_KWP, null],
  ] as const)
    await assert.rejects(
      unwrap(type, key128, parameter, randomBytes(32)),
      withReturnValue(CKR.WRAPPED_KEY_INVALID),
    )
})
