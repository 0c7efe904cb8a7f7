/** Parallel function management functions. PKCS #11 3.2, 5.20: functions never run in parallel, whatever the handle. */
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Implementations } from './implementation.ts'

const notParallel = (): never => {
  throw new CryptokiError(
    CKR.FUNCTION_NOT_PARALLEL,
    'functions do not run in parallel with the application',
  )
}

export const parallel = {
  C_GetFunctionStatus: notParallel,
  C_CancelFunction: notParallel,
} satisfies Implementations
