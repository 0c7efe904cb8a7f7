/** Message-based encryption functions. PKCS #11 3.2, 5.9. */
import type { Implementations } from './implementation.ts'
import { beginMessage, init, next, whole } from './message-ciphers.ts'
import { finish } from './messages.ts'

export const messageEncryption = {
  C_MessageEncryptInit: (_call, session, mechanism, key) =>
    init(session, 'messageEncrypt', mechanism, key),
  C_EncryptMessage: (call, session, parameter, associatedData, data, room) =>
    whole(call, session, 'messageEncrypt', { parameter, associatedData, data, room }),
  C_EncryptMessageBegin: (_call, session, parameter, associatedData) =>
    beginMessage(session, 'messageEncrypt', parameter, associatedData),
  C_EncryptMessageNext: (call, session, parameter, data, room, flags) =>
    next(call, session, 'messageEncrypt', { parameter, data, room, flags }),
  C_MessageEncryptFinal: (_call, session) => finish(session, 'messageEncrypt'),
} satisfies Implementations
