/** CKA_EC_PARAMS: how a curve is named. PKCS #11 3.2, 6.3 and 6.3.3. */
import type { NamedCurve } from '../engine/curves.ts'
import { isCalled } from '../engine/curves.ts'
import { DerError, DerReader, TAG } from '../engine/der.ts'
import { sameBytes } from '../engine/key-info.ts'
import { CKA, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Attributes } from './mechanism.ts'

const invalidParameters = (why: string, cause?: unknown) =>
  new CryptokiError(CKR.DOMAIN_PARAMS_INVALID, why, { cause })

type Fits = (curve: NamedCurve) => boolean

/** What a curve must be, by the choice of Parameters that was made: an OID or a curveName. */
const choices: ReadonlyMap<number, (content: Uint8Array) => Fits> = new Map([
  [
    TAG.OBJECT_IDENTIFIER,
    (content: Uint8Array): Fits =>
      ({ oid }) =>
        sameBytes(oid, content),
  ],
  [
    TAG.PRINTABLE_STRING,
    (content: Uint8Array): Fits => {
      const asked = Buffer.from(content).toString('latin1')
      return (curve) => isCalled(curve, asked)
    },
  ],
])

function asked(parameters: Uint8Array): Fits {
  try {
    const reader = new DerReader(parameters)
    const tag = reader.nextTag ?? 0
    const read = choices.get(tag)
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
 * The curve of a CKA_EC_PARAMS among these. Throws CKR_CURVE_NOT_SUPPORTED where it is none of them,
 * and CKR_DOMAIN_PARAMS_INVALID for explicit parameters (ecParameters), implicitlyCA and what is no DER.
 */
export function curveOf<C extends NamedCurve>(curves: readonly C[], parameters: Uint8Array): C {
  const curve = curves.find(asked(parameters))
  if (curve === undefined)
    throw new CryptokiError(CKR.CURVE_NOT_SUPPORTED, 'keys of this type have no such curve here')
  return curve
}

/** The bytes of an attribute that a key needs; throws CKR_TEMPLATE_INCOMPLETE where there are none. */
export function neededBytes(attributes: Attributes, type: number, name: string): Uint8Array {
  const value = attributes.get(type)
  if (value instanceof Uint8Array && value.length > 0) return value
  throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, `${name} is needed`)
}

/** The curve that CKA_EC_PARAMS among these attributes names. */
export const curveIn = <C extends NamedCurve>(curves: readonly C[], attributes: Attributes): C =>
  curveOf(curves, neededBytes(attributes, CKA.EC_PARAMS, 'CKA_EC_PARAMS'))
