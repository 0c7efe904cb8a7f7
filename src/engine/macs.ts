/**
 * HMAC (FIPS 198-1, RFC 2104) over node:crypto, any MAC that OpenSSL has by its name there, and the
 * comparison of MACs.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type NativeMac, type NativeOptions, native } from './binding.ts'
import type { Digesting, DigestName, Hashing } from './digests.ts'

/** HMAC in parts; its output is as long as the digest's. The key has any length, also none. */
export const hmac = (name: DigestName, key: Uint8Array): Digesting => createHmac(name, key)

/**
 * Whether two values are the same, in a time that tells nothing about where they differ. Their
 * lengths are no secret.
 */
export const equalInConstantTime = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other)

class NamedMacing implements Hashing {
  readonly #mac: NativeMac

  constructor(mac: NativeMac) {
    this.#mac = mac
  }

  update(part: Uint8Array): void {
    native().macUpdate(this.#mac, part)
  }

  digest(): Uint8Array {
    return native().macFinal(this.#mac)
  }

  copy(): Hashing {
    return new NamedMacing(native().macCopy(this.#mac))
  }
}

/**
 * A MAC by OpenSSL's name: HMAC (`digest`), CMAC (`cipher`: AES-128-CBC ...), GMAC (`cipher`, `iv`),
 * KMAC-128 and KMAC-256 (`custom`, `size`, `xof`), POLY1305, BLAKE2BMAC (`size`), SIPHASH (`size`).
 * Throws OPENSSL_OPTION where the key has a length that the MAC does not take.
 */
export const macing = (name: string, key: Uint8Array, options?: NativeOptions): Hashing =>
  new NamedMacing(native().mac(name, key, options))
