/**
 * What C_GetOperationState saved and C_SetOperationState may restore. PKCS #11 3.2, 5.6.
 *
 * A state stays here; what the application holds is a name for it that nobody can guess or make. So
 * keys stay inside, and a state ends when what it needs does: with the session it was saved in, with a
 * key it uses, with the login.
 */

import { equalInConstantTime, hmac } from '../engine/macs.ts'
import { randomBytes } from '../engine/random.ts'
import type { OperationKind } from '../standard/functions.ts'
import type { Operation } from './operation.ts'
import type { Session } from './session.ts'

/** Bytes of a name, and of its MAC: HMAC-SHA-256. */
const NAME = 16
const MAC = 32

/** Bytes that C_GetOperationState answers. */
export const STATE_BYTES = NAME + MAC

/**
 * States of one application with one token; the one used longest ago makes room for a new one. Some
 * applications (NSS) save a state at every step and have no way to let one go. Each takes at most some
 * kilobytes: a hash in the middle, or a message short enough to be signed as it is.
 */
export const MOST_STATES = 1024

export interface SavedState {
  readonly source: Session
  /** CK_STATE of the source session. */
  readonly state: number
  readonly operations: ReadonlyMap<OperationKind, Operation>
}

export class SavedStates {
  readonly #key = randomBytes(MAC)
  /** By the name in hexadecimal, in the order of their last use. */
  readonly #states = new Map<string, SavedState>()

  /** Keeps a state and answers its STATE_BYTES. */
  keep(state: SavedState): Uint8Array {
    const name = randomBytes(NAME)
    this.#put(name, state)
    return Buffer.concat([name, this.#mac(name)])
  }

  /** The state of these bytes; undefined where they are not ours, or the state is no more. */
  find(bytes: Uint8Array): SavedState | undefined {
    if (bytes.length !== STATE_BYTES) return undefined
    const name = bytes.subarray(0, NAME)
    if (!equalInConstantTime(this.#mac(name), bytes.subarray(NAME))) return undefined
    const state = this.#states.get(textOf(name))
    if (state !== undefined) this.#put(name, state)
    return state
  }

  /** The session was closed. */
  dropOf(session: Session): void {
    this.#drop(({ source }) => source === session)
  }

  /** Keys, by their object ids, are no more. */
  dropUsing(keys: ReadonlySet<string | undefined>): void {
    this.#drop(({ operations }) => [...operations.values()].some(({ keyId }) => keys.has(keyId)))
  }

  dropAll(): void {
    this.#states.clear()
  }

  #drop(isOver: (state: SavedState) => boolean): void {
    for (const [name, state] of this.#states) if (isOver(state)) this.#states.delete(name)
  }

  #put(name: Uint8Array, state: SavedState): void {
    const text = textOf(name)
    this.#states.delete(text)
    this.#states.set(text, state)
    if (this.#states.size <= MOST_STATES) return
    const oldest = this.#states.keys().next().value
    if (oldest !== undefined) this.#states.delete(oldest)
  }

  #mac(name: Uint8Array): Uint8Array {
    const mac = hmac('sha256', this.#key)
    mac.update(name)
    return mac.digest()
  }
}

const textOf = (name: Uint8Array): string => Buffer.from(name).toString('hex')
