/**
 * Functions of asynchronous sessions that outlive their session, the application and the service: at
 * rest is what they are made from, and once they are done what they made, sealed as objects are.
 * PKCS #11 3.2, 5.22 (C_AsyncGetID, C_AsyncJoin).
 */
import { deserialize, serialize } from 'node:v8'
import type { Progress } from '../standard/progress.ts'
import { open, seal, TokenKeys } from '../store/sealing.ts'
import type { OperationRecord, Store } from '../store/store.ts'

/** What is at rest: the inputs it can begin again from, then what it made. */
export interface Kept {
  readonly inputs: unknown
  readonly made?: { readonly value: unknown }
}

/** One that works here, in this process, now. */
export interface Working {
  /** What it makes. */
  readonly made: Promise<unknown>
  /** How far it is; undefined once it is done. */
  progress(): Progress | undefined
  stop(why: string): void
}

/** One at rest, and how it is here. */
export interface Listed extends OperationRecord {
  /** Whether it works here. */
  readonly works: boolean
  readonly progress: Progress | undefined
}

/** Where a kept operation is being joined or is still in its own session: nobody else may join it. */
interface Entry {
  working: Working | undefined
  taken: boolean
}

const DAY = 24 * 3600 * 1000

export class KeptOperations {
  readonly #store: Store
  readonly #slot: number
  readonly #serial: string
  readonly #publicKeys: TokenKeys
  readonly #entries = new Map<number, Entry>()

  constructor(store: Store, slot: number, serial: string, publicKey: Uint8Array) {
    this.#store = store
    this.#slot = slot
    this.#serial = serial
    this.#publicKeys = new TokenKeys(publicKey)
  }

  /** Keeps what an operation is made from. `keys` are the user's, or undefined where nobody is logged in. */
  async begin(
    { id, name, begun }: Pick<OperationRecord, 'id' | 'name' | 'begun'>,
    inputs: unknown,
    keys: TokenKeys | undefined,
  ): Promise<void> {
    const isPrivate = keys !== undefined
    const sealed = this.#seal(id, false, { inputs }, keys)
    this.#entries.set(id, { working: undefined, taken: true })
    try {
      await this.#store.keepOperation(this.#slot, {
        id,
        name,
        begun,
        isPrivate,
        finished: false,
        sealed,
      })
    } catch (error) {
      this.#entries.delete(id)
      throw error
    }
  }

  /** It works here, or does no more. */
  works(id: number, working: Working | undefined): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.working = working
    this.#tidy(id)
  }

  /** It is done: what it made takes the place of its inputs. */
  async finish(id: number, kept: Required<Kept>, keys: TokenKeys | undefined): Promise<void> {
    await this.#store.finishOperation(this.#slot, id, this.#seal(id, true, kept, keys))
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.working = undefined
    this.#tidy(id)
  }

  /**
   * Takes an operation up, so that nobody else does. undefined where there is none of this id and
   * name, where the user it belongs to is not logged in, and where another session has it.
   */
  async take(
    id: number,
    name: string,
    keys: TokenKeys | undefined,
  ): Promise<(Kept & { readonly working: Working | undefined }) | undefined> {
    const record = await this.#record(id)
    if (record === undefined || record.name !== name) return undefined
    if (record.isPrivate && keys === undefined) return undefined
    const entry = this.#entries.get(id)
    if (entry?.taken) return undefined
    this.#entries.set(id, { working: entry?.working, taken: true })
    const using = record.isPrivate ? keys : undefined
    return { ...this.#open(record, using), working: entry?.working }
  }

  /** The session that had it is over; it may be joined. */
  leave(id: number): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.taken = false
    this.#tidy(id)
  }

  /** It was fetched, or is not wanted. False where there was none. */
  async drop(id: number): Promise<boolean> {
    const entry = this.#entries.get(id)
    this.#entries.delete(id)
    entry?.working?.stop('it was cancelled')
    return this.#store.dropOperation(this.#slot, id)
  }

  /** Stops what works here; it stays at rest and begins again when it is joined. */
  stopAll(why: string): void {
    for (const { working } of this.#entries.values()) working?.stop(why)
  }

  /** Its objects were made, and it was dropped with that. */
  forget(id: number): void {
    this.#entries.delete(id)
  }

  /** Those at rest, oldest first. */
  async list(): Promise<readonly Listed[]> {
    const records = await this.#store.operations(this.#slot)
    return records.map((record) => {
      const working = this.#entries.get(record.id)?.working
      return { ...record, works: working !== undefined, progress: working?.progress() }
    })
  }

  /** Drops those older than so many days. */
  async dropOlder(days: number): Promise<void> {
    const oldest = Date.now() - days * DAY
    for (const { id, begun } of await this.#store.operations(this.#slot))
      if (begun < oldest && this.#entries.get(id)?.taken !== true) await this.drop(id)
  }

  async #record(id: number): Promise<OperationRecord | undefined> {
    return (await this.#store.operations(this.#slot)).find((record) => record.id === id)
  }

  /** Nothing is remembered of what neither works here nor is in anybody's hands. */
  #tidy(id: number): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined && !entry.taken && entry.working === undefined) this.#entries.delete(id)
  }

  #place(id: number, finished: boolean, isPrivate: boolean) {
    return {
      serial: this.#serial,
      id: `operation ${id}`,
      version: finished ? 2 : 1,
      isPrivate,
    }
  }

  #seal(id: number, finished: boolean, kept: Kept, keys: TokenKeys | undefined): Uint8Array {
    const plain = serialize(kept)
    const place = this.#place(id, finished, keys !== undefined)
    const sealed = seal(keys ?? this.#publicKeys, place, plain)
    plain.fill(0)
    return sealed
  }

  #open({ id, finished, isPrivate, sealed }: OperationRecord, keys: TokenKeys | undefined): Kept {
    const plain = open(keys ?? this.#publicKeys, this.#place(id, finished, isPrivate), sealed)
    // Bytes in it are views of the plain text, which goes when they go.
    return deserialize(plain) as Kept
  }
}
