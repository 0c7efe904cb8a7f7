/**
 * How an object comes to be: every function that makes one comes through here, with its own column of
 * the footnotes. PKCS #11 3.2, 4.1.1, 5.7.1 and 5.18.
 *
 * It takes two steps, because lengthy work lies between them: `prepare` finds everything that can be
 * wrong with a template, `finish` adds the values that a mechanism made.
 */
import type { Attribute } from '../standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION, CKA, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { ofTheToken, typeAttributes } from './classes.ts'
import { checkConsistency } from './consistency.ts'
import type { Attributes, CryptokiObject, Value } from './object.ts'
import { type Asked, type Row, type Rows, rowsFor } from './rows.ts'
import {
  checkSecurityOfficer,
  classAndType,
  impose,
  type Permit,
  readOnly,
  readTemplate,
  type Who,
} from './template.ts'
import { sameMeaning } from './values.ts'

/** What brings an object into being. `token`: the token itself, for objects that tell about it. */
export type How =
  | 'create'
  | 'generate'
  | 'unwrap'
  | 'derive'
  | 'encapsulate'
  | 'decapsulate'
  | 'token'

/** What the ways differ in. */
interface Way {
  /** Whether a template must, may or must not name an attribute. */
  readonly asked: (row: Row) => Asked
  readonly extractable: boolean
  readonly local: boolean
  /** CKA_ALWAYS_SENSITIVE or CKA_NEVER_EXTRACTABLE, from whether it is so now and was so in the base key. */
  readonly always: (now: boolean, base: boolean) => boolean
}

const never = () => false

/** Derivation and encapsulation have no footnotes: what unwrapping forbids is forbidden there, and nothing is demanded. */
const notDemanded = ({ unwrap }: Row): Asked => (unwrap === 'must' ? 'may' : unwrap)

const ways: Record<How, Way> = {
  create: { asked: ({ create }) => create, extractable: false, local: false, always: never },
  generate: {
    asked: ({ generate }) => generate,
    extractable: false,
    local: true,
    always: (now) => now,
  },
  // 5.18.4: "The CKA_EXTRACTABLE attribute is by default set to CK_TRUE"; so 5.18.8 and 5.18.9.
  unwrap: { asked: ({ unwrap }) => unwrap, extractable: true, local: false, always: never },
  encapsulate: { asked: notDemanded, extractable: true, local: false, always: never },
  decapsulate: { asked: notDemanded, extractable: true, local: false, always: never },
  derive: {
    asked: notDemanded,
    extractable: false,
    local: false,
    always: (now, base) => now && base,
  },
  token: { asked: () => 'may', extractable: false, local: false, always: never },
}

/** What is known of a new object besides its template. */
export interface Given {
  /** CKA_CLASS and CKA_KEY_TYPE where function or mechanism imply them; a template may only repeat them. */
  readonly class?: number | undefined
  readonly keyType?: number | undefined
  /** The CKM_ number for CKA_KEY_GEN_MECHANISM. */
  readonly mechanism?: number | undefined
  /** CKA_ numbers that a template may leave out although it must name them, since the mechanism supplies them. */
  readonly supplies?: readonly number[] | undefined
  /** CKA_ numbers that a template may name although the tables forbid it. */
  readonly takes?: readonly number[] | undefined
  /** CKA_ numbers that the object lacks although the tables demand them. */
  readonly leavesOut?: readonly number[] | undefined
  /** CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE or CKA_DECAPSULATE_TEMPLATE of the key that is used. */
  readonly imposed?: Attributes | undefined
  /** The key derived from. */
  readonly base?: CryptokiObject | undefined
}

/** A template that has nothing wrong. */
export interface Prepared {
  readonly how: How
  readonly rows: Rows
  /** The template, typed, with class and type and with what was imposed; without defaults. */
  readonly template: Attributes
  readonly given: Given
}

/**
 * Checks a template before any work begins. Throws CKR_ATTRIBUTE_TYPE_INVALID,
 * CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCOMPLETE and
 * CKR_TEMPLATE_INCONSISTENT, as 4.1.1 tells.
 */
export function prepare(
  how: How,
  template: readonly Attribute[],
  given: Given,
  who: Who,
): Prepared {
  const rows = rowsOfTemplate(how, template, given)
  const permit = permitFor(how, who, given)
  const attributes = readTemplate(rows, template, permit)
  if (given.imposed !== undefined) impose(rows, attributes, given.imposed, permit)
  setKind(rows, attributes)
  const prepared = { how, rows, template: attributes, given }
  checkDemands(prepared)
  checkConsistency(rows, withDefaults(prepared, attributes))
  return prepared
}

function rowsOfTemplate(how: How, template: readonly Attribute[], given: Given): Rows {
  const implied = agreed('CKA_CLASS', given.class, imposedNumber(given, CKA.CLASS))
  const named = classAndType(template, implied)
  const objectClass = agreed('CKA_CLASS', implied, named.class)
  if (objectClass === undefined)
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'the template lacks CKA_CLASS')
  if (how !== 'token' && ofTheToken.has(objectClass))
    throw new CryptokiError(
      CKR.ATTRIBUTE_VALUE_INVALID,
      `objects of class ${objectClass} are made by the token`,
    )
  const impliedType = imposedNumber(given, typeAttributes.get(objectClass))
  return rowsFor(
    objectClass,
    agreed('the type', agreed('the type', given.keyType, impliedType), named.type),
  )
}

/** 5.18.4: the template of the key that is used is "added to attributes of the key", its class and type too. */
function imposedNumber({ imposed }: Given, type: number | undefined): number | undefined {
  const value = type === undefined ? undefined : imposed?.get(type)
  return typeof value === 'number' ? value : undefined
}

function agreed(
  what: string,
  given: number | undefined,
  asked: number | undefined,
): number | undefined {
  if (given !== undefined && asked !== undefined && given !== asked)
    throw new CryptokiError(
      CKR.TEMPLATE_INCONSISTENT,
      `${what} in the template is ${asked}, and can only be ${given}`,
    )
  return given ?? asked
}

function permitFor(how: How, who: Who, { takes }: Given): Permit {
  const { asked } = ways[how]
  return (row, value) => {
    if (asked(row) === 'never' && !takes?.includes(row.type))
      throw readOnly(row, `cannot be given here (${how})`)
    checkSecurityOfficer(row, value, who)
  }
}

function setKind({ of }: Rows, attributes: Map<number, Value>): void {
  attributes.set(CKA.CLASS, of.class)
  const typeAttribute = typeAttributes.get(of.class)
  if (typeAttribute !== undefined && of.type !== undefined) attributes.set(typeAttribute, of.type)
}

/** Footnotes 1, 3 and 5, and what will do in place of another (6.67.3). */
function checkDemands({ how, rows, template, given }: Prepared): void {
  const { asked } = ways[how]
  for (const row of rows.values())
    if (asked(row) === 'must' && !template.has(row.type) && !given.supplies?.includes(row.type))
      throw incomplete(row.name)
  const { oneOf } = rows.of
  if (how !== 'create' || oneOf === undefined) return
  const names = new Set([...template.keys()].map((type) => rows.get(type)?.name))
  if (!oneOf.some((name) => names.has(name))) throw incomplete(oneOf.join(' or '))
}

const incomplete = (what: string) =>
  new CryptokiError(CKR.TEMPLATE_INCOMPLETE, `the template lacks ${what}`)

function withDefaults({ how, rows }: Prepared, attributes: Attributes): Map<number, Value> {
  const complete = new Map(attributes)
  for (const { type, initial } of rows.values()) {
    if (initial === undefined || complete.has(type)) continue
    complete.set(type, type === CKA.EXTRACTABLE ? ways[how].extractable : initial)
  }
  return complete
}

/**
 * What follows from the values of an object: KeyType.complete of a mechanism family. Answers additions
 * (CKA_VALUE_LEN, CKA_CHECK_VALUE, CKA_PUBLIC_KEY_INFO) and corrections.
 */
export type Complete = (objectClass: number, attributes: Attributes) => Attributes

const nothing: Complete = () => new Map()

/**
 * All attributes of the new object, from its template, the values that a mechanism contributes and
 * the defaults. Contributed attributes that the class does not have are left out. Throws
 * CKR_TEMPLATE_INCONSISTENT where the template contradicts a value (for the length of an unwrapped
 * key CKR_WRAPPED_KEY_LEN_RANGE, for what the token calculates CKR_ATTRIBUTE_VALUE_INVALID), and
 * CKR_TEMPLATE_INCOMPLETE where something is still lacking.
 */
export function finish(
  prepared: Prepared,
  values: Attributes = new Map(),
  complete: Complete = nothing,
): Attributes {
  const { rows, template } = prepared
  const attributes = withDefaults(prepared, add(prepared, new Map(template), values))
  for (const [type, value] of historyOf(prepared, attributes))
    if (rows.has(type) && !values.has(type)) attributes.set(type, value)
  const follows = complete(rows.of.class, attributes)
  add(prepared, attributes, follows)
  checkCalculated(prepared, attributes, (type) => values.has(type) || follows.has(type))
  const { leavesOut = [] } = prepared.given
  for (const row of rows.values())
    if (row.create === 'must' && !attributes.has(row.type) && !leavesOut.includes(row.type))
      throw incomplete(row.name)
  checkConsistency(rows, attributes)
  return attributes
}

/** Both steps in one, where no work lies between them. */
export function create(
  how: How,
  template: readonly Attribute[],
  given: Given & { readonly values?: Attributes; readonly complete?: Complete },
  who: Who,
): Attributes {
  return finish(prepare(how, template, given, who), given.values, given.complete)
}

/** Puts values among the attributes; what the template says must agree. */
function add(
  prepared: Prepared,
  attributes: Map<number, Value>,
  values: Attributes,
): Map<number, Value> {
  for (const [type, value] of values) {
    const row = prepared.rows.get(type)
    if (row === undefined) continue
    const asked = prepared.template.get(type)
    if (asked === undefined || isReplaced(prepared, row, asked)) attributes.set(type, value)
    else if (!isDeclined(row, asked) && !sameMeaning(row.kind, asked, value))
      throw contradiction(prepared, row)
  }
  return attributes
}

const isEmpty = (value: Value): boolean => value instanceof Uint8Array && value.length === 0

/** 4.11: an empty CKA_CHECK_VALUE asks for none to be calculated. */
const isDeclined = (row: Row, asked: Value): boolean => row.calculated && isEmpty(asked)

/**
 * An application's own key values are put into their usual form. An empty CKA_PUBLIC_KEY_INFO asks
 * for the one that is calculated (4.10).
 */
function isReplaced({ how }: Prepared, row: Row, asked: Value): boolean {
  if (row.calculated) return row.type === CKA.PUBLIC_KEY_INFO && isEmpty(asked)
  return how === 'create' && row.generate === 'never'
}

function contradiction({ how }: Prepared, row: Row): CryptokiError {
  const why = `${row.name} in the template is not that of the object`
  if (row.calculated) return new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, why)
  if ((how === 'unwrap' || how === 'decapsulate') && row.type === CKA.VALUE_LEN)
    return new CryptokiError(CKR.WRAPPED_KEY_LEN_RANGE, why)
  return new CryptokiError(CKR.TEMPLATE_INCONSISTENT, why)
}

/** How the key came, in attributes that no template may name. 4.8 to 4.11, 5.18, and 6.43 for derivation. */
function historyOf({ how, given }: Prepared, attributes: Attributes): [number, Value][] {
  const { local, always } = ways[how]
  const sensitive = attributes.get(CKA.SENSITIVE) === true
  const unextractable = attributes.get(CKA.EXTRACTABLE) === false
  const base = given.base?.attributes
  const mechanism = local ? given.mechanism : undefined
  return [
    [CKA.LOCAL, local],
    [CKA.KEY_GEN_MECHANISM, mechanism ?? CK_UNAVAILABLE_INFORMATION],
    [CKA.ALWAYS_SENSITIVE, always(sensitive, base?.get(CKA.ALWAYS_SENSITIVE) === true)],
    [CKA.NEVER_EXTRACTABLE, always(unextractable, base?.get(CKA.NEVER_EXTRACTABLE) === true)],
  ]
}

/**
 * What a template claims of a calculated attribute, and nobody calculated. 4.11: an unsupported check
 * value is ignored. 4.10: the public key of a private key must be verified, or is not supported.
 */
function checkCalculated(
  { rows, template }: Prepared,
  attributes: Map<number, Value>,
  calculated: (type: number) => boolean,
): void {
  for (const type of [CKA.CHECK_VALUE, CKA.PUBLIC_KEY_INFO]) {
    const asked = template.get(type)
    if (asked === undefined || isEmpty(asked) || calculated(type)) continue
    if (type === CKA.CHECK_VALUE && rows.get(type)?.change === 'empty') attributes.delete(type)
    if (type === CKA.PUBLIC_KEY_INFO && rows.of.class === CKO.PRIVATE_KEY)
      throw new CryptokiError(
        CKR.ATTRIBUTE_TYPE_INVALID,
        'CKA_PUBLIC_KEY_INFO of this type of key cannot be verified',
      )
  }
}
