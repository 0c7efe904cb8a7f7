/**
 * The values of p11-kit's protocol (p11-kit/rpc-message.c, rpc-server.c), each both ways, for its
 * versions 0 (to p11-kit 0.24), 1 (0.25.0 to 0.25.5) and 2 (from 0.25.6).
 */
import {
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
import { absent, type Codec } from './codec.ts'
import { padded, readField, type StructureName, structureFields, writeField } from './layouts.ts'
import { answers, query, template } from './p11kit-attributes.ts'
import { mechanism } from './p11kit-mechanisms.ts'
import { WireError } from './reader.ts'
import { MOST_FOUND, ulong } from './values.ts'

const LABEL = 32
const ULONG = 8

/** Room of no bytes at all, from version 1. */
const NO_BYTES = 0xffffffff

/** Anything but 0 is true. */
const bool: Codec<boolean> = {
  letters: 'y',
  write: (writer, value) => writer.bool(value),
  read: (reader) => reader.u8() !== 0,
}

/** A flag whether the bytes are here, then the bytes, or their length where the pointer is NULL. */
export const bytes: Codec<Uint8Array | null> = {
  letters: 'ay',
  write(writer, value) {
    writer.bool(value !== null)
    if (value === null) writer.u32(0)
    else writer.bytes(value)
  },
  read(reader) {
    if (reader.u8() !== 0) return reader.bytes()
    reader.u32()
    return null
  },
}

const data: Codec<Data> = {
  letters: 'ay',
  write: (writer, value) => bytes.write(writer, value.read(0, value.length) as Uint8Array),
  read: (reader) => dataOf(bytes.read(reader) ?? new Uint8Array(0)),
}

/** No bytes of room asks for the length; all ones is room of no bytes, which version 0 cannot say. */
export const byteRoom = (version: number): Codec<Room> => ({
  letters: 'fy',
  write: (writer, value) => writer.u32(value === 0 && version > 0 ? NO_BYTES : (value ?? 0)),
  read(reader) {
    const length = reader.u32()
    if (length === 0) return null
    return length === NO_BYTES && version > 0 ? 0 : length
  },
})

const fill = (version: number): Codec<number> => ({
  letters: 'fy',
  write: (writer, value) => byteRoom(version).write(writer, value),
  read: (reader) => byteRoom(version).read(reader) ?? 0,
})

const listRoom: Codec<Room> = {
  letters: 'fu',
  write: (writer, value) => writer.u32(value ?? 0),
  read(reader) {
    const length = reader.u32()
    return length === 0 ? null : length
  },
}

const found: Codec<number> = {
  letters: 'fu',
  write: (writer, value) => writer.u32(value),
  read: (reader) => Math.min(reader.u32(), MOST_FOUND),
}

/** A label in version 0: text of any length, cut or padded to 32 bytes. */
export const textLabel: Codec<Uint8Array> = {
  letters: 'z',
  write: (writer, value) => writer.bytes(value),
  read: (reader) => padded(reader.bytesOrNone(), LABEL),
}

/** A label from version 1 on: exactly 32 bytes. */
export const label: Codec<Uint8Array> = {
  letters: 's',
  write: (writer, value) => writer.bytes(value),
  read(reader) {
    const bytes = reader.bytesOrNone()
    if (bytes.length !== LABEL) throw new WireError(`a label of ${bytes.length} bytes`)
    return bytes
  },
}

/**
 * Bytes, or only a length, which the client takes for CKR_BUFFER_TOO_SMALL where it has a buffer. A
 * length of 0 is told as no bytes, which is CKR_OK with a buffer and without.
 */
const filled: Codec<Filled> = {
  letters: 'ay',
  write(writer, value) {
    if (value instanceof Uint8Array) return bytes.write(writer, value)
    // Their mechanisms have parameters that do not come through either.
    if ('image' in value) throw new TypeError('no structure goes out through this protocol')
    const length = 'needed' in value ? value.needed : value.put
    if (length === 0) return bytes.write(writer, new Uint8Array(0))
    writer.bool(false)
    writer.u32(length)
  },
  read(reader) {
    if (reader.u8() === 0) return { needed: reader.u32() }
    return reader.bytesOrNone()
  },
}

const list: Codec<FilledList> = {
  letters: 'au',
  write(writer, value) {
    const needed = 'needed' in value ? value.needed : 0
    writer.bool(needed === 0)
    writer.u32('needed' in value ? needed : value.length)
    if (!('needed' in value)) writer.u64s(value)
  },
  read(reader) {
    if (reader.u8() === 0) return { needed: reader.u32() }
    return reader.u64s(reader.count(ULONG))
  },
}

const foundHandles: Codec<readonly number[]> = {
  letters: 'au',
  write: (writer, value) => list.write(writer, value),
  read(reader) {
    const handles = list.read(reader)
    return 'needed' in handles ? [] : handles
  },
}

/** The parameter of a message as it lies in the client's memory; of which mechanism is not told. */
const messageParameter: Codec<MechanismArgument> = {
  letters: bytes.letters,
  write: (writer, { parameter }) => bytes.write(writer, parameter as Uint8Array | null),
  read: (reader) => ({ type: 0, parameter: bytes.read(reader) }),
}

/** Every kind that a request holds. p11-kit has no callbacks, and no functions of 3.2. */
export const requestKinds = (version: number): { readonly [K in keyof In]: Codec<In[K]> } => ({
  session: ulong,
  slot: ulong,
  object: ulong,
  ulong,
  bool,
  bytes,
  pin: bytes,
  data,
  text: { letters: 'z', write: (writer, value) => writer.text(value), read: (r) => r.text(4096) },
  label: textLabel,
  template: template(version),
  mechanism: mechanism(version),
  notify: absent(false),
  room: byteRoom(version),
  fill: fill(version),
  list: listRoom,
  found,
  query: query(version),
  parameter: messageParameter,
  asyncRoom: absent(null),
  asyncData: absent(false),
})

/** Every kind that an answer holds, but structureOut. */
export const answerKinds = (
  version: number,
): { readonly [K in Exclude<keyof Out, 'structureOut'>]: Codec<Out[K]> } => ({
  ulongOut: ulong,
  room: filled,
  fill: bytes,
  list,
  found: foundHandles,
  query: answers(version),
  asyncData: absent({ value: null, objects: [] }),
})

/** A structure that tells something: a letter for each value, and a length before text. */
export function structure(name: StructureName): Codec<StructureValues> {
  const fields = structureFields(name) ?? []
  return {
    letters: fields.map(({ letter }) => (letter === 'f' ? 's' : letter)).join(''),
    write(writer, values) {
      for (const field of fields) {
        if (field.letter === 'f') writer.u32(field.length)
        writeField(writer, field, values[field.name])
      }
    },
    read(reader) {
      const values: Record<string, StructureValues[string]> = {}
      for (const field of fields) {
        if (field.letter === 'f' && reader.u32() !== field.length)
          throw new WireError(`${field.name} is not ${field.length} bytes long`)
        values[field.name] = readField(reader, field)
      }
      return values
    },
  }
}
