/** Message-based signing and MACing functions. PKCS #11 3.2, 5.14. */
import type { Summary } from '../mechanisms/mechanism.ts'
import { after, feed, isOver, type MessageWorks, runSummary } from '../sessions/operation.ts'
import type { Filled } from '../standard/calls.ts'
import type { Implementations } from './implementation.ts'
import { type Another, beginSigning } from './message-signatures.ts'
import { checkNoMessage, checkNoParameter, finish, messageUnderWay } from './messages.ts'

const KIND = 'messageSign'

type Works = MessageWorks<Another<Summary>, Summary>

const NOTHING = new Uint8Array(0)

export const messageSigning = {
  C_MessageSignInit: (_call, session, mechanism, key) =>
    beginSigning(session, { kind: KIND, usage: 'SIGN' }, mechanism, key),

  C_SignMessage: ({ surrender, work }, session, parameter, data, room) => {
    const operation = session.operation<Works>(KIND)
    checkNoMessage(operation)
    checkNoParameter(parameter)
    const { source } = operation.works
    return after(source.next(), (summary): Filled | Promise<Filled> => {
      const { length } = summary
      if (room === null || room < length) return { needed: length }
      source.took()
      const signature = work(() =>
        runSummary({ works: summary, updated: false }, data, room, surrender),
      )
      return after(signature, (filled) => {
        operation.endMessage()
        return filled
      })
    })
  },

  C_SignMessageBegin: (_call, session, parameter) => {
    const operation = session.operation<Works>(KIND)
    checkNoMessage(operation)
    checkNoParameter(parameter)
    const { works } = operation
    return after(works.source.next(), (summary) => {
      works.source.took()
      works.underWay = summary
      return undefined
    })
  },

  // Room is null where pulSignatureLen is NULL: more data follow. No room, 0, asks for the length.
  C_SignMessageNext: ({ surrender }, session, parameter, data, room) => {
    const operation = session.operation<Works>(KIND)
    const summary = messageUnderWay(operation)
    checkNoParameter(parameter)
    if (room === null)
      return after(
        feed(data, surrender, (part) => summary.update(part)),
        () => NOTHING,
      )
    return after(runSummary({ works: summary }, data, room, surrender), (filled) => {
      if (isOver(filled)) operation.endMessage()
      return filled
    })
  },

  C_MessageSignFinal: (_call, session) => finish(session, KIND),
} satisfies Implementations
