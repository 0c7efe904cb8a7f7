/** A call that a client waits for: it answers what the service asks meanwhile. */
import type { Say } from '../functions/trace.ts'
import type { CallContext, Data } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Progress } from '../standard/progress.ts'
import { readAnswer, startsWith, type WireCall, writeRequest } from './calls.ts'
import { readProgress } from './progress.ts'
import {
  BACK,
  ERROR,
  HAVE_READ,
  MOST_EXTENSION_BODY,
  PUT,
  READ,
  STOP,
  SURRENDER,
  SURRENDERED,
  TRACE,
} from './protocol.ts'
import { Reader, WireError } from './reader.ts'
import { MOST_HERE } from './values.ts'
import { Writer } from './writer.ts'

/** Output that came ahead of the answer. */
interface Piece {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Sends the parts of a frame; `sent` is called once they are out of this process. */
export type Send = (parts: readonly Buffer[], sent?: () => void) => void

/** One call that a client waits for. */
export class ClientCall {
  readonly code: number
  readonly #call: WireCall
  readonly #inputs: readonly unknown[]
  readonly #context: CallContext
  readonly #send: Send
  readonly #say: Say | undefined
  readonly #data: Data | undefined
  readonly #pieces: Piece[] = []
  readonly #answer = Promise.withResolvers<unknown>()
  /** Pieces that were handed on and replies to READs, one after the other. */
  #inTurn: Promise<void> | undefined
  /** What the callback, or whoever takes the output, threw. */
  #thrown: { readonly cause: unknown; readonly what: string } | undefined

  constructor(
    call: WireCall,
    inputs: readonly unknown[],
    context: CallContext,
    code: number,
    send: Send,
    say?: Say,
  ) {
    this.#call = call
    this.#inputs = inputs
    this.#context = context
    this.code = code
    this.#send = send
    this.#say = say
    this.#data = inputs[call.dataAt] as Data | undefined
  }

  async run(): Promise<unknown> {
    const { signal } = this.#context
    const stop = () => this.#sendStop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      this.#sendRequest()
      const answer = await this.#answer.promise
      await this.#inTurn
      return this.#whole(answer)
    } catch (error) {
      if (this.#thrown === undefined) throw error
      const { what, cause } = this.#thrown
      throw new CryptokiError(CKR.FUNCTION_FAILED, what, { cause })
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  fail(error: unknown): void {
    this.#answer.reject(error)
  }

  #sendRequest(): void {
    const writer = new Writer()
    try {
      writeRequest(this.#call, writer, this.#inputs)
    } catch (cause) {
      if (cause instanceof CryptokiError) throw cause
      throw new CryptokiError(CKR.ARGUMENTS_BAD, 'the arguments cannot travel', { cause })
    }
    if (writer.length > MOST_EXTENSION_BODY)
      throw new CryptokiError(CKR.ARGUMENTS_BAD, `a request of ${writer.length} bytes`)
    const parts = writer.frame(this.code)
    const hide = this.#call.pins.length > 0 ? () => void parts[0]?.fill(0) : undefined
    this.#send(parts, hide)
  }

  #sendStop(): void {
    const writer = new Writer()
    writer.raw(STOP.head)
    this.#send(writer.frame(this.code))
  }

  /** A frame with this call's code; throws a WireError. */
  receive(body: Buffer): void {
    if (startsWith(body, this.#call.answer)) {
      const reader = new Reader(body, this.#call.answer.length)
      this.#answer.resolve(readAnswer(this.#call, reader, this.#inputs))
    } else if (startsWith(body, ERROR)) this.#failed(new Reader(body, ERROR.length))
    else if (startsWith(body, SURRENDER.head))
      this.#surrender(new Reader(body, SURRENDER.head.length))
    else if (startsWith(body, READ.head)) this.#read(new Reader(body, READ.head.length))
    else if (startsWith(body, BACK.head)) this.#back(new Reader(body, BACK.head.length))
    else if (startsWith(body, PUT.head)) this.#put(new Reader(body, PUT.head.length))
    else if (startsWith(body, TRACE.head)) this.#trace(new Reader(body, TRACE.head.length))
    else throw new WireError('a frame that is no answer')
  }

  #failed(reader: Reader): void {
    const rv = reader.u64()
    reader.end()
    this.#answer.reject(new CryptokiError(rv, `${this.#call.name}, says the service`))
  }

  #trace(reader: Reader): void {
    const line = reader.bytesOrNone()
    reader.end()
    this.#say?.(Buffer.from(line).toString())
  }

  #surrender(reader: Reader): void {
    reader.u64()
    const event = reader.u64()
    const progress = readProgress(reader)
    reader.end()
    if (progress === undefined) throw new WireError('a SURRENDER of a function that is not at work')
    this.#callBack(event, progress).then((rv) => {
      const writer = new Writer()
      writer.raw(SURRENDERED.head)
      writer.u64(rv)
      this.#send(writer.frame(this.code))
    })
  }

  async #callBack(event: number, progress: Progress): Promise<number> {
    const { notify, signal } = this.#context
    if (signal?.aborted) return CKR.CANCEL
    try {
      return (await notify?.(event, progress)) ?? CKR.OK
    } catch (cause) {
      this.#thrown ??= { cause, what: 'the callback threw' }
      return CKR.CANCEL
    }
  }

  #read(reader: Reader): void {
    const offset = reader.u64()
    const length = reader.u64()
    reader.end()
    const data = this.#data
    if (data === undefined || length > MOST_HERE || offset + length > data.length)
      throw new WireError(`a READ of ${length} bytes at ${offset}`)
    this.#next(async () => this.#reply(await this.#bytesOf(data, offset, length)))
  }

  async #bytesOf(data: Data, offset: number, length: number): Promise<Uint8Array | null> {
    try {
      const bytes = await data.read(offset, length)
      if (bytes.length === length) return bytes
      throw new RangeError(`${bytes.length} bytes of data for ${length}`)
    } catch (cause) {
      this.#thrown ??= { cause, what: 'the data could not be read' }
      return null
    }
  }

  #reply(bytes: Uint8Array | null): void {
    const writer = new Writer()
    writer.raw(HAVE_READ.head)
    writer.bytes(bytes)
    this.#send(writer.frame(this.code))
  }

  #put(reader: Reader): void {
    const offset = reader.u64()
    const bytes = reader.bytesOrNone()
    reader.end()
    const room = this.#inputs[this.#call.roomAt]
    if (typeof room !== 'number' || offset + bytes.length > room)
      throw new WireError(`${bytes.length} bytes at ${offset} of ${room}`)
    const { put } = this.#context
    if (put === undefined) this.#pieces.push({ offset, bytes })
    else this.#next(async () => put(offset, bytes))
  }

  #back(reader: Reader): void {
    if (this.#call.back === undefined) throw new WireError('values back for no parameter')
    const handOn = this.#call.back(reader, this.#inputs)
    reader.end()
    try {
      handOn()
    } catch (cause) {
      this.#thrown ??= { cause, what: 'the values that came back could not be taken' }
    }
  }

  /** Does something once what came before it is done. */
  #next(work: () => Promise<void>): void {
    const before = this.#inTurn ?? Promise.resolve()
    this.#inTurn = before.then(work).catch((cause: unknown) => {
      this.#thrown ??= { cause, what: 'the output could not be taken' }
    })
  }

  /** The answer with the output that came ahead of it. */
  #whole(answer: unknown): unknown {
    if (this.#thrown !== undefined) throw this.#thrown
    const { fills, roomAt } = this.#call
    const isHere = fills === undefined || answer instanceof Uint8Array
    if (isHere || this.#context.put !== undefined) return answer
    if (fills === 'fill') return this.#gathered(this.#inputs[roomAt] as number)
    const { put } = answer as { put?: number }
    return put === undefined ? answer : this.#gathered(put)
  }

  #gathered(length: number): Uint8Array {
    const whole = new Uint8Array(Math.min(length, this.#pieces.reduce(endOf, 0)))
    if (whole.length < length)
      throw new CryptokiError(CKR.DEVICE_ERROR, 'output was told of and not put')
    for (const { offset, bytes } of this.#pieces) whole.set(bytes, offset)
    return whole
  }
}

const endOf = (end: number, { offset, bytes }: Piece): number =>
  Math.max(end, offset + bytes.length)
