/** A slot and the token in it. PKCS #11 3.2, 5.5 (slot and token management). */
import { randomBytes } from 'node:crypto'
import type { Offered } from '../mechanisms/table.ts'
import { CKF, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { newRootKey, type PinCost, unwrapRootKey, wrapRootKey } from '../store/sealing.ts'
import type { PinOwner, SlotRecord, Store, TokenRecord } from '../store/store.ts'
import { KeptOperations } from './kept-operations.ts'
import { TokenObjects } from './objects.ts'
import { checkPinLength, MOST_FAILURES, pinFlags } from './pins.ts'

/** Told what happens to a token in use, whoever does it; an application with sessions there is one. */
export interface TokenWatcher {
  /** A token object is no more. */
  destroyed(id: string): void
  /** Another token is in the slot now, or the slot is no more. */
  gone(): void
}

const isSame = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0

/** What all tokens of a library share. */
export interface TokenSettings {
  /** What one try costs of a PIN that is set from now on. */
  readonly pinCost: PinCost
  /** The mechanisms that the policy offers. */
  readonly offered: Offered
}

/** The token is always there, so a slot and its token are one. */
export class Token {
  readonly slot: number
  readonly serial: string
  /** Sessions of all applications. */
  openSessions = 0
  readonly watchers = new Set<TokenWatcher>()
  readonly #store: Store
  readonly #settings: TokenSettings
  readonly #refresh: () => Promise<void>
  #record: TokenRecord | null
  /** Made anew with each token, so it tells one from another. */
  #publicKey: Uint8Array | undefined
  #objects: TokenObjects | undefined
  #kept: KeptOperations | undefined
  /** The last change of PINs; the next waits for it. */
  #changing: Promise<unknown> = Promise.resolve()
  /** The last try of a PIN; the next waits for it. */
  #trying: Promise<unknown> = Promise.resolve()

  /** `refresh` has the record read from the store again and given to `renew`. */
  constructor(
    store: Store,
    { slot, serial, token }: SlotRecord,
    settings: TokenSettings,
    refresh: () => Promise<void>,
  ) {
    this.#store = store
    this.#settings = settings
    this.#refresh = refresh
    this.slot = slot
    this.serial = serial
    this.#record = token
    this.#publicKey = token?.publicKey
  }

  get offered(): Offered {
    return this.#settings.offered
  }

  get initialized(): boolean {
    return this.#record !== null
  }

  /** The label, unpadded; empty before C_InitToken. */
  get label(): string {
    return this.#record?.label ?? ''
  }

  /** CK_TOKEN_INFO flags. */
  get flags(): number {
    const always =
      CKF.RNG |
      CKF.LOGIN_REQUIRED |
      CKF.RESTORE_KEY_NOT_NEEDED |
      CKF.DUAL_CRYPTO_OPERATIONS |
      CKF.ASYNC_SESSION_SUPPORTED
    return this.#record === null ? always : always | CKF.TOKEN_INITIALIZED | pinFlags(this.#record)
  }

  get hasUserPin(): boolean {
    return this.#record?.userKey != null
  }

  /** The objects that last. CKR_TOKEN_NOT_RECOGNIZED before C_InitToken. */
  get objects(): TokenObjects {
    const { publicKey } = this.#initialized()
    this.#objects ??= new TokenObjects(this.#store, this.slot, this.serial, publicKey)
    return this.#objects
  }

  /** The functions that go on without their session. CKR_TOKEN_NOT_RECOGNIZED before C_InitToken. */
  get keptOperations(): KeptOperations {
    const { publicKey } = this.#initialized()
    this.#kept ??= new KeptOperations(this.#store, this.slot, this.serial, publicKey)
    return this.#kept
  }

  /**
   * C_InitToken. On a token in use the SO PIN must be the present one; all objects are destroyed.
   * CKR_SESSION_EXISTS while a session of any application is open.
   */
  init(soPin: Uint8Array, label: string): Promise<void> {
    return this.#inTurn(() => this.#init(soPin, label))
  }

  async #init(soPin: Uint8Array, label: string): Promise<void> {
    this.#checkNoSession()
    if (this.#record === null) checkPinLength(soPin)
    else await this.unlock('so', soPin)
    const rootKey = newRootKey()
    const record: TokenRecord = {
      label,
      soKey: await this.#wrap(rootKey, soPin, 'so'),
      userKey: null,
      publicKey: randomBytes(32),
      soFailures: 0,
      userFailures: 0,
      userPinToBeChanged: false,
    }
    rootKey.fill(0)
    // Hashing the PIN took a while.
    this.#checkNoSession()
    await this.#replace(record)
  }

  /** Nobody opens a session while one token takes the place of another. */
  async #replace(record: TokenRecord): Promise<void> {
    const before = this.#record
    this.#record = null
    try {
      await this.#store.initToken(this.slot, record)
    } catch (error) {
      this.#record = before
      throw error
    }
    await this.#refresh()
  }

  /**
   * The root key, for the right PIN. CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_USER_PIN_NOT_INITIALIZED.
   *
   * The try is counted before the PIN is tried. So tries take turns: many applications that log in at
   * once would count up to the lock before the first of them was found to be right.
   */
  unlock(owner: PinOwner, pin: Uint8Array): Promise<Uint8Array> {
    const tried = this.#trying.then(() => this.#unlock(owner, pin))
    // The root key is not kept.
    const over = () => {}
    this.#trying = tried.then(over, over)
    return tried
  }

  async #unlock(owner: PinOwner, pin: Uint8Array): Promise<Uint8Array> {
    const record = this.#initialized()
    const wrapped = owner === 'so' ? record.soKey : record.userKey
    if (wrapped === null)
      throw new CryptokiError(
        CKR.USER_PIN_NOT_INITIALIZED,
        'the security officer has set no user PIN yet',
      )
    const failures = await this.#store.countAttempt(this.slot, owner, MOST_FAILURES)
    if (failures === undefined)
      throw new CryptokiError(CKR.PIN_LOCKED, `the ${owner} PIN is locked`)
    this.#count(owner, failures)
    const rootKey = await unwrapRootKey(wrapped, pin, this.#context(owner))
    if (rootKey === undefined)
      throw new CryptokiError(
        CKR.PIN_INCORRECT,
        `wrong ${owner} PIN, ${failures} of ${MOST_FAILURES} tries used`,
      )
    await this.#store.clearAttempts(this.slot, owner)
    this.#count(owner, 0)
    return rootKey
  }

  /** C_InitPIN: the security officer, who holds the root key, sets the user's PIN. */
  async initPin(rootKey: Uint8Array, pin: Uint8Array): Promise<void> {
    checkPinLength(pin)
    const userKey = await this.#wrap(rootKey, pin, 'user')
    await this.#update({ userKey, userFailures: 0, userPinToBeChanged: false })
  }

  /** C_SetPIN. The old PIN is checked first. */
  setPin(owner: PinOwner, old: Uint8Array, pin: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#setPin(owner, old, pin))
  }

  async #setPin(owner: PinOwner, old: Uint8Array, pin: Uint8Array): Promise<void> {
    checkPinLength(pin)
    const rootKey = await this.unlock(owner, old)
    const wrapped = await this.#wrap(rootKey, pin, owner)
    rootKey.fill(0)
    await this.#update(
      owner === 'so' ? { soKey: wrapped } : { userKey: wrapped, userPinToBeChanged: false },
    )
  }

  /** The store tells of an object: it was made, changed or destroyed. */
  changed(object: string, destroyed: boolean): void {
    this.#objects?.forget(object)
    if (destroyed) for (const watcher of [...this.watchers]) watcher.destroyed(object)
  }

  /** Takes the record that the store has now; answers whether that is of another token than before. */
  renew(record: TokenRecord | null): boolean {
    this.#record = record
    if (isSame(this.#publicKey, record?.publicKey)) return false
    this.#publicKey = record?.publicKey
    this.#objects?.forgetAll()
    this.#objects = undefined
    this.#kept = undefined
    this.gone()
    return true
  }

  /** What was in the slot is no more. */
  gone(): void {
    for (const watcher of [...this.watchers]) watcher.gone()
  }

  #initialized(): TokenRecord {
    if (this.#record !== null) return this.#record
    throw new CryptokiError(
      CKR.TOKEN_NOT_RECOGNIZED,
      `the token in slot ${this.slot} is not initialised: C_InitToken or softoki init makes it one`,
    )
  }

  /** Two changes at once would each undo the other's. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(change)
    this.#changing = changed.catch(() => {})
    return changed
  }

  #checkNoSession(): void {
    if (this.openSessions > 0)
      throw new CryptokiError(
        CKR.SESSION_EXISTS,
        `${this.openSessions} sessions are open with the token`,
      )
  }

  #wrap(rootKey: Uint8Array, pin: Uint8Array, owner: PinOwner): Promise<Uint8Array> {
    return wrapRootKey(rootKey, pin, this.#context(owner), this.#settings.pinCost)
  }

  #context(owner: PinOwner) {
    return { owner, serial: this.serial }
  }

  #count(owner: PinOwner, failures: number): void {
    const record = this.#initialized()
    this.#record = {
      ...record,
      ...(owner === 'so' ? { soFailures: failures } : { userFailures: failures }),
    }
  }

  async #update(change: Partial<TokenRecord>): Promise<void> {
    await this.#store.updateToken(this.slot, change)
    this.#record = { ...this.#initialized(), ...change }
  }
}
