/** One call that the service works on: how it reaches back to the client meanwhile. */
import type { CallContext, Claimed, Data, Loan } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Progress } from '../standard/progress.ts'
import { checkHead } from './calls.ts'
import { writeProgress } from './progress.ts'
import {
  BACK,
  END,
  HAVE_READ,
  LENT,
  PUT,
  READ,
  SURRENDER,
  SURRENDERED,
  TAKE,
  TRACE,
} from './protocol.ts'
import { Reader, type Remote, WireError } from './reader.ts'
import { MOST_HERE } from './values.ts'
import { Writer } from './writer.ts'

/** Where the frames of a call go. */
export interface Outlet {
  send(parts: readonly Buffer[]): void
  /** A promise while too much waits to be sent, undefined otherwise. */
  ready(): Promise<void> | undefined
  /** The code of a call is free: it is over. */
  free(code: number): void
  /** Memory for long output that the client reads without a copy on the way; undefined where there is none. */
  claim(length: number): Claim | undefined
  /** What the client put into such memory; throws a WireError where he could not. */
  lent(slot: number, length: number): Loan
}

/** A slot of the channel, to be filled. */
export interface Claim {
  readonly slot: number
  readonly bytes: Uint8Array
  /** It will not be. */
  giveBack(): void
}

/** Shorter bytes travel with their message. */
const LEAST_CLAIMED = 16 << 10

/** Someone waits for the client. */
interface Waiting<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** A promise that `wait` hands on; a function that stopped waiting for it is not told of its failure. */
function awaited<T>(wait: (waiting: Waiting<T>) => void): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  wait({ resolve, reject })
  return unobserved(promise)
}

/** A promise whose failure nobody has to be told of. */
function unobserved<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

const gone = () =>
  new CryptokiError(CKR.FUNCTION_CANCELED, 'the application is gone, or done with the function')

export class CallUnderWay implements CallContext, Remote {
  readonly code: number
  /** Bytes of its request. */
  readonly size: number
  /** Absent for a function that is not on a session, and for a client that knows no callbacks. */
  notify: CallContext['notify']
  release: CallContext['release']
  readonly #outlet: Outlet
  readonly #extended: boolean
  readonly #surrenders: Waiting<number>[] = []
  readonly #reads: (Waiting<Loan> & { readonly length: number })[] = []
  #loans: Set<Loan> | undefined
  #stop: AbortController | undefined
  /** It was answered, and goes on where that was CKR_PENDING and the client keeps its data and room. */
  #answered = false
  #released = false
  #ended = false

  constructor(code: number, size: number, outlet: Outlet, extended: boolean) {
    this.code = code
    this.size = size
    this.#outlet = outlet
    this.#extended = extended
  }

  // Made when they are asked for: most calls are over before anyone does.

  get put(): CallContext['put'] {
    return this.#extended ? (offset, bytes) => this.#put(offset, bytes) : undefined
  }

  get claim(): CallContext['claim'] {
    return this.#extended ? (offset, length) => this.#claim(offset, length) : undefined
  }

  get signal(): AbortSignal {
    this.#stop ??= new AbortController()
    return this.#stop.signal
  }

  /** Whether the client owes it a reply. */
  get asks(): boolean {
    return this.#surrenders.length > 0 || this.#reads.length > 0
  }

  get isAborted(): boolean {
    return this.#stop?.signal.aborted === true
  }

  /** The call is on this session, and its client knows callbacks. */
  onSession(session: number): void {
    this.notify = (event, progress) => this.#surrender(session, event, progress)
  }

  /** Its client keeps data and room beyond CKR_PENDING. */
  mayLast(): void {
    this.release = () => this.#release()
  }

  /** Stops the function at its next surrender point. */
  abort(why: string): void {
    this.#stop ??= new AbortController()
    this.#stop.abort(new CryptokiError(CKR.FUNCTION_CANCELED, why))
  }

  /** It was answered. */
  answered(pending: boolean): void {
    this.#answered = true
    if (!pending || this.release === undefined) this.#end()
    else if (this.#released) this.#sendEnd()
  }

  /** What the function no longer needs, nothing reaches for; where that comes first, CKR_PENDING does. */
  #release(): void {
    if (this.#ended || this.#released) return
    this.#released = true
    if (this.#answered) this.#sendEnd()
  }

  #sendEnd(): void {
    const writer = new Writer()
    writer.raw(END.head)
    this.#outlet.send(writer.frame(this.code))
    this.#end()
  }

  #end(): void {
    this.#ended = true
    if (this.#loans) for (const loan of this.#loans) loan.giveBack()
    this.#freeCode()
  }

  /** The code is free once the client has replied to everything. */
  #freeCode(): void {
    if (this.#ended && this.#surrenders.length === 0 && this.#reads.length === 0)
      this.#outlet.free(this.code)
  }

  /** The client is gone: nobody waits for it any more. */
  drop(): void {
    this.#ended = true
    for (const waiting of [...this.#surrenders, ...this.#reads]) waiting.reject(gone())
    this.abort('the application is gone')
  }

  #checkOn(): void {
    if (this.#ended || this.#released) throw gone()
  }

  #surrender(session: number, event: number, progress: Progress): Promise<number> {
    this.#checkOn()
    const writer = new Writer()
    writer.raw(SURRENDER.head)
    writer.u64(session)
    writer.u64(event)
    writeProgress(writer, progress)
    this.#outlet.send(writer.frame(this.code))
    return awaited((waiting) => this.#surrenders.push(waiting))
  }

  remote(length: number): Data {
    return {
      length,
      passing: true,
      read: (offset, wanted) => this.#read(length, offset, wanted),
      borrow: (offset, wanted) => this.#borrow(length, offset, wanted),
    }
  }

  lent(slot: number, length: number): Data {
    const { bytes } = this.#take(slot, length)
    // A function that takes its data twice finds it there: the slot is freed once the call is over.
    return {
      length,
      read: (offset, wanted) => Buffer.from(bytes.subarray(offset, offset + wanted)),
      borrow: (offset, wanted) => ({
        bytes: bytes.subarray(offset, offset + wanted),
        giveBack: () => {},
      }),
    }
  }

  /** What lies in a slot of the channel, which is freed when the call is over at the latest. */
  #take(slot: number, length: number): Loan {
    const lent = this.#outlet.lent(slot, length)
    const loan: Loan = {
      bytes: lent.bytes,
      giveBack: () => {
        if (this.#loans?.delete(loan)) lent.giveBack()
      },
    }
    this.#loans ??= new Set()
    this.#loans.add(loan)
    return loan
  }

  #read(whole: number, offset: number, length: number): Promise<Uint8Array> {
    if (length <= MOST_HERE) return unobserved(this.#borrow(whole, offset, length).then(copied))
    const pieces = Array.from({ length: Math.ceil(length / MOST_HERE) }, (_, at) => {
      const start = at * MOST_HERE
      return this.#read(whole, offset + start, Math.min(MOST_HERE, length - start))
    })
    return unobserved(Promise.all(pieces).then((parts) => Buffer.concat(parts)))
  }

  /** At most MOST_HERE bytes. */
  #borrow(whole: number, offset: number, length: number): Promise<Loan> {
    this.#checkOn()
    if (!(offset >= 0 && length >= 0 && offset + length <= whole))
      throw new RangeError(`bytes ${offset} to ${offset + length} of ${whole}`)
    const writer = new Writer()
    writer.raw(READ.head)
    writer.u64(offset)
    writer.u64(length)
    this.#outlet.send(writer.frame(this.code))
    return awaited((waiting) => this.#reads.push({ ...waiting, length }))
  }

  async #put(offset: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += MOST_HERE) {
      for (let wait = this.#outlet.ready(); wait; wait = this.#outlet.ready()) await wait
      this.#checkOn()
      this.#putPiece(offset + at, bytes.subarray(at, at + MOST_HERE))
    }
  }

  #putPiece(offset: number, bytes: Uint8Array): void {
    if (this.putInSlot(offset, bytes)) return
    const writer = new Writer()
    writer.raw(PUT.head)
    writer.u64(offset)
    writer.bytes(bytes)
    this.#outlet.send(writer.frame(this.code))
  }

  /** Puts bytes into the caller's buffer by a slot; false where they are too short for that, or none is free. */
  putInSlot(offset: number, bytes: Uint8Array): boolean {
    const claimed = this.#claim(offset, bytes.length)
    if (claimed === undefined) return false
    claimed.bytes.set(bytes)
    claimed.put()
    return true
  }

  #claim(offset: number, length: number): Claimed | undefined {
    if (length < LEAST_CLAIMED || length > MOST_HERE) return undefined
    this.#checkOn()
    const claim = this.#outlet.claim(length)
    if (claim === undefined) return undefined
    return {
      bytes: claim.bytes,
      put: () => this.#sendTake(claim, offset),
      giveBack: () => claim.giveBack(),
    }
  }

  #sendTake({ slot, bytes }: Claim, offset: number): void {
    const writer = new Writer()
    writer.raw(TAKE.head)
    writer.u64(offset)
    writer.u8(slot)
    writer.u64(bytes.length)
    this.#outlet.send(writer.frame(this.code))
  }

  /** Tells the client about the call, in words. */
  trace(line: string): void {
    if (this.#ended) return
    const writer = new Writer()
    writer.raw(TRACE.head)
    writer.bytes(Buffer.from(line))
    this.#outlet.send(writer.frame(this.code))
  }

  /** What comes when the call is over, or the client gone, nobody waits for. */
  back(write: (writer: Writer) => void): void {
    if (this.#ended) return
    const writer = new Writer()
    writer.raw(BACK.head)
    write(writer)
    this.#outlet.send(writer.frame(this.code))
  }

  /** A reply of the client to what was asked; throws a WireError for one that nobody waits for. */
  reply(call: number, body: Buffer): void {
    if (call === SURRENDERED.call) this.#surrendered(body)
    else if (call === HAVE_READ.call) this.#haveRead(body)
    else if (call === LENT.call) this.#haveLent(body)
    else throw new WireError(`no call ${call}`)
    this.#freeCode()
  }

  #surrendered(body: Buffer): void {
    checkHead(body, SURRENDERED.head)
    const reader = new Reader(body, SURRENDERED.head.length)
    const rv = reader.u64()
    reader.end()
    const waiting = this.#surrenders.shift()
    if (waiting === undefined) throw new WireError('a reply to a SURRENDER that was not sent')
    waiting.resolve(rv)
  }

  #haveRead(body: Buffer): void {
    checkHead(body, HAVE_READ.head)
    const reader = new Reader(body, HAVE_READ.head.length)
    const bytes = reader.bytes()
    reader.end()
    const waiting = this.#reading()
    if (bytes === null)
      waiting.reject(new CryptokiError(CKR.FUNCTION_FAILED, 'the data could not be read'))
    else if (bytes.length === waiting.length) waiting.resolve({ bytes, giveBack: () => {} })
    else throw new WireError(`${bytes.length} bytes of data for ${waiting.length}`)
  }

  #haveLent(body: Buffer): void {
    checkHead(body, LENT.head)
    const reader = new Reader(body, LENT.head.length)
    const [slot, length] = [reader.u8(), reader.u64()]
    reader.end()
    const waiting = this.#reading()
    if (length !== waiting.length)
      throw new WireError(`${length} bytes of data for ${waiting.length}`)
    const loan = this.#take(slot, length)
    if (this.#ended) loan.giveBack()
    waiting.resolve(loan)
  }

  #reading() {
    const waiting = this.#reads.shift()
    if (waiting === undefined) throw new WireError('a reply to a READ that was not sent')
    return waiting
  }
}

/** The bytes of a loan for whoever keeps them. */
function copied({ bytes, giveBack }: Loan): Uint8Array {
  const kept = Buffer.from(bytes)
  giveBack()
  return kept
}

/** Of more calls than this one will wait for the client. */
const FEW_CALLS = 64

/** Whether calls are under way, and none of them waits for the client. */
export function workElsewhere(calls: ReadonlyMap<number, CallUnderWay>): boolean {
  if (calls.size === 0 || calls.size > FEW_CALLS) return false
  for (const { asks } of calls.values()) if (asks) return false
  return true
}
