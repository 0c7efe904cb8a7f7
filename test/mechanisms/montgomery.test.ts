import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { curveIdentifier } from '../../src/engine/curves.ts'
import { element, octetString, TAG } from '../../src/engine/der.ts'
import { montgomeryCurves, type OctetCurve } from '../../src/engine/octet-curves.ts'
import { CKD, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, bytes, type Opened, openToken, template } from '../in-process.ts'
import { attributesOf, derived, pairOn, privateKeyOf, publicKeyOf } from './curve-keys.ts'
import { rfc7748 } from './curve-vectors.ts'
import { ascii, hex, toHex } from './rows.ts'

const [x25519] = montgomeryCurves as readonly [OctetCurve, OctetCurve]
const DERIVE = CKM.ECDH1_DERIVE
const USES = { publicUses: {}, privateUses: { DERIVE: true } }

const pair = (token: Opened, curve: OctetCurve, parameters = curveIdentifier(curve)) =>
  pairOn(token, CKM.EC_MONTGOMERY_KEY_PAIR_GEN, parameters, USES)

const privateOn = (token: Opened, curve: OctetCurve, value: Uint8Array) =>
  privateKeyOf(token, {
    KEY_TYPE: CKK.EC_MONTGOMERY,
    EC_PARAMS: curveIdentifier(curve),
    VALUE: value,
    DERIVE: true,
  })

const named = (name: string) => montgomeryCurves.find((curve) => curve.name === name) as OctetCurve

test('CKM_ECDH1_DERIVE makes the secrets of RFC 7748, from a key in either form', async (t) => {
  const token = await openToken(t)
  for (const vector of rfc7748) {
    const curve = named(vector.curve)
    const alice = await privateOn(token, curve, hex(vector.privateKey))
    const bob = await privateOn(token, curve, hex(vector.peerPrivateKey))
    const [of, ofPeer] = [hex(vector.publicKey), hex(vector.peerPublicKey)]
    for (const [own, publicData] of [
      [alice, ofPeer],
      [bob, of],
      [alice, octetString(ofPeer)],
    ] as const)
      assert.equal(toHex(await derived(token, DERIVE, own, { publicData })), vector.shared)
    const [info] = await attributesOf(token, alice, 'PUBLIC_KEY_INFO')
    assert.ok(toHex(info as Uint8Array).endsWith(vector.publicKey))
  }
})

test('a curve may be named by its OID and in the words of RFC 7748', async (t) => {
  const token = await openToken(t)
  for (const curve of montgomeryCurves)
    for (const parameters of [
      curveIdentifier(curve),
      ...[curve.name, ...curve.aliases].map((name) => element(TAG.PRINTABLE_STRING, ascii(name))),
    ]) {
      const one = await pair(token, curve, parameters)
      const other = await pair(token, curve)
      const [params, point] = await attributesOf(token, one.publicKey, 'EC_PARAMS', 'EC_POINT')
      assert.deepEqual(params, parameters)
      assert.equal(point?.length, curve.bytes)
      const [peer] = await attributesOf(token, other.publicKey, 'EC_POINT')
      const secret = await derived(token, DERIVE, one.privateKey, {
        publicData: peer as Uint8Array,
      })
      assert.equal(secret.length, curve.bytes)
      const same = await derived(token, DERIVE, other.privateKey, {
        publicData: point as Uint8Array,
      })
      assert.deepEqual(same, secret)
    }
})

test('a key derivation function and a shorter key work as on other curves', async (t) => {
  const token = await openToken(t)
  const [vector] = rfc7748
  assert.ok(vector)
  const own = await privateOn(token, x25519, hex(vector.privateKey))
  const publicData = hex(vector.peerPublicKey)
  const secret = hex(vector.shared)
  assert.deepEqual(
    await derived(token, DERIVE, own, { publicData, length: 16 }),
    secret.subarray(16),
  )
  const sharedData = ascii('shared')
  const hash = createHash('sha256').update(secret).update(hex('00000001')).update(sharedData)
  const parameter = { publicData, sharedData, kdf: CKD.SHA256_KDF, length: 32 }
  assert.equal(toHex(await derived(token, DERIVE, own, parameter)), hash.digest('hex'))
})

test('public data that shares nothing, or is no key of the curve, is refused', async (t) => {
  const token = await openToken(t)
  for (const curve of montgomeryCurves) {
    const { privateKey } = await pair(token, curve)
    const one = new Uint8Array(curve.bytes)
    one[0] = 1
    const refused = [
      new Uint8Array(curve.bytes),
      one,
      one.subarray(1),
      new Uint8Array(0),
      hex('0400'),
    ]
    for (const publicData of refused)
      await assert.rejects(
        derived(token, DERIVE, privateKey, { publicData }),
        answers('PUBLIC_KEY_INVALID'),
      )
  }
})

test('what does not fit a Montgomery key is refused', async (t) => {
  const token = await openToken(t)
  const { privateKey, publicKey } = await pair(token, x25519)
  const [point] = await attributesOf(token, publicKey, 'EC_POINT')
  const on = { KEY_TYPE: CKK.EC_MONTGOMERY, EC_PARAMS: curveIdentifier(x25519) }
  const publicData = point as Uint8Array
  const refused: [Parameters<typeof answers>[0], () => Promise<unknown>][] = [
    [
      'KEY_TYPE_INCONSISTENT',
      () => derived(token, CKM.ECDH1_COFACTOR_DERIVE, privateKey, { publicData }),
    ],
    ['MECHANISM_PARAM_INVALID', () => derived(token, DERIVE, privateKey, { publicData, kdf: 0 })],
    [
      'MECHANISM_PARAM_INVALID',
      () => derived(token, DERIVE, privateKey, { publicData, sharedData: hex('01') }),
    ],
    ['TEMPLATE_INCONSISTENT', () => derived(token, DERIVE, privateKey, { publicData, length: 33 })],
    ['CURVE_NOT_SUPPORTED', () => pair(token, x25519, hex('06032b6570'))],
    ['DOMAIN_PARAMS_INVALID', () => pair(token, x25519, hex('3003020101'))],
    ['ATTRIBUTE_VALUE_INVALID', () => publicKeyOf(token, { ...on, EC_POINT: new Uint8Array(33) })],
    ['ATTRIBUTE_VALUE_INVALID', () => privateKeyOf(token, { ...on, VALUE: new Uint8Array(31) })],
    ['TEMPLATE_INCOMPLETE', () => publicKeyOf(token, { ...on })],
  ]
  for (const [rv, make] of refused) await assert.rejects(make(), answers(rv))
})

test('a Montgomery key is wrapped as RFC 8410 has it and comes back', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const aes = await call('C_GenerateKey', [
    session,
    { type: CKM.AES_KEY_GEN, parameter: null },
    template({ VALUE_LEN: 32, WRAP: true, UNWRAP: true }),
  ])
  const kwp = { type: CKM.AES_KEY_WRAP_KWP, parameter: null }
  for (const curve of montgomeryCurves) {
    const { privateKey } = await pair(token, curve)
    const wrapped = bytes(await call('C_WrapKey', [session, kwp, aes, privateKey, 4096]))
    const values = { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC_MONTGOMERY, SENSITIVE: false }
    const made = template({ ...values, EXTRACTABLE: true })
    const unwrapped = await call('C_UnwrapKey', [session, kwp, aes, wrapped, made])
    const names = ['VALUE', 'EC_PARAMS', 'PUBLIC_KEY_INFO'] as const
    assert.deepEqual(
      await attributesOf(token, unwrapped, ...names),
      await attributesOf(token, privateKey, ...names),
    )
  }
})
