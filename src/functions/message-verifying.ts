/** Message-based functions for verifying signatures and MACs. PKCS #11 3.2, 5.16. */
import type { Verification } from '../mechanisms/mechanism.ts'
import { after, feed, type MessageWorks, type Operation } from '../sessions/operation.ts'
import type { Data } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Call, Implementations } from './implementation.ts'
import { type Another, beginSigning } from './message-signatures.ts'
import { checkNoMessage, checkNoParameter, finish, messageUnderWay } from './messages.ts'

const KIND = 'messageVerify'

type Works = MessageWorks<Another<Verification>, Verification>

const update = ({ surrender }: Call, verification: Verification, data: Data) =>
  feed(data, surrender, (part) => verification.update(part))

/** Takes the data that are left and checks the signature: the message ends either way. */
const check = (
  call: Call,
  operation: Operation<Works>,
  verification: Verification,
  data: Data,
  signature: Uint8Array,
): undefined | Promise<undefined> =>
  after(update(call, verification, data), () =>
    after(verification.final(signature, call.surrender), () => {
      operation.endMessage()
      return undefined
    }),
  )

export const messageVerifying = {
  C_MessageVerifyInit: (_call, session, mechanism, key) =>
    beginSigning(session, { kind: KIND, usage: 'VERIFY' }, mechanism, key),

  C_VerifyMessage: (call, session, parameter, data, signature) => {
    const operation = session.operation<Works>(KIND)
    checkNoMessage(operation)
    checkNoParameter(parameter)
    if (signature === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no signature')
    const { source } = operation.works
    return after(source.next(), (verification) => {
      source.took()
      return check(call, operation, verification, data, signature)
    })
  },

  C_VerifyMessageBegin: (_call, session, parameter) => {
    const operation = session.operation<Works>(KIND)
    checkNoMessage(operation)
    checkNoParameter(parameter)
    const { works } = operation
    return after(works.source.next(), (verification) => {
      works.source.took()
      works.underWay = verification
      return undefined
    })
  },

  // Without a signature more data follow.
  C_VerifyMessageNext: (call, session, parameter, data, signature) => {
    const operation = session.operation<Works>(KIND)
    const verification = messageUnderWay(operation)
    checkNoParameter(parameter)
    return signature === null
      ? after(update(call, verification, data), () => undefined)
      : check(call, operation, verification, data, signature)
  },

  C_MessageVerifyFinal: (_call, session) => finish(session, KIND),
} satisfies Implementations
