/** What an object tells about itself: C_GetAttributeValue. PKCS #11 3.2, 5.7.5. */
import type { AttributeAnswer, AttributeAnswers, AttributeQuery } from '../standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION, CKA, CKR } from '../standard/constants.ts'
import { type Attributes, type CryptokiObject, isTemplate, type Value } from './object.ts'
import { type Row, rowsOfObject } from './rows.ts'
import { canonicalType, encodeFlat } from './values.ts'

/** Bytes of a CK_ATTRIBUTE: type, pointer and length. */
const CK_ATTRIBUTE_SIZE = 24

/** Where several apply, the first of these is returned. */
const PRECEDENCE = [
  CKR.ATTRIBUTE_SENSITIVE,
  CKR.ATTRIBUTE_TYPE_INVALID,
  CKR.BUFFER_TOO_SMALL,
] as const

/** An answer, and the return values it asks for. */
interface Told {
  readonly answer: AttributeAnswer
  readonly rv: number
}

/**
 * Footnote 7: the object cannot reveal an attribute of this row. What the value is, and whether there
 * is one, makes no difference.
 */
export const isHidden = (row: Row, attributes: Attributes): boolean =>
  row.secret &&
  (attributes.get(CKA.SENSITIVE) !== false || attributes.get(CKA.EXTRACTABLE) !== true)

/** CKA_UNIQUE_ID as the application sees it. */
export const uniqueId = (id: string): Uint8Array => new TextEncoder().encode(id)

/** Answers every query; the return value is the worst of them, and the answers go along with it. */
export function get(object: CryptokiObject, queries: readonly AttributeQuery[]): AttributeAnswers {
  const rows = rowsOfObject(object.attributes)
  const told = queries.map((query) => tell(object, rows.get(canonicalType(query.type)), query))
  return { answers: told.map(({ answer }) => answer), rv: worst(told) }
}

const worst = (told: readonly Told[]): number =>
  PRECEDENCE.find((candidate) => told.some(({ rv }) => rv === candidate)) ?? CKR.OK

/** The five cases of 5.7.5. */
function tell(
  { id, attributes }: CryptokiObject,
  row: Row | undefined,
  query: AttributeQuery,
): Told {
  const { type } = query
  if (row === undefined) return unavailable(type, CKR.ATTRIBUTE_TYPE_INVALID)
  if (isHidden(row, attributes)) return unavailable(type, CKR.ATTRIBUTE_SENSITIVE)
  const value = row.type === CKA.UNIQUE_ID ? uniqueId(id) : attributes.get(row.type)
  if (value === undefined) return unavailable(type, CKR.ATTRIBUTE_TYPE_INVALID)
  return isTemplate(value) ? tellArray(value, query) : tellFlat(type, value, query.room)
}

const unavailable = (type: number, rv: number): Told => ({
  answer: { type, value: null, length: CK_UNAVAILABLE_INFORMATION },
  rv,
})

function tellFlat(type: number, value: Exclude<Value, Attributes>, room: number | null): Told {
  const bytes = encodeFlat(value)
  if (room === null) return { answer: { type, value: null, length: bytes.length }, rv: CKR.OK }
  if (room < bytes.length) return unavailable(type, CKR.BUFFER_TOO_SMALL)
  return { answer: { type, value: bytes, length: bytes.length }, rv: CKR.OK }
}

/** The types within are ignored on input and told on output. */
function tellArray(value: Attributes, { type, room, within }: AttributeQuery): Told {
  const length = value.size * CK_ATTRIBUTE_SIZE
  if (room === null && within === undefined)
    return { answer: { type, value: null, length }, rv: CKR.OK }
  if ((within?.length ?? 0) < value.size) return unavailable(type, CKR.BUFFER_TOO_SMALL)
  const told = Array.from(value, ([inner, innerValue], index) => {
    const query = { ...(within?.[index] ?? { room: null }), type: inner }
    return isTemplate(innerValue)
      ? tellArray(innerValue, query)
      : tellFlat(inner, innerValue, query.room)
  })
  return { answer: { type, value: told.map(({ answer }) => answer), length }, rv: worst(told) }
}
