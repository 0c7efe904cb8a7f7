/**
 * The value of a key that is derived by taking the start of some bytes: how long it is, and the parity
 * of DES keys. PKCS #11 3.2, 6.20.5, 6.32.2 and 6.43.3 to 6.43.7 tell the same in the same words.
 */
import { CKA, CKK, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { setParity } from './des-parity.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type { Attributes, Made } from './mechanism.ts'

/** Bytes of keys whose type alone tells their length. */
const LENGTH_OF_TYPE: ReadonlyMap<unknown, number> = new Map([
  [CKK.DES, 8],
  [CKK.CDMF, 8],
  [CKK.DES2, 16],
  [CKK.DES3, 24],
  [CKK.IDEA, 16],
  [CKK.SEED, 16],
  [CKK.GOST28147, 32],
  [CKK.CHACHA20, 32],
  [CKK.SALSA20, 32],
  [CKK.POLY1305, 32],
])

/** Bytes of the longest keys of types with several lengths. */
const LONGEST_OF_TYPE: ReadonlyMap<unknown, number> = new Map([
  [CKK.AES, 32],
  [CKK.CAMELLIA, 32],
  [CKK.ARIA, 32],
  [CKK.AES_XTS, 64],
])

/**
 * Bytes that a key of a type takes where the template does not say; undefined for types that take any
 * number.
 */
export const longestOfType = (keyType: unknown): number | undefined =>
  LENGTH_OF_TYPE.get(keyType) ?? LONGEST_OF_TYPE.get(keyType)

const WITH_PARITY: ReadonlySet<unknown> = new Set([CKK.DES, CKK.CDMF, CKK.DES2, CKK.DES3])

/** Bytes there are for a derived key. */
export interface Available {
  /** At most so many. */
  readonly most: number
  /** So many for a generic secret whose template names no length; absent where it must. */
  readonly usual?: number
}

/**
 * How long the key of a template is, in bytes. Throws CKR_TEMPLATE_INCOMPLETE where neither
 * CKA_VALUE_LEN nor the key type tells, and CKR_TEMPLATE_INCONSISTENT where the key type has another
 * length or there are not so many bytes.
 */
export function derivedLength(template: Attributes, { most, usual }: Available): number {
  const keyType = template.get(CKA.KEY_TYPE)
  const fixed = LENGTH_OF_TYPE.get(keyType)
  // C_DeriveKey names the type where the template does not, so that a generic secret that was asked
  // for cannot be told from one that was not.
  const implied = keyType === CKK.GENERIC_SECRET ? usual : fixed
  const length = template.get(CKA.VALUE_LEN) ?? implied
  if (typeof length !== 'number')
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_VALUE_LEN must say how long the key is')
  if (fixed !== undefined && length !== fixed)
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, `keys of this type have ${fixed} bytes`)
  if (length < 1 || length > most || length > LONGEST_SECRET)
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, `no key of ${length} bytes is derived here`)
  return length
}

/** The value of a key of the template's type from exactly its bytes, which become the value. */
export function derivedValue(template: Attributes, value: Uint8Array): Made {
  if (WITH_PARITY.has(template.get(CKA.KEY_TYPE))) setParity(value)
  return new Map([[CKA.VALUE, value]])
}

/** The value of a key from the start of these bytes, which are wiped. A generic secret takes them all. */
export function derivedFrom(template: Attributes, bytes: Uint8Array): Made {
  try {
    const length = derivedLength(template, { most: bytes.length, usual: bytes.length })
    return derivedValue(template, Uint8Array.from(bytes.subarray(0, length)))
  } finally {
    bytes.fill(0)
  }
}
