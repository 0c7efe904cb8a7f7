/** Key encapsulation over OpenSSL: ML-KEM (FIPS 203). */
import { native } from './binding.ts'
import type { ParameterSetKey } from './parameter-set-keys.ts'

/** Bytes of the secret that both sides share, with every parameter set. FIPS 203, table 3. */
export const SHARED_SECRET = 32

/** ML-KEM.Encaps with a public key: the ciphertext, and the secret. */
export const encapsulate = ({
  native: key,
}: ParameterSetKey): { ciphertext: Uint8Array; secret: Uint8Array } => {
  const [ciphertext, secret] = native().encapsulate(key)
  return { ciphertext, secret }
}

/**
 * ML-KEM.Decaps with a private key. A ciphertext of the set's length that nobody made for this key
 * gives another secret, the same each time (implicit rejection): the standard has no error for it.
 */
export const decapsulate = ({ native: key }: ParameterSetKey, ciphertext: Uint8Array): Uint8Array =>
  native().decapsulate(key, ciphertext)
