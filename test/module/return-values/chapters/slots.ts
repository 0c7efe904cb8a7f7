/** Slot and token management functions. 5.5. */
import { CKF, CKM } from '../../../../src/standard/constants.ts'
import { label } from '../../../in-process.ts'
import type { Chapter } from '../cases.ts'
import { PIN, SO_PIN, TRIES, WRONG_PIN } from '../tokens.ts'

const THREE_BYTES = Buffer.from('123')

export const slots: Chapter = {
  C_GetSlotList: {},
  C_GetSlotInfo: { with: { slotID: 'user' } },
  C_GetTokenInfo: { with: { slotID: 'user' } },
  C_WaitForSlotEvent: {
    first: ['C_InitToken'],
    with: { flags: CKF.DONT_BLOCK },
    cases: [
      {
        rv: 'NO_EVENT',
        first: [{ call: 'C_WaitForSlotEvent', times: 64, answers: 'NO_EVENT' }],
      },
    ],
  },
  C_GetMechanismList: { with: { slotID: 'user' } },
  C_GetMechanismInfo: {
    with: { slotID: 'user', type: CKM.SHA256 },
    cases: [{ rv: 'MECHANISM_INVALID', with: { type: CKM.VENDOR_DEFINED } }],
  },
  C_InitToken: {
    with: { slotID: 'spare', pin: SO_PIN, label: label('spare') },
    cases: [
      { rv: 'PIN_INCORRECT', with: { pin: WRONG_PIN } },
      { rv: 'SESSION_EXISTS', with: { slotID: 'user' } },
      {
        rv: 'PIN_LOCKED',
        first: Array.from({ length: TRIES }, () => ({
          call: 'C_InitToken',
          with: { slotID: 'toBeLocked', pin: WRONG_PIN },
          answers: 'PIN_INCORRECT',
        })),
        with: { slotID: 'toBeLocked' },
      },
    ],
    unlisted: [
      {
        rv: 'PIN_LEN_RANGE',
        with: { slotID: 'empty', pin: THREE_BYTES },
        why: 'it says what is wrong with the first PIN of a token; nothing that is listed does',
      },
    ],
  },
  C_InitPIN: {
    token: 'so',
    with: { pin: PIN },
    cases: [
      { rv: 'PIN_LEN_RANGE', with: { pin: THREE_BYTES } },
      { rv: 'USER_NOT_LOGGED_IN', token: 'user' },
    ],
  },
  C_SetPIN: {
    token: 'public',
    with: { oldPin: PIN, newPin: PIN },
    cases: [
      { rv: 'PIN_INCORRECT', with: { oldPin: WRONG_PIN } },
      { rv: 'PIN_LEN_RANGE', with: { newPin: THREE_BYTES } },
      { rv: 'PIN_LOCKED', token: 'locked' },
      { rv: 'SESSION_READ_ONLY', readOnly: true },
    ],
    unlisted: [
      {
        rv: 'USER_PIN_NOT_INITIALIZED',
        token: 'withoutPin',
        why: 'it says what is to be done: C_InitPIN; nothing that is listed does',
      },
    ],
  },
}
