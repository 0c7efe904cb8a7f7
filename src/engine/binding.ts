/**
 * The binding to the OpenSSL inside Node (native/openssl), typed. Names of options and components
 * are OpenSSL's own; its manual says what they mean (EVP_PKEY-RSA(7), EVP_SIGNATURE-RSA(7) ...).
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

declare const keyMark: unique symbol

/** A key as OpenSSL parsed it; it frees itself. */
export interface NativeKey {
  readonly [keyMark]: true
}

/** What an option or component is: bytes (an octet string, or a big integer), a small number, or text. */
export type NativeOptions = Readonly<Record<string, Uint8Array | number | string | undefined>>

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

/**
 * The functions of the binding. An option that OpenSSL does not list for the operation is an error.
 * `algorithm` names a signature over a message (ED25519, ML-DSA-65); absent, OpenSSL signs the
 * digest it is given. What ends in `Later` computes on the thread pool.
 */
export interface Native {
  /** A key of a type (RSA, EC, ED25519 ...) from its components. */
  importKey(type: string, selection: 'public' | 'private', components: NativeOptions): NativeKey
  generate(type: string, options: NativeOptions): NativeKey
  /** Whether OpenSSL finds the key sound. Slow for RSA: it proves the primes. */
  check(key: NativeKey, what: 'public' | 'private' | 'pair'): boolean
  /** A big integer (most significant byte first, no leading zeros) or an octet string of a key. */
  component(key: NativeKey, name: string): Uint8Array
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
  /** p, q, dp, dq, qi; throws OPENSSL_INCONSISTENT where n, e, d, p and q do not belong together. */
  completeRsa(
    n: Uint8Array,
    e: Uint8Array,
    d: Uint8Array,
    p?: Uint8Array,
    q?: Uint8Array,
  ): [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  /** A number from 1 to the order less 1, from a longer one: FIPS 186-5, A.2.1. */
  reduceToScalar(order: Uint8Array, drawn: Uint8Array): Uint8Array
  dieWithParent(): void
  leaveNoCoreFile(): void
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
