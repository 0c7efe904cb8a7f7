/**
 * HMAC (FIPS 198-1, RFC 2104), Poly1305 (RFC 8439), any MAC that OpenSSL has by its name there, and
 * the comparison of MACs.
 */
import { timingSafeEqual } from 'node:crypto'
import { type NativeMac, type NativeOptions, native } from './binding.ts'
import {
  type Blake2bName,
  type DigestName,
  digesting,
  digestLengths,
  digestOf,
  type Hashing,
  isBlake2b,
} from './digests.ts'
import { lazily } from './lazily.ts'

/** A MAC in parts, which another one can go on from. */
export interface Mac extends Hashing {
  copy(): Mac
  /** The MAC of all of a message, where nothing was updated; absent where that is no quicker. */
  readonly whole?: (message: Uint8Array) => Uint8Array
}

const nativeMac = (mac: NativeMac): Mac => ({
  update: (part) => native().macUpdate(mac, part),
  digest: () => native().macFinal(mac),
  copy: () => nativeMac(native().macCopy(mac)),
})

/** Poly1305 in parts; the key has 32 bytes, the MAC 16. A key is for one message only (RFC 8439, 2.5). */
export const poly1305 = (key: Uint8Array): Mac => nativeMac(native().mac('POLY1305', key))

/** The digest of what an outer hash began with and of the digest of an inner one, which takes the message. */
export const nested = (inner: Hashing, outer: Hashing): Mac => ({
  update: (part) => inner.update(part),
  digest: () => {
    outer.update(inner.digest())
    return outer.digest()
  },
  copy: () => nested(inner.copy(), outer.copy()),
})

/** Bytes of a block of BLAKE2b (RFC 7693, 2.1). */
const BLAKE2B_BLOCK = 128

/**
 * HMAC over BLAKE2b. OpenSSL's HMAC takes no digest of another length than its usual one, so that RFC
 * 2104 is followed here, step by its steps.
 */
function blake2bHmac(name: Blake2bName, key: Uint8Array): Mac {
  const block = new Uint8Array(BLAKE2B_BLOCK)
  // (1) The key is filled up with zeros to a block; a longer one is digested first.
  block.set(key.length > BLAKE2B_BLOCK ? digestOf(name, key) : key)
  // (2), (3) and (5), (6): each digest begins with the key and a pad of its own.
  const begin = (pad: number): Hashing => {
    const hash = digesting(name)
    const padded = block.map((byte) => byte ^ pad)
    hash.update(padded)
    padded.fill(0)
    return hash
  }
  const mac = nested(begin(0x36), begin(0x5c))
  block.fill(0)
  return mac
}

/** HMAC in parts; its output is as long as the digest's. The key has any length, also none. */
export const hmac = (name: DigestName, key: Uint8Array): Mac =>
  isBlake2b(name) ? blake2bHmac(name, key) : nativeMac(native().mac('HMAC', key, { digest: name }))

/**
 * The same with a key that nobody wipes meanwhile: it begins with the first part, since a message that
 * comes whole needs no stream.
 */
export function hmacWithKept(name: DigestName, key: Uint8Array): Mac {
  if (isBlake2b(name)) return blake2bHmac(name, key)
  const begin = lazily(() => hmac(name, key))
  return {
    whole: (message) => {
      const mac = Buffer.allocUnsafe(digestLengths[name])
      native().hmac(name, key, message, mac)
      return mac
    },
    update: (part) => begin().update(part),
    digest: () => begin().digest(),
    copy: () => begin().copy(),
  }
}

/**
 * Whether two values are the same, in a time that tells nothing about where they differ. Their
 * lengths are no secret.
 */
export const equalInConstantTime = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other)

/**
 * A MAC by OpenSSL's name: HMAC (`digest`), CMAC (`cipher`: AES-128-CBC ...), GMAC (`cipher`, `iv`),
 * KMAC-128 and KMAC-256 (`custom`, `size`, `xof`), POLY1305, BLAKE2BMAC (`size`), SIPHASH (`size`).
 * Throws OPENSSL_OPTION where the key has a length that the MAC does not take.
 */
export const macing = (name: string, key: Uint8Array, options?: NativeOptions): Mac =>
  nativeMac(native().mac(name, key, options))
