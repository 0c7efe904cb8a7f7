/**
 * One application's standing with one token: its sessions there, who is logged in, the handles it
 * holds and its session objects. PKCS #11 3.2, 5.6: all sessions of an application share a login.
 */
import {
  type Attributes,
  type CryptokiObject,
  isPrivateObject,
  isTokenObject,
} from '../objects/object.ts'
import { matches } from '../objects/search.ts'
import type { Attribute } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { TokenKeys } from '../store/sealing.ts'
import type { PinOwner } from '../store/store.ts'
import type { Token, TokenWatcher } from '../tokens/token.ts'
import { SavedStates } from './saved-states.ts'
import type { Session } from './session.ts'

/** Sessions of one application with one token. */
const MOST_SESSIONS = 65_536

/** Session objects of one application with one token. */
const MOST_SESSION_OBJECTS = 65_536

export interface Login {
  readonly owner: PinOwner
  /** Opens what is private; for the security officer, lets a user PIN be set. */
  readonly rootKey: Uint8Array
  readonly keys: TokenKeys
}

/** What an object handle stands for. */
interface Known {
  readonly id: string
  readonly isPrivate: boolean
  /** A session object lies here; a token object is in the token. */
  readonly sessionObject?: CryptokiObject
  /** The session whose end is the end of its object. */
  readonly session?: Session
}

/** What a membership asks of its application. */
export interface ItsApplication {
  /** Gives the handles of one application: never the same twice. */
  nextHandle(): number
  /** Closes all its sessions with the token. */
  closeAll(): void
}

export class Membership implements TokenWatcher {
  readonly token: Token
  readonly sessions = new Set<Session>()
  readonly savedStates = new SavedStates()
  readonly #application: ItsApplication
  readonly #known = new Map<number, Known>()
  readonly #handles = new Map<string, number>()
  /** Session objects by handle, so that a search does not look at every token object that was ever found. */
  readonly #sessionObjects = new Map<number, CryptokiObject>()
  #login: Login | undefined

  constructor(token: Token, application: ItsApplication) {
    this.token = token
    this.#application = application
  }

  get login(): Login | undefined {
    return this.#login
  }

  /** The keys of private objects, where the user is logged in. */
  get userKeys(): TokenKeys | undefined {
    return this.#login?.owner === 'user' ? this.#login.keys : undefined
  }

  add(session: Session): void {
    if (this.sessions.size >= MOST_SESSIONS)
      throw new CryptokiError(CKR.SESSION_COUNT, `${MOST_SESSIONS} sessions are open`)
    this.sessions.add(session)
    this.token.watchers.add(this)
  }

  /** Closes a session; its session objects end with it, and the login with the last session. */
  remove(session: Session): void {
    session.close()
    this.sessions.delete(session)
    this.savedStates.dropOf(session)
    this.#endObjectsOf(session)
    if (this.sessions.size > 0) return
    this.token.watchers.delete(this)
    this.logout()
    this.#known.clear()
    this.#handles.clear()
    this.#sessionObjects.clear()
  }

  loggedIn(owner: PinOwner, rootKey: Uint8Array): void {
    this.#login = { owner, rootKey, keys: new TokenKeys(rootKey) }
  }

  /** Private objects hide, private session objects end, and so do all operations with private keys. */
  logout(): void {
    const login = this.#login
    if (login === undefined) return
    this.#login = undefined
    login.rootKey.fill(0)
    login.keys.destroy()
    for (const session of this.sessions) {
      session.leavePending()
      session.endOperations()
    }
    this.savedStates.dropAll()
    for (const [handle, { isPrivate }] of this.#known) if (isPrivate) this.#forget(handle)
    if (this.token.initialized) this.token.objects.forgetPrivate()
  }

  /** The handle of a token object. */
  handleOf(id: string, isPrivate: boolean): number {
    return this.#handles.get(id) ?? this.#introduce({ id, isPrivate })
  }

  /** The object id behind the handle of a token object; undefined for any other. */
  tokenObjectId(handle: number): string | undefined {
    const known = this.#known.get(handle)
    return known?.sessionObject === undefined ? known?.id : undefined
  }

  isTokenObject(id: string): boolean {
    const handle = this.#handles.get(id)
    return handle !== undefined && this.tokenObjectId(handle) === id
  }

  /** The handle of a token object that this application may see; undefined where there is none. */
  async handleOfId(id: string): Promise<number | undefined> {
    const object = await this.token.objects.load(id, this.userKeys)
    if (object === undefined) return undefined
    const isPrivate = isPrivateObject(object)
    return isPrivate && this.userKeys === undefined ? undefined : this.handleOf(id, isPrivate)
  }

  /** Takes up a new session object. */
  keep(object: CryptokiObject, session: Session): number {
    session.signal.throwIfAborted()
    if (this.#sessionObjects.size >= MOST_SESSION_OBJECTS)
      throw new CryptokiError(CKR.DEVICE_MEMORY, `${MOST_SESSION_OBJECTS} session objects are kept`)
    const isPrivate = isPrivateObject(object)
    const handle = this.#introduce({ id: object.id, isPrivate, sessionObject: object, session })
    this.#sessionObjects.set(handle, object)
    session.ownObjects.add(handle)
    return handle
  }

  /** The object behind a handle, at once where it is open. undefined: there is none, or it may not be seen. */
  object(handle: number): CryptokiObject | undefined | Promise<CryptokiObject | undefined> {
    const known = this.#known.get(handle)
    if (known === undefined) return undefined
    if (known.sessionObject !== undefined) return known.sessionObject
    return this.token.objects.opened(known.id) ?? this.token.objects.load(known.id, this.userKeys)
  }

  /**
   * Gives the object behind a handle the attributes that `next` answers, in the store too; `next` is
   * asked again where somebody else changed the object meanwhile. False where there is none any more.
   */
  async change(handle: number, next: (object: CryptokiObject) => Attributes): Promise<boolean> {
    for (;;) {
      const object = await this.object(handle)
      if (object === undefined) return false
      const attributes = next(object)
      if (isTokenObject(object)) {
        if (await this.token.objects.change(object, attributes, this.userKeys)) return true
        continue
      }
      object.attributes = attributes
      object.version++
      delete object.parsed
      return true
    }
  }

  /** Handles of every object the application may see that matches: session objects first. */
  async find(template: readonly Attribute[]): Promise<number[]> {
    const mayPrivate = this.userKeys !== undefined
    const handles: number[] = []
    for (const [handle, object] of this.#sessionObjects)
      if ((mayPrivate || !isPrivateObject(object)) && matches(object, template))
        handles.push(handle)
    for (const { id, isPrivate } of await this.token.objects.find(template, this.userKeys))
      handles.push(this.handleOf(id, isPrivate))
    return handles
  }

  /** Another token is in the slot, or none: nothing that was known of this one is there. */
  gone(): void {
    this.#application.closeAll()
  }

  /** The object is no more: its handle, and operations that use it. */
  destroyed(id: string): void {
    const handle = this.#handles.get(id)
    if (handle !== undefined) this.#forget(handle)
    this.#endUsesOf(new Set([id]))
  }

  /** Whether a handle stands for this object, which the application may still use. */
  knows(handle: number, id: string): boolean {
    return this.#known.get(handle)?.id === id
  }

  #endUsesOf(keys: ReadonlySet<string | undefined>): void {
    for (const session of this.sessions) session.endOperations(keys)
    this.savedStates.dropUsing(keys)
  }

  #introduce(known: Known): number {
    const handle = this.#application.nextHandle()
    this.#known.set(handle, known)
    this.#handles.set(known.id, handle)
    return handle
  }

  /** 5.6.2: they go "even if the application has other sessions using the objects", and so do those uses. */
  #endObjectsOf({ ownObjects }: Session): void {
    if (ownObjects.size === 0) return
    const ids = new Set(Array.from(ownObjects, (handle) => this.#known.get(handle)?.id))
    for (const handle of ownObjects) this.#forget(handle)
    this.#endUsesOf(ids)
  }

  #forget(handle: number): void {
    const known = this.#known.get(handle)
    if (known === undefined) return
    this.#sessionObjects.delete(handle)
    known.session?.ownObjects.delete(handle)
    this.#known.delete(handle)
    this.#handles.delete(known.id)
  }
}
