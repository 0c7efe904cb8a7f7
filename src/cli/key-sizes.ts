/** How large a key is, from the attributes of the object. */
import { curveIdentifier, curves } from '../engine/curves.ts'
import { edwardsCurves, montgomeryCurves } from '../engine/octet-curves.ts'
import { mlDsaSets, mlKemSets, type ParameterSet, slhDsaSets } from '../engine/parameter-sets.ts'
import { numberOfSet } from '../mechanisms/parameter-set-keys.ts'
import { CKA, CKK } from '../standard/constants.ts'
import type { Attributes } from './attributes.ts'

/** What tells a key's size: attributes to ask for. */
export const SIZE_ATTRIBUTES = [
  CKA.MODULUS,
  CKA.PRIME,
  CKA.EC_PARAMS,
  CKA.VALUE_LEN,
  CKA.PARAMETER_SET,
]

const bitLength = (integer: Uint8Array): number => {
  const first = integer.findIndex((byte) => byte !== 0)
  return first < 0 ? 0 : (integer.length - first) * 8 + 24 - Math.clz32(integer[first] ?? 0)
}

const named = [...curves, ...edwardsCurves, ...montgomeryCurves]

/** `P-256`; the parameters in hexadecimal for a curve we do not know, or that is named in words. */
const curveName = (parameters: Uint8Array): string =>
  named.find((curve) => Buffer.compare(curveIdentifier(curve), parameters) === 0)?.name ??
  Buffer.from(parameters).toString('hex')

const SETS: ReadonlyMap<number | undefined, readonly ParameterSet[]> = new Map([
  [CKK.ML_DSA, mlDsaSets],
  [CKK.ML_KEM, mlKemSets],
  [CKK.SLH_DSA, slhDsaSets],
])

/** `ML-DSA-65`; the number of a set we do not know. */
const setName = (keyType: number | undefined, number: number): string =>
  SETS.get(keyType)?.find((set) => numberOfSet(set) === number)?.name ?? `set ${number}`

/** The size of a key for people, such as `3072 bits`, `P-256` or `ML-DSA-65`; empty where the object does not tell. */
export function keySize(key: Attributes): string {
  const modulus = key.bytes(CKA.MODULUS) ?? key.bytes(CKA.PRIME)
  if (modulus !== undefined) return `${bitLength(modulus)} bits`
  const parameters = key.bytes(CKA.EC_PARAMS)
  if (parameters !== undefined) return curveName(parameters)
  const set = key.number(CKA.PARAMETER_SET)
  if (set !== undefined) return setName(key.number(CKA.KEY_TYPE), set)
  const length = key.number(CKA.VALUE_LEN)
  return length === undefined ? '' : `${length * 8} bits`
}
