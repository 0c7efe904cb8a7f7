/**
 * ECDSA and ECDH on the NIST prime curves over OpenSSL. FIPS 186-5, SEC 1. Scalars and coordinates are
 * big-endian; points are uncompressed: 04, x, y.
 */
import { createECDH } from 'node:crypto'
import { isNativeError, type NativeKey, native } from './binding.ts'
import {
  bitString,
  contextTag,
  DerError,
  DerReader,
  element,
  integer,
  octetString,
  sequence,
  TAG,
  withoutLeadingZeros,
} from './der.ts'
import { type DigestName, digesting, digestLengths } from './digests.ts'
import { privateKeyInfo, publicKeyInfo, readPrivateKeyInfo, sameBytes } from './key-info.ts'
import { padTo } from './rsa.ts'

export interface Curve {
  /** OpenSSL's name for the group. */
  readonly name: string
  /** What else it is called, as a curveName. */
  readonly aliases: readonly string[]
  /** The content bytes of its OBJECT IDENTIFIER. */
  readonly oid: Uint8Array
  /** Bits of the field, and of the order, which for these curves are the same. */
  readonly bits: number
  /** Bytes of a coordinate, of a scalar, and of half a signature. */
  readonly bytes: number
}

const curve = (name: string, bits: number, oid: readonly number[], aliases: string[]): Curve => ({
  name,
  aliases,
  oid: Uint8Array.from(oid),
  bits,
  bytes: Math.ceil(bits / 8),
})

/** OIDs: SEC 2, appendix A.2 (1.2.840.10045.3.1.7, 1.3.132.0.34 and 1.3.132.0.35). */
export const curves: readonly Curve[] = [
  curve(
    'P-256',
    256,
    [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    ['secp256r1', 'prime256v1'],
  ),
  curve('P-384', 384, [0x2b, 0x81, 0x04, 0x00, 0x22], ['secp384r1']),
  curve('P-521', 521, [0x2b, 0x81, 0x04, 0x00, 0x23], ['secp521r1']),
]

/** The curve's OBJECT IDENTIFIER in DER. */
export const curveIdentifier = ({ oid }: Curve): Uint8Array => element(TAG.OBJECT_IDENTIFIER, oid)

/** Bytes of an uncompressed point. */
export const pointBytes = ({ bytes }: Curve): number => 1 + 2 * bytes

/** A parsed key, public or private. */
export interface EcKey {
  readonly native: NativeKey
  readonly curve: Curve
}

/** Parses a public point; undefined where it is none of the curve. */
export function importEcPublic(curve: Curve, point: Uint8Array): EcKey | undefined {
  if (point.length !== pointBytes(curve) || point[0] !== 4) return undefined
  try {
    const key = native().importKey('EC', 'public', { group: curve.name, pub: point })
    return { native: key, curve }
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_IMPORT')) return undefined
    throw error
  }
}

/** Parses a private scalar; undefined where it is not from 1 to the order less 1. */
export function importEcPrivate(curve: Curve, scalar: Uint8Array): EcKey | undefined {
  if (withoutLeadingZeros(scalar).length > curve.bytes || scalar.length === 0) return undefined
  const key = native().importKey('EC', 'private', { group: curve.name, priv: scalar })
  return native().check(key, 'private') ? { native: key, curve } : undefined
}

export interface EcPair {
  /** As many bytes as the curve has. */
  readonly scalar: Uint8Array
  readonly point: Uint8Array
}

export function generateEc(curve: Curve): EcPair {
  const key = native().generate('EC', { group: curve.name })
  const scalar = native().component(key, 'priv')
  return { scalar: padTo(curve.bytes, scalar), point: native().component(key, 'pub') }
}

/** The public point of a private scalar that importEcPrivate takes. */
export function pointOf(curve: Curve, scalar: Uint8Array): Uint8Array {
  const pair = createECDH(curve.aliases.at(-1) as string)
  pair.setPrivateKey(withoutLeadingZeros(scalar))
  return Uint8Array.from(pair.getPublicKey())
}

/** Signs a digest, of which the leftmost bits count. The answer is r and s, `curve.bytes` each. */
export function ecdsaSign({ native: key, curve }: EcKey, digest: Uint8Array): Uint8Array {
  const reader = new DerReader(native().sign(key, digest)).within()
  const [r, s] = [reader.integer(), reader.integer()]
  return Buffer.concat([padTo(curve.bytes, r), padTo(curve.bytes, s)])
}

/** Whether a signature is right: r and s one after the other, of the same length, which may lack leading zeros. */
export function ecdsaVerify(
  { native: key }: EcKey,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const half = signature.length / 2
  const encoded = sequence(integer(signature.subarray(0, half)), integer(signature.subarray(half)))
  return native().verify(key, digest, undefined, undefined, encoded)
}

/** The x coordinate both sides share, `curve.bytes` long. SEC 1, 3.3.1; the cofactor of these curves is 1. */
export const ecdh = (key: EcKey, peer: EcKey): Uint8Array =>
  native().derive(key.native, peer.native)

/** Bytes that ANSI X9.63 makes of a shared secret: SEC 1, 3.6.1. Zeroes what it does not answer. */
export function x963(
  digest: DigestName,
  secret: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const step = digestLengths[digest]
  const output = new Uint8Array(Math.ceil(length / step) * step)
  const counter = Buffer.alloc(4)
  for (let at = 0; at < output.length; at += step) {
    counter.writeUInt32BE(at / step + 1)
    const hash = digesting(digest)
    for (const part of [secret, counter, info]) hash.update(part)
    output.set(hash.digest(), at)
  }
  output.fill(0, length)
  return output.subarray(0, length)
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
  const value = padTo(curve.bytes, withoutLeadingZeros(scalar))
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
