/** Short Weierstrass EC keys: their attributes, how they are completed and how they look outside. PKCS #11 3.2, 6.3.3, 6.3.4 and 6.3.9. */
import { DerError, DerReader, octetString, TAG } from '../engine/der.ts'
import {
  type Curve,
  curves,
  type EcKey,
  ecPrivateKeyInfo,
  ecPublicKeyInfo,
  generateEc,
  importEcPrivate,
  importEcPublic,
  pointBytes,
  pointOf,
  readEcPrivateKeyInfo,
} from '../engine/ec.ts'
import { sameBytes } from '../engine/key-info.ts'
import { numberOf } from '../objects/object.ts'
import { CKA, CKK, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Attributes, CryptokiObject, KeyType, Made, MakePair } from './mechanism.ts'

/** Bits of the field, smallest and largest. */
export const FIELD_BITS = [256, 521] as const

const unsupported = () =>
  new CryptokiError(
    CKR.CURVE_NOT_SUPPORTED,
    `the curves here are ${curves.map(({ name }) => name).join(', ')}`,
  )

const invalidParameters = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.DOMAIN_PARAMS_INVALID, why, { cause })

function known(curve: Curve | undefined): Curve {
  if (curve === undefined) throw unsupported()
  return curve
}

/** The content of the Parameters, by the choice that was made: an OID or a curveName. */
const readers: ReadonlyMap<number, (content: Uint8Array) => Curve> = new Map([
  [
    TAG.OBJECT_IDENTIFIER,
    (content: Uint8Array) => known(curves.find(({ oid }) => sameBytes(oid, content))),
  ],
  [
    TAG.PRINTABLE_STRING,
    (content: Uint8Array) => {
      const asked = Buffer.from(content).toString('latin1')
      return known(curves.find(({ name, aliases }) => name === asked || aliases.includes(asked)))
    },
  ],
])

/**
 * The curve of a CKA_EC_PARAMS. Throws CKR_CURVE_NOT_SUPPORTED for an unknown one, and
 * CKR_DOMAIN_PARAMS_INVALID for explicit parameters (ecParameters), implicitlyCA and what is no DER.
 */
export function curveOf(parameters: Uint8Array): Curve {
  try {
    const reader = new DerReader(parameters)
    const tag = reader.nextTag ?? 0
    const read = readers.get(tag)
    if (read === undefined) throw invalidParameters('a curve is named by its OID or curveName')
    const content = reader.read(tag)
    reader.end()
    return read(content)
  } catch (error) {
    if (error instanceof DerError) throw invalidParameters('CKA_EC_PARAMS is no DER', error)
    throw error
  }
}

/**
 * A point as it is or in a DER OCTET STRING. Both begin with 04; the length tells which it is: no
 * encoded point is as long as a point of the same curve. Undefined for neither.
 */
export function readPoint(curve: Curve, bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === pointBytes(curve)) return bytes
  try {
    const reader = new DerReader(bytes)
    const content = reader.read(TAG.OCTET_STRING)
    reader.end()
    return content
  } catch (error) {
    if (error instanceof DerError) return undefined
    throw error
  }
}

/** The forms X9.62 knows besides the uncompressed one: compressed (02, 03) and hybrid (06, 07). */
const OTHER_FORMS: ReadonlySet<number | undefined> = new Set([2, 3, 6, 7])

/**
 * The public key of a curve. Throws CKR_TEMPLATE_INCONSISTENT for a form of point that is not
 * supported (6.3), CKR_ATTRIBUTE_VALUE_INVALID for what is no point of the curve.
 */
function publicKeyOf(curve: Curve, value: Uint8Array): { point: Uint8Array; key: EcKey } {
  const point = readPoint(curve, value)
  if (point !== undefined && OTHER_FORMS.has(point[0]))
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'CKA_EC_POINT must be uncompressed')
  const key = point && importEcPublic(curve, point)
  if (point === undefined || key === undefined)
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, 'CKA_EC_POINT is no point of the curve')
  return { point, key }
}

function privateKeyOf(curve: Curve, value: Uint8Array): EcKey {
  const key = importEcPrivate(curve, value)
  if (key === undefined)
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, 'CKA_VALUE is not below the order')
  return key
}

function bytesIn(attributes: Attributes, type: number, name: string): Uint8Array {
  const value = attributes.get(type)
  if (value instanceof Uint8Array && value.length > 0) return value
  throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, `${name} is needed`)
}

const curveIn = (attributes: Attributes): Curve =>
  curveOf(bytesIn(attributes, CKA.EC_PARAMS, 'CKA_EC_PARAMS'))

/** A point that came as it is is put into its OCTET STRING. */
function completePublic(attributes: Attributes): Attributes {
  const curve = curveIn(attributes)
  const { point } = publicKeyOf(curve, bytesIn(attributes, CKA.EC_POINT, 'CKA_EC_POINT'))
  return new Map([
    [CKA.EC_POINT, octetString(point)],
    [CKA.PUBLIC_KEY_INFO, ecPublicKeyInfo(curve, point)],
  ])
}

function completePrivate(attributes: Attributes): Attributes {
  const curve = curveIn(attributes)
  const scalar = bytesIn(attributes, CKA.VALUE, 'CKA_VALUE')
  privateKeyOf(curve, scalar)
  return new Map([[CKA.PUBLIC_KEY_INFO, ecPublicKeyInfo(curve, pointOf(curve, scalar))]])
}

const invalidWrapped = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.WRAPPED_KEY_INVALID, why, { cause })

/** CKA_EC_PARAMS and a copy of the scalar, whose PrivateKeyInfo is wiped by whoever unwrapped it. */
function readPkcs8(info: Uint8Array): Attributes {
  try {
    const read = readEcPrivateKeyInfo(info)
    if (read === undefined) throw invalidWrapped('the wrapped key is no EC key')
    if (importEcPrivate(curveOf(read.parameters), read.scalar) === undefined)
      throw invalidWrapped('the scalar is not below the order')
    return new Map([
      [CKA.EC_PARAMS, Uint8Array.from(read.parameters)],
      [CKA.VALUE, Uint8Array.from(read.scalar)],
    ])
  } catch (error) {
    if (error instanceof DerError) throw invalidWrapped('no PrivateKeyInfo in DER', error)
    throw error
  }
}

export const ecKeyType: KeyType = {
  type: CKK.EC,
  name: 'EC',
  complete: (objectClass, attributes) =>
    objectClass === CKO.PRIVATE_KEY ? completePrivate(attributes) : completePublic(attributes),
  toPkcs8: ({ attributes }) =>
    ecPrivateKeyInfo(curveIn(attributes), bytesIn(attributes, CKA.VALUE, 'CKA_VALUE')),
  fromPkcs8: readPkcs8,
  publicValues: ({ attributes }) =>
    new Map([
      [CKA.EC_PARAMS, bytesIn(attributes, CKA.EC_PARAMS, 'CKA_EC_PARAMS')],
      [
        CKA.EC_POINT,
        octetString(pointOf(curveIn(attributes), bytesIn(attributes, CKA.VALUE, 'CKA_VALUE'))),
      ],
    ]),
}

function parse({ attributes }: CryptokiObject, objectClass: number): EcKey {
  const curve = curveIn(attributes)
  return objectClass === CKO.PRIVATE_KEY
    ? privateKeyOf(curve, bytesIn(attributes, CKA.VALUE, 'CKA_VALUE'))
    : publicKeyOf(curve, bytesIn(attributes, CKA.EC_POINT, 'CKA_EC_POINT')).key
}

/** The parsed key of an object, kept with it. Throws CKR_KEY_TYPE_INCONSISTENT for any other object than an EC key of this class. */
export function ecKeyOf(key: CryptokiObject, objectClass: number): EcKey {
  if (numberOf(key, CKA.KEY_TYPE) !== CKK.EC || numberOf(key, CKA.CLASS) !== objectClass)
    throw new CryptokiError(CKR.KEY_TYPE_INCONSISTENT, 'the other half of an EC key is needed')
  key.parsed ??= parse(key, objectClass)
  return key.parsed as EcKey
}

/** Makes both keys of a pair. The private key gets the parameters in the words of the public template. */
export async function generateEcPair({
  publicTemplate,
}: MakePair): Promise<{ publicKey: Made; privateKey: Made }> {
  const parameters = bytesIn(publicTemplate, CKA.EC_PARAMS, 'CKA_EC_PARAMS')
  const { scalar, point } = generateEc(curveOf(parameters))
  return {
    publicKey: new Map([
      [CKA.EC_PARAMS, parameters],
      [CKA.EC_POINT, octetString(point)],
    ]),
    privateKey: new Map([
      [CKA.EC_PARAMS, Uint8Array.from(parameters)],
      [CKA.VALUE, scalar],
    ]),
  }
}
