/**
 * Digests. PKCS #11 3.2, 6.20 to 6.26 (SHA-1, SHA-2), 6.28 to 6.31 (SHA-3) and 6.33 to 6.36
 * (BLAKE2b); historical mechanisms, 2.12 (MD5) and 2.16 (RIPEMD-160).
 */
import {
  type DigestName,
  digesting,
  digestLengths,
  digestOf,
  type Hashing,
  isBlake2b,
} from '../engine/digests.ts'
import { lazily } from '../engine/lazily.ts'
import { CKM } from '../standard/constants.ts'
import type { Mechanism, Summary } from './mechanism.ts'

/**
 * The hash functions of the standard proper: `name` is the one that all their mechanisms and key types
 * begin with, `section` the chapter with the digest at .2, HMAC at .3 and .4, key derivation at .5 and
 * the HMAC key generation at .6.
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
  { name: 'BLAKE2B_160', digest: 'blake2b-160', section: '6.33' },
  { name: 'BLAKE2B_256', digest: 'blake2b-256', section: '6.34' },
  { name: 'BLAKE2B_384', digest: 'blake2b-384', section: '6.35' },
  { name: 'BLAKE2B_512', digest: 'blake2b-512', section: '6.36' },
] as const satisfies readonly { name: string; digest: DigestName; section: string }[]

/** FIPS 140-3 approves of the hash functions of FIPS 180-4 and FIPS 202, and of what is made of them here. */
export const standingOf = (digest: DigestName): Pick<Mechanism, 'standing'> =>
  isBlake2b(digest) ? {} : { standing: 'approved' }

/** The historical ones, which have no key generation. The sections are those of digest, general HMAC and HMAC. */
export const historicalHashes = [
  { name: 'MD5', digest: 'md5', sections: ['hist 2.12.2', 'hist 2.12.3', 'hist 2.12.4'] },
  {
    name: 'RIPEMD160',
    digest: 'ripemd160',
    sections: ['hist 2.16.5', 'hist 2.16.6', 'hist 2.16.7'],
  },
] as const satisfies readonly { name: string; digest: DigestName; sections: readonly string[] }[]

/** A digest operation. */
export const digestSummary = (hash: Hashing, length: number): Summary => ({
  length,
  update: (part) => hash.update(part),
  final: () => hash.digest(),
  copy: () => digestSummary(hash.copy(), length),
})

/** A digest that begins with the first part: a message that comes whole needs no stream. */
function lazySummary(digest: DigestName): Summary {
  const begin = lazily(() => digesting(digest))
  return {
    length: digestLengths[digest],
    whole: (message) => digestOf(digest, message),
    update: (part) => begin().update(part),
    final: () => begin().digest(),
    copy: () => digestSummary(begin().copy(), digestLengths[digest]),
  }
}

const rowOf = (
  { name, digest }: (typeof hashes)[number] | (typeof historicalHashes)[number],
  rest: Pick<Mechanism, 'section' | 'standing'>,
): Mechanism => ({
  type: CKM[name],
  name,
  keyTypes: [],
  keySize: [0, 0],
  ...rest,
  digest: () => lazySummary(digest),
})

export const digests: readonly Mechanism[] = [
  ...hashes.map((hash) =>
    rowOf(hash, { section: `${hash.section}.2`, ...standingOf(hash.digest) }),
  ),
  ...historicalHashes.map((hash) => rowOf(hash, { section: hash.sections[0], standing: 'legacy' })),
]
