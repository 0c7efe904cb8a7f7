/**
 * Message digests: FIPS 180-4 (SHA-1, SHA-2), FIPS 202 (SHA-3, SHAKE), RFC 1321 (MD5) and ISO/IEC
 * 10118-3 (RIPEMD-160) over node:crypto, RFC 7693 (BLAKE2b) over the binding, since node:crypto has it
 * with 64 bytes only and a shorter one is no truncation of it, and any other that OpenSSL has, by its
 * name there.
 */
import { createHash } from 'node:crypto'
import { type NativeDigest, type NativeOptions, native } from './binding.ts'

/** Digests that node:crypto has, by OpenSSL's name, with the length of their output in bytes. */
const nodeLengths = {
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

const blake2bLengths = {
  'blake2b-160': 20,
  'blake2b-256': 32,
  'blake2b-384': 48,
  'blake2b-512': 64,
} as const

/** Every digest, with the length of its output in bytes. */
export const digestLengths = { ...nodeLengths, ...blake2bLengths } as const

export type DigestName = keyof typeof digestLengths
export type Blake2bName = keyof typeof blake2bLengths

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

export const isBlake2b = (name: DigestName): name is Blake2bName => name in blake2bLengths

const nativeDigesting = (digest: NativeDigest): Hashing => ({
  update: (part) => native().digestUpdate(digest, part),
  digest: () => native().digestFinal(digest),
  copy: () => nativeDigesting(native().digestCopy(digest)),
})

/** A digest in parts. */
export const digesting = (name: DigestName): Hashing =>
  isBlake2b(name)
    ? nativeDigesting(native().digest('BLAKE2B-512', { size: blake2bLengths[name] }))
    : createHash(name)

/** The digest of a message that is all here. */
export function digestOf(name: DigestName, message: Uint8Array): Uint8Array {
  if (!isBlake2b(name)) {
    const digest = Buffer.allocUnsafe(nodeLengths[name])
    native().digestWhole(name, message, digest)
    return digest
  }
  const digest = digesting(name)
  digest.update(message)
  return digest.digest()
}

/** So many bytes, at least one, of SHAKE128 or SHAKE256 over a message (FIPS 202, 6.2). */
export const shakeOf = (
  name: 'shake128' | 'shake256',
  message: Uint8Array,
  length: number,
): Uint8Array => createHash(name, { outputLength: length }).update(message).digest()

/**
 * A digest by OpenSSL's name (MD4, MDC2, WHIRLPOOL, RIPEMD-160; BLAKE2B-512 with `size`; SHAKE-128
 * with `xoflen`: bytes of output). Throws OPENSSL_UNKNOWN where OpenSSL lacks it.
 */
export const namedDigesting = (name: string, options?: NativeOptions): Hashing =>
  nativeDigesting(native().digest(name, options))
