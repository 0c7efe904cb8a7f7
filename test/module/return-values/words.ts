/** Arguments as the words that application.c takes them as: by their kinds in the function table. */
import { mechanisms } from '../../../src/mechanisms/table.ts'
import type { Attribute, FunctionName, MechanismArgument } from '../../../src/standard/calls.ts'
import {
  type ArgumentKind,
  type ArgumentRow,
  type FunctionRow,
  functions,
} from '../../../src/standard/functions.ts'
import { structures } from '../../../src/standard/structures.ts'

/** Words as they stand, where a case wants what no argument in order has. */
export interface Words {
  readonly words: string
}

/** Output of a function that was called before: the number at its first pointer, or the bytes there. */
export interface Output {
  readonly from: FunctionName
}

/** What a case gives for an argument. A name stands for an object of objects.ts, or a slot of tokens.ts. */
export type Given =
  | number
  | string
  | Uint8Array
  | readonly Attribute[]
  | readonly Query[]
  | MechanismArgument
  | Words
  | Output

/** An attribute asked for, with so many bytes of room. */
export interface Query {
  readonly type: number
  readonly room: number
}

/** By the names of the function table. What is missing is an output, or a zero. */
export type Arguments = Readonly<Record<string, Given>>

/** Looks up what a name or an earlier output stands for. */
export interface Lookup {
  named(name: string, kind: ArgumentKind): number | Promise<number>
  output(from: FunctionName): Buffer | undefined
}

export const zeros = (length: number): Words => ({ words: `i${length} ${length}` })

const pointerTo = (bytes: Uint8Array): string => `x${Buffer.from(bytes).toString('hex')}`
const withLength = (bytes: Uint8Array): string => `${pointerTo(bytes)} ${bytes.length}`

const isTemplate = (value: Attribute['value']): value is readonly Attribute[] =>
  Array.isArray(value)

/** Bytes of a CK_ATTRIBUTE. */
const ATTRIBUTE = 24

function attributeOf({ type, value }: Attribute): string {
  if (!isTemplate(value)) return `${type} ${withLength(value)}`
  return `${type} [ ${value.map(attributeOf).join(' ')} ] ${value.length * ATTRIBUTE}`
}

const templateOf = (template: readonly Attribute[]): string =>
  `[ ${template.map(attributeOf).join(' ')} ] ${template.length}`

const queryOf = (queries: readonly Query[]): string =>
  `[ ${queries.map(({ type, room }) => `${type} z${room} ${room}`).join(' ')} ] ${queries.length}`

/** A parameter structure by its layout (structures.ts), of which the parameters here need three letters. */
const fields: Readonly<Record<string, (value: unknown) => string>> = {
  u: (value) => String(value),
  p: (value) => withLength(value as Uint8Array),
  q: (value) => `${(value as Uint8Array).length} ${pointerTo(value as Uint8Array)}`,
}

function mechanismOf({ type, parameter }: MechanismArgument): string {
  if (parameter === null) return `[ ${type} 0 0 ]`
  if (parameter instanceof Uint8Array) return `[ ${type} ${withLength(parameter)} ]`
  const name = mechanisms.get(type)?.parameter
  if (name === undefined || name === 'bytes') throw new TypeError(`${type} takes no structure`)
  const { layout, names, size } = structures[name]
  const values: Readonly<Record<string, unknown>> = { ...parameter }
  const words = Array.from(layout ?? '', (letter, at) => fields[letter]?.(values[names[at] ?? '']))
  return `[ ${type} [ ${words.join(' ')} ] ${size} ]`
}

/** How much room there is where a case does not say. */
const ROOM = 512

const room = (length = ROOM): string => `z${length} o${length}`
const list = (length = ROOM): string => `z${length * 8} o${length}`

/** The words of a value in order, by the kind of its argument. */
const encoders: Readonly<Partial<Record<ArgumentKind, (given: never) => string>>> = {
  label: pointerTo,
  bytes: withLength,
  pin: withLength,
  data: withLength,
  template: templateOf,
  query: queryOf,
  mechanism: mechanismOf,
  room,
  list,
  fill: (length: number) => `z${length} ${length}`,
}

/** What stands for an argument that a case does not give. */
const silent: Readonly<Partial<Record<ArgumentKind, string>>> = {
  room: room(),
  list: list(),
  found: 'z32 4 z8',
  ulongOut: 'z8',
  local: 'z8',
  notify: '0 0',
}

function missing({ kind, structure }: ArgumentRow): string {
  if (kind === 'structureOut') return `z${structures[structure as keyof typeof structures].size}`
  return silent[kind] ?? '0'
}

/** A pointer that is NULL though the function needs it; a reserved one that is not. 5.1.6. */
const bad: Readonly<Partial<Record<ArgumentKind, string>>> = {
  label: '0',
  bytes: '0 1',
  pin: '0 1',
  data: '0 1',
  template: '0 1',
  query: '0 1',
  mechanism: '0',
  room: 'z8 0',
  list: 'z8 0',
  fill: '0 1',
  found: '0 1 z8',
  ulongOut: '0',
  structureOut: '0',
  local: '0',
  reserved: 'z8',
}

/** One argument that is NULL and must not be. */
export function withNull(name: FunctionName): Arguments {
  const row: FunctionRow = functions[name]
  const argument = row.args.find(({ kind }) => bad[kind] !== undefined)
  if (argument === undefined) throw new TypeError(`${name} has no pointer`)
  return { [argument.name]: { words: bad[argument.kind] as string } }
}

const isWords = (given: Given): given is Words => typeof given === 'object' && 'words' in given
const isOutput = (given: Given): given is Output => typeof given === 'object' && 'from' in given

const HANDLES: ReadonlySet<ArgumentKind> = new Set(['session', 'slot', 'object', 'ulong'])

async function encode(row: ArgumentRow, given: Given, lookup: Lookup): Promise<string> {
  if (isWords(given)) return given.words
  if (isOutput(given)) {
    const output = lookup.output(given.from) ?? Buffer.alloc(8)
    return HANDLES.has(row.kind) ? String(output.readBigUInt64LE()) : withLength(output)
  }
  if (typeof given === 'string') return String(await lookup.named(given, row.kind))
  const encoder = encoders[row.kind]
  return encoder === undefined ? String(given) : encoder(given as never)
}

/** The words of all arguments of a function. */
export async function wordsOf(
  name: FunctionName,
  given: Arguments,
  lookup: Lookup,
): Promise<string> {
  const row: FunctionRow = functions[name]
  const names = row.args.map((argument) => argument.name)
  for (const key of Object.keys(given))
    if (!names.includes(key)) throw new TypeError(`${name} has no argument ${key}`)
  const words: string[] = []
  for (const argument of row.args) {
    const value = given[argument.name]
    words.push(value === undefined ? missing(argument) : await encode(argument, value, lookup))
  }
  return words.join(' ')
}
