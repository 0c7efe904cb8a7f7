/** Message digesting functions. PKCS #11 3.2, 5.12. */
import type { CryptokiObject, Summary } from '../mechanisms/mechanism.ts'
import { mechanismFor } from '../mechanisms/table.ts'
import { bytesOf, numberOf } from '../objects/object.ts'
import { after, Operation } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { MechanismArgument } from '../standard/calls.ts'
import { CKA, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { isEnding } from './begin.ts'
import type { Implementations } from './implementation.ts'
import { allows, keyOf } from './keys-in-use.ts'
import { last, part, whole } from './summaries.ts'

/**
 * The bytes of a secret key for a digest. It may be sensitive or unextractable: a digest reveals no
 * key, and neither does the state of one (saved-states.ts). CKA_ALLOWED_MECHANISMS counts here too.
 */
function digestible(key: CryptokiObject, mechanism: number): Uint8Array {
  const value = bytesOf(key, CKA.VALUE)
  if (numberOf(key, CKA.CLASS) !== CKO.SECRET_KEY || value === undefined)
    throw new CryptokiError(CKR.KEY_INDIGESTIBLE, 'only the value of a secret key is digested')
  if (!allows(key, mechanism))
    throw new CryptokiError(
      CKR.KEY_INDIGESTIBLE,
      'CKA_ALLOWED_MECHANISMS of the key lacks that of the digest',
    )
  return value
}

function digestKey(session: Session, handle: number): undefined | Promise<undefined> {
  const operation = session.operation<Summary>('digest')
  return after(keyOf(session, handle), (key) => {
    const value = digestible(key, operation.mechanism)
    operation.updated = true
    return after(operation.works.update(value), () => undefined)
  })
}

export const digesting = {
  C_DigestInit: (_call, session, argument) => {
    if (isEnding(session, 'digest', argument)) return undefined
    session.checkIdle('digest')
    const row = mechanismFor(argument, 'digest', session.token.offered)
    const again = () => row.digest({ mechanism: argument as MechanismArgument })
    session.begin('digest', new Operation(again(), { mechanism: row.type, again }))
    return undefined
  },
  C_Digest: (call, session, data, room) => whole(call, session, 'digest', data, room),
  C_DigestUpdate: (call, session, data) => part(call, session, 'digest', data),
  C_DigestKey: (_call, session, key) => digestKey(session, key),
  C_DigestFinal: (call, session, room) => last(call, session, 'digest', room),
} satisfies Implementations
