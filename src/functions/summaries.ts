/** What digesting and signing functions have in common: a message in, a short value of known length out. */
import type { Summary } from '../mechanisms/mechanism.ts'
import { after, feed, isOver, type Operation, runSummary } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Data, Filled, Room } from '../standard/calls.ts'
import type { Call } from './implementation.ts'

type Kind = 'digest' | 'sign'
type Answer = Filled | Promise<Filled>

/** What is pending may have been cancelled, and another operation begun, by the time of its answer. */
const endWith = (
  session: Session,
  kind: Kind,
  operation: Operation<Summary>,
  answer: Answer,
): Answer =>
  after(answer, (filled) => {
    if (isOver(filled)) session.end(kind, operation)
    return filled
  })

/** C_Digest, C_Sign. */
export const whole = (
  { surrender, work }: Call,
  session: Session,
  kind: Kind,
  data: Data,
  room: Room,
): Answer => {
  const operation = session.wholeOperation<Summary>(kind)
  const { length } = operation.works
  if (room === null || room < length) return { needed: length }
  return endWith(
    session,
    kind,
    operation,
    work(() => runSummary(operation, data, room, surrender)),
  )
}

/** C_DigestUpdate, C_SignUpdate. */
export function part(
  { surrender }: Call,
  session: Session,
  kind: Kind,
  data: Data,
): undefined | Promise<undefined> {
  const operation = session.operation<Summary>(kind)
  operation.updated = true
  return after(
    feed(data, surrender, (bytes) => operation.works.update(bytes)),
    () => undefined,
  )
}

/** C_DigestFinal, C_SignFinal. */
export function last({ surrender }: Call, session: Session, kind: Kind, room: Room): Answer {
  const operation = session.operation<Summary>(kind)
  return endWith(session, kind, operation, runSummary(operation, null, room, surrender))
}
