/**
 * ECDSA and ECDH on the curves of curves.ts over OpenSSL. FIPS 186-5, SEC 1. Scalars and coordinates
 * are big-endian; points are uncompressed (04, x, y) or compressed (02 or 03, x).
 */
import { createECDH } from 'node:crypto'
import { isNativeError, type NativeKey, native } from './binding.ts'
import { type Curve, curveIdentifier } from './curves.ts'
import {
  bitString,
  contextTag,
  DerError,
  DerReader,
  element,
  octetString,
  sequence,
  TAG,
  withoutLeadingZeros,
} from './der.ts'
import { privateKeyInfo, publicKeyInfo, readPrivateKeyInfo, sameBytes } from './key-info.ts'
import { randomBytes } from './random.ts'
import { padTo } from './rsa.ts'

export { type Curve, curveIdentifier, curves } from './curves.ts'

/** Bytes of an uncompressed point. */
export const pointBytes = ({ bytes }: Curve): number => 1 + 2 * bytes

/** Bytes of a compressed point. */
export const compressedBytes = ({ bytes }: Curve): number => 1 + bytes

/** Whether bytes have the form of an uncompressed or a compressed point; SEC 1, 2.3.3. */
function isPointLike(curve: Curve, point: Uint8Array): boolean {
  const [form] = point
  if (form === 4) return point.length === pointBytes(curve)
  return (form === 2 || form === 3) && point.length === compressedBytes(curve)
}

/** A parsed key, public or private. */
export interface EcKey {
  readonly native: NativeKey
  readonly curve: Curve
}

/**
 * Parses a public point; undefined where it is none of the group. OpenSSL sees to it that a point is
 * on the curve; where the curve has more points than the group, that is asked for as well.
 */
export function importEcPublic(curve: Curve, point: Uint8Array): EcKey | undefined {
  if (!isPointLike(curve, point)) return undefined
  try {
    const key = native().importKey('EC', 'public', { group: curve.group, pub: point })
    const sound = curve.cofactor === 1 || native().check(key, 'public')
    return sound ? { native: key, curve } : undefined
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_IMPORT')) return undefined
    throw error
  }
}

/** The uncompressed point of a public key. */
export const uncompressed = ({ native: key }: EcKey): Uint8Array => native().component(key, 'pub')

/** Parses a private scalar; undefined where it is not from 1 to the order less 1. */
export function importEcPrivate(curve: Curve, scalar: Uint8Array): EcKey | undefined {
  if (withoutLeadingZeros(scalar).length > curve.orderBytes || scalar.length === 0) return undefined
  const key = native().importKey('EC', 'private', { group: curve.group, priv: scalar })
  return native().check(key, 'private') ? { native: key, curve } : undefined
}

export interface EcPair {
  /** As many bytes as the order of the curve has. */
  readonly scalar: Uint8Array
  readonly point: Uint8Array
}

/** Scalars are drawn until one is below the order: FIPS 186-5, A.2.2. */
export function generateEc(curve: Curve): EcPair {
  const key = native().generate('EC', { group: curve.group })
  const scalar = native().component(key, 'priv')
  return { scalar: padTo(curve.orderBytes, scalar), point: native().component(key, 'pub') }
}

/** Bytes that a scalar is drawn from beyond the order's: 64 bits. */
const EXTRA = 8

/** A scalar is what remains of a number 64 bits longer than the order: FIPS 186-5, A.2.1 (FIPS 186-4, B.4.1). */
export function generateEcWithExtraBits(curve: Curve): EcPair {
  const order = native().component(native().generate('EC', { group: curve.group }), 'order')
  const drawn = randomBytes(curve.orderBytes + EXTRA)
  try {
    const scalar = native().reduceToScalar(order, drawn)
    return { scalar: padTo(curve.orderBytes, scalar), point: pointOf(curve, scalar) }
  } finally {
    drawn.fill(0)
  }
}

/** The public point of a private scalar that importEcPrivate takes. */
export function pointOf(curve: Curve, scalar: Uint8Array): Uint8Array {
  const pair = createECDH(curve.group)
  pair.setPrivateKey(withoutLeadingZeros(scalar))
  return Uint8Array.from(pair.getPublicKey())
}

/** Signs a digest, of which the leftmost bits count. The answer is r and s, `curve.orderBytes` each. */
export function ecdsaSign({ native: key, curve }: EcKey, digest: Uint8Array): Uint8Array {
  const signature = Buffer.allocUnsafe(2 * curve.orderBytes)
  native().ecdsaSign(key, digest, signature)
  return signature
}

/** Whether a signature is right: r and s one after the other, of the same length, which may lack leading zeros. */
export const ecdsaVerify = (
  { native: key }: EcKey,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean => native().ecdsaVerify(key, digest, signature)

/**
 * The x coordinate both sides share, `curve.bytes` long: SEC 1, 3.3.1, or with the cofactor 3.3.2.
 * Undefined where the peer is of another curve or shares the point at infinity.
 */
export function ecdh(key: EcKey, peer: EcKey, withCofactor = false): Uint8Array | undefined {
  try {
    return native().derive(key.native, peer.native, { 'ecdh-cofactor-mode': withCofactor ? 1 : 0 })
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_DERIVE')) return undefined
    throw error
  }
}

/** id-ecPublicKey, 1.2.840.10045.2.1 (RFC 5480, 2.1.1). */
const EC_PUBLIC_KEY = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01)

const algorithmOf = (curve: Curve) => ({ oid: EC_PUBLIC_KEY, parameters: curveIdentifier(curve) })

/** SubjectPublicKeyInfo (RFC 5480, 2). */
export const ecPublicKeyInfo = (curve: Curve, point: Uint8Array): Uint8Array =>
  publicKeyInfo(algorithmOf(curve), point)

/**
 * PrivateKeyInfo around an ECPrivateKey (RFC 5915, 3), which PKCS #11 wants without parameters. The
 * public key goes along: other programs look for it.
 */
export function ecPrivateKeyInfo(curve: Curve, scalar: Uint8Array): Uint8Array {
  const value = padTo(curve.orderBytes, withoutLeadingZeros(scalar))
  const point = bitString(pointOf(curve, scalar))
  const key = sequence(
    Uint8Array.of(TAG.INTEGER, 1, 1),
    octetString(value),
    element(contextTag(1), point),
  )
  try {
    return privateKeyInfo(algorithmOf(curve), key)
  } finally {
    value.fill(0)
    key.fill(0)
  }
}

/**
 * The parameters (DER) and the scalar of an ECPrivateKey in a PrivateKeyInfo, as views of it;
 * undefined for a key of another algorithm. Throws DerError.
 */
export function readEcPrivateKeyInfo(
  info: Uint8Array,
): { parameters: Uint8Array; scalar: Uint8Array } | undefined {
  const { algorithm, key } = readPrivateKeyInfo(info)
  if (!sameBytes(algorithm.oid, EC_PUBLIC_KEY)) return undefined
  const outer = new DerReader(key)
  const reader = outer.within()
  outer.end()
  if (!sameBytes(reader.integer(), Uint8Array.of(1)))
    throw new DerError('an ECPrivateKey is of an unknown version')
  const scalar = reader.read(TAG.OCTET_STRING)
  const within =
    reader.nextTag === contextTag(0) ? reader.within(contextTag(0)).element() : undefined
  if (reader.nextTag === contextTag(1)) reader.read(contextTag(1))
  reader.end()
  const parameters = algorithm.parameters ?? within
  if (parameters === undefined) throw new DerError('an EC key has no parameters')
  return { parameters, scalar }
}
