/** Dual-function cryptographic functions: a cipher, and an operation that goes over its plaintext. PKCS #11 3.2, 5.17. */
import type { Cipher, Summary, Verification } from '../mechanisms/mechanism.ts'
import { after, type Beside, isOver, runCipher } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Data, Filled, Room } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Call, Implementations } from './implementation.ts'

/** Encryption has its plaintext before, decryption after. */
const PLAINTEXT = { encrypt: 'input', decrypt: 'output' } as const

/** Both operations go on by this part, or neither does. */
function both(
  { surrender, context }: Call,
  session: Session,
  kinds: readonly [cipher: 'encrypt' | 'decrypt', other: 'digest' | 'sign' | 'verify'],
  data: Data,
  room: Room,
): Filled | Promise<Filled> {
  const cipher = session.operation<Cipher>(kinds[0])
  const other = session.operation<Summary | Verification>(kinds[1])
  if (cipher.held !== undefined)
    throw new CryptokiError(
      CKR.OPERATION_ACTIVE,
      'the function that did not find room for its output is to fetch it first',
    )
  const beside: Beside = {
    takes: PLAINTEXT[kinds[0]],
    update: (part) => other.works.update(part),
  }
  const part = { data, room, step: 'part', surrender, context, beside } as const
  return after(runCipher(cipher, part), (filled) => {
    if (isOver(filled)) {
      cipher.updated = true
      other.updated = true
    }
    return filled
  })
}

export const dual = {
  C_DigestEncryptUpdate: (call, session, part, room) =>
    both(call, session, ['encrypt', 'digest'], part, room),
  C_DecryptDigestUpdate: (call, session, part, room) =>
    both(call, session, ['decrypt', 'digest'], part, room),
  C_SignEncryptUpdate: (call, session, part, room) =>
    both(call, session, ['encrypt', 'sign'], part, room),
  C_DecryptVerifyUpdate: (call, session, part, room) =>
    both(call, session, ['decrypt', 'verify'], part, room),
} satisfies Implementations
