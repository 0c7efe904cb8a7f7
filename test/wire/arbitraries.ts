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
} from '../../src/standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION } from '../../src/standard/constants.ts'
import { type ArgumentRow, functions } from '../../src/standard/functions.ts'
import { type StructureRow, structures } from '../../src/standard/structures.ts'
import { fieldsOf, type StructureName } from '../../src/wire/layouts.ts'

export const names = Object.keys(functions) as FunctionName[]

/** A made-up mechanism for every structure that flattens and holds no version. */
export const parameters = Object.entries(structures as Record<string, StructureRow>).flatMap(
  ([name, { layout }], at): (readonly [number, StructureName])[] =>
    layout === null || layout.includes('v') ? [] : [[0x7000_0000 + at, name as StructureName]],
)

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

/** Random values of a parameter structure. */
export function parameterOf(name: StructureName): Arbitrary<Parameter> {
  const { layout, names }: StructureRow = structures[name]
  const values = fieldsOf(layout ?? '', names).map(({ letter, length, name }) => {
    if (letter === 'u') return [name, ulong] as const
    if (letter === 'y') return [name, fc.nat(255)] as const
    if (letter === 'f')
      return [name, fc.uint8Array({ minLength: length, maxLength: length })] as const
    return [name, bytes] as const
  })
  return fc.record<Record<string, number | Uint8Array>>(Object.fromEntries(values))
}

const mechanism: Arbitrary<MechanismArgument | null> = maybe(
  fc.oneof(
    fc.record({ type: ulong, parameter: maybe(bytes) }),
    fc
      .constantFrom(...parameters)
      .chain(([type, name]) => parameterOf(name).map((parameter) => ({ type, parameter }))),
  ),
)

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
  mechanism,
  notify: fc.boolean(),
  room,
  fill: fc.nat(),
  list: room,
  found: fc.nat(1 << 20),
  query,
  parameter: maybe(bytes),
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
  const version = fc.record({ major: fc.nat(255), minor: fc.nat(255) })
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
      .map(({ kind }): Arbitrary<unknown> => arbitraries[kind as keyof In]),
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

/** A value with its bytes and data as text, so that two of them compare. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if ('read' in value) {
    const { length, read } = value as Data
    return ['data', plain(read(0, length))]
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}
