/** Saving and restoring the operations of a session. PKCS #11 3.2, 5.6 (C_GetOperationState, C_SetOperationState). */
import { fill, type Operation } from '../sessions/operation.ts'
import { type SavedState, STATE_BYTES } from '../sessions/saved-states.ts'
import type { Session } from '../sessions/session.ts'
import type { Filled, Room } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { OperationKind } from '../standard/functions.ts'

type Operations = ReadonlyMap<OperationKind, Operation>

/** The operations whose key is an encryption key, and those whose key is an authentication key. */
const ENCRYPTION: readonly OperationKind[] = ['encrypt', 'decrypt']
const AUTHENTICATION: readonly OperationKind[] = ['sign', 'verify', 'verifySignature']

const SAVEABLE: ReadonlySet<OperationKind> = new Set(['digest', ...ENCRYPTION, ...AUTHENTICATION])

/** Not saved: the IVs that were used must not be used again. */
const OF_MESSAGES: ReadonlySet<OperationKind> = new Set([
  'messageEncrypt',
  'messageDecrypt',
  'messageSign',
  'messageVerify',
])

/** Copies of all of them; CKR_STATE_UNSAVEABLE where one cannot be copied. */
async function copiesOf(operations: Operations): Promise<Operations> {
  const copies = new Map<OperationKind, Operation>()
  for (const [kind, operation] of operations) {
    if (!SAVEABLE.has(kind))
      throw new CryptokiError(CKR.STATE_UNSAVEABLE, `a ${kind} operation cannot be saved`)
    copies.set(kind, await operation.copy())
  }
  return copies
}

const notActive = (why: string) => new CryptokiError(CKR.OPERATION_NOT_INITIALIZED, why)

/** C_GetOperationState. */
export async function saveState(session: Session, room: Room): Promise<Filled> {
  const active = new Map(session.operations)
  if (![...active.keys()].some((kind) => SAVEABLE.has(kind) || OF_MESSAGES.has(kind)))
    throw notActive('no operation is active that could be saved')
  const operations = await copiesOf(active)
  // A key may have been destroyed, the user logged out, the session closed.
  if ([...active].some(([kind, operation]) => session.operations.get(kind) !== operation))
    throw notActive('an operation ended while it was saved')
  const saved: SavedState = { source: session, state: session.state, operations }
  return fill(STATE_BYTES, room, () => session.membership.savedStates.keep(saved))
}

/** A key that is given must be one that the state uses. Keys are in the state, so none need be given. */
function checkKey(
  { membership }: Session,
  { operations }: SavedState,
  kinds: readonly OperationKind[],
  handle: number,
): void {
  if (handle === 0) return
  const keys = kinds.flatMap((kind) => operations.get(kind)?.keyId ?? [])
  if (keys.length === 0)
    throw new CryptokiError(CKR.KEY_NOT_NEEDED, `the state has no ${kinds.join(' or ')} operation`)
  if (!keys.some((id) => membership.knows(handle, id)))
    throw new CryptokiError(CKR.KEY_CHANGED, `the state uses another key than ${handle}`)
}

/** C_SetOperationState. What was active in the session ends once nothing can fail any more. */
export async function restoreState(
  session: Session,
  bytes: Uint8Array | null,
  encryptionKey: number,
  authenticationKey: number,
): Promise<undefined> {
  if (bytes === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no saved state')
  const saved = stateOf(session, bytes)
  checkKey(session, saved, ENCRYPTION, encryptionKey)
  checkKey(session, saved, AUTHENTICATION, authenticationKey)
  const operations = await copiesOf(saved.operations)
  // What ends a state may have happened while it was copied.
  stateOf(session, bytes)
  session.endOperations()
  for (const [kind, operation] of operations) session.begin(kind, operation)
}

/** CKR_SAVED_STATE_INVALID for what is no state of this application and token, or of another CK_STATE. */
function stateOf({ membership, state, signal }: Session, bytes: Uint8Array): SavedState {
  const saved = membership.savedStates.find(bytes)
  if (signal.aborted || saved === undefined || saved.state !== state)
    throw new CryptokiError(
      CKR.SAVED_STATE_INVALID,
      'this is no state that was saved here, with this token and this login, and that still is kept',
    )
  return saved
}
