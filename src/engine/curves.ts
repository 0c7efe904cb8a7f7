/**
 * The elliptic curves in short Weierstrass form that OpenSSL has and that have an OBJECT IDENTIFIER:
 * FIPS 186-5 and SP 800-186, SEC 2, ANSI X9.62, RFC 5639 (Brainpool) and WAP WTLS. Left out are SM2,
 * whose signatures are not ECDSA, and the two Oakley groups, which have no identifier.
 */
import { element, oidContent, TAG } from './der.ts'

/** A curve as a CKA_EC_PARAMS may name it. */
export interface NamedCurve {
  /** What people call it. */
  readonly name: string
  /** What else it is called, as a curveName. */
  readonly aliases: readonly string[]
  /** The content bytes of its OBJECT IDENTIFIER. */
  readonly oid: Uint8Array
}

export interface Curve extends NamedCurve {
  /** OpenSSL's name for the group. */
  readonly group: string
  /** What the field is of: an odd prime, or characteristic two. */
  readonly field: 'prime' | 'binary'
  /** Bits of the field. */
  readonly bits: number
  /** Bytes of a coordinate, and of a shared secret. */
  readonly bytes: number
  /** Bytes of the order of the base point: of a private key, and of half a signature. */
  readonly orderBytes: number
  /** Points of the curve for each point of the group; 1 where every point of the curve is in it. */
  readonly cofactor: number
}

/**
 * OpenSSL's name, OID, bits of the field, bits of the order, cofactor, and other names. The first of
 * the others is the one to show: the NIST curves are known by NIST's names (SP 800-186, 3).
 */
type Row = readonly [string, string, number, number, number, ...string[]]

// Those that everybody uses come first; what lists curves lists them in this order.
const primeCurves: readonly Row[] = [
  ['prime256v1', '1.2.840.10045.3.1.7', 256, 256, 1, 'P-256', 'secp256r1'],
  ['secp384r1', '1.3.132.0.34', 384, 384, 1, 'P-384'],
  ['secp521r1', '1.3.132.0.35', 521, 521, 1, 'P-521'],
  ['secp224r1', '1.3.132.0.33', 224, 224, 1, 'P-224'],
  ['prime192v1', '1.2.840.10045.3.1.1', 192, 192, 1, 'P-192', 'secp192r1'],
  ['secp112r1', '1.3.132.0.6', 112, 112, 1],
  ['secp112r2', '1.3.132.0.7', 112, 110, 4],
  ['secp128r1', '1.3.132.0.28', 128, 128, 1],
  ['secp128r2', '1.3.132.0.29', 128, 126, 4],
  ['secp160k1', '1.3.132.0.9', 160, 161, 1],
  ['secp160r1', '1.3.132.0.8', 160, 161, 1],
  ['secp160r2', '1.3.132.0.30', 160, 161, 1],
  ['secp192k1', '1.3.132.0.31', 192, 192, 1],
  ['secp224k1', '1.3.132.0.32', 224, 225, 1],
  ['secp256k1', '1.3.132.0.10', 256, 256, 1],
  ['brainpoolP160r1', '1.3.36.3.3.2.8.1.1.1', 160, 160, 1],
  ['brainpoolP160t1', '1.3.36.3.3.2.8.1.1.2', 160, 160, 1],
  ['brainpoolP192r1', '1.3.36.3.3.2.8.1.1.3', 192, 192, 1],
  ['brainpoolP192t1', '1.3.36.3.3.2.8.1.1.4', 192, 192, 1],
  ['brainpoolP224r1', '1.3.36.3.3.2.8.1.1.5', 224, 224, 1],
  ['brainpoolP224t1', '1.3.36.3.3.2.8.1.1.6', 224, 224, 1],
  ['brainpoolP256r1', '1.3.36.3.3.2.8.1.1.7', 256, 256, 1],
  ['brainpoolP256t1', '1.3.36.3.3.2.8.1.1.8', 256, 256, 1],
  ['brainpoolP320r1', '1.3.36.3.3.2.8.1.1.9', 320, 320, 1],
  ['brainpoolP320t1', '1.3.36.3.3.2.8.1.1.10', 320, 320, 1],
  ['brainpoolP384r1', '1.3.36.3.3.2.8.1.1.11', 384, 384, 1],
  ['brainpoolP384t1', '1.3.36.3.3.2.8.1.1.12', 384, 384, 1],
  ['brainpoolP512r1', '1.3.36.3.3.2.8.1.1.13', 512, 512, 1],
  ['brainpoolP512t1', '1.3.36.3.3.2.8.1.1.14', 512, 512, 1],
  ['prime192v2', '1.2.840.10045.3.1.2', 192, 192, 1],
  ['prime192v3', '1.2.840.10045.3.1.3', 192, 192, 1],
  ['prime239v1', '1.2.840.10045.3.1.4', 239, 239, 1],
  ['prime239v2', '1.2.840.10045.3.1.5', 239, 239, 1],
  ['prime239v3', '1.2.840.10045.3.1.6', 239, 239, 1],
  ['wap-wsg-idm-ecid-wtls6', '2.23.43.1.4.6', 112, 112, 1],
  ['wap-wsg-idm-ecid-wtls8', '2.23.43.1.4.8', 112, 113, 1],
  ['wap-wsg-idm-ecid-wtls7', '2.23.43.1.4.7', 160, 161, 1],
  ['wap-wsg-idm-ecid-wtls9', '2.23.43.1.4.9', 160, 161, 1],
  ['wap-wsg-idm-ecid-wtls12', '2.23.43.1.4.12', 224, 224, 1],
]

const binaryCurves: readonly Row[] = [
  ['sect113r1', '1.3.132.0.4', 113, 113, 2],
  ['sect113r2', '1.3.132.0.5', 113, 113, 2],
  ['sect131r1', '1.3.132.0.22', 131, 131, 2],
  ['sect131r2', '1.3.132.0.23', 131, 131, 2],
  ['sect163k1', '1.3.132.0.1', 163, 163, 2, 'K-163'],
  ['sect163r1', '1.3.132.0.2', 163, 162, 2],
  ['sect163r2', '1.3.132.0.15', 163, 163, 2, 'B-163'],
  ['sect193r1', '1.3.132.0.24', 193, 193, 2],
  ['sect193r2', '1.3.132.0.25', 193, 193, 2],
  ['sect233k1', '1.3.132.0.26', 233, 232, 4, 'K-233'],
  ['sect233r1', '1.3.132.0.27', 233, 233, 2, 'B-233'],
  ['sect239k1', '1.3.132.0.3', 239, 238, 4],
  ['sect283k1', '1.3.132.0.16', 283, 281, 4, 'K-283'],
  ['sect283r1', '1.3.132.0.17', 283, 282, 2, 'B-283'],
  ['sect409k1', '1.3.132.0.36', 409, 407, 4, 'K-409'],
  ['sect409r1', '1.3.132.0.37', 409, 409, 2, 'B-409'],
  ['sect571k1', '1.3.132.0.38', 571, 570, 4, 'K-571'],
  ['sect571r1', '1.3.132.0.39', 571, 570, 2, 'B-571'],
  ['c2pnb163v1', '1.2.840.10045.3.0.1', 163, 163, 2],
  ['c2pnb163v2', '1.2.840.10045.3.0.2', 163, 162, 2],
  ['c2pnb163v3', '1.2.840.10045.3.0.3', 163, 162, 2],
  ['c2pnb176v1', '1.2.840.10045.3.0.4', 176, 161, 65390],
  ['c2tnb191v1', '1.2.840.10045.3.0.5', 191, 191, 2],
  ['c2tnb191v2', '1.2.840.10045.3.0.6', 191, 190, 4],
  ['c2tnb191v3', '1.2.840.10045.3.0.7', 191, 189, 6],
  ['c2pnb208w1', '1.2.840.10045.3.0.10', 208, 193, 65096],
  ['c2tnb239v1', '1.2.840.10045.3.0.11', 239, 238, 4],
  ['c2tnb239v2', '1.2.840.10045.3.0.12', 239, 237, 6],
  ['c2tnb239v3', '1.2.840.10045.3.0.13', 239, 236, 10],
  ['c2pnb272w1', '1.2.840.10045.3.0.16', 272, 257, 65286],
  ['c2pnb304w1', '1.2.840.10045.3.0.17', 304, 289, 65070],
  ['c2tnb359v1', '1.2.840.10045.3.0.18', 359, 353, 76],
  ['c2pnb368w1', '1.2.840.10045.3.0.19', 368, 353, 65392],
  ['c2tnb431r1', '1.2.840.10045.3.0.20', 431, 418, 10080],
  ['wap-wsg-idm-ecid-wtls1', '2.23.43.1.4.1', 113, 112, 2],
  ['wap-wsg-idm-ecid-wtls4', '2.23.43.1.4.4', 113, 113, 2],
  ['wap-wsg-idm-ecid-wtls3', '2.23.43.1.4.3', 163, 163, 2],
  ['wap-wsg-idm-ecid-wtls5', '2.23.43.1.4.5', 163, 163, 2],
  ['wap-wsg-idm-ecid-wtls10', '2.23.43.1.4.10', 233, 232, 4],
  ['wap-wsg-idm-ecid-wtls11', '2.23.43.1.4.11', 233, 233, 2],
]

const curveOf =
  (field: Curve['field']) =>
  ([group, oid, bits, orderBits, cofactor, ...others]: Row): Curve => ({
    name: others[0] ?? group,
    aliases: others.length === 0 ? [] : [...others.slice(1), group],
    oid: oidContent(oid),
    group,
    field,
    bits,
    bytes: Math.ceil(bits / 8),
    orderBytes: Math.ceil(orderBits / 8),
    cofactor,
  })

export const curves: readonly Curve[] = [
  ...primeCurves.map(curveOf('prime')),
  ...binaryCurves.map(curveOf('binary')),
]

/** A curve's OBJECT IDENTIFIER in DER. */
export const curveIdentifier = ({ oid }: NamedCurve): Uint8Array =>
  element(TAG.OBJECT_IDENTIFIER, oid)

/** Whether this is a name of the curve. Case counts, as in OpenSSL. */
export const isCalled = ({ name, aliases }: NamedCurve, asked: string): boolean =>
  name === asked || aliases.includes(asked)
