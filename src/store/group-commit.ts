/**
 * Group commit: transactions that are asked for while one is under way are made as one, so that what
 * many applications change at once waits for the disk once.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'

/** Transactions made as one, at most: what is committed is held in memory until then. */
const MOST = 64

/** What a transaction does: nothing but in the database, so that it can be done again after a rollback. */
export type Work<Schema, T> = (transaction: Transaction<Schema>) => Promise<T>

/** Does work in a transaction of its own and settles its caller's promise. */
interface Waiting<Schema> {
  /** Answers what settles the promise once the transaction is committed. */
  readonly work: Work<Schema, () => void>
  readonly fail: (error: unknown) => void
}

export class GroupCommit<Schema> {
  readonly #database: Kysely<Schema>
  readonly #waiting: Waiting<Schema>[] = []
  /** Until nothing waits any more; undefined where nothing does. */
  #working: Promise<void> | undefined

  constructor(database: Kysely<Schema>) {
    this.#database = database
  }

  /** Resolves once what the work did is on the disk; it is done whole or not at all, whatever the others do. */
  run<T>(work: Work<Schema, T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push({
      work: async (transaction) => {
        const value = await work(transaction)
        return () => resolve(value)
      },
      fail: reject,
    })
    this.#working ??= this.#workOff()
    return promise
  }

  /** Resolves when nothing waits and nothing is under way. */
  async idle(): Promise<void> {
    await this.#working
  }

  async #workOff(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Whoever asked while the last commit held this thread is read from its socket in this turn.
      await nextTurn()
      await this.#commit(this.#waiting.splice(0, MOST))
    }
    this.#working = undefined
  }

  /** Where one of them fails, nothing was done, and each is tried alone. */
  async #commit(group: readonly Waiting<Schema>[]): Promise<void> {
    try {
      for (const settle of await this.#transaction(group)) settle()
    } catch (error) {
      const [first, ...others] = group
      if (others.length === 0) return first?.fail(error)
      for (const each of group) await this.#commit([each])
    }
  }

  #transaction(group: readonly Waiting<Schema>[]): Promise<(() => void)[]> {
    return this.#database.transaction().execute(async (transaction) => {
      const settling: (() => void)[] = []
      for (const { work } of group) settling.push(await work(transaction))
      return settling
    })
  }
}
