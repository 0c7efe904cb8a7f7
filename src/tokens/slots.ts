/** All slots. One free slot is always offered, so that C_InitToken has a place to make a token. */
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { SlotRecord, Store } from '../store/store.ts'
import { Token, type TokenSettings } from './token.ts'

/** Told of the slot where a token was initialised, or that was added or removed. */
export type SlotWatcher = (slot: number) => void

export class Slots {
  readonly watchers = new Set<SlotWatcher>()
  readonly #store: Store
  readonly #settings: TokenSettings
  readonly #tokens = new Map<number, Token>()
  /** Records are read one after the other: what was read last is what is so. */
  #reading: Promise<void> = Promise.resolve()

  private constructor(store: Store, settings: TokenSettings) {
    this.#store = store
    this.#settings = settings
    store.onChange((slot, object, destroyed = false) => {
      if (object !== undefined) this.#tokens.get(slot)?.changed(object, destroyed)
      // A store that cannot be read fails the next call that needs it.
      else this.#refresh(slot).catch(() => {})
    })
  }

  static async open(store: Store, settings: TokenSettings): Promise<Slots> {
    const slots = new Slots(store, settings)
    for (const record of await store.slots()) slots.#add(record)
    await slots.offerFree()
    return slots
  }

  /** Every slot's token in order of slot number. */
  all(): readonly Token[] {
    return [...this.#tokens.values()].sort((one, other) => one.slot - other.slot)
  }

  /** CKR_SLOT_ID_INVALID where there is none. */
  token(slot: number): Token {
    const token = this.#tokens.get(slot)
    if (token === undefined)
      throw new CryptokiError(CKR.SLOT_ID_INVALID, `there is no slot ${slot}`)
    return token
  }

  /** Adds a slot where every one holds an initialised token. */
  async offerFree(): Promise<void> {
    if (this.all().some((token) => !token.initialized)) return
    const { slot } = await this.#store.addSlot()
    await this.#refresh(slot)
  }

  #refresh(slot: number): Promise<void> {
    const read = this.#reading.then(async () => this.#take(slot, await this.#store.slot(slot)))
    this.#reading = read.catch(() => {})
    return read
  }

  /** The store has this of a slot now; undefined: it has no such slot any more. */
  #take(slot: number, record: SlotRecord | undefined): void {
    const token = this.#tokens.get(slot)
    if (token === undefined && record === undefined) return
    if (record === undefined) this.#remove(slot)
    else if (token === undefined) this.#add(record)
    else if (!token.renew(record.token)) return
    for (const watcher of this.watchers) watcher(slot)
  }

  #remove(slot: number): void {
    const token = this.#tokens.get(slot)
    this.#tokens.delete(slot)
    token?.gone()
  }

  #add(record: SlotRecord): void {
    const { slot } = record
    const token = new Token(this.#store, record, this.#settings, () => this.#refresh(slot))
    this.#tokens.set(slot, token)
  }
}
