/** A slot and the token in it. PKCS #11 3.2, 5.5 (slot and token management). */
import { randomBytes } from 'node:crypto'
import { CKF, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { newRootKey, unwrapRootKey, wrapRootKey } from '../store/sealing.ts'
import type { PinOwner, SlotRecord, Store, TokenRecord } from '../store/store.ts'
import { TokenObjects } from './objects.ts'
import { checkPinLength, MOST_FAILURES, pinFlags } from './pins.ts'

/** The token is always there, so a slot and its token are one. */
export class Token {
  readonly slot: number
  readonly serial: string
  /** Sessions of all applications. */
  openSessions = 0
  readonly #store: Store
  #record: TokenRecord | null
  #objects: TokenObjects | undefined
  /** The last change of PINs; the next waits for it. */
  #changing: Promise<unknown> = Promise.resolve()

  constructor(store: Store, { slot, serial, token }: SlotRecord) {
    this.#store = store
    this.slot = slot
    this.serial = serial
    this.#record = token
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
    const always = CKF.RNG | CKF.LOGIN_REQUIRED
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
      soKey: await wrapRootKey(rootKey, soPin, this.#context('so')),
      userKey: null,
      publicKey: randomBytes(32),
      soFailures: 0,
      userFailures: 0,
      userPinToBeChanged: false,
    }
    rootKey.fill(0)
    // Hashing the PIN took a while.
    this.#checkNoSession()
    await this.#store.initToken(this.slot, record)
    this.#record = record
    this.#objects?.forgetAll()
    this.#objects = undefined
  }

  /**
   * The root key, for the right PIN. The try is counted before the PIN is tried. CKR_PIN_INCORRECT,
   * CKR_PIN_LOCKED, CKR_USER_PIN_NOT_INITIALIZED.
   */
  async unlock(owner: PinOwner, pin: Uint8Array): Promise<Uint8Array> {
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
    const userKey = await wrapRootKey(rootKey, pin, this.#context('user'))
    await this.#update({ userKey, userFailures: 0, userPinToBeChanged: false })
  }

  /** C_SetPIN. The old PIN is checked first. */
  setPin(owner: PinOwner, old: Uint8Array, pin: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#setPin(owner, old, pin))
  }

  async #setPin(owner: PinOwner, old: Uint8Array, pin: Uint8Array): Promise<void> {
    checkPinLength(pin)
    const rootKey = await this.unlock(owner, old)
    const wrapped = await wrapRootKey(rootKey, pin, this.#context(owner))
    rootKey.fill(0)
    await this.#update(
      owner === 'so' ? { soKey: wrapped } : { userKey: wrapped, userPinToBeChanged: false },
    )
  }

  /** The store tells of a change: an object is closed, the token's record is read again. */
  async changed(object?: string): Promise<void> {
    if (object !== undefined) return this.#objects?.forget(object)
    const fresh = await this.#store.slot(this.slot)
    if (fresh) this.#record = fresh.token
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
