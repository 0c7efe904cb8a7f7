/**
 * The memory of a channel (docs/WIRE.md, "Channel"): a ring of bytes in each direction, and slots for
 * long data. A ring has one end that writes and one that reads; neither waits for the other. A slot is
 * claimed by the end that fills it and freed by the other. Whoever shares the memory may write anything
 * into it at any time, so nothing in it is read twice and relied on: frames are copied out before they are
 * looked at, and what lies in a slot goes into a cipher or a digest, where it is data and nothing else.
 */
import { WireError } from './reader.ts'

/** Bytes of a ring; a power of two. */
export const RING = 256 << 10

/** Where the first ring begins; the words lie before it. */
const RINGS = 4096

/** Slots of one direction, and bytes of each: what one READ or PUT moves. */
export const SLOTS = 2
export const SLOT = 1 << 20

/** Where the slots begin, those to the service first. */
const FIRST_SLOT = RINGS + 2 * RING

/** Bytes of the memory; of what nobody uses the system takes none. */
export const MEMORY = FIRST_SLOT + 2 * SLOTS * SLOT

/** A ring of the memory. */
export const TO_SERVICE = 0
export const TO_CLIENT = 1
export type Direction = typeof TO_SERVICE | typeof TO_CLIENT

/** 32-bit words of one direction, each in a cache line of its own. */
const WORDS = 64
/** How many bytes were read, modulo 2^32; the reader's. */
const READ = 0
/** How many bytes were written, modulo 2^32; the writer's. */
const WRITTEN = 16
/** 1 while the reader sleeps: the writer that takes it away wakes him. */
const ASLEEP = 32
/** 1 more than the number of the processor that the reader last looked on; 0: unknown. */
const PROCESSOR = 33
/** 1 while the writer has more than there is room for: the reader that takes it away wakes him. */
const BLOCKED = 48

/** Behind the words of both directions: one of each slot, 1 while it is claimed. */
const CLAIMS = 2 * WORDS
const LINE = 16

/** Bytes given at once, so that the writer can go on while they are copied. */
const PIECE = 64 << 10

/** Longer ones hold the data of an application, not its PINs and keys, and are not overwritten. */
const LONGEST_WIPED = 16 << 10

/** What both ends of a ring know. */
class End {
  protected readonly words: Int32Array
  protected readonly bytes: Buffer
  /** Bytes that went through this end, modulo 2^32. */
  protected at = 0

  constructor(memory: ArrayBuffer, direction: Direction) {
    this.words = new Int32Array(memory, direction * WORDS * Int32Array.BYTES_PER_ELEMENT, WORDS)
    this.bytes = Buffer.from(memory, RINGS + direction * RING, RING)
  }

  /** Bytes between the ends; throws a WireError where they cannot be so far apart. */
  protected between(read: number, written: number): number {
    const length = (written - read) >>> 0
    if (length > RING) throw new WireError(`${length} bytes in a ring of ${RING}`)
    return length
  }

  /** Takes a flag of the other end away; whether it was set. */
  protected takes(flag: number): boolean {
    return Atomics.load(this.words, flag) !== 0 && Atomics.exchange(this.words, flag, 0) !== 0
  }
}

export class RingReader extends End {
  /** Whether there is something to read. */
  get isReady(): boolean {
    return Atomics.load(this.words, WRITTEN) >>> 0 !== this.at
  }

  /**
   * Gives copies of what lies there, piece by piece. Answers how many bytes there were.
   */
  read(take: (piece: Buffer) => void): number {
    const length = this.between(this.at, Atomics.load(this.words, WRITTEN) >>> 0)
    for (let left = length; left > 0; ) {
      const start = this.at % RING
      const piece = Math.min(left, RING - start, PIECE)
      const copy = Buffer.allocUnsafe(piece)
      this.bytes.copy(copy, 0, start, start + piece)
      take(copy)
      if (piece <= LONGEST_WIPED) this.bytes.fill(0, start, start + piece)
      this.at = (this.at + piece) >>> 0
      left -= piece
      Atomics.store(this.words, READ, this.at | 0)
    }
    return length
  }

  /** Whether the writer is to be woken because there is room again. */
  wakesWriter(): boolean {
    return this.takes(BLOCKED)
  }

  /** From now on the writer wakes who reads; false, and nothing of the kind, where something came meanwhile. */
  fallAsleep(): boolean {
    Atomics.store(this.words, ASLEEP, 1)
    if (!this.isReady) return true
    this.wakeUp()
    return false
  }

  /** Tells on which processor its end looks. */
  looksOn(processor: number): void {
    Atomics.store(this.words, PROCESSOR, processor + 1)
  }

  wakeUp(): void {
    Atomics.store(this.words, ASLEEP, 0)
  }
}

export class RingWriter extends End {
  /** Writes as much as there is room for; answers how many bytes that was. `publish` shows them. */
  write(bytes: Uint8Array): number {
    const used = this.between(Atomics.load(this.words, READ) >>> 0, this.at)
    const length = Math.min(bytes.length, RING - used)
    const start = this.at % RING
    const first = Math.min(length, RING - start)
    this.bytes.set(first === bytes.length ? bytes : bytes.subarray(0, first), start)
    if (first < length) this.bytes.set(bytes.subarray(first, length), 0)
    this.at = (this.at + length) >>> 0
    return length
  }

  /** Shows the reader what was written; whether he is to be woken. */
  publish(): boolean {
    Atomics.store(this.words, WRITTEN, this.at | 0)
    return this.takes(ASLEEP)
  }

  /** Whether the reader last looked on this processor. */
  isReadOn(processor: number): boolean {
    return Atomics.load(this.words, PROCESSOR) === processor + 1
  }

  /** From now on the reader wakes who writes, once there is room. */
  block(): void {
    Atomics.store(this.words, BLOCKED, 1)
  }

  /** Whether there is room for anything. */
  get hasRoom(): boolean {
    return this.between(Atomics.load(this.words, READ) >>> 0, this.at) < RING
  }
}

/** The slots of one direction. */
export class Slots {
  readonly #claims: Int32Array
  readonly #bytes: Buffer

  constructor(memory: ArrayBuffer, direction: Direction) {
    const first = direction * SLOTS
    const claimsAt = (CLAIMS + first * LINE) * Int32Array.BYTES_PER_ELEMENT
    this.#claims = new Int32Array(memory, claimsAt, SLOTS * LINE)
    this.#bytes = Buffer.from(memory, FIRST_SLOT + first * SLOT, SLOTS * SLOT)
  }

  /** A slot that was free; undefined where there is none. */
  claim(): number | undefined {
    for (let slot = 0; slot < SLOTS; slot++)
      if (Atomics.compareExchange(this.#claims, slot * LINE, 0, 1) === 0) return slot
    return undefined
  }

  free(slot: number): void {
    Atomics.store(this.#claims, slot * LINE, 0)
  }

  /** Throws a WireError for a slot that there is not, and for more bytes than it has. */
  bytes(slot: number, length: number): Buffer {
    if (slot >= SLOTS || length > SLOT) throw new WireError(`${length} bytes in slot ${slot}`)
    return this.#bytes.subarray(slot * SLOT, slot * SLOT + length)
  }
}
