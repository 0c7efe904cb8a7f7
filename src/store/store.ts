/**
 * Where tokens and token objects last. Asynchronous, so that a database elsewhere can stand behind
 * it. When a promise here resolves, what it did survives a power cut.
 *
 * Everything in here is already sealed (sealing.ts) and already hidden (the blind index): a store
 * sees no attribute value and no PIN.
 */

/** A slot with what lies in it. Slot numbers and serial numbers are given once and never move. */
export interface SlotRecord {
  /** CK_SLOT_ID, from 0. */
  readonly slot: number
  /** 16 characters, hexadecimal; given when the slot is made and kept when its token is initialised again. */
  readonly serial: string
  /** null until C_InitToken. */
  readonly token: TokenRecord | null
}

export interface TokenRecord {
  /** UTF-8, at most 32 bytes, unpadded. */
  readonly label: string
  /** The root key under the SO PIN (sealing.ts). */
  readonly soKey: Uint8Array
  /** The root key under the user PIN; null until C_InitPIN. */
  readonly userKey: Uint8Array | null
  /** The key of public objects. Not secret: it binds values to their place, and hides nothing. */
  readonly publicKey: Uint8Array
  readonly soFailures: number
  readonly userFailures: number
  /** The user PIN was set by the SO and not changed by the user since. */
  readonly userPinToBeChanged: boolean
}

/** A token object at rest. */
export interface ObjectRecord {
  /** 16 random bytes, hexadecimal; CKA_UNIQUE_ID. */
  readonly id: string
  /** From 1, one more with each change; sealed along with the values. */
  readonly version: number
  readonly isPrivate: boolean
  /** All attributes, sealed. */
  readonly sealed: Uint8Array
  /** The blind index: a tag of 16 bytes for each searchable attribute. */
  readonly tags: readonly Uint8Array[]
}

/** A function that goes on without its session (C_AsyncGetID), at rest until it is joined. */
export interface OperationRecord {
  /** Below 2^53; what C_AsyncGetID answers. */
  readonly id: number
  /** The function's name. */
  readonly name: string
  /** When it was begun, in milliseconds since 1970. */
  readonly begun: number
  /** Sealed with the user's keys, not those of public objects. */
  readonly isPrivate: boolean
  /** Sealed is what it made, not what it is made from. */
  readonly finished: boolean
  readonly sealed: Uint8Array
}

export type PinOwner = 'so' | 'user'

/**
 * Told when something changed that a cache may hold: the slot, and the object where it was one, with
 * `destroyed` where it is no more. Called once the change is committed and before its promise
 * resolves; must not throw.
 */
export type ChangeListener = (slot: number, object?: string, destroyed?: boolean) => void

export interface Store {
  slots(): Promise<readonly SlotRecord[]>
  slot(slot: number): Promise<SlotRecord | undefined>
  /** Adds an empty slot with the next number and a fresh serial number. */
  addSlot(): Promise<SlotRecord>
  /** Puts a fresh token in the slot and destroys every object of the old one, in one transaction. */
  initToken(slot: number, token: TokenRecord): Promise<void>
  /** Changes fields of the token's record. */
  updateToken(slot: number, change: Partial<TokenRecord>): Promise<void>
  /** Takes the slot and its token away. Its number and serial are never given again. */
  removeSlot(slot: number): Promise<void>

  /**
   * Counts a failure before the PIN is tried, in one durable step; answers the failures so far with
   * this one, or undefined where `limit` was reached already (and then counts nothing).
   */
  countAttempt(slot: number, owner: PinOwner, limit: number): Promise<number | undefined>
  /** The PIN was right: failures back to 0. */
  clearAttempts(slot: number, owner: PinOwner): Promise<void>

  /** All or none of them; the operation that made them, where there is one, is dropped with it. */
  createObjects(slot: number, objects: readonly ObjectRecord[], operation?: number): Promise<void>
  object(slot: number, id: string): Promise<ObjectRecord | undefined>
  /** The ids of objects that carry all the tags, oldest first; of all objects where there is no tag. */
  findObjects(
    slot: number,
    isPrivate: boolean,
    tags: readonly Uint8Array[],
  ): Promise<readonly string[]>
  /** Replaces the object where its version is still record.version - 1; false where it is not. */
  replaceObject(slot: number, record: ObjectRecord): Promise<boolean>
  /** False where there was none. */
  destroyObject(slot: number, id: string): Promise<boolean>

  keepOperation(slot: number, record: OperationRecord): Promise<void>
  /** Oldest first. */
  operations(slot: number): Promise<readonly OperationRecord[]>
  /** It is done; false where it was dropped meanwhile. */
  finishOperation(slot: number, id: number, sealed: Uint8Array): Promise<boolean>
  /** False where there was none. */
  dropOperation(slot: number, id: number): Promise<boolean>

  onChange(listener: ChangeListener): void
  close(): Promise<void>
}
