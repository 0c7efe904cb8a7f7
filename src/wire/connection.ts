/** The service's end of a connection: one application, any number of calls at once. */
import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { type Say, tracedCall } from '../functions/trace.ts'
import type { Application, CallContext, Data, Loan, Room } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError, returnValueOf } from '../standard/error.ts'
import { CallUnderWay, type Claim, type Outlet, workElsewhere } from './call-under-way.ts'
import { checkHead, readRequest, type WireCall, writeAnswer } from './calls.ts'
import { type Carrier, SocketCarrier } from './carrier.ts'
import {
  Channel,
  NO_MEMORY,
  type Offer,
  offerMemory,
  offerOf,
  ring,
  SHARED_MEMORY,
} from './channel.ts'
import { FrameReader } from './frames.ts'
import { isAboutOperations, type Operations, readAsked } from './operations.ts'
import {
  ERROR,
  type Introduction,
  OFFER,
  type Protocol,
  type ProtocolFor,
  SHARE,
  STOP,
} from './protocol.ts'
import { Reader, WireError } from './reader.ts'
import { MOST_HERE } from './values.ts'
import { Writer } from './writer.ts'

/** Bounds on what is under way: calls, and bytes of requests where there is more than one. */
const MOST_CALLS = 1024
const MOST_REQUESTS = 256 << 20

/** Nothing is read from a client while so many bytes wait for it. */
const MOST_WAITING = 32 << 20

/** How long a client may take to let its calls end when the service stops, in milliseconds. */
const GRACE = 2000

/** A request, decoded. */
interface Made {
  readonly call: WireCall
  readonly underWay: CallUnderWay
  readonly inputs: readonly unknown[]
  readonly mostBody: number
}

/** Whether a call has data that stays with the client, or room that is filled while it is under way. */
function reachesBack({ dataAt, roomAt }: WireCall, inputs: readonly unknown[]): boolean {
  const data = inputs[dataAt] as Data | undefined
  return data?.passing === true || ((inputs[roomAt] as Room | undefined) ?? 0) > MOST_HERE
}

export interface ConnectionOptions {
  /** C_Initialize: a new application. */
  readonly open: (introduction: Introduction) => Application
  readonly protocolFor: ProtocolFor
  /** What the extension's clients may ask about pending functions; nothing where it is absent. */
  readonly operations?: Operations | undefined
  /** The descriptor of the client's Unix socket, where memory may be shared by it. */
  readonly socket?: number | undefined
  /** Takes a line for every call, where the service wants them. */
  readonly trace?: ((line: string, introduction: Introduction) => void) | undefined
  /** Told of errors nobody foresaw, and of the WireError that ended a connection. */
  readonly log: (error: unknown, doing: string) => void
}

export class Connection implements Outlet {
  /** Resolves once the connection is over and its application closed. */
  readonly over: Promise<void>
  readonly #stream: Duplex
  readonly #options: ConnectionOptions
  readonly #calls = new Map<number, CallUnderWay>()
  #carrier: Carrier
  /** Memory that was offered to the client, who has not said yet whether he takes it. */
  #offer: Offer | undefined
  #channel: Channel | undefined
  #protocol: Protocol | undefined
  #frames: FrameReader | undefined
  #application: Application | undefined
  /** Of the application there is, or was last. */
  #introduction: Introduction | undefined
  /** Bytes of the requests under way. */
  #size = 0
  #ended = false
  #settle: () => void = () => {}
  #drained: Promise<void> | undefined

  constructor(stream: Duplex, options: ConnectionOptions) {
    this.#stream = stream
    this.#options = options
    this.#carrier = new SocketCarrier(stream)
    this.over = new Promise((resolve) => {
      this.#settle = resolve
    })
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    stream.on('error', () => this.#end())
    stream.on('end', () => this.#end())
    stream.on('close', () => this.#end())
  }

  /** Stops every call, closes the application, and ends the connection once its answers are sent. */
  async close(): Promise<void> {
    const application = this.#application
    this.#application = undefined
    for (const call of this.#calls.values()) call.abort('the service stops')
    const impatient = setTimeout(() => this.#end(), GRACE)
    await application?.close()
    // The calls that ended just now are answered first.
    await turn()
    await this.ready()
    if (!this.#ended) this.#stream.end(() => this.#end())
    await this.over
    clearTimeout(impatient)
  }

  #end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    if (error !== undefined) this.#options.log(error, 'reading a frame')
    this.#stream.destroy()
    this.#carrier.end()
    for (const call of this.#calls.values()) call.drop()
    this.#calls.clear()
    const application = this.#application
    this.#application = undefined
    if (application === undefined) this.#settle()
    else application.close().then(this.#settle, this.#settle)
  }

  #receive(chunk: Buffer): void {
    if (this.#channel === undefined) this.#receiveBytes(chunk)
    else this.#channel.rung()
  }

  #receiveBytes(chunk: Buffer): void {
    try {
      let rest = chunk
      if (this.#frames === undefined) {
        this.#greet(chunk[0] ?? 0)
        rest = chunk.subarray(1)
      }
      this.#frames?.push(rest, this.#take)
    } catch (error) {
      this.#end(error)
    }
  }

  /** What came by the channel. */
  readonly #receiveShared = (piece: Buffer): void => {
    try {
      if (!this.#ended) this.#frames?.push(piece, this.#take)
    } catch (error) {
      this.#end(error)
    }
  }

  #greet(version: number): void {
    this.#protocol = this.#options.protocolFor(version)
    this.#frames = new FrameReader(this.#protocol.mostBody)
    this.#stream.write(Uint8Array.of(this.#protocol.version))
  }

  readonly #take = (code: number, body: Buffer): boolean => {
    const protocol = this.#protocol as Protocol
    if (body.length < 4) throw new WireError('a body without a call')
    const number = body.readUInt32BE(0)
    const call = protocol.calls.get(number)
    if (call !== undefined) this.#request(protocol, call, code, body)
    else if (protocol.extended && isAboutOperations(number)) this.#asked(code, body)
    else if (protocol.extended && number === OFFER.call) this.#offerMemory(code, body)
    else if (protocol.extended && number === SHARE.call) this.#shareMemory(body)
    else if (protocol.extended) this.#message(number, code, body)
    else throw new WireError(`no call ${number}`)
    return !this.#ended
  }

  /** What a client sends about a call under way. */
  #message(number: number, code: number, body: Buffer): void {
    const call = this.#calls.get(code)
    if (number === STOP.call) {
      checkHead(body, STOP.head)
      new Reader(body, STOP.head.length).end()
      call?.abort('the application stopped it')
    } else if (call === undefined) throw new WireError(`no call ${number}, and none under way`)
    else call.reply(number, body)
  }

  /** Offers memory to share; 0 bytes where there is none, or the socket must not be passed by now. */
  #offerMemory(code: number, body: Buffer): void {
    checkHead(body, OFFER.request)
    new Reader(body, OFFER.request.length).end()
    const { socket } = this.#options
    const isFree = this.#offer === undefined && this.#channel === undefined
    const mayShare = isFree && this.#calls.size === 0 && this.#carrier.waiting === 0
    const offer = socket === undefined || !mayShare ? undefined : offerMemory(socket)
    const [frame] = offerOf(code, SHARED_MEMORY)
    if (offer?.send(frame as Buffer)) this.#offer = offer
    else this.send(offerOf(code, NO_MEMORY))
  }

  /** From the next frame on both ends use the memory, or never do. */
  #shareMemory(body: Buffer): void {
    checkHead(body, SHARE.head)
    const reader = new Reader(body, SHARE.head.length)
    const isTaken = reader.bool()
    reader.end()
    const { socket } = this.#options
    const offer = this.#offer
    if (offer === undefined || socket === undefined) throw new WireError('no memory was offered')
    this.#offer = undefined
    if (!isTaken) return
    this.#channel = new Channel({
      memory: offer.memory,
      ring: () => this.#ended || ring(socket),
      take: this.#receiveShared,
      fail: (error) => this.#end(error),
      isBusy: () => this.#calls.size > 0,
      worksElsewhere: () => workElsewhere(this.#calls),
    })
    this.#carrier = this.#channel
    this.#channel.rung()
  }

  /** What is no function's call: it needs no C_Initialize. */
  #asked(code: number, body: Buffer): void {
    const answering = readAsked(body)
    const { operations } = this.#options
    if (operations === undefined) throw new WireError('nobody tells about operations')
    const underWay = this.#newCall(code, body.length, true)
    this.#enter(underWay)
    const done = (writer: Writer) => this.#sendLast(underWay, writer)
    answering(operations).then(done, (error) => done(this.#errorOf(error, 'operations')))
  }

  #newCall(code: number, size: number, extended: boolean): CallUnderWay {
    if (this.#calls.has(code)) throw new WireError(`the code ${code} is in use`)
    this.#checkBounds(size)
    return new CallUnderWay(code, size, this, extended)
  }

  #enter(underWay: CallUnderWay): void {
    this.#calls.set(underWay.code, underWay)
    this.#size += underWay.size
  }

  #request(protocol: Protocol, call: WireCall, code: number, body: Buffer): void {
    checkHead(body, call.request)
    const underWay = this.#newCall(code, body.length, protocol.extended)
    const reader = new Reader(body, call.request.length, protocol.extended ? underWay : undefined)
    const inputs = readRequest(call, reader)
    if (protocol.extended && call.onSession) underWay.onSession(inputs[0] as number)
    if (this.#introduction?.keeps && reachesBack(call, inputs)) underWay.mayLast()
    this.#enter(underWay)
    this.#run(protocol, call, underWay, inputs)
  }

  #checkBounds(size: number): void {
    if (this.#calls.size >= MOST_CALLS) throw new WireError('too many calls under way')
    if (this.#calls.size > 0 && this.#size + size > MOST_REQUESTS)
      throw new WireError('too much under way')
  }

  #run(protocol: Protocol, call: WireCall, underWay: CallUnderWay, inputs: unknown[]): void {
    const made: Made = { call, underWay, inputs, mostBody: protocol.mostBody }
    try {
      const answer = this.#traced(protocol, made)
      if (answer instanceof Promise) this.#answerLater(made, answer)
      else this.#answer(made, answer)?.catch((error) => this.#fail(made, error))
    } catch (error) {
      this.#fail(made, error)
    }
  }

  #answerLater(made: Made, answer: Promise<unknown>): void {
    answer.then((value) => this.#answer(made, value)).catch((error) => this.#fail(made, error))
  }

  #traced(protocol: Protocol, made: Made): unknown {
    const { call, underWay, inputs } = made
    if (call.name === 'C_Initialize' && this.#application === undefined)
      this.#introduction = protocol.introductionOf(inputs)
    const run = (context: CallContext) => this.#dispatch(protocol, made, context)
    const say = this.#sayOf(underWay)
    return say === undefined ? run(underWay) : tracedCall(call.name, inputs, underWay, say, run)
  }

  /** Takes a line about the call; undefined where nobody wants one. */
  #sayOf(underWay: CallUnderWay): Say | undefined {
    const introduction = this.#introduction
    const { trace } = this.#options
    if (introduction === undefined || !(introduction.traces || trace)) return undefined
    return (line) => {
      if (introduction.traces) underWay.trace(line)
      trace?.(line, introduction)
    }
  }

  #dispatch(protocol: Protocol, { call, inputs }: Made, context: CallContext): unknown {
    const application = this.#application
    if (call.name === 'C_Initialize') return this.#open(protocol)
    if (application === undefined)
      throw new CryptokiError(CKR.CRYPTOKI_NOT_INITIALIZED, `${call.name} before C_Initialize`)
    if (call.name !== 'C_Finalize') return application.call(call.name, inputs as never, context)
    this.#application = undefined
    return application.close()
  }

  #open(protocol: Protocol): unknown {
    if (this.#application !== undefined)
      throw new CryptokiError(CKR.CRYPTOKI_ALREADY_INITIALIZED, 'C_Initialize a second time')
    this.#application = this.#options.open(this.#introduction as Introduction)
    return protocol.greeting
  }

  #answer(made: Made, answer: unknown): Promise<void> | undefined {
    const { call, underWay } = made
    if (!(answer instanceof Uint8Array) || call.fills === undefined || underWay.put === undefined) {
      this.#sendAnswer(made, answer)
      return undefined
    }
    const told = call.fills === 'room' ? { put: answer.length } : null
    if (answer.length > MOST_HERE)
      return Promise.resolve(underWay.put(0, answer)).then(() => this.#sendAnswer(made, told))
    this.#sendAnswer(made, underWay.putInSlot(0, answer) ? told : answer)
    return undefined
  }

  #sendAnswer(made: Made, answer: unknown): void {
    const writer = new Writer()
    writeAnswer(made.call, writer, answer, made.inputs)
    if (writer.length > made.mostBody)
      throw new CryptokiError(CKR.DEVICE_MEMORY, `an answer of ${writer.length} bytes`)
    this.#finish(made, writer)
  }

  #fail(made: Made, error: unknown): void {
    const writer = this.#errorOf(error, made.call.name)
    this.#finish(made, writer, returnValueOf(error) === CKR.PENDING)
  }

  #errorOf(error: unknown, doing: string): Writer {
    if (!(error instanceof CryptokiError)) this.#options.log(error, doing)
    const writer = new Writer()
    writer.raw(ERROR)
    writer.u64(returnValueOf(error))
    return writer
  }

  /** Sends the answer; the call is over unless its client owes a reply, or it is pending. */
  #finish({ call, underWay, inputs }: Made, writer: Writer, pending = false): void {
    for (const at of call.pins) (inputs[at] as Uint8Array | null)?.fill(0)
    this.#sendLast(underWay, writer, pending)
  }

  #sendLast(underWay: CallUnderWay, writer: Writer, pending = false): void {
    if (this.#ended) return
    this.#size -= underWay.size
    this.send(writer.frame(underWay.code))
    underWay.answered(pending)
  }

  free(code: number): void {
    this.#calls.delete(code)
  }

  send(parts: readonly Buffer[]): void {
    if (this.#ended) return
    const carrier = this.#carrier
    carrier.send(parts)
    if (carrier.waiting < MOST_WAITING) return
    carrier.pause()
    carrier.onceDrained(() => carrier.resume())
  }

  claim(length: number): Claim | undefined {
    return this.#ended ? undefined : this.#channel?.claim(length)
  }

  lent(slot: number, length: number): Loan {
    if (this.#channel === undefined) throw new WireError('a slot without a channel')
    return this.#channel.lent(slot, length)
  }

  ready(): Promise<void> | undefined {
    if (this.#ended || !this.#carrier.isFull) return undefined
    this.#drained ??= new Promise<void>((resolve) => {
      this.#carrier.onceDrained(() => {
        this.#drained = undefined
        resolve()
      })
    })
    return this.#drained
  }
}
