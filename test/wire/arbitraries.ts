/** Random inputs and answers of every function, by the kinds of its arguments. */
import fc, { type Arbitrary } from 'fast-check'
import {
  type Attribute,
  type AttributeAnswer,
  type AttributeAnswers,
  type AttributeQuery,
  type Data,
  dataOf,
  type FunctionName,
  IN_KINDS,
  type In,
  type MechanismArgument,
  OUT_KINDS,
  type Out,
  type Parameter,
  type ParameterValue,
} from '../../src/standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION } from '../../src/standard/constants.ts'
import { type ArgumentRow, functions } from '../../src/standard/functions.ts'
import {
  type Field,
  fieldsOf,
  parameterUse,
  type StructureName,
  structureFields,
} from '../../src/standard/layouts.ts'
import { type StructureRow, structures } from '../../src/standard/structures.ts'
import type { ParameterRow } from '../../src/wire/layouts.ts'

export const names = Object.keys(functions) as FunctionName[]

/** Structures that are no parameters: they tell something. */
const TELLS = /^CK_(INFO|SLOT_INFO|TOKEN_INFO|SESSION_INFO|MECHANISM_INFO|VERSION)$/

/** The structure of messages beside which CK_GCM_PARAMS is that of operations. */
const OF_MESSAGES = 'CK_GCM_MESSAGE_PARAMS'

const flattens = Object.entries(structures as Record<string, StructureRow>)
  .filter(([name, { layout }]) => layout !== null && !TELLS.test(name))
  .map(([name]) => name as StructureName)

const numberOf = (name: StructureName) => 0x7000_0000 + flattens.indexOf(name)

/** A made-up mechanism for every structure that flattens, and one that has another for messages. */
export const parameters: readonly ParameterRow[] = [
  ...flattens.map((name): ParameterRow => [numberOf(name), name]),
  [numberOf('CK_GCM_PARAMS'), OF_MESSAGES, 'message'],
]

export const ulong = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(0, 0xffffffff, 2 ** 32, CK_UNAVAILABLE_INFORMATION),
)
export const bytes: Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 40 })
const maybe = <T>(arbitrary: Arbitrary<T>) => fc.option(arbitrary)
export const data: Arbitrary<Data> = bytes.map(dataOf)
export const label = fc.uint8Array({ minLength: 32, maxLength: 32 })
const room = maybe(ulong)

const few = { maxLength: 4 } as const

const { template } = fc.letrec<{ template: Attribute[] }>((tie) => ({
  template: fc.array(
    fc.record({ type: ulong, value: fc.oneof({ depthSize: 'small' }, bytes, tie('template')) }),
    few,
  ),
}))

const { query } = fc.letrec<{ query: AttributeQuery[] }>((tie) => ({
  query: fc.array(
    fc.oneof(
      { depthSize: 'small' },
      fc.record({ type: ulong, room }),
      fc
        .tuple(ulong, tie('query'))
        .map(([type, within]) => ({ type, room: within.length * 24, within })),
    ),
    few,
  ),
}))

const { answers } = fc.letrec<{ answers: AttributeAnswer[] }>((tie) => ({
  answers: fc.array(
    fc.record({
      type: ulong,
      length: ulong,
      value: fc.oneof({ depthSize: 'small' }, fc.constant(null), bytes, tie('answers')),
    }),
    few,
  ),
}))

const version = fc.record({ major: fc.nat(255), minor: fc.nat(255) })

/** Random values of the fields marked so; what a function only writes arrives as zeros. */
function fieldValue(field: Field): Arbitrary<ParameterValue> {
  const { letter, length, mark, within } = field
  const zeros = mark === '>'
  const some = zeros ? bytes.map(({ length }) => new Uint8Array(length)) : bytes
  const number = zeros ? fc.constant(0) : ulong
  const versions = zeros ? fc.constant({ major: 0, minor: 0 }) : version
  const nested = fc.constant(null).chain(() => valuesOf(within))
  const arbitraries: Readonly<Record<string, Arbitrary<ParameterValue>>> = {
    u: number,
    y: fc.nat(255),
    v: versions,
    f: fc.uint8Array({ minLength: length, maxLength: length }),
    p: bytes,
    s: bytes,
    q: bytes,
    r: maybe(some),
    b: maybe(some),
    t: template,
    '{': nested,
    '*': maybe(nested),
    '*u': maybe(number),
    '*v': maybe(versions),
    a: fc.array(nested, few),
    c: fc.array(nested, few),
  }
  return arbitraries[letter] as Arbitrary<ParameterValue>
}

const valuesOf = (fields: readonly Field[]): Arbitrary<Parameter> =>
  fc.record<Record<string, ParameterValue>>(
    Object.fromEntries(fields.map((field) => [field.name, fieldValue(field)])),
  )

/** Random values of a parameter structure. */
export const parameterOf = (name: StructureName): Arbitrary<Parameter> =>
  valuesOf(structureFields(name) ?? [])

/** Random values that a function gives back of a parameter that it was sent, some of them left out. */
export function backOf(fields: readonly Field[], sent: Parameter): Arbitrary<Parameter> {
  const given = fields
    .filter(({ written }) => written)
    .flatMap((field): [string, Arbitrary<ParameterValue>][] => {
      const own = sent[field.name] ?? null
      return own === null ? [] : [[field.name, fieldBackOf(field, own)]]
    })
  const needed = fields.filter(({ mark }) => mark === '').map(({ name }) => name)
  const values = fc.record(Object.fromEntries(given), {
    requiredKeys: given.map(([name]) => name).filter((name) => needed.includes(name)),
  })
  return values as Arbitrary<Parameter>
}

function fieldBackOf(
  { letter, mark, within }: Field,
  own: ParameterValue,
): Arbitrary<ParameterValue> {
  if (Array.isArray(own)) return fc.tuple(...own.map((part: Parameter) => backOf(within, part)))
  if (mark === '') return backOf(within, own as Parameter)
  if (own instanceof Uint8Array) {
    const { length } = own
    return fc.uint8Array({ minLength: letter === 'r' ? 0 : length, maxLength: length })
  }
  return letter === '*v' ? version : ulong
}

const structured = (use: 'message' | 'mechanism'): Arbitrary<MechanismArgument> =>
  fc.constantFrom(...flattens).chain((name) => {
    const type = numberOf(name)
    const other = use === 'message' && name === 'CK_GCM_PARAMS'
    return parameterOf(other ? OF_MESSAGES : name).map((parameter) => ({ type, parameter }))
  })

const plainly = fc.record({ type: ulong, parameter: maybe(bytes) })

const mechanism = (use: 'message' | 'mechanism'): Arbitrary<MechanismArgument | null> =>
  maybe(fc.oneof(plainly, structured(use)))

export type InputArbitraries = { readonly [K in keyof In]: Arbitrary<In[K]> }

export const inputArbitraries: InputArbitraries = {
  session: ulong,
  slot: ulong,
  object: ulong,
  ulong,
  bool: fc.boolean(),
  bytes: maybe(bytes),
  pin: maybe(bytes),
  data,
  text: fc.string({ maxLength: 40 }),
  label,
  template,
  mechanism: mechanism('mechanism'),
  notify: fc.boolean(),
  room,
  fill: fc.nat(),
  list: room,
  found: fc.nat(1 << 20),
  query,
  parameter: fc.oneof(plainly, structured('message')),
  asyncRoom: room,
  asyncData: fc.boolean(),
}

const filled = fc.oneof(bytes, fc.record({ needed: ulong }), fc.record({ put: ulong }))
const handles = fc.array(ulong, few)

const outputArbitraries: { readonly [K in Exclude<keyof Out, 'structureOut'>]: Arbitrary<Out[K]> } =
  {
    ulongOut: ulong,
    room: filled,
    fill: maybe(bytes),
    list: fc.oneof(handles, fc.record({ needed: ulong })),
    found: handles,
    query: fc.record({ answers, rv: ulong }) as Arbitrary<AttributeAnswers>,
    asyncData: fc.record({
      value: maybe(filled),
      objects: fc.array(
        ulong.filter((handle) => handle !== 0),
        { maxLength: 2 },
      ),
    }),
  }

/** Text without blanks at its end, since those are padding. */
const textOf = (length: number) => fc.string({ maxLength: length }).map((text) => text.trimEnd())

function structureOut(name: StructureName) {
  const { layout, names }: StructureRow = structures[name]
  const values = fieldsOf(layout ?? '', names).map(
    ({ letter, length, name }) =>
      [name, letter === 'f' ? textOf(length) : letter === 'v' ? version : ulong] as const,
  )
  return fc.record(Object.fromEntries<Arbitrary<unknown>>(values))
}

const rowsOf = (name: FunctionName): readonly ArgumentRow[] => functions[name].args

/** Random inputs of a function. */
export const inputsOf = (
  name: FunctionName,
  arbitraries: InputArbitraries = inputArbitraries,
): Arbitrary<unknown[]> =>
  fc.tuple(
    ...rowsOf(name)
      .filter(({ kind }) => IN_KINDS.has(kind))
      .map(
        ({ kind }): Arbitrary<unknown> =>
          kind === 'mechanism' && arbitraries === inputArbitraries
            ? mechanism(parameterUse(name) === 'message' ? 'message' : 'mechanism')
            : arbitraries[kind as keyof In],
      ),
  )

/** Random answers of a function. */
export function answersOf(name: FunctionName): Arbitrary<unknown> {
  const outputs = rowsOf(name)
    .filter(({ kind }) => OUT_KINDS.has(kind))
    .map(
      ({ kind, structure }): Arbitrary<unknown> =>
        kind === 'structureOut'
          ? structureOut(structure as StructureName)
          : outputArbitraries[kind as keyof typeof outputArbitraries],
    )
  const [only] = outputs
  if (only === undefined) return fc.constant(undefined)
  return outputs.length === 1 ? only : fc.tuple(...outputs)
}

/** A value with its bytes and data as text and without functions, so that two of them compare. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if ('read' in value) {
    const { length, read } = value as Data
    return ['data', plain(read(0, length))]
  }
  const fields = Object.entries(value).filter(([, field]) => typeof field !== 'function')
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]))
}
