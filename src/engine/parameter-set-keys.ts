/**
 * Keys of ML-KEM, ML-DSA and SLH-DSA over OpenSSL, and how they look outside: RFC 9935, RFC 9881 and
 * RFC 9909. Public and private keys are the byte strings of FIPS 203, 204 and 205.
 */
import { isNativeError, type NativeKey, native } from './binding.ts'
import { contextTag, DerError, DerReader, octetString, sequence, TAG } from './der.ts'
import { privateKeyInfo, publicKeyInfo, readPrivateKeyInfo, sameBytes } from './key-info.ts'
import type { ParameterSet } from './parameter-sets.ts'

/** A parsed key, public or private. */
export interface ParameterSetKey {
  readonly native: NativeKey
  readonly set: ParameterSet
}

/** What a private key is told by: its seed, its expanded value, or both. */
export interface PrivateParts {
  readonly seed?: Uint8Array | undefined
  readonly value?: Uint8Array | undefined
}

/** A private key with its expanded value. */
export type WholePrivate = PrivateParts & { readonly value: Uint8Array }

function importKey(
  set: ParameterSet,
  selection: 'public' | 'private',
  components: Readonly<Record<string, Uint8Array | undefined>>,
): ParameterSetKey | undefined {
  try {
    return { native: native().importKey(set.name, selection, components), set }
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_IMPORT')) return undefined
    throw error
  }
}

/** Parses a public key; undefined for one of another length, or with coefficients out of range. */
export const importSetPublic = (
  set: ParameterSet,
  value: Uint8Array,
): ParameterSetKey | undefined =>
  value.length === set.publicBytes ? importKey(set, 'public', { pub: value }) : undefined

/**
 * Parses a private key; undefined for a length that is not the set's, for a value whose parts
 * contradict each other, and for a seed that is not that of the value. Of an SLH-DSA key only the
 * length can be told: whether its root is right takes as long as making a key.
 */
export function importSetPrivate(
  set: ParameterSet,
  { seed, value }: PrivateParts,
): ParameterSetKey | undefined {
  if (seed !== undefined && (set.seedBytes === 0 || seed.length !== set.seedBytes)) return undefined
  if (value !== undefined && value.length !== set.privateBytes) return undefined
  return importKey(set, 'private', { seed, priv: value })
}

/** The public half of a key. */
export const setPublicOf = (key: ParameterSetKey): Uint8Array =>
  native().component(key.native, 'pub')

/** The expanded value of a private key. */
export const setValueOf = (key: ParameterSetKey): Uint8Array =>
  native().component(key.native, 'priv')

export interface SetPair {
  readonly publicKey: Uint8Array
  readonly value: Uint8Array
  /** Absent where the set has none. */
  readonly seed?: Uint8Array
}

/** A fresh key pair: at once for ML-KEM and ML-DSA; SLH-DSA may take half a second. */
export function generateSetPair(set: ParameterSet): SetPair {
  const key = { native: native().generate(set.name, {}), set }
  const pair = { publicKey: setPublicOf(key), value: setValueOf(key) }
  return set.seedBytes === 0 ? pair : { ...pair, seed: native().component(key.native, 'seed') }
}

/** SubjectPublicKeyInfo; the algorithms have no parameters. */
export const setPublicKeyInfo = ({ oid }: ParameterSet, publicKey: Uint8Array): Uint8Array =>
  publicKeyInfo({ oid }, publicKey)

/** The [0] of the choice `seed`, an OCTET STRING with an implicit tag. */
const SEED = contextTag(0) & ~0x20

/** A choice of seed, expanded key and both (RFC 9881, 6; RFC 9935, 6); SLH-DSA's key as it is (RFC 9909, 6). */
function encodePrivate(set: ParameterSet, { seed, value }: WholePrivate): Uint8Array {
  if (set.seedBytes === 0) return Uint8Array.from(value)
  return seed === undefined ? octetString(value) : sequence(octetString(seed), octetString(value))
}

/** PrivateKeyInfo with all that is known: some programs read only the seed, some only the expanded key. */
export function setPrivateKeyInfo(set: ParameterSet, parts: WholePrivate): Uint8Array {
  const key = encodePrivate(set, parts)
  try {
    return privateKeyInfo({ oid: set.oid }, key)
  } finally {
    key.fill(0)
  }
}

function readBoth(reader: DerReader): PrivateParts {
  const both = reader.within()
  const parts = { seed: both.read(TAG.OCTET_STRING), value: both.read(TAG.OCTET_STRING) }
  both.end()
  return parts
}

type ReadParts = (reader: DerReader) => PrivateParts

/** By the tag it begins with. */
const forms: ReadonlyMap<number | undefined, ReadParts> = new Map<number, ReadParts>([
  [SEED, (reader) => ({ seed: reader.read(SEED) })],
  [TAG.OCTET_STRING, (reader) => ({ value: reader.read(TAG.OCTET_STRING) })],
  [TAG.SEQUENCE, readBoth],
])

function decodePrivate(set: ParameterSet, bytes: Uint8Array): PrivateParts {
  if (set.seedBytes === 0) return { value: bytes }
  const reader = new DerReader(bytes)
  const read = forms.get(reader.nextTag)
  if (read === undefined) throw new DerError('a private key is neither seed nor expanded key')
  const parts = read(reader)
  reader.end()
  return parts
}

/**
 * The set and the parts of a private key in a PrivateKeyInfo, as views of it; undefined for a key of
 * none of these sets. Throws DerError.
 */
export function readSetPrivateKeyInfo(
  sets: readonly ParameterSet[],
  info: Uint8Array,
): { set: ParameterSet; parts: PrivateParts } | undefined {
  const { algorithm, key } = readPrivateKeyInfo(info)
  const set = sets.find(({ oid }) => sameBytes(oid, algorithm.oid))
  if (set === undefined || algorithm.parameters !== undefined) return undefined
  return { set, parts: decodePrivate(set, key) }
}
