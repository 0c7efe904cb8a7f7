/** HMAC (FIPS 198-1, RFC 2104) over node:crypto, and the comparison of MACs. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Digesting, DigestName } from './digests.ts'

/** A MAC in parts. */
export interface Mac extends Digesting {
  /** A second one in the same state; absent where its state cannot be had. */
  copy?(): Mac
}

/** HMAC in parts; its output is as long as the digest's. The key has any length, also none. */
export const hmac = (name: DigestName, key: Uint8Array): Mac => createHmac(name, key)

/**
 * Whether two values are the same, in a time that tells nothing about where they differ. Their
 * lengths are no secret.
 */
export const equalInConstantTime = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other)
