/** What all secret keys have in common: value, length and check value. PKCS #11 3.2, 4.11. */
import { randomBytes } from '../engine/random.ts'
import { bytesOf, numberOf } from '../objects/object.ts'
import { CKA, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Attributes, CryptokiObject, Made, Make } from './mechanism.ts'

/** Bytes of a CKA_CHECK_VALUE. */
const CHECK_VALUE = 3

/**
 * The value of a secret key of one of these types, or of any. Throws CKR_KEY_TYPE_INCONSISTENT for
 * another type, or a key that is not secret.
 */
export function secretValue(key: CryptokiObject, keyTypes?: readonly number[]): Uint8Array {
  const keyType = numberOf(key, CKA.KEY_TYPE)
  const fits = keyType !== undefined && (keyTypes === undefined || keyTypes.includes(keyType))
  if (!fits || numberOf(key, CKA.CLASS) !== CKO.SECRET_KEY)
    throw new CryptokiError(CKR.KEY_TYPE_INCONSISTENT, `a key of type ${keyType} does not fit`)
  const value = bytesOf(key, CKA.VALUE)
  if (value === undefined) throw new CryptokiError(CKR.GENERAL_ERROR, 'a secret key has no value')
  return value
}

/**
 * Makes a random secret key as long as CKA_VALUE_LEN says, in bytes. Throws CKR_TEMPLATE_INCOMPLETE
 * where the template does not say, and CKR_ATTRIBUTE_VALUE_INVALID for a length that cannot be.
 */
export function generateSecret({ template }: Make, fits: (bytes: number) => boolean): Made {
  const length = template.get(CKA.VALUE_LEN)
  if (typeof length !== 'number')
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_VALUE_LEN must say how long the key is')
  if (!fits(length))
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `no such key has ${length} bytes`)
  return new Map([[CKA.VALUE, randomBytes(length)]])
}

/**
 * Makes a random secret key of a type whose keys all have one length. CKR_ATTRIBUTE_VALUE_INVALID
 * where a template nevertheless names another one.
 */
export function generateOfLength(make: Make, bytes: number): Made {
  const length = make.template.get(CKA.VALUE_LEN) ?? bytes
  const template = new Map([...make.template, [CKA.VALUE_LEN, length]])
  return generateSecret({ ...make, template }, (asked) => asked === bytes)
}

/** A value of the right length that is no key of its type all the same: C_UnwrapKey has a return value of its own for it. */
export class WrongKeyValue extends CryptokiError {
  constructor(why: string) {
    super(CKR.ATTRIBUTE_VALUE_INVALID, why)
  }
}

/**
 * What KeyType.complete does for a secret key: answers CKA_VALUE_LEN and CKA_CHECK_VALUE, the first
 * three bytes of what `checksum` answers, where the key type has one. A given CKA_CHECK_VALUE without bytes keeps the key from
 * having one (4.11). Throws CKR_ATTRIBUTE_VALUE_INVALID for a value of a wrong length and for a check
 * value that is another key's; whether a given CKA_VALUE_LEN agrees, the caller judges, for its
 * return value depends on the function.
 */
export function completeSecret(
  attributes: Attributes,
  fits: (bytes: number) => boolean,
  checksum?: (value: Uint8Array) => Uint8Array,
): Attributes {
  const value = attributes.get(CKA.VALUE)
  if (!(value instanceof Uint8Array))
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'a secret key needs CKA_VALUE')
  if (!fits(value.length))
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `no such key has ${value.length} bytes`)
  const additions = new Map<number, number | Uint8Array>([[CKA.VALUE_LEN, value.length]])
  if (checksum === undefined) return additions
  const given = attributes.get(CKA.CHECK_VALUE)
  if (given instanceof Uint8Array && given.length === 0) return additions
  const check = Uint8Array.from(checksum(value).subarray(0, CHECK_VALUE))
  if (given instanceof Uint8Array && Buffer.compare(given, check) !== 0)
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, 'CKA_CHECK_VALUE is not that of this key')
  return additions.set(CKA.CHECK_VALUE, check)
}
