/** CK_EC_KDF_TYPE: what makes a key of a secret that two sides share. PKCS #11 3.2, 6.3.16. */
import type { DigestName } from '../engine/digests.ts'
import { type HashDerivation, oneStep, x963 } from '../engine/key-derivation.ts'
import { CKD, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { signatureHashes } from './signature-hashes.ts'

interface HashRow {
  readonly function: HashDerivation
  readonly digest: DigestName
  /** Whether the function takes data that both sides share. */
  readonly takesSharedData: boolean
}

/** CKD_..._KDF, CKD_..._KDF_SP800, and CKD_BLAKE2B_..._KDF, to which 6.3.16 allows no shared data. */
const rows: ReadonlyMap<number, HashRow> = new Map([
  ...signatureHashes.flatMap(({ name, digest }): [number, HashRow][] => [
    [CKD[`${name}_KDF`], { function: x963, digest, takesSharedData: true }],
    [CKD[`${name}_KDF_SP800`], { function: oneStep, digest, takesSharedData: true }],
  ]),
  ...([160, 256, 384, 512] as const).map((bits): [number, HashRow] => [
    CKD[`BLAKE2B_${bits}_KDF`],
    { function: oneStep, digest: `blake2b-${bits}`, takesSharedData: false },
  ]),
])

/** Makes so many bytes of a shared secret. */
export type KeyDerivation = (secret: Uint8Array, length: number) => Uint8Array

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/**
 * The function of a CKD_ number with the data both sides share; undefined for CKD_NULL, where the
 * secret itself is the key. Throws CKR_MECHANISM_PARAM_INVALID for an unknown one, and for shared
 * data where the function takes none.
 */
export function keyDerivationOf(kdf: number, sharedData: Uint8Array): KeyDerivation | undefined {
  const row = rows.get(kdf)
  if (row === undefined && kdf !== CKD.NULL) throw invalid('unknown key derivation function')
  if (!row?.takesSharedData && sharedData.length > 0)
    throw invalid('the key derivation function takes no shared data')
  return row && ((secret, length) => row.function(row.digest, secret, sharedData, length))
}
