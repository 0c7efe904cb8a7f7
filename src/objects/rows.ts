/**
 * The attribute rows of every kind of object: what the tables, their footnotes and the defaults say
 * about one attribute, in the form the interpreter reads.
 */
import { CKA, CKR, CKT } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type ObjectClass, objectClasses, typeAttributes } from './classes.ts'
import { defaultOf } from './defaults.ts'
import type { Value } from './object.ts'
import { type TableRow, tables } from './tables.ts'
import type { Kind, Shape } from './values.ts'

/** Whether a template must, may or must not name an attribute. */
export type Asked = 'must' | 'may' | 'never'

/** When an attribute may change: never; in a copy only (4.1.3); by being emptied only; in a copy and at any time. */
export type Change = 'never' | 'copy' | 'empty' | 'free'

export interface Row extends Shape {
  /** CKA_ number. */
  readonly type: number
  /** With C_CreateObject: footnotes 1 and 2. */
  readonly create: Asked
  /** With C_GenerateKey and C_GenerateKeyPair: footnotes 3 and 4. */
  readonly generate: Asked
  /** With C_UnwrapKey: footnotes 5 and 6. */
  readonly unwrap: Asked
  /** Not revealed by a sensitive or unextractable key: footnote 7. */
  readonly secret: boolean
  /** Footnotes 8, 10, 11 and 12. */
  readonly change: Change
  /** Only the security officer makes it true: footnote 10. */
  readonly bySecurityOfficer: boolean
  /** Once it has this value it cannot change: footnotes 11 and 12. */
  readonly finalAt?: boolean
  /** The values a number may have. */
  readonly values?: ReadonlySet<number>
  /** The token works it out; a template that differs is CKR_ATTRIBUTE_VALUE_INVALID. */
  readonly calculated: boolean
  readonly initial?: Value
}

/** The rows of one kind of object. */
export interface Rows extends ReadonlyMap<number, Row> {
  readonly of: ObjectClass
}

/** What the data types of the tables are, and the length of those that have one. */
const dataTypes: Record<string, Kind | { kind: Kind; length: number }> = {
  CK_BBOOL: 'bool',
  BOOL: 'bool',
  CK_ULONG: 'ulong',
  ULONG: 'ulong',
  CK_FLAGS: 'ulong',
  CK_OBJECT_CLASS: 'ulong',
  CK_HW_FEATURE_TYPE: 'ulong',
  CK_CERTIFICATE_TYPE: 'ulong',
  CKA_CERTIFICATE_CATEGORY: 'ulong',
  CK_JAVA_MIDP_SECURITY_DOMAIN: 'ulong',
  CK_KEY_TYPE: 'ulong',
  CK_MECHANISM_TYPE: 'ulong',
  CK_PROFILE_ID: 'ulong',
  CK_TRUST: 'ulong',
  CK_VALIDATION_TYPE: 'ulong',
  CK_VALIDATION_AUTHORITY_TYPE: 'ulong',
  CK_ML_DSA_PARAMETER_SET_TYPE: 'ulong',
  CK_ML_KEM_PARAMETER_SET_TYPE: 'ulong',
  CK_SLH_DSA_PARAMETER_SET_TYPE: 'ulong',
  CK_XMSS_PARAMETER_SET_TYPE: 'ulong',
  CK_XMSSMT_PARAMETER_SET_TYPE: 'ulong',
  'CK_MECHANISM_TYPE_PTR, pointer to a CK_MECHANISM_TYPE array': 'ulongs',
  CK_ULONG_PTR: 'ulongs',
  'Byte array': 'bytes',
  'CK_CHAR[16]': { kind: 'bytes', length: 16 },
  CK_VERSION: { kind: 'bytes', length: 2 },
  'Big integer': 'bigInteger',
  CK_DATE: 'date',
  'RFC2279 string': 'text',
  'RFC 2279 string': 'text',
  CK_UTF8CHAR: 'text',
  CK_ATTRIBUTE_PTR: 'template',
}

const upTo = (last: number): ReadonlySet<number> =>
  new Set(Array.from({ length: last + 1 }, (_, value) => value))

/** Numbers of which the standard lists the valid ones, by data type or by name of the attribute. */
const valid: Record<string, ReadonlySet<number>> = {
  CK_TRUST: new Set(Object.values(CKT)),
  CKA_CERTIFICATE_CATEGORY: upTo(3),
  CK_JAVA_MIDP_SECURITY_DOMAIN: upTo(3),
  CK_VALIDATION_TYPE: upTo(4),
  CK_VALIDATION_AUTHORITY_TYPE: upTo(2),
  CKA_OTP_FORMAT: upTo(3),
  CKA_OTP_CHALLENGE_REQUIREMENT: upTo(2),
  CKA_OTP_TIME_REQUIREMENT: upTo(2),
  CKA_OTP_COUNTER_REQUIREMENT: upTo(2),
  CKA_OTP_PIN_REQUIREMENT: upTo(2),
}

/** 4.1.3: "the four special attributes". */
const CHANGED_IN_COPIES: ReadonlySet<string> = new Set([
  'CKA_TOKEN',
  'CKA_PRIVATE',
  'CKA_MODIFIABLE',
  'CKA_DESTROYABLE',
])

/** 4.10, 4.11. */
const CALCULATED: ReadonlySet<string> = new Set(['CKA_CHECK_VALUE', 'CKA_PUBLIC_KEY_INFO'])

/** 4.11: "may be used to destroy the attribute, by supplying no-value"; said of keys, not of certificates. */
const EMPTIED = 'CKA_CHECK_VALUE'
const KEYS_WITH_CHECK_VALUE = 'Common Secret Key Attributes'

const attributeTypes = new Map<string, number>(
  Object.entries(CKA).map(([name, type]) => [`CKA_${name}`, type]),
)

function asked(footnotes: readonly number[], must: number, never: number): Asked {
  if (footnotes.includes(must)) return 'must'
  return footnotes.includes(never) ? 'never' : 'may'
}

function changeOf(table: string, { name, footnotes }: TableRow): Change {
  if (CHANGED_IN_COPIES.has(name)) return 'copy'
  if (name === EMPTIED && table === KEYS_WITH_CHECK_VALUE) return 'empty'
  // What cannot change once it is true can change before that; what only the SO sets, the SO can set.
  return footnotes.some((note) => [8, 10, 11, 12].includes(note)) ? 'free' : 'never'
}

function finalAt(footnotes: readonly number[]): { finalAt?: boolean } {
  if (footnotes.includes(11)) return { finalAt: true }
  return footnotes.includes(12) ? { finalAt: false } : {}
}

function shapeOf(name: string, dataType: string): Shape {
  const kind = dataTypes[dataType]
  if (kind === undefined) throw new TypeError(`${name}: no kind for the data type ${dataType}`)
  return typeof kind === 'string' ? { name, kind } : { name, ...kind }
}

function rowOf(table: string, entry: TableRow, of: ObjectClass): Row {
  const { name, dataType, footnotes } = entry
  const type = attributeTypes.get(name)
  if (type === undefined) throw new TypeError(`${table}: no number for ${name}`)
  const create = asked(footnotes, 1, 2)
  const values = valid[name] ?? valid[dataType]
  const initial = create === 'must' ? undefined : defaultOf(name, of)
  return {
    ...shapeOf(name, dataType),
    type,
    create,
    generate: asked(footnotes, 3, 4),
    unwrap: asked(footnotes, 5, 6),
    secret: footnotes.includes(7),
    change: changeOf(table, entry),
    bySecurityOfficer: footnotes.includes(10),
    ...finalAt(footnotes),
    ...(values === undefined ? {} : { values }),
    calculated: CALCULATED.has(name),
    ...(initial === undefined ? {} : { initial }),
  }
}

function rowsOf(of: ObjectClass): Rows {
  const rows = new Map<number, Row>()
  for (const table of of.tables) {
    const entries = tables.get(table)
    if (entries === undefined) throw new TypeError(`no table is called ${table}`)
    for (const entry of entries) {
      const row = rowOf(table, entry, of)
      rows.set(row.type, row)
    }
  }
  return Object.assign(rows, { of })
}

/** All rows of the house, by class and type (undefined: all other types of the class). */
const byClass = new Map<number, Map<number | undefined, Rows>>()
for (const of of objectClasses) {
  const types = byClass.get(of.class) ?? new Map<number | undefined, Rows>()
  byClass.set(of.class, types.set(of.type, rowsOf(of)))
}

/** The rows of all kinds of objects there are. */
export const allRows: readonly Rows[] = [...byClass.values()].flatMap((types) => [
  ...types.values(),
])

/**
 * The rows of a class and type. Throws CKR_ATTRIBUTE_VALUE_INVALID for a class or type that is not
 * known, CKR_TEMPLATE_INCOMPLETE where the class needs a type and there is none.
 */
export function rowsFor(objectClass: number, type: number | undefined): Rows {
  const types = byClass.get(objectClass)
  if (types === undefined)
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `no object class ${objectClass}`)
  const rows = types.get(type) ?? types.get(undefined)
  if (rows !== undefined) return rows
  if (type === undefined)
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, `objects of class ${objectClass} need a type`)
  throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `class ${objectClass} has no type ${type}`)
}

/** The rows of an object that exists. */
export function rowsOfObject(attributes: ReadonlyMap<number, Value>): Rows {
  const objectClass = attributes.get(CKA.CLASS) as number
  const typeAttribute = typeAttributes.get(objectClass)
  const type = typeAttribute === undefined ? undefined : attributes.get(typeAttribute)
  return rowsFor(objectClass, type as number | undefined)
}

/** Shapes by attribute whatever the class; where classes disagree (CKA_VALUE), plain bytes. */
const anyShape = new Map<number, Shape>()
for (const row of allRows.flatMap((rows) => [...rows.values()])) {
  const before = anyShape.get(row.type) ?? row
  const kind = before.kind === row.kind ? row.kind : 'bytes'
  anyShape.set(row.type, { name: row.name, kind })
}

/** The shape of an attribute inside an attribute array, whose class is not known; undefined: no such attribute. */
export const shapeInArray = (type: number): Shape | undefined => anyShape.get(type)
