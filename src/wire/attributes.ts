/** Templates and queries of the extension (docs/WIRE.md, "Body"), each both ways. */
import type {
  Attribute,
  AttributeAnswer,
  AttributeAnswers,
  AttributeQuery,
} from '../standard/calls.ts'
import type { Codec } from './codec.ts'
import { type Reader, WireError } from './reader.ts'
import type { Writer } from './writer.ts'

/** Attributes in one array, and arrays within arrays. */
const MOST_ATTRIBUTES = 1024
const MOST_DEPTH = 8

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

export const template: Codec<readonly Attribute[]> = {
  letters: 'A',
  write: writeAttributes,
  read: (reader) => readAttributes(reader),
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

export const query: Codec<readonly AttributeQuery[]> = {
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

export const answers: Codec<AttributeAnswers> = {
  letters: 'Q',
  write(writer, value) {
    writeAnswers(writer, value.answers)
    writer.u64(value.rv)
  },
  read: (reader) => ({ answers: readAnswers(reader), rv: reader.u64() }),
}
