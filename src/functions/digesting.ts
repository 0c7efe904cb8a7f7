/** Message digesting functions. PKCS #11 3.2, 5.12. */
import { mechanismFor } from '../mechanisms/table.ts'
import { Operation } from '../sessions/operation.ts'
import type { MechanismArgument } from '../standard/calls.ts'
import type { Implementations } from './implementation.ts'
import { last, part, whole } from './summaries.ts'

export const digesting = {
  C_DigestInit: (_call, session, argument) => {
    session.checkIdle('digest')
    const row = mechanismFor(argument, 'digest')
    session.begin('digest', new Operation(row.digest({ mechanism: argument as MechanismArgument })))
    return undefined
  },
  C_Digest: (call, session, data, room) => whole(call, session, 'digest', data, room),
  C_DigestUpdate: (call, session, data) => part(call, session, 'digest', data),
  C_DigestFinal: (call, session, room) => last(call, session, 'digest', room),
} satisfies Implementations
