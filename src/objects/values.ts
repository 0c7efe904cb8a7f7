/**
 * Attribute values: from the bytes an application gave to typed values and back. PKCS #11 3.2,
 * section 3.5 and chapter 4.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import type { Attribute } from '../standard/calls.ts'
import { CKA, CKF, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type Attributes, isTemplate, type Value } from './object.ts'
import { DEEPEST } from './serialisation.ts'
import { putUlong, ULONG, ulongAt } from './ulong.ts'

export { deserialise, serialise } from './serialisation.ts'

/**
 * What a value is. `date` is a CK_DATE, `text` an RFC2279 string, `bigInteger` an unsigned integer
 * with its most significant byte first, `ulongs` a list of CK_ULONG (CKA_ALLOWED_MECHANISMS),
 * `template` an attribute array (CKA_WRAP_TEMPLATE).
 */
export type Kind =
  | 'bool'
  | 'ulong'
  | 'bytes'
  | 'date'
  | 'text'
  | 'bigInteger'
  | 'ulongs'
  | 'template'

/** What the value of an attribute must look like. */
export interface Shape {
  /** For messages: CKA_MODULUS. */
  readonly name: string
  readonly kind: Kind
  /** Exact length in bytes, of kind `bytes`. */
  readonly length?: number
}

/** The shape of an attribute inside an attribute array; undefined where there is no such attribute. */
export type ShapeOf = (type: number) => Shape | undefined

/** Attributes in one template or one attribute array. */
export const MOST_ATTRIBUTES = 1024

const EMPTY: Uint8Array = new Uint8Array(0)

/**
 * The number an attribute is kept under. The published header of 3.2 and later drafts disagree on
 * whether CKA_ENCAPSULATE_TEMPLATE and CKA_DECAPSULATE_TEMPLATE carry CKF_ARRAY_ATTRIBUTE.
 */
export function canonicalType(type: number): number {
  if (type === CKA.ENCAPSULATE_TEMPLATE + CKF.ARRAY_ATTRIBUTE) return CKA.ENCAPSULATE_TEMPLATE
  if (type === CKA.DECAPSULATE_TEMPLATE + CKF.ARRAY_ATTRIBUTE) return CKA.DECAPSULATE_TEMPLATE
  return type
}

const isBytes = (value: Attribute['value']): value is Uint8Array => value instanceof Uint8Array

const invalid = (shape: Shape, why: string) =>
  new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `${shape.name} ${why}`)

function decodeUlong(shape: Shape, bytes: Uint8Array, offset = 0): number {
  const value = ulongAt(bytes, offset)
  if (value === undefined) throw invalid(shape, 'is above 2^53')
  return value
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39

/** Each kind but `template` from its bytes. */
const decoders: Record<Exclude<Kind, 'template'>, (shape: Shape, bytes: Uint8Array) => Value> = {
  bool(shape, bytes) {
    const [byte] = bytes
    if (bytes.length !== 1 || byte === undefined || byte > 1)
      throw invalid(shape, 'is not one byte, 0 or 1')
    return byte === 1
  },
  ulong(shape, bytes) {
    if (bytes.length !== ULONG) throw invalid(shape, `has ${bytes.length} bytes, not ${ULONG}`)
    return decodeUlong(shape, bytes)
  },
  bytes(shape, bytes) {
    if (shape.length !== undefined && bytes.length !== shape.length)
      throw invalid(shape, `has ${bytes.length} bytes, not ${shape.length}`)
    return new Uint8Array(bytes)
  },
  date(shape, bytes) {
    if (bytes.length !== 0 && (bytes.length !== 8 || !bytes.every(isDigit)))
      throw invalid(shape, 'is neither 8 digits nor empty')
    return new Uint8Array(bytes)
  },
  text(shape, bytes) {
    if (!isUtf8(bytes)) throw invalid(shape, 'is not UTF-8')
    return new Uint8Array(bytes)
  },
  bigInteger: (_shape, bytes) => new Uint8Array(bytes),
  ulongs(shape, bytes) {
    if (bytes.length % ULONG !== 0) throw invalid(shape, `is not a multiple of ${ULONG} bytes`)
    return Array.from({ length: bytes.length / ULONG }, (_, index) =>
      decodeUlong(shape, bytes, index * ULONG),
    )
  },
}

/**
 * A typed value from the wire. Bytes are copied, since those on the wire belong to a frame.
 * Throws CKR_ATTRIBUTE_VALUE_INVALID for a wrong length or content, CKR_TEMPLATE_INCONSISTENT and
 * CKR_ATTRIBUTE_TYPE_INVALID for what is wrong with an attribute array.
 */
export function decode(shape: Shape, value: Attribute['value'], shapeOf: ShapeOf): Value {
  if (shape.kind === 'template') return decodeArray(shape, value, shapeOf, 1)
  if (!isBytes(value)) throw invalid(shape, 'is no attribute array')
  return decoders[shape.kind](shape, value)
}

function decodeArray(
  shape: Shape,
  value: Attribute['value'],
  shapeOf: ShapeOf,
  depth: number,
): Attributes {
  // An attribute array without pValue comes as no bytes.
  if (isBytes(value) && value.length === 0) return new Map()
  if (isBytes(value)) throw invalid(shape, 'is an attribute array')
  if (depth > DEEPEST) throw invalid(shape, `is more than ${DEEPEST} arrays deep`)
  if (value.length > MOST_ATTRIBUTES) throw invalid(shape, `has more than ${MOST_ATTRIBUTES} parts`)
  const within: [number, Value][] = []
  for (const attribute of value) {
    const type = canonicalType(attribute.type)
    const inner = shapeOf(type)
    if (inner === undefined)
      throw new CryptokiError(CKR.ATTRIBUTE_TYPE_INVALID, `no attribute 0x${type.toString(16)}`)
    const decoded =
      inner.kind === 'template'
        ? decodeArray(inner, attribute.value, shapeOf, depth + 1)
        : decode(inner, attribute.value, shapeOf)
    within.push([type, decoded])
  }
  return withoutRepeats(shape, within)
}

/** In order of type, so that an array looks the same whenever it is read. */
function withoutRepeats(shape: Shape, within: [number, Value][]): Attributes {
  const attributes = new Map<number, Value>()
  for (const [type, value] of within.sort(([a], [b]) => a - b)) {
    const before = attributes.get(type)
    if (before !== undefined && !equal(before, value))
      throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, `${shape.name} names an attribute twice`)
    attributes.set(type, value)
  }
  return attributes
}

/** The bytes of a value as an application sees them; the attributes within for an attribute array. */
export function encode(value: Value): Uint8Array | Attribute[] {
  if (isTemplate(value))
    return Array.from(value, ([type, inner]) => ({ type, value: encode(inner) }))
  return encodeFlat(value)
}

/** The bytes of a value that is no attribute array. */
export function encodeFlat(value: Exclude<Value, Attributes>): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0)
  const numbers = typeof value === 'number' ? [value] : value
  const bytes = new Uint8Array(numbers.length * ULONG)
  numbers.forEach((number, index) => {
    putUlong(number, bytes, index * ULONG)
  })
  return bytes
}

/** Whether a value, encoded, is exactly these bytes; for search, so without making new ones. */
export function isEncodedAs(value: Value, bytes: Uint8Array): boolean {
  if (value instanceof Uint8Array) return equalBytes(value, bytes)
  if (typeof value === 'boolean') return bytes.length === 1 && bytes[0] === (value ? 1 : 0)
  if (typeof value === 'number') return bytes.length === ULONG && ulongAt(bytes, 0) === value
  return !isTemplate(value) && equalBytes(encodeFlat(value), bytes)
}

const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a, b) === 0

/** Whether two values are the same. */
export function equal(a: Value, b: Value): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b)
  if (isTemplate(a)) return isTemplate(b) && equalAttributes(a, b)
  if (typeof a !== 'object') return a === b
  return Array.isArray(b) && a.length === b.length && a.every((number, at) => number === b[at])
}

function equalAttributes(a: Attributes, b: Attributes): boolean {
  if (a.size !== b.size) return false
  for (const [type, value] of a) {
    const other = b.get(type)
    if (other === undefined || !equal(value, other)) return false
  }
  return true
}

/** Whether two values of a kind mean the same: big integers may differ in leading zero bytes. */
export function sameMeaning(kind: Kind, a: Value, b: Value): boolean {
  if (kind !== 'bigInteger' || !(a instanceof Uint8Array) || !(b instanceof Uint8Array))
    return equal(a, b)
  return equalBytes(withoutZeros(a), withoutZeros(b))
}

function withoutZeros(integer: Uint8Array): Uint8Array {
  const first = integer.findIndex((byte) => byte !== 0)
  return first === -1 ? EMPTY : integer.subarray(first)
}
