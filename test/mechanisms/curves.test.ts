import assert from 'node:assert/strict'
import { createECDH, ECDH } from 'node:crypto'
import { test } from 'node:test'
import { type Curve, curveIdentifier, curves, isCalled } from '../../src/engine/curves.ts'
import { element, octetString, TAG } from '../../src/engine/der.ts'
import { CKD, CKF, CKK, CKM } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken } from '../in-process.ts'
import { attributesOf, derived, pairOn, privateKeyOf, publicKeyOf } from './curve-keys.ts'
import { cavsConcatenation, rfc6979OnK163 } from './curve-vectors.ts'
import { ascii, hex, toHex } from './rows.ts'

const named = (name: string) => curves.find((curve) => isCalled(curve, name)) as Curve
const k163 = named('K-163')
const p256 = named('P-256')
const GENERATE = CKM.EC_KEY_PAIR_GEN
const USES = { publicUses: { VERIFY: true }, privateUses: { SIGN: true, DERIVE: true } }
const MESSAGE = ascii('sample')

const on = (curve: Curve) => ({ KEY_TYPE: CKK.EC, EC_PARAMS: curveIdentifier(curve) })

async function verify(
  { call, session }: Opened,
  type: number,
  key: number,
  signature: Uint8Array,
  message: Uint8Array = MESSAGE,
): Promise<void> {
  await call('C_VerifyInit', [session, { type, parameter: null }, key])
  await call('C_Verify', [session, data(message), signature])
}

async function sign({ call, session }: Opened, type: number, key: number): Promise<Uint8Array> {
  await call('C_SignInit', [session, { type, parameter: null }, key])
  return bytes(await call('C_Sign', [session, data(MESSAGE), 4096]))
}

test('CKM_ECDSA_SHA256 verifies the signature of RFC 6979 on K-163, a binary curve', async (t) => {
  const token = await openToken(t)
  const { scalar, x, y, r, s } = rfc6979OnK163
  const whole = (value: string) => value.padStart(42, '0')
  const point = hex(`04${whole(x)}${whole(y)}`)
  const key = await publicKeyOf(token, { ...on(k163), EC_POINT: point, VERIFY: true })
  await verify(token, CKM.ECDSA_SHA256, key, hex(whole(r) + whole(s)))
  await assert.rejects(
    verify(token, CKM.ECDSA_SHA256, key, hex(whole(s) + whole(r))),
    answers('SIGNATURE_INVALID'),
  )
  const own = await privateKeyOf(token, { ...on(k163), VALUE: hex(whole(scalar)) })
  assert.deepEqual(
    await attributesOf(token, own, 'PUBLIC_KEY_INFO'),
    await attributesOf(token, key, 'PUBLIC_KEY_INFO'),
  )
})

test('every curve makes pairs by its OID and by each of its names, which sign and share secrets', async (t) => {
  const token = await openToken(t)
  for (const curve of curves) {
    const parameters = [
      curveIdentifier(curve),
      ...[curve.name, ...curve.aliases].map((name) => element(TAG.PRINTABLE_STRING, ascii(name))),
    ]
    for (const [at, named] of parameters.entries()) {
      const type = at % 2 === 0 ? GENERATE : CKM.EC_KEY_PAIR_GEN_W_EXTRA_BITS
      const one = await pairOn(token, type, named, USES)
      const signature = await sign(token, CKM.ECDSA_SHA256, one.privateKey)
      assert.equal(signature.length, 2 * curve.orderBytes, curve.name)
      await verify(token, CKM.ECDSA_SHA256, one.publicKey, signature)
      const longer = Buffer.concat([signature, Buffer.alloc(2)])
      await assert.rejects(
        verify(token, CKM.ECDSA_SHA256, one.publicKey, longer),
        answers('SIGNATURE_LEN_RANGE'),
      )
    }
  }
})

test('with and without cofactor both sides share a secret, the same where the cofactor is 1', async (t) => {
  const token = await openToken(t)
  for (const curve of ['P-256', 'K-163', 'K-571', 'secp112r2', 'c2pnb176v1'].map(named)) {
    const [one, other] = [
      await pairOn(token, GENERATE, curveIdentifier(curve), USES),
      await pairOn(token, GENERATE, curveIdentifier(curve), USES),
    ]
    const points = await Promise.all(
      [one, other].map(async (pair) => (await attributesOf(token, pair.publicKey, 'EC_POINT'))[0]),
    )
    const shared = await Promise.all(
      [CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE].map(async (type) => {
        const [ofOne, ofOther] = points as [Uint8Array, Uint8Array]
        const secret = await derived(token, type, one.privateKey, { publicData: ofOther })
        assert.equal(secret.length, curve.bytes)
        const same = await derived(token, type, other.privateKey, { publicData: ofOne })
        assert.deepEqual(same, secret)
        return toHex(secret)
      }),
    )
    assert.equal(shared[0] === shared[1], curve.cofactor === 1, curve.name)
  }
})

test('CKD_SHA384_KDF_SP800 makes the key of NIST’s vector', async (t) => {
  const token = await openToken(t)
  const { scalar, peerX, peerY, otherInfo, secret, key } = cavsConcatenation
  const own = await privateKeyOf(token, { ...on(p256), VALUE: hex(scalar), DERIVE: true })
  const publicData = hex(`04${peerX}${peerY}`)
  const derive = (more: object) =>
    derived(token, CKM.ECDH1_COFACTOR_DERIVE, own, { publicData, ...more })
  assert.equal(toHex(await derive({})), secret)
  const parameter = { kdf: CKD.SHA384_KDF_SP800, sharedData: hex(otherInfo), length: 16 }
  assert.equal(toHex(await derive(parameter)), key)
})

test('a compressed point is the key of the uncompressed one, and stays compressed', async (t) => {
  const token = await openToken(t)
  for (const curve of ['P-256', 'P-521', 'B-283', 'secp160r1'].map(named)) {
    const ecdh = createECDH(curve.group)
    const point = ecdh.generateKeys()
    const compressed = ECDH.convertKey(point, curve.group, undefined, undefined, 'compressed')
    const whole = await publicKeyOf(token, { ...on(curve), EC_POINT: point })
    for (const given of [compressed as Buffer, octetString(compressed as Buffer)]) {
      const key = await publicKeyOf(token, { ...on(curve), EC_POINT: given, VERIFY: true })
      const [kept, info] = await attributesOf(token, key, 'EC_POINT', 'PUBLIC_KEY_INFO')
      assert.deepEqual(kept, octetString(compressed as Buffer))
      assert.deepEqual([info], await attributesOf(token, whole, 'PUBLIC_KEY_INFO'))
      const own = await privateKeyOf(token, {
        ...on(curve),
        VALUE: ecdh.getPrivateKey(),
        SIGN: true,
        DERIVE: true,
      })
      await verify(token, CKM.ECDSA_SHA3_512, key, await sign(token, CKM.ECDSA_SHA3_512, own))
      const [one, other] = [
        await derived(token, CKM.ECDH1_DERIVE, own, { publicData: given }),
        await derived(token, CKM.ECDH1_DERIVE, own, { publicData: point }),
      ]
      assert.deepEqual(one, other)
    }
  }
})

test('a peer whose point is on the curve and not in the group is refused', async (t) => {
  const token = await openToken(t)
  const { privateKey } = await pairOn(token, GENERATE, curveIdentifier(k163), USES)
  // (0, sqrt(b)), of order 2; b of K-163 is 1.
  const publicData = hex(`04${'00'.repeat(41)}01`)
  for (const type of [CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE])
    await assert.rejects(
      derived(token, type, privateKey, { publicData }),
      answers('PUBLIC_KEY_INVALID'),
    )
  await assert.rejects(
    publicKeyOf(token, { ...on(k163), EC_POINT: publicData }),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
})

test('C_GetMechanismInfo tells the fields there are', async (t) => {
  const { call, slot } = await openToken(t)
  const info = await call('C_GetMechanismInfo', [slot, CKM.ECDSA_SHA256])
  assert.equal(info.minKeySize, 112)
  assert.equal(info.maxKeySize, 571)
  for (const flag of [
    'EC_F_P',
    'EC_F_2M',
    'EC_OID',
    'EC_CURVENAME',
    'EC_UNCOMPRESS',
    'EC_COMPRESS',
  ])
    assert.ok((info.flags as number) & CKF[flag as 'EC_F_P'], flag)
  assert.equal((info.flags as number) & CKF.EC_ECPARAMETERS, 0)
  const edwards = await call('C_GetMechanismInfo', [slot, CKM.EDDSA])
  assert.deepEqual([edwards.minKeySize, edwards.maxKeySize], [255, 448])
})
