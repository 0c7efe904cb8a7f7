/** Slot events of one application: a flag for each slot, not a queue. PKCS #11 3.2, 5.5 (C_WaitForSlotEvent). */
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'

export class SlotEvents {
  /** Slots whose flag is set, the one set first in front. */
  readonly #flags = new Set<number>()
  /** Calls that wait, the one that came first in front. */
  readonly #waiting = new Set<PromiseWithResolvers<number>>()

  /** Something happened in a slot: its flag is set, or the call that waits longest is told. */
  readonly occurred = (slot: number): void => {
    this.#flags.add(slot)
    const [first] = this.#waiting
    const flagged = first && this.take()
    if (flagged !== undefined) first?.resolve(flagged)
  }

  /** Clears a flag that is set and answers its slot; undefined where none is. */
  take(): number | undefined {
    const [slot] = this.#flags
    if (slot !== undefined) this.#flags.delete(slot)
    return slot
  }

  /**
   * The slot of the next event. Rejects with CKR_CRYPTOKI_NOT_INITIALIZED once the application ends,
   * and with CKR_FUNCTION_FAILED once `signal` is aborted: C_WaitForSlotEvent has no CKR_FUNCTION_CANCELED.
   */
  async next(signal: AbortSignal | undefined): Promise<number> {
    const flagged = this.take()
    if (flagged !== undefined) return flagged
    const waiting = Promise.withResolvers<number>()
    const stop = () => waiting.reject(stopped(signal))
    signal?.addEventListener('abort', stop, { once: true })
    this.#waiting.add(waiting)
    if (signal?.aborted) stop()
    try {
      return await waiting.promise
    } finally {
      this.#waiting.delete(waiting)
      signal?.removeEventListener('abort', stop)
    }
  }

  /** C_Finalize: whoever waits is told. */
  end(): void {
    for (const { reject } of this.#waiting)
      reject(new CryptokiError(CKR.CRYPTOKI_NOT_INITIALIZED, 'C_Finalize while it waited'))
  }
}

const stopped = (signal: AbortSignal | undefined) =>
  new CryptokiError(CKR.FUNCTION_FAILED, 'stopped from outside', { cause: signal?.reason })
