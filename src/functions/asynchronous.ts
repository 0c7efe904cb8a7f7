/** Asynchronous function management. PKCS #11 3.2, 5.22. */
import { after, type Operation } from '../sessions/operation.ts'
import { type Keeper, Pending } from '../sessions/pending.ts'
import type { Session } from '../sessions/session.ts'
import type {
  AsyncResult,
  Data,
  Filled,
  FunctionName,
  MechanismArgument,
  Room,
} from '../standard/calls.ts'
import { dataOf, OUT_KINDS } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type FunctionRow, functions } from '../standard/functions.ts'
import { TokenKeys } from '../store/sealing.ts'
import { begin } from './begin.ts'
import { flagsOf } from './cancelling.ts'
import type { Call, Implementations } from './implementation.ts'

const isFunction = (name: string): name is FunctionName => Object.hasOwn(functions, name)

/** The pending function of this name; CKR_ARGUMENTS_BAD for a name that is no function's. */
function pendingOf({ pending, handle }: Session, name: string): Pending {
  if (!isFunction(name)) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'there is no such function')
  if (pending?.name !== name)
    throw new CryptokiError(
      CKR.OPERATION_NOT_INITIALIZED,
      `no ${name} is pending in session ${handle}`,
    )
  return pending
}

const outputKinds = (name: FunctionName): string[] => {
  const row: FunctionRow = functions[name]
  return row.args.map(({ kind }) => kind).filter((kind) => OUT_KINDS.has(kind))
}

/** A function's answer as CK_ASYNC_DATA tells it. */
function resultOf({ name, inputs }: Pending, answer: unknown): AsyncResult {
  const kinds = outputKinds(name)
  const outputs = kinds.length === 1 ? [answer] : ((answer ?? []) as unknown[])
  const objects = outputs.filter((_, at) => kinds[at] === 'ulongOut') as number[]
  const at = kinds.findIndex((kind) => kind === 'room' || kind === 'fill')
  if (at < 0) return { value: null, objects }
  // Where C_GenerateRandom put all the bytes: its one input after the session is their number.
  const value = (outputs[at] as Filled | null) ?? { put: inputs[0] as number }
  return { value, objects }
}

/** C_AsyncComplete. */
async function complete(session: Session, name: string, given: boolean): Promise<AsyncResult> {
  const pending = pendingOf(session, name)
  if (!pending.isWorked) throw new CryptokiError(CKR.PENDING, `${name} is still at work`)
  if (!given && outputKinds(pending.name).length > 0)
    throw new CryptokiError(CKR.ARGUMENTS_BAD, 'there is no place for the result')
  session.pending = undefined
  const id = pending.keptAs
  try {
    return resultOf(pending, await pending.collect())
  } catch (error) {
    for (const kind of (functions[pending.name] as FunctionRow).operations) session.failed(kind)
    throw error
  } finally {
    if (id !== undefined) await session.token.keptOperations.drop(id)
  }
}

/** What a kept function begins again from. Handles are those of another time, so keys go by their ids. */
interface Inputs {
  readonly inputs: readonly unknown[]
  /** The object id of the key that it works with. */
  readonly key?: string
  /** The mechanism that C_SignInit was given. */
  readonly mechanism?: MechanismArgument
}

const unsaveable = (why: string) => new CryptokiError(CKR.STATE_UNSAVEABLE, why)

function keyIdOf({ membership }: Session, handle: number): string {
  const id = membership.tokenObjectId(handle)
  if (id === undefined) throw unsaveable('its key is a session object, which ends with the session')
  return id
}

/** How the functions that can be kept are saved and taken up again. The others are not. */
interface Keeping {
  save(session: Session, inputs: readonly unknown[]): Inputs | Promise<Inputs>
  /** The inputs for the session that joins; `room` is that of C_AsyncJoin. */
  restore(session: Session, saved: Inputs, room: Room): unknown[] | Promise<unknown[]>
}

const generation: Keeping = {
  save: (_session, inputs) => ({ inputs }),
  restore: (_session, { inputs }) => [...inputs],
}

async function handleOf({ membership }: Session, id: string | undefined): Promise<number> {
  const handle = id === undefined ? undefined : await membership.handleOfId(id)
  if (handle === undefined)
    throw new CryptokiError(CKR.SAVED_STATE_INVALID, 'the key that it works with is no more')
  return handle
}

const derivation: Keeping = {
  save: (session, [mechanism, key, template]) => ({
    inputs: [mechanism, template],
    key: keyIdOf(session, key as number),
  }),
  restore: async (session, { inputs: [mechanism, template], key }) => [
    mechanism,
    await handleOf(session, key),
    template,
  ],
}

const signature: Keeping = {
  save: async (session, [data]) => {
    const operation: Operation = session.operation('sign')
    const { argument, keyId } = operation
    const bytes = data as Data
    if (bytes.passing) throw unsaveable('its data is the application’s, which may end')
    if (argument === undefined || keyId === undefined || operation.updated)
      throw unsaveable('parts of its message are no longer here')
    if (!session.membership.isTokenObject(keyId))
      throw unsaveable('its key is a session object, which ends with the session')
    return { inputs: [await bytes.read(0, bytes.length)], key: keyId, mechanism: argument }
  },
  restore: async (session, { inputs: [bytes], key, mechanism }, room) => {
    const how = { kind: 'sign', use: 'sign', usage: 'SIGN' } as const
    await begin(session, how, mechanism ?? null, await handleOf(session, key))
    return [dataOf(bytes as Uint8Array), room]
  },
}

const KEEPING: Readonly<Partial<Record<FunctionName, Keeping>>> = {
  C_GenerateKey: generation,
  C_GenerateKeyPair: generation,
  C_DeriveKey: derivation,
  C_Sign: signature,
}

/** The user's keys for what outlives the login; the caller destroys them. undefined where nobody is logged in. */
function ownKeys({ membership: { login } }: Session): TokenKeys | undefined {
  return login?.owner === 'user' ? new TokenKeys(login.rootKey) : undefined
}

/** Keeps a pending function under an id; whatever happens to its session from now on does not end it. */
function keeperOf(session: Session, id: number, pending: Pending, inputs: Inputs): Keeper {
  const kept = session.token.keptOperations
  const keys = ownKeys(session)
  kept.works(id, {
    made: pending.made,
    progress: () => pending.progress,
    stop: (why) => pending.stop(why),
  })
  return {
    id,
    made: (value) => {
      // A store that fails now leaves the inputs at rest: what is joined later is made again.
      const stored = kept.finish(id, { inputs, made: { value } }, keys)
      stored.catch(() => {}).finally(() => keys?.destroy())
    },
    failed: () => {
      kept.works(id, undefined)
      keys?.destroy()
    },
    left: () => kept.leave(id),
    dropped: () => void kept.drop(id).catch(() => {}),
  }
}

/** C_AsyncGetID. */
async function getId(session: Session, name: string): Promise<number> {
  const pending = pendingOf(session, name)
  if (pending.keptAs !== undefined) return pending.keptAs
  const keeping = KEEPING[pending.name]
  if (keeping === undefined) throw unsaveable(`${name} ends with its session`)
  if (pending.unsaveable !== undefined) throw unsaveable(pending.unsaveable)
  const { id, begun } = pending
  const inputs = await keeping.save(session, pending.inputs)
  const keys = ownKeys(session)
  await session.token.keptOperations.begin({ id, name, begun }, inputs, keys)
  keys?.destroy()
  if (session.pending !== pending) {
    await session.token.keptOperations.drop(id)
    throw new CryptokiError(CKR.OPERATION_NOT_INITIALIZED, `${name} ended meanwhile`)
  }
  pending.keepWith(keeperOf(session, id, pending, inputs))
  return id
}

/** C_AsyncJoin. The function is pending in this session from now on. */
async function join(
  call: Call,
  session: Session,
  name: string,
  id: number,
  room: Room,
): Promise<undefined> {
  const keeping = isFunction(name) ? KEEPING[name] : undefined
  if (!isFunction(name)) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'there is no such function')
  const kept = session.token.keptOperations
  const taken = keeping && (await kept.take(id, name, session.membership.userKeys))
  if (taken === undefined || keeping === undefined)
    throw new CryptokiError(
      CKR.SAVED_STATE_INVALID,
      `no ${name} of this id waits for this user to be joined`,
    )
  try {
    const saved = taken.inputs as Inputs
    const inputs = await keeping.restore(session, saved, room)
    const { made, working } = taken
    const from = made ? () => made.value : working && (() => working.made)
    const flags = flagsOf(name)
    const progress = working && (() => working.progress())
    const pending = new Pending({ id, name, flags, inputs, made: from, progress })
    pending.announce()
    const answer = call.join(pending, session, inputs)
    await checkRoom(session, name, answer)
    if (made === undefined && working === undefined)
      pending.keepWith(keeperOf(session, id, pending, saved))
    else pending.keepWith(joinedKeeper(session, id, working))
    session.pending = pending
  } catch (error) {
    for (const kind of (functions[name] as FunctionRow).operations) session.end(kind)
    kept.leave(id)
    throw error
  }
}

/** The keeper of one whose work is done, or is done elsewhere and kept from there. */
function joinedKeeper(
  session: Session,
  id: number,
  working: { stop(why: string): void } | undefined,
): Keeper {
  const kept = session.token.keptOperations
  return {
    id,
    made: () => {},
    failed: () => {},
    left: () => kept.leave(id),
    dropped: () => {
      working?.stop('it was cancelled')
      kept.drop(id).catch(() => {})
    },
  }
}

/** A buffer that is too small is told at once: the function never became pending. */
async function checkRoom(session: Session, name: FunctionName, answer: unknown): Promise<void> {
  if (answer instanceof Promise) {
    answer.catch(() => {})
    return
  }
  const needed = answer as { needed?: number } | undefined
  if (needed?.needed === undefined) return
  for (const kind of (functions[name] as FunctionRow).operations) session.end(kind)
  throw new CryptokiError(CKR.BUFFER_TOO_SMALL, `the result has ${needed.needed} bytes`)
}

export const asynchronous = {
  C_AsyncComplete: (_call, session, name, given) => complete(session, name, given),
  C_AsyncGetID: (_call, session, name) => getId(session, name),
  C_AsyncJoin: (call, session, name, id, room) => {
    if (session.pending !== undefined)
      throw new CryptokiError(CKR.OPERATION_ACTIVE, `${session.pending.name} is pending`)
    return after(join(call, session, name, id, room), () => undefined)
  },
} satisfies Implementations
