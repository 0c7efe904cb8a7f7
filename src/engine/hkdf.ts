/** HKDF: keys from keying material that is not uniform. RFC 5869. */
import { type DigestName, digestLengths } from './digests.ts'
import { hmac } from './macs.ts'

const NOTHING = new Uint8Array(0)

const hmacOf = (digest: DigestName, key: Uint8Array, ...parts: readonly Uint8Array[]) => {
  const mac = hmac(digest, key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/** 2.2: a pseudorandom key as long as the digest's output. Without a salt it is as many zeros. */
export const hkdfExtract = (
  digest: DigestName,
  salt: Uint8Array | undefined,
  material: Uint8Array,
): Uint8Array => hmacOf(digest, salt ?? new Uint8Array(digestLengths[digest]), material)

/** The most bytes that HKDF makes: 255 times what the digest puts out (2.3). */
export const mostExpanded = (digest: DigestName): number => 255 * digestLengths[digest]

/** 2.3: 1 to `mostExpanded` bytes from a pseudorandom key. */
export function hkdfExpand(
  digest: DigestName,
  key: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const made = new Uint8Array(length)
  let before: Uint8Array = NOTHING
  for (let at = 0, counter = 1; at < length; at += before.length, counter++) {
    before = hmacOf(digest, key, before, info, Uint8Array.of(counter))
    made.set(before.subarray(0, length - at), at)
  }
  before.fill(0)
  return made
}
