/** All slots. One free slot is always offered, so that C_InitToken has a place to make a token. */
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Store } from '../store/store.ts'
import { Token } from './token.ts'

export class Slots {
  readonly #store: Store
  readonly #tokens = new Map<number, Token>()

  private constructor(store: Store) {
    this.#store = store
    store.onChange((slot, object) => this.#tokens.get(slot)?.changed(object))
  }

  static async open(store: Store): Promise<Slots> {
    const slots = new Slots(store)
    for (const record of await store.slots())
      slots.#tokens.set(record.slot, new Token(store, record))
    await slots.offerFree()
    return slots
  }

  /** Every slot's token in order of slot number. */
  all(): readonly Token[] {
    return [...this.#tokens.values()]
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
    const record = await this.#store.addSlot()
    this.#tokens.set(record.slot, new Token(this.#store, record))
  }
}
