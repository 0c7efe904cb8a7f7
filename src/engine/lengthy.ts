/**
 * Primitives that run long in one native call, for a worker process (surrender/workers.ts). What goes
 * in and what comes out can be sent to another process by structured cloning.
 */
import { deriveFromPassword, type PasswordDerivation } from './password-derivation.ts'
import { generateRsa, type RsaParts } from './rsa.ts'

export const lengthy = {
  /**
   * An RSA key pair with a modulus of exactly so many bits, an even number from 1024 to 16384. The
   * exponent is big-endian, odd and greater than 1.
   */
  generateRsaKeyPair({
    bits,
    publicExponent,
  }: {
    readonly bits: number
    readonly publicExponent: Uint8Array
  }): RsaParts {
    return generateRsa(bits, publicExponent)
  },

  /** As long as its iterations take: some 10 million a second divided by the blocks of the key. */
  deriveFromPassword(derivation: PasswordDerivation): Uint8Array {
    return deriveFromPassword(derivation)
  },
}
