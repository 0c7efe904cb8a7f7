/** The values of Softoki's extension of the protocol (docs/WIRE.md, "Body"), each both ways. */
import {
  type AsyncResult,
  type Data,
  dataOf,
  type Filled,
  type FilledList,
  type Image,
  type In,
  type MechanismArgument,
  type Out,
  type Parameter,
  type Room,
  type StructureValues,
} from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { PARAMETER_USES, type ParameterUse } from '../standard/layouts.ts'
import { answers, query, template } from './attributes.ts'
import type { Codec } from './codec.ts'
import {
  type LayoutRow,
  type ParameterStructures,
  padded,
  readStructure,
  type StructureName,
  structureFields,
  writeStructure,
} from './layouts.ts'
import { readBack, readParameter, writeBack, writeParameter } from './parameters.ts'
import { type Reader, WireError } from './reader.ts'
import type { Writer } from './writer.ts'

/** Data up to this many bytes travels with the call, and one READ or PUT moves no more: 1 MiB. */
export const MOST_HERE = 1 << 20

/** Bytes of a text, and of a layout. */
const MOST_TEXT = 4096
const MOST_LAYOUT = 127

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

/** Where the data of a call is: with the application, in the call (1), or in a slot of the channel. */
const STAYS = 0
const LENT = 2
const PLACES = 3

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
    const place = reader.form(PLACES)
    if (place === STAYS) return reader.remote(length)
    if (length > MOST_HERE) throw new WireError(`${length} bytes of data with a call`)
    return place === LENT ? reader.lent(reader.u8(), length) : dataOf(reader.raw(length))
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

/** Forms of a mechanism's parameter. */
const NO_PARAMETER = 0
const PLAIN = 1
const STRUCTURE = 2
const NULL_MECHANISM = 3

/** The parameters of the functions of one use. */
export interface Parameters {
  readonly structures: ParameterStructures
  readonly use: ParameterUse
}

function writeMechanism(
  writer: Writer,
  { type, parameter }: MechanismArgument,
  { structures, use }: Parameters,
): void {
  writer.u64(type)
  if (parameter === null) {
    writer.u8(NO_PARAMETER)
    return
  }
  if (parameter instanceof Uint8Array) {
    writer.u8(PLAIN)
    writer.bytes(parameter)
    return
  }
  const fields = structures.fields(type, use, parameter)
  if (fields === undefined)
    throw new CryptokiError(CKR.MECHANISM_INVALID, 'the service knows no structure for it')
  writer.u8(STRUCTURE)
  writeParameter(writer, fields, parameter)
}

function readMechanism(reader: Reader, { structures, use }: Parameters): MechanismArgument | null {
  const type = reader.u64()
  const form = reader.form(4)
  if (form === NULL_MECHANISM) return null
  if (form === NO_PARAMETER) return { type, parameter: null }
  if (form === PLAIN) return { type, parameter: reader.bytesOrNone() }
  const fields = structures.fields(type, use)
  if (fields === undefined) throw new WireError(`no structure for mechanism ${type}`)
  const parameter = readParameter(reader, fields)
  const { back } = reader
  if (back === undefined || !fields.some(({ written }) => written)) return { type, parameter }
  const answer = (values: Parameter) =>
    back((writer) => writeBack(writer, fields, parameter, values))
  return { type, parameter, answer }
}

const mechanism = (parameters: Parameters): Codec<MechanismArgument | null> => ({
  letters: 'M',
  write(writer, value) {
    if (value !== null) {
      writeMechanism(writer, value, parameters)
      return
    }
    writer.u64(0)
    writer.u8(NULL_MECHANISM)
  },
  read: (reader) => readMechanism(reader, parameters),
})

/** The parameter of a message: as a mechanism that is not NULL. */
const parameter = (parameters: Parameters): Codec<MechanismArgument> => ({
  letters: 'P',
  write: (writer, value) => writeMechanism(writer, value, parameters),
  read(reader) {
    const value = readMechanism(reader, parameters)
    if (value === null) throw new WireError('a message without a mechanism')
    return value
  },
})

/** Reads the values that a function gives back of the parameter it was sent. */
export function givenBack(
  reader: Reader,
  { type, parameter }: MechanismArgument,
  { structures, use }: Parameters,
): Parameter {
  const isStructure = parameter !== null && !(parameter instanceof Uint8Array)
  const fields = isStructure ? structures.fields(type, use, parameter) : undefined
  if (!isStructure || fields === undefined)
    throw new WireError('values back for what is no structure')
  return readBack(reader, fields, parameter)
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

/** Pointers in a structure at most. */
const MOST_POINTERS = 256

const image: Pick<Codec<Image>, 'read' | 'write'> = {
  write(writer, value) {
    writer.bytes(value.image)
    writer.u32(value.pointers.length)
    for (const place of value.pointers) writer.u32(place)
  },
  read(reader) {
    const bytes = reader.bytesOrNone()
    const count = reader.count(4)
    if (count > MOST_POINTERS) throw new WireError(`${count} pointers in a structure`)
    return { image: bytes, pointers: Array.from({ length: count }, () => reader.u32()) }
  },
}

const filled: Codec<Filled> = {
  letters: 'f',
  write(writer, value) {
    if (value instanceof Uint8Array) {
      writer.u8(1)
      return writer.bytes(value)
    }
    if ('image' in value) {
      writer.u8(3)
      return image.write(writer, value)
    }
    const needed = 'needed' in value
    writer.u8(needed ? 0 : 2)
    writer.u64(needed ? value.needed : value.put)
  },
  read(reader) {
    const form = reader.form(4)
    if (form === 1) return reader.bytesOrNone()
    if (form === 3) return image.read(reader)
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

/** Every kind that a request holds. */
export const requestKinds = (
  parameters: Parameters,
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
  mechanism: mechanism(parameters),
  notify: bool,
  room: room('f'),
  fill,
  list: room('n'),
  found,
  query,
  parameter: parameter(parameters),
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

/** What C_Initialize answers. */
export const layouts: Codec<readonly LayoutRow[]> = {
  letters: 'L',
  write(writer, value) {
    writer.u32(value.length)
    for (const [type, use, layout] of value) {
      writer.u64(type)
      writer.u8(PARAMETER_USES.indexOf(use))
      writer.text(layout)
    }
  },
  read: (reader) =>
    Array.from({ length: reader.count(13) }, () => {
      const type = reader.u64()
      const use = PARAMETER_USES[reader.form(PARAMETER_USES.length)] as ParameterUse
      return [type, use, reader.text(MOST_LAYOUT)] as const
    }),
}
