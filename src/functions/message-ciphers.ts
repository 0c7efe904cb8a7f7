/** What message-based encryption and decryption functions have in common. PKCS #11 3.2, 5.9 and 5.11. */
import type { Cipher, MessageParts, Messages } from '../mechanisms/mechanism.ts'
import { after, isOver, MessageWorks, runCipher } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Data, Filled, MechanismArgument, Room } from '../standard/calls.ts'
import { CKF, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { begin } from './begin.ts'
import type { Call } from './implementation.ts'
import { checkMessageForm, checkNoMessage, messageUnderWay } from './messages.ts'

type Kind = 'messageEncrypt' | 'messageDecrypt'
type Works = MessageWorks<Messages, MessageParts>
type Answer = Filled | Promise<Filled>

const NOTHING = new Uint8Array(0)

/** C_MessageEncryptInit, C_MessageDecryptInit. */
export const init = (
  session: Session,
  kind: Kind,
  argument: MechanismArgument | null,
  key: number,
): undefined | Promise<undefined> => {
  const usage = kind === 'messageEncrypt' ? 'ENCRYPT' : 'DECRYPT'
  const bind = (messages: unknown) => new MessageWorks(messages)
  return begin(session, { kind, use: kind, usage, bind }, argument, key)
}

/** What goes into a function and comes out of it. */
interface Passing {
  readonly parameter: MechanismArgument
  readonly data: Data
  readonly room: Room
}

export interface Whole extends Passing {
  readonly associatedData: Uint8Array | null
}

export interface Part extends Passing {
  /** 0, or CKF_END_OF_MESSAGE. */
  readonly flags: number
}

/** As much comes out as goes in. */
function run(
  { surrender, context }: Call,
  works: Cipher,
  { data, room }: Passing,
  step: 'whole' | 'part',
): Answer {
  return runCipher({ works, held: undefined }, { data, room, step, surrender, context })
}

const fits = ({ data, room }: Passing) => room !== null && room >= data.length

/** C_EncryptMessage, C_DecryptMessage. */
export function whole(call: Call, session: Session, kind: Kind, passing: Whole): Answer {
  const { parameter, associatedData } = passing
  const operation = session.operation<Works>(kind)
  checkNoMessage(operation)
  checkMessageForm(session, operation, parameter)
  // No IV is made where nothing is put out.
  if (!fits(passing)) return { needed: passing.data.length }
  const message = { parameter, associatedData: associatedData ?? NOTHING }
  return after(run(call, operation.works.source.whole(message), passing, 'whole'), (filled) => {
    operation.endMessage()
    return filled
  })
}

/** C_EncryptMessageBegin, C_DecryptMessageBegin. */
export function beginMessage(
  session: Session,
  kind: Kind,
  parameter: MechanismArgument,
  associatedData: Uint8Array | null,
): undefined {
  const operation = session.operation<Works>(kind)
  checkNoMessage(operation)
  checkMessageForm(session, operation, parameter)
  const message = { parameter, associatedData: associatedData ?? NOTHING }
  operation.works.underWay = operation.works.source.parts(message)
}

function checkFlags(flags: number): void {
  if (flags !== 0 && flags !== CKF.END_OF_MESSAGE)
    throw new CryptokiError(CKR.ARGUMENTS_BAD, 'the flags are 0 or CKF_END_OF_MESSAGE')
}

/** C_EncryptMessageNext, C_DecryptMessageNext. */
export function next(call: Call, session: Session, kind: Kind, passing: Part): Answer {
  const { parameter, flags } = passing
  const operation = session.operation<Works>(kind)
  const message = messageUnderWay(operation)
  checkFlags(flags)
  checkMessageForm(session, operation, parameter)
  const ends = flags === CKF.END_OF_MESSAGE
  const cipher: Cipher = {
    outputLength: (bytes) => ({ bytes, exact: true }),
    update: (part) => message.update(part),
    final: () => {
      message.end(parameter)
      return NOTHING
    },
  }
  return after(run(call, cipher, passing, ends ? 'whole' : 'part'), (filled) => {
    if (ends && isOver(filled)) operation.endMessage()
    return filled
  })
}
