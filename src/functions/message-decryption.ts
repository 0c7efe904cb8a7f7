/** Message-based decryption functions. PKCS #11 3.2, 5.11. */
import type { Implementations } from './implementation.ts'
import { beginMessage, init, next, whole } from './message-ciphers.ts'
import { finish } from './messages.ts'

export const messageDecryption = {
  C_MessageDecryptInit: (_call, session, mechanism, key) =>
    init(session, 'messageDecrypt', mechanism, key),
  C_DecryptMessage: (call, session, parameter, associatedData, data, room) =>
    whole(call, session, 'messageDecrypt', { parameter, associatedData, data, room }),
  C_DecryptMessageBegin: (_call, session, parameter, associatedData) =>
    beginMessage(session, 'messageDecrypt', parameter, associatedData),
  C_DecryptMessageNext: (call, session, parameter, data, room, flags) =>
    next(call, session, 'messageDecrypt', { parameter, data, room, flags }),
  C_MessageDecryptFinal: (_call, session) => finish(session, 'messageDecrypt'),
} satisfies Implementations
