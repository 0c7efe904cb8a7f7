/**
 * Keys whose numbers are chosen by CKA_PARAMETER_SET: ML-DSA, ML-KEM and SLH-DSA. How they are
 * completed, how they look outside and how they are made. PKCS #11 3.2, 6.67.2 to 6.67.4, 6.68.2 to
 * 6.68.4, 6.69.2 to 6.69.4 and 6.7.
 */
import { DerError } from '../engine/der.ts'
import { equalInConstantTime } from '../engine/macs.ts'
import {
  importSetPrivate,
  importSetPublic,
  type ParameterSetKey,
  type PrivateParts,
  readSetPrivateKeyInfo,
  type SetPair,
  setPrivateKeyInfo,
  setPublicKeyInfo,
  setPublicOf,
  setValueOf,
} from '../engine/parameter-set-keys.ts'
import type { ParameterSet } from '../engine/parameter-sets.ts'
import { numberOf } from '../objects/object.ts'
import { CKA, CKK, CKO, CKP, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Attributes, CryptokiObject, KeyType, Made, MakePair } from './mechanism.ts'

/** A key type and its parameter sets. */
export interface Family {
  /** The name of the key type without CKK_. */
  readonly name: 'ML_DSA' | 'ML_KEM' | 'SLH_DSA'
  readonly sets: readonly ParameterSet[]
}

/** The CKP_ number of a set, which bears the same name: SLH_DSA_SHA2_128S for SLH-DSA-SHA2-128s. */
export const numberOfSet = ({ name }: ParameterSet): number =>
  CKP[name.toUpperCase().replaceAll('-', '_') as keyof typeof CKP]

/** Bytes of a public key, smallest and largest, which is how these families tell their key sizes. */
export const publicKeySizes = ({ sets }: Family): readonly [number, number] => {
  const sizes = sets.map(({ publicBytes }) => publicBytes)
  return [Math.min(...sizes), Math.max(...sizes)]
}

function setIn({ name, sets }: Family, attributes: Attributes): ParameterSet {
  const number = attributes.get(CKA.PARAMETER_SET)
  if (number === undefined)
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_PARAMETER_SET is needed')
  const set = sets.find((candidate) => numberOfSet(candidate) === number)
  if (set === undefined)
    throw new CryptokiError(CKR.PARAMETER_SET_NOT_SUPPORTED, `CKK_${name} has no set ${number}`)
  return set
}

/** An empty attribute is none. */
function bytesIn(attributes: Attributes, type: number): Uint8Array | undefined {
  const value = attributes.get(type)
  return value instanceof Uint8Array && value.length > 0 ? value : undefined
}

const invalid = (why: string) => new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, why)

function publicKeyOf(set: ParameterSet, attributes: Attributes): ParameterSetKey {
  const value = bytesIn(attributes, CKA.VALUE)
  if (value === undefined) throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_VALUE is needed')
  const key = importSetPublic(set, value)
  if (key === undefined) throw invalid(`CKA_VALUE is no public key of ${set.name}`)
  return key
}

const partsIn = (attributes: Attributes): PrivateParts => ({
  seed: bytesIn(attributes, CKA.SEED),
  value: bytesIn(attributes, CKA.VALUE),
})

/** The private key of a seed or of an expanded value; both must tell of the same key. */
function privateKeyOf(set: ParameterSet, { seed, value }: PrivateParts): ParameterSetKey {
  if (seed === undefined && value === undefined)
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_SEED or CKA_VALUE is needed')
  const key = importSetPrivate(set, seed === undefined ? { value } : { seed })
  if (key === undefined) throw invalid(`the private key is none of ${set.name}`)
  if (seed === undefined || value === undefined) return key
  if (value.length !== set.privateBytes) throw invalid(`the private key is none of ${set.name}`)
  const expanded = setValueOf(key)
  const same = equalInConstantTime(expanded, value)
  expanded.fill(0)
  if (same) return key
  throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'CKA_VALUE is not that of CKA_SEED')
}

function completePublic(family: Family, attributes: Attributes): Attributes {
  const set = setIn(family, attributes)
  const key = publicKeyOf(set, attributes)
  return new Map([[CKA.PUBLIC_KEY_INFO, setPublicKeyInfo(set, setPublicOf(key))]])
}

/** A private key that came as its seed gets its expanded value. */
function completePrivate(family: Family, attributes: Attributes): Attributes {
  const set = setIn(family, attributes)
  const key = privateKeyOf(set, partsIn(attributes))
  const info = setPublicKeyInfo(set, setPublicOf(key))
  const additions = new Map<number, Uint8Array>([[CKA.PUBLIC_KEY_INFO, info]])
  return bytesIn(attributes, CKA.VALUE) === undefined
    ? additions.set(CKA.VALUE, setValueOf(key))
    : additions
}

const invalidWrapped = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.WRAPPED_KEY_INVALID, why, { cause })

/** Copies of what a PrivateKeyInfo holds, which is wiped by whoever unwrapped it. */
function readPkcs8({ name, sets }: Family, info: Uint8Array): Attributes {
  try {
    const read = readSetPrivateKeyInfo(sets, info)
    if (read === undefined) throw invalidWrapped(`the wrapped key is not of type CKK_${name}`)
    const { set, parts } = read
    privateKeyOf(set, parts)
    const attributes = new Map<number, number | Uint8Array>([[CKA.PARAMETER_SET, numberOfSet(set)]])
    if (parts.seed !== undefined) attributes.set(CKA.SEED, Uint8Array.from(parts.seed))
    if (parts.value !== undefined) attributes.set(CKA.VALUE, Uint8Array.from(parts.value))
    return attributes
  } catch (error) {
    if (error instanceof DerError) throw invalidWrapped('no PrivateKeyInfo in DER', error)
    if (error instanceof CryptokiError && error.rv !== CKR.WRAPPED_KEY_INVALID)
      throw invalidWrapped('the wrapped key is not sound', error)
    throw error
  }
}

function toPkcs8(family: Family, { attributes }: CryptokiObject): Uint8Array {
  const { seed, value } = partsIn(attributes)
  if (value === undefined)
    throw new CryptokiError(CKR.KEY_NOT_WRAPPABLE, 'the private key lacks its value')
  return setPrivateKeyInfo(setIn(family, attributes), { seed, value })
}

export const parameterSetKeyType = (family: Family): KeyType => ({
  type: CKK[family.name],
  name: family.name,
  complete: (objectClass, attributes) =>
    (objectClass === CKO.PRIVATE_KEY ? completePrivate : completePublic)(family, attributes),
  toPkcs8: (key) => toPkcs8(family, key),
  fromPkcs8: (info) => readPkcs8(family, info),
  publicValues: ({ attributes }) => {
    const set = setIn(family, attributes)
    return new Map<number, number | Uint8Array>([
      [CKA.PARAMETER_SET, numberOfSet(set)],
      [CKA.VALUE, setPublicOf(privateKeyOf(set, partsIn(attributes)))],
    ])
  },
})

/**
 * The parsed key of an object, kept with it. Throws CKR_KEY_TYPE_INCONSISTENT for any other object
 * than a key of this family and class.
 */
export function parameterSetKeyOf(
  family: Family,
  key: CryptokiObject,
  objectClass: number,
): ParameterSetKey {
  const { attributes } = key
  const isOfFamily = numberOf(key, CKA.KEY_TYPE) === CKK[family.name]
  if (!isOfFamily || numberOf(key, CKA.CLASS) !== objectClass)
    throw new CryptokiError(
      CKR.KEY_TYPE_INCONSISTENT,
      `the other half of a ${family.name} key is needed`,
    )
  const set = setIn(family, attributes)
  key.parsed ??=
    objectClass === CKO.PRIVATE_KEY
      ? privateKeyOf(set, partsIn(attributes))
      : publicKeyOf(set, attributes)
  return key.parsed as ParameterSetKey
}

/** Makes both keys of a pair with the set that the public template names. */
export const generating =
  (family: Family, generate: (set: ParameterSet, make: MakePair) => SetPair | Promise<SetPair>) =>
  async (make: MakePair): Promise<{ publicKey: Made; privateKey: Made }> => {
    const set = setIn(family, make.publicTemplate)
    const { publicKey, value, seed } = await generate(set, make)
    const named = [CKA.PARAMETER_SET, numberOfSet(set)] as const
    return {
      publicKey: new Map<number, number | Uint8Array>([named, [CKA.VALUE, publicKey]]),
      privateKey: new Map<number, number | Uint8Array>([
        named,
        ...(seed === undefined ? [] : [[CKA.SEED, seed] as const]),
        [CKA.VALUE, value],
      ]),
    }
  }
