/** One application's sessions with all tokens. It begins with C_Initialize and ends with C_Finalize. */
import { CKF, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Slots } from '../tokens/slots.ts'
import type { Token } from '../tokens/token.ts'
import { Membership } from './membership.ts'
import { Session } from './session.ts'
import { SlotEvents } from './slot-events.ts'

/** Session handles are given once in the life of the library, so a stale one never meets a new session. */
let lastSession = 0

/** What a call finds that was under way, or waited for its turn, when C_Finalize came. */
const finalized = () => new CryptokiError(CKR.CRYPTOKI_NOT_INITIALIZED, 'C_Finalize was called')

export class ApplicationSessions {
  readonly slots: Slots
  readonly slotEvents = new SlotEvents()
  readonly #sessions = new Map<number, Session>()
  readonly #memberships = new Map<Token, Membership>()
  #lastObject = 0
  #ended = false

  constructor(slots: Slots) {
    this.slots = slots
    slots.watchers.add(this.slotEvents.occurred)
  }

  membership(token: Token): Membership {
    const known = this.#memberships.get(token)
    if (known !== undefined) return known
    const membership = new Membership(token, {
      nextHandle: () => ++this.#lastObject,
      closeAll: () => this.closeAll(token),
    })
    this.#memberships.set(token, membership)
    return membership
  }

  /** CKR_SESSION_HANDLE_INVALID where there is none; CKR_CRYPTOKI_NOT_INITIALIZED after the end. */
  session(handle: number): Session {
    if (this.#ended) throw finalized()
    const session = this.#sessions.get(handle)
    if (session === undefined)
      throw new CryptokiError(CKR.SESSION_HANDLE_INVALID, `there is no session ${handle}`)
    return session
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()]
  }

  has(handle: number): boolean {
    return this.#sessions.has(handle)
  }

  open(token: Token, flags: number, notifies: boolean): Session {
    if (!token.initialized)
      throw new CryptokiError(
        CKR.TOKEN_NOT_RECOGNIZED,
        `the token in slot ${token.slot} is not initialised`,
      )
    const membership = this.membership(token)
    if ((flags & CKF.RW_SESSION) === 0 && membership.login?.owner === 'so')
      throw new CryptokiError(CKR.SESSION_READ_WRITE_SO_EXISTS, 'the security officer is logged in')
    const session = new Session(++lastSession, membership, flags, notifies)
    membership.add(session)
    token.openSessions++
    this.#sessions.set(session.handle, session)
    return session
  }

  close(session: Session): void {
    this.#sessions.delete(session.handle)
    session.token.openSessions--
    session.membership.remove(session)
  }

  closeAll(token: Token): void {
    for (const session of [...(this.#memberships.get(token)?.sessions ?? [])]) this.close(session)
  }

  end(): void {
    this.#ended = true
    this.slots.watchers.delete(this.slotEvents.occurred)
    this.slotEvents.end()
    for (const session of [...this.#sessions.values()]) {
      session.close(finalized())
      this.close(session)
    }
  }
}
