/**
 * A function of an asynchronous session that goes on after it answered CKR_PENDING. PKCS #11 3.2,
 * 5.22. Its work is done in the background; what it made waits here until C_AsyncComplete fetches it,
 * and only then becomes objects and output. So until then nothing of it is anywhere.
 */
import { randomInt } from 'node:crypto'
import type { FunctionName } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Progress } from '../standard/progress.ts'

/** Who keeps a pending function beyond its session (C_AsyncGetID). */
export interface Keeper {
  readonly id: number
  /** The work is done, and this is what it made. */
  made(value: unknown): void
  /** The work failed or was stopped. */
  failed(): void
  /** The session that could fetch it is over. */
  left(): void
  /** It is not wanted any more. */
  dropped(): void
}

/** Ids are below 2^47, so that they are exact in every language. 0 is none. */
const LARGEST_ID = 2 ** 47

export interface PendingOptions {
  /** Where it was kept under one; a new one otherwise. */
  readonly id?: number
  readonly name: FunctionName
  /** The CKF_ flags with which C_SessionCancel stops it. */
  readonly flags: number
  /** The inputs it was called with, after the session. */
  readonly inputs: readonly unknown[]
  /** What it makes comes from elsewhere: it was kept (C_AsyncJoin). */
  readonly made?: (() => unknown) | undefined
  /** How far it is, where it is worked on elsewhere. */
  readonly progress?: (() => Progress | undefined) | undefined
  readonly keeper?: Keeper
}

/** How a function's work is done: Call.work. */
export type Work = <T>(make: () => T | Promise<T>) => T | Promise<T>

export class Pending {
  /** What it is known by outside its session. */
  readonly id: number
  readonly name: FunctionName
  readonly flags: number
  readonly inputs: readonly unknown[]
  /** When it was begun, in milliseconds since 1970. */
  readonly begun = Date.now()
  /** Why it cannot begin again from its inputs in another session. */
  unsaveable: string | undefined
  readonly #from: (() => unknown) | undefined
  readonly #stop = new AbortController()
  readonly #collected = Promise.withResolvers<void>()
  readonly #made = Promise.withResolvers<unknown>()
  #answer: Promise<unknown> | undefined
  #isWorked = false
  #isMade = false
  #announced = false
  #release: (() => void) | undefined
  #keeper: Keeper | undefined
  #progress: (() => Progress | undefined) | undefined

  constructor({ id, name, flags, inputs, made, progress, keeper }: PendingOptions) {
    this.id = id ?? randomInt(1, LARGEST_ID)
    this.name = name
    this.flags = flags
    this.inputs = inputs
    this.#from = made
    this.#progress = progress
    this.#keeper = keeper
    this.#collected.promise.catch(() => {})
    this.#made.promise.catch(() => {})
  }

  /** Aborted when it is to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Whether CKR_PENDING was answered, and it was not stopped since. */
  get isPending(): boolean {
    return this.#announced && !this.signal.aborted
  }

  /** Whether C_AsyncComplete has something to fetch. */
  get isWorked(): boolean {
    return this.#isWorked
  }

  /** Whether its work is done: what follows is no longer held up. */
  get isMade(): boolean {
    return this.#isMade
  }

  /** How far its work is; undefined once it is done. */
  get progress(): Progress | undefined {
    return this.#isWorked ? undefined : this.#progress?.()
  }

  /** Where its progress is asked, unless it is worked on elsewhere. */
  tells(progress: () => Progress): void {
    this.#progress ??= progress
  }

  /** What its work makes; rejects where it fails. */
  get made(): Promise<unknown> {
    return this.#made.promise
  }

  /** Its id, where somebody keeps it. */
  get keptAs(): number | undefined {
    return this.#keeper?.id
  }

  /** Runs the function, which is given the way its work is done. */
  start(run: (work: Work) => unknown): unknown {
    const answer = run((make) => this.#work(make))
    if (!(answer instanceof Promise)) return answer
    this.#answer = answer
    const settled = () => this.#worked()
    answer.then(settled, settled)
    return answer
  }

  /**
   * It answers CKR_PENDING: from now on what is made waits to be fetched. `release` is called once
   * the caller's data and room are no longer needed, at the latest when it is stopped or left.
   */
  announce(release?: () => void): void {
    this.#announced = true
    this.#release = release
  }

  #worked(): void {
    this.#isWorked = true
    this.#letGo()
  }

  #letGo(): void {
    this.#release?.()
    this.#release = undefined
  }

  /** Lets what was made become its answer. Rejects where it was stopped, also when that was too late. */
  async collect(): Promise<unknown> {
    this.signal.throwIfAborted()
    this.#collected.resolve()
    return this.#answer
  }

  /** It is to go on beyond its session. What is made already is told at once. */
  keepWith(keeper: Keeper): void {
    this.#keeper = keeper
    this.#made.promise.then(
      (value) => keeper.made(value),
      () => keeper.failed(),
    )
  }

  /** The session is over: it goes on where somebody keeps it, and ends where nobody does. */
  leave(): void {
    const keeper = this.#keeper
    if (keeper === undefined) {
      this.stop('the session was closed')
      return
    }
    this.#abandon(new CryptokiError(CKR.SESSION_CLOSED, 'the session was closed'))
    keeper.left()
  }

  /** Ends it, kept or not: nothing of it is left. */
  cancel(why: string): void {
    const keeper = this.#keeper
    this.#keeper = undefined
    this.stop(why)
    keeper?.dropped()
  }

  /** Stops the work. */
  stop(why: string): void {
    const reason = new CryptokiError(CKR.FUNCTION_CANCELED, why)
    this.#stop.abort(reason)
    this.#abandon(reason)
  }

  #abandon(reason: CryptokiError): void {
    this.#letGo()
    this.#collected.reject(reason)
    this.#answer?.catch(() => {})
  }

  async #work<T>(make: () => T | Promise<T>): Promise<T> {
    let value: T
    try {
      value = this.#from === undefined ? await make() : ((await this.#from()) as T)
    } catch (error) {
      this.#made.reject(error)
      throw error
    }
    this.#isMade = true
    this.#made.resolve(value)
    if (!this.#announced) return value
    this.#worked()
    await this.#collected.promise
    return value
  }
}
