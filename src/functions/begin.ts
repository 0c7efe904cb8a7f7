/** How every Init function with a key begins its operation. PKCS #11 3.2, 5.8 to 5.13. */
import type {
  Begin,
  ChangeKey,
  CryptokiObject,
  Mechanism,
  Messages,
} from '../mechanisms/mechanism.ts'
import { makerOf, mechanismFor, type Use } from '../mechanisms/table.ts'
import { after, type MessageWorks, Operation, type Works } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { MechanismArgument } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { OperationKind } from '../standard/functions.ts'
import { asksForLogin, keyFor, type Usage } from './keys-in-use.ts'

/** What a row's maker makes. */
export type Made = Exclude<Works, MessageWorks> | Messages

export interface Beginning {
  readonly kind: OperationKind
  /** Which maker of the row makes the operation. */
  readonly use: Use
  readonly usage: Usage
  /** What becomes of the works that were made, before they are the operation's. `make` makes others like them. */
  readonly bind?: (works: Made, make: () => Made | Promise<Made>) => Works
}

/**
 * An Init function without a mechanism ends the active operation of its kind (3.0). Answers whether
 * it did; where none is active the mechanism is missing, CKR_ARGUMENTS_BAD.
 */
export function isEnding(
  session: Session,
  kind: OperationKind,
  argument: MechanismArgument | null,
): boolean {
  if (argument !== null || !session.operations.has(kind)) return false
  session.end(kind)
  return true
}

/** Checks mechanism and key, lets the mechanism's row make the operation, and makes it the active one. */
export function begin(
  session: Session,
  { kind, use, usage, bind = (works) => works as Works }: Beginning,
  argument: MechanismArgument | null,
  handle: number,
): undefined | Promise<undefined> {
  if (isEnding(session, kind, argument)) return undefined
  session.checkIdle(kind)
  const row = mechanismFor(argument, use, session.token.offered)
  const mechanism = argument as MechanismArgument
  return after(keyFor(session, handle, row, usage), (key: CryptokiObject) => {
    const change = keyChanger(session, handle, key.id)
    const make = () => makeWorks(row, use, { key, mechanism, change })
    const again = () => after(make(), (made) => bind(made, make))
    const beginning = {
      mechanism: row.type,
      keyId: key.id,
      asksForLogin: asksForLogin(key),
      // A key that asks for a login each time is not used again behind the user's back.
      ...(asksForLogin(key) ? {} : { argument: mechanism }),
      again,
    }
    return after(again(), (works) => {
      // It may have been destroyed, or the user logged out, while it was fetched.
      if (!session.membership.knows(handle, key.id))
        throw new CryptokiError(CKR.KEY_HANDLE_INVALID, `there is no key ${handle} any more`)
      session.begin(kind, new Operation(works, beginning))
      return undefined
    })
  })
}

/** Begin.change of a key behind a handle. */
const keyChanger =
  ({ membership }: Session, handle: number, id: string): ChangeKey =>
  async (next) => {
    const changed = (key: CryptokiObject) => new Map([...key.attributes, ...next(key)])
    if (!membership.knows(handle, id) || !(await membership.change(handle, changed)))
      throw new CryptokiError(CKR.KEY_HANDLE_INVALID, `there is no key ${handle} any more`)
  }

function makeWorks(row: Mechanism, use: Use, what: Begin): Made | Promise<Made> {
  const make = row[makerOf(use)] as ((what: Begin) => Made | Promise<Made>) | undefined
  if (make === undefined) throw new TypeError(`${row.name} has no ${use}`)
  return make.call(row, what)
}
