/** DSA over OpenSSL: signatures, and domain parameters (FIPS 186-4, 4 and appendix A). */
import { isNativeError, type NativeKey, native } from './binding.ts'
import { DerReader, integer, sequence } from './der.ts'
import { type DigestName, digestLengths } from './digests.ts'
import { type Domain, dsaField, isSound } from './finite-field.ts'
import { randomBytes } from './random.ts'
import { padTo } from './rsa.ts'

/** A parsed key, public or private. */
export interface DsaKey {
  readonly native: NativeKey
  /** Bytes of q, and so of each half of a signature. */
  readonly bytes: number
}

/** Signs a digest, of which the leftmost bits count. The answer is r and s, `bytes` each. */
export function dsaSign({ native: key, bytes }: DsaKey, digest: Uint8Array): Uint8Array {
  const reader = new DerReader(native().sign(key, digest)).within()
  const [r, s] = [reader.integer(), reader.integer()]
  return Buffer.concat([padTo(bytes, r), padTo(bytes, s)])
}

/** Whether a signature, r and s of `bytes` each, is right. */
export function dsaVerify(
  { native: key, bytes }: DsaKey,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const [r, s] = [signature.subarray(0, bytes), signature.subarray(bytes)]
  return native().verify(key, digest, undefined, undefined, sequence(integer(r), integer(s)))
}

/** Bits of p and of q: a pair that FIPS 186-4, 4.2, permits. */
export interface DsaSizes {
  readonly bits: number
  readonly subprimeBits: number
}

const FIPS_186_4 = { type: 'fips186_4' } as const

const sized = ({ bits, subprimeBits }: DsaSizes) => ({
  ...FIPS_186_4,
  pbits: bits,
  qbits: subprimeBits,
})

const part = (key: NativeKey, name: string): Uint8Array => native().component(key, name)

/** Fresh p, q and g: from 100 ms (1024 bits) to many seconds (3072). */
export function generateDsaParameters(sizes: DsaSizes): Required<Domain> {
  const made = native().generateParameters(dsaField.type, sized(sizes))
  return { p: part(made, 'p'), q: part(made, 'q'), g: part(made, 'g') }
}

export interface DsaPrimes {
  readonly p: Uint8Array
  readonly q: Uint8Array
  /** What both were made from. */
  readonly seed: Uint8Array
}

/** One seed in some hundred makes a prime q; so many without one would be no chance. */
const MOST_SEEDS = 100_000

/**
 * Fresh p and q by A.1.1.2, with a digest no shorter than q, from a seed of so many bytes, no fewer
 * than q has.
 */
export function generateDsaPrimes(
  sizes: DsaSizes & { readonly digest: DigestName; readonly seedBytes: number },
): DsaPrimes {
  for (let tried = 0; ; tried++) {
    const seed = randomBytes(sizes.seedBytes)
    const options = { ...sized(sizes), digest: sizes.digest, seed }
    try {
      const made = native().generateParameters(dsaField.type, options)
      return { p: part(made, 'p'), q: part(made, 'q'), seed }
    } catch (error) {
      // OpenSSL fails where the seed it is given leads to no primes.
      if (tried >= MOST_SEEDS || !isNativeError(error, 'OPENSSL_GENERATE')) throw error
    }
  }
}

/**
 * The base that A.2.3 makes of p, q, their seed and an index (0 to 255): always the same, so that it
 * can be verified. Undefined where it makes none of such primes.
 */
export function generateDsaBase(
  { p, q, seed }: DsaPrimes,
  { digest, index, ...sizes }: DsaSizes & { readonly digest: DigestName; readonly index: number },
): Uint8Array | undefined {
  const primes = native().importKey(dsaField.type, 'parameters', { p, q })
  const options = { ...sized(sizes), digest, seed, gindex: index }
  try {
    const g = part(native().generateParameters(primes, options), 'g')
    return isSound(dsaField, { p, q, g }) ? g : undefined
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_GENERATE')) return undefined
    throw error
  }
}

/** Bytes of a seed where nobody says how many: as many as the digest has. */
export const usualSeedBytes = (digest: DigestName): number => digestLengths[digest]
