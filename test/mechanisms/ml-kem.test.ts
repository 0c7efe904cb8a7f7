import assert from 'node:assert/strict'
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  decapsulate as nodeDecapsulate,
  encapsulate as nodeEncapsulate,
} from 'node:crypto'
import { test } from 'node:test'
import { CKK, CKM, CKO, CKP } from '../../src/standard/constants.ts'
import { answers, bytes, type Opened, openToken, template } from '../in-process.ts'
import {
  attribute,
  counting,
  create,
  keyTemplate,
  mechanism,
  type Named,
  pairOf,
  privateKeyInfoOf,
  ROOM,
  unwrapInfo,
} from './parameter-sets.ts'
import { hex } from './rows.ts'

const SETS = ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'] as const
type SetName = (typeof SETS)[number]
const ML_KEM = mechanism('ML_KEM')

const publicTemplate = (set: SetName, value: Uint8Array): Named => ({
  ...keyTemplate(CKK.ML_KEM, CKO.PUBLIC_KEY, set),
  VALUE: value,
})
const privateTemplate = (set: SetName, parts: Named): Named => ({
  ...keyTemplate(CKK.ML_KEM, CKO.PRIVATE_KEY, set),
  ...parts,
})
const pair = (token: Opened, set: SetName) => pairOf(token, CKM.ML_KEM_KEY_PAIR_GEN, set)

const SECRET = template({ KEY_TYPE: CKK.GENERIC_SECRET, SENSITIVE: false })

/** The value of a key that the ciphertext decapsulates to. */
async function decapsulated(token: Opened, key: number, ciphertext: Uint8Array): Promise<Buffer> {
  const { call, session } = token
  const made = await call('C_DecapsulateKey', [session, ML_KEM, key, SECRET, ciphertext])
  const value = await attribute(token, made, 'VALUE')
  await call('C_DestroyObject', [session, made])
  return value
}

test('what is encapsulated here Node decapsulates, and the other way', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  for (const set of SETS) {
    const { publicKey, privateKey } = await pair(token, set)
    const nodePublic = createPublicKey({
      key: await attribute(token, publicKey, 'PUBLIC_KEY_INFO'),
      format: 'der',
      type: 'spki',
    })
    const nodePrivate = createPrivateKey({
      key: await privateKeyInfoOf(token, privateKey),
      format: 'der',
      type: 'pkcs8',
    })
    const [filled, key] = await call('C_EncapsulateKey', [session, ML_KEM, publicKey, SECRET, ROOM])
    const secret = await attribute(token, key, 'VALUE')
    assert.deepEqual(nodeDecapsulate(nodePrivate, bytes(filled)), secret)
    const theirs = nodeEncapsulate(nodePublic)
    assert.deepEqual(await decapsulated(token, privateKey, theirs.ciphertext), theirs.sharedKey)
  }
})

test('a ciphertext for nobody gives another secret, the same each time; one of another length is refused', async (t) => {
  const token = await openToken(t)
  const { privateKey } = await pair(token, 'ML_KEM_768')
  const first = await decapsulated(token, privateKey, Buffer.alloc(1088, 1))
  assert.deepEqual(await decapsulated(token, privateKey, Buffer.alloc(1088, 1)), first)
  assert.notDeepEqual(await decapsulated(token, privateKey, Buffer.alloc(1088, 2)), first)
  for (const length of [0, 768, 1087, 1089, 5000])
    await assert.rejects(
      decapsulated(token, privateKey, Buffer.alloc(length)),
      answers('WRAPPED_KEY_LEN_RANGE'),
    )
})

test('a private key comes by its seed, by its expanded value, or by both where they agree', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pair(token, 'ML_KEM_512')
  const SEED = await attribute(token, privateKey, 'SEED')
  const VALUE = await attribute(token, privateKey, 'VALUE')
  assert.equal(SEED.length, 64)
  const { call, session } = token
  const [filled, key] = await call('C_EncapsulateKey', [session, ML_KEM, publicKey, SECRET, ROOM])
  const secret = await attribute(token, key, 'VALUE')
  for (const parts of [{ SEED }, { VALUE }, { SEED, VALUE }]) {
    const again = await create(token, privateTemplate('ML_KEM_512', parts))
    assert.deepEqual(await attribute(token, again, 'VALUE'), VALUE)
    assert.deepEqual(await decapsulated(token, again, bytes(filled)), secret)
  }
  // The hash of the public key stands in the expanded value (FIPS 203, 7.3).
  const changed = Buffer.from(VALUE)
  changed[1570] = (changed[1570] as number) ^ 1
  for (const [rv, parts] of [
    ['TEMPLATE_INCOMPLETE', {}],
    ['TEMPLATE_INCONSISTENT', { SEED: counting(64), VALUE }],
    ['ATTRIBUTE_VALUE_INVALID', { SEED: counting(63) }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: changed }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: VALUE.subarray(1) }],
  ] as const)
    await assert.rejects(create(token, privateTemplate('ML_KEM_512', parts)), answers(rv))
})

test('a public key with a coefficient out of range, of another set or of none is refused', async (t) => {
  const token = await openToken(t)
  const { publicKey } = await pair(token, 'ML_KEM_512')
  const value = await attribute(token, publicKey, 'VALUE')
  const outOfRange = Buffer.from(value)
  outOfRange.fill(0xff, 0, 3)
  for (const [rv, named] of [
    ['ATTRIBUTE_VALUE_INVALID', publicTemplate('ML_KEM_512', outOfRange)],
    ['ATTRIBUTE_VALUE_INVALID', publicTemplate('ML_KEM_768', value)],
    ['PARAMETER_SET_NOT_SUPPORTED', { ...publicTemplate('ML_KEM_512', value), PARAMETER_SET: 0 }],
  ] as const)
    await assert.rejects(create(token, named), answers(rv))
})

test('a private key is unwrapped from each form of RFC 9935', async (t) => {
  const token = await openToken(t)
  const { privateKey } = await pair(token, 'ML_KEM_512')
  const seed = await attribute(token, privateKey, 'SEED')
  const value = await attribute(token, privateKey, 'VALUE')
  const both = await privateKeyInfoOf(token, privateKey)
  const head = both.subarray(4, 20)
  const seedOnly = Buffer.concat([hex('3054'), head, hex('04428040'), seed])
  const expandedOnly = Buffer.concat([hex('30820678'), head, hex('0482066404820660'), value])
  for (const info of [seedOnly, expandedOnly, both]) {
    const key = await unwrapInfo(token, info, {
      CLASS: CKO.PRIVATE_KEY,
      KEY_TYPE: CKK.ML_KEM,
      SENSITIVE: false,
    })
    assert.deepEqual(await attribute(token, key, 'VALUE'), value)
    assert.deepEqual(await privateKeyInfoOf(token, key), info === expandedOnly ? info : both)
  }
  const theirs = generateKeyPairSync('ml-kem-1024').privateKey
  const named = { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.ML_KEM, SENSITIVE: false }
  const key = await unwrapInfo(token, theirs.export({ format: 'der', type: 'pkcs8' }), named)
  assert.equal((await attribute(token, key, 'PARAMETER_SET'))[0], CKP.ML_KEM_1024)
})
