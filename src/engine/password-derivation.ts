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

/** Digests that take some 20 ms: of fewer nobody asks how far they are. */
const WORTH_TELLING = 200_000

/** The rate is measured over this share of the digests, at most so many of them: some 10 ms. */
const MEASURED = 1 / 200
const MOST_MEASURED = 50_000

/** In so many parts, of which the fastest counts: what interrupts one does not interrupt all. */
const PARTS = 5

/**
 * The processor time that a derivation will take, in milliseconds, from the rate of its digest here
 * and now: right within some per cent, at a cost of half a per cent. undefined where it is short.
 * OpenSSL derives in one call and tells nothing meanwhile, nor can its iterations be parted.
 */
export function expectedTime(derivation: PasswordDerivation): number | undefined {
  const digests = digestsOf(derivation)
  if (digests < WORTH_TELLING) return undefined
  const iterations = Math.ceil(Math.min(digests * MEASURED, MOST_MEASURED) / PARTS)
  const block = { ...derivation, iterations, length: digestLengths[derivation.digest] }
  const times = Array.from({ length: PARTS }, () => timeOf(block))
  return (Math.min(...times) * digests) / iterations
}

function timeOf(derivation: PasswordDerivation): number {
  const began = performance.now()
  deriveFromPassword(derivation).fill(0)
  return performance.now() - began
}
