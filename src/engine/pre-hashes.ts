/**
 * The hashes that HashML-DSA and HashSLH-DSA put before a signature: FIPS 204, 5.4.1; FIPS 205,
 * 10.2.2. The OIDs lie below 2.16.840.1.101.3.4.2.
 */
import { createHash, type Hash } from 'node:crypto'
import { element, TAG } from './der.ts'
import { type DigestName, digesting, digestLengths, type Hashing } from './digests.ts'
import { NIST_ALGORITHM } from './parameter-sets.ts'

export interface PreHash {
  /** Bytes of the digest. */
  readonly bytes: number
  /** Its OBJECT IDENTIFIER in DER, as it stands in M'. */
  readonly oid: Uint8Array
  begin(): Hashing
}

const HASHES = 2

const identifier = (last: number): Uint8Array =>
  element(TAG.OBJECT_IDENTIFIER, Uint8Array.of(...NIST_ALGORITHM, HASHES, last))

const digest = (name: DigestName, last: number): PreHash => ({
  bytes: digestLengths[name],
  oid: identifier(last),
  begin: () => digesting(name),
})

const xofHashing = (hash: Hash, bytes: number): Hashing => ({
  update: (part) => void hash.update(part),
  digest: () => hash.digest(),
  copy: () => xofHashing(hash.copy({ outputLength: bytes }), bytes),
})

/** An extendable-output function with twice its strength in output: 256 bits and 512 bits. */
const xof = (name: 'shake128' | 'shake256', bytes: number, last: number): PreHash => ({
  bytes,
  oid: identifier(last),
  begin: () => xofHashing(createHash(name, { outputLength: bytes }), bytes),
})

/** By the name of the hash as it stands in CKM_HASH_ML_DSA_SHA3_256. */
export const preHashes = {
  SHA224: digest('sha224', 4),
  SHA256: digest('sha256', 1),
  SHA384: digest('sha384', 2),
  SHA512: digest('sha512', 3),
  SHA512_224: digest('sha512-224', 5),
  SHA512_256: digest('sha512-256', 6),
  SHA3_224: digest('sha3-224', 7),
  SHA3_256: digest('sha3-256', 8),
  SHA3_384: digest('sha3-384', 9),
  SHA3_512: digest('sha3-512', 10),
  SHAKE128: xof('shake128', 32, 11),
  SHAKE256: xof('shake256', 64, 12),
} as const satisfies Record<string, PreHash>
