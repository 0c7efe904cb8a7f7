/** How every Init function with a key begins its operation. PKCS #11 3.2, 5.8 to 5.13. */
import type { Begin, CryptokiObject, Mechanism } from '../mechanisms/mechanism.ts'
import { mechanismFor, type Use } from '../mechanisms/table.ts'
import { after, Operation, type Works } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { MechanismArgument } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { asksForLogin, keyFor, type Usage } from './keys-in-use.ts'

export interface Beginning {
  readonly kind: 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'signRecover' | 'verifyRecover'
  readonly usage: Usage
}

/** Checks mechanism and key, lets the mechanism's row make the operation, and makes it the active one. */
export function begin(
  session: Session,
  { kind, usage }: Beginning,
  argument: MechanismArgument | null,
  handle: number,
): undefined | Promise<undefined> {
  session.checkIdle(kind)
  const row = mechanismFor(argument, kind as Use, session.token.offered)
  const mechanism = argument as MechanismArgument
  return after(keyFor(session, handle, row, usage), (key: CryptokiObject) => {
    const again = () => makeWorks(row, kind, { key, mechanism })
    const beginning = {
      mechanism: row.type,
      keyId: key.id,
      asksForLogin: asksForLogin(key),
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

function makeWorks(row: Mechanism, kind: Beginning['kind'], what: Begin): Works | Promise<Works> {
  const make = row[kind] as ((what: Begin) => Works | Promise<Works>) | undefined
  if (make === undefined) throw new TypeError(`${row.name} has no ${kind}`)
  return make.call(row, what)
}
