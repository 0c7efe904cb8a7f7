/** Signing and MACing functions. PKCS #11 3.2, 5.13. */
import type { Recovery } from '../mechanisms/mechanism.ts'
import { after, gather, isOver, runRecovery } from '../sessions/operation.ts'
import { begin } from './begin.ts'
import type { Implementations } from './implementation.ts'
import { last, part, whole } from './summaries.ts'

/** Bytes of a message that a signature can hold: an RSA modulus of 16,384 bits. */
const MOST_RECOVERED = 2048

export const signing = {
  C_SignInit: (_call, session, mechanism, key) =>
    begin(session, { kind: 'sign', use: 'sign', usage: 'SIGN' }, mechanism, key),
  C_Sign: (call, session, data, room) => whole(call, session, 'sign', data, room),
  C_SignUpdate: (call, session, data) => part(call, session, 'sign', data),
  C_SignFinal: (call, session, room) => last(call, session, 'sign', room),

  C_SignRecoverInit: (_call, session, mechanism, key) =>
    begin(
      session,
      { kind: 'signRecover', use: 'signRecover', usage: 'SIGN_RECOVER' },
      mechanism,
      key,
    ),
  C_SignRecover: async ({ surrender }, session, data, room) => {
    const operation = session.operation<Recovery>('signRecover')
    const message = await gather(data, MOST_RECOVERED, surrender)
    return after(runRecovery(operation, message, room, surrender), (filled) => {
      if (isOver(filled)) session.end('signRecover')
      return filled
    })
  },
} satisfies Implementations
