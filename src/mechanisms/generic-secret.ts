/**
 * Generic secret keys, and the keys of the HMAC mechanisms, which are the same under other names.
 * PKCS #11 3.2, 6.8 and the HMAC parts of 6.20 to 6.36.
 */
import { digestOf } from '../engine/digests.ts'
import { CKK, CKM } from '../standard/constants.ts'
import { hashes, historicalHashes, standingOf } from './digests.ts'
import type { KeyType, Mechanism } from './mechanism.ts'
import { completeSecret, generateSecret } from './secret-keys.ts'

/**
 * Bytes of the longest generic secret or HMAC key: 16 KiB. The standard sets no bound; this one is
 * far above every block length (144 bytes at most) and keeps a template from asking for gigabytes.
 */
export const LONGEST_SECRET = 16384

/** Whether a generic secret or HMAC key may have so many bytes. */
export const fitsSecret = (bytes: number): boolean => bytes >= 1 && bytes <= LONGEST_SECRET

/** The type of keys that are nothing but bytes. CKA_CHECK_VALUE: SHA-1 of the value (6.8.2). */
export const secretKeyType = (name: keyof typeof CKK): KeyType => ({
  type: CKK[name],
  name,
  complete: (_objectClass, attributes) =>
    completeSecret(attributes, fitsSecret, (value) => digestOf('sha1', value)),
})

/** The hash functions that have keys of their own: beside the usual ones SHA-512/t. */
const keyedHashes = [
  ...hashes,
  { name: 'SHA512_T', digest: 'sha512-256', section: '6.27' },
] as const

/** CKK_GENERIC_SECRET and the CKK_..._HMAC. */
export const genericSecretKeyTypes: readonly KeyType[] = [
  secretKeyType('GENERIC_SECRET'),
  ...[...keyedHashes, ...historicalHashes].map(({ name }) => secretKeyType(`${name}_HMAC`)),
]

/** CKM_GENERIC_SECRET_KEY_GEN tells its key sizes in bits (6.8.3). */
const genericSecretGeneration: Mechanism = {
  type: CKM.GENERIC_SECRET_KEY_GEN,
  name: 'GENERIC_SECRET_KEY_GEN',
  section: '6.8.3',
  keyTypes: [CKK.GENERIC_SECRET],
  keySize: [8, LONGEST_SECRET * 8],
  standing: 'approved',
  generateKey: (make) => generateSecret(make, fitsSecret),
}

/** CKM_..._KEY_GEN of the HMAC key types tell theirs in bytes. */
const hmacKeyGeneration = ({ name, digest, section }: (typeof keyedHashes)[number]): Mechanism => ({
  type: CKM[`${name}_KEY_GEN`],
  name: `${name}_KEY_GEN`,
  section: `${section}.6`,
  keyTypes: [CKK[`${name}_HMAC`]],
  keySize: [1, LONGEST_SECRET],
  ...standingOf(digest),
  generateKey: (make) => generateSecret(make, fitsSecret),
})

export const genericSecret: readonly Mechanism[] = [
  genericSecretGeneration,
  ...keyedHashes.map(hmacKeyGeneration),
]
