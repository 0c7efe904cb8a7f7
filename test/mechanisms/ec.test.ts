import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { element, octetString, TAG } from '../../src/engine/der.ts'
import { type Curve, curveIdentifier, curves, ecPublicKeyInfo } from '../../src/engine/ec.ts'
import { oneStep, x963 } from '../../src/engine/key-derivation.ts'
import { ec, ecKeyType } from '../../src/mechanisms/ec.ts'
import { ecKeyOf } from '../../src/mechanisms/ec-keys.ts'
import type { Attributes, CryptokiObject } from '../../src/mechanisms/mechanism.ts'
import { rsaKeyType } from '../../src/mechanisms/rsa.ts'
import { signatureHashes } from '../../src/mechanisms/signature-hashes.ts'
import { CKA, CKD, CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { rfc5903, rfc6979 } from '../engine/keys.ts'
import { keyObject, type Pair, pairOf, using } from './keys.ts'
import { ascii, hex, maker, mechanism, toHex, withReturnValue } from './rows.ts'

const [p256, p384, p521] = curves as readonly [Curve, Curve, Curve]
const none = new Uint8Array(0)
const message = ascii('a message')

type Values = Map<number, Uint8Array>

const generate = (publicTemplate: Attributes) =>
  maker(
    ec,
    CKM.EC_KEY_PAIR_GEN,
    'generateKeyPair',
  )({
    mechanism: mechanism(CKM.EC_KEY_PAIR_GEN),
    surrender: new Surrender(),
    publicTemplate,
    privateTemplate: new Map(),
  })

async function generated(curve: Curve): Promise<Pair> {
  const made = await generate(new Map([[CKA.EC_PARAMS, curveIdentifier(curve)]]))
  return pairOf(ecKeyType, made.publicKey as Values, made.privateKey as Values)
}

/** A pair of an RFC. */
const knownPair = ({ scalar, point }: { scalar: Uint8Array; point: Uint8Array }): Pair => {
  const parameters = [CKA.EC_PARAMS, curveIdentifier(p256)] as const
  return pairOf(
    ecKeyType,
    [parameters, [CKA.EC_POINT, octetString(point)]],
    [parameters, [CKA.VALUE, scalar]],
  )
}

test('CKM_ECDSA_SHA256 verifies the signature of RFC 6979', async () => {
  const { verify } = using(ec, knownPair(rfc6979))
  await verify(CKM.ECDSA_SHA256, rfc6979.message, rfc6979.signature)
  const digest = createHash('sha256').update(rfc6979.message).digest()
  await verify(CKM.ECDSA, digest, rfc6979.signature)
})

test('on each curve every hash signs what CKM_ECDSA verifies, and the other way', async () => {
  for (const curve of curves) {
    const { sign, verify } = using(ec, await generated(curve))
    for (const { name, digest: hash } of signatureHashes) {
      const type = CKM[`ECDSA_${name}`]
      const digest = createHash(hash).update(message).digest()
      const signature = await sign(type, message)
      assert.equal(signature.length, 2 * curve.orderBytes, curve.name)
      await verify(CKM.ECDSA, digest, signature)
      await verify(type, message, await sign(CKM.ECDSA, digest))
      signature[4] = (signature[4] as number) ^ 1
      await assert.rejects(verify(type, message, signature), withReturnValue(CKR.SIGNATURE_INVALID))
    }
  }
})

test('a signature has an even length up to that of the curve', async () => {
  const { verify } = using(ec, await generated(p256))
  for (const length of [0, 1, 63, 65, 66, 128])
    await assert.rejects(
      verify(CKM.ECDSA_SHA256, message, new Uint8Array(length).fill(1)),
      withReturnValue(CKR.SIGNATURE_LEN_RANGE),
    )
  for (const length of [2, 62, 64])
    await assert.rejects(
      verify(CKM.ECDSA_SHA256, message, new Uint8Array(length).fill(1)),
      withReturnValue(CKR.SIGNATURE_INVALID),
    )
})

test('CKM_ECDSA takes digests from 1 to 128 bytes', async () => {
  const { sign, verify } = using(ec, await generated(p256))
  for (const length of [1, 20, 64, 128]) {
    const digest = new Uint8Array(length).fill(9)
    await verify(CKM.ECDSA, digest, await sign(CKM.ECDSA, digest))
  }
  for (const length of [0, 129])
    await assert.rejects(
      sign(CKM.ECDSA, new Uint8Array(length)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
})

test('a curve may be named in words', async () => {
  for (const [name, curve] of [
    ['secp256r1', p256],
    ['prime256v1', p256],
    ['P-384', p384],
    ['secp521r1', p521],
  ] as const) {
    const parameters = element(TAG.PRINTABLE_STRING, ascii(name))
    const made = await generate(new Map([[CKA.EC_PARAMS, parameters]]))
    const pair = pairOf(ecKeyType, made.publicKey as Values, made.privateKey as Values)
    assert.equal(ecKeyOf(pair.privateKey, CKO.PRIVATE_KEY).curve, curve)
    assert.deepEqual(pair.publicKey.attributes.get(CKA.EC_PARAMS), parameters)
    const { sign, verify } = using(ec, pair)
    await verify(CKM.ECDSA_SHA1, message, await sign(CKM.ECDSA_SHA1, message))
  }
})

test('other curves and other ways to tell a curve are refused', async () => {
  const sm2 = hex('06082a811ccf5501822d')
  const explicit = hex('3003020101')
  const refused: [number, Uint8Array][] = [
    [CKR.CURVE_NOT_SUPPORTED, sm2],
    [CKR.CURVE_NOT_SUPPORTED, element(TAG.PRINTABLE_STRING, ascii('secp256r2'))],
    [CKR.CURVE_NOT_SUPPORTED, element(TAG.PRINTABLE_STRING, ascii('edwards25519'))],
    [CKR.CURVE_NOT_SUPPORTED, element(TAG.PRINTABLE_STRING, none)],
    [CKR.DOMAIN_PARAMS_INVALID, explicit],
    [CKR.DOMAIN_PARAMS_INVALID, hex('0500')],
    [CKR.DOMAIN_PARAMS_INVALID, Buffer.concat([curveIdentifier(p256), hex('00')])],
    [CKR.DOMAIN_PARAMS_INVALID, curveIdentifier(p256).subarray(0, 5)],
    [CKR.TEMPLATE_INCOMPLETE, none],
  ]
  for (const [rv, parameters] of refused)
    await assert.rejects(generate(new Map([[CKA.EC_PARAMS, parameters]])), withReturnValue(rv))
  await assert.rejects(generate(new Map()), withReturnValue(CKR.TEMPLATE_INCOMPLETE))
})

test('a generated pair holds its values and nothing else', async () => {
  for (const curve of curves) {
    const made = await generate(new Map([[CKA.EC_PARAMS, curveIdentifier(curve)]]))
    assert.deepEqual([...made.publicKey.keys()], [CKA.EC_PARAMS, CKA.EC_POINT])
    assert.deepEqual([...made.privateKey.keys()], [CKA.EC_PARAMS, CKA.VALUE])
    assert.equal((made.privateKey.get(CKA.VALUE) as Uint8Array).length, curve.orderBytes)
    const point = made.publicKey.get(CKA.EC_POINT) as Uint8Array
    assert.equal(point[0], TAG.OCTET_STRING)
    assert.equal(point.at(-1 - 2 * curve.bytes), 4)
  }
})

const complete = (objectClass: number, values: Iterable<readonly [number, Uint8Array]>) =>
  ecKeyType.complete?.(objectClass, new Map(values)) ?? new Map()

test('a point is taken as it is and in its OCTET STRING, and kept in that', async () => {
  for (const curve of curves) {
    const { publicKey } = await generated(curve)
    const encoded = publicKey.attributes.get(CKA.EC_POINT) as Uint8Array
    const point = encoded.subarray(encoded.length - 1 - 2 * curve.bytes)
    for (const given of [encoded, point]) {
      const completed = complete(CKO.PUBLIC_KEY, [
        [CKA.EC_PARAMS, curveIdentifier(curve)],
        [CKA.EC_POINT, given],
      ])
      assert.equal(toHex(completed.get(CKA.EC_POINT) as Uint8Array), toHex(encoded))
      assert.deepEqual(completed.get(CKA.PUBLIC_KEY_INFO), ecPublicKeyInfo(curve, point))
    }
  }
})

test('the two halves of a pair have the same SubjectPublicKeyInfo', async () => {
  for (const curve of curves) {
    const { publicKey, privateKey } = await generated(curve)
    const info = privateKey.attributes.get(CKA.PUBLIC_KEY_INFO)
    assert.ok(info)
    assert.deepEqual(publicKey.attributes.get(CKA.PUBLIC_KEY_INFO), info)
  }
})

test('values that make no key are refused', () => {
  const parameters = [CKA.EC_PARAMS, curveIdentifier(p256)] as const
  const { point } = rfc6979
  const off = point.slice()
  off[64] = (off[64] as number) ^ 1
  const hybrid = point.slice()
  hybrid[0] = 7
  const order = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const refused: [number, number, (readonly [number, Uint8Array])[]][] = [
    [CKR.TEMPLATE_INCOMPLETE, CKO.PUBLIC_KEY, [parameters]],
    [CKR.TEMPLATE_INCOMPLETE, CKO.PUBLIC_KEY, [[CKA.EC_POINT, point]]],
    [CKR.TEMPLATE_INCOMPLETE, CKO.PRIVATE_KEY, [parameters, [CKA.VALUE, none]]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PUBLIC_KEY, [parameters, [CKA.EC_POINT, off]]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PUBLIC_KEY, [parameters, [CKA.EC_POINT, octetString(off)]]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PUBLIC_KEY, [parameters, [CKA.EC_POINT, hex('0400')]]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PUBLIC_KEY, [parameters, [CKA.EC_POINT, point.subarray(1)]]],
    [CKR.TEMPLATE_INCONSISTENT, CKO.PUBLIC_KEY, [parameters, [CKA.EC_POINT, octetString(hybrid)]]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PRIVATE_KEY, [parameters, [CKA.VALUE, order]]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PRIVATE_KEY, [parameters, [CKA.VALUE, hex('00')]]],
    [
      CKR.CURVE_NOT_SUPPORTED,
      CKO.PRIVATE_KEY,
      [
        [CKA.EC_PARAMS, hex('06082a811ccf5501822d')],
        [CKA.VALUE, hex('01')],
      ],
    ],
  ]
  for (const [rv, objectClass, values] of refused)
    assert.throws(() => complete(objectClass, values), withReturnValue(rv))
})

test('the other half of a key, or another key, is refused', async () => {
  const { publicKey, privateKey } = await generated(p256)
  const swapped = using(ec, { publicKey: privateKey, privateKey: publicKey })
  const wrong = withReturnValue(CKR.KEY_TYPE_INCONSISTENT)
  await assert.rejects(swapped.sign(CKM.ECDSA, message), wrong)
  await assert.rejects(swapped.verify(CKM.ECDSA, message, message), wrong)
  const other = keyObject({ type: CKK.RSA, name: rsaKeyType.name }, CKO.PRIVATE_KEY, [])
  await assert.rejects(using(ec, { publicKey, privateKey: other }).sign(CKM.ECDSA, message), wrong)
})

interface Derivation {
  readonly kdf?: number
  readonly sharedData?: Uint8Array
  readonly publicData?: Uint8Array
}

function derive(
  base: CryptokiObject,
  template: Iterable<readonly [number, number]>,
  { kdf = CKD.NULL, sharedData = none, publicData = rfc5903.peer }: Derivation = {},
): Uint8Array {
  const parameter = { kdf, sharedData, publicData }
  const made = maker(
    ec,
    CKM.ECDH1_DERIVE,
    'derive',
  )(base, {
    mechanism: mechanism(CKM.ECDH1_DERIVE, parameter),
    surrender: new Surrender(),
    template: new Map(template),
    key: () => assert.fail('ECDH takes no other key by its handle'),
  }) as Attributes
  assert.deepEqual([...made.keys()], [CKA.VALUE])
  return made.get(CKA.VALUE) as Uint8Array
}

const rfc5903Key = knownPair({ scalar: rfc5903.scalar, point: rfc5903.peer }).privateKey
const generic = [CKA.KEY_TYPE, CKK.GENERIC_SECRET] as const
const aes = [CKA.KEY_TYPE, CKK.AES] as const

test('CKM_ECDH1_DERIVE makes the secret of RFC 5903, from a point in either form', () => {
  for (const publicData of [rfc5903.peer, octetString(rfc5903.peer)])
    assert.equal(toHex(derive(rfc5903Key, [generic], { publicData })), toHex(rfc5903.secret))
})

test('a secret that is too long loses its leading bytes', () => {
  for (const length of [1, 16, 31, 32]) {
    const value = derive(rfc5903Key, [generic, [CKA.VALUE_LEN, length]])
    assert.equal(toHex(value), toHex(rfc5903.secret.subarray(32 - length)))
  }
})

test('an AES key without a length takes 32 bytes of a longer secret', async () => {
  const { privateKey, publicKey } = await generated(p521)
  const publicData = publicKey.attributes.get(CKA.EC_POINT) as Uint8Array
  const whole = derive(privateKey, [generic], { publicData })
  assert.equal(whole.length, 66)
  assert.equal(toHex(derive(privateKey, [aes], { publicData })), toHex(whole.subarray(34)))
})

test('each key derivation function makes what X9.63 or SP 800-56A says, as long as asked', () => {
  const sharedData = ascii('shared')
  for (const { name, digest } of signatureHashes) {
    const kdf = CKD[`${name}_KDF`]
    for (const length of [1, 16, 200]) {
      const asked = [generic, [CKA.VALUE_LEN, length]] as const
      const value = derive(rfc5903Key, asked, { kdf, sharedData })
      assert.deepEqual(value, x963(digest, rfc5903.secret, sharedData, length))
      const sp800 = derive(rfc5903Key, asked, { kdf: CKD[`${name}_KDF_SP800`], sharedData })
      assert.deepEqual(sp800, oneStep(digest, rfc5903.secret, sharedData, length))
    }
    assert.equal(derive(rfc5903Key, [aes], { kdf }).length, 32)
  }
})

test('the functions of BLAKE2b take no shared data', () => {
  for (const bits of [160, 256, 384, 512] as const) {
    const kdf = CKD[`BLAKE2B_${bits}_KDF`]
    const asked = [generic, [CKA.VALUE_LEN, 70]] as const
    const expected = oneStep(`blake2b-${bits}`, rfc5903.secret, none, 70)
    assert.deepEqual(derive(rfc5903Key, asked, { kdf }), expected)
    assert.throws(
      () => derive(rfc5903Key, asked, { kdf, sharedData: hex('01') }),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
  }
})

test('a length that cannot be is refused', () => {
  const kdf = CKD.SHA256_KDF
  const refused: [number, (readonly [number, number])[], Derivation][] = [
    [CKR.TEMPLATE_INCONSISTENT, [generic, [CKA.VALUE_LEN, 33]], {}],
    [CKR.TEMPLATE_INCONSISTENT, [generic, [CKA.VALUE_LEN, 0]], {}],
    [CKR.TEMPLATE_INCONSISTENT, [generic, [CKA.VALUE_LEN, 2 ** 40]], { kdf }],
    [CKR.TEMPLATE_INCOMPLETE, [generic], { kdf }],
  ]
  for (const [rv, template, derivation] of refused)
    assert.throws(() => derive(rfc5903Key, template, derivation), withReturnValue(rv))
})

test('a parameter that does not fit is refused', () => {
  const off = rfc5903.peer.slice()
  off[1] = (off[1] as number) ^ 1
  const refused: [number, Derivation][] = [
    [CKR.MECHANISM_PARAM_INVALID, { kdf: 0 }],
    [CKR.MECHANISM_PARAM_INVALID, { kdf: CKD.CPDIVERSIFY_KDF }],
    [CKR.MECHANISM_PARAM_INVALID, { sharedData: hex('01') }],
    [CKR.PUBLIC_KEY_INVALID, { publicData: off }],
    [CKR.PUBLIC_KEY_INVALID, { publicData: octetString(off) }],
    [CKR.PUBLIC_KEY_INVALID, { publicData: none }],
    [CKR.PUBLIC_KEY_INVALID, { publicData: hex('00') }],
    [CKR.PUBLIC_KEY_INVALID, { publicData: rfc5903.peer.subarray(0, 33) }],
    [CKR.PUBLIC_KEY_INVALID, { publicData: Uint8Array.of(6, ...rfc5903.peer.subarray(1)) }],
  ]
  for (const [rv, derivation] of refused)
    assert.throws(() => derive(rfc5903Key, [generic], derivation), withReturnValue(rv))
})

test('a private key goes through PKCS #8 and comes back', async () => {
  for (const curve of curves) {
    const { privateKey } = await generated(curve)
    const info = ecKeyType.toPkcs8?.(privateKey) as Uint8Array
    const values = ecKeyType.fromPkcs8?.(info) as Attributes
    info.fill(0)
    assert.deepEqual(values.get(CKA.VALUE), privateKey.attributes.get(CKA.VALUE))
    assert.deepEqual(values.get(CKA.EC_PARAMS), curveIdentifier(curve))
  }
})

test('a PrivateKeyInfo with another key, or none, is refused', () => {
  const info = ecKeyType.toPkcs8?.(rfc5903Key) as Uint8Array
  const zero = info.slice().fill(0, 36, 68)
  assert.equal(toHex(info.subarray(36, 68)), toHex(rfc5903.scalar))
  const otherAlgorithm = info.slice()
  otherAlgorithm[14] = 0
  for (const bytes of [
    none,
    hex('3000'),
    info.subarray(1),
    info.subarray(0, 60),
    zero,
    otherAlgorithm,
  ])
    assert.throws(() => ecKeyType.fromPkcs8?.(bytes), withReturnValue(CKR.WRAPPED_KEY_INVALID))
})
