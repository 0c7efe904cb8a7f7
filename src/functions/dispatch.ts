/**
 * The way every call takes: the table gives the implementation, handles become sessions and tokens,
 * calls on one session take turns, a surrender is made, and an error ends the operation (5.2:
 * every error but CKR_BUFFER_TOO_SMALL does), in the message-based functions the message.
 */
import type { ApplicationSessions } from '../sessions/application.ts'
import { companyOf } from '../sessions/company.ts'
import { after, STEP } from '../sessions/operation.ts'
import { Pending } from '../sessions/pending.ts'
import type { Session } from '../sessions/session.ts'
import {
  type CallContext,
  type Data,
  dataOf,
  type Filled,
  type FunctionName,
  IN_KINDS,
  type MechanismArgument,
  type Room,
} from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type FunctionRow, functions } from '../standard/functions.ts'
import { type Pace, Surrender } from '../surrender/surrender.ts'
import { asynchronous } from './asynchronous.ts'
import { flagsOf, insideOf, refuseWithin } from './cancelling.ts'
import { decryption } from './decryption.ts'
import { digesting } from './digesting.ts'
import { dual } from './dual.ts'
import { encapsulation } from './encapsulation.ts'
import { encryption } from './encryption.ts'
import { general } from './general.ts'
import type { Call, Implementations } from './implementation.ts'
import { keys } from './keys.ts'
import { messageDecryption } from './message-decryption.ts'
import { messageEncryption } from './message-encryption.ts'
import { messageSigning } from './message-signing.ts'
import { messageVerifying } from './message-verifying.ts'
import { objects } from './objects.ts'
import { parallel } from './parallel.ts'
import { random } from './random.ts'
import { sessions } from './sessions.ts'
import { signing } from './signing.ts'
import { slots } from './slots.ts'
import { verifying } from './verifying.ts'
import { verifyingSignatures } from './verifying-signatures.ts'

const chapters: readonly Implementations[] = [
  general,
  slots,
  sessions,
  objects,
  encryption,
  decryption,
  digesting,
  signing,
  verifying,
  verifyingSignatures,
  messageEncryption,
  messageDecryption,
  messageSigning,
  messageVerifying,
  dual,
  keys,
  encapsulation,
  random,
  parallel,
  asynchronous,
]

type Run = (call: Call, ...inputs: unknown[]) => unknown

interface Route {
  readonly name: FunctionName
  readonly row: FunctionRow
  readonly run: Run
  /** Where a session handle stands among the inputs: always first, or nowhere. */
  readonly onSession: boolean
  readonly onSlot: boolean
  /** Answered at once, also while another call runs on the session. */
  readonly outOfTurn: boolean
  /** With which flags C_SessionCancel stops it. */
  readonly flags: number
  /** Where the room for its output stands among the inputs after the session; below 0: nowhere. */
  readonly roomAt: number
}

/** What may be called on a session while a function of it is pending. */
const BESIDE_PENDING: ReadonlySet<string> = new Set([
  'C_AsyncComplete',
  'C_AsyncGetID',
  'C_SessionCancel',
  'C_GetSessionInfo',
  'C_CloseSession',
])

const OUT_OF_TURN: ReadonlySet<string> = new Set(['C_GetSessionInfo', 'C_SessionCancel'])

/** Answers whatever the handle (5.20). */
const ANY_HANDLE: ReadonlySet<string> = new Set(['C_GetFunctionStatus', 'C_CancelFunction'])

function routeOf(name: FunctionName, run: Run): Route {
  const row: FunctionRow = functions[name]
  const kinds = row.args.map(({ kind }) => kind).filter((kind) => IN_KINDS.has(kind))
  const [first] = kinds
  return {
    name,
    row,
    run,
    onSession: first === 'session' && !ANY_HANDLE.has(name),
    onSlot: first === 'slot',
    outOfTurn: OUT_OF_TURN.has(name),
    flags: flagsOf(name),
    roomAt: kinds.findIndex((kind) => kind === 'room' || kind === 'fill') - 1,
  }
}

const routes: ReadonlyMap<string, Route> = new Map(
  chapters.flatMap((chapter) =>
    Object.entries(chapter).map(
      ([name, run]) => [name, routeOf(name as FunctionName, run as Run)] as const,
    ),
  ),
)

/** The functions that work. The others answer CKR_FUNCTION_NOT_SUPPORTED. */
export const implemented: ReadonlySet<string> = new Set(routes.keys())

/** Calls a C_ function for an application, whose pace it has. */
export function dispatch(
  application: ApplicationSessions,
  name: FunctionName,
  inputs: readonly unknown[],
  context: CallContext,
  pace: Pace,
): unknown {
  const route = routes.get(name)
  if (route === undefined)
    throw new CryptokiError(CKR.FUNCTION_NOT_SUPPORTED, `${name} is not offered yet`)
  const [first, ...rest] = inputs
  if (route.onSession) {
    const session = application.session(first as number)
    refuseWithin(name, session)
    const run = () => runOnSession(route, session, rest, { application, context, pace })
    return route.outOfTurn ? run() : session.turn(run)
  }
  const call = { application, context, surrender: new Surrender(), ...AT_ONCE }
  return route.onSlot
    ? route.run(call, application.slots.token(first as number), ...rest)
    : route.run(call, ...inputs)
}

/** How the functions work that answer when they are done. */
const AT_ONCE: Pick<Call, 'work' | 'keptOperation' | 'cannotBeKept' | 'join'> = {
  work: (make) => make(),
  keptOperation: () => undefined,
  cannotBeKept: () => {},
  join: () => {
    throw new TypeError('only functions on a session are joined')
  },
}

interface Setting {
  readonly application: ApplicationSessions
  readonly context: CallContext
  readonly pace: Pace
}

/** A function that is no work stops for nobody. */
const NOTHING: readonly AbortSignal[] = []

/**
 * Runs a function in its turn. A caller that is gone stops its work, and so do a session that is closed and
 * C_SessionCancel.
 */
function runOnSession(
  route: Route,
  session: Session,
  inputs: unknown[],
  setting: Setting,
): unknown {
  // It may have been closed while the call waited for its turn.
  session.signal.throwIfAborted()
  if (session.pending !== undefined && !BESIDE_PENDING.has(route.name))
    throw new CryptokiError(CKR.OPERATION_ACTIVE, `${session.pending.name} is pending`)
  const { row } = route
  if (!route.outOfTurn) session.runs(route.flags)
  if (session.isAsynchronous && row.surrenders && mayWait(route, inputs, setting.context))
    return runAsynchronously(route, session, inputs, setting)
  const { notify } = setting.context
  const { interval, durations } = setting.pace
  const surrender = new Surrender({
    interval,
    durations,
    notify: row.surrenders && session.notifies && notify ? insideOf(session, notify) : undefined,
    signals: row.surrenders ? [session.signal, session.cancelSignal] : NOTHING,
    caller: row.surrenders ? setting.context : undefined,
    company: companyOf(session),
  })
  const { application, context } = setting
  const { work, keptOperation, cannotBeKept } = AT_ONCE
  const join = joining(setting)
  const call: Call = { application, context, surrender, work, keptOperation, cannotBeKept, join }
  try {
    const point = row.surrenders ? surrender.begin() : undefined
    const answer = point
      ? point.then(() => route.run(call, session, ...inputs))
      : route.run(call, session, ...inputs)
    return answer instanceof Promise ? answer.catch((error) => fail(error, session, row)) : answer
  } catch (error) {
    return fail(error, session, row)
  }
}

/** Bytes of a pending function's output that wait here at most: 64 MiB. */
const MOST_WAITING = 64 << 20

/**
 * Whether a function can go on after its call was answered: nothing goes into the caller's parameter,
 * and its data and its room are here or can be reached then too. Output for a caller that takes it
 * ahead of the answer never waits here where it is long.
 */
function mayWait(
  { roomAt }: Route,
  inputs: readonly unknown[],
  { put, release }: CallContext,
): boolean {
  const room = (inputs[roomAt] as Room | undefined) ?? 0
  if (release === undefined && room > (put === undefined ? MOST_WAITING : STEP)) return false
  return !inputs.some((input) => {
    const { passing, answer } = (input ?? {}) as Partial<Data & MechanismArgument>
    return (passing === true && release === undefined) || answer !== undefined
  })
}

/** Long output goes where it belongs as long as that can be reached. */
function putLong(answer: unknown, { put, release }: CallContext): unknown {
  if (!(answer instanceof Uint8Array) || answer.length <= STEP) return answer
  if (put === undefined || release === undefined) return answer
  return after(put(0, answer), (): Filled => ({ put: answer.length }))
}

/** Runs a function that may go on after CKR_PENDING. It surrenders to nobody. 5.22. */
function runInBackground(
  { run }: Route,
  pending: Pending,
  session: Session,
  inputs: readonly unknown[],
  { application, context, pace }: Setting,
): unknown {
  const surrender = new Surrender({ ...pace, signals: [pending.signal] })
  pending.tells(() => surrender.progress)
  return pending.start((work) => {
    const call = {
      ...AT_ONCE,
      application,
      context: context.release === undefined ? {} : { put: context.put, claim: context.claim },
      surrender,
      work,
      keptOperation: () => pending.keptAs,
      cannotBeKept: (why: string) => {
        pending.unsaveable = why
      },
    }
    return after(run(call, session, ...inputs), (answer) => putLong(answer, context))
  })
}

const joining =
  (setting: Setting): Call['join'] =>
  (pending, session, inputs) =>
    runInBackground(routes.get(pending.name) as Route, pending, session, inputs, setting)

/** Data that is lent with its call is the caller's again once that was answered. */
function keptInput(input: unknown): unknown {
  const { length, passing, borrow, read } = (input ?? {}) as Partial<Data>
  if (passing === true || borrow === undefined || !read || length === undefined) return input
  const bytes = read(0, length)
  return bytes instanceof Uint8Array ? dataOf(bytes) : input
}

/** Where others would surrender for the first time, a function of an asynchronous session answers CKR_PENDING. */
function runAsynchronously(
  route: Route,
  session: Session,
  given: readonly unknown[],
  setting: Setting,
): unknown {
  const { name, flags, row } = route
  const inputs = given.map(keptInput)
  const pending = new Pending({ name, flags, inputs })
  session.pending = pending
  const failed = (error: unknown) => {
    const goesOn = error instanceof CryptokiError && error.rv === CKR.PENDING
    if (!goesOn && session.pending === pending) session.pending = undefined
    return fail(error, session, row)
  }
  try {
    const answer = runInBackground(route, pending, session, inputs, setting)
    if (answer instanceof Promise) return orPending(answer, pending, setting, session).catch(failed)
    session.pending = undefined
    return answer
  } catch (error) {
    return failed(error)
  }
}

/** Whether it ends in so many milliseconds; in none nothing does that has to be waited for. */
async function endsWithin(interval: number, answer: Promise<unknown>): Promise<boolean> {
  if (interval === 0) return false
  const over = answer.then(
    () => true,
    () => true,
  )
  const timer = Promise.withResolvers<boolean>()
  const due = setTimeout(timer.resolve, interval, false)
  const isOver = await Promise.race([over, timer.promise])
  clearTimeout(due)
  return isOver
}

async function orPending(
  answer: Promise<unknown>,
  pending: Pending,
  { context, pace }: Setting,
  session: Session,
): Promise<unknown> {
  const ended = await endsWithin(pace.interval, answer)
  if (ended || pending.isMade || pending.isWorked || pending.signal.aborted) {
    const value = await answer
    session.pending = undefined
    return value
  }
  pending.announce(context.release)
  throw new CryptokiError(CKR.PENDING, `${pending.name} goes on`)
}

/** Return values that tell of an operation that goes on; every other error ends it. */
const GOING_ON: ReadonlySet<number> = new Set([CKR.OPERATION_ACTIVE, CKR.PENDING])

function fail(error: unknown, session: Session, row: FunctionRow): never {
  const goesOn = error instanceof CryptokiError && GOING_ON.has(error.rv)
  if (!goesOn) for (const kind of row.operations) session.failed(kind)
  throw error
}
