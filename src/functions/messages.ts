/** What the message-based functions have in common. PKCS #11 3.2, 5.9, 5.11, 5.14 and 5.16. */
import { checkForm, isAbsent } from '../mechanisms/parameter.ts'
import { MessageWorks, type Operation } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { MechanismArgument } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'

/**
 * Throws CKR_MECHANISM_PARAM_INVALID where the parameter is not of the form that messages of the
 * operation's mechanism have.
 */
export function checkMessageForm(
  { token }: Session,
  { mechanism }: Operation,
  { parameter }: MechanismArgument,
): void {
  const row = token.offered.get(mechanism)
  if (row === undefined) throw new TypeError(`mechanism ${mechanism} is active and not offered`)
  checkForm(row, parameter, 'message')
}

/** No mechanism that signs has a parameter for its messages: that of its operation serves them all. */
export function checkNoParameter({ parameter }: MechanismArgument): void {
  if (!isAbsent(parameter))
    throw new CryptokiError(
      CKR.MECHANISM_PARAM_INVALID,
      'messages that are signed have no parameter',
    )
}

/** CKR_OPERATION_ACTIVE where a message was begun and has not ended. */
export function checkNoMessage({ works }: Operation): void {
  if (works instanceof MessageWorks && works.underWay !== undefined)
    throw new CryptokiError(CKR.OPERATION_ACTIVE, 'a message is under way')
}

/** The message that was begun; CKR_OPERATION_NOT_INITIALIZED where none was. */
export function messageUnderWay<Source, Message>({
  works,
}: Operation<MessageWorks<Source, Message>>): Message {
  if (works.underWay === undefined)
    throw new CryptokiError(CKR.OPERATION_NOT_INITIALIZED, 'no message is under way')
  return works.underWay
}

/** The operations of messages. */
export type MessageKind = 'messageEncrypt' | 'messageDecrypt' | 'messageSign' | 'messageVerify'

/** C_MessageEncryptFinal and the others that end an operation; CKR_OPERATION_ACTIVE amid a message. */
export function finish(session: Session, kind: MessageKind): undefined {
  const operation = session.operations.get(kind)
  // One whose key asks for a login before the next message ends without it.
  if (operation === undefined) session.operation(kind)
  else checkNoMessage(operation)
  session.end(kind)
}
