/**
 * Keys from passwords: PBKDF2 and PBKDF1 (RFC 8018, 5), and the derivation of PKCS #12 (RFC 7292,
 * appendix B). They iterate as often as they are told, so that they run long.
 */
import { native } from './binding.ts'
import { type DigestName, digestLengths } from './digests.ts'

export interface PasswordDerivation {
  readonly method: 'PBKDF2' | 'PBKDF1' | 'PKCS12KDF'
  readonly digest: DigestName
  readonly password: Uint8Array
  readonly salt: Uint8Array
  /** From 1 to 2^32 - 1. */
  readonly iterations: number
  /** Bytes of the key; of PBKDF1 at most as many as the digest has. */
  readonly length: number
  /** Of PKCS #12 (B.3): 1 for a key, 2 for an IV, 3 for the key of a MAC. */
  readonly id?: 1 | 2 | 3
}

/** Digests of a block of the result in a derivation: it takes as long as these do. */
export const digestsOf = ({ digest, iterations, length }: PasswordDerivation): number =>
  iterations * Math.ceil(length / digestLengths[digest])

/** The bytes of the key. PKCS #12 takes no password without a salt. */
export function deriveFromPassword(derivation: PasswordDerivation): Uint8Array {
  const { method, digest, password, salt, iterations, length, id } = derivation
  const options = { digest, pass: password, salt, iter: iterations }
  return native().kdf(method, id === undefined ? options : { ...options, id }, length)
}
