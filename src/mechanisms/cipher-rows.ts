/** A row of a mechanism that encrypts, decrypts, wraps and unwraps, from what makes its ciphers. */
import { CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type {
  Begin,
  Cipher,
  CryptokiObject,
  Mechanism,
  MechanismArgument,
  Surrender,
} from './mechanism.ts'
import { secretValue } from './secret-keys.ts'
import { unwrapThrough, wrapThrough } from './wrapping.ts'

/** The number and name of a mechanism. A name that the standard has not is a mistake of ours. */
export function numbered(name: string): { readonly type: number; readonly name: string } {
  if (!(name in CKM)) throw new TypeError(`there is no CKM_${name}`)
  return { type: CKM[name as keyof typeof CKM], name }
}

/** The value of a key of these types; throws KEY_TYPE_INCONSISTENT, and KEY_SIZE_RANGE for one that does not fit. */
export const keyValue =
  (keyTypes: readonly number[], fits: (bytes: number) => boolean) =>
  (key: CryptokiObject): Uint8Array => {
    const value = secretValue(key, keyTypes)
    if (!fits(value.length))
      throw new CryptokiError(CKR.KEY_SIZE_RANGE, `such a key has not ${value.length} bytes`)
    return value
  }

/** `whole`: bytes of the data, where a key is wrapped or unwrapped and they are known. */
export type CipherMaker = (key: Uint8Array, mechanism: MechanismArgument, whole?: number) => Cipher

type Told = Pick<
  Mechanism,
  'section' | 'keyTypes' | 'keySize' | 'standing' | 'parameter' | 'parameterOptional'
>

export interface CipherRow extends Told {
  readonly name: string
  readonly value: (key: CryptokiObject) => Uint8Array
  readonly encrypt: CipherMaker
  readonly decrypt: CipherMaker
  /** A key to be wrapped is filled up with zeros to a multiple of so many bytes; absent: it is not. */
  readonly filledTo?: number | undefined
  /** false: it does not wrap. */
  readonly wraps?: boolean | undefined
}

/** A copy with up to `unit` - 1 zero bytes behind it. */
function filled(plain: Uint8Array, unit: number): Uint8Array {
  const copy = new Uint8Array(Math.ceil(plain.length / unit) * unit)
  copy.set(plain)
  return copy
}

/** C_WrapKey: what encryption puts out for the bytes of the key. No mechanism here wraps no bytes. */
function wrapWith({ encrypt, value, filledTo = 1 }: CipherRow) {
  return async ({ key, mechanism }: Begin, plain: Uint8Array, surrender: Surrender) => {
    const copy = filled(plain, filledTo)
    const encryption = () => {
      const cipher = encrypt(value(key), mechanism, copy.length)
      if (copy.length > 0) return cipher
      throw new CryptokiError(CKR.DATA_LEN_RANGE, 'the key has no bytes')
    }
    try {
      return await wrapThrough(encryption, copy, surrender)
    } finally {
      copy.fill(0)
    }
  }
}

/** C_UnwrapKey. Zeros that filled the key up are still there: only CKA_VALUE_LEN or the key type tells them. */
function unwrapWith({ decrypt, value }: CipherRow) {
  return async ({ key, mechanism }: Begin, wrapped: Uint8Array, surrender: Surrender) => {
    const decryption = () => decrypt(value(key), mechanism, wrapped.length)
    const plain = await unwrapThrough(decryption, wrapped, surrender)
    if (plain.length > 0) return plain
    throw new CryptokiError(CKR.WRAPPED_KEY_LEN_RANGE, 'there is no key in it')
  }
}

export function cipherRow(row: CipherRow): Mechanism {
  const { name, value, encrypt, decrypt, filledTo, wraps = true, ...told } = row
  return {
    ...told,
    ...numbered(name),
    encrypt: ({ key, mechanism }) => encrypt(value(key), mechanism),
    decrypt: ({ key, mechanism }) => decrypt(value(key), mechanism),
    ...(wraps && { wrap: wrapWith(row), unwrap: unwrapWith(row) }),
    ...(wraps && filledTo !== undefined && { padsWrappedKeys: 'behind' }),
  }
}
