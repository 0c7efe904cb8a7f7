/**
 * The binding to the OpenSSL inside Node (native/openssl), typed. Names of options and components
 * are OpenSSL's own; its manual says what they mean (EVP_PKEY-RSA(7), EVP_SIGNATURE-RSA(7) ...).
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

declare const mark: unique symbol

/** What the binding keeps for JavaScript; it frees itself, and does not leave its thread. */
interface NativeHandle<Kind extends string> {
  readonly [mark]: Kind
}

/** A key, or domain parameters, as OpenSSL parsed it. */
export type NativeKey = NativeHandle<'key'>
/** A cipher, a digest or a MAC under way. After its final it takes nothing more. */
export type NativeCipher = NativeHandle<'cipher'>
export type NativeDigest = NativeHandle<'digest'>
export type NativeMac = NativeHandle<'mac'>

type OptionValue = Uint8Array | number | string | undefined

/**
 * What an option or component is: bytes (an octet string, or a big integer), a small number, or
 * text; an array where an option is given more than once. At most 16 values of 1 MiB each.
 */
export type NativeOptions = Readonly<Record<string, OptionValue | readonly OptionValue[]>>

export type AlgorithmKind = 'cipher' | 'mac' | 'digest' | 'kdf' | 'key' | 'signature' | 'kem'

/**
 * Ciphers in parts, with names of EVP_CIPHER (AES-128-CBC-CTS, DES-CBC, ChaCha20-Poly1305 ...). Old
 * ones (DES, RC2, RC4, IDEA, CAST5, Blowfish, SEED) come from the legacy provider.
 */
export interface NativeCiphers {
  /**
   * The key and the IV have the cipher's lengths, and choose them where it takes several; the IV is
   * null for a cipher without one, and for the default IV of key wrap. Padding is on in ECB and CBC
   * unless `padding` is 0. RC2 has 128 effective bits unless `keybits` says otherwise. `tag` is the
   * tag to decrypt with; `taglen` the length of one that is not there yet (CCM, OCB), in bytes.
   */
  cipher(
    name: string,
    direction: 'encrypt' | 'decrypt',
    key: Uint8Array,
    iv: Uint8Array | null,
    options?: NativeOptions,
  ): NativeCipher
  /** Options on the way: `tag`, where it comes after the ciphertext (not for CCM). */
  cipherOptions(cipher: NativeCipher, options: NativeOptions): void
  /** Bytes of the whole plaintext or ciphertext: CCM needs it before additional data. */
  cipherLength(cipher: NativeCipher, length: number): void
  /** Additional data, before the first update; CCM: all at once, SIV: a component each call. */
  cipherAad(cipher: NativeCipher, data: Uint8Array): void
  /** At most 1 GiB. CCM (also no bytes), SIV, XTS, CTS and key wrap take the whole in one call. */
  cipherUpdate(cipher: NativeCipher, part: Uint8Array): Uint8Array
  /** The same of a cipher in GCM, into as many bytes apart from the part. */
  cipherUpdateInto(cipher: NativeCipher, part: Uint8Array, output: Uint8Array): void
  /** What was held back. Throws OPENSSL_DECRYPT where the tag or the padding is wrong. */
  cipherFinal(cipher: NativeCipher): Uint8Array
  /** The tag of an encryption after its final: 1 to 16 bytes. */
  cipherTag(cipher: NativeCipher, length: number): Uint8Array
  cipherCopy(cipher: NativeCipher): NativeCipher
}

/** Digests in parts that node:crypto has not: MD4, MDC2, WHIRLPOOL, BLAKE2B-512 with a `size` ... */
export interface NativeDigests {
  digest(name: string, options?: NativeOptions): NativeDigest
  digestUpdate(digest: NativeDigest, part: Uint8Array): void
  /** `length` (up to 1 MiB) for an extendable digest, and for no other. */
  digestFinal(digest: NativeDigest, length?: number): Uint8Array
  /** The next bytes of an extendable digest; it takes no more updates. */
  digestSqueeze(digest: NativeDigest, length: number): Uint8Array
  digestCopy(digest: NativeDigest): NativeDigest
}

/** MACs in parts (HMAC, CMAC, GMAC, KMAC-128, POLY1305, BLAKE2BMAC ...), and key derivation. */
export interface NativeMacs {
  mac(name: string, key: Uint8Array, options?: NativeOptions): NativeMac
  macUpdate(mac: NativeMac, part: Uint8Array): void
  /** The whole MAC; `size`, where the MAC has this option, says how long it is. */
  macFinal(mac: NativeMac): Uint8Array
  macCopy(mac: NativeMac): NativeMac
  /** 1 byte to 1 MiB from HKDF, KBKDF, PBKDF2, TLS1-PRF ... */
  kdf(name: string, options: NativeOptions, length: number): Uint8Array
}

/**
 * Whole messages in one call, their result written into the last argument, which is as long as the
 * result and apart from the input. That is what short messages want.
 */
export interface NativeWhole {
  /** r and s of a digest, each half as long as the signature. */
  ecdsaSign(key: NativeKey, digest: Uint8Array, signature: Uint8Array): void
  /** Whether they are right; both may lack leading zeros. At most 72 bytes each. */
  ecdsaVerify(key: NativeKey, digest: Uint8Array, signature: Uint8Array): boolean
  /** A digest of a length of its own. */
  digestWhole(name: string, input: Uint8Array, digest: Uint8Array): void
  /** HMAC in full. */
  hmac(digest: string, key: Uint8Array, input: Uint8Array, mac: Uint8Array): void
  /** Whole blocks in ECB (without an IV) or CBC, without padding. */
  encryptBlocks: NativeBlocks
  decryptBlocks: NativeBlocks
  /** GCM. The output is the ciphertext and the tag, which is what it has room for behind it. */
  sealGcm(...message: NativeGcm): void
  /** The input is the ciphertext and the tag. Whether that is right; where not, the output is zeros. */
  openGcm(...message: NativeGcm): boolean
  /** Fills the output with random bytes. */
  random(output: Uint8Array): void
}

type NativeBlocks = (
  name: string,
  key: Uint8Array,
  iv: Uint8Array | null,
  nothing: null,
  input: Uint8Array,
  output: Uint8Array,
) => void

/** The IV has 1 to 128 bytes. */
type NativeGcm = [
  name: string,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  input: Uint8Array,
  output: Uint8Array,
]

type Transform = (
  key: NativeKey,
  input: Uint8Array,
  options?: NativeOptions,
  algorithm?: string,
) => Uint8Array
type Verify = (
  key: NativeKey,
  input: Uint8Array,
  options: NativeOptions | undefined,
  algorithm: string | undefined,
  signature: Uint8Array,
) => boolean
type TransformLater = (...values: Parameters<Transform>) => Promise<Uint8Array>

/** Memory that two processes share (Linux). */
export interface NativeMemory {
  /**
   * At most 64 MiB whose length nobody can change, and the descriptor that another process maps it by;
   * that is to be closed. Throws OPENSSL_MEMORY where the system has none.
   */
  makeMemory(length: number): [memory: ArrayBuffer, descriptor: number]
  /** Sends 1 to 4,096 bytes with a descriptor by a Unix socket; false where not all went at once. */
  sendDescriptor(socket: number, bytes: Uint8Array, descriptor: number): boolean
  /** Sends one byte by a socket, or none where that would have to wait. */
  ring(socket: number): void
}

/**
 * The functions of the binding. An option that OpenSSL does not list for the operation is an error.
 * `algorithm` names a signature over a message (ED25519, ML-DSA-65); absent, OpenSSL signs the
 * digest it is given. What ends in `Later` computes on the thread pool.
 */
export interface Native
  extends NativeCiphers,
    NativeDigests,
    NativeMacs,
    NativeMemory,
    NativeWhole {
  /** A key of a type (RSA, EC, ED25519 ...), or domain parameters (DH, DHX, DSA), from components. */
  importKey(
    type: string,
    selection: 'public' | 'private' | 'parameters',
    components: NativeOptions,
  ): NativeKey
  /** A fresh key of a type, or with the domain parameters of a key. `seed` makes it the seed's. */
  generate(from: string | NativeKey, options: NativeOptions): NativeKey
  /** Fresh domain parameters of a type (DH, DHX, DSA, EC), or a new generator to a key's p and q. */
  generateParameters(from: string | NativeKey, options: NativeOptions): NativeKey
  /** Whether OpenSSL finds the key sound. Slow for RSA: it proves the primes. */
  check(key: NativeKey, what: 'public' | 'private' | 'pair' | 'parameters'): boolean
  /** A big integer (most significant byte first, no leading zeros) or an octet string of a key. */
  component(key: NativeKey, name: string): Uint8Array
  /** A whole number of a key: bits, pcounter, gindex ... It may be negative. */
  numberComponent(key: NativeKey, name: string): number
  /** A text of a key, such as its group. */
  textComponent(key: NativeKey, name: string): string
  sign: Transform
  signLater: TransformLater
  /** Signs a digest with an algorithm that would otherwise make it itself: ED25519ph. */
  signDigest: Transform
  verifyRecover: Transform
  encrypt: Transform
  decrypt: Transform
  decryptLater: TransformLater
  verify: Verify
  verifyLater(...values: Parameters<Verify>): Promise<boolean>
  verifyDigest: Verify
  derive(key: NativeKey, peer: NativeKey, options?: NativeOptions): Uint8Array
  /**
   * A ciphertext for the key's holder, and the secret in it: ML-KEM; RSASVE for RSA; DHKEM for EC,
   * X25519 and X448. `ikme` makes it deterministic, for tests.
   */
  encapsulate(key: NativeKey, options?: NativeOptions): [ciphertext: Uint8Array, secret: Uint8Array]
  /** The secret. ML-KEM answers another one for a wrong ciphertext of the right length. */
  decapsulate(key: NativeKey, ciphertext: Uint8Array, options?: NativeOptions): Uint8Array
  /** p, q, dp, dq, qi; throws OPENSSL_INCONSISTENT where n, e, d, p and q do not belong together. */
  completeRsa(
    n: Uint8Array,
    e: Uint8Array,
    d: Uint8Array,
    p?: Uint8Array,
    q?: Uint8Array,
  ): [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  /**
   * n, d, p and q of a fresh key with a modulus of so many bits, 1024 to 16384, the larger prime
   * first; so many threads search them. The exponent is odd, greater than 1, and has at most 32 bytes.
   */
  generateRsa(
    bits: number,
    e: Uint8Array,
    threads: number,
  ): [n: Uint8Array, d: Uint8Array, p: Uint8Array, q: Uint8Array]
  /** A number from 1 to the order less 1, from a longer one: FIPS 186-5, A.2.1. */
  reduceToScalar(order: Uint8Array, drawn: Uint8Array): Uint8Array
  /** Whether OpenSSL has an algorithm, its legacy provider included. `key` is a type of key. */
  has(kind: AlgorithmKind, name: string): boolean
  dieWithParent(): void
  leaveNoCoreFile(): void
  giveMemoryBack(): void
}

/** `code` of an error from the binding. Its message is fixed text and holds no data. */
export type NativeErrorCode =
  | 'OPENSSL_ARGUMENT'
  | 'OPENSSL_OPTION'
  | 'OPENSSL_MEMORY'
  | 'OPENSSL_IMPORT'
  | 'OPENSSL_GENERATE'
  | 'OPENSSL_COMPONENT'
  | 'OPENSSL_SIGN'
  | 'OPENSSL_RECOVER'
  | 'OPENSSL_ENCRYPT'
  | 'OPENSSL_DECRYPT'
  | 'OPENSSL_DERIVE'
  | 'OPENSSL_INCONSISTENT'
  | 'OPENSSL_UNKNOWN'
  | 'OPENSSL_COPY'
  | 'OPENSSL_DIGEST'
  | 'OPENSSL_MAC'
  | 'OPENSSL_ENCAPSULATE'
  | 'OPENSSL_DECAPSULATE'

/** Whether an error is the binding's, with this code. */
export const isNativeError = (error: unknown, code: NativeErrorCode): boolean =>
  error instanceof Error && 'code' in error && error.code === code

/** SOFTOKI_SANITIZED=1 takes the build with sanitizers (scripts/build-native.mjs --sanitize). */
const folder = process.env.SOFTOKI_SANITIZED === '1' ? 'native/build/sanitized' : 'native/build'

/** This file lies at different depths as source and compiled; package.json is above it in both. */
function packageFolder(): string {
  let place = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(place, 'package.json')) && dirname(place) !== place)
    place = dirname(place)
  return place
}

function load(): Native {
  const file = join(packageFolder(), folder, 'softoki-openssl.node')
  if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build\``)
  return createRequire(import.meta.url)(file)
}

let loaded: Native | undefined

/** The binding, loaded when it is first needed. Throws where it was not built. */
export function native(): Native {
  loaded ??= load()
  return loaded
}

/**
 * From now on the kernel kills this process when the one that started it ends, also in the middle of
 * a long native call. Linux; elsewhere nothing happens.
 */
export const dieWithParent = (): void => native().dieWithParent()

/** This process and those it starts write no core file from now on: it would hold keys. */
export const leaveNoCoreFile = (): void => native().leaveNoCoreFile()

/**
 * What takes 8 MiB and more goes back to the system when it is freed, and is not kept for the next
 * that a thread needs. With glibc; elsewhere nothing happens.
 */
export const giveMemoryBack = (): void => native().giveMemoryBack()
