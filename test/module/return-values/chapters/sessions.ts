/** Session management functions. 5.6. */
import { CKF, CKU } from '../../../../src/standard/constants.ts'
import type { Chapter, Step } from '../cases.ts'
import { PIN, SO_PIN, WRONG_PIN } from '../tokens.ts'
import { CBC } from './mechanisms.ts'

const SERIAL = CKF.SERIAL_SESSION
const RW = SERIAL | CKF.RW_SESSION

const someDigest: Step[] = ['C_DigestInit', 'C_GetOperationState']

/** More than one application has with one token, by far. */
const SO_MANY = 100_000

export const sessions: Chapter = {
  C_OpenSession: {
    with: { slotID: 'crowded', flags: RW },
    cases: [
      { rv: 'SESSION_PARALLEL_NOT_SUPPORTED', with: { flags: CKF.RW_SESSION } },
      { rv: 'SESSION_READ_WRITE_SO_EXISTS', with: { slotID: 'so', flags: SERIAL } },
      { rv: 'TOKEN_NOT_RECOGNIZED', with: { slotID: 'empty' } },
      {
        rv: 'SESSION_COUNT',
        first: [{ call: 'C_OpenSession', times: SO_MANY, answers: 'SESSION_COUNT' }],
        after: ['C_CloseAllSessions'],
      },
    ],
  },
  C_CloseSession: {},
  C_CloseAllSessions: { with: { slotID: 'crowded' } },
  C_GetSessionInfo: {},
  C_GetOperationState: {
    first: ['C_DigestInit'],
    cases: [
      {
        rv: 'STATE_UNSAVEABLE',
        first: [{ call: 'C_EncryptInit', with: { mechanism: CBC } }, 'C_EncryptUpdate'],
      },
    ],
  },
  C_SetOperationState: {
    first: someDigest,
    with: { operationState: { from: 'C_GetOperationState' } },
    cases: [
      { rv: 'SAVED_STATE_INVALID', with: { operationState: Buffer.alloc(16) } },
      { rv: 'KEY_NOT_NEEDED', with: { encryptionKey: 'aes' } },
      {
        rv: 'KEY_CHANGED',
        first: [{ call: 'C_EncryptInit', with: { mechanism: CBC } }, 'C_GetOperationState'],
        with: { encryptionKey: 'otherAes' },
      },
    ],
  },
  C_Login: {
    token: 'public',
    with: { userType: CKU.USER, pin: PIN },
    after: ['C_Logout'],
    cases: [
      { rv: 'PIN_INCORRECT', with: { pin: WRONG_PIN } },
      { rv: 'PIN_LOCKED', token: 'locked' },
      { rv: 'OPERATION_NOT_INITIALIZED', with: { userType: CKU.CONTEXT_SPECIFIC } },
      { rv: 'SESSION_READ_ONLY_EXISTS', readOnly: true, with: { userType: CKU.SO, pin: SO_PIN } },
      { rv: 'USER_ALREADY_LOGGED_IN', token: 'user' },
      { rv: 'USER_ANOTHER_ALREADY_LOGGED_IN', token: 'so' },
      { rv: 'USER_PIN_NOT_INITIALIZED', token: 'withoutPin' },
      { rv: 'USER_TYPE_INVALID', with: { userType: 77 } },
    ],
  },
  C_Logout: {
    token: 'public',
    first: ['C_Login'],
    cases: [{ rv: 'USER_NOT_LOGGED_IN', first: [] }],
  },
}
