/** What follows from the value of a certificate. PKCS #11 3.2, 4.6. */
import { digestOf } from '../engine/digests.ts'
import { CKA } from '../standard/constants.ts'
import type { Attributes } from './object.ts'

/** Bytes of a CKA_CHECK_VALUE. */
const CHECK_VALUE = 3

/**
 * CKA_CHECK_VALUE, the first bytes of the SHA-1 of CKA_VALUE. A certificate that is only named by its
 * CKA_URL has none, unless the template gives it.
 */
export function completeCertificate(_class: number, attributes: Attributes): Attributes {
  const value = attributes.get(CKA.VALUE)
  if (!(value instanceof Uint8Array) || value.length === 0) return new Map()
  return new Map([
    [CKA.CHECK_VALUE, Uint8Array.from(digestOf('sha1', value)).slice(0, CHECK_VALUE)],
  ])
}
