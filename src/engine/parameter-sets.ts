/**
 * The parameter sets of the post-quantum algorithms: ML-KEM (FIPS 203, table 3), ML-DSA (FIPS 204,
 * table 2) and SLH-DSA (FIPS 205, table 2). Their OIDs are those of NIST's Computer Security Objects
 * Register, which RFC 9935, RFC 9881 and RFC 9909 use.
 */

export interface ParameterSet {
  /** OpenSSL's name for the algorithm with these parameters, and the standard's. */
  readonly name: string
  /** The content bytes of its OBJECT IDENTIFIER. */
  readonly oid: Uint8Array
  /** Bytes of the public key. */
  readonly publicBytes: number
  /** Bytes of the private key as the standard expands it. */
  readonly privateBytes: number
  /** Bytes of the seed that a key pair follows from; 0 where the standard has none. */
  readonly seedBytes: number
  /** Bytes of a signature, or of a ciphertext. */
  readonly outputBytes: number
}

/** nistAlgorithm, 2.16.840.1.101.3.4: below it lie hashes (2), signatures (3) and KEMs (4). */
export const NIST_ALGORITHM: readonly number[] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04]
const SIGNATURES = 3
const KEMS = 4

const oid = (branch: number, last: number) => Uint8Array.of(...NIST_ALGORITHM, branch, last)

/** Name, last number of the OID, and bytes of public key, private key and output. */
type Sizes = readonly [name: string, last: number, pk: number, sk: number, output: number]

const setOf =
  (branch: number, seedBytes: number) =>
  ([name, last, publicBytes, privateBytes, outputBytes]: Sizes): ParameterSet => ({
    name,
    oid: oid(branch, last),
    publicBytes,
    privateBytes,
    seedBytes,
    outputBytes,
  })

const mlKem: readonly Sizes[] = [
  ['ML-KEM-512', 1, 800, 1632, 768],
  ['ML-KEM-768', 2, 1184, 2400, 1088],
  ['ML-KEM-1024', 3, 1568, 3168, 1568],
]

const mlDsa: readonly Sizes[] = [
  ['ML-DSA-44', 17, 1312, 2560, 2420],
  ['ML-DSA-65', 18, 1952, 4032, 3309],
  ['ML-DSA-87', 19, 2592, 4896, 4627],
]

const slhDsa: readonly Sizes[] = [
  ['SLH-DSA-SHA2-128s', 20, 32, 64, 7856],
  ['SLH-DSA-SHA2-128f', 21, 32, 64, 17088],
  ['SLH-DSA-SHA2-192s', 22, 48, 96, 16224],
  ['SLH-DSA-SHA2-192f', 23, 48, 96, 35664],
  ['SLH-DSA-SHA2-256s', 24, 64, 128, 29792],
  ['SLH-DSA-SHA2-256f', 25, 64, 128, 49856],
  ['SLH-DSA-SHAKE-128s', 26, 32, 64, 7856],
  ['SLH-DSA-SHAKE-128f', 27, 32, 64, 17088],
  ['SLH-DSA-SHAKE-192s', 28, 48, 96, 16224],
  ['SLH-DSA-SHAKE-192f', 29, 48, 96, 35664],
  ['SLH-DSA-SHAKE-256s', 30, 64, 128, 29792],
  ['SLH-DSA-SHAKE-256f', 31, 64, 128, 49856],
]

/** The seed is d and z, 32 bytes each (FIPS 203, algorithm 19). */
export const mlKemSets: readonly ParameterSet[] = mlKem.map(setOf(KEMS, 64))
/** The seed is ξ (FIPS 204, algorithm 1). */
export const mlDsaSets: readonly ParameterSet[] = mlDsa.map(setOf(SIGNATURES, 32))
export const slhDsaSets: readonly ParameterSet[] = slhDsa.map(setOf(SIGNATURES, 0))
