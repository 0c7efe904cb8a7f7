/** CK_X9_42_DH_KDF_TYPE: what makes a key of a secret that two sides share. PKCS #11 3.2, 6.4.11. */
import { DerError } from '../engine/der.ts'
import { x942Asn1 } from '../engine/diffie-hellman.ts'
import { x963 } from '../engine/key-derivation.ts'
import { CKD, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { KeyDerivation } from './agreed-keys.ts'

const invalid = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why, { cause })

/** CKD_SHA1_KDF_ASN1: the other info is a DER OtherInfo (RFC 2631, 2.1.2). */
function asn1(otherInfo: Uint8Array): KeyDerivation {
  if (otherInfo.length === 0) throw invalid('CKD_SHA1_KDF_ASN1 needs other info')
  return (secret, length) => {
    try {
      const made = x942Asn1(secret, otherInfo, length)
      if (made !== undefined) return made
    } catch (error) {
      if (error instanceof DerError) throw invalid('the other info is no OtherInfo in DER', error)
      throw error
    }
    throw invalid('the counter of the other info is not 1')
  }
}

/** CKD_SHA1_KDF_CONCATENATE: that of ANSI X9.63. */
const concatenate =
  (otherInfo: Uint8Array): KeyDerivation =>
  (secret, length) =>
    x963('sha1', secret, otherInfo, length)

const functions: ReadonlyMap<number, (otherInfo: Uint8Array) => KeyDerivation | undefined> =
  new Map<number, (otherInfo: Uint8Array) => KeyDerivation | undefined>([
    [
      CKD.NULL,
      (otherInfo) => {
        if (otherInfo.length > 0) throw invalid('CKD_NULL takes no other info')
        return undefined
      },
    ],
    [CKD.SHA1_KDF_ASN1, asn1],
    [CKD.SHA1_KDF_CONCATENATE, concatenate],
  ])

/**
 * The function of a CKD_ number with the data both sides share; undefined for CKD_NULL, where the
 * secret itself is the key. Throws CKR_MECHANISM_PARAM_INVALID for an unknown one, and for other info
 * that it does not take.
 */
export function x942DerivationOf(kdf: number, otherInfo: Uint8Array): KeyDerivation | undefined {
  const made = functions.get(kdf)
  if (made === undefined) throw invalid('unknown key derivation function')
  return made(otherInfo)
}
