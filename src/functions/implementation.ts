/** What an implementation of a C_ function looks like; its types derive from the function table. */
import type { ApplicationSessions } from '../sessions/application.ts'
import type { Session } from '../sessions/session.ts'
import type { AnswerOf, CallContext, FunctionName, InputsOf } from '../standard/calls.ts'
import type { Surrender } from '../surrender/surrender.ts'
import type { Token } from '../tokens/token.ts'

/** What every implementation gets besides its arguments. */
export interface Call {
  readonly application: ApplicationSessions
  readonly surrender: Surrender
  readonly context: CallContext
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
