/** A session: what it may do, its operations, its search, and the order of its calls. PKCS #11 3.2, 5.6. */
import { CKF, CKR, CKS } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { OperationKind } from '../standard/functions.ts'
import type { Token } from '../tokens/token.ts'
import type { Membership } from './membership.ts'
import { MessageWorks, type Operation, type Works } from './operation.ts'
import type { Pending } from './pending.ts'

/** Handles of the objects a search found that were not fetched yet. */
export interface Search {
  readonly handles: readonly number[]
  at: number
}

export class Session {
  readonly handle: number
  /** The application's standing with the token: who is logged in, which objects it knows. */
  readonly membership: Membership
  readonly readWrite: boolean
  /** The application gave a callback to C_OpenSession. */
  readonly notifies: boolean
  /** Functions that take long answer CKR_PENDING and go on (CKF_ASYNC_SESSION). */
  readonly isAsynchronous: boolean
  /** The function that goes on after it answered CKR_PENDING. */
  pending: Pending | undefined
  search: Search | undefined
  /** Handles of the session objects that end with this session. */
  readonly ownObjects = new Set<number>()
  readonly #operations = new Map<OperationKind, Operation>()
  #last: Promise<unknown> | undefined
  #closed = new AbortController()
  #cancelled = new AbortController()
  /** CKF_ flags of the function that was begun last; it runs while there is a `#last`. */
  #runningFlags = 0

  constructor(handle: number, membership: Membership, flags: number, notifies: boolean) {
    this.handle = handle
    this.membership = membership
    this.readWrite = (flags & CKF.RW_SESSION) !== 0
    this.notifies = notifies
    this.isAsynchronous = (flags & CKF.ASYNC_SESSION) !== 0
  }

  get token(): Token {
    return this.membership.token
  }

  /** CK_SESSION_INFO flags. */
  get flags(): number {
    const kind = this.isAsynchronous ? CKF.ASYNC_SESSION : 0
    return CKF.SERIAL_SESSION | kind | (this.readWrite ? CKF.RW_SESSION : 0)
  }

  /** CK_STATE. */
  get state(): number {
    const owner = this.membership.login?.owner
    if (owner === 'so') return CKS.RW_SO_FUNCTIONS
    if (owner === 'user') return this.readWrite ? CKS.RW_USER_FUNCTIONS : CKS.RO_USER_FUNCTIONS
    return this.readWrite ? CKS.RW_PUBLIC_SESSION : CKS.RO_PUBLIC_SESSION
  }

  /** Aborted when the session is closed; the reason is a CryptokiError. */
  get signal(): AbortSignal {
    return this.#closed.signal
  }

  /** Aborted when C_SessionCancel stops the function that runs now; the next function gets another. */
  get cancelSignal(): AbortSignal {
    return this.#cancelled.signal
  }

  /** A function begins whose work these flags of CK_MECHANISM_INFO tell; 0: none of them does. */
  runs(flags: number): void {
    this.#runningFlags = flags
  }

  /** Stops the function that runs where its flags are among these. It ends its operations itself. */
  stopRunning(flags: number): void {
    if (this.#last === undefined || (this.#runningFlags & flags) === 0) return
    const reason = new CryptokiError(CKR.FUNCTION_CANCELED, 'C_SessionCancel')
    this.#cancelled.abort(reason)
    this.#cancelled = new AbortController()
  }

  /**
   * Calls on one session run in order. A call that finds the session idle and never waits runs at
   * once; others wait their turn.
   */
  turn<T>(run: () => T | Promise<T>): T | Promise<T> {
    const before = this.#last
    const result = before === undefined ? run() : before.then(run, run)
    if (!(result instanceof Promise)) return result
    const last: Promise<void> = result.then(
      () => this.#idle(last),
      () => this.#idle(last),
    )
    this.#last = last
    return result
  }

  #idle(last: Promise<unknown>): void {
    if (this.#last === last) this.#last = undefined
  }

  /** The active operation. CKR_OPERATION_NOT_INITIALIZED, and CKR_USER_NOT_LOGGED_IN where its key asks for a login first. */
  operation<W extends Works>(kind: OperationKind): Operation<W> {
    const operation = this.#operations.get(kind)
    if (operation === undefined)
      throw new CryptokiError(
        CKR.OPERATION_NOT_INITIALIZED,
        `no ${kind} operation is active in session ${this.handle}`,
      )
    if (operation.awaitsLogin)
      throw new CryptokiError(
        CKR.USER_NOT_LOGGED_IN,
        'the key asks for C_Login with CKU_CONTEXT_SPECIFIC before each use',
      )
    return operation as Operation<W>
  }

  /** An operation that no Update function was called for. */
  wholeOperation<W extends Works>(kind: OperationKind): Operation<W> {
    const operation = this.operation<W>(kind)
    if (operation.updated)
      throw new CryptokiError(
        CKR.OPERATION_NOT_INITIALIZED,
        `a multi-part ${kind} operation ends with its Final function`,
      )
    return operation
  }

  /** CKR_OPERATION_ACTIVE where one of the kind is active. */
  checkIdle(kind: OperationKind): void {
    if (this.#operations.has(kind))
      throw new CryptokiError(
        CKR.OPERATION_ACTIVE,
        `a ${kind} operation is active in session ${this.handle}`,
      )
  }

  begin(kind: OperationKind, operation: Operation): void {
    this.checkIdle(kind)
    this.#operations.set(kind, operation)
  }

  /** Ends the operation of a kind; where `only` is given, only that one. */
  end(kind: OperationKind, only?: Operation): void {
    if (only === undefined || this.#operations.get(kind) === only) this.#operations.delete(kind)
  }

  /** A function of this kind failed: its operation is over, of a message-based one its message. */
  failed(kind: OperationKind): void {
    const operation = this.#operations.get(kind)
    if (operation?.works instanceof MessageWorks) operation.endMessage()
    else this.end(kind)
  }

  /** Ends the operations that use one of these keys (by object id), or all of them. */
  endOperations(keys?: ReadonlySet<string | undefined>): void {
    for (const [kind, operation] of this.#operations)
      if (keys === undefined || keys.has(operation.keyId)) this.#operations.delete(kind)
    if (keys === undefined) this.search = undefined
  }

  /** Every active operation. */
  get operations(): ReadonlyMap<OperationKind, Operation> {
    return this.#operations
  }

  /** The operations whose keys wait for a login of their own. */
  awaitingLogin(): Operation[] {
    return [...this.#operations.values()].filter((operation) => operation.awaitsLogin)
  }

  /** The pending function ends with the session, or goes on without it where it is kept. */
  leavePending(): void {
    const { pending } = this
    this.pending = undefined
    pending?.leave()
  }

  /** `why` is the error of a function that finds its session closed. */
  close(why = new CryptokiError(CKR.SESSION_CLOSED, 'the session was closed meanwhile')): void {
    this.leavePending()
    this.endOperations()
    this.#closed.abort(why)
  }
}
