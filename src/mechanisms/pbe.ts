/**
 * Keys and IVs from passwords for password-based encryption and authentication, as PKCS #5 1.5 and
 * PKCS #12 have it. PKCS #11 3.2, 6.37 (which names them) and 6.38 (which tells what they do);
 * historical mechanisms, 2.14 and 2.15.
 *
 * The password is used as it is given. PKCS #12 files have it as a BMPString with two zeros behind it
 * (RFC 7292, B.1), which is for the application to make.
 */
import type { DigestName } from '../engine/digests.ts'
import type { PasswordDerivation } from '../engine/password-derivation.ts'
import { CKA, CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { derivedLength, derivedValue } from './derived-keys.ts'
import type { Attributes, Made, Make, Mechanism, MechanismArgument } from './mechanism.ts'
import { dataIn } from './parameter.ts'
import { fromPassword, iterationsIn } from './password-derivation.ts'

/** Bytes of the IV that CK_PBE_PARAMS has room for. */
const IV = 8

interface Pbe extends Pick<Mechanism, 'section' | 'standing'> {
  readonly name: keyof typeof CKM
  readonly keyType: keyof typeof CKK
}

/** What all have in common. */
const rowOf = (
  { name, keyType, ...rest }: Pbe,
  keySize: Mechanism['keySize'],
  generateKey: NonNullable<Mechanism['generateKey']>,
): Mechanism => ({
  type: CKM[name],
  name,
  keyTypes: [CKK[keyType]],
  keySize,
  ...rest,
  supplies: [CKA.VALUE_LEN],
  parameter: 'CK_PBE_PARAMS',
  generateKey,
})

type FromParameter = Pick<PasswordDerivation, 'password' | 'salt' | 'iterations'>

const read = (mechanism: MechanismArgument): FromParameter => ({
  password: dataIn(mechanism, 'password'),
  salt: dataIn(mechanism, 'salt'),
  iterations: iterationsIn(mechanism, 'iteration'),
})

/** How long the key is: `length` bytes unless a template for keys of several lengths says otherwise. */
const lengthOf = (template: Attributes, length: number): number =>
  derivedLength(new Map([[CKA.VALUE_LEN, length], ...template]), { most: length })

interface Pkcs12 extends Pbe {
  /** Bytes of the key. */
  readonly length: number
  /** For encryption with an IV, for encryption without, or for authentication. */
  readonly makes: 'key and IV' | 'key' | 'MAC key'
}

/** B.3 of RFC 7292. */
const ID = { key: 1, iv: 2, mac: 3 } as const

/** 6.38: SHA-1, iterated over password and salt. */
const pkcs12 = ({ length, makes, ...row }: Pkcs12): Mechanism => {
  const derivation = { method: 'PKCS12KDF', digest: 'sha1' } as const
  const generate = async ({ mechanism, template, surrender }: Make): Promise<Made> => {
    const given = read(mechanism)
    if (given.password.length + given.salt.length === 0)
      throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'neither password nor salt')
    if (lengthOf(template, length) !== length)
      throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, `the key has ${length} bytes`)
    const bytes = (id: 1 | 2 | 3, size: number) =>
      fromPassword({ ...derivation, ...given, id, length: size }, surrender)
    const value = await bytes(makes === 'MAC key' ? ID.mac : ID.key, length)
    if (makes === 'key and IV') mechanism.answer?.({ initVector: await bytes(ID.iv, IV) })
    return derivedValue(template, value)
  }
  return rowOf(row, [length, length], generate)
}

interface Pbkdf1 extends Pbe {
  readonly digest: DigestName
  /** Bytes of the key at most, and where the template does not say. */
  readonly length: number
}

/** PBKDF1 of RFC 8018: the key is at the start of 16 bytes, the IV in their second half (6.1.1). */
const pbkdf1 = ({ digest, length, ...row }: Pbkdf1): Mechanism => {
  const generate = async ({ mechanism, template, surrender }: Make): Promise<Made> => {
    const size = lengthOf(template, length)
    const derivation = { method: 'PBKDF1', digest, length: 2 * IV, ...read(mechanism) } as const
    const bytes = await fromPassword(derivation, surrender)
    mechanism.answer?.({ initVector: bytes.slice(IV) })
    return derivedValue(template, bytes.slice(0, size))
  }
  return rowOf(row, [row.keyType === 'DES' ? length : 1, length], generate)
}

/** PBE with MD2 is not there, since OpenSSL has no MD2, nor are CAST and CAST3, whose keys it has not. */
export const pbe: readonly Mechanism[] = [
  pbkdf1({
    name: 'PBE_MD5_DES_CBC',
    section: 'hist 2.14.4',
    standing: 'legacy',
    keyType: 'DES',
    digest: 'md5',
    length: 8,
  }),
  pbkdf1({
    name: 'PBE_MD5_CAST128_CBC',
    section: 'hist 2.14.7',
    standing: 'legacy',
    keyType: 'CAST128',
    digest: 'md5',
    length: 8,
  }),
  pbkdf1({
    name: 'PBE_SHA1_CAST128_CBC',
    section: 'hist 2.14.8',
    standing: 'legacy',
    keyType: 'CAST128',
    digest: 'sha1',
    length: 8,
  }),
  pkcs12({
    name: 'PBE_SHA1_RC4_128',
    section: 'hist 2.15.2',
    standing: 'legacy',
    keyType: 'RC4',
    length: 16,
    makes: 'key',
  }),
  pkcs12({
    name: 'PBE_SHA1_RC4_40',
    section: 'hist 2.15.3',
    standing: 'legacy',
    keyType: 'RC4',
    length: 5,
    makes: 'key',
  }),
  pkcs12({
    name: 'PBE_SHA1_DES3_EDE_CBC',
    section: '6.37',
    keyType: 'DES3',
    length: 24,
    makes: 'key and IV',
  }),
  pkcs12({
    name: 'PBE_SHA1_DES2_EDE_CBC',
    section: '6.37',
    keyType: 'DES2',
    length: 16,
    makes: 'key and IV',
  }),
  pkcs12({
    name: 'PBE_SHA1_RC2_128_CBC',
    section: 'hist 2.15.4',
    standing: 'legacy',
    keyType: 'RC2',
    length: 16,
    makes: 'key and IV',
  }),
  pkcs12({
    name: 'PBE_SHA1_RC2_40_CBC',
    section: 'hist 2.15.5',
    standing: 'legacy',
    keyType: 'RC2',
    length: 5,
    makes: 'key and IV',
  }),
  pkcs12({
    name: 'PBA_SHA1_WITH_SHA1_HMAC',
    section: '6.37',
    keyType: 'GENERIC_SECRET',
    length: 20,
    makes: 'MAC key',
  }),
]
