/**
 * Reading primitive values of a message. Nothing is copied: bytes are views of the message. Nothing
 * is taken from memory for a length or count that the message does not hold.
 */
import type { Data } from '../standard/calls.ts'
import { MOST_WRITTEN } from '../standard/layouts.ts'
import type { Writer } from './writer.ts'

/** The other end broke the protocol: ends its connection and nothing else. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** The length that stands for a NULL pointer. */
const NULL_LENGTH = 0xffffffff

/** Attributes and queries that one message may hold, nested ones too. */
const MOST_ELEMENTS = 16_384

/** What a call that is being read reaches its client by. */
export interface Remote {
  /** Makes the Data that stays with the client; its length in bytes. */
  remote(length: number): Data
  /** Makes the Data that the client put into a slot of the channel; throws a WireError where he could not. */
  lent(slot: number, length: number): Data
  /** Sends values of the parameter back; `write` writes them. */
  back(write: (writer: Writer) => void): void
}

export class Reader {
  readonly #bytes: Buffer
  readonly #remote: Remote | undefined
  #at: number
  #elements = 0
  #zeros = 0

  /** Reads from `at` to the end of `bytes`. */
  constructor(bytes: Buffer, at = 0, remote?: Remote) {
    this.#bytes = bytes
    this.#at = at
    this.#remote = remote
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#bytes.length - at) throw new WireError('the message ends too early')
    this.#at = at + length
    return at
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  /** Exact up to 2^53; all ones is CK_UNAVAILABLE_INFORMATION, 2^64. */
  u64(): number {
    const at = this.#take(8)
    return this.#bytes.readUInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4)
  }

  bool(): boolean {
    return this.form(2) === 1
  }

  /** A byte below `forms`. */
  form(forms: number): number {
    const form = this.u8()
    if (form >= forms) throw new WireError(`no form ${form}`)
    return form
  }

  /** Exactly `length` bytes. */
  raw(length: number): Buffer {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** A length and that many bytes; null for a NULL pointer. */
  bytes(): Buffer | null {
    const length = this.u32()
    return length === NULL_LENGTH ? null : this.raw(length)
  }

  /** The same where NULL and nothing are alike. */
  bytesOrNone(): Buffer {
    return this.bytes() ?? this.raw(0)
  }

  text(most: number): string {
    const bytes = this.bytesOrNone()
    if (bytes.length > most) throw new WireError(`a text of ${bytes.length} bytes`)
    return bytes.toString('utf8')
  }

  /** A count of things that take at least `size` bytes each. */
  count(size: number): number {
    const count = this.u32()
    if (count * size > this.left) throw new WireError(`${count} elements in ${this.left} bytes`)
    return count
  }

  /** A count of attributes or queries: `most` here, and a bound on all of a message. */
  elements(size: number, most: number): number {
    const count = this.count(size)
    this.#elements += count
    if (count > most || this.#elements > MOST_ELEMENTS) throw new WireError('too many attributes')
    return count
  }

  u64s(count: number): number[] {
    if (count * 8 > this.left) throw new WireError('the message ends too early')
    return Array.from({ length: count }, () => this.u64())
  }

  /** What `read` reads, or undefined where that is a WireError; then nothing was read. */
  attempt<T>(read: () => T): T | undefined {
    const [at, elements] = [this.#at, this.#elements]
    try {
      return read()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#at = at
      this.#elements = elements
      return undefined
    }
  }

  /** Data that stays with the client. */
  remote(length: number): Data {
    if (this.#remote === undefined) throw new WireError('data that is not here')
    return this.#remote.remote(length)
  }

  /** Data in a slot of the channel. */
  lent(slot: number, length: number): Data {
    if (this.#remote === undefined) throw new WireError('data in a slot')
    return this.#remote.lent(slot, length)
  }

  /** Sends values of a parameter back to the client; undefined where the protocol has no place for them. */
  get back(): Remote['back'] | undefined {
    const remote = this.#remote
    return remote && ((write) => remote.back(write))
  }

  /** Zeros for room that a function only writes to; null for a NULL pointer. */
  zeros(): Uint8Array | null {
    const length = this.u32()
    if (length === NULL_LENGTH) return null
    this.#zeros += length
    if (this.#zeros > MOST_WRITTEN) throw new WireError('too much room within a parameter')
    return new Uint8Array(length)
  }

  /** Throws where something is left. */
  end(): void {
    if (this.left > 0) throw new WireError(`${this.left} bytes too many`)
  }
}
