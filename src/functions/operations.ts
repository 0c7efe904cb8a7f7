/**
 * What the user sees and cancels from outside (softoki operations): the functions that are pending in
 * the sessions of all applications, and those kept beyond their session (C_AsyncGetID).
 */
import type { ApplicationSessions } from '../sessions/application.ts'
import type { Session } from '../sessions/session.ts'
import type { Progress } from '../standard/progress.ts'
import type { Slots } from '../tokens/slots.ts'
import type { Token } from '../tokens/token.ts'

/** Done: its result waits to be fetched. Interrupted: it begins again once it is joined. */
export const OPERATION_STATES = ['working', 'done', 'interrupted'] as const
export type OperationState = (typeof OPERATION_STATES)[number]

export interface OperationView {
  /** Below 2^47; what C_AsyncGetID answers for it. */
  readonly id: number
  /** The function's name. */
  readonly name: string
  readonly slot: number
  /** The token's label. */
  readonly token: string
  /** The program in whose session it is; empty where it is in none. */
  readonly program: string
  /** When it was begun, in milliseconds since 1970. */
  readonly begun: number
  readonly state: OperationState
  /** It goes on without its session. */
  readonly kept: boolean
  /** How far one that works is. */
  readonly progress?: Progress | undefined
}

/** An application, and the program that it is. */
export interface Running {
  readonly program: string
  readonly sessions: ApplicationSessions
}

/** The sessions in which a function is pending. */
const pendingIn = ({ sessions }: Running): Session[] =>
  sessions.all().filter(({ pending }) => pending?.isPending === true)

function pendingView({ pending, token }: Session, program: string): OperationView[] {
  if (pending === undefined) return []
  const { id, name, begun, isWorked, keptAs, progress } = pending
  const state = isWorked ? 'done' : 'working'
  const { slot, label } = token
  const kept = keptAs !== undefined
  return [{ id, name, slot, token: label, program, begun, state, kept, progress }]
}

async function keptBy({ slot, label, keptOperations }: Token): Promise<OperationView[]> {
  const kept = await keptOperations.list()
  return kept.map(({ id, name, begun, finished, works, progress }) => {
    const state = finished ? 'done' : works ? 'working' : 'interrupted'
    return { id, name, slot, token: label, program: '', begun, state, kept: true, progress }
  })
}

const initialized = (slots: Slots): Token[] => slots.all().filter((token) => token.initialized)

/** Oldest first. */
export async function listOperations(
  slots: Slots,
  running: readonly Running[],
): Promise<readonly OperationView[]> {
  const kept = await Promise.all(initialized(slots).map(keptBy))
  // Read after those at rest, so that one which is fetched meanwhile is not told as interrupted.
  const pending = running.flatMap((one) =>
    pendingIn(one).flatMap((session) => pendingView(session, one.program)),
  )
  const told = new Set(pending.map(({ id }) => id))
  return [...pending, ...kept.flat().filter(({ id }) => !told.has(id))].toSorted(
    (one, other) => one.begun - other.begun,
  )
}

/**
 * Cancels one of them, done or not: nothing of it is left. In its session C_AsyncComplete answers
 * CKR_FUNCTION_CANCELED. False where there is none of this id.
 */
export async function cancelOperation(
  slots: Slots,
  running: readonly Running[],
  id: number,
): Promise<boolean> {
  const session = running.flatMap(pendingIn).find(({ pending }) => pending?.id === id)
  session?.pending?.cancel('it was cancelled with softoki operations')
  const dropped = await Promise.all(
    initialized(slots).map(({ keptOperations }) => keptOperations.drop(id)),
  )
  return session !== undefined || dropped.includes(true)
}

/** Drops the kept ones that were begun more than so many days ago and are in nobody's session. */
export async function dropOldOperations(slots: Slots, days: number): Promise<void> {
  for (const { keptOperations } of initialized(slots)) await keptOperations.dropOlder(days)
}

/** Stops the work of kept ones; they stay at rest. */
export function stopOperations(slots: Slots, why: string): void {
  for (const { keptOperations } of initialized(slots)) keptOperations.stopAll(why)
}
