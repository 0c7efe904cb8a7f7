import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { hashes } from '../../src/mechanisms/digests.ts'
import {
  genericSecret,
  genericSecretKeyTypes,
  LONGEST_SECRET,
} from '../../src/mechanisms/generic-secret.ts'
import { CKA, CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { make, maker, withReturnValue } from './rows.ts'

const generations = [
  CKM.GENERIC_SECRET_KEY_GEN,
  ...hashes.map(({ name }) => CKM[`${name}_KEY_GEN`]),
]

const generate = async (type: number, template: ReadonlyMap<number, number>) =>
  maker(genericSecret, type, 'generateKey')(make(type, template))

test('every generation makes a random key of the length asked for', async () => {
  for (const type of generations)
    for (const length of [1, 20, LONGEST_SECRET]) {
      const template = new Map([[CKA.VALUE_LEN, length]])
      const value = (await generate(type, template)).get(CKA.VALUE)
      assert.ok(value instanceof Uint8Array)
      assert.equal(value.length, length)
      if (length > 1) assert.notDeepEqual((await generate(type, template)).get(CKA.VALUE), value)
    }
})

test('a generation without a length, or with one out of bounds, is refused', async () => {
  for (const type of generations) {
    await assert.rejects(generate(type, new Map()), withReturnValue(CKR.TEMPLATE_INCOMPLETE))
    for (const length of [0, LONGEST_SECRET + 1, 2 ** 64])
      await assert.rejects(
        generate(type, new Map([[CKA.VALUE_LEN, length]])),
        withReturnValue(CKR.ATTRIBUTE_VALUE_INVALID),
      )
  }
})

test('each HMAC generation makes keys of the HMAC’s own type', () => {
  for (const { name } of hashes) {
    const row = genericSecret.find(({ type }) => type === CKM[`${name}_KEY_GEN`])
    assert.deepEqual(row?.keyTypes, [CKK[`${name}_HMAC`]])
  }
})

test('CKM_GENERIC_SECRET_KEY_GEN tells its key sizes in bits, the others theirs in bytes', () => {
  const [generic, ...hmacs] = genericSecret.map(({ keySize }) => keySize)
  assert.deepEqual(generic, [8, LONGEST_SECRET * 8])
  for (const keySize of hmacs) assert.deepEqual(keySize, [1, LONGEST_SECRET])
})

test('a secret key is completed with its length and the start of its SHA-1', () => {
  const value = randomBytes(40)
  const check = createHash('sha1').update(value).digest().subarray(0, 3)
  for (const { complete } of genericSecretKeyTypes) {
    assert.deepEqual(
      complete?.(CKO.SECRET_KEY, new Map([[CKA.VALUE, value]])),
      new Map<number, unknown>([
        [CKA.VALUE_LEN, 40],
        [CKA.CHECK_VALUE, Uint8Array.from(check)],
      ]),
    )
    const wrong = new Map([
      [CKA.VALUE, value],
      [CKA.CHECK_VALUE, Uint8Array.from(check).reverse()],
    ])
    if (check[0] !== check[2])
      assert.throws(
        () => complete?.(CKO.SECRET_KEY, wrong),
        withReturnValue(CKR.ATTRIBUTE_VALUE_INVALID),
      )
  }
})

test('a secret key has at least one byte, and no more than its bound', () => {
  for (const length of [0, LONGEST_SECRET + 1])
    for (const { complete } of genericSecretKeyTypes)
      assert.throws(
        () => complete?.(CKO.SECRET_KEY, new Map([[CKA.VALUE, new Uint8Array(length)]])),
        withReturnValue(CKR.ATTRIBUTE_VALUE_INVALID),
      )
})
