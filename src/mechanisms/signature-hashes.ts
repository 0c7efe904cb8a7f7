/** The hash functions that signatures, mask generation and key derivation name. */
import type { DigestName } from '../engine/digests.ts'
import { CKG, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'

/** `name` as in CKM_SHA1_RSA_PKCS, CKM_ECDSA_SHA1, CKG_MGF1_SHA1 and CKD_SHA1_KDF; `type` the digest's CKM_. */
export const signatureHashes = [
  { name: 'SHA1', type: CKM.SHA_1, digest: 'sha1' },
  { name: 'SHA224', type: CKM.SHA224, digest: 'sha224' },
  { name: 'SHA256', type: CKM.SHA256, digest: 'sha256' },
  { name: 'SHA384', type: CKM.SHA384, digest: 'sha384' },
  { name: 'SHA512', type: CKM.SHA512, digest: 'sha512' },
  { name: 'SHA3_224', type: CKM.SHA3_224, digest: 'sha3-224' },
  { name: 'SHA3_256', type: CKM.SHA3_256, digest: 'sha3-256' },
  { name: 'SHA3_384', type: CKM.SHA3_384, digest: 'sha3-384' },
  { name: 'SHA3_512', type: CKM.SHA3_512, digest: 'sha3-512' },
] as const satisfies readonly { name: string; type: number; digest: DigestName }[]

export type SignatureHash = (typeof signatureHashes)[number]

const found = (hash: SignatureHash | undefined, what: string): DigestName => {
  if (hash === undefined) throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, `unknown ${what}`)
  return hash.digest
}

/** The digest a parameter's hashAlg names; throws CKR_MECHANISM_PARAM_INVALID for an unknown one. */
export const digestOfType = (type: number): DigestName =>
  found(
    signatureHashes.find((hash) => hash.type === type),
    'hashAlg',
  )

/** The digest of a mask generation function, CKG_MGF1_...; throws CKR_MECHANISM_PARAM_INVALID for an unknown one. */
export const digestOfMgf = (mgf: number): DigestName =>
  found(
    signatureHashes.find(({ name }) => CKG[`MGF1_${name}`] === mgf),
    'mgf',
  )
