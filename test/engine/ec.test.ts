import assert from 'node:assert/strict'
import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  getCurves,
  sign,
  verify,
} from 'node:crypto'
import { test } from 'node:test'
import { native } from '../../src/engine/binding.ts'
import { DerError, sequence } from '../../src/engine/der.ts'
import {
  type Curve,
  curves,
  type EcKey,
  ecdh,
  ecdsaSign,
  ecdsaVerify,
  ecPrivateKeyInfo,
  ecPublicKeyInfo,
  generateEc,
  generateEcWithExtraBits,
  importEcPrivate,
  importEcPublic,
  pointOf,
  readEcPrivateKeyInfo,
  uncompressed,
} from '../../src/engine/ec.ts'
import { oneStep, x963 } from '../../src/engine/key-derivation.ts'
import { rsaPrivateKeyInfo } from '../../src/engine/rsa.ts'
import { hex, jwsKey, rfc5903, rfc6979, toHex } from './keys.ts'

const p256 = curves[0] as Curve

function the<T>(value: T | undefined): T {
  assert.ok(value !== undefined)
  return value
}

const pairOf = (
  curve: Curve,
): { pair: ReturnType<typeof generateEc>; own: EcKey; other: EcKey } => {
  const pair = generateEc(curve)
  return {
    pair,
    own: the(importEcPrivate(curve, pair.scalar)),
    other: the(importEcPublic(curve, pair.point)),
  }
}

const sha256 = (message: Uint8Array) => createHash('sha256').update(message).digest()

test('the signature of RFC 6979 is right, and its public key follows from the private one', () => {
  const key = the(importEcPublic(p256, rfc6979.point))
  assert.equal(ecdsaVerify(key, sha256(rfc6979.message), rfc6979.signature), true)
  assert.deepEqual(pointOf(p256, rfc6979.scalar), rfc6979.point)
})

test('ECDH makes the secret of RFC 5903', () => {
  const own = the(importEcPrivate(p256, rfc5903.scalar))
  const peer = the(importEcPublic(p256, rfc5903.peer))
  assert.deepEqual(ecdh(own, peer), rfc5903.secret)
})

test('a signature has twice the bytes of the curve, and node:crypto takes it', () => {
  for (const curve of curves) {
    const { pair, own, other } = pairOf(curve)
    const message = Buffer.from('message')
    const digest = sha256(message)
    const signature = ecdsaSign(own, digest)
    assert.equal(signature.length, 2 * curve.orderBytes)
    assert.equal(ecdsaVerify(other, digest, signature), true)
    const info = Buffer.from(ecPublicKeyInfo(curve, pair.point))
    const key = createPublicKey({ key: info, format: 'der', type: 'spki' })
    assert.equal(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature), true)
    signature[5] = (signature[5] as number) ^ 1
    assert.equal(ecdsaVerify(other, digest, signature), false)
  }
})

test('digests longer and shorter than the order are signed as FIPS 186-5 says', () => {
  const { pair, own, other } = pairOf(p256)
  const pkcs8 = Buffer.from(ecPrivateKeyInfo(p256, pair.scalar))
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  for (const name of ['sha1', 'sha256', 'sha512']) {
    const signature = sign(name, Buffer.from('message'), { key, dsaEncoding: 'ieee-p1363' })
    const digest = createHash(name).update('message').digest()
    assert.equal(ecdsaVerify(other, digest, signature), true)
    assert.equal(ecdsaVerify(other, digest, ecdsaSign(own, digest)), true)
  }
})

test('a signature may lack leading zeros, the same number in both halves', () => {
  // The first byte of each half is 0 in every other signature of P-521.
  const { own, other } = pairOf(curves[2] as Curve)
  const digest = sha256(rfc6979.message)
  let signature = ecdsaSign(own, digest)
  while (signature[0] !== 0 || signature[66] !== 0 || signature[1] === 0)
    signature = ecdsaSign(own, digest)
  const [r, s] = [signature.subarray(0, 66), signature.subarray(66)]
  assert.equal(ecdsaVerify(other, digest, signature), true)
  assert.equal(ecdsaVerify(other, digest, Buffer.concat([r.subarray(1), s.subarray(1)])), true)
  assert.equal(ecdsaVerify(other, digest, Buffer.concat([r.subarray(2), s.subarray(2)])), false)
})

test('no digest and no signature of zeros is right', () => {
  const { other } = pairOf(p256)
  const digest = new Uint8Array(32)
  assert.equal(ecdsaVerify(other, digest, new Uint8Array(64)), false)
  assert.equal(ecdsaVerify(other, digest, new Uint8Array(2)), false)
  assert.equal(ecdsaVerify(other, digest, new Uint8Array(64).fill(0xff)), false)
})

test('a generated pair belongs together and fills its bytes', () => {
  for (const curve of curves)
    for (let i = 0; i < 20; i++) {
      const { scalar, point } = generateEc(curve)
      assert.equal(scalar.length, curve.orderBytes)
      assert.equal(point.length, 1 + 2 * curve.bytes)
      assert.deepEqual(pointOf(curve, scalar), point)
    }
})

test('a point off the curve, in another form or at infinity is no key', () => {
  for (const curve of curves) {
    const { point } = generateEc(curve)
    const off = point.slice()
    off[off.length - 1] = (off.at(-1) as number) ^ 1
    const compressedOff = new Uint8Array(1 + curve.bytes).fill(0xff)
    compressedOff[0] = 2
    const hybrid = point.slice()
    hybrid[0] = 6 + ((point.at(-1) as number) & 1)
    const tooLarge = point.slice().fill(0xff, 1)
    const others = [off, compressedOff, hybrid, tooLarge, hex('00'), hex(''), point.subarray(1)]
    for (const other of others) assert.equal(importEcPublic(curve, other), undefined)
  }
})

test('a compressed point is the same key', () => {
  for (const curve of curves) {
    const { point } = generateEc(curve)
    const compressed = [2, 3].map((form) =>
      Uint8Array.of(form, ...point.subarray(1, 1 + curve.bytes)),
    )
    const keys = compressed.map((one) => toHex(uncompressed(the(importEcPublic(curve, one)))))
    assert.ok(keys.includes(toHex(point)), curve.name)
    assert.notEqual(keys[0], keys[1], curve.name)
  }
})

test('a point of the curve that is not of the group is no key', () => {
  // (0, sqrt(b)) of K-163 has order 2: b is 1.
  const k163 = the(curves.find(({ name }) => name === 'K-163'))
  const ofOrderTwo = hex(`04${'00'.repeat(21)}${'00'.repeat(20)}01`)
  assert.equal(importEcPublic(k163, ofOrderTwo), undefined)
})

test('a scalar drawn with 64 extra bits is below the order and fills its bytes', () => {
  for (const curve of curves) {
    const { scalar, point } = generateEcWithExtraBits(curve)
    assert.equal(scalar.length, curve.orderBytes)
    assert.ok(importEcPrivate(curve, scalar), curve.name)
    assert.deepEqual(pointOf(curve, scalar), point)
  }
})

test('what is drawn is reduced modulo the order less 1, plus 1', () => {
  const reduced = (order: string, drawn: string) =>
    toHex(native().reduceToScalar(hex(order), hex(drawn)))
  assert.equal(reduced('0b', '00'), '01')
  assert.equal(reduced('0b', '09'), '0a')
  assert.equal(reduced('0b', '0a'), '01')
  assert.equal(reduced('0b', '0100'), '07')
  for (const order of ['', '00'.repeat(129)])
    assert.throws(() => reduced(order, '01'), { code: 'OPENSSL_ARGUMENT' })
})

test('the table of curves tells what OpenSSL knows of them', () => {
  for (const curve of curves) {
    const key = native().generate('EC', { group: curve.group })
    assert.equal(native().component(key, 'order').length, curve.orderBytes, curve.name)
    assert.equal(native().component(key, 'qx').length <= curve.bytes, true, curve.name)
    const cofactor = Number(`0x${toHex(native().component(key, 'cofactor'))}`)
    assert.equal(cofactor, curve.cofactor, curve.name)
  }
  assert.equal(new Set(curves.map(({ oid }) => toHex(oid))).size, curves.length)
  const names = curves.flatMap(({ name, aliases }) => [name, ...aliases])
  assert.equal(new Set(names).size, names.length)
  // Everything that OpenSSL lists, but for what the table leaves out by its own account.
  const left = getCurves().filter((group) => !curves.some((curve) => curve.group === group))
  assert.deepEqual(left, ['Oakley-EC2N-3', 'Oakley-EC2N-4', 'SM2'])
})

test('ECDH with the cofactor is ECDH with the other side times the cofactor', () => {
  for (const curve of curves) {
    const one = pairOf(curve)
    const other = pairOf(curve)
    const secret = the(ecdh(one.own, other.other, true))
    assert.equal(secret.length, curve.bytes)
    assert.deepEqual(ecdh(other.own, one.other, true), secret)
    const plain = the(ecdh(one.own, other.other))
    assert.equal(toHex(plain) === toHex(secret), curve.cofactor === 1, curve.name)
  }
})

test('a scalar of 0, the order or more is no key', () => {
  const order = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const below = order.slice()
  below[31] = 0x50
  assert.ok(importEcPrivate(p256, below))
  assert.ok(importEcPrivate(p256, hex('01')))
  assert.ok(importEcPrivate(p256, Buffer.concat([hex('0000'), below])))
  const refused = [
    order,
    new Uint8Array(32),
    new Uint8Array(32).fill(0xff),
    hex(''),
    hex(`01${'00'.repeat(32)}`),
  ]
  for (const scalar of refused) assert.equal(importEcPrivate(p256, scalar), undefined)
})

test('ECDH is the x coordinate with its leading zeros, on every curve', () => {
  for (const curve of curves) {
    const one = pairOf(curve)
    const other = pairOf(curve)
    const secret = the(ecdh(one.own, other.other))
    assert.equal(secret.length, curve.bytes)
    assert.deepEqual(ecdh(other.own, one.other), secret)
    const node = createECDH(curve.group)
    node.setPrivateKey(one.pair.scalar)
    assert.equal(toHex(node.computeSecret(other.pair.point)), toHex(secret))
  }
})

test('a peer of another curve shares no secret', () => {
  const { own } = pairOf(p256)
  const { other } = pairOf(curves[1] as Curve)
  assert.equal(ecdh(own, other), undefined)
})

test('X9.63 makes the key data of NIST’s vectors', () => {
  const none = new Uint8Array(0)
  const sha1 = x963('sha1', hex('1c7d7b5f0597b03d06a018466ed1a93e30ed4b04dc64ccdd'), none, 16)
  assert.equal(toHex(sha1), 'bf71dffd8f4d99223936beb46fee8ccc')
  const sha256 = x963('sha256', hex('96c05619d56c328ab95fe84b18264b08725b85e33fd34f08'), none, 16)
  assert.equal(toHex(sha256), '443024c3dae66b95e6f5670601558f71')
})

test('one step of SP 800-56A counts blocks from 1 and takes the counter first', () => {
  const secret = hex('0102')
  const info = hex('aa')
  const block = (number: string) =>
    createHash('sha3-256').update(hex(number)).update(secret).update(info).digest('hex')
  const expected = block('00000001') + block('00000002')
  for (const length of [1, 31, 32, 33, 64])
    assert.equal(toHex(oneStep('sha3-256', secret, info, length)), expected.slice(0, 2 * length))
})

test('X9.63 counts blocks from 1 and takes the shared information last', () => {
  const secret = hex('0102')
  const info = hex('aa')
  const block = (number: string) =>
    createHash('sha256').update(secret).update(hex(number)).update(info).digest('hex')
  const expected = block('00000001') + block('00000002') + block('00000003')
  for (const length of [1, 31, 32, 33, 96])
    assert.equal(toHex(x963('sha256', secret, info, length)), expected.slice(0, 2 * length))
})

test('SubjectPublicKeyInfo and PrivateKeyInfo are those of node:crypto', () => {
  for (const curve of curves) {
    const { scalar, point } = generateEc(curve)
    const info = ecPrivateKeyInfo(curve, scalar)
    const key = createPrivateKey({ key: Buffer.from(info), format: 'der', type: 'pkcs8' })
    assert.equal(toHex(key.export({ format: 'der', type: 'pkcs8' })), toHex(info))
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
    assert.equal(toHex(spki), toHex(ecPublicKeyInfo(curve, point)))
    assert.equal(toHex(the(readEcPrivateKeyInfo(info)).scalar), toHex(scalar))
  }
})

test('a PrivateKeyInfo of another algorithm, version or length is not read', () => {
  assert.equal(readEcPrivateKeyInfo(rsaPrivateKeyInfo(jwsKey)), undefined)
  const info = ecPrivateKeyInfo(p256, rfc6979.scalar)
  for (const length of [0, 20, info.length - 1])
    assert.throws(() => readEcPrivateKeyInfo(info.subarray(0, length)), DerError)
  assert.throws(() => readEcPrivateKeyInfo(sequence(info)), DerError)
})
