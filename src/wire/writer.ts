/**
 * Writing a message: its frame header, then primitive values. Short values gather in one buffer,
 * long bytes are taken along as they are, so that a message goes out in one write.
 */
import { WireError } from './reader.ts'

const HEADER = 12
const NULL_LENGTH = 0xffffffff
const POOL = 64 << 10

/** Bytes from this length on are not copied. */
const LONG = 16 << 10

/** What is left of a block that messages are cut from; a writer holds it while it writes. */
let pool: Buffer | undefined

export class Writer {
  readonly #parts: Buffer[] = []
  #buffer: Buffer
  /** Where the bytes begin that are not in a part yet. */
  #start = 0
  #at = HEADER
  #length = 0

  constructor() {
    this.#buffer = pool !== undefined && pool.length >= 512 ? pool : Buffer.allocUnsafeSlow(POOL)
    pool = undefined
  }

  /** Bytes of the body so far. */
  get length(): number {
    return this.#length + this.#at - this.#start - (this.#parts.length === 0 ? HEADER : 0)
  }

  /** Makes room for `length` bytes and answers where. */
  #room(length: number): number {
    const at = this.#at
    if (at + length > this.#buffer.length) return this.#grow(length)
    this.#at = at + length
    return at
  }

  #grow(length: number): number {
    const written = this.#at - this.#start
    const larger = Buffer.allocUnsafeSlow(Math.max(POOL, 2 * (written + length)))
    this.#buffer.copy(larger, 0, this.#start, this.#at)
    this.#buffer = larger
    this.#start = 0
    this.#at = written + length
    return written
  }

  u8(value: number): void {
    // Making room may change the buffer, so it comes first.
    const at = this.#room(1)
    this.#buffer[at] = value
  }

  u32(value: number): void {
    const at = this.#room(4)
    this.#buffer.writeUInt32BE(value, at)
  }

  /** From 0 to 2^64; 2^64 itself, CK_UNAVAILABLE_INFORMATION, becomes all ones. */
  u64(value: number): void {
    if (!(value >= 0 && value <= 2 ** 64)) throw new WireError(`${value} is no CK_ULONG`)
    const at = this.#room(8)
    const whole = Math.floor(value)
    this.#buffer.writeUInt32BE(Math.min(0xffffffff, Math.floor(whole / 0x1_0000_0000)), at)
    this.#buffer.writeUInt32BE(whole === 2 ** 64 ? 0xffffffff : whole % 0x1_0000_0000, at + 4)
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  /** The bytes alone. */
  raw(bytes: Uint8Array): void {
    if (bytes.length >= LONG) this.#take(bytes)
    else {
      const at = this.#room(bytes.length)
      this.#buffer.set(bytes, at)
    }
  }

  #take(bytes: Uint8Array): void {
    this.#part(this.#buffer.subarray(this.#start, this.#at))
    this.#start = this.#at
    this.#part(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  }

  #part(part: Buffer): void {
    this.#length += part.length - (this.#parts.length === 0 ? HEADER : 0)
    this.#parts.push(part)
  }

  /** A length and the bytes; null for a NULL pointer. */
  bytes(bytes: Uint8Array | null): void {
    this.u32(bytes === null ? NULL_LENGTH : bytes.length)
    if (bytes !== null) this.raw(bytes)
  }

  /** The length of room alone; null for a NULL pointer. */
  room(length: number | null): void {
    this.u32(length ?? NULL_LENGTH)
  }

  text(text: string): void {
    this.bytes(Buffer.from(text, 'utf8'))
  }

  u64s(values: readonly number[]): void {
    for (const value of values) this.u64(value)
  }

  /** The frame with this code, in parts that belong together. Nothing may be written after it. */
  frame(code: number): readonly Buffer[] {
    const length = this.length
    this.#part(this.#buffer.subarray(this.#start, this.#at))
    const head = this.#parts[0] as Buffer
    head.writeUInt32BE(code, 0)
    head.writeUInt32BE(0, 4)
    head.writeUInt32BE(length, 8)
    pool = this.#buffer.subarray(this.#at)
    return this.#parts
  }
}
