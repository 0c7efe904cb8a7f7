/**
 * The value of a key that two sides agree on: a shared secret, of which what is too long is cut off at
 * its start. PKCS #11 3.2, 6.4.10, 6.4.14 and 6.4.15.
 */
import { CKA, CKK } from '../standard/constants.ts'
import { derivedLength, derivedValue } from './derived-keys.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type { Attributes, Made } from './mechanism.ts'

/** Bytes that a key type takes where the template does not say. */
const USUAL_OF_TYPE: ReadonlyMap<unknown, number> = new Map([[CKK.AES, 32]])

/** Makes so many bytes of a shared secret. */
export type KeyDerivation = (secret: Uint8Array, length: number) => Uint8Array

/** How a key comes of a secret: how long it is, and what makes it, where that is not the secret itself. */
export interface AgreedKey {
  readonly length: number
  readonly derive: KeyDerivation | undefined
}

/**
 * What the template asks of a secret of so many bytes. A generic secret without CKA_VALUE_LEN is the
 * whole secret, and a key that a function makes must be told how long it is. Throws
 * CKR_TEMPLATE_INCOMPLETE and CKR_TEMPLATE_INCONSISTENT.
 */
export function agreedKey(
  template: Attributes,
  whole: number,
  derive: KeyDerivation | undefined,
): AgreedKey {
  const usual = USUAL_OF_TYPE.get(template.get(CKA.KEY_TYPE))
  const asked =
    usual === undefined || template.has(CKA.VALUE_LEN)
      ? template
      : new Map([...template, [CKA.VALUE_LEN, usual]])
  const available = derive ? { most: LONGEST_SECRET } : { most: whole, usual: whole }
  return { length: derivedLength(asked, available), derive }
}

/** The value of the key. The secret is wiped. */
export function agreedValue(
  template: Attributes,
  { length, derive }: AgreedKey,
  secret: Uint8Array,
): Made {
  try {
    const value = derive?.(secret, length) ?? Uint8Array.from(secret.subarray(-length))
    return derivedValue(template, value)
  } finally {
    secret.fill(0)
  }
}
