/**
 * Message digests: FIPS 180-4 (SHA-1, SHA-2) and FIPS 202 (SHA-3), over node:crypto, and any other
 * that OpenSSL has, by its name there.
 */
import { createHash, hash as hashOnce } from 'node:crypto'
import { type NativeDigest, type NativeOptions, native } from './binding.ts'

/** Digests by OpenSSL's name, with the length of their output in bytes. */
export const digestLengths = {
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

class NamedDigesting implements Hashing {
  readonly #digest: NativeDigest

  constructor(digest: NativeDigest) {
    this.#digest = digest
  }

  update(part: Uint8Array): void {
    native().digestUpdate(this.#digest, part)
  }

  digest(): Uint8Array {
    return native().digestFinal(this.#digest)
  }

  copy(): Hashing {
    return new NamedDigesting(native().digestCopy(this.#digest))
  }
}

/**
 * A digest by OpenSSL's name (MD4, MDC2, WHIRLPOOL, RIPEMD-160; BLAKE2B-512 with `size`; SHAKE-128
 * with `xoflen`: bytes of output). Throws OPENSSL_UNKNOWN where OpenSSL lacks it.
 */
export const namedDigesting = (name: string, options?: NativeOptions): Hashing =>
  new NamedDigesting(native().digest(name, options))
