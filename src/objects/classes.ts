/**
 * The classes of objects, and in them the types of keys, certificates and hardware features: which
 * tables make up the attributes of each. PKCS #11 3.2, 4.2 to 4.15 and the key sections of chapter 6.
 */
import { CKA, CKC, CKH, CKK, CKM, CKO } from '../standard/constants.ts'

/** A set of objects with the same attributes. */
export interface ObjectClass {
  /** CKO_ number. */
  readonly class: number
  /** The CKK_, CKC_, CKH_ or CKM_ number; absent where the class has no types, or for all its other types. */
  readonly type?: number
  /** Names in tables.ts; a later table overrides an attribute of an earlier one. */
  readonly tables: readonly string[]
  /** What a key of this type is for: these CKA_ attributes are true where a template is silent. */
  readonly uses?: readonly string[]
  /** At least one of these CKA_ attributes must be given to C_CreateObject. */
  readonly oneOf?: readonly string[]
}

/** Which attribute tells the type within a class; a class that is not here has no types. */
export const typeAttributes: ReadonlyMap<number, number> = new Map([
  [CKO.CERTIFICATE, CKA.CERTIFICATE_TYPE],
  [CKO.PUBLIC_KEY, CKA.KEY_TYPE],
  [CKO.PRIVATE_KEY, CKA.KEY_TYPE],
  [CKO.SECRET_KEY, CKA.KEY_TYPE],
  [CKO.OTP_KEY, CKA.KEY_TYPE],
  [CKO.DOMAIN_PARAMETERS, CKA.KEY_TYPE],
  [CKO.HW_FEATURE, CKA.HW_FEATURE_TYPE],
  [CKO.MECHANISM, CKA.MECHANISM_TYPE],
])

/** Objects that tell about the token: the token makes them, and no application may (4.3, 4.13 to 4.15). */
export const ofTheToken: ReadonlySet<number> = new Set([
  CKO.HW_FEATURE,
  CKO.MECHANISM,
  CKO.PROFILE,
  CKO.VALIDATION,
])

const common = 'Common Object Attributes'
const storage = [common, 'Common Storage Object Attributes']
const key = [...storage, 'Common Key Attributes']
const publicKey = [...key, 'Common Public Key Attributes', 'Encapsulating Public Keys']
const privateKey = [...key, 'Common Private Key Attributes', 'Decapsulating Private Keys']
const secretKey = [...key, 'Common Secret Key Attributes']
const certificate = [...storage, 'Common Certificate Object Attributes']
const domainParameters = [...storage, 'Common Domain Parameter Attributes']
const feature = [common, 'Hardware Feature Common Attributes']
const mechanism = [common, 'Common Mechanism Attributes']
const otpKey = [...secretKey, 'Common OTP key attributes']

const plain: ObjectClass[] = [
  { class: CKO.DATA, tables: [...storage, 'Data Object Attributes'] },
  { class: CKO.TRUST, tables: [...storage, 'Trust Object Attributes'] },
  // Token objects, as applications that search with CKA_TOKEN true expect.
  { class: CKO.PROFILE, tables: [...storage, 'Profile Object Attributes'] },
  { class: CKO.VALIDATION, tables: [...storage, 'Validation Object Attributes'] },
  { class: CKO.MECHANISM, tables: mechanism },
  {
    class: CKO.MECHANISM,
    type: CKM.CMS_SIG,
    tables: [...mechanism, 'CMS Signature Mechanism Object Attributes'],
  },
]

const typed = (
  objectClass: number,
  base: readonly string[],
  types: Record<number, string>,
): ObjectClass[] =>
  Object.entries(types).map(([type, table]) => ({
    class: objectClass,
    type: Number(type),
    tables: [...base, table],
  }))

const certificates = typed(CKO.CERTIFICATE, certificate, {
  [CKC.X_509]: 'X.509 Certificate Object Attributes',
  [CKC.WTLS]: 'WTLS Certificate Object Attributes',
  [CKC.X_509_ATTR_CERT]: 'X.509 Attribute Certificate Object Attributes',
})

const features = typed(CKO.HW_FEATURE, feature, {
  [CKH.CLOCK]: 'Clock Object Attributes',
  [CKH.MONOTONIC_COUNTER]: 'Monotonic Counter Attributes',
  [CKH.USER_INTERFACE]: 'User Interface Object Attributes',
})

const domains = typed(CKO.DOMAIN_PARAMETERS, domainParameters, {
  [CKK.DSA]: 'DSA Domain Parameter Object Attributes',
  [CKK.DH]: 'Diffie-Hellman Domain Parameter Object Attributes',
  [CKK.X9_42_DH]: 'X9.42 Diffie-Hellman Domain Parameters Object Attributes',
  [CKK.GOST28147]: 'GOST 28147-89 Domain Parameter Object Attributes',
  [CKK.GOSTR3411]: 'GOST R 34.11-94 Domain Parameter Object Attributes',
  [CKK.GOSTR3410]: 'GOST R 34.10-2001 Domain Parameter Object Attributes',
})

const SIGNING = ['CKA_SIGN', 'CKA_VERIFY']
const ENCRYPTING = ['CKA_ENCRYPT', 'CKA_DECRYPT']
const RECOVERING = ['CKA_SIGN_RECOVER', 'CKA_VERIFY_RECOVER']
const ENCAPSULATING = ['CKA_ENCAPSULATE', 'CKA_DECAPSULATE']

interface Pair {
  readonly type: number
  /** As the names of its two tables begin. */
  readonly name: string
  readonly uses: readonly string[]
  readonly seed?: boolean
}

const pairs: Pair[] = [
  { type: CKK.RSA, name: 'RSA', uses: [...ENCRYPTING, ...SIGNING, ...RECOVERING] },
  { type: CKK.DSA, name: 'DSA', uses: SIGNING },
  { type: CKK.EC, name: 'Elliptic Curve', uses: SIGNING },
  { type: CKK.EC_EDWARDS, name: 'Edwards Elliptic Curve', uses: SIGNING },
  { type: CKK.EC_MONTGOMERY, name: 'Montgomery Elliptic Curve', uses: [] },
  { type: CKK.DH, name: 'Diffie-Hellman', uses: [] },
  { type: CKK.X9_42_DH, name: 'X9.42 Diffie-Hellman', uses: [] },
  { type: CKK.GOSTR3410, name: 'GOST R 34.10-2001', uses: SIGNING },
  { type: CKK.HSS, name: 'HSS', uses: SIGNING },
  { type: CKK.XMSS, name: 'XMSS', uses: SIGNING },
  { type: CKK.XMSSMT, name: 'XMSS^MT^', uses: SIGNING },
  { type: CKK.ML_DSA, name: 'ML-DSA', uses: SIGNING, seed: true },
  { type: CKK.ML_KEM, name: 'ML-KEM', uses: ENCAPSULATING, seed: true },
  { type: CKK.SLH_DSA, name: 'SLH-DSA', uses: SIGNING },
]

const pairClasses = pairs.flatMap(({ type, name, uses, seed }): ObjectClass[] => [
  {
    class: CKO.PUBLIC_KEY,
    type,
    uses,
    tables: [...publicKey, `${name} Public Key Object Attributes`],
  },
  {
    class: CKO.PRIVATE_KEY,
    type,
    uses,
    tables: [...privateKey, `${name} Private Key Object Attributes`],
    ...(seed ? { oneOf: ['CKA_SEED', 'CKA_VALUE'] } : {}),
  },
])

const GENERIC = 'Generic Secret Key Object Attributes'
const CIPHER = [...ENCRYPTING, ...SIGNING]

/** Table and uses of each type of secret key. */
const secrets: Record<number, readonly [string, readonly string[]]> = {
  // 6.8: "These keys do not support encryption or decryption".
  [CKK.GENERIC_SECRET]: [GENERIC, SIGNING],
  [CKK.HKDF]: [GENERIC, []],
  [CKK.AES]: ['AES Secret Key Object Attributes', CIPHER],
  [CKK.AES_XTS]: ['AES-XTS Secret Key Object Attributes', ENCRYPTING],
  // These are historical; their tables there are those of DES2 and of generic secrets.
  [CKK.IDEA]: ['DES2 Secret Key Object Attributes', CIPHER],
  [CKK.RC2]: [GENERIC, CIPHER],
  [CKK.CAST128]: [GENERIC, CIPHER],
  [CKK.RC4]: [GENERIC, ENCRYPTING],
  [CKK.DES]: ['DES2 Secret Key Object Attributes', CIPHER],
  [CKK.DES2]: ['DES2 Secret Key Object Attributes', CIPHER],
  [CKK.DES3]: ['DES3 Secret Key Object Attributes', CIPHER],
  [CKK.BLOWFISH]: ['BLOWFISH Secret Key Object', ENCRYPTING],
  [CKK.TWOFISH]: ['Twofish Secret Key Object', ENCRYPTING],
  [CKK.CAMELLIA]: ['Camellia Secret Key Object Attributes', CIPHER],
  [CKK.ARIA]: ['ARIA Secret Key Object Attributes', CIPHER],
  [CKK.SEED]: ['SEED Secret Key Object Attributes', CIPHER],
  [CKK.GOST28147]: ['GOST 28147-89 Secret Key Object Attributes', CIPHER],
  [CKK.CHACHA20]: ['ChaCha20 Secret Key Object', ENCRYPTING],
  [CKK.SALSA20]: ['Salsa20 Secret Key Object', ENCRYPTING],
  [CKK.POLY1305]: ['Poly1305 Secret Key Object', SIGNING],
  [CKK.X2RATCHET]: ['Double Ratchet Secret Key Object Attributes', ENCRYPTING],
}

/** 6.9: keys for one HMAC are generic secrets with a name. */
const hmacKeys = Object.entries(CKK).flatMap(([name, type]) =>
  name.endsWith('_HMAC') ? [type] : [],
)

const secretClasses = [
  ...Object.entries(secrets),
  ...hmacKeys.map((type) => [type, [GENERIC, SIGNING]] as const),
].map(
  ([type, [table, uses]]): ObjectClass => ({
    class: CKO.SECRET_KEY,
    type: Number(type),
    uses,
    tables: [...secretKey, table],
  }),
)

/** 6.53: an OTP is made with C_Sign and checked with C_Verify. */
const otpClasses: ObjectClass[] = [
  { class: CKO.OTP_KEY, type: CKK.HOTP, uses: SIGNING, tables: otpKey },
  { class: CKO.OTP_KEY, type: CKK.ACTI, uses: SIGNING, tables: otpKey },
  {
    class: CKO.OTP_KEY,
    type: CKK.SECURID,
    uses: SIGNING,
    tables: [...otpKey, 'RSA SecurID secret key object attributes'],
  },
]

/** Every kind of object there is. */
export const objectClasses: readonly ObjectClass[] = [
  ...plain,
  ...certificates,
  ...features,
  ...domains,
  ...pairClasses,
  ...secretClasses,
  ...otpClasses,
]
