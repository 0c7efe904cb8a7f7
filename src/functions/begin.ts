/** How every Init function with a key begins its operation. PKCS #11 3.2, 5.8 to 5.13. */
import type { Begin, CryptokiObject, Mechanism } from '../mechanisms/mechanism.ts'
import { mechanismFor, type Use } from '../mechanisms/table.ts'
import { after, Operation, type Works } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { MechanismArgument } from '../standard/calls.ts'
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
  const row = mechanismFor(argument, kind as Use)
  const mechanism = argument as MechanismArgument
  return after(keyFor(session, handle, row, usage), (key: CryptokiObject) =>
    after(makeWorks(row, kind, { key, mechanism }), (works) => {
      session.begin(kind, new Operation(works, key.id, asksForLogin(key)))
      return undefined
    }),
  )
}

function makeWorks(row: Mechanism, kind: Beginning['kind'], what: Begin): Works | Promise<Works> {
  const make = row[kind] as ((what: Begin) => Works | Promise<Works>) | undefined
  if (make === undefined) throw new TypeError(`${row.name} has no ${kind}`)
  return make.call(row, what)
}
