/**
 * Message digests over node:crypto: FIPS 180-4 (SHA-1, SHA-2), FIPS 202 (SHA-3, SHAKE), RFC 1321
 * (MD5) and ISO/IEC 10118-3 (RIPEMD-160).
 */
import { createHash, hash as hashOnce } from 'node:crypto'

/** Digests by OpenSSL's name, with the length of their output in bytes. */
export const digestLengths = {
  md5: 16,
  ripemd160: 20,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  'sha512-224': 28,
  'sha512-256': 32,
  'sha3-224': 28,
  'sha3-256': 32,
  'sha3-384': 48,
  'sha3-512': 64,
} as const

export type DigestName = keyof typeof digestLengths

/** Takes a message in parts of any length and answers its digest, or its MAC, once. */
export interface Digesting {
  update(part: Uint8Array): void
  digest(): Uint8Array
}

/** A digest in parts that another one can go on from. */
export interface Hashing extends Digesting {
  /** A second one in the same state. */
  copy(): Hashing
}

/** A digest in parts. */
export const digesting = (name: DigestName): Hashing => createHash(name)

/** The digest of a message that is all here. */
export const digestOf = (name: DigestName, message: Uint8Array): Uint8Array =>
  hashOnce(name, message, 'buffer')

/** So many bytes, at least one, of SHAKE128 or SHAKE256 over a message (FIPS 202, 6.2). */
export const shakeOf = (
  name: 'shake128' | 'shake256',
  message: Uint8Array,
  length: number,
): Uint8Array => createHash(name, { outputLength: length }).update(message).digest()
