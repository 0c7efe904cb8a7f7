/** Mechanism parameters: whether their form fits a row, and their values. PKCS #11 3.2, 3.5.1. */
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type StructureRow, structures } from '../standard/structures.ts'
import type { Mechanism, MechanismArgument, Parameter } from './mechanism.ts'

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** No parameter arrives as null, or as no bytes. */
const isAbsent = (parameter: MechanismArgument['parameter']): boolean =>
  parameter === null || (parameter instanceof Uint8Array && parameter.length === 0)

/** The letters of a layout (structures.ts) one by one, `fN` as one. */
const lettersOf = (layout: string): string[] => layout.match(/f\d+|./g) ?? []

function valueFits(value: number | Uint8Array | undefined, letter: string): boolean {
  if (letter === 'u' || letter === 'y') return typeof value === 'number'
  if (!(value instanceof Uint8Array)) return false
  return !letter.startsWith('f') || value.length === Number(letter.slice(1))
}

const structureFits = (parameter: Parameter, { layout, names }: StructureRow): boolean =>
  layout !== null &&
  lettersOf(layout).every((letter, at) => valueFits(parameter[names[at] ?? ''], letter))

/**
 * Throws CKR_MECHANISM_PARAM_INVALID where a parameter's form is not what the row wants: none, plain
 * bytes, or the values of a structure. What the values are is for the row's makers to judge.
 */
export function checkForm(row: Mechanism, parameter: MechanismArgument['parameter']): void {
  if (isAbsent(parameter)) {
    if (row.parameter === undefined || row.parameterOptional) return
    throw invalid(`CKM_${row.name} wants a parameter`)
  }
  if (row.parameter === undefined) throw invalid(`CKM_${row.name} has no parameter`)
  const fits =
    parameter instanceof Uint8Array
      ? row.parameter === 'bytes'
      : row.parameter !== 'bytes' &&
        parameter !== null &&
        structureFits(parameter, structures[row.parameter])
  if (!fits) throw invalid(`CKM_${row.name} wants a parameter of the form ${row.parameter}`)
}

const fieldOf = ({ parameter }: MechanismArgument, name: string) =>
  parameter === null || parameter instanceof Uint8Array ? undefined : parameter[name]

/** A CK_ULONG of a structure by its name; throws CKR_MECHANISM_PARAM_INVALID where it is not there. */
export function numberIn(mechanism: MechanismArgument, name: string): number {
  const value = fieldOf(mechanism, name)
  if (typeof value !== 'number') throw invalid(`the parameter lacks ${name}`)
  return value
}

/** Bytes of a structure by their name; throws CKR_MECHANISM_PARAM_INVALID where they are not there. */
export function bytesIn(mechanism: MechanismArgument, name: string): Uint8Array {
  const value = fieldOf(mechanism, name)
  if (!(value instanceof Uint8Array)) throw invalid(`the parameter lacks ${name}`)
  return value
}

/** A parameter of exactly so many plain bytes; throws CKR_MECHANISM_PARAM_INVALID for any other. */
export function plainBytes({ parameter }: MechanismArgument, length: number): Uint8Array {
  if (!(parameter instanceof Uint8Array) || parameter.length !== length)
    throw invalid(`the parameter is not ${length} bytes`)
  return parameter
}

/** The same, or null where there is no parameter. */
export const optionalBytes = (mechanism: MechanismArgument, length: number): Uint8Array | null =>
  isAbsent(mechanism.parameter) ? null : plainBytes(mechanism, length)

/** Bytes of a CK_ULONG. */
const ULONG = 8

/**
 * A parameter that is one CK_ULONG, little-endian: CK_MAC_GENERAL_PARAMS, CK_EXTRACT_PARAMS,
 * CK_OBJECT_HANDLE. Numbers above 2^53 are not exact. Throws CKR_MECHANISM_PARAM_INVALID for any other.
 */
export function ulongOf(mechanism: MechanismArgument): number {
  const { buffer, byteOffset } = plainBytes(mechanism, ULONG)
  return Number(new DataView(buffer, byteOffset, ULONG).getBigUint64(0, true))
}
