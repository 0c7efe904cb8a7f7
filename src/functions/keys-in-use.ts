/** Checks a key against what it is to be used for, before an operation begins. PKCS #11 3.2, 4.8 to 4.11. */
import type { Mechanism } from '../mechanisms/mechanism.ts'
import {
  type Attributes,
  type CryptokiObject,
  isPrivateObject,
  isTemplate,
  isTrue,
  numberOf,
} from '../objects/object.ts'
import { after } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import { CKA, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'

/** The classes whose objects have a key type. */
export const KEY_CLASSES: ReadonlySet<number | undefined> = new Set([
  CKO.PUBLIC_KEY,
  CKO.PRIVATE_KEY,
  CKO.SECRET_KEY,
])

/** The usage attribute that each use asks for. */
export type Usage =
  | 'ENCRYPT'
  | 'DECRYPT'
  | 'SIGN'
  | 'SIGN_RECOVER'
  | 'VERIFY'
  | 'VERIFY_RECOVER'
  | 'WRAP'
  | 'UNWRAP'
  | 'DERIVE'
  | 'ENCAPSULATE'
  | 'DECAPSULATE'

/** The key behind a handle, whatever it is used for. `invalid` is the return value where there is none. */
export function keyOf(
  session: Session,
  handle: number,
  invalid: number = CKR.KEY_HANDLE_INVALID,
): CryptokiObject | Promise<CryptokiObject> {
  return after(session.membership.object(handle), (object) => {
    if (object === undefined || !KEY_CLASSES.has(numberOf(object, CKA.CLASS)))
      throw new CryptokiError(invalid, `there is no key ${handle}`)
    return object
  })
}

/** CKA_WRAP_TEMPLATE and its likes of a key; undefined where it has none, or an empty one. */
export const templateIn = (key: CryptokiObject, type: number): Attributes | undefined => {
  const template = key.attributes.get(type)
  return template !== undefined && isTemplate(template) && template.size > 0 ? template : undefined
}

/** CKA_ALLOWED_MECHANISMS, 4.8; without it, or with an empty list, every mechanism is allowed. */
export function allows(key: CryptokiObject, mechanism: number): boolean {
  const allowed = key.attributes.get(CKA.ALLOWED_MECHANISMS)
  return !Array.isArray(allowed) || allowed.length === 0 || allowed.includes(mechanism)
}

type Fitting = Pick<Mechanism, 'keyTypes' | 'anySecretKey'>

/** Whether a mechanism works with keys of this type. */
function fitsType(key: CryptokiObject, { keyTypes, anySecretKey }: Fitting): boolean {
  if (anySecretKey) return numberOf(key, CKA.CLASS) === CKO.SECRET_KEY
  const keyType = numberOf(key, CKA.KEY_TYPE)
  return keyType !== undefined && keyTypes.includes(keyType)
}

/** CKR_KEY_TYPE_INCONSISTENT comes before CKR_KEY_FUNCTION_NOT_PERMITTED (5.1.7). */
function checkUse(
  key: CryptokiObject,
  mechanism: Mechanism,
  usage: Usage | undefined,
  typeWrong: number,
): void {
  if (!fitsType(key, mechanism))
    throw new CryptokiError(
      typeWrong,
      `CKM_${mechanism.name} does not work with key type ${numberOf(key, CKA.KEY_TYPE)}`,
    )
  if (usage !== undefined && !isTrue(key, CKA[usage]))
    throw new CryptokiError(CKR.KEY_FUNCTION_NOT_PERMITTED, `CKA_${usage} of the key is false`)
  if (!allows(key, mechanism.type))
    throw new CryptokiError(
      CKR.MECHANISM_INVALID,
      `CKA_ALLOWED_MECHANISMS of the key lacks CKM_${mechanism.name}`,
    )
}

/** The return values for a handle and a type that do not fit, where a function has its own. */
export interface Complaints {
  readonly handle?: number
  readonly type?: number
}

/** The key behind a handle, fit for a use; undefined for one that no usage attribute is about. */
export function keyFor(
  session: Session,
  handle: number,
  mechanism: Mechanism,
  usage: Usage | undefined,
  {
    handle: handleWrong = CKR.KEY_HANDLE_INVALID,
    type: typeWrong = CKR.KEY_TYPE_INCONSISTENT,
  }: Complaints = {},
): CryptokiObject | Promise<CryptokiObject> {
  return after(keyOf(session, handle, handleWrong), (key) => {
    checkUse(key, mechanism, usage, typeWrong)
    return key
  })
}

/** A private key with CKA_ALWAYS_AUTHENTICATE asks for a login of its own (4.10). */
export const asksForLogin = (key: CryptokiObject): boolean =>
  isPrivateObject(key) && isTrue(key, CKA.ALWAYS_AUTHENTICATE)

/**
 * For functions that use a key at once, such as C_UnwrapKey: they begin no operation that the user
 * could log in for, so a key that asks for that cannot be used with them.
 */
export function checkAsksForNoLogin(key: CryptokiObject): void {
  if (asksForLogin(key))
    throw new CryptokiError(
      CKR.USER_NOT_LOGGED_IN,
      'the key asks for C_Login with CKU_CONTEXT_SPECIFIC, and there is no operation to log in for',
    )
}
