/**
 * C_SessionCancel, and what may be called from inside a callback. PKCS #11 3.2, 5.6 and 5.21.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Session } from '../sessions/session.ts'
import type { FunctionName } from '../standard/calls.ts'
import { CKF, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type FunctionRow, functions, type OperationKind } from '../standard/functions.ts'
import type { Notify } from '../standard/progress.ts'

/** The flag of CK_MECHANISM_INFO that stands for an operation. */
const FLAG_OF: Readonly<Record<OperationKind, number>> = {
  encrypt: CKF.ENCRYPT,
  decrypt: CKF.DECRYPT,
  digest: CKF.DIGEST,
  sign: CKF.SIGN,
  signRecover: CKF.SIGN_RECOVER,
  verify: CKF.VERIFY,
  verifyRecover: CKF.VERIFY_RECOVER,
  verifySignature: CKF.VERIFY,
  messageEncrypt: CKF.MESSAGE_ENCRYPT,
  messageDecrypt: CKF.MESSAGE_DECRYPT,
  messageSign: CKF.MESSAGE_SIGN,
  messageVerify: CKF.MESSAGE_VERIFY,
}

/** The same for functions that work without an operation. */
const FLAG_OF_FUNCTION: Readonly<Partial<Record<FunctionName, number>>> = {
  C_GenerateKey: CKF.GENERATE,
  C_GenerateKeyPair: CKF.GENERATE_KEY_PAIR,
  C_WrapKey: CKF.WRAP,
  C_UnwrapKey: CKF.UNWRAP,
  C_DeriveKey: CKF.DERIVE,
  C_EncapsulateKey: CKF.ENCAPSULATE,
  C_DecapsulateKey: CKF.DECAPSULATE,
  C_WrapKeyAuthenticated: CKF.WRAP,
  C_UnwrapKeyAuthenticated: CKF.UNWRAP,
}

/** The flags of CK_MECHANISM_INFO with which C_SessionCancel stops a function while it runs. */
export function flagsOf(name: FunctionName): number {
  const { operations }: FunctionRow = functions[name]
  return operations.reduce((all, kind) => all | FLAG_OF[kind], FLAG_OF_FUNCTION[name] ?? 0)
}

/**
 * C_SessionCancel: ends the operations whose flags are given, and stops the function that runs with
 * one of them in another thread. What is not active is ignored.
 */
export function cancel(session: Session, flags: number): undefined {
  session.stopRunning(flags)
  const { pending } = session
  if (pending !== undefined && (pending.flags & flags) !== 0) {
    session.pending = undefined
    pending.cancel('C_SessionCancel')
    for (const kind of (functions[pending.name] as FunctionRow).operations) session.end(kind)
  }
  for (const kind of [...session.operations.keys()])
    if ((FLAG_OF[kind] & flags) !== 0) session.end(kind)
  if ((flags & CKF.FIND_OBJECTS) !== 0) session.search = undefined
}

/** The sessions whose callbacks the code that runs now is inside of. */
const within = new AsyncLocalStorage<readonly Session[]>()

/** The application's callback, called so that calls from inside it are known. */
export const insideOf =
  (session: Session, notify: Notify): Notify =>
  (event, progress) =>
    within.run([...(within.getStore() ?? []), session], () => notify(event, progress))

/** What a call answers from inside a callback of its own session, where not CKR_OPERATION_ACTIVE. */
const ANSWERS: Readonly<Partial<Record<FunctionName, number>>> = {
  C_GetSessionInfo: CKR.OK,
  C_CloseSession: CKR.FUNCTION_FAILED,
  C_SessionCancel: CKR.FUNCTION_FAILED,
}

/** Refuses a call on a session from inside its own callback: it would wait for itself. */
export function refuseWithin(name: FunctionName, session: Session): void {
  if (within.getStore()?.includes(session) !== true) return
  const rv = ANSWERS[name] ?? CKR.OPERATION_ACTIVE
  if (rv !== CKR.OK) throw new CryptokiError(rv, `${name} from inside the session's own callback`)
}

/** Refuses what closes sessions one of whose callbacks the caller is inside of. */
export function refuseClosing(name: FunctionName, isClosed: (session: Session) => boolean): void {
  if (within.getStore()?.some(isClosed) === true)
    throw new CryptokiError(CKR.FUNCTION_FAILED, `${name} from inside a callback`)
}
