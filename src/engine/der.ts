/**
 * The little of DER (ITU-T X.690) that keys and signatures need: writing with definite lengths, and
 * a reader that takes nothing else. Nothing here recurses, so depth is what the caller asks for.
 */

export const TAG = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  SEQUENCE: 0x30,
} as const

/** The tag of a constructed, context-specific element: [0], [1] ... */
export const contextTag = (number: number): number => 0xa0 | number

/** Not DER, or not what was expected. Its message holds no data. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

/** Lengths above 65,535 never come up: the longest key here takes about 10 KiB. */
function header(tag: number, length: number): number[] {
  if (length < 0x80) return [tag, length]
  if (length < 0x100) return [tag, 0x81, length]
  if (length < 0x1_0000) return [tag, 0x82, length >> 8, length & 0xff]
  throw new DerError('too long')
}

/** An element around the parts; they are copied. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const head = header(tag, length)
  const bytes = new Uint8Array(head.length + length)
  bytes.set(head)
  let at = head.length
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array =>
  element(TAG.SEQUENCE, ...parts)
export const octetString = (bytes: Uint8Array): Uint8Array => element(TAG.OCTET_STRING, bytes)
/** A BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array): Uint8Array =>
  element(TAG.BIT_STRING, Uint8Array.of(0), bytes)
export const NULL: Uint8Array = Uint8Array.of(TAG.NULL, 0)

/** A number of an OBJECT IDENTIFIER in base 128: all bytes but the last have their top bit set. */
function base128(arc: number): number[] {
  const bytes = [arc & 0x7f]
  for (let rest = arc >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

/** The content bytes of an OBJECT IDENTIFIER written with dots, its numbers below 2^31. */
export function oidContent(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number)
  return Uint8Array.from([40 * first + second, ...arcs].flatMap(base128))
}

/** A big integer without its leading zeros; zero becomes no bytes. A view, not a copy. */
export function withoutLeadingZeros(integer: Uint8Array): Uint8Array {
  let zeros = 0
  while (zeros < integer.length && integer[zeros] === 0) zeros++
  return integer.subarray(zeros)
}

/** An INTEGER that is not negative, from its big-endian bytes. */
export function integer(bytes: Uint8Array): Uint8Array {
  const shortest = withoutLeadingZeros(bytes)
  const sign = shortest.length === 0 || (shortest[0] as number) >= 0x80 ? [0] : []
  return element(TAG.INTEGER, Uint8Array.from(sign), shortest)
}

/** Reads elements one after the other. What it answers are views of the bytes it was given. */
export class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** The tag of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at]
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new DerError('cut short')
    return byte
  }

  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const size = first - 0x80
    if (size === 0 || size > 2) throw new DerError('a length is indefinite or too long')
    let length = 0
    for (let i = 0; i < size; i++) length = length * 0x100 + this.#byte()
    if (length < (size === 1 ? 0x80 : 0x100))
      throw new DerError('a length is not in its shortest form')
    return length
  }

  /** The content of the next element, which has this tag. */
  read(tag: number): Uint8Array {
    if (this.nextTag !== tag) throw new DerError('an element is not what was expected')
    this.#at++
    const length = this.#length()
    const content = this.#bytes.subarray(this.#at, this.#at + length)
    if (content.length !== length) throw new DerError('cut short')
    this.#at += length
    return content
  }

  /** The next element whole, whatever it is. */
  element(): Uint8Array {
    const start = this.#at
    this.read(this.nextTag ?? TAG.NULL)
    return this.#bytes.subarray(start, this.#at)
  }

  /** A reader for the content of a SEQUENCE, or of what another tag holds. */
  within(tag: number = TAG.SEQUENCE): DerReader {
    return new DerReader(this.read(tag))
  }

  /** An INTEGER that is not negative, without leading zeros. */
  integer(): Uint8Array {
    const content = this.read(TAG.INTEGER)
    const [first = 0x80, second = 0] = content
    if (first >= 0x80) throw new DerError('an integer is negative or empty')
    if (first === 0 && content.length > 1 && second < 0x80)
      throw new DerError('an integer is not in its shortest form')
    return withoutLeadingZeros(content)
  }

  /** The whole bytes of a BIT STRING. */
  bitString(): Uint8Array {
    const content = this.read(TAG.BIT_STRING)
    if (content[0] !== 0) throw new DerError('a bit string is not of whole bytes')
    return content.subarray(1)
  }

  end(): void {
    if (!this.atEnd) throw new DerError('bytes are left over')
  }
}
