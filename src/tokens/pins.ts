/** PINs: their length, their tries, and what the token's flags say of them. PKCS #11 3.2, 3.2 and 5.5. */
import { CKF, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { PinOwner, TokenRecord } from '../store/store.ts'

/** Bytes of a PIN, of the user's and of the security officer's alike. */
export const PIN_LENGTH = { min: 4, max: 255 } as const

/** After so many wrong PINs in a row the PIN is locked. */
export const MOST_FAILURES = 10

/** CKR_PIN_LEN_RANGE for a PIN that is too short or too long to be set. */
export function checkPinLength(pin: Uint8Array): void {
  if (pin.length < PIN_LENGTH.min || pin.length > PIN_LENGTH.max)
    throw new CryptokiError(
      CKR.PIN_LEN_RANGE,
      `a PIN has ${PIN_LENGTH.min} to ${PIN_LENGTH.max} bytes, this one has ${pin.length}`,
    )
}

interface Flags {
  readonly countLow: number
  readonly finalTry: number
  readonly locked: number
}

const FLAGS: Readonly<Record<PinOwner, Flags>> = {
  user: {
    countLow: CKF.USER_PIN_COUNT_LOW,
    finalTry: CKF.USER_PIN_FINAL_TRY,
    locked: CKF.USER_PIN_LOCKED,
  },
  so: { countLow: CKF.SO_PIN_COUNT_LOW, finalTry: CKF.SO_PIN_FINAL_TRY, locked: CKF.SO_PIN_LOCKED },
}

function failureFlags(owner: PinOwner, failures: number): number {
  const { countLow, finalTry, locked } = FLAGS[owner]
  if (failures >= MOST_FAILURES) return locked
  return (failures > 0 ? countLow : 0) | (failures === MOST_FAILURES - 1 ? finalTry : 0)
}

/** The CK_TOKEN_INFO flags that tell of the PINs. */
export const pinFlags = (token: TokenRecord): number =>
  failureFlags('user', token.userFailures) |
  failureFlags('so', token.soFailures) |
  (token.userKey === null ? 0 : CKF.USER_PIN_INITIALIZED) |
  (token.userPinToBeChanged ? CKF.USER_PIN_TO_BE_CHANGED : 0)
