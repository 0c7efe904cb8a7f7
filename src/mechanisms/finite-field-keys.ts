/**
 * Keys and domain parameters of DSA and Diffie-Hellman: their attributes, how they are completed and
 * how they look outside. PKCS #11 3.2, 6.2 and 6.4.
 */
import type { NativeKey } from '../engine/binding.ts'
import { DerError, withoutLeadingZeros } from '../engine/der.ts'
import {
  type Domain,
  type Field,
  fieldPrivateKeyInfo,
  fieldPublicKeyInfo,
  generateFieldPair,
  importPrivateValue,
  importPublicValue,
  isSound,
  publicValueOf,
  readFieldPrivateKeyInfo,
} from '../engine/finite-field.ts'
import { bitLength } from '../engine/rsa.ts'
import { numberOf } from '../objects/object.ts'
import { CKA, CKK, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Attributes, CryptokiObject, KeyType, Made, MakePair } from './mechanism.ts'

/** What one type of key has of its own. */
export interface FieldFamily {
  /** As in CKK_DSA. */
  readonly name: 'DSA' | 'DH' | 'X9_42_DH'
  readonly field: Field
  /** Whether there can be keys whose prime and order have so many bits; `subprimeBits` is 0 without an order. */
  readonly fits: (bits: number, subprimeBits: number) => boolean
}

const ATTRIBUTE = { p: CKA.PRIME, q: CKA.SUBPRIME, g: CKA.BASE } as const

type Values = Map<number, Uint8Array | number>

/** A number among attributes; undefined where it is absent, or empty. */
function numberAt(attributes: Attributes, type: number): Uint8Array | undefined {
  const value = attributes.get(type)
  return value instanceof Uint8Array && value.length > 0 ? withoutLeadingZeros(value) : undefined
}

const incomplete = (what: string) =>
  new CryptokiError(CKR.TEMPLATE_INCOMPLETE, `the template lacks ${what}`)

const invalidValue = (why: string) => new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, why)

/** Those of the domain parameters that are there. */
export const numbersOf = ({ field }: FieldFamily, attributes: Attributes): Partial<Domain> =>
  Object.fromEntries(field.order.map((name) => [name, numberAt(attributes, ATTRIBUTE[name])]))

export const domainAttributes = (domain: Partial<Domain>): Values =>
  new Map(
    (['p', 'q', 'g'] as const).flatMap((name) => {
      const number = domain[name]
      return number === undefined ? [] : [[ATTRIBUTE[name], number] as const]
    }),
  )

/** Throws CKR_ATTRIBUTE_VALUE_INVALID for numbers of other sizes than keys here have. */
export function checkSizes({ name, fits }: FieldFamily, { p, q }: Partial<Domain>): void {
  const bits = bitLength(p ?? new Uint8Array(0))
  const subprimeBits = bitLength(q ?? new Uint8Array(0))
  if (!fits(bits, subprimeBits))
    throw invalidValue(`no ${name} key has a prime of ${bits} and an order of ${subprimeBits} bits`)
}

function isWhole({ field }: FieldFamily, numbers: Partial<Domain>): numbers is Domain {
  return field.order.every((name) => numbers[name] !== undefined)
}

/**
 * The domain parameters among attributes. Throws CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_VALUE_INVALID
 * for numbers of a wrong size, and CKR_DOMAIN_PARAMS_INVALID for what cannot be domain parameters.
 */
export function domainOf(family: FieldFamily, attributes: Attributes): Domain {
  const numbers = numbersOf(family, attributes)
  if (!isWhole(family, numbers)) throw incomplete('CKA_PRIME, CKA_SUBPRIME or CKA_BASE')
  checkSizes(family, numbers)
  if (isSound(family.field, numbers)) return numbers
  throw new CryptokiError(CKR.DOMAIN_PARAMS_INVALID, 'the numbers are no domain parameters')
}

function keyValue(attributes: Attributes): Uint8Array {
  const value = numberAt(attributes, CKA.VALUE)
  if (value === undefined) throw incomplete('CKA_VALUE')
  return value
}

function publicKeyOf(family: FieldFamily, domain: Domain, y: Uint8Array): NativeKey {
  const key = importPublicValue(family.field, domain, y)
  if (key === undefined) throw invalidValue('CKA_VALUE is no public value of these parameters')
  return key
}

function privateKeyOf(family: FieldFamily, domain: Domain, x: Uint8Array): NativeKey {
  const key = importPrivateValue(family.field, domain, x)
  if (key === undefined) throw invalidValue('CKA_VALUE is no private value of these parameters')
  return key
}

function completePublic(family: FieldFamily, attributes: Attributes): Attributes {
  const domain = domainOf(family, attributes)
  const y = keyValue(attributes)
  publicKeyOf(family, domain, y)
  return domainAttributes(domain)
    .set(CKA.VALUE, y)
    .set(CKA.PUBLIC_KEY_INFO, fieldPublicKeyInfo(family.field, domain, y))
}

/** CKA_VALUE_BITS stays what the template of a generated key asked for (6.4.8). */
function completePrivate(family: FieldFamily, attributes: Attributes): Attributes {
  const domain = domainOf(family, attributes)
  const x = keyValue(attributes)
  privateKeyOf(family, domain, x)
  const info = fieldPublicKeyInfo(family.field, domain, publicValueOf(domain, x))
  const made = domainAttributes(domain).set(CKA.VALUE, x).set(CKA.PUBLIC_KEY_INFO, info)
  return attributes.has(CKA.VALUE_BITS) ? made : made.set(CKA.VALUE_BITS, bitLength(x))
}

/** Domain parameters may be without a base (6.2.8). */
function completeDomain(family: FieldFamily, attributes: Attributes): Attributes {
  const numbers = numbersOf(family, attributes)
  const domain = attributes.has(CKA.BASE) ? domainOf(family, attributes) : numbers
  checkSizes(family, domain)
  const made = domainAttributes(domain).set(CKA.PRIME_BITS, bitLength(domain.p as Uint8Array))
  return domain.q === undefined ? made : made.set(CKA.SUBPRIME_BITS, bitLength(domain.q))
}

const COMPLETE: ReadonlyMap<number, (family: FieldFamily, attributes: Attributes) => Attributes> =
  new Map([
    [CKO.PUBLIC_KEY, completePublic],
    [CKO.PRIVATE_KEY, completePrivate],
    [CKO.DOMAIN_PARAMETERS, completeDomain],
  ])

const invalidWrapped = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.WRAPPED_KEY_INVALID, why, { cause })

/** Copies: the PrivateKeyInfo is wiped by whoever unwrapped it. */
function readPkcs8(family: FieldFamily, info: Uint8Array): Attributes {
  try {
    const read = readFieldPrivateKeyInfo(family.field, info)
    if (read === undefined) throw invalidWrapped('the wrapped key is of another type')
    const values = domainAttributes(read.domain).set(CKA.VALUE, read.x)
    privateKeyOf(family, domainOf(family, values), read.x)
    return new Map([...values].map(([type, value]) => [type, Uint8Array.from(value as Uint8Array)]))
  } catch (error) {
    if (error instanceof DerError) throw invalidWrapped('no PrivateKeyInfo in DER', error)
    throw invalidWrapped('what was unwrapped is no key of this type', error)
  }
}

/** The key type of a family. */
export const fieldKeyType = (family: FieldFamily): KeyType => ({
  type: CKK[family.name],
  name: family.name,
  complete: (objectClass, attributes) =>
    COMPLETE.get(objectClass)?.(family, attributes) ?? new Map(),
  toPkcs8: ({ attributes }) =>
    fieldPrivateKeyInfo(
      family.field,
      numbersOf(family, attributes) as Domain,
      keyValue(attributes),
    ),
  fromPkcs8: (info) => readPkcs8(family, info),
})

/** A key as it is used. */
export interface FieldKey {
  readonly native: NativeKey
  readonly domain: Domain
}

function parse(family: FieldFamily, { attributes }: CryptokiObject, objectClass: number): FieldKey {
  const domain = numbersOf(family, attributes) as Domain
  const read = objectClass === CKO.PRIVATE_KEY ? privateKeyOf : publicKeyOf
  return { native: read(family, domain, keyValue(attributes)), domain }
}

/** The parsed key of an object, kept with it. Throws CKR_KEY_TYPE_INCONSISTENT for any other object than a key of this family and class. */
export function fieldKeyOf(
  family: FieldFamily,
  key: CryptokiObject,
  objectClass: number,
): FieldKey {
  if (numberOf(key, CKA.KEY_TYPE) !== CKK[family.name] || numberOf(key, CKA.CLASS) !== objectClass)
    throw new CryptokiError(
      CKR.KEY_TYPE_INCONSISTENT,
      `the other half of a ${family.name} key is needed`,
    )
  key.parsed ??= parse(family, key, objectClass)
  return key.parsed as FieldKey
}

/** CKA_VALUE_BITS of a private key's template. */
function bitsAsked(template: Attributes): number | undefined {
  const bits = template.get(CKA.VALUE_BITS)
  return typeof bits === 'number' ? bits : undefined
}

/** Makes both keys of a pair, with the domain parameters of the public template. */
export const generatingPair =
  (family: FieldFamily) =>
  async ({
    publicTemplate,
    privateTemplate,
  }: MakePair): Promise<{ publicKey: Made; privateKey: Made }> => {
    const domain = domainOf(family, publicTemplate)
    const bits = bitsAsked(privateTemplate)
    if (bits === 0 || (bits ?? 0) > bitLength(domain.p))
      throw invalidValue('CKA_VALUE_BITS is no length of a private value')
    const pair = generateFieldPair(family.field, domain, bits)
    if (pair === undefined)
      throw invalidValue('CKA_VALUE_BITS is too short or too long for these parameters')
    return {
      publicKey: domainAttributes(domain).set(CKA.VALUE, pair.y),
      privateKey: domainAttributes(domain).set(CKA.VALUE, pair.x),
    }
  }
