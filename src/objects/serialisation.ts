/**
 * All attributes of an object as bytes, for the store: u8 version, then attributes. These are a u32
 * count and, in order of type, u64 type, u8 form and the value. Numbers are little-endian.
 */
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type Attributes, isTemplate, type Value } from './object.ts'
import { putUlong, ULONG, ulongAt } from './ulong.ts'

/** Attribute arrays within one another. */
export const DEEPEST = 8

/** The first byte of the stored form. */
const VERSION = 1

/** What stands before each stored value, and so tells how to read it. */
const FORM = { false: 0, true: 1, ulong: 2, bytes: 3, ulongs: 4, template: 5 } as const

/** Bytes of a stored length or count (u32), and of a stored type and form (u64 and u8). */
const COUNT = 4
const HEAD = 9

function sizeOfValue(value: Value): number {
  if (typeof value === 'boolean') return 0
  if (typeof value === 'number') return ULONG
  if (value instanceof Uint8Array) return COUNT + value.length
  return isTemplate(value) ? sizeOfAttributes(value) : COUNT + value.length * ULONG
}

function sizeOfAttributes(attributes: Attributes): number {
  let size = COUNT
  for (const value of attributes.values()) size += HEAD + sizeOfValue(value)
  return size
}

/**
 * Bytes that `serialise` makes of these attributes: what C_GetObjectSize tells (5.7.4), for session
 * objects too. Sealing and the index add to that at rest.
 */
export const storedSize = (attributes: Attributes): number => 1 + sizeOfAttributes(attributes)

/** The same bytes for the same attributes, whatever order they stand in. */
export function serialise(attributes: Attributes): Uint8Array {
  // One buffer of the right size: growing would leave copies of key values behind.
  const bytes = new Uint8Array(storedSize(attributes))
  bytes[0] = VERSION
  new Writer(bytes, 1).attributes(attributes)
  return bytes
}

class Writer {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  attributes(attributes: Attributes): void {
    this.#u32(attributes.size)
    for (const [type, value] of [...attributes].sort(([a], [b]) => a - b)) {
      this.#u64(type)
      this.#value(value)
    }
  }

  #value(value: Value): void {
    if (typeof value === 'boolean') this.#u8(value ? FORM.true : FORM.false)
    else if (typeof value === 'number') {
      this.#u8(FORM.ulong)
      this.#u64(value)
    } else if (value instanceof Uint8Array) {
      this.#u8(FORM.bytes)
      this.#u32(value.length)
      this.#bytes.set(value, this.#at)
      this.#at += value.length
    } else if (isTemplate(value)) {
      this.#u8(FORM.template)
      this.attributes(value)
    } else {
      this.#u8(FORM.ulongs)
      this.#u32(value.length)
      for (const number of value) this.#u64(number)
    }
  }

  #u8(value: number): void {
    this.#bytes[this.#at++] = value
  }

  #u32(value: number): void {
    new DataView(this.#bytes.buffer, this.#bytes.byteOffset).setUint32(this.#at, value, true)
    this.#at += COUNT
  }

  #u64(value: number): void {
    putUlong(value, this.#bytes, this.#at)
    this.#at += ULONG
  }
}

/** The attributes that `serialise` wrote. Bytes are copied. Throws CKR_DEVICE_ERROR for anything else. */
export function deserialise(bytes: Uint8Array): Attributes {
  if (bytes[0] !== VERSION) throw damaged('its version is unknown')
  const reader = new Reader(bytes, 1)
  const attributes = reader.attributes(0)
  reader.end()
  return attributes
}

const damaged = (why: string) =>
  new CryptokiError(CKR.DEVICE_ERROR, `a stored object is damaged: ${why}`)

class Reader {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  attributes(depth: number): Attributes {
    if (depth > DEEPEST) throw damaged('attribute arrays are too deep')
    const count = this.#count(HEAD)
    const attributes = new Map<number, Value>()
    let previous = -1
    for (let index = 0; index < count; index++) {
      const type = this.#u64()
      if (type <= previous) throw damaged('its attributes are out of order')
      previous = type
      attributes.set(type, this.#value(depth))
    }
    return attributes
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw damaged('something follows its attributes')
  }

  #value(depth: number): Value {
    const form = this.#bytes[this.#take(1)]
    if (form === FORM.false || form === FORM.true) return form === FORM.true
    if (form === FORM.ulong) return this.#u64()
    if (form === FORM.bytes) {
      const length = this.#count(1)
      const start = this.#take(length)
      return new Uint8Array(this.#bytes.subarray(start, start + length))
    }
    if (form === FORM.ulongs) return Array.from({ length: this.#count(ULONG) }, () => this.#u64())
    if (form === FORM.template) return this.attributes(depth + 1)
    throw damaged('a value has an unknown form')
  }

  /** A count of things of at least so many bytes each, checked against what is left. */
  #count(each: number): number {
    const count = new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getUint32(
      this.#take(COUNT),
      true,
    )
    if (count * each > this.#bytes.length - this.#at) throw damaged('it is cut short')
    return count
  }

  #u64(): number {
    const value = ulongAt(this.#bytes, this.#take(ULONG))
    if (value === undefined) throw damaged('a number is too large')
    return value
  }

  /** Moves on and answers where it was. */
  #take(length: number): number {
    const start = this.#at
    if (length > this.#bytes.length - start) throw damaged('it is cut short')
    this.#at += length
    return start
  }
}
