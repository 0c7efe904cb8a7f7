/** What encryption and decryption functions have in common: a cipher, data in, data out. */
import type { Cipher } from '../mechanisms/mechanism.ts'
import { after, isOver, noData, runCipher } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Data, Filled, Room } from '../standard/calls.ts'
import type { Call } from './implementation.ts'

type Kind = 'encrypt' | 'decrypt'
type Answer = Filled | Promise<Filled>

/** C_Encrypt, C_Decrypt: the operation ends once its output was fetched. */
export function whole(
  { surrender, context }: Call,
  session: Session,
  kind: Kind,
  data: Data,
  room: Room,
): Answer {
  const operation = session.wholeOperation<Cipher>(kind)
  return after(
    runCipher(operation, { data, room, step: 'whole', surrender, context }),
    (filled) => {
      if (isOver(filled)) session.end(kind, operation)
      return filled
    },
  )
}

/** C_EncryptUpdate, C_DecryptUpdate. */
export function part(
  { surrender, context }: Call,
  session: Session,
  kind: Kind,
  data: Data,
  room: Room,
): Answer {
  const operation = session.operation<Cipher>(kind)
  return after(runCipher(operation, { data, room, step: 'part', surrender, context }), (filled) => {
    if (isOver(filled)) operation.updated = true
    return filled
  })
}

/** C_EncryptFinal, C_DecryptFinal. */
export function last(
  { surrender, context }: Call,
  session: Session,
  kind: Kind,
  room: Room,
): Answer {
  const operation = session.operation<Cipher>(kind)
  return after(
    runCipher(operation, { data: noData, room, step: 'last', surrender, context }),
    (filled) => {
      if (isOver(filled)) session.end(kind, operation)
      return filled
    },
  )
}
