/**
 * Structures flattened by their layout strings (standard/structures.ts): `u` u64; `y` u8; `v` two
 * u8; `fN` N bytes; `p` and `q` a length and bytes.
 */
import type { Parameter, StructureValues } from '../standard/calls.ts'
import { type StructureRow, structures } from '../standard/structures.ts'
import { type Reader, WireError } from './reader.ts'
import type { Writer } from './writer.ts'

export type StructureName = keyof typeof structures

/** A value of a structure: a letter of the layout, N for `fN`, and the value's name. */
export interface Field {
  readonly letter: string
  readonly length: number
  readonly name: string
}

/** The fields of a layout; the names are those of the structure, or the places where there are none. */
export function fieldsOf(layout: string, names: readonly string[] = []): readonly Field[] {
  return Array.from(layout.matchAll(/([uyvpq])|f(\d+)/g), ([, letter, length], at) => ({
    letter: letter ?? 'f',
    length: Number(length ?? 0),
    name: names[at] ?? String(at),
  }))
}

const rows = structures as Record<string, StructureRow>

/** The fields of a structure; undefined where it does not flatten. */
export function structureFields(name: StructureName): readonly Field[] | undefined {
  const row = rows[name] as StructureRow
  return row.layout === null ? undefined : fieldsOf(row.layout, row.names)
}

const BLANK = 0x20

/** Text in a place of fixed size: blank padded, and cut where it is too long. */
export function padded(value: string | Uint8Array, length: number): Uint8Array {
  const text = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  const bytes = Buffer.alloc(length, BLANK)
  bytes.set(text.subarray(0, length))
  return bytes
}

type Value = StructureValues[string] | undefined

const isText = (value: Value): value is string | Uint8Array =>
  typeof value === 'string' || value instanceof Uint8Array

/** Throws a TypeError for a value that is not of the field's kind. */
export function writeField(writer: Writer, { letter, length, name }: Field, value: Value): void {
  if (letter === 'u' && typeof value === 'number') writer.u64(value)
  else if (letter === 'y' && typeof value === 'number') writer.u8(value)
  else if (letter === 'f' && isText(value)) writer.raw(padded(value, length))
  else if ((letter === 'p' || letter === 'q') && value instanceof Uint8Array) writer.bytes(value)
  else if (letter === 'v' && typeof value === 'object' && !isText(value)) {
    writer.u8(value.major)
    writer.u8(value.minor)
  } else throw new TypeError(`${name}: a field of kind ${letter} cannot hold ${typeof value}`)
}

export function writeStructure(
  writer: Writer,
  fields: readonly Field[],
  values: StructureValues,
): void {
  for (const field of fields) writeField(writer, field, values[field.name])
}

/** A value of a structure that tells something: bytes of fixed size are text, without blanks at its end. */
export function readField(reader: Reader, { letter, length }: Field): StructureValues[string] {
  if (letter === 'v') return { major: reader.u8(), minor: reader.u8() }
  return letter === 'f' ? reader.raw(length).toString('utf8').trimEnd() : readValue(reader, letter)
}

export const readStructure = (reader: Reader, fields: readonly Field[]): StructureValues =>
  Object.fromEntries(fields.map((field) => [field.name, readField(reader, field)]))

const readValue = (reader: Reader, letter: string): number | Uint8Array => {
  if (letter === 'u') return reader.u64()
  return letter === 'y' ? reader.u8() : reader.bytesOrNone()
}

/** A parameter structure: bytes of fixed size are bytes. */
export function readParameter(reader: Reader, fields: readonly Field[]): Parameter {
  const values: Record<string, number | Uint8Array> = {}
  for (const { letter, length, name } of fields) {
    if (letter === 'v') throw new WireError('a version in a parameter')
    values[name] = letter === 'f' ? reader.raw(length) : readValue(reader, letter)
  }
  return values
}

/** Which structure a mechanism's parameter is; undefined for plain bytes and none. */
export interface ParameterStructures {
  /** The parameter is known where it is to be written: its names tell alike layouts apart. */
  fields(type: number, parameter?: Parameter): readonly Field[] | undefined
}

/** The service's view: the structure that each CKM_ number's row names. */
export function namedStructures(
  entries: Iterable<readonly [number, StructureName]>,
): ParameterStructures {
  const byType = new Map(Array.from(entries, ([type, name]) => [type, structureFields(name)]))
  return { fields: (type) => byType.get(type) }
}

/** A client's view: the layouts it was told by C_Initialize, the names from what it is given. */
export function layoutStructures(layouts: ReadonlyMap<number, string>): ParameterStructures {
  return {
    fields(type, parameter = {}) {
      const layout = layouts.get(type)
      const fits = (row: StructureRow) =>
        row.layout === layout && row.names.every((name) => name in parameter)
      const row = layout === undefined ? undefined : Object.values(rows).find(fits)
      return row && layout !== undefined ? fieldsOf(layout, row.names) : undefined
    },
  }
}

/** The CKM_ numbers and layouts that C_Initialize answers. */
export const layoutsOf = (
  entries: Iterable<readonly [number, StructureName]>,
): (readonly [number, string])[] =>
  Array.from(entries).flatMap(([type, name]) => {
    const layout = structures[name].layout
    return layout === null ? [] : [[type, layout] as const]
  })
