/** The objects that cases name, each with its template: public session objects of known values. */
import { createCipheriv, generateKeyPairSync, privateEncrypt } from 'node:crypto'
import type { Attribute } from '../../../src/standard/calls.ts'
import { CKA, CKK, CKO } from '../../../src/standard/constants.ts'
import { template } from '../../in-process.ts'
import type { Words } from './words.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const number = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')
const rsaNumbers = rsa.privateKey.export({ format: 'jwk' })
const ecNumbers = ec.privateKey.export({ format: 'jwk' })

/** An uncompressed point of P-256. */
export const POINT = Buffer.concat([Buffer.of(4), number(ecNumbers.x), number(ecNumbers.y)])

/** OIDs as CKA_EC_PARAMS: P-256; 1.2.3.4, which is no curve; and NULL, which stands for implicitlyCA. */
export const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
export const UNKNOWN_CURVE = Buffer.from('06032a0304', 'hex')
export const NO_CURVE = Buffer.from('0500', 'hex')

export const AES_VALUE = Buffer.alloc(16, 0xa5)
export const IV = Buffer.alloc(16)

/** What CBC puts out for some bytes under the key "aes", padded or as whole blocks. */
export function encrypted(plain: Uint8Array, padded = true): Buffer {
  const cipher = createCipheriv('aes-128-cbc', AES_VALUE, IV).setAutoPadding(padded)
  return Buffer.concat([cipher.update(plain), cipher.final()])
}

/** A signature of the key "rsaPrivate" that holds its message. */
export const RECOVERABLE = privateEncrypt(rsa.privateKey, Buffer.from('a message'))

const secret = (values: Parameters<typeof template>[0]): Attribute[] =>
  template({ CLASS: CKO.SECRET_KEY, PRIVATE: false, SENSITIVE: false, ...values })

const aes = (values: Parameters<typeof template>[0] = {}): Attribute[] =>
  secret({
    KEY_TYPE: CKK.AES,
    VALUE: AES_VALUE,
    ENCRYPT: true,
    DECRYPT: true,
    WRAP: true,
    UNWRAP: true,
    EXTRACTABLE: true,
    ...values,
  })

const generic = (values: Parameters<typeof template>[0] = {}): Attribute[] =>
  secret({
    KEY_TYPE: CKK.GENERIC_SECRET,
    VALUE: Buffer.alloc(32, 7),
    SIGN: true,
    VERIFY: true,
    EXTRACTABLE: true,
    ...values,
  })

const rsaPublic = (used: boolean): Attribute[] =>
  template({
    CLASS: CKO.PUBLIC_KEY,
    KEY_TYPE: CKK.RSA,
    PRIVATE: false,
    MODULUS: number(rsaNumbers.n),
    PUBLIC_EXPONENT: number(rsaNumbers.e),
    ENCRYPT: used,
    VERIFY: used,
    VERIFY_RECOVER: used,
    WRAP: used,
  })

const rsaPrivate = (used: boolean, values: Parameters<typeof template>[0] = {}): Attribute[] =>
  template({
    CLASS: CKO.PRIVATE_KEY,
    KEY_TYPE: CKK.RSA,
    PRIVATE: false,
    MODULUS: number(rsaNumbers.n),
    PUBLIC_EXPONENT: number(rsaNumbers.e),
    PRIVATE_EXPONENT: number(rsaNumbers.d),
    DECRYPT: used,
    SIGN: used,
    SIGN_RECOVER: used,
    UNWRAP: used,
    ...values,
  })

const ecPrivate = (used: boolean): Attribute[] =>
  template({
    CLASS: CKO.PRIVATE_KEY,
    KEY_TYPE: CKK.EC,
    PRIVATE: false,
    EC_PARAMS: P256,
    VALUE: number(ecNumbers.d),
    DERIVE: used,
    SIGN: used,
  })

const data = (values: Parameters<typeof template>[0] = {}): Attribute[] =>
  template({ CLASS: CKO.DATA, PRIVATE: false, VALUE: Buffer.alloc(16), ...values })

/** So many bytes that two of them make no answer: a message has at most 16 MiB. */
export const HUGE = 9 << 20

const unused = {
  ENCRYPT: false,
  DECRYPT: false,
  SIGN: false,
  VERIFY: false,
  WRAP: false,
  UNWRAP: false,
}

/** The templates of C_CreateObject. */
export const templates: Readonly<Record<string, readonly Attribute[] | Words>> = {
  aes: aes(),
  otherAes: aes({ VALUE: Buffer.alloc(32, 3) }),
  unusedAes: aes(unused),
  generic: generic(),
  unusedGeneric: generic(unused),
  longGeneric: generic({ VALUE: Buffer.alloc(200, 1) }),
  unextractable: generic({ EXTRACTABLE: false }),
  askingForTrust: generic({ WRAP_WITH_TRUSTED: true }),
  sensitive: generic({ SENSITIVE: true }),
  rsaPublic: rsaPublic(true),
  unusedRsaPublic: rsaPublic(false),
  rsaPrivate: rsaPrivate(true),
  unusedRsaPrivate: rsaPrivate(false),
  alwaysAuthenticated: rsaPrivate(true, { PRIVATE: true, ALWAYS_AUTHENTICATE: true }),
  ecPrivate: ecPrivate(true),
  unusedEcPrivate: ecPrivate(false),
  ecPublic: template({
    CLASS: CKO.PUBLIC_KEY,
    KEY_TYPE: CKK.EC,
    PRIVATE: false,
    EC_PARAMS: P256,
    EC_POINT: POINT,
    VERIFY: true,
  }),
  data: data(),
  uncopyable: data({ COPYABLE: false }),
  unmodifiable: data({ MODIFIABLE: false }),
  indestructible: data({ DESTROYABLE: false }),
  lasting: data({ TOKEN: true }),
  huge: {
    words: `[ ${CKA.CLASS} i8 8 ${CKA.PRIVATE} i1 1 ${CKA.VALUE} i${HUGE} ${HUGE} ] 3`,
  },
}

/** Those that can be token objects as well. */
export const lastingNames = Object.keys(templates).filter((name) => name !== 'huge')
