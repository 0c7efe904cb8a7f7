/**
 * ML-DSA and SLH-DSA signatures over OpenSSL (FIPS 204 and 205). Randomness (hedging) is OpenSSL's;
 * `deterministic` goes without.
 */
import { createHash, type Hash } from 'node:crypto'
import { type NativeOptions, native } from './binding.ts'
import type { Hashing } from './digests.ts'
import {
  importSetPrivate,
  importSetPublic,
  type ParameterSetKey,
  setPublicOf,
} from './parameter-set-keys.ts'
import type { ParameterSet } from './parameter-sets.ts'

/** Bytes of a context at most: its length has one byte. */
export const LONGEST_CONTEXT = 255

/**
 * What a signature is made over. `pure`: a message, with its context. `encoded`: M' of the standard,
 * for a message hashed before. `mu`: the 64 bytes that ML-DSA makes of a public key and M'.
 */
export type Signed =
  | { readonly form: 'pure'; readonly bytes: Uint8Array; readonly context: Uint8Array }
  | { readonly form: 'encoded'; readonly bytes: Uint8Array }
  | { readonly form: 'mu'; readonly bytes: Uint8Array }

function optionsOf(signed: Signed): NativeOptions {
  if (signed.form === 'mu') return { mu: 1 }
  return signed.form === 'encoded'
    ? { 'message-encoding': 0 }
    : { 'context-string': signed.context }
}

/** Signs; takes milliseconds with ML-DSA, up to seconds with SLH-DSA. */
export const signWithSet = (
  { native: key, set }: ParameterSetKey,
  signed: Signed,
  deterministic: boolean,
): Uint8Array =>
  native().sign(
    key,
    signed.bytes,
    { ...optionsOf(signed), deterministic: deterministic ? 1 : 0 },
    set.name,
  )

/** Whether a signature is right; one of another length is not. */
export const verifyWithSet = (
  { native: key, set }: ParameterSetKey,
  signed: Signed,
  signature: Uint8Array,
): boolean => native().verify(key, signed.bytes, optionsOf(signed), set.name, signature)

/** The same for a worker process, where keys are what they are made of. */
export function signWithValue(
  set: ParameterSet,
  value: Uint8Array,
  signed: Signed,
  deterministic: boolean,
): Uint8Array {
  const key = importSetPrivate(set, { value })
  if (key === undefined) throw new Error('the private key is none')
  return signWithSet(key, signed, deterministic)
}

/** As signWithValue, with the value of a public key. */
export function verifyWithValue(
  set: ParameterSet,
  value: Uint8Array,
  signed: Signed,
  signature: Uint8Array,
): boolean {
  const key = importSetPublic(set, value)
  return key !== undefined && verifyWithSet(key, signed, signature)
}

/** M' before the message or its digest: the domain, and the context behind its length. */
const head = (domain: number, context: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(domain, context.length), context])

/** M' of HashML-DSA.Sign (FIPS 204, algorithm 4) and hash_slh_sign (FIPS 205, algorithm 23): `oid` in DER. */
export const encodeHashed = (
  context: Uint8Array,
  oid: Uint8Array,
  digest: Uint8Array,
): Uint8Array => Buffer.concat([head(1, context), oid, digest])

/** SHAKE256 with 64 bytes of output: H of FIPS 204, 3.7, where it makes tr and mu. */
const H = { algorithm: 'shake256', outputLength: 64 } as const

const shake = (hash: Hash): Hashing => ({
  update: (part) => void hash.update(part),
  digest: () => hash.digest(),
  copy: () => shake(hash.copy({ outputLength: H.outputLength })),
})

const hashed = (): Hash => createHash(H.algorithm, { outputLength: H.outputLength })

/**
 * Makes mu of a message in parts: H(H(pk), M') (FIPS 204, algorithm 1, step 9; algorithm 7, step 6),
 * with the M' of algorithm 2. So a message of any length is signed without keeping it.
 */
export function muOf(key: ParameterSetKey, context: Uint8Array): Hashing {
  const hash = hashed().update(hashed().update(setPublicOf(key)).digest())
  return shake(hash.update(head(0, context)))
}
