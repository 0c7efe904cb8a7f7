/**
 * Edwards and Montgomery keys, whose values are strings of octets: their attributes, how they are
 * completed and how they look outside. PKCS #11 3.2, 6.3.5 to 6.3.8; RFC 8410.
 */
import { curveIdentifier } from '../engine/curves.ts'
import { DerError, DerReader, TAG } from '../engine/der.ts'
import {
  edwardsCurves,
  generateOctets,
  importOctetPrivate,
  importOctetPublic,
  montgomeryCurves,
  type OctetCurve,
  type OctetKey,
  octetPrivateKeyInfo,
  octetPublicKeyInfo,
  publicOctets,
  readOctetPrivateKeyInfo,
} from '../engine/octet-curves.ts'
import { numberOf } from '../objects/object.ts'
import { CKA, CKF, CKK, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { curveIn, curveOf, neededBytes } from './curve-parameters.ts'
import type { Attributes, CryptokiObject, KeyType, Made, MakePair, Mechanism } from './mechanism.ts'

/** A type of keys, with the curves that its keys are on. */
interface Family {
  readonly type: number
  readonly name: string
  readonly curves: readonly OctetCurve[]
}

const edwards: Family = { type: CKK.EC_EDWARDS, name: 'EC_EDWARDS', curves: edwardsCurves }
const montgomery: Family = {
  type: CKK.EC_MONTGOMERY,
  name: 'EC_MONTGOMERY',
  curves: montgomeryCurves,
}

/**
 * Public octets as they are, or in the OCTET STRING that versions before 3.2 and many applications
 * put them in. Undefined where they are not as long as the curve's.
 */
export function readOctets(curve: OctetCurve, value: Uint8Array): Uint8Array | undefined {
  if (value.length === curve.bytes) return value
  try {
    const reader = new DerReader(value)
    const octets = reader.read(TAG.OCTET_STRING)
    reader.end()
    return octets.length === curve.bytes ? octets : undefined
  } catch (error) {
    if (error instanceof DerError) return undefined
    throw error
  }
}

const invalidValue = (name: string, { bytes }: OctetCurve) =>
  new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `${name} has ${bytes} bytes on this curve`)

function publicKeyOf(curve: OctetCurve, attributes: Attributes): OctetKey {
  const octets = readOctets(curve, neededBytes(attributes, CKA.EC_POINT, 'CKA_EC_POINT'))
  const key = octets && importOctetPublic(curve, octets)
  if (key === undefined) throw invalidValue('CKA_EC_POINT', curve)
  return key
}

function privateKeyOf(curve: OctetCurve, attributes: Attributes): OctetKey {
  const key = importOctetPrivate(curve, neededBytes(attributes, CKA.VALUE, 'CKA_VALUE'))
  if (key === undefined) throw invalidValue('CKA_VALUE', curve)
  return key
}

const parse = (curve: OctetCurve, objectClass: number, attributes: Attributes): OctetKey =>
  (objectClass === CKO.PRIVATE_KEY ? privateKeyOf : publicKeyOf)(curve, attributes)

/** CKA_PUBLIC_KEY_INFO of both halves, and the octets of the public one without an OCTET STRING. */
function complete({ curves }: Family, objectClass: number, attributes: Attributes): Attributes {
  const curve = curveIn(curves, attributes)
  const octets = publicOctets(parse(curve, objectClass, attributes))
  const additions = new Map<number, Uint8Array>([
    [CKA.PUBLIC_KEY_INFO, octetPublicKeyInfo(curve, octets)],
  ])
  return objectClass === CKO.PRIVATE_KEY ? additions : additions.set(CKA.EC_POINT, octets)
}

const invalidWrapped = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.WRAPPED_KEY_INVALID, why, { cause })

/** CKA_EC_PARAMS, an OID, and a copy of the octets, whose PrivateKeyInfo is wiped by whoever unwrapped it. */
function readPkcs8({ curves, name }: Family, info: Uint8Array): Attributes {
  try {
    const read = readOctetPrivateKeyInfo(curves, info)
    if (read === undefined) throw invalidWrapped(`the wrapped key is no ${name} key`)
    if (read.octets.length !== read.curve.bytes) throw invalidWrapped('the key has another length')
    return new Map([
      [CKA.EC_PARAMS, curveIdentifier(read.curve)],
      [CKA.VALUE, Uint8Array.from(read.octets)],
    ])
  } catch (error) {
    if (error instanceof DerError) throw invalidWrapped('no PrivateKeyInfo in DER', error)
    throw error
  }
}

const keyTypeOf = (family: Family): KeyType => ({
  type: family.type,
  name: family.name,
  complete: (objectClass, attributes) => complete(family, objectClass, attributes),
  toPkcs8: ({ attributes }) =>
    octetPrivateKeyInfo(
      curveIn(family.curves, attributes),
      neededBytes(attributes, CKA.VALUE, 'CKA_VALUE'),
    ),
  fromPkcs8: (info) => readPkcs8(family, info),
  publicValues: ({ attributes }) =>
    new Map([
      [CKA.EC_PARAMS, neededBytes(attributes, CKA.EC_PARAMS, 'CKA_EC_PARAMS')],
      [CKA.EC_POINT, publicOctets(privateKeyOf(curveIn(family.curves, attributes), attributes))],
    ]),
})

export const edwardsKeyType: KeyType = keyTypeOf(edwards)
export const montgomeryKeyType: KeyType = keyTypeOf(montgomery)

function keyOf(family: Family, key: CryptokiObject, objectClass: number): OctetKey {
  if (numberOf(key, CKA.KEY_TYPE) !== family.type || numberOf(key, CKA.CLASS) !== objectClass)
    throw new CryptokiError(
      CKR.KEY_TYPE_INCONSISTENT,
      `the other half of an ${family.name} key is needed`,
    )
  key.parsed ??= parse(curveIn(family.curves, key.attributes), objectClass, key.attributes)
  return key.parsed as OctetKey
}

/** The parsed key of an object, kept with it. Throws CKR_KEY_TYPE_INCONSISTENT for any other object than an Edwards key of this class. */
export const edwardsKeyOf = (key: CryptokiObject, objectClass: number): OctetKey =>
  keyOf(edwards, key, objectClass)

/** The same for a Montgomery key. */
export const montgomeryKeyOf = (key: CryptokiObject, objectClass: number): OctetKey =>
  keyOf(montgomery, key, objectClass)

/** The flags of a mechanism on such curves; a point has only one coordinate. */
export const OCTET_CURVE_FLAGS = CKF.EC_F_P | CKF.EC_OID | CKF.EC_CURVENAME | CKF.EC_COMPRESS

/** Bits of the field, smallest and largest: 6.3.10, 6.3.11 and 6.3.14. */
export const OCTET_CURVE_BITS = [255, 448] as const

const generationOf =
  ({ curves }: Family): NonNullable<Mechanism['generateKeyPair']> =>
  async ({ publicTemplate }: MakePair): Promise<{ publicKey: Made; privateKey: Made }> => {
    const parameters = neededBytes(publicTemplate, CKA.EC_PARAMS, 'CKA_EC_PARAMS')
    const pair = generateOctets(curveOf(curves, parameters))
    return {
      publicKey: new Map([
        [CKA.EC_PARAMS, parameters],
        [CKA.EC_POINT, pair.publicOctets],
      ]),
      privateKey: new Map([
        [CKA.EC_PARAMS, Uint8Array.from(parameters)],
        [CKA.VALUE, pair.privateOctets],
      ]),
    }
  }

export const generateEdwardsPair = generationOf(edwards)
export const generateMontgomeryPair = generationOf(montgomery)
