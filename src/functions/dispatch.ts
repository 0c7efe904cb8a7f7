/**
 * The way every call takes: the table gives the implementation, handles become sessions and tokens,
 * calls on one session take turns, a surrender is made, and an error ends the operation (5.2:
 * every error but CKR_BUFFER_TOO_SMALL does).
 */
import type { ApplicationSessions } from '../sessions/application.ts'
import type { Session } from '../sessions/session.ts'
import type { CallContext, FunctionName } from '../standard/calls.ts'
import { IN_KINDS } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type FunctionRow, functions } from '../standard/functions.ts'
import { Surrender } from '../surrender/surrender.ts'
import { decryption } from './decryption.ts'
import { digesting } from './digesting.ts'
import { dual } from './dual.ts'
import { encapsulation } from './encapsulation.ts'
import { encryption } from './encryption.ts'
import { general } from './general.ts'
import type { Call, Implementations } from './implementation.ts'
import { keys } from './keys.ts'
import { objects } from './objects.ts'
import { parallel } from './parallel.ts'
import { random } from './random.ts'
import { sessions } from './sessions.ts'
import { signing } from './signing.ts'
import { slots } from './slots.ts'
import { verifying } from './verifying.ts'

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
  dual,
  keys,
  encapsulation,
  random,
  parallel,
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
}

/** Answers whatever the handle (5.20). */
const ANY_HANDLE: ReadonlySet<string> = new Set(['C_GetFunctionStatus', 'C_CancelFunction'])

function routeOf(name: FunctionName, run: Run): Route {
  const row: FunctionRow = functions[name]
  const first = row.args.find((argument) => IN_KINDS.has(argument.kind))?.kind
  return {
    name,
    row,
    run,
    onSession: first === 'session' && !ANY_HANDLE.has(name),
    onSlot: first === 'slot',
    outOfTurn: name === 'C_GetSessionInfo',
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

/** Calls a C_ function for an application. `interval` is the pace in milliseconds. */
export function dispatch(
  application: ApplicationSessions,
  name: FunctionName,
  inputs: readonly unknown[],
  context: CallContext,
  interval: number,
): unknown {
  const route = routes.get(name)
  if (route === undefined)
    throw new CryptokiError(CKR.FUNCTION_NOT_SUPPORTED, `${name} is not offered yet`)
  const [first, ...rest] = inputs
  if (route.onSession) {
    const session = application.session(first as number)
    const run = () => runOnSession(route, session, rest, { application, context, interval })
    return route.outOfTurn ? run() : session.turn(run)
  }
  const call = { application, context, surrender: new Surrender() }
  return route.onSlot
    ? route.run(call, application.slots.token(first as number), ...rest)
    : route.run(call, ...inputs)
}

interface Setting {
  readonly application: ApplicationSessions
  readonly context: CallContext
  readonly interval: number
}

function runOnSession(
  route: Route,
  session: Session,
  inputs: unknown[],
  setting: Setting,
): unknown {
  // It may have been closed while the call waited for its turn.
  session.signal.throwIfAborted()
  const { row } = route
  const surrender = new Surrender({
    interval: setting.interval,
    notify: row.surrenders && session.notifies ? setting.context.notify : undefined,
    signals: row.surrenders ? stopsOf(session, setting.context.signal) : [],
  })
  const call: Call = { application: setting.application, context: setting.context, surrender }
  try {
    const point = row.surrenders ? surrender.point() : undefined
    const answer = point
      ? point.then(() => route.run(call, session, ...inputs))
      : route.run(call, session, ...inputs)
    return answer instanceof Promise ? answer.catch((error) => fail(error, session, row)) : answer
  } catch (error) {
    return fail(error, session, row)
  }
}

/** A caller that is gone stops its functions, and so does a session that is closed. */
const stopsOf = (session: Session, signal: AbortSignal | undefined): AbortSignal[] =>
  signal === undefined ? [session.signal] : [signal, session.signal]

/** CKR_OPERATION_ACTIVE tells of an operation that goes on; every other error ends it. */
function fail(error: unknown, session: Session, row: FunctionRow): never {
  const active = error instanceof CryptokiError && error.rv === CKR.OPERATION_ACTIVE
  if (!active) for (const kind of row.operations) session.end(kind)
  throw error
}
