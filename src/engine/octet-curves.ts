/**
 * The curves whose keys are strings of octets: edwards25519 and edwards448 for EdDSA (RFC 8032),
 * curve25519 and curve448 for ECDH (RFC 7748), and how their keys look outside (RFC 8410). OpenSSL
 * calls them ECX.
 */
import { isNativeError, type NativeKey, native } from './binding.ts'
import type { NamedCurve } from './curves.ts'
import { DerReader, octetString, oidContent, TAG } from './der.ts'
import { privateKeyInfo, publicKeyInfo, readPrivateKeyInfo, sameBytes } from './key-info.ts'

export interface OctetCurve extends NamedCurve {
  /** OpenSSL's name for the type of key. */
  readonly type: 'ED25519' | 'ED448' | 'X25519' | 'X448'
  /** Bits of the field. */
  readonly bits: 255 | 448
  /** Bytes of a private key, and of a public one. */
  readonly bytes: number
}

const curve = (
  [name, ...aliases]: readonly [string, ...string[]],
  type: OctetCurve['type'],
  oid: string,
  bits: OctetCurve['bits'],
  bytes: number,
): OctetCurve => ({ name, aliases, type, oid: oidContent(oid), bits, bytes })

// Their names: RFC 8032, 5, and RFC 7748, 4; the OIDs and what those are called: RFC 8410, 3.

export const edwardsCurves: readonly OctetCurve[] = [
  curve(['Ed25519', 'edwards25519', 'id-Ed25519'], 'ED25519', '1.3.101.112', 255, 32),
  curve(['Ed448', 'edwards448', 'id-Ed448'], 'ED448', '1.3.101.113', 448, 57),
]

export const montgomeryCurves: readonly OctetCurve[] = [
  curve(['X25519', 'curve25519', 'id-X25519'], 'X25519', '1.3.101.110', 255, 32),
  curve(['X448', 'curve448', 'id-X448'], 'X448', '1.3.101.111', 448, 56),
]

/** A parsed key, public or private. */
export interface OctetKey {
  readonly native: NativeKey
  readonly curve: OctetCurve
}

/** Parses a public key; undefined where it has another length. What is no point only shows in use. */
export const importOctetPublic = (curve: OctetCurve, octets: Uint8Array): OctetKey | undefined =>
  octets.length === curve.bytes
    ? { native: native().importKey(curve.type, 'public', { pub: octets }), curve }
    : undefined

/** Parses a private key; undefined where it has another length. Any octets are a key. */
export const importOctetPrivate = (curve: OctetCurve, octets: Uint8Array): OctetKey | undefined =>
  octets.length === curve.bytes
    ? { native: native().importKey(curve.type, 'private', { priv: octets }), curve }
    : undefined

export interface OctetPair {
  readonly privateOctets: Uint8Array
  readonly publicOctets: Uint8Array
}

export function generateOctets(curve: OctetCurve): OctetPair {
  const key = native().generate(curve.type, {})
  return {
    privateOctets: native().component(key, 'priv'),
    publicOctets: native().component(key, 'pub'),
  }
}

/** The public key of either half. */
export const publicOctets = ({ native: key }: OctetKey): Uint8Array =>
  native().component(key, 'pub')

/**
 * The secret both sides share, as long as a key (RFC 7748, 6). Undefined where it is all zeros, which
 * a peer's point of small order makes it, and where the peer is of another curve.
 */
export function octetEcdh(key: OctetKey, peer: OctetKey): Uint8Array | undefined {
  try {
    return native().derive(key.native, peer.native)
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_DERIVE')) return undefined
    throw error
  }
}

/** SubjectPublicKeyInfo (RFC 8410, 4). */
export const octetPublicKeyInfo = ({ oid }: OctetCurve, octets: Uint8Array): Uint8Array =>
  publicKeyInfo({ oid }, octets)

/** PrivateKeyInfo around a CurvePrivateKey (RFC 8410, 7). */
export function octetPrivateKeyInfo({ oid }: OctetCurve, octets: Uint8Array): Uint8Array {
  const key = octetString(octets)
  try {
    return privateKeyInfo({ oid }, key)
  } finally {
    key.fill(0)
  }
}

/**
 * The curve among these and the octets of a CurvePrivateKey in a PrivateKeyInfo, as a view of it;
 * undefined for a key of another algorithm. Throws DerError.
 */
export function readOctetPrivateKeyInfo(
  curves: readonly OctetCurve[],
  info: Uint8Array,
): { curve: OctetCurve; octets: Uint8Array } | undefined {
  const { algorithm, key } = readPrivateKeyInfo(info)
  const curve = curves.find(({ oid }) => sameBytes(oid, algorithm.oid))
  if (curve === undefined || algorithm.parameters !== undefined) return undefined
  const reader = new DerReader(key)
  const octets = reader.read(TAG.OCTET_STRING)
  reader.end()
  return { curve, octets }
}
