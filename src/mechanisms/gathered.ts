/** Bytes that come in parts and go out together: whole messages, and plaintext that is not verified yet. */
import { CryptokiError } from '../standard/error.ts'
import type { Surrender } from './mechanism.ts'

/** Bytes of a chunk at most, and so of what is copied between two surrender points. */
const LARGEST_CHUNK = 1 << 20

/** Bytes of a chunk at least: many tiny parts must not cost more memory than they hold. */
const SMALLEST_CHUNK = 256

/** Copies what it is given, and wipes it once it is taken or dropped. */
export class Gathered {
  readonly #limit: number
  readonly #tooLong: number
  readonly #chunks: Uint8Array[] = []
  /** Bytes that are free in the last chunk. */
  #free = 0
  #length = 0

  /** Gathers at most `limit` bytes; more throw the return value `tooLong`. */
  constructor(limit: number, tooLong: number) {
    this.#limit = limit
    this.#tooLong = tooLong
  }

  get length(): number {
    return this.#length
  }

  /** Throws where so many bytes more would be too many. */
  checkRoom(length: number): void {
    if (length > this.#limit - this.#length)
      throw new CryptokiError(this.#tooLong, `more than ${this.#limit} bytes`)
  }

  add(part: Uint8Array): void {
    this.checkRoom(part.length)
    for (let rest = part; rest.length > 0; ) {
      if (this.#free === 0) this.#grow(rest.length)
      const taken = rest.subarray(0, this.#free)
      const last = this.#chunks.at(-1) as Uint8Array
      last.set(taken, last.length - this.#free)
      this.#free -= taken.length
      this.#length += taken.length
      rest = rest.subarray(taken.length)
    }
  }

  /** Everything in one piece; nothing stays here. Cancelled, everything is dropped. */
  async take(surrender: Surrender): Promise<Uint8Array> {
    const whole = new Uint8Array(this.#length)
    try {
      let at = 0
      for (const chunk of this.#chunks) {
        const due = surrender.point()
        if (due) await due
        whole.set(chunk.subarray(0, whole.length - at), at)
        at += chunk.length
      }
      return whole
    } catch (error) {
      whole.fill(0)
      throw error
    } finally {
      this.drop()
    }
  }

  /** A second one with the same bytes. */
  copy(): Gathered {
    const copy = new Gathered(this.#limit, this.#tooLong)
    for (const chunk of this.#chunks) {
      const isLast = chunk === this.#chunks.at(-1)
      copy.add(isLast ? chunk.subarray(0, chunk.length - this.#free) : chunk)
    }
    return copy
  }

  drop(): void {
    for (const chunk of this.#chunks) chunk.fill(0)
    this.#chunks.length = 0
    this.#free = 0
    this.#length = 0
  }

  /** Chunks grow with what is here, so that short messages take little and long ones few. */
  #grow(wanted: number): void {
    const size = Math.max(wanted, this.#length, SMALLEST_CHUNK)
    this.#free = Math.min(size, LARGEST_CHUNK)
    this.#chunks.push(new Uint8Array(this.#free))
  }
}
