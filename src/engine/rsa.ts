/**
 * RSA over OpenSSL: PKCS #1 v1.5, PSS, OAEP and raw (RFC 8017), and X9.31. Private operations compute on the
 * thread pool and answer promises; public ones are short and answer at once. Numbers are big-endian.
 */
import { availableParallelism } from 'node:os'
import { isNativeError, type NativeKey, type NativeOptions, native } from './binding.ts'
import { DerReader, integer, NULL, sequence, withoutLeadingZeros } from './der.ts'
import type { DigestName } from './digests.ts'
import { privateKeyInfo, publicKeyInfo, readPrivateKeyInfo, sameBytes } from './key-info.ts'
import { x931Block, x931Signed, x931Smaller } from './rsa-x931.ts'

export interface RsaPublic {
  readonly n: Uint8Array
  readonly e: Uint8Array
}

/** What OpenSSL computes with; without the primes it is about three times slower. */
export interface RsaPrivate extends RsaPublic {
  readonly d: Uint8Array
  readonly p?: Uint8Array | undefined
  readonly q?: Uint8Array | undefined
  readonly dp?: Uint8Array | undefined
  readonly dq?: Uint8Array | undefined
  readonly qi?: Uint8Array | undefined
}

/** A private key with all eight numbers of an RSAPrivateKey (RFC 8017, A.1.2). */
export type RsaParts = RsaPublic &
  Readonly<Record<'d' | 'p' | 'q' | 'dp' | 'dq' | 'qi', Uint8Array>>

/** A parsed key, public or private. */
export interface RsaKey {
  readonly native: NativeKey
  /** Without leading zeros. */
  readonly modulus: Uint8Array
  /** Bits of the modulus. */
  readonly bits: number
  /** Bytes of the modulus: k in RFC 8017. */
  readonly bytes: number
}

/**
 * How a message is padded. A digest in `pkcs1` wraps the input in a DigestInfo, one in `x931` puts the
 * trailer behind it; without, the input is the payload, with the trailer of X9.31.
 */
export type RsaPadding =
  | { readonly mode: 'none' }
  | { readonly mode: 'pkcs1'; readonly digest?: DigestName }
  | { readonly mode: 'x931'; readonly digest?: DigestName }
  | RsaPss
  | RsaOaep

/** The input is a digest made with `digest`. */
export interface RsaPss {
  readonly mode: 'pss'
  readonly digest: DigestName
  readonly mgf1: DigestName
  /** Bytes of the salt, exactly so many in verification too. */
  readonly saltLength: number
}

export interface RsaOaep {
  readonly mode: 'oaep'
  readonly digest: DigestName
  readonly mgf1: DigestName
  /** L of RFC 8017; no bytes for the default. */
  readonly label: Uint8Array
}

const optionsOf = (padding: RsaPadding): NativeOptions => ({
  'pad-mode': padding.mode,
  digest: 'digest' in padding ? padding.digest : undefined,
  'mgf1-digest': 'mgf1' in padding ? padding.mgf1 : undefined,
  saltlen: padding.mode === 'pss' ? String(padding.saltLength) : undefined,
  'oaep-label': padding.mode === 'oaep' && padding.label.length > 0 ? padding.label : undefined,
})

/** Bits of a big-endian number. */
export function bitLength(number: Uint8Array): number {
  const { length, 0: first } = withoutLeadingZeros(number)
  return first === undefined ? 0 : length * 8 - (Math.clz32(first) - 24)
}

function keyOf(modulus: Uint8Array, key: NativeKey): RsaKey {
  const n = withoutLeadingZeros(modulus)
  return { native: key, modulus: n, bits: bitLength(n), bytes: n.length }
}

/** Parses a public key; throws OPENSSL_IMPORT where OpenSSL refuses it. */
export const importRsaPublic = ({ n, e }: RsaPublic): RsaKey =>
  keyOf(n, native().importKey('RSA', 'public', { n, e }))

/** Parses a private key. Whether its numbers belong together is not looked at: completeRsa does. */
export function importRsaPrivate({ n, e, d, p, q, dp, dq, qi }: RsaPrivate): RsaKey {
  const whole = p && q && dp && dq && qi
  const crt = whole && {
    'rsa-factor1': p,
    'rsa-factor2': q,
    'rsa-exponent1': dp,
    'rsa-exponent2': dq,
    'rsa-coefficient1': qi,
  }
  return keyOf(n, native().importKey('RSA', 'private', { n, e, d, ...crt }))
}

/**
 * Checks that n, e, d and the primes belong together and computes what is missing. The primes are
 * found from d where they are absent. Answers undefined where the numbers contradict each other, or
 * p comes without q.
 */
export function completeRsa(key: RsaPrivate): RsaParts | undefined {
  const { n, e, d } = key
  try {
    const [p, q, dp, dq, qi] = native().completeRsa(n, e, d, key.p, key.q)
    const found = { p, q, dp, dq, qi }
    const agrees = (['p', 'q', 'dp', 'dq', 'qi'] as const).every((name) => {
      const given = key[name]
      return given === undefined || sameBytes(withoutLeadingZeros(given), found[name])
    })
    return agrees ? { n, e, d, ...found } : undefined
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_INCONSISTENT')) return undefined
    throw error
  }
}

/** Threads that search the primes of one key. */
const MOST_THREADS = 4

/**
 * A fresh key pair in one native call that takes from milliseconds (1024 bits) to a minute (16384), and
 * every processor that is free: for a worker process. FIPS 186-5, A.1.3. Throws OPENSSL_GENERATE for
 * an exponent that is even or 1.
 */
export function generateRsa(
  bits: number,
  publicExponent: Uint8Array,
  threads = Math.min(availableParallelism(), MOST_THREADS),
): RsaParts {
  const [n, d, p, q] = native().generateRsa(bits, publicExponent, threads)
  const pair = completeRsa({ n, e: withoutLeadingZeros(publicExponent), d, p, q })
  if (pair === undefined) throw new Error('a generated key contradicts itself')
  return pair
}

/** The number as exactly so many bytes, zeros in front. */
export function padTo(bytes: number, number: Uint8Array): Uint8Array {
  const padded = new Uint8Array(bytes)
  padded.set(number, bytes - number.length)
  return padded
}

/** Whether a number of as many bytes as the modulus is below it, as raw RSA needs it. */
export const isBelowModulus = ({ modulus }: RsaKey, number: Uint8Array): boolean =>
  Buffer.compare(number, modulus) < 0

const RAW = { mode: 'none' } as const

/** OpenSSL makes the trailer of X9.31 itself, and takes no other. */
const bringsTrailer = (padding: RsaPadding): boolean =>
  padding.mode === 'x931' && padding.digest === undefined

/** Bytes of the modulus up to which a private operation takes less than a millisecond. */
const QUICK = 384

export const isQuick = ({ bytes }: RsaKey): boolean => bytes <= QUICK

/** Signs at once, where rsaSign leaves the event loop to others meanwhile. */
export function rsaSignAtOnce(key: RsaKey, input: Uint8Array, padding: RsaPadding): Uint8Array {
  if (!bringsTrailer(padding)) return native().sign(key.native, input, optionsOf(padding))
  return x931Smaller(key.modulus, rsaSignAtOnce(key, x931Block(key.bytes, input), RAW))
}

/** Signs. The answer has as many bytes as the modulus. */
export async function rsaSign(
  key: RsaKey,
  input: Uint8Array,
  padding: RsaPadding,
): Promise<Uint8Array> {
  if (!bringsTrailer(padding)) return native().signLater(key.native, input, optionsOf(padding))
  const block = x931Block(key.bytes, input)
  return x931Smaller(key.modulus, await rsaSign(key, block, RAW))
}

/** Whether a signature (as many bytes as the modulus) is right. */
export function rsaVerify(
  key: RsaKey,
  input: Uint8Array,
  padding: RsaPadding,
  signature: Uint8Array,
): boolean {
  if (bringsTrailer(padding)) {
    const signed = rsaRecover(key, signature, RAW)
    return signed !== undefined && x931Signed(key.modulus, signed, x931Block(key.bytes, input))
  }
  return input.length === 0 && padding.mode === 'pkcs1'
    ? signsNothing(key, signature)
    : native().verify(key.native, input, optionsOf(padding), undefined, signature)
}

/**
 * Whether this is the PKCS #1 v1.5 signature of no bytes, which OpenSSL makes and takes for none: EMSA
 * (RFC 8017, 9.2) with nothing behind its padding.
 */
function signsNothing(key: RsaKey, signature: Uint8Array): boolean {
  const encoded = new Uint8Array(key.bytes).fill(0xff)
  encoded.set([0, 1])
  encoded[encoded.length - 1] = 0
  const found = recoverWith(key, signature, RAW)
  return found !== undefined && Buffer.compare(found, encoded) === 0
}

/** What was signed; undefined where the signature is not one. */
export function rsaRecover(
  key: RsaKey,
  signature: Uint8Array,
  padding: RsaPadding,
): Uint8Array | undefined {
  const found = recoverWith(key, signature, padding)
  const isNothing = () => padding.mode === 'pkcs1' && signsNothing(key, signature)
  return found ?? (isNothing() ? new Uint8Array(0) : undefined)
}

function recoverWith(
  key: RsaKey,
  signature: Uint8Array,
  padding: RsaPadding,
): Uint8Array | undefined {
  try {
    return native().verifyRecover(key.native, signature, optionsOf(padding))
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_RECOVER')) return undefined
    throw error
  }
}

/** Encrypts. The answer has as many bytes as the modulus. */
export const rsaEncrypt = (key: RsaKey, plain: Uint8Array, padding: RsaPadding): Uint8Array =>
  native().encrypt(key.native, plain, optionsOf(padding))

/** RSASVE.GENERATE (SP 800-56B, 7.2.1.2): a random number from 2 to n - 2, as long as the modulus, and its encryption. */
export function rsaEncapsulate(key: RsaKey): { ciphertext: Uint8Array; secret: Uint8Array } {
  const [ciphertext, secret] = native().encapsulate(key.native, { operation: 'RSASVE' })
  return { ciphertext, secret }
}

/**
 * Decrypts as many bytes as the modulus has. Undefined where they do not decrypt; with `pkcs1`
 * OpenSSL answers random bytes of random length instead, the same each time (implicit rejection), so
 * that nobody learns from the difference. `atOnce` keeps the event loop meanwhile.
 */
export async function rsaDecrypt(
  key: RsaKey,
  encrypted: Uint8Array,
  padding: RsaPadding,
  atOnce = false,
): Promise<Uint8Array | undefined> {
  const options = optionsOf(padding)
  try {
    if (atOnce) return native().decrypt(key.native, encrypted, options)
    return await native().decryptLater(key.native, encrypted, options)
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_DECRYPT')) return undefined
    throw error
  }
}

/** rsaEncryption, 1.2.840.113549.1.1.1 (RFC 8017, appendix C). */
const RSA_ENCRYPTION = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01)
const ALGORITHM = { oid: RSA_ENCRYPTION, parameters: NULL }

/** SubjectPublicKeyInfo (RFC 3279, 2.3.1). */
export const rsaPublicKeyInfo = ({ n, e }: RsaPublic): Uint8Array =>
  publicKeyInfo(ALGORITHM, sequence(integer(n), integer(e)))

/** PrivateKeyInfo around an RSAPrivateKey. */
export function rsaPrivateKeyInfo({ n, e, d, p, q, dp, dq, qi }: RsaParts): Uint8Array {
  const key = sequence(...[Uint8Array.of(0), n, e, d, p, q, dp, dq, qi].map(integer))
  try {
    return privateKeyInfo(ALGORITHM, key)
  } finally {
    key.fill(0)
  }
}

/**
 * The numbers of an RSAPrivateKey in a PrivateKeyInfo, as views of it; undefined for a key of
 * another algorithm or with more than two primes. Throws DerError.
 */
export function readRsaPrivateKeyInfo(info: Uint8Array): RsaParts | undefined {
  const { algorithm, key } = readPrivateKeyInfo(info)
  if (!sameBytes(algorithm.oid, RSA_ENCRYPTION)) return undefined
  const outer = new DerReader(key)
  const reader = outer.within()
  outer.end()
  const version = reader.integer()
  const [n, e, d, p, q, dp, dq, qi] = Array.from({ length: 8 }, () => reader.integer())
  if (version.length !== 0 || !reader.atEnd) return undefined
  return { n, e, d, p, q, dp, dq, qi } as RsaParts
}
