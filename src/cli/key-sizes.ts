/** How large a key is, from the attributes of the object. */
import { curveIdentifier, curves } from '../engine/curves.ts'
import { edwardsCurves, montgomeryCurves } from '../engine/octet-curves.ts'
import { CKA } from '../standard/constants.ts'
import type { Attributes } from './attributes.ts'

/** What tells a key's size: attributes to ask for. */
export const SIZE_ATTRIBUTES = [CKA.MODULUS, CKA.EC_PARAMS, CKA.VALUE_LEN]

const bitLength = (integer: Uint8Array): number => {
  const first = integer.findIndex((byte) => byte !== 0)
  return first < 0 ? 0 : (integer.length - first) * 8 + 24 - Math.clz32(integer[first] ?? 0)
}

const named = [...curves, ...edwardsCurves, ...montgomeryCurves]

/** `P-256`; the parameters in hexadecimal for a curve we do not know, or that is named in words. */
const curveName = (parameters: Uint8Array): string =>
  named.find((curve) => Buffer.compare(curveIdentifier(curve), parameters) === 0)?.name ??
  Buffer.from(parameters).toString('hex')

/** The size of a key for people, such as `3072 bits` or `P-256`; empty where the object does not tell. */
export function keySize(key: Attributes): string {
  const modulus = key.bytes(CKA.MODULUS)
  if (modulus !== undefined) return `${bitLength(modulus)} bits`
  const parameters = key.bytes(CKA.EC_PARAMS)
  if (parameters !== undefined) return curveName(parameters)
  const length = key.number(CKA.VALUE_LEN)
  return length === undefined ? '' : `${length * 8} bits`
}
