/** What a case is: the calls before it, and the one call that answers the return value it is for. */
import type { FunctionName } from '../../../src/standard/calls.ts'
import type { CKR } from '../../../src/standard/constants.ts'
import type { TokenName } from './tokens.ts'
import type { Arguments } from './words.ts'

/** Without CKR_. */
export type ReturnValue = keyof typeof CKR

/** A call that must answer CKR_OK, or what it says. */
export type Step =
  | FunctionName
  | {
      readonly call: FunctionName
      readonly with?: Arguments
      readonly answers?: ReturnValue
      /** So often at most, until it answers something else than CKR_OK. */
      readonly times?: number
    }

/** How a function is called: in a session of its own, which is closed afterwards. */
export interface Call {
  /** What differs from the usual call of the function (in a case), or the usual call itself (in a row). */
  readonly with?: Arguments
  /** The calls before it, in the same session; those of the row where a case has none. */
  readonly first?: readonly Step[]
  /** The calls after it. */
  readonly after?: readonly Step[]
  /** The token of the session: "user", whose user is logged in, where it is not said. */
  readonly token?: TokenName
  readonly readOnly?: true
}

export interface Case extends Call {
  readonly rv: ReturnValue
}

/** A return value that the standard does not list for the function, and that it gives all the same. */
export interface Unlisted extends Case {
  readonly why: string
}

/** A function: its usual call, which answers CKR_OK, and the return values that only this function has. */
export interface Row extends Call {
  readonly cases?: readonly Case[]
  readonly unlisted?: readonly Unlisted[]
}

/** One chapter of the standard. What many functions have in common is in common.ts. */
export type Chapter = Readonly<Partial<Record<FunctionName, Row>>>
