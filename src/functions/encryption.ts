/** Encryption functions. PKCS #11 3.2, 5.8. */
import { begin } from './begin.ts'
import { last, part, whole } from './ciphers.ts'
import type { Implementations } from './implementation.ts'

export const encryption = {
  C_EncryptInit: (_call, session, mechanism, key) =>
    begin(session, { kind: 'encrypt', use: 'encrypt', usage: 'ENCRYPT' }, mechanism, key),
  C_Encrypt: (call, session, data, room) => whole(call, session, 'encrypt', data, room),
  C_EncryptUpdate: (call, session, data, room) => part(call, session, 'encrypt', data, room),
  C_EncryptFinal: (call, session, room) => last(call, session, 'encrypt', room),
} satisfies Implementations
