/** RSA keys: their attributes, how they are completed and how they look outside. PKCS #11 3.2, 6.1.2 to 6.1.4. */
import { DerError, withoutLeadingZeros } from '../engine/der.ts'
import {
  bitLength,
  completeRsa,
  importRsaPrivate,
  importRsaPublic,
  type RsaKey,
  type RsaParts,
  type RsaPrivate,
  type RsaPublic,
  readRsaPrivateKeyInfo,
  rsaPrivateKeyInfo,
  rsaPublicKeyInfo,
} from '../engine/rsa.ts'
import { bytesOf, numberOf } from '../objects/object.ts'
import { CKA, CKK, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { lengthily } from '../surrender/workers.ts'
import type { Attributes, CryptokiObject, KeyType, Made, MakePair } from './mechanism.ts'

/** Bits of a modulus: below 1024 RSA is broken; above 16384 OpenSSL does not go. */
export const MODULUS_BITS = [1024, 16384] as const

/** OpenSSL takes an exponent of more than 64 bits only for a modulus of at most 3072 (its rsa.h). */
const LONG_EXPONENT = 64
const LONG_EXPONENT_MODULUS = 3072

/** The attribute of each number. */
const ATTRIBUTE = {
  n: CKA.MODULUS,
  e: CKA.PUBLIC_EXPONENT,
  d: CKA.PRIVATE_EXPONENT,
  p: CKA.PRIME_1,
  q: CKA.PRIME_2,
  dp: CKA.EXPONENT_1,
  dq: CKA.EXPONENT_2,
  qi: CKA.COEFFICIENT,
} as const satisfies Record<keyof RsaParts, number>

type Name = keyof typeof ATTRIBUTE
const NAMES = Object.keys(ATTRIBUTE) as Name[]

/** Those of the eight numbers that are there. */
type Numbers = Readonly<Partial<Record<Name, Uint8Array | undefined>>>

/** The numbers among attributes, without leading zeros. An empty attribute is none. */
function numbersIn(attributes: Attributes): Numbers {
  const numbers: Partial<Record<Name, Uint8Array>> = {}
  for (const name of NAMES) {
    const value = attributes.get(ATTRIBUTE[name])
    if (value instanceof Uint8Array && value.length > 0) numbers[name] = withoutLeadingZeros(value)
  }
  return numbers
}

const attributesOf = (numbers: Numbers): Map<number, Uint8Array> =>
  new Map(
    NAMES.flatMap((name) => {
      const number = numbers[name]
      return number === undefined ? [] : [[ATTRIBUTE[name], number]]
    }),
  )

const isPublic = (numbers: Numbers): numbers is RsaPublic & Numbers =>
  numbers.n !== undefined && numbers.e !== undefined
const isPrivate = (numbers: Numbers): numbers is RsaPrivate & Numbers =>
  isPublic(numbers) && numbers.d !== undefined
const isWhole = (numbers: Numbers): numbers is RsaParts & Numbers =>
  NAMES.every((name) => numbers[name] !== undefined)

const isOdd = (number: Uint8Array): boolean => ((number.at(-1) ?? 0) & 1) === 1

const inRange = (bits: number): boolean => bits >= MODULUS_BITS[0] && bits <= MODULUS_BITS[1]

/** Throws CKR_ATTRIBUTE_VALUE_INVALID for a modulus or an exponent that no operation here would take. */
function checkPublic({ n, e }: RsaPublic): void {
  const bits = bitLength(n)
  if (!inRange(bits) || !isOdd(n))
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `no RSA modulus has ${bits} bits here`)
  const longest = bits > LONG_EXPONENT_MODULUS ? LONG_EXPONENT : bits - 1
  const length = bitLength(e)
  if (!isOdd(e) || length < 2 || length > longest)
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, 'the public exponent cannot be used')
}

function completePublic(numbers: Numbers): Attributes {
  if (!isPublic(numbers))
    throw new CryptokiError(
      CKR.TEMPLATE_INCOMPLETE,
      'CKA_MODULUS and CKA_PUBLIC_EXPONENT are needed',
    )
  checkPublic(numbers)
  const { n, e } = numbers
  return new Map<number, Uint8Array | number>([
    ...attributesOf({ n, e }),
    [CKA.MODULUS_BITS, bitLength(n)],
    [CKA.PUBLIC_KEY_INFO, rsaPublicKeyInfo(numbers)],
  ])
}

/** The primes and what follows from them are computed where they are missing. */
function completePrivate(numbers: Numbers): Attributes {
  if (!isPrivate(numbers))
    throw new CryptokiError(
      CKR.TEMPLATE_INCOMPLETE,
      'CKA_MODULUS, CKA_PUBLIC_EXPONENT and CKA_PRIVATE_EXPONENT are needed',
    )
  checkPublic(numbers)
  const whole = completeRsa(numbers)
  if (whole === undefined)
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'the numbers of the key do not fit together')
  return attributesOf(whole).set(CKA.PUBLIC_KEY_INFO, rsaPublicKeyInfo(whole))
}

const invalidWrapped = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.WRAPPED_KEY_INVALID, why, { cause })

function readPkcs8(info: Uint8Array): RsaParts {
  try {
    const numbers = readRsaPrivateKeyInfo(info)
    if (numbers !== undefined && completeRsa(numbers) !== undefined) return numbers
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    throw invalidWrapped('no PrivateKeyInfo in DER', error)
  }
  throw invalidWrapped('no sound RSA key of two primes')
}

export const rsaKeyType: KeyType = {
  type: CKK.RSA,
  name: 'RSA',
  complete: (objectClass, attributes) =>
    (objectClass === CKO.PRIVATE_KEY ? completePrivate : completePublic)(numbersIn(attributes)),
  toPkcs8: (key) => {
    const numbers = numbersIn(key.attributes)
    if (isWhole(numbers)) return rsaPrivateKeyInfo(numbers)
    throw new CryptokiError(CKR.KEY_NOT_WRAPPABLE, 'the RSA key lacks some of its numbers')
  },
  // The numbers are copied: the PrivateKeyInfo they were views of is wiped by whoever unwrapped it.
  fromPkcs8: (info) =>
    new Map(
      [...attributesOf(readPkcs8(info))].map(([type, value]) => [type, Uint8Array.from(value)]),
    ),
  publicValues: ({ attributes }) => {
    const { n, e } = numbersIn(attributes)
    return attributesOf({ n, e })
  },
}

function parse(key: CryptokiObject): RsaKey {
  const numbers = numbersIn(key.attributes)
  if (numberOf(key, CKA.CLASS) === CKO.PRIVATE_KEY) {
    if (isPrivate(numbers)) return importRsaPrivate(numbers)
  } else if (isPublic(numbers)) return importRsaPublic(numbers)
  throw new CryptokiError(CKR.GENERAL_ERROR, 'an RSA key lacks its numbers')
}

/**
 * The parsed key of an object, kept with it. Throws CKR_KEY_TYPE_INCONSISTENT for any other object
 * than an RSA key of this class, and CKR_KEY_SIZE_RANGE.
 */
export function rsaKeyOf(key: CryptokiObject, objectClass: number): RsaKey {
  if (numberOf(key, CKA.KEY_TYPE) !== CKK.RSA || numberOf(key, CKA.CLASS) !== objectClass)
    throw new CryptokiError(CKR.KEY_TYPE_INCONSISTENT, 'the other half of an RSA key is needed')
  const bits = bitLength(bytesOf(key, CKA.MODULUS) ?? new Uint8Array(0))
  if (!inRange(bits))
    throw new CryptokiError(CKR.KEY_SIZE_RANGE, `an RSA key of ${bits} bits is out of range`)
  key.parsed ??= parse(key)
  return key.parsed as RsaKey
}

/** F4, the default of 6.1.4. */
const DEFAULT_EXPONENT = Uint8Array.of(1, 0, 1)

/** OpenSSL makes two primes of the same length, so a modulus has an even number of bits. */
function bitsAsked(template: Attributes): number {
  const bits = template.get(CKA.MODULUS_BITS)
  if (typeof bits !== 'number')
    throw new CryptokiError(
      CKR.TEMPLATE_INCOMPLETE,
      'CKA_MODULUS_BITS must say how long the key is',
    )
  if (!inRange(bits) || bits % 2 !== 0)
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `no RSA key of ${bits} bits is made here`)
  return bits
}

/** 6.1.4: CKR_TEMPLATE_INCONSISTENT for an exponent that cannot be used. */
function exponentAsked(template: Attributes): Uint8Array {
  const given = template.get(CKA.PUBLIC_EXPONENT)
  if (!(given instanceof Uint8Array)) return DEFAULT_EXPONENT
  const exponent = withoutLeadingZeros(given)
  const length = bitLength(exponent)
  if (!isOdd(exponent) || length < 2 || length > LONG_EXPONENT)
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'the public exponent cannot be used')
  return exponent
}

/** Makes both keys of a pair, in a worker process. */
export async function generateRsaPair({
  publicTemplate,
  surrender,
}: MakePair): Promise<{ publicKey: Made; privateKey: Made }> {
  const bits = bitsAsked(publicTemplate)
  const publicExponent = exponentAsked(publicTemplate)
  const pair = await lengthily('generateRsaKeyPair', { bits, publicExponent }, surrender)
  return { publicKey: attributesOf({ n: pair.n, e: pair.e }), privateKey: attributesOf(pair) }
}
