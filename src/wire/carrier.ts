/** What carries a connection's frames to its client: the socket, or a channel (channel.ts). */
import type { Duplex } from 'node:stream'
import { sendFrame } from './frames.ts'

export interface Carrier {
  /** Sends the parts of a frame, or keeps them until it can: it never waits. */
  send(parts: readonly Buffer[]): void
  /** Bytes that were kept. */
  readonly waiting: number
  /** Whether whoever has much to send should wait until it is drained. */
  readonly isFull: boolean
  /** Calls once, when nothing is kept any more or never will be sent. */
  onceDrained(go: () => void): void
  /** Reads nothing more from the client for now. */
  pause(): void
  resume(): void
  /** The connection is over. */
  end(): void
}

export class SocketCarrier implements Carrier {
  readonly #stream: Duplex

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  send(parts: readonly Buffer[]): void {
    sendFrame(this.#stream, parts)
  }

  get waiting(): number {
    return this.#stream.writableLength
  }

  get isFull(): boolean {
    return this.#stream.writableNeedDrain
  }

  onceDrained(go: () => void): void {
    const once = () => {
      this.#stream.off('drain', once).off('close', once)
      go()
    }
    this.#stream.on('drain', once).on('close', once)
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** The stream tells by itself. */
  end(): void {}
}
