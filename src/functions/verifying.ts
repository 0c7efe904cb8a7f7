/** Functions for verifying signatures and MACs. PKCS #11 3.2, 5.15. */
import type { Recovery, Verification } from '../mechanisms/mechanism.ts'
import {
  after,
  feed,
  isOver,
  noData,
  type Operation,
  runRecovery,
  runVerification,
} from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Data } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { begin } from './begin.ts'
import type { Call, Implementations } from './implementation.ts'

/** Takes what is left of the message and checks it; the operation ends either way. */
function check(
  { surrender }: Call,
  session: Session,
  operation: Operation<Verification>,
  data: Data,
  signature: Uint8Array | null,
): undefined | Promise<undefined> {
  if (signature === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no signature')
  return after(runVerification(operation, data, signature, surrender), () => {
    session.end('verify')
    return undefined
  })
}

export const verifying = {
  C_VerifyInit: (_call, session, mechanism, key) =>
    begin(session, { kind: 'verify', use: 'verify', usage: 'VERIFY' }, mechanism, key),
  C_Verify: (call, session, data, signature) =>
    check(call, session, session.wholeOperation('verify'), data, signature),
  C_VerifyUpdate: ({ surrender }, session, data) => {
    const operation = session.operation<Verification>('verify')
    operation.updated = true
    return after(
      feed(data, surrender, (part) => operation.works.update(part)),
      () => undefined,
    )
  },
  C_VerifyFinal: (call, session, signature) =>
    check(call, session, session.operation('verify'), noData, signature),

  C_VerifyRecoverInit: (_call, session, mechanism, key) =>
    begin(
      session,
      { kind: 'verifyRecover', use: 'verifyRecover', usage: 'VERIFY_RECOVER' },
      mechanism,
      key,
    ),
  C_VerifyRecover: ({ surrender }, session, signature, room) => {
    if (signature === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no signature')
    const operation = session.operation<Recovery>('verifyRecover')
    return after(runRecovery(operation, signature, room, surrender), (filled) => {
      if (isOver(filled)) session.end('verifyRecover')
      return filled
    })
  },
} satisfies Implementations
