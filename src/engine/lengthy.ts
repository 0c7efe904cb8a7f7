/**
 * Primitives that run long in one native call, for a worker process (surrender/workers.ts). What goes
 * in and what comes out can be sent to another process by structured cloning.
 */
import { generateDhParameters, generateX942Parameters } from './diffie-hellman.ts'
import type { DigestName } from './digests.ts'
import { type DsaPrimes, type DsaSizes, generateDsaParameters, generateDsaPrimes } from './dsa.ts'
import type { Domain } from './finite-field.ts'
import { generateSetPair, type SetPair } from './parameter-set-keys.ts'
import { type Signed, signWithValue, verifyWithValue } from './parameter-set-signatures.ts'
import type { ParameterSet } from './parameter-sets.ts'
import { deriveFromPassword, expectedTime, type PasswordDerivation } from './password-derivation.ts'
import { generateRsa, type RsaParts } from './rsa.ts'

/** Tells ahead of the work how much processor time it will take, in milliseconds: an estimate. */
export type Expect = (milliseconds: number) => Promise<void>

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

  /** p, q and g for DSA, of sizes that FIPS 186-4 permits: some 100 ms to many seconds. */
  generateDsaParameters(sizes: DsaSizes): Required<Domain> {
    return generateDsaParameters(sizes)
  },

  /** p and q for DSA, and the seed they were made from. */
  generateDsaPrimes(
    asked: DsaSizes & { readonly digest: DigestName; readonly seedBytes: number },
  ): DsaPrimes {
    return generateDsaPrimes(asked)
  },

  /** A safe prime of so many bits and a base: seconds to an hour. */
  generateDhParameters({ bits }: { readonly bits: number }): Domain {
    return generateDhParameters(bits)
  },

  /** p, q and g for X9.42, q of 160, 224 or 256 bits: some 10 ms to a minute. */
  generateX942Parameters({ bits, subprimeBits }: DsaSizes): Required<Domain> {
    return generateX942Parameters(bits, subprimeBits)
  },

  /** A key from a password: as long as its iterations take, 10 million of them some seconds. */
  async deriveFromPassword(derivation: PasswordDerivation, expect?: Expect): Promise<Uint8Array> {
    const time = expectedTime(derivation)
    if (time !== undefined) await expect?.(time)
    return deriveFromPassword(derivation)
  },

  /** An SLH-DSA key pair: some 10 to 500 ms. */
  generateSlhDsaKeyPair({ set }: { readonly set: ParameterSet }): SetPair {
    return generateSetPair(set)
  },

  /** An SLH-DSA signature with the private key `value`: some 10 ms to seconds. */
  signSlhDsa({
    set,
    value,
    signed,
    deterministic,
  }: {
    readonly set: ParameterSet
    readonly value: Uint8Array
    readonly signed: Signed
    readonly deterministic: boolean
  }): Uint8Array {
    return signWithValue(set, value, signed, deterministic)
  },

  /** Whether an SLH-DSA signature is right for the public key `value`: long only for a long message. */
  verifySlhDsa({
    set,
    value,
    signed,
    signature,
  }: {
    readonly set: ParameterSet
    readonly value: Uint8Array
    readonly signed: Signed
    readonly signature: Uint8Array
  }): boolean {
    return verifyWithValue(set, value, signed, signature)
  },
}
