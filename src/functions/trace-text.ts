/**
 * The words of a trace: what a function was asked and what it answered, made from its row in the
 * function table, one entry a kind of argument. No secret is among them: of data, PINs, parameters and
 * values that may be a key they tell that they are there, and of most how long they are.
 */
import {
  type Attribute,
  type AttributeAnswer,
  type AttributeAnswers,
  type AttributeQuery,
  type Filled,
  type FilledList,
  type FunctionName,
  IN_KINDS,
  type In,
  type MechanismArgument,
  OUT_KINDS,
  type Out,
  type ParameterValue,
  type Room,
  type StructureValues,
} from '../standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION, CKM, CKR, CKU } from '../standard/constants.ts'
import { nameOfReturnValue } from '../standard/error.ts'
import { type ArgumentRow, functions } from '../standard/functions.ts'
import { attributeText, nameOfAttribute, namesOf } from './trace-attributes.ts'

/** Elements of a template or a list that are told one by one. */
const MOST_ELEMENTS = 40

function several<T>(items: readonly T[], tell: (item: T) => string, between = ', '): string {
  const told = items.slice(0, MOST_ELEMENTS).map(tell)
  if (items.length > told.length) told.push(`${items.length - told.length} more`)
  return told.join(between)
}

const quoted = (text: string): string => `"${text.trimEnd()}"`

const size = (value: { readonly length: number } | null): string =>
  value === null ? 'NULL' : `${value.length} bytes`

const roomOf = (room: Room): string => (room === null ? 'NULL' : `for ${room}`)

const nameOfMechanism = namesOf('CKM', CKM)

/** Numbers that have a better form than the decimal one, by the names of arguments and fields. */
const NUMBERS: Readonly<Record<string, (value: number) => string>> = {
  userType: namesOf('CKU', CKU),
  type: nameOfMechanism,
  flags: (flags) => `0x${flags.toString(16)}`,
}

const numberOf = (value: number, name: string): string =>
  value === CK_UNAVAILABLE_INFORMATION ? 'unavailable' : (NUMBERS[name] ?? String)(value)

const attributeOf = ({ type, value }: Attribute): string =>
  value instanceof Uint8Array
    ? attributeText(type, value)
    : `${nameOfAttribute(type)} {${several(value, attributeOf)}}`

const queryOf = ({ type, room }: AttributeQuery): string =>
  `${nameOfAttribute(type)} ${roomOf(room)}`

function mechanismOf(mechanism: MechanismArgument | null): string {
  if (mechanism === null) return 'NULL'
  const { type, parameter } = mechanism
  const name = nameOfMechanism(type)
  return parameter === null ? name : `${name} ${parameterOf(parameter)}`
}

/** A value of a parameter: a number as it is, of bytes and arrays how much there is. */
function parameterOf(value: ParameterValue): string {
  if (typeof value === 'number') return numberOf(value, '')
  if (value === null || value instanceof Uint8Array) return size(value)
  if (Array.isArray(value)) return `${value.length} elements`
  const tell = ([field, within]: [string, ParameterValue]) => `${field} ${parameterOf(within)}`
  return `{${several(Object.entries(value), tell)}}`
}

type Telling<Map> = { readonly [Kind in keyof Map]: (value: Map[Kind], name: string) => string }

const inputs: Telling<In> = {
  session: String,
  slot: String,
  object: String,
  ulong: numberOf,
  bool: String,
  bytes: size,
  pin: (pin) => (pin === null ? 'NULL' : 'given'),
  data: size,
  text: quoted,
  label: (label) => quoted(Buffer.from(label).toString()),
  template: (template) => `{${several(template, attributeOf)}}`,
  mechanism: mechanismOf,
  notify: (given) => `Notify ${given ? 'given' : 'NULL'}`,
  room: roomOf,
  fill: String,
  list: roomOf,
  found: (most) => `at most ${most}`,
  query: (queries) => `{${several(queries, queryOf)}}`,
  parameter: mechanismOf,
  asyncRoom: roomOf,
  asyncData: (given) => (given ? 'a place for the result' : 'NULL'),
}

function filledOf(value: Filled | FilledList, unit: string): string {
  if ('needed' in value) return `${value.needed} ${unit} needed`
  if ('image' in value) return `${value.image.length} ${unit}`
  return `${'put' in value ? value.put : value.length} ${unit}`
}

function answerOf({ type, value, length }: AttributeAnswer): string {
  const name = nameOfAttribute(type)
  if (length === CK_UNAVAILABLE_INFORMATION) return `${name} unavailable`
  if (value === null) return `${name} ${length} bytes`
  return value instanceof Uint8Array
    ? attributeText(type, value)
    : `${name} {${several(value, answerOf)}}`
}

/** Texts and numbers of a structure; its versions are left out. */
function structureOf(values: StructureValues): string {
  const told = Object.entries(values).flatMap(([field, value]) => {
    if (typeof value === 'string') return [`${field} ${quoted(value)}`]
    return typeof value === 'number' ? [`${field} ${numberOf(value, field)}`] : []
  })
  return told.join(', ')
}

const outputs: Telling<Out> = {
  ulongOut: String,
  structureOut: structureOf,
  room: (value) => filledOf(value, 'bytes'),
  fill: () => '',
  list: (value) => filledOf(value, 'elements'),
  found: (handles) => (handles.length === 0 ? 'none' : several(handles, String, ' ')),
  query: ({ answers }) => several(answers, answerOf),
  asyncData: ({ value, objects }) =>
    [...(value === null ? [] : [filledOf(value, 'bytes')]), ...objects.map(String)].join(', '),
}

/** `phKey` is called key. */
const plain = (name: string): string =>
  name.replace(/^ph([A-Z])/, (_, first: string) => first.toLowerCase())

/** Kinds that need no name to be understood. */
const NAMELESS: ReadonlySet<string> = new Set([
  'mechanism',
  'template',
  'query',
  'label',
  'notify',
  'structureOut',
])

function tell(
  by: Telling<In> | Telling<Out>,
  rows: readonly ArgumentRow[],
  values: readonly unknown[],
): string {
  const telling = by as Readonly<Record<string, (value: unknown, name: string) => string>>
  const texts = rows.map(({ name, kind }, at) => {
    const text = telling[kind]?.(values[at], name) ?? ''
    return text === '' || NAMELESS.has(kind) ? text : `${plain(name)} ${text}`
  })
  return texts.filter((text) => text !== '').join(', ')
}

const rowsOf = (name: FunctionName, kinds: ReadonlySet<string>): ArgumentRow[] =>
  functions[name].args.filter(({ kind }) => kinds.has(kind))

/** `C_SignInit(session 5, CKM_SHA256_RSA_PKCS, key 12)`. */
export const callText = (name: FunctionName, values: readonly unknown[]): string =>
  `${name}(${tell(inputs, rowsOf(name, IN_KINDS), values)})`

/** The return value that goes with an answer. That room was too small is told by its length alone. */
function returnValueOf(
  name: FunctionName,
  values: readonly unknown[],
  answer: readonly unknown[],
): number {
  const [{ kind }, first] = [rowsOf(name, OUT_KINDS)[0] ?? { kind: '' }, answer[0]]
  if (kind === 'query') return (first as AttributeAnswers).rv
  if (kind !== 'room' && kind !== 'list') return CKR.OK
  const at = rowsOf(name, IN_KINDS).findIndex((row) => row.kind === kind)
  return 'needed' in (first as Filled) && values[at] !== null ? CKR.BUFFER_TOO_SMALL : CKR.OK
}

/** `CKR_OK: signature 256 bytes`. `values` are the inputs, `answer` is an AnswerOf the function. */
export function answerText(
  name: FunctionName,
  values: readonly unknown[],
  answer: unknown,
): string {
  const rows = rowsOf(name, OUT_KINDS)
  const answers = rows.length === 1 ? [answer] : ((answer ?? []) as readonly unknown[])
  const text = tell(outputs, rows, answers)
  const rv = nameOfReturnValue(returnValueOf(name, values, answers))
  return text === '' ? rv : `${rv}: ${text}`
}
