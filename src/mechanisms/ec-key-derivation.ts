/** CK_EC_KDF_TYPE: what makes a key of a secret that two sides share. PKCS #11 3.2, 6.3.16. */
import type { DigestName } from '../engine/digests.ts'
import { type HashDerivation, oneStep, x963 } from '../engine/key-derivation.ts'
import { CKD, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { signatureHashes } from './signature-hashes.ts'

interface HashRow {
  readonly function: HashDerivation
  readonly digest: DigestName
}

/** CKD_..._KDF and CKD_..._KDF_SP800. */
const rows: ReadonlyMap<number, HashRow> = new Map(
  signatureHashes.flatMap(({ name, digest }): [number, HashRow][] => [
    [CKD[`${name}_KDF`], { function: x963, digest }],
    [CKD[`${name}_KDF_SP800`], { function: oneStep, digest }],
  ]),
)

/** Makes so many bytes of a shared secret. */
export type KeyDerivation = (secret: Uint8Array, length: number) => Uint8Array

/**
 * The function of a CKD_ number with the data both sides share; undefined for CKD_NULL, where the
 * secret itself is the key. Throws CKR_MECHANISM_PARAM_INVALID for an unknown one, and for shared
 * data with CKD_NULL.
 */
export function keyDerivationOf(kdf: number, sharedData: Uint8Array): KeyDerivation | undefined {
  if (kdf === CKD.NULL && sharedData.length === 0) return undefined
  const row = rows.get(kdf)
  if (row === undefined)
    throw new CryptokiError(
      CKR.MECHANISM_PARAM_INVALID,
      kdf === CKD.NULL ? 'CKD_NULL takes no shared data' : 'unknown key derivation function',
    )
  return (secret, length) => row.function(row.digest, secret, sharedData, length)
}
