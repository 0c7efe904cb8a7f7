/** EdDSA over OpenSSL: the five schemes of RFC 8032. */
import { createHash } from 'node:crypto'
import { type NativeOptions, native } from './binding.ts'
import type { Hashing } from './digests.ts'
import type { OctetKey } from './octet-curves.ts'

/** One way to sign, in OpenSSL's words. */
export interface EddsaScheme {
  readonly algorithm: 'ED25519' | 'ED25519ctx' | 'ED25519ph' | 'ED448' | 'ED448ph'
  /** Up to 255 bytes; without it OpenSSL takes none. ED25519 has none, ED25519ctx has at least one. */
  readonly context?: Uint8Array
}

const optionsOf = ({ context }: EddsaScheme): NativeOptions => ({ 'context-string': context })

/** Bytes of a signature: R and S, each as long as a public key. RFC 8032, 3.3. */
export const eddsaBytes = ({ curve }: OctetKey): number => 2 * curve.bytes

/** Signs a whole message on the thread pool: it is hashed twice. */
export const eddsaSign = (
  key: OctetKey,
  scheme: EddsaScheme,
  message: Uint8Array,
): Promise<Uint8Array> =>
  native().signLater(key.native, message, optionsOf(scheme), scheme.algorithm)

/** Signs a short message, in this thread. */
export const eddsaSignShort = (
  key: OctetKey,
  scheme: EddsaScheme,
  message: Uint8Array,
): Uint8Array => native().sign(key.native, message, optionsOf(scheme), scheme.algorithm)

/** Whether a signature over a short message is right; in this thread. */
export const eddsaVerifyShort = (
  key: OctetKey,
  scheme: EddsaScheme,
  message: Uint8Array,
  signature: Uint8Array,
): boolean => native().verify(key.native, message, optionsOf(scheme), scheme.algorithm, signature)

/** Whether a signature over a whole message is right; on the thread pool. */
export const eddsaVerify = (
  key: OctetKey,
  scheme: EddsaScheme,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> =>
  native().verifyLater(key.native, message, optionsOf(scheme), scheme.algorithm, signature)

/** Signs a digest that `prehashing` made, with ED25519ph or ED448ph. */
export const eddsaSignDigest = (
  key: OctetKey,
  scheme: EddsaScheme,
  digest: Uint8Array,
): Uint8Array => native().signDigest(key.native, digest, optionsOf(scheme), scheme.algorithm)

/** Whether a signature over such a digest is right. */
export const eddsaVerifyDigest = (
  key: OctetKey,
  scheme: EddsaScheme,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean =>
  native().verifyDigest(key.native, digest, optionsOf(scheme), scheme.algorithm, signature)

/** PH of RFC 8032, 5.1 and 5.2: SHA-512, or 64 bytes of SHAKE256. */
export const prehashing = ({ curve }: OctetKey): Hashing =>
  curve.type === 'ED25519' ? createHash('sha512') : createHash('shake256', { outputLength: 64 })
