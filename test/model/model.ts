/**
 * What PKCS #11 3.2 says of one token and the applications that use it, kept small enough to be read
 * beside the standard: states and nothing of how they come about. Where the standard leaves a choice,
 * the one of Softoki is written down here.
 */
import assert from 'node:assert/strict'
import type { AnswerOf, FunctionName, InputsOf } from '../../src/standard/calls.ts'
import type { CKR } from '../../src/standard/constants.ts'
import { type ModelObject, profileObjects } from './object.ts'
import type { Kind, ModelOperation } from './operation.ts'

/** A return value without CKR_. */
export type ReturnValue = keyof typeof CKR

/** The unique id of the object behind a handle; undefined where there is none. */
export type Identify = (session: number, handle: number) => Promise<string | undefined>

/** What a call must answer. */
export interface Expectation<Answer = never> {
  /** One of these: the standard does not order all errors. */
  readonly rv: readonly ReturnValue[]
  /** Checks the answer that goes with it, and takes up what it brings. */
  take?(answer: Answer, identify: Identify): void | Promise<void>
}

/** The rule of a function: looks at the state before the call, changes it, and says what must come. */
export type Rule<N extends FunctionName> = (
  application: ModelApplication,
  ...inputs: InputsOf<N>
) => Expectation<AnswerOf<N>>

export type Rules = { readonly [N in FunctionName]?: Rule<N> }

export const refuse = (...rv: ReturnValue[]): Expectation => ({ rv })

export const grant = <Answer>(take?: Expectation<Answer>['take']): Expectation<Answer> =>
  take === undefined ? { rv: ['OK'] } : { rv: ['OK'], take }

/** Nothing comes with CKR_OK. */
export const done: Expectation<undefined> = grant((answer) => assert.equal(answer, undefined))

export type Owner = 'so' | 'user'

/** After so many wrong tries a PIN is locked. Ours. */
export const MOST_FAILURES = 10

export interface Search {
  /** What was found when the search began and was not told yet. */
  readonly left: Set<ModelObject>
}

export class ModelSession {
  readonly application: ModelApplication
  readonly handle: number
  readonly readWrite: boolean
  readonly operations = new Map<Kind, ModelOperation>()
  search: Search | undefined

  constructor(application: ModelApplication, handle: number, readWrite: boolean) {
    this.application = application
    this.handle = handle
    this.readWrite = readWrite
  }

  endOperations(key?: ModelObject): void {
    for (const [kind, operation] of this.operations)
      if (key === undefined || operation.key === key) this.operations.delete(kind)
    if (key === undefined) this.search = undefined
  }
}

/** One application: what C_Initialize begins and C_Finalize ends. */
export class ModelApplication {
  readonly token: ModelToken
  readonly sessions = new Map<number, ModelSession>()
  /** 5.6: all sessions share it. */
  login: Owner | undefined
  /** Handles that are good. One object has one handle. */
  readonly handles = new Map<number, ModelObject>()
  /** Every handle that ever was; none is given twice. */
  readonly given = new Map<number, ModelObject>()
  /** Its session objects. */
  readonly objects = new Set<ModelObject>()
  finalized = false

  constructor(token: ModelToken) {
    this.token = token
    token.applications.add(this)
  }

  /** A handle that is good for an object that is there. */
  object(handle: number): ModelObject | undefined {
    const object = this.handles.get(handle)
    return object?.alive ? object : undefined
  }

  introduce(handle: number, object: ModelObject): void {
    assert.ok(handle > 0, 'a handle is not 0')
    assert.ok(!this.given.has(handle), `handle ${handle} was given before`)
    assert.ok(![...this.handles.values()].includes(object), `the object has a handle already`)
    this.given.set(handle, object)
    this.handles.set(handle, object)
  }

  /** 5.7: private objects are for the logged-in user. */
  sees(object: ModelObject): boolean {
    return object.alive && (this.login === 'user' || !object.isPrivate)
  }

  visible(): ModelObject[] {
    return [...this.objects, ...this.token.objects].filter((object) => this.sees(object))
  }

  /** C_DestroyObject. Ours: operations with the object are no more, in whatever application. */
  destroy(object: ModelObject): void {
    object.alive = false
    this.objects.delete(object)
    this.token.objects.delete(object)
    for (const application of this.token.applications) {
      application.#forget(object)
      for (const session of application.sessions.values()) session.endOperations(object)
    }
  }

  /** 5.6.2: its session objects go with it, "even if the application has other sessions using them". */
  close(session: ModelSession): void {
    this.sessions.delete(session.handle)
    for (const object of [...this.objects]) if (object.session === session) this.destroy(object)
    if (this.sessions.size > 0) return
    this.login = undefined
    this.handles.clear()
  }

  /** 5.6.10: handles of private objects are bad for good, private session objects end; ours: so do all operations. */
  logout(): void {
    this.login = undefined
    for (const session of this.sessions.values()) session.endOperations()
    for (const object of [...this.objects]) if (object.isPrivate) this.destroy(object)
    for (const object of [...this.handles.values()]) if (object.isPrivate) this.#forget(object)
  }

  finalize(): void {
    for (const session of [...this.sessions.values()]) this.close(session)
    this.finalized = true
    this.token.applications.delete(this)
  }

  #forget(object: ModelObject): void {
    for (const [handle, known] of this.handles) if (known === object) this.handles.delete(handle)
  }
}

export class ModelToken {
  readonly slot: number
  readonly applications = new Set<ModelApplication>()
  readonly objects = new Set<ModelObject>(profileObjects())
  readonly pins: { so: string; user: string | undefined }
  readonly failures = { so: 0, user: 0 }
  /** Every session handle that ever was. */
  readonly sessions = new Set<number>()

  constructor(slot: number, soPin: string) {
    this.slot = slot
    this.pins = { so: soPin, user: undefined }
  }

  /** Takes up a session handle; ours: none is given twice, not even to different applications. */
  giveSession(handle: number): void {
    assert.ok(handle > 0 && !this.sessions.has(handle), `session ${handle} was given before`)
    this.sessions.add(handle)
  }

  /** 3.2 and 5.5: a try counts before it is known to be wrong, the right PIN starts the count anew. */
  tryPin(owner: Owner, pin: Uint8Array): ReturnValue {
    const right = this.pins[owner]
    if (right === undefined) return 'USER_PIN_NOT_INITIALIZED'
    if (this.failures[owner] >= MOST_FAILURES) return 'PIN_LOCKED'
    const isRight = right === Buffer.from(pin).toString()
    this.failures[owner] = isRight ? 0 : this.failures[owner] + 1
    return isRight ? 'OK' : 'PIN_INCORRECT'
  }

  /** C_InitToken: 5.5.7. */
  init(): void {
    for (const object of this.objects) object.alive = false
    this.objects.clear()
    for (const object of profileObjects()) this.objects.add(object)
    this.pins.user = undefined
    this.failures.so = 0
    this.failures.user = 0
  }
}

/** A rule for what is called with a session handle: most functions. */
export function onSession<Inputs extends unknown[], Answer>(
  rule: (session: ModelSession, ...inputs: Inputs) => Expectation<Answer>,
) {
  return (
    application: ModelApplication,
    handle: number,
    ...inputs: Inputs
  ): Expectation<Answer> => {
    if (application.finalized) return refuse('CRYPTOKI_NOT_INITIALIZED')
    const session = application.sessions.get(handle)
    return session === undefined ? refuse('SESSION_HANDLE_INVALID') : rule(session, ...inputs)
  }
}

/** Refuses with any of the errors that apply, else goes on. */
export const unless = <Answer>(
  wrong: Readonly<Partial<Record<ReturnValue, boolean>>>,
  next: () => Expectation<Answer>,
): Expectation<Answer> => {
  const applies = Object.entries(wrong).flatMap(([rv, is]) => (is ? [rv as ReturnValue] : []))
  return applies.length > 0 ? refuse(...applies) : next()
}
