/** How keys are derived from passwords: at once where that is quick, else in a worker process. */
import {
  deriveFromPassword,
  digestsOf,
  type PasswordDerivation,
} from '../engine/password-derivation.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Surrender } from '../surrender/surrender.ts'
import { lengthily } from '../surrender/workers.ts'
import { type Holder, numberIn } from './parameter.ts'

/** Digests that take some milliseconds, less than to send them to a worker. */
const QUICK = 5000

/** Iterations at most: as many as other tokens can be asked for. Any number can be cancelled. */
const MOST_ITERATIONS = 2 ** 32 - 1

/** How often to iterate; CKR_MECHANISM_PARAM_INVALID for less than once and more than 2^32 - 1 times. */
export function iterationsIn(holder: Holder, name: string): number {
  const iterations = numberIn(holder, name)
  if (iterations < 1 || iterations > MOST_ITERATIONS)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, `no ${iterations} iterations are done`)
  return iterations
}

/** The bytes of a key from a password. Surrenders, and stops at once when it is cancelled. */
export async function fromPassword(
  derivation: PasswordDerivation,
  surrender: Surrender,
): Promise<Uint8Array> {
  if (digestsOf(derivation) > QUICK) return lengthily('deriveFromPassword', derivation, surrender)
  await surrender.point()
  return deriveFromPassword(derivation)
}
