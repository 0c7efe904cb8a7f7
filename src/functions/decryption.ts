/** Decryption functions. PKCS #11 3.2, 5.10. */
import { begin } from './begin.ts'
import { last, part, whole } from './ciphers.ts'
import type { Implementations } from './implementation.ts'

export const decryption = {
  C_DecryptInit: (_call, session, mechanism, key) =>
    begin(session, { kind: 'decrypt', use: 'decrypt', usage: 'DECRYPT' }, mechanism, key),
  C_Decrypt: (call, session, data, room) => whole(call, session, 'decrypt', data, room),
  C_DecryptUpdate: (call, session, data, room) => part(call, session, 'decrypt', data, room),
  C_DecryptFinal: (call, session, room) => last(call, session, 'decrypt', room),
} satisfies Implementations
