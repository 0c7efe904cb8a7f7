/**
 * The values of parameter structures, there and back (docs/WIRE.md, "values by layout" and "values
 * given back"). The letters are those of standard/structures.ts.
 */
import type { Attribute, Parameter, ParameterValue } from '../standard/calls.ts'
import { type Field, MOST_STRUCTURES, MOST_STRUCTURES_DEEP } from '../standard/layouts.ts'
import { template } from './attributes.ts'
import { type Reader, WireError } from './reader.ts'
import type { Writer } from './writer.ts'

/** How a letter travels in the request; what is only written (`>`) has its own row below. */
interface Passage {
  write(writer: Writer, value: ParameterValue, field: Field): void
  read(reader: Reader, field: Field, depth: number): ParameterValue
}

const numberOf = (value: ParameterValue | undefined): number => {
  if (typeof value === 'number') return value
  throw new TypeError(`${value} is no number`)
}

const bytesOf = (value: ParameterValue | undefined): Uint8Array => {
  if (value instanceof Uint8Array) return value
  throw new TypeError(`${value} is no bytes`)
}

function listOf(value: ParameterValue | undefined): readonly (Parameter | Attribute)[] {
  if (Array.isArray(value)) return value
  throw new TypeError(`${value} is no list`)
}

function structureOf(value: ParameterValue | undefined): Parameter {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    if (!(value instanceof Uint8Array)) return value as Parameter
  throw new TypeError(`${value} is no structure`)
}

const u64: Passage = {
  write: (writer, value) => writer.u64(numberOf(value)),
  read: (reader) => reader.u64(),
}

const version: Passage = {
  write(writer, value) {
    const { major, minor } = structureOf(value)
    writer.u8(numberOf(major))
    writer.u8(numberOf(minor))
  },
  read: (reader) => ({ major: reader.u8(), minor: reader.u8() }),
}

/** NULL and no bytes are alike. */
const someBytes: Passage = {
  write: (writer, value) => writer.bytes(bytesOf(value)),
  read: (reader) => reader.bytesOrNone(),
}

const bytesOrNull: Passage = {
  write: (writer, value) => writer.bytes(value === null ? null : bytesOf(value)),
  read: (reader) => reader.bytes(),
}

/** A byte says whether the pointer is not NULL. */
const orNull = (passage: Passage): Passage => ({
  write(writer, value, field) {
    writer.bool(value !== null)
    if (value !== null) passage.write(writer, value, field)
  },
  read: (reader, field, depth) => (reader.bool() ? passage.read(reader, field, depth) : null),
})

const structure: Passage = {
  write: (writer, value, { within }) => writeParameter(writer, within, structureOf(value)),
  read: (reader, { within }, depth) => readParameter(reader, within, depth + 1),
}

const structures: Passage = {
  write(writer, value, field) {
    const list = listOf(value) as readonly Parameter[]
    if (list.length > MOST_STRUCTURES) throw new TypeError(`${list.length} structures`)
    writer.u32(list.length)
    for (const element of list) structure.write(writer, element, field)
  },
  read(reader, { within }, depth) {
    const count = reader.u32()
    if (count > MOST_STRUCTURES) throw new WireError(`${count} structures in a parameter`)
    return Array.from({ length: count }, () => readParameter(reader, within, depth + 1))
  },
}

const PASSAGES: Readonly<Record<string, Passage>> = {
  u: u64,
  y: { write: (writer, value) => writer.u8(numberOf(value)), read: (reader) => reader.u8() },
  v: version,
  f: {
    write(writer, value, { name, length }) {
      const bytes = bytesOf(value)
      if (bytes.length !== length) throw new TypeError(`${name}: ${bytes.length} bytes`)
      writer.raw(bytes)
    },
    read: (reader, { length }) => reader.raw(length),
  },
  p: someBytes,
  s: someBytes,
  q: someBytes,
  r: bytesOrNull,
  b: bytesOrNull,
  t: {
    write: (writer, value) => template.write(writer, listOf(value) as readonly Attribute[]),
    read: (reader) => template.read(reader),
  },
  '{': structure,
  '*': orNull(structure),
  '*u': orNull(u64),
  '*v': orNull(version),
  a: structures,
  c: structures,
}

/** Only how many bytes there is room for travels. */
const bytesRoom: Passage = {
  write: (writer, value) => writer.room(value === null ? null : bytesOf(value).length),
  read: (reader) => reader.zeros(),
}

const nothing: Pick<Passage, 'write'> = { write: () => {} }

/** What a function only writes arrives as zeros. */
const WRITTEN_ONLY: Readonly<Record<string, Passage>> = {
  u: { ...nothing, read: () => 0 },
  '*u': orNull({ ...nothing, read: () => 0 }),
  '*v': orNull({ ...nothing, read: () => ({ major: 0, minor: 0 }) }),
  b: bytesRoom,
  r: bytesRoom,
}

function passageOf({ letter, mark, name }: Field): Passage {
  const passage = (mark === '>' ? WRITTEN_ONLY : PASSAGES)[letter]
  if (passage === undefined) throw new TypeError(`${name}: nothing travels as ${mark}${letter}`)
  return passage
}

/** Throws a TypeError for values that are not of the fields' kinds. */
export function writeParameter(writer: Writer, fields: readonly Field[], values: Parameter): void {
  for (const field of fields) {
    const value = values[field.name]
    if (value === undefined) throw new TypeError(`${field.name} is lacking`)
    passageOf(field).write(writer, value, field)
  }
}

export function readParameter(reader: Reader, fields: readonly Field[], depth = 1): Parameter {
  if (depth > MOST_STRUCTURES_DEEP) throw new WireError('structures too deep within each other')
  const values: Record<string, ParameterValue> = {}
  for (const field of fields) values[field.name] = passageOf(field).read(reader, field, depth)
  return values
}

/** How the values that a function gives back travel, by their letters. */
const BACK: Readonly<Record<string, Passage>> = {
  u: u64,
  '*u': u64,
  '*v': version,
  p: someBytes,
  s: someBytes,
  q: someBytes,
  b: someBytes,
  r: someBytes,
}

/** `r` may get shorter, all others stay as long as they came. */
function checkLength({ letter, name }: Field, came: ParameterValue, back: ParameterValue): void {
  if (!(came instanceof Uint8Array)) return
  const { length } = bytesOf(back)
  if (length > came.length || (letter !== 'r' && length !== came.length))
    throw new TypeError(`${name}: ${length} bytes for ${came.length}`)
}

const nestedIn = (value: ParameterValue | undefined): readonly Parameter[] =>
  value === null || value === undefined
    ? []
    : Array.isArray(value)
      ? (value as readonly Parameter[])
      : [structureOf(value)]

/**
 * Writes values that go back, for a parameter that came like `came`: for each field that the function
 * writes whether there is a value, and the value; within the structures that came, theirs. Throws a
 * TypeError for values that do not fit.
 */
export function writeBack(
  writer: Writer,
  fields: readonly Field[],
  came: Parameter,
  values: Parameter,
): void {
  for (const field of fields.filter(({ written }) => written)) {
    const [own, back] = [came[field.name], values[field.name]]
    if (field.mark === '') {
      const parts = nestedIn(back)
      for (const [at, part] of nestedIn(own).entries())
        writeBack(writer, field.within, part, parts[at] ?? {})
      continue
    }
    const given = back !== undefined && back !== null && own !== null && own !== undefined
    writer.bool(given)
    if (!given) continue
    checkLength(field, own, back)
    BACK[field.letter]?.write(writer, back, field)
  }
}

/** Reads what writeBack wrote; throws a WireError for what does not fit the parameter that was sent. */
export function readBack(reader: Reader, fields: readonly Field[], sent: Parameter): Parameter {
  const values: Record<string, ParameterValue> = {}
  for (const field of fields.filter(({ written }) => written)) {
    const own = sent[field.name]
    if (field.mark === '') {
      const parts = nestedIn(own).map((part) => readBack(reader, field.within, part))
      if (Array.isArray(own)) values[field.name] = parts
      else if (parts[0] !== undefined) values[field.name] = parts[0]
    } else if (reader.bool()) values[field.name] = leafBack(reader, field, own)
  }
  return values
}

function leafBack(reader: Reader, field: Field, own: ParameterValue | undefined): ParameterValue {
  if (own === null || own === undefined) throw new WireError(`${field.name} was NULL`)
  const value = BACK[field.letter]?.read(reader, field, 1) ?? null
  try {
    checkLength(field, own, value)
  } catch (cause) {
    throw new WireError(`${field.name} came back with another length`, { cause })
  }
  return value
}
