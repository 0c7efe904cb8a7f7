/**
 * Reading a template: attribute by attribute against the rows of its object. PKCS #11 3.2, 4.1.1 gives
 * the return values.
 */
import type { Attribute } from '../standard/calls.ts'
import { CKA, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { typeAttributes } from './classes.ts'
import type { Attributes, Value } from './object.ts'
import { type Row, type Rows, shapeInArray } from './rows.ts'
import { canonicalType, decode, equal, MOST_ATTRIBUTES } from './values.ts'

/** On whose behalf. */
export interface Who {
  /** The security officer is logged in. */
  readonly so: boolean
}

/** What a template says about the kind of its object. */
export interface ClassAndType {
  /** CKA_CLASS. */
  readonly class: number | undefined
  /** CKA_KEY_TYPE, CKA_CERTIFICATE_TYPE and the like, as the class has it; without a class, CKA_KEY_TYPE. */
  readonly type: number | undefined
}

const TYPE_SHAPE = { name: 'the class or type', kind: 'ulong' } as const

function numberIn(template: readonly Attribute[], type: number): number | undefined {
  const attribute = template.find((candidate) => candidate.type === type)
  if (attribute === undefined) return undefined
  return decode(TYPE_SHAPE, attribute.value, shapeInArray) as number
}

/**
 * Reads class and type out of a template; `implied` is the class where the function tells it. Throws
 * CKR_ATTRIBUTE_VALUE_INVALID where either is not a CK_ULONG.
 */
export function classAndType(template: readonly Attribute[], implied?: number): ClassAndType {
  const named = numberIn(template, CKA.CLASS)
  const objectClass = implied ?? named
  const typeAttribute = objectClass === undefined ? CKA.KEY_TYPE : typeAttributes.get(objectClass)
  const type = typeAttribute === undefined ? undefined : numberIn(template, typeAttribute)
  return { class: named, type }
}

/** Decides whether a template may name an attribute; throws where it may not. */
export type Permit = (row: Row, value: Value) => void

/**
 * A template's attributes, typed. The same attribute twice with the same value counts once, as 4.1.1
 * encourages; with another value it is CKR_TEMPLATE_INCONSISTENT. Also throws
 * CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_READ_ONLY and CKR_ATTRIBUTE_VALUE_INVALID.
 */
export function readTemplate(
  rows: Rows,
  template: readonly Attribute[],
  permit: Permit,
): Map<number, Value> {
  if (template.length > MOST_ATTRIBUTES)
    throw new CryptokiError(
      CKR.TEMPLATE_INCONSISTENT,
      `a template has at most ${MOST_ATTRIBUTES} attributes`,
    )
  const attributes = new Map<number, Value>()
  for (const attribute of template) {
    const row = rowFor(rows, canonicalType(attribute.type))
    const value = decode(row, attribute.value, shapeInArray)
    check(row, value, permit)
    const before = attributes.get(row.type)
    if (before !== undefined && !equal(before, value))
      throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, `${row.name} is there with two values`)
    attributes.set(row.type, value)
  }
  return attributes
}

/** Without looking at the value: nobody learns by trying values what a read-only attribute holds. */
function rowFor(rows: Rows, type: number): Row {
  // 4.4.1, whatever the class.
  if (type === CKA.UNIQUE_ID)
    throw new CryptokiError(CKR.ATTRIBUTE_READ_ONLY, 'CKA_UNIQUE_ID is given by the token')
  const row = rows.get(type)
  if (row !== undefined) return row
  const elsewhere = shapeInArray(type)
  // 4.1.1: an attribute of other objects makes the template inconsistent; no attribute at all is invalid.
  if (elsewhere !== undefined)
    throw new CryptokiError(
      CKR.TEMPLATE_INCONSISTENT,
      `${elsewhere.name} is none of the attributes of this object`,
    )
  throw new CryptokiError(CKR.ATTRIBUTE_TYPE_INVALID, `no attribute 0x${type.toString(16)}`)
}

function check(row: Row, value: Value, permit: Permit): void {
  if (typeof value === 'number' && row.values?.has(value) === false)
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `${row.name} cannot be ${value}`)
  permit(row, value)
}

/** An attribute that the application may not set here. */
export const readOnly = (row: Row, why: string) =>
  new CryptokiError(CKR.ATTRIBUTE_READ_ONLY, `${row.name} ${why}`)

/** Footnote 10. */
export function checkSecurityOfficer(row: Row, value: Value, { so }: Who): void {
  if (row.bySecurityOfficer && value === true && !so)
    throw readOnly(row, 'is set to CK_TRUE by the security officer only')
}

/**
 * Adds what a key's own template (CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE) demands of a new object.
 * It is permitted nothing that a template is not, or it would be a way to CKA_TRUSTED. Throws
 * CKR_TEMPLATE_INCONSISTENT where the application asked for something else (5.18.4, 5.18.5).
 */
export function impose(
  rows: Rows,
  attributes: Map<number, Value>,
  imposed: Attributes,
  permit: Permit,
): void {
  for (const [type, value] of imposed) {
    const row = rowFor(rows, type)
    check(row, value, permit)
    const asked = attributes.get(type)
    if (asked !== undefined && !equal(asked, value))
      throw new CryptokiError(
        CKR.TEMPLATE_INCONSISTENT,
        `${row.name} is not what the template of the key imposes`,
      )
    attributes.set(type, value)
  }
}
