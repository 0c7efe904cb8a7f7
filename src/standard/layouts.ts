/** The layout strings of structures.ts, read: a structure as a tree of its fields. */
import { type StructureRow, structures } from './structures.ts'

export type StructureName = keyof typeof structures

/** `either`: bits, or bytes where the number is less than LEAST_BITS. */
export type Unit = 'bytes' | 'bits' | 'either'

const UNITS: Readonly<Record<string, Unit>> = { '@': 'bytes', '/': 'bits', '~': 'either' }

/** The least number of bits that `b~I` tells; a smaller number tells bytes. */
const LEAST_BITS = 64

/** The bytes that a number of a unit tells. */
export function bytesTold(told: number, unit: Unit): number {
  const isBits = unit === 'bits' || (unit === 'either' && told >= LEAST_BITS)
  return isBits ? Math.ceil(told / 8) : told
}

/** A value of a structure. */
export interface Field {
  /** The letters of the layout: u y v f p q r s b t *u *v, and { * a c for what holds structures. */
  readonly letter: string
  readonly name: string
  /** N of `fN` and `bN`; 0 elsewhere. */
  readonly length: number
  /** The field of the outermost structure that tells the length of `b@I`, `b/I` and `b~I`, and its unit. */
  readonly told: { readonly by: number; readonly unit: Unit } | undefined
  /** `!`: the function may change it; `>`: it only writes it. */
  readonly mark: '' | '!' | '>'
  /** The fields of the structure or structures. */
  readonly within: readonly Field[]
  /** Whether the function writes it, or something within. */
  readonly written: boolean
}

/** Structures within each other at most, and structures in one array. */
export const MOST_STRUCTURES_DEEP = 4
export const MOST_STRUCTURES = 256

/** Bytes of all that a function only writes, in one parameter. */
export const MOST_WRITTEN = 64 << 10

const FIELD = /([!>]?)(?:f(\d+)|b(\d+)|b([@/~])(\d+)|(\*[uv])|([*ac]?)\{|([uyvpqrst]))/y

/** Reads a layout from its start; names come in the order of the fields. */
class LayoutReader {
  readonly #layout: string
  readonly #names: readonly string[]
  #at = 0
  #named = 0

  constructor(layout: string, names: readonly string[]) {
    this.#layout = layout
    this.#names = names
    if (layout.startsWith('-')) this.#at = 1
  }

  /** The fields up to the end of the structure that stands here. */
  fields(): readonly Field[] {
    const fields: Field[] = []
    while (this.#at < this.#layout.length && this.#layout[this.#at] !== '}')
      fields.push(this.#field())
    this.#at++
    return fields
  }

  #field(): Field {
    FIELD.lastIndex = this.#at
    const match = FIELD.exec(this.#layout)
    if (match === null) throw new TypeError(`no field at ${this.#at} of ${this.#layout}`)
    this.#at = FIELD.lastIndex
    const [text, mark, place, bytes, unit, by, target, holder, plain] = match
    const name = this.#names[this.#named] ?? String(this.#named)
    this.#named++
    const within = text.endsWith('{') ? this.fields() : []
    return {
      letter: plain ?? target ?? (place ? 'f' : bytes || unit ? 'b' : holder || '{'),
      name,
      length: Number(place ?? bytes ?? 0),
      told: unit && by ? { by: Number(by), unit: UNITS[unit] as Unit } : undefined,
      mark: mark as Field['mark'],
      within,
      written: mark !== '' || within.some((field) => field.written),
    }
  }
}

/** The fields of a layout; the names are those of the structure, or the places where there are none. */
export const fieldsOf = (layout: string, names: readonly string[] = []): readonly Field[] =>
  new LayoutReader(layout, names).fields()

/** Structures flatten the same way each time, so their layouts are read once. */
const known = new Map<string, readonly Field[] | undefined>()

/** The fields of a structure; undefined where it does not flatten. */
export function structureFields(name: StructureName): readonly Field[] | undefined {
  if (!known.has(name)) {
    const { layout, names }: StructureRow = structures[name]
    known.set(name, layout === null ? undefined : fieldsOf(layout, names))
  }
  return known.get(name)
}

/**
 * Whose parameter a structure is, since the same mechanism has other structures in other functions:
 * that of C_WrapKey and C_UnwrapKey; that of the message-based functions, of C_WrapKeyAuthenticated
 * and of C_UnwrapKeyAuthenticated; that of all others.
 */
export type ParameterUse = 'mechanism' | 'wrap' | 'message'

/** The uses by their numbers on the wire. */
export const PARAMETER_USES: readonly ParameterUse[] = ['mechanism', 'wrap', 'message']

/** Whose parameter the mechanism of a C_ function has. 6.13: WrapKeyAuthenticated takes that of messages. */
export function parameterUse(name: string): ParameterUse {
  if (/Message|Authenticated/.test(name)) return 'message'
  return /^C_(Unw|W)rapKey$/.test(name) ? 'wrap' : 'mechanism'
}
