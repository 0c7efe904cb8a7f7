/** How a command ends: its exit status, and the line that says why and what to do next. */
import { CKR } from '../standard/constants.ts'
import { CryptokiError, nameOfReturnValue } from '../standard/error.ts'

/** Exit statuses. Nothing else leaves the command line. */
export const STATUS = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

export type Status = (typeof STATUS)[keyof typeof STATUS]

/** Ends a command. The message is lower case, has no full stop, and carries the next step. */
export class Failure extends Error {
  readonly status: Status

  constructor(message: string, status: Status = STATUS.failed, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** The command was called wrongly. */
export const wrongUsage = (message: string): Failure => new Failure(message, STATUS.usage)

/** After Ctrl-C. */
export const interrupted = (message: string): Failure => new Failure(message, STATUS.interrupted)

/** What to do about a return value that a user of the command line can do something about. */
const NEXT_STEPS: ReadonlyMap<number, string> = new Map([
  [CKR.PIN_INCORRECT, 'the PIN is wrong: try again, softoki tokens tells when one try is left'],
  [
    CKR.PIN_LOCKED,
    'too many wrong PINs locked it: softoki init --slot N --erase starts again without its objects',
  ],
  [
    CKR.USER_PIN_NOT_INITIALIZED,
    'the token has no user PIN: softoki init --slot N --erase makes it anew with one',
  ],
  [CKR.SESSION_EXISTS, 'a program has a session with this token open: end that program first'],
  [
    CKR.MECHANISM_INVALID,
    'the token has no mechanism for this: softoki mechanisms lists those it has',
  ],
  [
    CKR.ATTRIBUTE_VALUE_INVALID,
    'the token makes no such object: softoki mechanisms lists the key sizes it takes',
  ],
  [CKR.KEY_SIZE_RANGE, 'the token makes no key of this size: softoki mechanisms lists the sizes'],
  [CKR.FUNCTION_CANCELED, 'cancelled from elsewhere, nothing was created: run the command again'],
  [CKR.DEVICE_REMOVED, 'the service ended meanwhile: run the command again'],
  [CKR.CRYPTOKI_NOT_INITIALIZED, 'the service ended meanwhile: run the command again'],
])

/** The failure an error stands for. Return values of the token keep their name. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof CryptokiError) {
    const step = NEXT_STEPS.get(error.rv)
    const message = step === undefined ? error.message : `${nameOfReturnValue(error.rv)}: ${step}`
    return new Failure(message, STATUS.failed, { cause: error })
  }
  return new Failure(error instanceof Error ? error.message : String(error))
}
