/** Short Weierstrass EC keys: their attributes, how they are completed and how they look outside. PKCS #11 3.2, 6.3.3, 6.3.4 and 6.3.9. */
import { DerError, DerReader, octetString, TAG } from '../engine/der.ts'
import {
  type Curve,
  curves,
  type EcKey,
  type EcPair,
  ecPrivateKeyInfo,
  ecPublicKeyInfo,
  importEcPrivate,
  importEcPublic,
  pointBytes,
  pointOf,
  readEcPrivateKeyInfo,
  uncompressed,
} from '../engine/ec.ts'
import { numberOf } from '../objects/object.ts'
import { CKA, CKF, CKK, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { curveOf, curveIn as curveOfAttributes, neededBytes } from './curve-parameters.ts'
import type { Attributes, CryptokiObject, KeyType, Made, MakePair } from './mechanism.ts'

/** The flags of every mechanism on these curves. */
export const EC_FLAGS =
  CKF.EC_F_P | CKF.EC_F_2M | CKF.EC_OID | CKF.EC_CURVENAME | CKF.EC_UNCOMPRESS | CKF.EC_COMPRESS

/** Bits of the field, smallest and largest. */
export const FIELD_BITS: readonly [number, number] = [
  Math.min(...curves.map(({ bits }) => bits)),
  Math.max(...curves.map(({ bits }) => bits)),
]

/**
 * A point as it is or in a DER OCTET STRING. An uncompressed point begins with 04 as that does; the
 * length tells which it is: no encoded point is as long as a point of the same curve. Undefined for
 * neither.
 */
export function readPoint(curve: Curve, bytes: Uint8Array): Uint8Array | undefined {
  const [first] = bytes
  if (bytes.length === pointBytes(curve) || (first !== TAG.OCTET_STRING && first !== undefined))
    return bytes
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

/** The forms of X9.62 that are not taken: hybrid ones. */
const OTHER_FORMS: ReadonlySet<number | undefined> = new Set([6, 7])

/**
 * The public key of a curve. Throws CKR_TEMPLATE_INCONSISTENT for a form of point that is not
 * supported (6.3), CKR_ATTRIBUTE_VALUE_INVALID for what is no point of the curve.
 */
function publicKeyOf(curve: Curve, value: Uint8Array): { point: Uint8Array; key: EcKey } {
  const point = readPoint(curve, value)
  if (point !== undefined && OTHER_FORMS.has(point[0]))
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'CKA_EC_POINT is a hybrid point')
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

const curveIn = (attributes: Attributes): Curve => curveOfAttributes(curves, attributes)

const scalarIn = (attributes: Attributes): Uint8Array =>
  neededBytes(attributes, CKA.VALUE, 'CKA_VALUE')

const pointIn = (attributes: Attributes): Uint8Array =>
  neededBytes(attributes, CKA.EC_POINT, 'CKA_EC_POINT')

/**
 * A point that came as it is is put into its OCTET STRING; a compressed one stays compressed there,
 * and is not in CKA_PUBLIC_KEY_INFO, so that both halves of a pair have the same.
 */
function completePublic(attributes: Attributes): Attributes {
  const curve = curveIn(attributes)
  const { point, key } = publicKeyOf(curve, pointIn(attributes))
  return new Map([
    [CKA.EC_POINT, octetString(point)],
    [CKA.PUBLIC_KEY_INFO, ecPublicKeyInfo(curve, uncompressed(key))],
  ])
}

function completePrivate(attributes: Attributes): Attributes {
  const curve = curveIn(attributes)
  const scalar = scalarIn(attributes)
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
    if (importEcPrivate(curveOf(curves, read.parameters), read.scalar) === undefined)
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
  toPkcs8: ({ attributes }) => ecPrivateKeyInfo(curveIn(attributes), scalarIn(attributes)),
  fromPkcs8: readPkcs8,
  publicValues: ({ attributes }) =>
    new Map([
      [CKA.EC_PARAMS, neededBytes(attributes, CKA.EC_PARAMS, 'CKA_EC_PARAMS')],
      [CKA.EC_POINT, octetString(pointOf(curveIn(attributes), scalarIn(attributes)))],
    ]),
}

function parse({ attributes }: CryptokiObject, objectClass: number): EcKey {
  const curve = curveIn(attributes)
  return objectClass === CKO.PRIVATE_KEY
    ? privateKeyOf(curve, scalarIn(attributes))
    : publicKeyOf(curve, pointIn(attributes)).key
}

/** The parsed key of an object, kept with it. Throws CKR_KEY_TYPE_INCONSISTENT for any other object than an EC key of this class. */
export function ecKeyOf(key: CryptokiObject, objectClass: number): EcKey {
  if (numberOf(key, CKA.KEY_TYPE) !== CKK.EC || numberOf(key, CKA.CLASS) !== objectClass)
    throw new CryptokiError(CKR.KEY_TYPE_INCONSISTENT, 'the other half of an EC key is needed')
  key.parsed ??= parse(key, objectClass)
  return key.parsed as EcKey
}

/** Makes both keys of a pair. The private key gets the parameters in the words of the public template. */
export const generateEcPair =
  (generate: (curve: Curve) => EcPair) =>
  async ({ publicTemplate }: MakePair): Promise<{ publicKey: Made; privateKey: Made }> => {
    const parameters = neededBytes(publicTemplate, CKA.EC_PARAMS, 'CKA_EC_PARAMS')
    const { scalar, point } = generate(curveOf(curves, parameters))
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
