/** The library: tokens in a store, and applications that call the C_ functions on them. */
import { refuseClosing } from './functions/cancelling.ts'
import { dispatch } from './functions/dispatch.ts'
import {
  cancelOperation,
  dropOldOperations,
  listOperations,
  type OperationView,
  type Running,
  stopOperations,
} from './functions/operations.ts'
import { offered, type Policy } from './mechanisms/policy.ts'
import { ApplicationSessions } from './sessions/application.ts'
import type {
  AnswerOf,
  Application,
  CallContext,
  FunctionName,
  InputsOf,
} from './standard/calls.ts'
import { CKR } from './standard/constants.ts'
import { CryptokiError } from './standard/error.ts'
import { PIN_COST, type PinCost } from './store/sealing.ts'
import type { Store } from './store/store.ts'
import { Durations } from './surrender/durations.ts'
import { DEFAULT_INTERVAL, type Pace } from './surrender/surrender.ts'
import { endWarmWorkers } from './surrender/workers.ts'
import { Slots } from './tokens/slots.ts'

export { implemented } from './functions/dispatch.ts'
export type { Notify, Progress } from './standard/progress.ts'
export { KeptDurations } from './surrender/kept-durations.ts'

export interface LibraryOptions {
  readonly store: Store
  /** The pace of surrender callbacks in milliseconds; 0: at every point. */
  readonly interval?: number
  /** What one try costs of a PIN that is set from now on; a PIN in use keeps the cost it has. */
  readonly pinCost?: PinCost
  /** Which mechanisms are offered; the default profile where it does not say. */
  readonly policy?: Policy
  /**
   * What similar work took here before, which progress tells where the work has no known extent: a
   * KeptDurations lasts; where it does not say, it is known while the library is open.
   */
  readonly durations?: Durations
}

export interface Library {
  /** C_Initialize for one more application, named for logs; `interval` is its own pace in milliseconds. */
  open(program?: string, interval?: number): Application
  /** The functions that are pending in any application or kept beyond theirs, oldest first. */
  operations(): Promise<readonly OperationView[]>
  /** Cancels one of them; false where there is none of this id. */
  cancelOperation(id: number): Promise<boolean>
  /** Drops what was kept more than so many days ago and is in nobody's session. */
  dropOldOperations(days: number): Promise<void>
  /** Ends every application, and closes the store and the durations. */
  close(): Promise<void>
}

export async function openLibrary({
  store,
  interval = DEFAULT_INTERVAL,
  pinCost = PIN_COST,
  policy,
  durations = new Durations(),
}: LibraryOptions): Promise<Library> {
  const slots = await Slots.open(store, { pinCost, offered: offered(policy) })
  const applications = new Map<Application, Running>()
  const running = () => [...applications.values()]
  return {
    open(program = '', own = interval) {
      const sessions = new ApplicationSessions(slots)
      const pace = { interval: own, durations }
      const application = new Cryptoki(sessions, pace, () => applications.delete(application))
      applications.set(application, { program, sessions })
      return application
    },
    operations: () => listOperations(slots, running()),
    cancelOperation: (id) => cancelOperation(slots, running(), id),
    dropOldOperations: (days) => dropOldOperations(slots, days),
    async close() {
      await Promise.all(Array.from(applications.keys(), (application) => application.close()))
      stopOperations(slots, 'the service stops')
      endWarmWorkers()
      await durations.close()
      await store.close()
    },
  }
}

/** One application's view of the library. */
class Cryptoki implements Application {
  readonly #sessions: ApplicationSessions
  readonly #pace: Pace
  readonly #onEnd: () => void
  readonly #running = new Set<Promise<unknown>>()
  #finalized = false

  constructor(sessions: ApplicationSessions, pace: Pace, onEnd: () => void) {
    this.#sessions = sessions
    this.#pace = pace
    this.#onEnd = onEnd
  }

  call<N extends FunctionName>(
    name: N,
    inputs: InputsOf<N>,
    context: CallContext = {},
  ): AnswerOf<N> | Promise<AnswerOf<N>> {
    type Answer = AnswerOf<N> | Promise<AnswerOf<N>>
    if (this.#finalized) throw new CryptokiError(CKR.CRYPTOKI_NOT_INITIALIZED, 'after C_Finalize')
    if (name === 'C_Initialize')
      throw new CryptokiError(CKR.CRYPTOKI_ALREADY_INITIALIZED, 'the application is initialised')
    if (name === 'C_Finalize') {
      refuseClosing(name, ({ handle }) => this.#sessions.has(handle))
      return this.close() as unknown as Answer
    }
    const given = inputs as readonly unknown[]
    const answer = dispatch(this.#sessions, name, given, context, this.#pace)
    if (answer instanceof Promise) this.#watch(answer)
    return answer as Answer
  }

  async close(): Promise<void> {
    if (this.#finalized) return
    this.#finalized = true
    this.#sessions.end()
    await Promise.allSettled(this.#running)
    this.#onEnd()
  }

  #watch(answer: Promise<unknown>): void {
    this.#running.add(answer)
    const done = () => void this.#running.delete(answer)
    answer.then(done, done)
  }
}
