/**
 * Which objects a search template finds: "an exact byte-for-byte match with all attributes in the
 * template" (PKCS #11 3.2, 5.7.7). Once for objects in memory, once for a blind index of sealed ones;
 * both find the same.
 *
 * Three things never match, in either. A value that the object does not reveal (footnote 7), because
 * searching would otherwise tell whether a guess is right. An attribute array, of which an application
 * gives pointers, not bytes. A value above 64 KiB, since an index is no place for such.
 */
import type { Attribute } from '../standard/calls.ts'
import { CKA } from '../standard/constants.ts'
import { type Attributes, type CryptokiObject, isTemplate } from './object.ts'
import { isHidden, uniqueId } from './reading.ts'
import { rowsOfObject, shapeInArray } from './rows.ts'
import { canonicalType, encodeFlat, equal, isEncodedAs } from './values.ts'

/** Bytes of the longest value that is searched for. */
const LONGEST = 65_536

/** An attribute's number and its bytes as an application gives them. */
export type SearchTerm = readonly [type: number, bytes: Uint8Array]

/** Whether an object in memory has all attributes of a search template. */
export function matches(object: CryptokiObject, template: readonly Attribute[]): boolean {
  const rows = rowsOfObject(object.attributes)
  return template.every(({ type, value: bytes }) => {
    const row = rows.get(canonicalType(type))
    if (row === undefined || !(bytes instanceof Uint8Array) || bytes.length > LONGEST) return false
    if (row.type === CKA.UNIQUE_ID) return isEncodedAs(uniqueId(object.id), bytes)
    const value = object.attributes.get(row.type)
    return value !== undefined && !isHidden(row, object.attributes) && isEncodedAs(value, bytes)
  })
}

/** Everything that an index carries about an object. `id` is for CKA_UNIQUE_ID. */
export function* searchable(attributes: Attributes, id?: string): Generator<SearchTerm> {
  const rows = rowsOfObject(attributes)
  if (id !== undefined && rows.has(CKA.UNIQUE_ID)) yield [CKA.UNIQUE_ID, uniqueId(id)]
  for (const [type, value] of attributes) {
    const row = rows.get(type)
    if (row === undefined || isTemplate(value) || isHidden(row, attributes)) continue
    const bytes = encodeFlat(value)
    if (bytes.length <= LONGEST) yield [type, bytes]
  }
}

/** What an index must carry for all of a template; 'never' where no object can match. */
export function searchTerms(template: readonly Attribute[]): SearchTerm[] | 'never' {
  const terms = new Map<number, Uint8Array>()
  for (const { type, value } of template) {
    const canonical = canonicalType(type)
    if (!(value instanceof Uint8Array) || value.length > LONGEST) return 'never'
    const before = terms.get(canonical)
    if (before !== undefined && !equal(before, value)) return 'never'
    const kind = shapeInArray(canonical)?.kind
    if (kind === undefined || kind === 'template') return 'never'
    terms.set(canonical, value)
  }
  return [...terms]
}

/**
 * Whether an object has all attributes of an attribute array, as CKA_WRAP_TEMPLATE demands of a key
 * before it is wrapped (5.18.3): by the rules of a search, but arrays are compared as well.
 */
export function fits(object: CryptokiObject, demanded: Attributes): boolean {
  const rows = rowsOfObject(object.attributes)
  for (const [type, value] of demanded) {
    const row = rows.get(type)
    const held = object.attributes.get(type)
    if (row === undefined || held === undefined || isHidden(row, object.attributes)) return false
    if (!equal(held, value)) return false
  }
  return true
}
