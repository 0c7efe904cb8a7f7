/** Structures by their layouts (standard/structures.ts): which there are, and those that tell something. */
import type { Parameter, StructureValues } from '../standard/calls.ts'
import {
  type Field,
  fieldsOf,
  type ParameterUse,
  type StructureName,
  structureFields,
} from '../standard/layouts.ts'
import { type StructureRow, structures } from '../standard/structures.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export { type Field, fieldsOf, type StructureName, structureFields }

const rows = structures as Record<string, StructureRow>

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
  if (letter === 'f') return reader.raw(length).toString('utf8').trimEnd()
  return letter === 'u' ? reader.u64() : reader.u8()
}

export const readStructure = (reader: Reader, fields: readonly Field[]): StructureValues =>
  Object.fromEntries(fields.map((field) => [field.name, readField(reader, field)]))

/** A mechanism whose parameter in the functions of a use (of all, where there is none) is a structure. */
export type ParameterRow = readonly [type: number, structure: StructureName, use?: ParameterUse]

/** What C_Initialize answers: CKM_ numbers with the layouts of their parameters. */
export type LayoutRow = readonly [type: number, use: ParameterUse, layout: string]

/** Which structure a mechanism's parameter is; undefined for plain bytes and none. */
export interface ParameterStructures {
  /** The parameter is known where it is to be written: its names tell alike layouts apart. */
  fields(type: number, use: ParameterUse, parameter?: Parameter): readonly Field[] | undefined
}

const keyOf = (type: number, use: ParameterUse) => `${type} ${use}`

/** The service's view: the structure that each CKM_ number's row names. */
export function namedStructures(entries: Iterable<ParameterRow>): ParameterStructures {
  const fields = new Map(
    Array.from(entries, ([type, name, use = 'mechanism']) => [
      keyOf(type, use),
      structureFields(name),
    ]),
  )
  return {
    fields: (type, use) => fields.get(keyOf(type, use)) ?? fields.get(keyOf(type, 'mechanism')),
  }
}

/** A client's view: the layouts it was told by C_Initialize, the names from what it is given. */
export function layoutStructures(layouts: readonly LayoutRow[]): ParameterStructures {
  const layoutOf = (type: number, use: ParameterUse) =>
    layouts.find((row) => row[0] === type && row[1] === use)?.[2]
  return {
    fields(type, use, parameter = {}) {
      const layout = layoutOf(type, use) ?? layoutOf(type, 'mechanism')
      if (layout === undefined) return undefined
      return Object.values(rows)
        .filter((row) => row.layout === layout)
        .map((row) => fieldsOf(layout, row.names))
        .find((fields) => fields.every(({ name }) => name in parameter))
    },
  }
}

/** The CKM_ numbers and layouts that C_Initialize answers. */
export const layoutsOf = (entries: Iterable<ParameterRow>): LayoutRow[] =>
  Array.from(entries).flatMap(([type, name, use = 'mechanism']) => {
    const { layout } = structures[name]
    return layout === null ? [] : [[type, use, layout] as const]
  })
