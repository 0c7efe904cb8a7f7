/** The one error of the house: a return value of the standard, and why it was chosen. */
import { CKR } from './constants.ts'

const names = new Map<number, string>(Object.entries(CKR).map(([name, rv]) => [rv, `CKR_${name}`]))

/** `CKR_PIN_INCORRECT` for 0xa0; a number the standard does not name in hexadecimal. */
export const nameOfReturnValue = (rv: number): string => names.get(rv) ?? `0x${rv.toString(16)}`

/**
 * Thrown inside, turned into a CK_RV at the edge and nowhere else. `detail` says why in words that
 * may be logged: it never holds a secret.
 */
export class CryptokiError extends Error {
  override readonly name = 'CryptokiError'
  readonly rv: number

  constructor(rv: number, detail: string, options?: ErrorOptions) {
    super(`${nameOfReturnValue(rv)}: ${detail}`, options)
    this.rv = rv
  }
}

/** The return value an error stands for: its own, or CKR_GENERAL_ERROR for what nobody foresaw. */
export const returnValueOf = (error: unknown): number =>
  error instanceof CryptokiError ? error.rv : CKR.GENERAL_ERROR
