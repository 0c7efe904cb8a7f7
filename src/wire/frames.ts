/**
 * Frames on a stream of bytes (docs/WIRE.md, "Frame"): u32 code, u32 options length, u32 body
 * length, options, body.
 */
import type { Writable } from 'node:stream'
import { WireError } from './reader.ts'

const HEADER = 12
const MOST_OPTIONS = 4096

/** The memory a frame that is not whole yet begins with, in bytes. */
const FIRST = 4096

/** Takes a frame; answers false to take no more. */
export type TakeFrame = (code: number, body: Buffer) => boolean

/**
 * Cuts a stream into frames. A frame that lies whole in a chunk is a view of it. Of one that comes
 * in pieces, memory is at most twice what has arrived, whatever length its header claims.
 */
export class FrameReader {
  readonly #mostBody: number
  #partial: Buffer | undefined
  #have = 0
  /** Length of the frame, or of the header while that is not whole. */
  #want = HEADER

  constructor(mostBody: number) {
    this.#mostBody = mostBody
  }

  /** Throws a WireError for a frame that breaks a bound. */
  push(chunk: Buffer, take: TakeFrame): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#partial === undefined && this.#isWhole(chunk, at)) {
        const end = at + this.#want
        if (!this.#give(chunk.subarray(at, end), take)) return
        at = end
      } else {
        at += this.#keep(chunk, at)
        if (this.#partial !== undefined && !this.#complete(this.#partial, take)) return
      }
    }
  }

  #isWhole(chunk: Buffer, at: number): boolean {
    if (chunk.length - at < HEADER) return false
    this.#want = this.#lengthOf(chunk, at)
    return chunk.length - at >= this.#want
  }

  /** Bytes of the frame whose header is at `at`. */
  #lengthOf(bytes: Buffer, at: number): number {
    const options = bytes.readUInt32BE(at + 4)
    const body = bytes.readUInt32BE(at + 8)
    if (bytes.readUInt32BE(at) === 0) throw new WireError('a frame with code 0')
    if (options > MOST_OPTIONS) throw new WireError(`a frame with ${options} bytes of options`)
    if (body > this.#mostBody) throw new WireError(`a frame with a body of ${body} bytes`)
    return HEADER + options + body
  }

  /** Adds from the chunk what the frame lacks; answers how many bytes that was. */
  #keep(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#want - this.#have, chunk.length - at)
    const have = this.#have + taken
    if (this.#partial === undefined || have > this.#partial.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(FIRST, 2 * have), this.#want))
      this.#partial?.copy(larger, 0, 0, this.#have)
      this.#partial = larger
    }
    chunk.copy(this.#partial, this.#have, at, at + taken)
    this.#have = have
    return taken
  }

  /** Gives the kept frame once it is whole. */
  #complete(partial: Buffer, take: TakeFrame): boolean {
    if (this.#want === HEADER && this.#have === HEADER) this.#want = this.#lengthOf(partial, 0)
    if (this.#have < this.#want) return true
    this.#partial = undefined
    this.#have = 0
    return this.#give(partial, take)
  }

  #give(frame: Buffer, take: TakeFrame): boolean {
    const options = frame.readUInt32BE(4)
    this.#want = HEADER
    return take(frame.readUInt32BE(0), frame.subarray(HEADER + options))
  }
}

/** Sends the parts of a frame in one write; false where the stream asks to wait for `drain`. */
export function sendFrame(stream: Writable, parts: readonly Buffer[], sent?: () => void): boolean {
  if (parts.length === 1) return stream.write(parts[0] as Buffer, sent)
  stream.cork()
  let free = true
  for (const [index, part] of parts.entries())
    free = stream.write(part, index === parts.length - 1 ? sent : undefined)
  stream.uncork()
  return free
}
