/** Mechanism parameters: whether their form fits a row, and their values. PKCS #11 3.2, 3.5.1. */
import type { Attribute, ParameterValue } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import {
  bytesTold,
  type Field,
  MOST_STRUCTURES,
  type ParameterUse,
  type StructureName,
  structureFields,
} from '../standard/layouts.ts'
import type { Mechanism, MechanismArgument, Parameter } from './mechanism.ts'

/** A mechanism, or a structure within its parameter. */
export type Holder = Pick<MechanismArgument, 'parameter'>

/** Bytes of one piece of data that a derivation takes. */
const MOST_DATA = 64 << 10

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** No parameter arrives as null, or as no bytes. */
const isAbsent = (parameter: MechanismArgument['parameter']): boolean =>
  parameter === null || (parameter instanceof Uint8Array && parameter.length === 0)

const isParameter = (value: ParameterValue | undefined): value is Parameter =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array)

const isList = (
  value: ParameterValue | undefined,
): value is readonly Parameter[] | readonly Attribute[] => Array.isArray(value)

/** Whether bytes are as long as the layout says; `outer` is the outermost structure. */
function lengthFits(bytes: Uint8Array, { length, told }: Field, outer: Outer): boolean {
  if (told === undefined) return length === 0 || bytes.length === length
  const tells = outer.parameter[outer.fields[told.by]?.name ?? '']
  if (typeof tells !== 'number') return false
  return bytes.length === bytesTold(tells, told.unit)
}

interface Outer {
  readonly parameter: Parameter
  readonly fields: readonly Field[]
}

type Fits = (value: ParameterValue | undefined, field: Field, outer: Outer) => boolean

const isNumber: Fits = (value) => typeof value === 'number'
const isVersion: Fits = (value) =>
  isParameter(value) && typeof value.major === 'number' && typeof value.minor === 'number'
const isBytes: Fits = (value, field, outer) =>
  value instanceof Uint8Array && lengthFits(value, field, outer)
const isStructure: Fits = (value, { within }, outer) =>
  isParameter(value) && fieldsFit(value, within, outer)
const areStructures: Fits = (value, field, outer) =>
  isList(value) &&
  value.length <= MOST_STRUCTURES &&
  value.every((element: Parameter | Attribute) => isStructure(element as Parameter, field, outer))

const orNull =
  (fits: Fits): Fits =>
  (value, field, outer) =>
    value === null || fits(value, field, outer)

/** What fits each letter of a layout. */
const FITS: Readonly<Record<string, Fits>> = {
  u: isNumber,
  y: isNumber,
  v: isVersion,
  f: isBytes,
  p: isBytes,
  s: isBytes,
  q: isBytes,
  r: orNull(isBytes),
  b: orNull(isBytes),
  t: isList,
  '{': isStructure,
  '*': orNull(isStructure),
  '*u': orNull(isNumber),
  '*v': orNull(isVersion),
  a: areStructures,
  c: areStructures,
}

const fieldFits: Fits = (value, field, outer) => FITS[field.letter]?.(value, field, outer) ?? false

const fieldsFit = (parameter: Parameter, fields: readonly Field[], outer: Outer): boolean =>
  fields.every((field) => fieldFits(parameter[field.name], field, outer))

function structureFits(parameter: Parameter, structure: StructureName): boolean {
  const fields = structureFields(structure)
  return fields !== undefined && fieldsFit(parameter, fields, { parameter, fields })
}

/** What the parameter of a mechanism is in the functions of a use. */
export function parameterFor(row: Mechanism, use: ParameterUse): Mechanism['parameter'] {
  if (use === 'message') return row.messageParameter ?? row.parameter
  return use === 'wrap' ? (row.wrapParameter ?? row.parameter) : row.parameter
}

/**
 * Throws CKR_MECHANISM_PARAM_INVALID where a parameter's form is not what the row wants: none, plain
 * bytes, or the values of a structure. What the values are is for the row's makers to judge.
 */
export function checkForm(
  row: Mechanism,
  parameter: MechanismArgument['parameter'],
  use: ParameterUse = 'mechanism',
): void {
  const wanted = parameterFor(row, use)
  if (isAbsent(parameter)) {
    if (wanted === undefined || row.parameterOptional) return
    throw invalid(`CKM_${row.name} wants a parameter`)
  }
  if (wanted === undefined) throw invalid(`CKM_${row.name} has no parameter`)
  const fits =
    parameter instanceof Uint8Array
      ? wanted === 'bytes'
      : wanted !== 'bytes' && parameter !== null && structureFits(parameter, wanted)
  if (!fits) throw invalid(`CKM_${row.name} wants a parameter of the form ${wanted}`)
}

const fieldOf = ({ parameter }: Holder, name: string) =>
  parameter === null || parameter instanceof Uint8Array ? undefined : parameter[name]

/** A CK_ULONG of a structure by its name; throws CKR_MECHANISM_PARAM_INVALID where it is not there. */
export function numberIn(holder: Holder, name: string): number {
  const value = fieldOf(holder, name)
  if (typeof value !== 'number') throw invalid(`the parameter lacks ${name}`)
  return value
}

/** Bytes of a structure by their name; throws CKR_MECHANISM_PARAM_INVALID where they are not there. */
export function bytesIn(holder: Holder, name: string): Uint8Array {
  const value = fieldOf(holder, name)
  if (!(value instanceof Uint8Array)) throw invalid(`the parameter lacks ${name}`)
  return value
}

/**
 * The same for data that goes into a derivation, of which more than 64 KiB has no use; throws
 * CKR_MECHANISM_PARAM_INVALID for more.
 */
export function dataIn(holder: Holder, name: string): Uint8Array {
  const data = bytesIn(holder, name)
  if (data.length > MOST_DATA) throw invalid(`${name} has more than ${MOST_DATA} bytes`)
  return data
}

/** A CK_BBOOL of a structure; throws CKR_MECHANISM_PARAM_INVALID for what is neither true nor false. */
export function booleanIn(holder: Holder, name: string): boolean {
  const value = numberIn(holder, name)
  if (value > 1) throw invalid(`${name} is neither CK_TRUE nor CK_FALSE`)
  return value === 1
}

/**
 * A structure within a structure, to be read with these same functions; null where its pointer is
 * NULL. Throws CKR_MECHANISM_PARAM_INVALID where it is not there.
 */
export function structureIn(holder: Holder, name: string): Holder | null {
  const value = fieldOf(holder, name)
  if (value === null) return null
  if (!isParameter(value)) throw invalid(`the parameter lacks ${name}`)
  return { parameter: value }
}

/** The structures of an array within a structure; throws as structureIn does. */
export function structuresIn(holder: Holder, name: string): readonly Holder[] {
  const value = fieldOf(holder, name)
  if (!isList(value)) throw invalid(`the parameter lacks ${name}`)
  return (value as readonly Parameter[]).map((parameter) => ({ parameter }))
}

/** A template within a structure; throws CKR_MECHANISM_PARAM_INVALID where it is not there. */
export function templateIn(holder: Holder, name: string): readonly Attribute[] {
  const value = fieldOf(holder, name)
  if (!isList(value)) throw invalid(`the parameter lacks ${name}`)
  return value as readonly Attribute[]
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
