/** C_EncapsulateKey and C_DecapsulateKey with ECDH: the ciphertext is a public key, 6.3.17 and 6.3.18. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { curveIdentifier } from '../../src/engine/curves.ts'
import { octetString } from '../../src/engine/der.ts'
import { curves } from '../../src/engine/ec.ts'
import { montgomeryCurves } from '../../src/engine/octet-curves.ts'
import { CKD, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, bytes, type Opened, openToken, template } from '../in-process.ts'
import { attributesOf, derived, pairOn, publicKeyOf } from './curve-keys.ts'

const USES = {
  publicUses: { ENCAPSULATE: true },
  privateUses: { DECAPSULATE: true, DERIVE: true },
}
const nothing = Buffer.alloc(0)
const shared = Buffer.from('shared')

type Template = Parameters<typeof template>[0]

const weierstrass = (name: string) => {
  const curve = curves.find((row) => row.name === name)
  assert.ok(curve, name)
  return { type: CKM.EC_KEY_PAIR_GEN, parameters: curveIdentifier(curve) }
}

const montgomery = montgomeryCurves.map((curve) => ({
  type: CKM.EC_MONTGOMERY_KEY_PAIR_GEN,
  parameters: curveIdentifier(curve),
}))

const ecdh = (kdf: number = CKD.NULL, type: number = CKM.ECDH1_DERIVE, publicData = nothing) => ({
  type,
  parameter: { kdf, sharedData: kdf === CKD.NULL ? nothing : shared, publicData },
})

const encapsulate = (
  { call, session }: Opened,
  key: number,
  how = ecdh(),
  named: Template = {},
  room: number | null = 500,
) =>
  call('C_EncapsulateKey', [
    session,
    how,
    key,
    template({ SENSITIVE: false, EXTRACTABLE: true, ...named }),
    room,
  ])

const decapsulate = (
  { call, session }: Opened,
  key: number,
  ciphertext: Uint8Array,
  how = ecdh(),
  named: Template = {},
) =>
  call('C_DecapsulateKey', [
    session,
    how,
    key,
    template({ SENSITIVE: false, EXTRACTABLE: true, ...named }),
    ciphertext,
  ])

const valueOfKey = async (token: Opened, key: number) =>
  Buffer.from((await attributesOf(token, key, 'VALUE'))[0] as Uint8Array)

test('both sides have the key that C_DeriveKey makes of the ciphertext, on every kind of curve', async (t) => {
  const token = await openToken(t)
  const named = ['P-256', 'P-521', 'secp256k1', 'B-283', 'K-283', 'brainpoolP320r1'].map(
    weierstrass,
  )
  for (const { type, parameters } of [...named, ...montgomery]) {
    const { publicKey, privateKey } = await pairOn(token, type, parameters, USES)
    const mechanisms =
      type === CKM.EC_KEY_PAIR_GEN
        ? [CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE]
        : [CKM.ECDH1_DERIVE]
    for (const mechanism of mechanisms)
      for (const kdf of [CKD.NULL, CKD.SHA256_KDF]) {
        const how = ecdh(kdf, mechanism)
        const length = { VALUE_LEN: 28 }
        const [filled, one] = await encapsulate(token, publicKey, how, length)
        const ciphertext = bytes(filled)
        const other = await decapsulate(token, privateKey, ciphertext, how, length)
        const expected = await derived(token, mechanism, privateKey, {
          kdf,
          publicData: ciphertext,
          length: 28,
          ...(kdf === CKD.NULL ? {} : { sharedData: shared }),
        })
        assert.deepEqual(await valueOfKey(token, one), Buffer.from(expected))
        assert.deepEqual(await valueOfKey(token, other), Buffer.from(expected))
      }
  }
})

test('a generic secret is as long as the field, an AES key as long as it says or 32 bytes', async (t) => {
  const token = await openToken(t)
  const { type, parameters } = weierstrass('P-521')
  const { publicKey, privateKey } = await pairOn(token, type, parameters, USES)
  const cases = [
    [{}, 66],
    [{ KEY_TYPE: CKK.AES }, 32],
    [{ KEY_TYPE: CKK.AES, VALUE_LEN: 16 }, 16],
  ] as const
  for (const [named, length] of cases) {
    const [filled, one] = await encapsulate(token, publicKey, ecdh(), named)
    assert.equal(bytes(filled).length, 133)
    assert.equal((await valueOfKey(token, one)).length, length)
    const other = await decapsulate(token, privateKey, bytes(filled), ecdh(), named)
    assert.deepEqual(await valueOfKey(token, other), await valueOfKey(token, one))
    // An application may send the point in an OCTET STRING, as C_DeriveKey takes it.
    const encoded = octetString(bytes(filled))
    const again = await decapsulate(token, privateKey, encoded, ecdh(), named)
    assert.deepEqual(await valueOfKey(token, again), await valueOfKey(token, one))
  }
  await assert.rejects(
    encapsulate(token, publicKey, ecdh(), { VALUE_LEN: 67 }),
    answers('TEMPLATE_INCONSISTENT'),
  )
  await assert.rejects(
    encapsulate(token, publicKey, ecdh(CKD.SHA256_KDF)),
    answers('TEMPLATE_INCOMPLETE'),
  )
  assert.deepEqual(await encapsulate(token, publicKey, ecdh(), {}, null), [{ needed: 133 }, 0])
  assert.deepEqual(await encapsulate(token, publicKey, ecdh(), {}, 132), [{ needed: 133 }, 0])
})

test('two encapsulations for a key have nothing in common', async (t) => {
  const token = await openToken(t)
  const { type, parameters } = weierstrass('P-256')
  const { publicKey } = await pairOn(token, type, parameters, USES)
  const [first, one] = await encapsulate(token, publicKey)
  const [second, other] = await encapsulate(token, publicKey)
  assert.notDeepEqual(bytes(first), bytes(second))
  assert.notDeepEqual(await valueOfKey(token, one), await valueOfKey(token, other))
})

test('public data in the parameter, keys that do not agree and ciphertexts that are no key are refused', async (t) => {
  const token = await openToken(t)
  const { type, parameters } = weierstrass('P-256')
  const { publicKey, privateKey } = await pairOn(token, type, parameters, USES)
  const x25519 = montgomery[0] as (typeof montgomery)[number]
  const octets = await pairOn(token, x25519.type, x25519.parameters, USES)
  const given = ecdh(CKD.NULL, CKM.ECDH1_DERIVE, Buffer.from('04', 'hex'))
  await assert.rejects(encapsulate(token, publicKey, given), answers('MECHANISM_PARAM_INVALID'))
  const point = bytes((await encapsulate(token, publicKey))[0])
  await assert.rejects(
    decapsulate(token, privateKey, point, given),
    answers('MECHANISM_PARAM_INVALID'),
  )
  const cofactor = ecdh(CKD.NULL, CKM.ECDH1_COFACTOR_DERIVE)
  await assert.rejects(
    encapsulate(token, octets.publicKey, cofactor),
    answers('KEY_TYPE_INCONSISTENT'),
  )
  await assert.rejects(encapsulate(token, publicKey, ecdh(99)), answers('MECHANISM_PARAM_INVALID'))
  await assert.rejects(encapsulate(token, privateKey), answers('KEY_FUNCTION_NOT_PERMITTED'))
  const wrong = Buffer.from(point)
  wrong[64] = (wrong[64] as number) ^ 1
  await assert.rejects(decapsulate(token, privateKey, wrong), answers('WRAPPED_KEY_INVALID'))
  for (const length of [0, 1, 64])
    await assert.rejects(
      decapsulate(token, privateKey, point.subarray(0, length)),
      answers('WRAPPED_KEY_LEN_RANGE'),
    )
})

test('for a public key of small order nothing is encapsulated', async (t) => {
  const token = await openToken(t)
  const { parameters } = montgomery[0] as (typeof montgomery)[number]
  const key = await publicKeyOf(token, {
    CLASS: CKO.PUBLIC_KEY,
    KEY_TYPE: CKK.EC_MONTGOMERY,
    EC_PARAMS: parameters,
    EC_POINT: Buffer.alloc(32),
    ENCAPSULATE: true,
  })
  await assert.rejects(encapsulate(token, key), answers('FUNCTION_FAILED'))
  const { privateKey } = await pairOn(token, CKM.EC_MONTGOMERY_KEY_PAIR_GEN, parameters, USES)
  await assert.rejects(
    decapsulate(token, privateKey, Buffer.alloc(32)),
    answers('WRAPPED_KEY_INVALID'),
  )
})
