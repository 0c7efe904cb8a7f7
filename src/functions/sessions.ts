/** Session management functions. PKCS #11 3.2, 5.6. */
import type { Session } from '../sessions/session.ts'
import { CKF, CKR, CKS, CKU } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { PinOwner } from '../store/store.ts'
import { cancel, refuseClosing } from './cancelling.ts'
import type { Implementations } from './implementation.ts'
import { restoreState, saveState } from './operation-state.ts'

const OWNERS: ReadonlyMap<number, PinOwner> = new Map([
  [CKU.SO, 'so'],
  [CKU.USER, 'user'],
])

function checkMayLogin({ membership }: Session, owner: PinOwner): void {
  const present = membership.login?.owner
  if (present === owner)
    throw new CryptokiError(CKR.USER_ALREADY_LOGGED_IN, `the ${owner} is logged in`)
  if (present !== undefined)
    throw new CryptokiError(
      CKR.USER_ANOTHER_ALREADY_LOGGED_IN,
      `the ${present} is logged in: C_Logout first`,
    )
  if (owner === 'so' && [...membership.sessions].some((session) => !session.readWrite))
    throw new CryptokiError(
      CKR.SESSION_READ_ONLY_EXISTS,
      'the security officer needs all sessions to be read/write',
    )
}

/** CKR_TOKEN_WRITE_PROTECTED is not for C_Login (5.6.8): a try that cannot be counted is the device's error. */
async function unlock({ token }: Session, owner: PinOwner, pin: Uint8Array): Promise<Uint8Array> {
  try {
    return await token.unlock(owner, pin)
  } catch (error) {
    if (!(error instanceof CryptokiError) || error.rv !== CKR.TOKEN_WRITE_PROTECTED) throw error
    throw new CryptokiError(CKR.DEVICE_ERROR, 'the try cannot be counted', { cause: error })
  }
}

/**
 * C_Login with CKU_CONTEXT_SPECIFIC: lets a key that asks for it be used once, by the operation that
 * was begun last. 4.10: a try that locks the PIN logs the user out.
 */
async function loginForOperation(session: Session, pin: Uint8Array): Promise<void> {
  const operation = session.awaitingLogin().at(-1)
  if (operation === undefined)
    throw new CryptokiError(
      CKR.OPERATION_NOT_INITIALIZED,
      'no operation waits for a login of its own',
    )
  try {
    const rootKey = await unlock(session, 'user', pin)
    rootKey.fill(0)
  } catch (error) {
    if ((session.token.flags & CKF.USER_PIN_LOCKED) === 0) throw error
    session.membership.logout()
    throw new CryptokiError(CKR.PIN_LOCKED, 'the user PIN is locked', { cause: error })
  }
  operation.awaitsLogin = false
}

async function login(
  session: Session,
  userType: number,
  pin: Uint8Array | null,
): Promise<undefined> {
  if (pin === null)
    throw new CryptokiError(
      CKR.ARGUMENTS_BAD,
      'no PIN: this token has no protected authentication path',
    )
  if (userType === CKU.CONTEXT_SPECIFIC) {
    await loginForOperation(session, pin)
    return
  }
  const owner = OWNERS.get(userType)
  if (owner === undefined)
    throw new CryptokiError(CKR.USER_TYPE_INVALID, `there is no user type ${userType}`)
  checkMayLogin(session, owner)
  const rootKey = await unlock(session, owner, pin)
  try {
    // Another session of the application may have logged in while the PIN was tried, or this one closed.
    checkMayLogin(session, owner)
    session.signal.throwIfAborted()
  } catch (error) {
    rootKey.fill(0)
    throw error
  }
  session.membership.loggedIn(owner, rootKey)
}

export const sessions = {
  C_OpenSession: ({ application }, token, flags, notifies) => {
    if ((flags & CKF.SERIAL_SESSION) === 0)
      throw new CryptokiError(CKR.SESSION_PARALLEL_NOT_SUPPORTED, 'CKF_SERIAL_SESSION must be set')
    return application.open(token, flags, notifies).handle
  },

  C_CloseSession: ({ application }, session) => {
    application.close(session)
    return undefined
  },

  C_CloseAllSessions: ({ application }, token) => {
    refuseClosing('C_CloseAllSessions', (session) => session.token === token)
    application.closeAll(token)
    return undefined
  },

  C_GetSessionInfo: (_call, session) => ({
    slotID: session.token.slot,
    state: session.state,
    flags: session.flags,
    deviceError: 0,
  }),

  C_GetOperationState: (_call, session, room) => saveState(session, room),

  C_SetOperationState: (_call, session, state, encryptionKey, authenticationKey) =>
    restoreState(session, state, encryptionKey, authenticationKey),

  C_Login: (_call, session, userType, pin) => login(session, userType, pin),

  C_LoginUser: (_call, session, userType, pin, username) => {
    if (username !== null && username.length > 0)
      throw new CryptokiError(
        CKR.USER_TYPE_INVALID,
        'a token has one user and one security officer, without names',
      )
    return login(session, userType, pin)
  },

  C_SessionCancel: (_call, session, flags) => cancel(session, flags),

  C_GetSessionValidationFlags: (_call, _session, type) => {
    // No validation of anything here exists, so no operation was a validated one (4.16.3.1).
    if (type === CKS.LAST_VALIDATION_OK) return 0
    throw new CryptokiError(CKR.FUNCTION_FAILED, `there are no validation flags of type ${type}`)
  },

  C_Logout: (_call, { membership }) => {
    if (membership.login === undefined)
      throw new CryptokiError(CKR.USER_NOT_LOGGED_IN, 'nobody is logged in')
    membership.logout()
    return undefined
  },
} satisfies Implementations
