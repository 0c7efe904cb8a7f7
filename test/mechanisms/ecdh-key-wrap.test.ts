import assert from 'node:assert/strict'
import { createCipheriv, createECDH, createHash } from 'node:crypto'
import { test } from 'node:test'
import { type Curve, curveIdentifier, curves, isCalled } from '../../src/engine/curves.ts'
import { octetString } from '../../src/engine/der.ts'
import { montgomeryCurves } from '../../src/engine/octet-curves.ts'
import { CKD, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, bytes, type Opened, openToken, template } from '../in-process.ts'
import { attributesOf, pairOn } from './curve-keys.ts'
import { ascii } from './rows.ts'

const named = (name: string) => curves.find((curve) => isCalled(curve, name)) as Curve
const USES = { publicUses: { WRAP: true }, privateUses: { UNWRAP: true } }
const EC = CKM.EC_KEY_PAIR_GEN
const MONTGOMERY = CKM.EC_MONTGOMERY_KEY_PAIR_GEN

const wrapping = (
  type: number,
  { aesKeyBits = 256, kdf = CKD.SHA256_KDF as number, sharedData = ascii('shared') } = {},
) => ({ type, parameter: { aesKeyBits, kdf, sharedData } })

const secret = (token: Opened, value: Uint8Array) =>
  token.call('C_CreateObject', [
    token.session,
    template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: CKK.GENERIC_SECRET,
      SENSITIVE: false,
      EXTRACTABLE: true,
      VALUE: value,
    }),
  ])

const SECRET = template({
  CLASS: CKO.SECRET_KEY,
  KEY_TYPE: CKK.GENERIC_SECRET,
  SENSITIVE: false,
  EXTRACTABLE: true,
})

const wrap = async (
  { call, session }: Opened,
  mechanism: ReturnType<typeof wrapping>,
  publicKey: number,
  key: number,
) => bytes(await call('C_WrapKey', [session, mechanism, publicKey, key, 65536]))

async function unwrap(
  token: Opened,
  mechanism: ReturnType<typeof wrapping>,
  privateKey: number,
  wrapped: Uint8Array,
): Promise<Uint8Array> {
  const { call, session } = token
  const key = await call('C_UnwrapKey', [session, mechanism, privateKey, wrapped, SECRET])
  const [value] = await attributesOf(token, key, 'VALUE')
  return value as Uint8Array
}

/** Pairs on curves of every form, each with the mechanisms that wrap for it. */
const RECIPIENTS = [
  ...['P-256', 'P-521', 'K-283', 'brainpoolP384r1', 'secp160k1'].map((name) => ({
    curve: named(name),
    generation: EC,
    mechanisms: [CKM.ECDH_AES_KEY_WRAP, CKM.ECDH_COF_AES_KEY_WRAP],
  })),
  ...montgomeryCurves.map((curve) => ({
    curve,
    generation: MONTGOMERY,
    mechanisms: [CKM.ECDH_AES_KEY_WRAP, CKM.ECDH_X_AES_KEY_WRAP],
  })),
]

test('a secret key of any length comes back, on curves of every form', async (t) => {
  const token = await openToken(t)
  for (const { curve, generation, mechanisms } of RECIPIENTS) {
    const pair = await pairOn(token, generation, curveIdentifier(curve), USES)
    for (const type of mechanisms)
      for (const aesKeyBits of [128, 192, 256])
        for (const length of [1, 16, 33]) {
          const value = new Uint8Array(length).fill(length)
          const mechanism = wrapping(type, { aesKeyBits })
          const wrapped = await wrap(token, mechanism, pair.publicKey, await secret(token, value))
          assert.deepEqual(await unwrap(token, mechanism, pair.privateKey, wrapped), value)
        }
  }
})

test('a private key comes back', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const recipient = await pairOn(token, EC, curveIdentifier(named('P-256')), USES)
  const target = await pairOn(token, EC, curveIdentifier(named('P-521')), {
    publicUses: {},
    privateUses: {},
  })
  const mechanism = wrapping(CKM.ECDH_COF_AES_KEY_WRAP)
  const wrapped = await wrap(token, mechanism, recipient.publicKey, target.privateKey)
  const made = { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC, SENSITIVE: false, EXTRACTABLE: true }
  const unwrapped = await call('C_UnwrapKey', [
    session,
    mechanism,
    recipient.privateKey,
    wrapped,
    template(made),
  ])
  assert.deepEqual(
    await attributesOf(token, unwrapped, 'VALUE', 'PUBLIC_KEY_INFO'),
    await attributesOf(token, target.privateKey, 'VALUE', 'PUBLIC_KEY_INFO'),
  )
})

test('what another program wrapped is unwrapped, with its point raw or in an OCTET STRING', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pairOn(token, EC, curveIdentifier(named('P-256')), USES)
  const [encoded] = await attributesOf(token, publicKey, 'EC_POINT')
  const sender = createECDH('prime256v1')
  const point = sender.generateKeys()
  const shared = sender.computeSecret((encoded as Uint8Array).subarray(2))
  const value = new Uint8Array(20).fill(7)
  // CKD_SHA256_KDF: X9.63 with the shared data. RFC 5649, 3: the IV of key wrap with padding.
  const kdf = createHash('sha256')
    .update(shared)
    .update(Uint8Array.of(0, 0, 0, 1))
  const iv = Buffer.from('a65959a6', 'hex')
  const cipher = createCipheriv('id-aes256-wrap-pad', kdf.update('shared').digest(), iv)
  const wrapped = Buffer.concat([cipher.update(value), cipher.final()])
  for (const type of [CKM.ECDH_AES_KEY_WRAP, CKM.ECDH_COF_AES_KEY_WRAP])
    for (const sent of [point, octetString(point)]) {
      const whole = Buffer.concat([sent, wrapped])
      assert.deepEqual(await unwrap(token, wrapping(type), privateKey, whole), value)
    }
})

test('the point goes out as each mechanism has it', async (t) => {
  const token = await openToken(t)
  const key = await secret(token, new Uint8Array(16))
  const p256 = await pairOn(token, EC, curveIdentifier(named('P-256')), USES)
  const [x25519] = montgomeryCurves
  assert.ok(x25519)
  const montgomery = await pairOn(token, MONTGOMERY, curveIdentifier(x25519), USES)
  const expected = [
    [CKM.ECDH_AES_KEY_WRAP, p256.publicKey, 65, '04'],
    [CKM.ECDH_COF_AES_KEY_WRAP, p256.publicKey, 67, '044104'],
    [CKM.ECDH_X_AES_KEY_WRAP, montgomery.publicKey, 32, ''],
  ] as const
  for (const [type, publicKey, length, head] of expected) {
    const wrapped = Buffer.from(await wrap(token, wrapping(type), publicKey, key))
    assert.equal(wrapped.length, length + 24)
    assert.ok(wrapped.toString('hex').startsWith(head))
  }
})

test('with CKD_NULL the AES key is the first bits of the secret, where there are so many', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pairOn(
    token,
    EC,
    curveIdentifier(named('secp160k1')),
    USES,
  )
  const key = await secret(token, ascii('value'))
  const bare = { kdf: CKD.NULL, sharedData: new Uint8Array(0) }
  const short = wrapping(CKM.ECDH_AES_KEY_WRAP, { ...bare, aesKeyBits: 128 })
  const wrapped = await wrap(token, short, publicKey, key)
  assert.deepEqual(await unwrap(token, short, privateKey, wrapped), Uint8Array.from(ascii('value')))
  await assert.rejects(
    wrap(token, wrapping(CKM.ECDH_AES_KEY_WRAP, bare), publicKey, key),
    answers('MECHANISM_PARAM_INVALID'),
  )
})

test('what does not fit is refused with the return values of wrapping', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const { publicKey, privateKey } = await pairOn(token, EC, curveIdentifier(named('P-256')), USES)
  const key = await secret(token, ascii('value'))
  const type = CKM.ECDH_COF_AES_KEY_WRAP
  const wrapped = await wrap(token, wrapping(type), publicKey, key)
  for (const parameter of [{ aesKeyBits: 64 }, { aesKeyBits: 0 }, { kdf: 0 }, { kdf: CKD.NULL }])
    await assert.rejects(
      wrap(token, wrapping(type, parameter), publicKey, key),
      answers('MECHANISM_PARAM_INVALID'),
    )
  await assert.rejects(
    wrap(token, wrapping(CKM.ECDH_X_AES_KEY_WRAP), publicKey, key),
    answers('WRAPPING_KEY_TYPE_INCONSISTENT'),
  )
  const spoiled = wrapped.slice()
  spoiled[spoiled.length - 1] = (spoiled.at(-1) as number) ^ 1
  const offCurve = wrapped.slice()
  offCurve[20] = (offCurve[20] as number) ^ 1
  const refused: [Parameters<typeof answers>[0], Uint8Array][] = [
    ['WRAPPED_KEY_INVALID', spoiled],
    ['WRAPPED_KEY_INVALID', offCurve],
    ['WRAPPED_KEY_LEN_RANGE', wrapped.subarray(1)],
    ['WRAPPED_KEY_LEN_RANGE', wrapped.subarray(0, 67)],
    ['WRAPPED_KEY_LEN_RANGE', new Uint8Array(0)],
  ]
  for (const [rv, bytesGiven] of refused)
    await assert.rejects(unwrap(token, wrapping(type), privateKey, bytesGiven), answers(rv))
  await assert.rejects(
    call('C_UnwrapKey', [session, wrapping(CKM.ECDH_X_AES_KEY_WRAP), privateKey, wrapped, SECRET]),
    answers('UNWRAPPING_KEY_TYPE_INCONSISTENT'),
  )
})
