/** Numbers of the standard as people read them: the tables of constants the other way round. */
import { CKF, CKK, CKM, CKO } from '../standard/constants.ts'

/** Where two names share a number, the later and newer one of the table is told. */
const reversed = (table: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(table).map(([name, value]) => [value, name]))

const MECHANISMS = reversed(CKM)
const KEY_TYPES = reversed(CKK)
const CLASSES = reversed(CKO)

const nameIn = (names: ReadonlyMap<number, string>, value: number): string =>
  names.get(value) ?? `0x${value.toString(16)}`

/** `CKM_RSA_PKCS` for 1; a number the standard does not name in hexadecimal. */
export const mechanismName = (type: number): string => {
  const name = MECHANISMS.get(type)
  return name === undefined ? `0x${type.toString(16)}` : `CKM_${name}`
}

/** `EC` for CKK_EC. */
export const keyTypeName = (type: number): string => nameIn(KEY_TYPES, type)

/** `private key` for CKO_PRIVATE_KEY. */
export const className = (objectClass: number): string =>
  nameIn(CLASSES, objectClass).toLowerCase().replaceAll('_', ' ')

const FUNCTION_FLAGS = [
  'ENCRYPT',
  'DECRYPT',
  'DIGEST',
  'SIGN',
  'SIGN_RECOVER',
  'VERIFY',
  'VERIFY_RECOVER',
  'GENERATE',
  'GENERATE_KEY_PAIR',
  'WRAP',
  'UNWRAP',
  'DERIVE',
  'ENCAPSULATE',
  'DECAPSULATE',
  'MESSAGE_ENCRYPT',
  'MESSAGE_DECRYPT',
  'MESSAGE_SIGN',
  'MESSAGE_VERIFY',
] as const

/** The functions a mechanism's flags (CK_MECHANISM_INFO) tell of, as `encrypt` or `generate-key-pair`. */
export const functionNames = (flags: number): readonly string[] =>
  FUNCTION_FLAGS.filter((name) => (flags & CKF[name]) !== 0).map((name) =>
    name.toLowerCase().replaceAll('_', '-'),
  )
