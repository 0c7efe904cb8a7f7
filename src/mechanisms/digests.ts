/** Digests. PKCS #11 3.2, 6.20 to 6.26 (SHA-1, SHA-2) and 6.28 to 6.31 (SHA-3). */
import { type DigestName, digesting, digestLengths, type Hashing } from '../engine/digests.ts'
import { CKM } from '../standard/constants.ts'
import type { Mechanism, Summary } from './mechanism.ts'

/**
 * The hash functions: `name` is the one that all their mechanisms and key types begin with,
 * `section` the chapter with the digest at .2, HMAC at .3 and .4 and the HMAC key generation at .6.
 */
export const hashes = [
  { name: 'SHA_1', digest: 'sha1', section: '6.20' },
  { name: 'SHA224', digest: 'sha224', section: '6.21' },
  { name: 'SHA256', digest: 'sha256', section: '6.22' },
  { name: 'SHA384', digest: 'sha384', section: '6.23' },
  { name: 'SHA512', digest: 'sha512', section: '6.24' },
  { name: 'SHA512_224', digest: 'sha512-224', section: '6.25' },
  { name: 'SHA512_256', digest: 'sha512-256', section: '6.26' },
  { name: 'SHA3_224', digest: 'sha3-224', section: '6.28' },
  { name: 'SHA3_256', digest: 'sha3-256', section: '6.29' },
  { name: 'SHA3_384', digest: 'sha3-384', section: '6.30' },
  { name: 'SHA3_512', digest: 'sha3-512', section: '6.31' },
] as const satisfies readonly { name: string; digest: DigestName; section: string }[]

const summary = (hash: Hashing, length: number): Summary => ({
  length,
  update: (part) => hash.update(part),
  final: () => hash.digest(),
  copy: () => summary(hash.copy(), length),
})

export const digests: readonly Mechanism[] = hashes.map(({ name, digest, section }) => ({
  type: CKM[name],
  name,
  section: `${section}.2`,
  keyTypes: [],
  keySize: [0, 0],
  digest: () => summary(digesting(digest), digestLengths[digest]),
}))
