/**
 * Wrapping and unwrapping with a mechanism that encrypts and decrypts: the same bytes, other return
 * values. PKCS #11 3.2, 5.18.3 and 5.18.4.
 */
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Cipher, Surrender } from './mechanism.ts'

/** What C_WrapKey answers for what encryption would. */
const WRAP_ERRORS: ReadonlyMap<number, number> = new Map([
  [CKR.KEY_TYPE_INCONSISTENT, CKR.WRAPPING_KEY_TYPE_INCONSISTENT],
  [CKR.KEY_SIZE_RANGE, CKR.WRAPPING_KEY_SIZE_RANGE],
  [CKR.DATA_LEN_RANGE, CKR.KEY_SIZE_RANGE],
  [CKR.DATA_INVALID, CKR.KEY_NOT_WRAPPABLE],
])

/** What C_UnwrapKey answers for what decryption would. */
const UNWRAP_ERRORS: ReadonlyMap<number, number> = new Map([
  [CKR.KEY_TYPE_INCONSISTENT, CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT],
  [CKR.KEY_SIZE_RANGE, CKR.UNWRAPPING_KEY_SIZE_RANGE],
  [CKR.DATA_LEN_RANGE, CKR.WRAPPED_KEY_LEN_RANGE],
  [CKR.ENCRYPTED_DATA_LEN_RANGE, CKR.WRAPPED_KEY_LEN_RANGE],
  [CKR.ENCRYPTED_DATA_INVALID, CKR.WRAPPED_KEY_INVALID],
])

async function withErrors<T>(
  errors: ReadonlyMap<number, number>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const rv = error instanceof CryptokiError ? errors.get(error.rv) : undefined
    throw rv === undefined
      ? error
      : new CryptokiError(rv, 'the wrapping cipher refuses', { cause: error })
  }
}

async function through(
  cipher: Cipher,
  input: Uint8Array,
  surrender: Surrender,
): Promise<Uint8Array> {
  const first = await cipher.update(input)
  const last = await cipher.final(surrender)
  return last.length === 0 ? first : first.length === 0 ? last : Buffer.concat([first, last])
}

/** Work of C_WrapKey, with its return values for what encryption would answer. */
export const wrapping = <T>(work: () => Promise<T>): Promise<T> => withErrors(WRAP_ERRORS, work)

/** Work of C_UnwrapKey, with its return values for what decryption would answer. */
export const unwrapping = <T>(work: () => Promise<T>): Promise<T> => withErrors(UNWRAP_ERRORS, work)

/** Wraps with the cipher that `encryption` makes. */
export const wrapThrough = (
  encryption: () => Cipher,
  plain: Uint8Array,
  surrender: Surrender,
): Promise<Uint8Array> => wrapping(async () => through(encryption(), plain, surrender))

/** Unwraps with the cipher that `decryption` makes. */
export const unwrapThrough = (
  decryption: () => Cipher,
  wrapped: Uint8Array,
  surrender: Surrender,
): Promise<Uint8Array> => unwrapping(async () => through(decryption(), wrapped, surrender))
