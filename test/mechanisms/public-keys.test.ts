import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CK_UNAVAILABLE_INFORMATION,
  type CKA,
  CKK,
  CKM,
  CKO,
  CKP,
} from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'
import { attribute, derive, type Named, numberAt, secret } from './derivation-calls.ts'

const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
const mechanism = { type: CKM.PUB_KEY_FROM_PRIV_KEY, parameter: null }

const pair = ({ call, session }: Opened, type: number, publicNamed: Named, privateNamed: Named) =>
  call('C_GenerateKeyPair', [
    session,
    { type, parameter: null },
    template(publicNamed),
    template(privateNamed),
  ])

interface Kind {
  readonly name: string
  readonly generation: number
  readonly parameters: Named
  readonly values: readonly (keyof typeof CKA)[]
  /** How the pair signs, where it does. */
  readonly signing?: number
}

const kinds: readonly Kind[] = [
  {
    name: 'RSA',
    generation: CKM.RSA_PKCS_KEY_PAIR_GEN,
    parameters: { MODULUS_BITS: 2048 },
    values: ['MODULUS', 'PUBLIC_EXPONENT', 'MODULUS_BITS', 'PUBLIC_KEY_INFO'],
    signing: CKM.SHA256_RSA_PKCS,
  },
  {
    name: 'EC',
    generation: CKM.EC_KEY_PAIR_GEN,
    parameters: { EC_PARAMS: P256 },
    values: ['EC_PARAMS', 'EC_POINT', 'PUBLIC_KEY_INFO'],
    signing: CKM.ECDSA_SHA256,
  },
  {
    name: 'Edwards',
    generation: CKM.EC_EDWARDS_KEY_PAIR_GEN,
    parameters: { EC_PARAMS: Buffer.from('06032b6570', 'hex') },
    values: ['EC_PARAMS', 'EC_POINT', 'PUBLIC_KEY_INFO'],
    signing: CKM.EDDSA,
  },
  {
    name: 'Montgomery',
    generation: CKM.EC_MONTGOMERY_KEY_PAIR_GEN,
    parameters: { EC_PARAMS: Buffer.from('06032b656e', 'hex') },
    values: ['EC_PARAMS', 'EC_POINT', 'PUBLIC_KEY_INFO'],
  },
  {
    name: 'ML-DSA',
    generation: CKM.ML_DSA_KEY_PAIR_GEN,
    parameters: { PARAMETER_SET: CKP.ML_DSA_65 },
    values: ['PARAMETER_SET', 'VALUE', 'PUBLIC_KEY_INFO'],
    signing: CKM.ML_DSA,
  },
  {
    name: 'ML-KEM',
    generation: CKM.ML_KEM_KEY_PAIR_GEN,
    parameters: { PARAMETER_SET: CKP.ML_KEM_768 },
    values: ['PARAMETER_SET', 'VALUE', 'PUBLIC_KEY_INFO'],
  },
]

const USES = [
  ['VERIFY', 'SIGN'],
  ['ENCRYPT', 'DECRYPT'],
  ['WRAP', 'UNWRAP'],
  ['DERIVE', 'DERIVE'],
  ['ENCAPSULATE', 'DECAPSULATE'],
] as const

for (const { name, generation, parameters, values, signing } of kinds)
  test(`the public key of a private ${name} key is that of its pair, and does what it does`, async (t) => {
    const token = await openToken(t)
    const { call, session } = token
    const [publicKey, privateKey] = await pair(token, generation, parameters, {
      ...(signing === undefined ? {} : { SIGN: true }),
      ID: 'pair',
    })
    const made = await derive(token, mechanism, privateKey, {})
    for (const value of values)
      assert.deepEqual(
        await attribute(token, made, value),
        await attribute(token, publicKey, value),
      )
    assert.equal(await numberAt(token, made, 'CLASS'), CKO.PUBLIC_KEY)
    assert.equal(await numberAt(token, made, 'KEY_GEN_MECHANISM'), generation)
    assert.equal(Buffer.from(await attribute(token, made, 'ID')).toString(), 'pair')
    const flags = { LOCAL: 0, TOKEN: 0, PRIVATE: 0, MODIFIABLE: 1, DESTROYABLE: 0 }
    for (const [flag, value] of Object.entries(flags))
      assert.equal((await attribute(token, made, flag as keyof typeof CKA))[0], value, flag)
    for (const [use, of] of USES)
      assert.deepEqual(await attribute(token, made, use), await attribute(token, privateKey, of))
    if (signing === undefined) return
    const message = data('message')
    await call('C_SignInit', [session, { type: signing, parameter: null }, privateKey])
    const signature = bytes(await call('C_Sign', [session, message, 5000]))
    await call('C_VerifyInit', [session, { type: signing, parameter: null }, made])
    await call('C_Verify', [session, message, signature])
  })

test('a template says what else the public key is to be', async (t) => {
  const token = await openToken(t)
  const [, key] = await pair(token, CKM.EC_KEY_PAIR_GEN, { EC_PARAMS: P256 }, { ID: 'pair' })
  const made = await derive(token, mechanism, key, {
    CLASS: CKO.PUBLIC_KEY,
    KEY_TYPE: CKK.EC,
    ID: 'other',
    VERIFY: false,
    DESTROYABLE: true,
  })
  assert.equal(Buffer.from(await attribute(token, made, 'ID')).toString(), 'other')
  assert.equal((await attribute(token, made, 'VERIFY'))[0], 0)
  await token.call('C_DestroyObject', [token.session, made])
  for (const named of [{ KEY_TYPE: CKK.RSA }, { CLASS: CKO.SECRET_KEY }, { EC_POINT: 'x' }])
    await assert.rejects(derive(token, mechanism, key, named), answers('TEMPLATE_INCONSISTENT'))
})

test('CKA_ALLOWED_MECHANISMS holds for this mechanism, and secret and public keys have no public key', async (t) => {
  const token = await openToken(t)
  const parameters = { EC_PARAMS: P256 }
  const [publicKey, key] = await pair(token, CKM.EC_KEY_PAIR_GEN, parameters, {
    ALLOWED_MECHANISMS: [CKM.ECDSA],
  })
  await assert.rejects(derive(token, mechanism, key, {}), answers('MECHANISM_INVALID'))
  await assert.rejects(derive(token, mechanism, publicKey, {}), answers('KEY_TYPE_INCONSISTENT'))
  const generic = await secret(token, Buffer.alloc(16, 1))
  await assert.rejects(derive(token, mechanism, generic, {}), answers('KEY_TYPE_INCONSISTENT'))
})

test('the public key of an imported private key was generated by no mechanism', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.PRIVATE_KEY,
      KEY_TYPE: CKK.EC,
      EC_PARAMS: P256,
      VALUE: Buffer.alloc(32, 1),
    }),
  ])
  const made = await derive(token, mechanism, key, {})
  assert.equal(
    Buffer.from(await attribute(token, made, 'KEY_GEN_MECHANISM')).readBigUInt64LE(),
    2n ** 64n - 1n,
  )
  assert.equal(CK_UNAVAILABLE_INFORMATION, 2 ** 64)
})
