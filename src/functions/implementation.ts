/** What an implementation of a C_ function looks like; its types derive from the function table. */
import type { ApplicationSessions } from '../sessions/application.ts'
import type { Pending } from '../sessions/pending.ts'
import type { Session } from '../sessions/session.ts'
import type { AnswerOf, CallContext, FunctionName, InputsOf } from '../standard/calls.ts'
import type { Surrender } from '../surrender/surrender.ts'
import type { Token } from '../tokens/token.ts'

/** What every implementation gets besides its arguments. */
export interface Call {
  readonly application: ApplicationSessions
  readonly surrender: Surrender
  readonly context: CallContext
  /**
   * Does the work of a function whose outcome may wait to be fetched (C_AsyncComplete): what comes
   * after it, the making of objects, is done then.
   */
  readonly work: <T>(make: () => T | Promise<T>) => T | Promise<T>
  /** The kept operation that this is (C_AsyncGetID), to be dropped together with what it makes. */
  readonly keptOperation: () => number | undefined
  /** Says why it could not begin again from its inputs in another session (C_AsyncGetID). */
  readonly cannotBeKept: (why: string) => void
  /** Runs another function on the session as a pending one; for C_AsyncJoin. */
  readonly join: (pending: Pending, session: Session, inputs: readonly unknown[]) => unknown
}

/** Handles that dispatch resolves before an implementation sees them. */
interface Resolved {
  session: Session
  slot: Token
}

export type Implementation<N extends FunctionName> = (
  call: Call,
  ...inputs: InputsOf<N, Resolved>
) => AnswerOf<N> | Promise<AnswerOf<N>>

/** The functions of a chapter. */
export type Implementations = { readonly [N in FunctionName]?: Implementation<N> }
