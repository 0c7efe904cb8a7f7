/** The values of Softoki's extension of the protocol (docs/WIRE.md, "Body"), each both ways. */
import {
  type AsyncResult,
  type Attribute,
  type AttributeAnswer,
  type AttributeAnswers,
  type AttributeQuery,
  type Data,
  dataOf,
  type Filled,
  type FilledList,
  type In,
  type MechanismArgument,
  type Out,
  type Room,
  type StructureValues,
} from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Codec } from './codec.ts'
import {
  type ParameterStructures,
  padded,
  readParameter,
  readStructure,
  type StructureName,
  structureFields,
  writeStructure,
} from './layouts.ts'
import { type Reader, WireError } from './reader.ts'
import type { Writer } from './writer.ts'

/** Data up to this many bytes travels with the call, and one READ or PUT moves no more: 1 MiB. */
export const MOST_HERE = 1 << 20

/** Attributes in one array, arrays within arrays, and bytes of a text. */
const MOST_ATTRIBUTES = 1024
const MOST_DEPTH = 8
const MOST_TEXT = 4096

/** Handles that one C_FindObjects answers at most, so that they fit a frame. */
export const MOST_FOUND = 1 << 20

const LABEL = 32

export const ulong: Codec<number> = {
  letters: 'u',
  write: (writer, value) => writer.u64(value),
  read: (reader) => reader.u64(),
}

export const bool: Codec<boolean> = {
  letters: 'y',
  write: (writer, value) => writer.bool(value),
  read: (reader) => reader.bool(),
}

const bytes: Codec<Uint8Array | null> = {
  letters: 'a',
  write: (writer, value) => writer.bytes(value),
  read: (reader) => reader.bytes(),
}

/** Short data must be here already when it is written. */
const data: Codec<Data> = {
  letters: 'd',
  write(writer, value) {
    writer.u64(value.length)
    writer.bool(value.length <= MOST_HERE)
    if (value.length > MOST_HERE) return
    const here = value.read(0, value.length)
    if (!(here instanceof Uint8Array) || here.length !== value.length)
      throw new TypeError('short data that is not here')
    writer.raw(here)
  },
  read(reader) {
    const length = reader.u64()
    if (!reader.bool()) return reader.remote(length)
    if (length > MOST_HERE) throw new WireError(`${length} bytes of data with a call`)
    return dataOf(reader.raw(length))
  },
}

export const text: Codec<string> = {
  letters: 'z',
  write: (writer, value) => writer.text(value),
  read: (reader) => reader.text(MOST_TEXT),
}

const label: Codec<Uint8Array> = {
  letters: 'l',
  write: (writer, value) => writer.raw(padded(value, LABEL)),
  read: (reader) => reader.raw(LABEL),
}

/** Bytes that an attribute and a query take at least. */
const ATTRIBUTE = 13
const QUERY = 9

function writeAttributes(writer: Writer, attributes: readonly Attribute[]): void {
  writer.u32(attributes.length)
  for (const { type, value } of attributes) {
    writer.u64(type)
    writer.bool(!(value instanceof Uint8Array))
    if (value instanceof Uint8Array) writer.bytes(value)
    else writeAttributes(writer, value)
  }
}

function readAttributes(reader: Reader, depth = 1): Attribute[] {
  return readElements(reader, ATTRIBUTE, depth, (type, reader) =>
    reader.bool()
      ? { type, value: readAttributes(reader, depth + 1) }
      : { type, value: reader.bytesOrNone() },
  )
}

function readElements<T>(
  reader: Reader,
  size: number,
  depth: number,
  read: (type: number, reader: Reader) => T,
): T[] {
  if (depth > MOST_DEPTH) throw new WireError('attributes too deep within each other')
  const count = reader.elements(size, MOST_ATTRIBUTES)
  return Array.from({ length: count }, () => read(reader.u64(), reader))
}

const template: Codec<readonly Attribute[]> = {
  letters: 'A',
  write: writeAttributes,
  read: (reader) => readAttributes(reader),
}

/** Forms of a mechanism's parameter. */
const NO_PARAMETER = 0
const PLAIN = 1
const STRUCTURE = 2
const NULL_MECHANISM = 3

const mechanism = (structures: ParameterStructures): Codec<MechanismArgument | null> => ({
  letters: 'M',
  write(writer, value) {
    const { type, parameter } = value ?? { type: 0, parameter: null }
    writer.u64(type)
    if (value === null) return writer.u8(NULL_MECHANISM)
    if (parameter === null) return writer.u8(NO_PARAMETER)
    if (parameter instanceof Uint8Array) return writePlain(writer, parameter)
    const fields = structures.fields(type, parameter)
    if (fields === undefined)
      throw new CryptokiError(CKR.MECHANISM_INVALID, 'the service knows no structure for it')
    writer.u8(STRUCTURE)
    writeStructure(writer, fields, parameter)
  },
  read(reader) {
    const type = reader.u64()
    const form = reader.form(4)
    if (form === NULL_MECHANISM) return null
    if (form === NO_PARAMETER) return { type, parameter: null }
    if (form === PLAIN) return { type, parameter: reader.bytesOrNone() }
    const fields = structures.fields(type)
    if (fields === undefined) throw new WireError(`no structure for mechanism ${type}`)
    return { type, parameter: readParameter(reader, fields) }
  },
})

function writePlain(writer: Writer, parameter: Uint8Array): void {
  writer.u8(PLAIN)
  writer.bytes(parameter)
}

/** The parameter of a message-based function. */
export const parameter: Codec<In['parameter']> = {
  letters: 'P',
  write(writer, value) {
    if (value === null) return writer.u8(NO_PARAMETER)
    if (!(value instanceof Uint8Array)) throw new TypeError('a message parameter is plain bytes')
    writePlain(writer, value)
  },
  read: (reader) => (reader.form(2) === NO_PARAMETER ? null : reader.bytesOrNone()),
}

/** Room for bytes or for a list. */
const room = (letters: string): Codec<Room> => ({
  letters,
  write(writer, value) {
    writer.bool(value !== null)
    writer.u64(value ?? 0)
  },
  read(reader) {
    const given = reader.bool()
    const size = reader.u64()
    return given ? size : null
  },
})

const filled: Codec<Filled> = {
  letters: 'f',
  write(writer, value) {
    if (value instanceof Uint8Array) {
      writer.u8(1)
      return writer.bytes(value)
    }
    const needed = 'needed' in value
    writer.u8(needed ? 0 : 2)
    writer.u64(needed ? value.needed : value.put)
  },
  read(reader) {
    const form = reader.form(3)
    if (form === 1) return reader.bytesOrNone()
    return form === 0 ? { needed: reader.u64() } : { put: reader.u64() }
  },
}

const asyncResult: Codec<AsyncResult> = {
  letters: 'D',
  write(writer, { value, objects: [object = 0, additional = 0] }) {
    writer.u8(value === null ? 0 : 1)
    if (value !== null) filled.write(writer, value)
    writer.u64(object)
    writer.u64(additional)
  },
  read(reader) {
    const value = reader.form(2) === 0 ? null : filled.read(reader)
    const objects = [reader.u64(), reader.u64()].filter((handle) => handle !== 0)
    return { value, objects }
  },
}

const fill: Codec<number> = { ...ulong, letters: 'g' }

const filling: Codec<Out['fill']> = { ...bytes, letters: 'g' }

const list: Codec<FilledList> = {
  letters: 'n',
  write(writer, value) {
    writer.bool(!('needed' in value))
    if ('needed' in value) return writer.u64(value.needed)
    writer.u32(value.length)
    writer.u64s(value)
  },
  read: (reader) => (reader.bool() ? reader.u64s(reader.count(8)) : { needed: reader.u64() }),
}

const found: Codec<number> = {
  letters: 'h',
  write: (writer, value) => writer.u64(value),
  read: (reader) => Math.min(reader.u64(), MOST_FOUND),
}

const foundHandles: Codec<readonly number[]> = {
  letters: 'h',
  write(writer, value) {
    writer.u32(value.length)
    writer.u64s(value)
  },
  read: (reader) => reader.u64s(reader.count(8)),
}

/** Forms of a query. */
const NO_ROOM = 0
const ROOM = 1

function writeQueries(writer: Writer, queries: readonly AttributeQuery[]): void {
  writer.u32(queries.length)
  for (const { type, room, within } of queries) {
    writer.u64(type)
    writer.u8(within !== undefined ? 2 : room === null ? NO_ROOM : ROOM)
    if (within !== undefined) writeQueries(writer, within)
    else if (room !== null) writer.u64(room)
  }
}

/** Bytes of a CK_ATTRIBUTE on LP64. */
export const ATTRIBUTE_SIZE = 24

function readQueries(reader: Reader, depth = 1): AttributeQuery[] {
  return readElements(reader, QUERY, depth, (type, reader) => {
    const form = reader.form(3)
    if (form === NO_ROOM) return { type, room: null }
    if (form === ROOM) return { type, room: reader.u64() }
    const within = readQueries(reader, depth + 1)
    return { type, room: within.length * ATTRIBUTE_SIZE, within }
  })
}

const query: Codec<readonly AttributeQuery[]> = {
  letters: 'Q',
  write: writeQueries,
  read: (reader) => readQueries(reader),
}

function writeAnswers(writer: Writer, answers: readonly AttributeAnswer[]): void {
  writer.u32(answers.length)
  for (const { type, value, length } of answers) {
    writer.u64(type)
    writer.u64(length)
    writer.u8(value === null ? 0 : value instanceof Uint8Array ? 1 : 2)
    if (value instanceof Uint8Array) writer.bytes(value)
    else if (value !== null) writeAnswers(writer, value)
  }
}

function readAnswers(reader: Reader, depth = 1): AttributeAnswer[] {
  return readElements(reader, ATTRIBUTE, depth, (type, reader) => {
    const length = reader.u64()
    const form = reader.form(3)
    if (form === 0) return { type, length, value: null }
    return {
      type,
      length,
      value: form === 1 ? reader.bytesOrNone() : readAnswers(reader, depth + 1),
    }
  })
}

const answers: Codec<AttributeAnswers> = {
  letters: 'Q',
  write(writer, value) {
    writeAnswers(writer, value.answers)
    writer.u64(value.rv)
  },
  read: (reader) => ({ answers: readAnswers(reader), rv: reader.u64() }),
}

/** Every kind that a request holds. */
export const requestKinds = (
  structures: ParameterStructures,
): { readonly [K in keyof In]: Codec<In[K]> } => ({
  session: ulong,
  slot: ulong,
  object: ulong,
  ulong,
  bool,
  bytes,
  pin: bytes,
  data,
  text,
  label,
  template,
  mechanism: mechanism(structures),
  notify: bool,
  room: room('f'),
  fill,
  list: room('n'),
  found,
  query,
  parameter,
  asyncRoom: room('f'),
  asyncData: bool,
})

/** Every kind that an answer holds, but structureOut. */
export const answerKinds: { readonly [K in Exclude<keyof Out, 'structureOut'>]: Codec<Out[K]> } = {
  ulongOut: ulong,
  room: filled,
  fill: filling,
  list,
  found: foundHandles,
  query: answers,
  asyncData: asyncResult,
}

/** A structure that tells something, with these letters for all of it. */
export function structureOut(name: StructureName, letters = 'S'): Codec<StructureValues> {
  const fields = structureFields(name)
  if (fields === undefined) throw new TypeError(`${name} does not flatten`)
  return {
    letters,
    write: (writer, value) => writeStructure(writer, fields, value),
    read: (reader) => readStructure(reader, fields),
  }
}

/** What C_Initialize answers: CKM_ numbers with the layouts of their parameters. */
export const layouts: Codec<readonly (readonly [number, string])[]> = {
  letters: 'L',
  write(writer, value) {
    writer.u32(value.length)
    for (const [type, layout] of value) {
      writer.u64(type)
      writer.text(layout)
    }
  },
  read: (reader) =>
    Array.from({ length: reader.count(12) }, () => [reader.u64(), reader.text(256)] as const),
}
