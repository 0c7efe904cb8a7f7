import assert from 'node:assert/strict'
import { test } from 'node:test'
import { curveIdentifier } from '../../src/engine/curves.ts'
import { element, octetString, TAG } from '../../src/engine/der.ts'
import { edwardsCurves, type OctetCurve } from '../../src/engine/octet-curves.ts'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'
import { attributesOf, inParts, pairOn, privateKeyOf, publicKeyOf } from './curve-keys.ts'
import { type EddsaVector, rfc8032 } from './curve-vectors.ts'
import { ascii, hex, toHex } from './rows.ts'

const [ed25519, ed448] = edwardsCurves as readonly [OctetCurve, OctetCurve]
const none = new Uint8Array(0)
const GENERATE = CKM.EC_EDWARDS_KEY_PAIR_GEN
const USES = { publicUses: { VERIFY: true }, privateUses: { SIGN: true } }

const eddsa = (phFlag?: number, contextData: Uint8Array = none): MechanismArgument => ({
  type: CKM.EDDSA,
  parameter: phFlag === undefined ? null : { phFlag, contextData },
})

const pair = (token: Opened, curve: OctetCurve, parameters = curveIdentifier(curve)) =>
  pairOn(token, GENERATE, parameters, USES)

async function sign(
  { call, session }: Opened,
  mechanism: MechanismArgument,
  key: number,
  message: Uint8Array,
): Promise<Uint8Array> {
  await call('C_SignInit', [session, mechanism, key])
  return bytes(await call('C_Sign', [session, data(message), 4096]))
}

async function verify(
  { call, session }: Opened,
  mechanism: MechanismArgument,
  key: number,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  await call('C_VerifyInit', [session, mechanism, key])
  await call('C_Verify', [session, data(message), signature])
}

const parameterOf = ({ scheme, context }: EddsaVector) =>
  scheme === 'Ed25519' ? eddsa() : eddsa(scheme.endsWith('ph') ? 1 : 0, hex(context))

test('CKM_EDDSA makes and verifies the signatures of RFC 8032', async (t) => {
  const token = await openToken(t)
  for (const vector of rfc8032) {
    const curve = vector.scheme.startsWith('Ed448') ? ed448 : ed25519
    const values = { KEY_TYPE: CKK.EC_EDWARDS, EC_PARAMS: curveIdentifier(curve) }
    const own = await privateKeyOf(token, { ...values, VALUE: hex(vector.privateKey), SIGN: true })
    const other = await publicKeyOf(token, { ...values, EC_POINT: hex(vector.publicKey) })
    const [mechanism, message] = [parameterOf(vector), hex(vector.message)]
    const name = `${vector.scheme} ${vector.title}`
    assert.equal(toHex(await sign(token, mechanism, own, message)), vector.signature, name)
    await verify(token, mechanism, other, message, hex(vector.signature))
  }
})

test('a curve may be named by its OID and in the words of RFC 8032', async (t) => {
  const token = await openToken(t)
  for (const curve of edwardsCurves)
    for (const parameters of [
      curveIdentifier(curve),
      ...[curve.name, ...curve.aliases].map((name) => element(TAG.PRINTABLE_STRING, ascii(name))),
    ]) {
      const { publicKey, privateKey } = await pair(token, curve, parameters)
      const [params, point] = await attributesOf(token, publicKey, 'EC_PARAMS', 'EC_POINT')
      assert.deepEqual(params, parameters)
      assert.equal(point?.length, curve.bytes)
      const [value, same] = await attributesOf(token, privateKey, 'VALUE', 'EC_PARAMS')
      assert.equal(value?.length, curve.bytes)
      assert.deepEqual(same, parameters)
      const signature = await sign(token, eddsa(), privateKey, ascii('message'))
      assert.equal(signature.length, 2 * curve.bytes)
      await verify(token, eddsa(), publicKey, ascii('message'), signature)
    }
})

test('each scheme verifies its own signatures only', async (t) => {
  const token = await openToken(t)
  const message = ascii('message')
  const schemes = [
    eddsa(),
    eddsa(0, ascii('a')),
    eddsa(0, ascii('b')),
    eddsa(1),
    eddsa(1, ascii('a')),
  ]
  for (const curve of edwardsCurves) {
    const { publicKey, privateKey } = await pair(token, curve)
    for (const one of schemes) {
      const signature = await sign(token, one, privateKey, message)
      for (const other of schemes) {
        const verified = verify(token, other, publicKey, message, signature)
        if (one === other) await verified
        else await assert.rejects(verified, answers('SIGNATURE_INVALID'))
      }
    }
  }
})

test('a message in parts has the signature of the whole', async (t) => {
  const token = await openToken(t)
  const message = new Uint8Array(300_001).map((_, at) => at)
  for (const curve of edwardsCurves) {
    const { publicKey, privateKey } = await pair(token, curve)
    for (const mechanism of [eddsa(), eddsa(1)]) {
      const whole = await sign(token, mechanism, privateKey, message)
      assert.deepEqual(await inParts(token, mechanism, privateKey, message, 70_000), whole)
      await verify(token, mechanism, publicKey, message, whole)
    }
  }
})

test('a message of the pure schemes is kept up to 64 MiB, a prehashed one has any length', async (t) => {
  const { call, session, ...token } = await openToken(t)
  const opened = { call, session, ...token }
  const { privateKey } = await pair(opened, ed25519)
  const part = data(new Uint8Array(16 << 20))
  const update = async (mechanism: MechanismArgument) => {
    await call('C_SignInit', [session, mechanism, privateKey])
    for (let at = 0; at < 4; at++) await call('C_SignUpdate', [session, part])
    await call('C_SignUpdate', [session, data(Uint8Array.of(0))])
    return bytes(await call('C_SignFinal', [session, 64])).length
  }
  await assert.rejects(update(eddsa()), answers('DATA_LEN_RANGE'))
  assert.equal(await update(eddsa(1)), 64)
})

test('a signature of another length is refused before it is looked at', async (t) => {
  const token = await openToken(t)
  for (const curve of edwardsCurves) {
    const { publicKey } = await pair(token, curve)
    const length = 2 * curve.bytes
    for (const wrong of [0, length - 1, length + 1])
      await assert.rejects(
        verify(token, eddsa(), publicKey, none, new Uint8Array(wrong)),
        answers('SIGNATURE_LEN_RANGE'),
      )
    await assert.rejects(
      verify(token, eddsa(), publicKey, none, new Uint8Array(length)),
      answers('SIGNATURE_INVALID'),
    )
  }
})

test('a parameter that names no scheme is refused', async (t) => {
  const token = await openToken(t)
  const { privateKey } = await pair(token, ed25519)
  const refused = [
    eddsa(0),
    eddsa(2),
    eddsa(0, new Uint8Array(256)),
    eddsa(1, new Uint8Array(256)),
    { type: CKM.EDDSA, parameter: Uint8Array.of(1) },
  ]
  for (const mechanism of refused)
    await assert.rejects(
      sign(token, mechanism, privateKey, none),
      answers('MECHANISM_PARAM_INVALID'),
    )
  assert.equal((await sign(token, eddsa(0, new Uint8Array(255)), privateKey, none)).length, 64)
})

test('a point is taken as it is and in an OCTET STRING, and kept as it is', async (t) => {
  const token = await openToken(t)
  for (const curve of edwardsCurves) {
    const { publicKey } = await pair(token, curve)
    const [point, info] = await attributesOf(token, publicKey, 'EC_POINT', 'PUBLIC_KEY_INFO')
    assert.ok(point && info)
    const values = { KEY_TYPE: CKK.EC_EDWARDS, EC_PARAMS: curveIdentifier(curve) }
    for (const given of [point, octetString(point)]) {
      const made = await publicKeyOf(token, { ...values, EC_POINT: given })
      assert.deepEqual(await attributesOf(token, made, 'EC_POINT', 'PUBLIC_KEY_INFO'), [
        point,
        info,
      ])
    }
  }
})

test('values that make no key are refused', async (t) => {
  const token = await openToken(t)
  const type = { KEY_TYPE: CKK.EC_EDWARDS }
  const on = { ...type, EC_PARAMS: curveIdentifier(ed25519) }
  const x25519 = hex('06032b656e')
  const refused: [Parameters<typeof answers>[0], () => Promise<unknown>][] = [
    ['ATTRIBUTE_VALUE_INVALID', () => publicKeyOf(token, { ...on, EC_POINT: new Uint8Array(31) })],
    ['ATTRIBUTE_VALUE_INVALID', () => publicKeyOf(token, { ...on, EC_POINT: new Uint8Array(57) })],
    ['ATTRIBUTE_VALUE_INVALID', () => privateKeyOf(token, { ...on, VALUE: new Uint8Array(33) })],
    ['TEMPLATE_INCOMPLETE', () => publicKeyOf(token, on)],
    ['TEMPLATE_INCOMPLETE', () => privateKeyOf(token, { ...type, VALUE: new Uint8Array(32) })],
    ['CURVE_NOT_SUPPORTED', () => pair(token, ed25519, x25519)],
    ['CURVE_NOT_SUPPORTED', () => pair(token, ed25519, hex('06082a8648ce3d030107'))],
    ['DOMAIN_PARAMS_INVALID', () => pair(token, ed25519, hex('3003020101'))],
    ['DOMAIN_PARAMS_INVALID', () => pair(token, ed25519, hex('0500'))],
    ['CURVE_NOT_SUPPORTED', () => pairOn(token, CKM.EC_KEY_PAIR_GEN, hex('06032b6570'), USES)],
  ]
  for (const [rv, make] of refused) await assert.rejects(make(), answers(rv))
})

test('the other half of a key, or another key, is refused', async (t) => {
  const token = await openToken(t)
  const { publicKey } = await pair(token, ed25519)
  const p256 = await pairOn(token, CKM.EC_KEY_PAIR_GEN, hex('06082a8648ce3d030107'), USES)
  const { call, session } = token
  await assert.rejects(
    call('C_VerifyInit', [session, eddsa(), p256.publicKey]),
    answers('KEY_TYPE_INCONSISTENT'),
  )
  await assert.rejects(
    call('C_SignInit', [session, { type: CKM.ECDSA, parameter: null }, p256.publicKey]),
    answers('KEY_FUNCTION_NOT_PERMITTED'),
  )
  await assert.rejects(
    call('C_SignInit', [session, eddsa(), publicKey]),
    answers('KEY_FUNCTION_NOT_PERMITTED'),
  )
})

test('an Edwards key is wrapped as RFC 8410 has it and comes back', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const aes = await call('C_GenerateKey', [
    session,
    { type: CKM.AES_KEY_GEN, parameter: null },
    template({ VALUE_LEN: 32, WRAP: true, UNWRAP: true, DECRYPT: true }),
  ])
  const kwp = { type: CKM.AES_KEY_WRAP_KWP, parameter: null }
  for (const curve of edwardsCurves) {
    const { publicKey, privateKey } = await pair(token, curve)
    const wrapped = bytes(await call('C_WrapKey', [session, kwp, aes, privateKey, 4096]))
    const unwrapped = await call('C_UnwrapKey', [
      session,
      kwp,
      aes,
      wrapped,
      template({ CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC_EDWARDS, SIGN: true }),
    ])
    const signature = await sign(token, eddsa(), unwrapped, ascii('message'))
    await verify(token, eddsa(), publicKey, ascii('message'), signature)
    const infos = await Promise.all(
      [publicKey, privateKey, unwrapped].map((key) => attributesOf(token, key, 'PUBLIC_KEY_INFO')),
    )
    assert.deepEqual(infos[1], infos[0])
    assert.deepEqual(infos[2], infos[0])
    await assert.rejects(
      call('C_UnwrapKey', [
        session,
        kwp,
        aes,
        wrapped,
        template({ CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC_MONTGOMERY }),
      ]),
      answers('WRAPPED_KEY_INVALID'),
    )
  }
})
