/**
 * A channel: frames in memory that the service shares with a client on the same machine. No system
 * call is made while both ends are awake. An end that waits in vain for a while sleeps; the other then
 * wakes it by a byte on the socket, which also tells either of the other's death.
 */
import { closeSync } from 'node:fs'
import { native } from '../engine/binding.ts'
import type { Loan } from '../standard/calls.ts'
import { type Attended, attention } from './attention.ts'
import type { Claim } from './call-under-way.ts'
import type { Carrier } from './carrier.ts'
import { OFFER } from './protocol.ts'
import {
  MEMORY,
  RING,
  RingReader,
  RingWriter,
  SLOT,
  SLOTS,
  Slots,
  TO_CLIENT,
  TO_SERVICE,
} from './ring.ts'
import { Writer } from './writer.ts'

/** Milliseconds that a client's next frame is looked for before the channel sleeps. */
const PATIENCE = 0.05

/**
 * Looking in vain costs more than finding saves, so that it must do so once for every so many finds. With
 * each so much doubt one frame in two is looked for, then one in four, up to one in 2^6.
 */
const FINDS_PER_MISS = 3
const MOST_DOUBT = 6 * FINDS_PER_MISS

export interface ChannelOptions {
  readonly memory: ArrayBuffer
  /** Wakes the client. */
  readonly ring: () => void
  /** Takes bytes that came. Must not throw. */
  readonly take: (piece: Buffer) => void
  /** Told of a client that broke the protocol. */
  readonly fail: (error: unknown) => void
  /** Whether calls are under way; whether none of them waits for the client. */
  readonly isBusy: () => boolean
  readonly worksElsewhere: () => boolean
}

export class Channel implements Carrier, Attended {
  readonly #in: RingReader
  readonly #out: RingWriter
  readonly #filled: Slots
  readonly #free: Slots
  readonly #options: ChannelOptions
  readonly #kept: Uint8Array[] = []
  #waiting = 0
  /** There is room for what was kept, which nobody will ring for. */
  #goesOn = false
  readonly #drained: (() => void)[] = []
  #paused = false
  #ended = false
  /** How much it doubts that the next frame comes while it looks; whether it does now; frames sent. */
  #doubt = 0
  #looks = false
  #sent = 0
  awakeUntil = 0

  constructor(options: ChannelOptions) {
    this.#options = options
    this.#in = new RingReader(options.memory, TO_SERVICE)
    this.#out = new RingWriter(options.memory, TO_CLIENT)
    this.#filled = new Slots(options.memory, TO_SERVICE)
    this.#free = new Slots(options.memory, TO_CLIENT)
  }

  /** A slot that the client empties; undefined where none is free. */
  claim(length: number): Claim | undefined {
    const slot = this.#free.claim()
    if (slot === undefined) return undefined
    const giveBack = () => this.#free.free(slot)
    return { slot, bytes: this.#free.bytes(slot, length), giveBack }
  }

  /** What the client put into a slot; throws a WireError where that is none. */
  lent(slot: number, length: number): Loan {
    return {
      bytes: this.#filled.bytes(slot, length),
      giveBack: () => this.#filled.free(slot),
    }
  }

  get isReady(): boolean {
    return !this.#paused && this.#in.isReady
  }

  get isBusy(): boolean {
    return this.#options.isBusy()
  }

  get worksElsewhere(): boolean {
    return this.#options.worksElsewhere()
  }

  isBeside(processor: number): boolean {
    return this.#out.isReadOn(processor)
  }

  looksOn(processor: number): void {
    this.#in.looksOn(processor)
  }

  /** Takes what came and sends what was kept; whether there was any of it. */
  work(): boolean {
    try {
      const taken = this.#take()
      return this.#sendKept() || taken
    } catch (error) {
      this.#options.fail(error)
      return false
    }
  }

  #take(): boolean {
    if (this.#ended || !this.isReady) return false
    if (this.#looks && this.#doubt > 0) this.#doubt--
    this.#looks = false
    this.#in.read(this.#options.take)
    if (this.#in.wakesWriter()) this.#options.ring()
    return true
  }

  sleep(): boolean {
    if (this.#looks) this.#doubt = Math.min(MOST_DOUBT, this.#doubt + FINDS_PER_MISS)
    this.#looks = false
    if (this.#ended) return true
    return !this.#goesOn && (this.#paused || this.#in.fallAsleep())
  }

  send(parts: readonly Buffer[]): void {
    try {
      for (const part of parts) this.#write(part)
      this.#publish()
    } catch (error) {
      this.#options.fail(error)
    }
    this.#expect()
  }

  /** The client has something to answer: that is looked for, unless it was in vain too often. */
  #expect(): void {
    const rarely = (1 << Math.floor(this.#doubt / FINDS_PER_MISS)) - 1
    this.#looks = (this.#sent++ & rarely) === 0
    this.awakeUntil = this.#looks ? performance.now() + PATIENCE : 0
    this.#in.wakeUp()
    attention.attend(this)
  }

  #write(part: Uint8Array): void {
    const written = this.#kept.length > 0 ? 0 : this.#out.write(part)
    if (written === part.length) return
    this.#kept.push(written === 0 ? part : part.subarray(written))
    this.#waiting += part.length - written
  }

  /** Shows the client what was written. Where something was kept he rings once he makes room. */
  #publish(): void {
    if (this.#out.publish()) this.#options.ring()
    if (this.#waiting > 0) this.#out.block()
    this.#goesOn = this.#waiting > 0 && this.#out.hasRoom
  }

  /** Sends what was kept as far as there is room; whether there was any. */
  #sendKept(): boolean {
    if (this.#waiting === 0 || this.#ended || !this.#out.hasRoom) return false
    let whole = 0
    for (const part of this.#kept) {
      const written = this.#out.write(part)
      this.#waiting -= written
      if (written < part.length) this.#kept[whole] = part.subarray(written)
      if (written < part.length) break
      whole++
    }
    this.#kept.splice(0, whole)
    this.#publish()
    if (this.#waiting === 0) this.#tellDrained()
    return true
  }

  #tellDrained(): void {
    for (const go of this.#drained.splice(0)) go()
  }

  /** The client rang: he wrote, or there is room again. */
  rung(): void {
    if (this.#ended) return
    this.#in.wakeUp()
    attention.attend(this)
  }

  get waiting(): number {
    return this.#waiting
  }

  get isFull(): boolean {
    return this.#waiting > 0
  }

  onceDrained(go: () => void): void {
    this.#drained.push(go)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (!this.#ended) attention.attend(this)
  }

  end(): void {
    this.#ended = true
    attention.leave(this)
    this.#tellDrained()
  }
}

/** What a client needs to take part in a channel: the memory and the descriptor it maps it by. */
export interface Offer {
  readonly memory: ArrayBuffer
  /** Sends the frame that offers it; false where it cannot be sent. The descriptor is closed here. */
  send(frame: Uint8Array): boolean
}

/** What an offer tells of memory: bytes of a ring, slots each way, bytes of a slot. */
export const SHARED_MEMORY = [RING, SLOTS, SLOT] as const
export const NO_MEMORY = [0, 0, 0] as const

/** The frame of an offer. */
export function offerOf(code: number, numbers: readonly number[]): readonly Buffer[] {
  const writer = new Writer()
  writer.raw(OFFER.answer)
  writer.u64s(numbers)
  return writer.frame(code)
}

/** Memory to share by a Unix socket; undefined where the system has none. */
export function offerMemory(socket: number): Offer | undefined {
  try {
    const [memory, descriptor] = native().makeMemory(MEMORY)
    return {
      memory,
      send(frame) {
        try {
          return native().sendDescriptor(socket, frame, descriptor)
        } finally {
          closeSync(descriptor)
        }
      },
    }
  } catch {
    return undefined
  }
}

/** Wakes who sleeps at the other end of a socket. */
export const ring = (socket: number): void => native().ring(socket)
