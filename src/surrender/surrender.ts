/**
 * Surrender: how a long function gives control back. PKCS #11 3.2, 5.21 ("Callback functions", 5.16
 * of 2.40) and docs: the callback comes every interval, in order, and CKR_CANCEL unwinds the work.
 */
import type { CallContext } from '../standard/calls.ts'
import { CKN, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Notify, Progress } from '../standard/progress.ts'
import type { Durations } from './durations.ts'

/** The default pace, in milliseconds. */
export const DEFAULT_INTERVAL = 50

/** After this many milliseconds of computing, other calls get their turn. */
const LET_IN = 10

/** What the functions of an application have in common. */
export interface Pace {
  /** Milliseconds between callbacks; 0: at every point. */
  readonly interval: number
  /** What similar work took here before. */
  readonly durations: Durations
}

export interface SurrenderOptions extends Partial<Pace> {
  readonly notify?: Notify | undefined
  /**
   * Stop the work from elsewhere: a client that vanished, C_SessionCancel, an AbortSignal. A reason
   * that is a CryptokiError is what it ends with; any other, CKR_FUNCTION_CANCELED.
   */
  readonly signals?: readonly AbortSignal[]
  /** The same from the caller, whose signal is asked for only where somebody waits for it. */
  readonly caller?: Pick<CallContext, 'signal' | 'isAborted'> | undefined
  /** How many other sessions call just now; any number where it does not say. */
  readonly company?: number
}

/** What is known beforehand of work that is done elsewhere. */
export interface Extent {
  /** What similar work is told by (Durations); its time counts where it is given. */
  readonly kind?: string | undefined
  /** The fraction done, from 0 to 1; undefined while it cannot be told. */
  readonly done?: () => number | undefined
}

const UNKNOWN: Extent = {}

const cancelled = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.FUNCTION_CANCELED, why, cause === undefined ? undefined : { cause })

/** Whoever stops the work may say with which return value it ends: CKR_SESSION_CLOSED, for one. */
const stopped = (reason: unknown): CryptokiError =>
  reason instanceof CryptokiError ? reason : cancelled('stopped from outside', reason)

/** Lets timers, sockets and other calls have the event loop once. */
const letIn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** One function's opportunity to surrender; made when the function begins. */
export class Surrender {
  readonly #interval: number
  readonly #notify: Notify | undefined
  readonly #signals: readonly AbortSignal[]
  readonly #caller: SurrenderOptions['caller']
  readonly #durations: Durations | undefined
  readonly #began: number
  /** How many other sessions call just now, which work on the event loop holds up. */
  readonly company: number
  #due: number
  #turn: number
  /** The fraction that was told at a point last. */
  #done: number | undefined
  /** The work that is waited for. */
  #elsewhere: Extent | undefined

  constructor(options: SurrenderOptions = {}) {
    const { interval = DEFAULT_INTERVAL, notify, signals = [], durations } = options
    this.#interval = interval
    this.#notify = notify
    this.#signals = signals
    this.#caller = options.caller
    this.#durations = durations
    const now = performance.now()
    this.#began = now
    this.company = options.company ?? Number.POSITIVE_INFINITY
    this.#due = now + interval
    this.#turn = now + LET_IN
  }

  /** The point that a function begins with, where nothing is due yet but with interval 0. */
  begin(): Promise<void> | undefined {
    if (this.#interval === 0) return this.point()
    this.#stopIfAborted()
    return undefined
  }

  /** How far the function is now. */
  get progress(): Progress {
    const { kind, done } = this.#elsewhere ?? { kind: undefined, done: () => this.#done }
    return {
      done: done?.(),
      elapsed: performance.now() - this.#began,
      usual: kind === undefined ? undefined : this.#durations?.usual(kind),
    }
  }

  /**
   * A step boundary. Answers undefined where nothing is due, which costs a look at the clock;
   * otherwise a promise to wait for. Throws CKR_FUNCTION_CANCELED once the work is to stop. `done`
   * is the fraction done, from 0 to 1; without it that of the point before still counts.
   */
  point(done?: number): Promise<void> | undefined {
    if (done !== undefined) this.#done = done
    this.#stopIfAborted()
    const now = performance.now()
    if (this.#notify !== undefined && now >= this.#due) return this.#call(this.#notify)
    if (now < this.#turn) return undefined
    return letIn().then(() => {
      this.#turn = performance.now() + LET_IN
      this.#stopIfAborted()
    })
  }

  /**
   * Waits for work done elsewhere and surrenders meanwhile. On cancel calls `stop`, which ends that
   * work for good, and throws CKR_FUNCTION_CANCELED. Work of a known kind that ended well tells the
   * next of its kind how long it took.
   */
  async during<T>(work: Promise<T>, stop: () => void, extent = UNKNOWN): Promise<T> {
    const began = performance.now()
    let took = 0
    const done = work.then(
      () => {
        took = performance.now() - began
        return true
      },
      () => true,
    )
    this.#elsewhere = extent
    this.#done = undefined
    try {
      while (!(await this.#pause(done))) {
        if (this.#notify !== undefined) await this.#call(this.#notify)
      }
    } catch (error) {
      stop()
      work.catch(() => {})
      throw error
    } finally {
      this.#elsewhere = undefined
    }
    const value = await work
    if (extent.kind !== undefined) this.#durations?.took(extent.kind, took)
    return value
  }

  #stopIfAborted(): void {
    // The caller's reason counts before that of his session, which closes with him.
    const caller = this.#caller
    if (caller !== undefined && (caller.isAborted ?? caller.signal?.aborted))
      throw stopped(caller.signal?.reason)
    for (const signal of this.#signals) if (signal.aborted) throw stopped(signal.reason)
  }

  async #call(notify: Notify): Promise<void> {
    let answer: number
    try {
      answer = await notify(CKN.SURRENDER, this.progress)
    } catch (error) {
      // One that could not be asked because its application is gone has stopped the work.
      this.#stopIfAborted()
      throw new CryptokiError(CKR.FUNCTION_FAILED, 'the callback threw', { cause: error })
    }
    if (answer === CKR.CANCEL) throw cancelled('the application answered CKR_CANCEL')
    this.#stopIfAborted()
    this.#due = performance.now() + this.#interval
    this.#turn = performance.now() + LET_IN
  }

  /** Waits until the next callback is due; true when the work ended first. Throws when aborted. */
  async #pause(done: Promise<boolean>): Promise<boolean> {
    this.#stopIfAborted()
    const wait = Promise.withResolvers<boolean>()
    const onAbort = () => wait.resolve(false)
    // With interval 0 a wait has no points of its own: a millisecond keeps the loop from spinning.
    const due = Math.max(this.#interval === 0 ? 1 : 0, this.#due - performance.now())
    const timer = this.#notify === undefined ? undefined : setTimeout(wait.resolve, due, false)
    const theirs = this.#caller?.signal
    const signals = theirs === undefined ? this.#signals : [theirs, ...this.#signals]
    for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true })
    try {
      const ended = await Promise.race([done, wait.promise])
      if (!ended) this.#stopIfAborted()
      return ended
    } finally {
      clearTimeout(timer)
      for (const signal of signals) signal.removeEventListener('abort', onAbort)
    }
  }
}
