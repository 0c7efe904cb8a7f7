/** What the parameters of the SSL and TLS mechanisms have in common. PKCS #11 3.2, 6.39.2 and 6.40.2. */
import { ssl3Prf, type TlsHash, tlsPrf } from '../engine/tls-prf.ts'
import { CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { CryptokiObject, MechanismArgument } from './mechanism.ts'
import { dataIn, type Holder, numberIn, structureIn } from './parameter.ts'
import { digestOfMechanism } from './prfs.ts'
import { secretValue } from './secret-keys.ts'

/** Bytes of a master secret, and of a pre-master secret that holds a version. RFC 5246, 7.4.7.1 and 8.1. */
export const MASTER_SECRET = 48

export const TLS_KEY_TYPES = [CKK.GENERIC_SECRET] as const

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** CK_SSL3_RANDOM_DATA. */
export interface Randoms {
  readonly client: Uint8Array
  readonly server: Uint8Array
}

export function randomsIn(holder: Holder): Randoms {
  const randoms = structureIn(holder, 'randomInfo')
  if (randoms === null) throw invalid('the random data are missing')
  return { client: dataIn(randoms, 'clientRandom'), server: dataIn(randoms, 'serverRandom') }
}

/** Makes bytes from a secret as a version of the protocol does. */
export type ProtocolPrf = (
  secret: Uint8Array,
  label: Uint8Array,
  seed: readonly Uint8Array[],
  length: number,
) => Uint8Array

const tls =
  (hash: TlsHash): ProtocolPrf =>
  (secret, label, seed, length) =>
    tlsPrf(hash, secret, label, seed, length)

/** That of SSL 3.0, which has no labels. */
export const ssl3 = (): ProtocolPrf => (secret, _label, seed, length) =>
  ssl3Prf(secret, seed, length)

/** That of TLS 1.0 and 1.1. */
export const tls10 = (): ProtocolPrf => tls('md5-sha1')

/** That of TLS 1.2, whose hash function the parameter names. */
export const tls12 = (mechanism: MechanismArgument): ProtocolPrf =>
  tls(digestOfMechanism(numberIn(mechanism, 'prfHashMechanism')))

/** 6.40.3 and 6.40.8: that of TLS 1.2, or with CKM_TLS_PRF in place of a hash that of those before. */
export function anyTls(
  mechanism: MechanismArgument,
  name: string,
): {
  readonly prf: ProtocolPrf
  readonly isOld: boolean
} {
  const type = numberIn(mechanism, name)
  const isOld = type === CKM.TLS_PRF
  return { prf: isOld ? tls10() : tls(digestOfMechanism(type)), isOld }
}

/** The value of a generic secret of exactly so many bytes; throws CKR_KEY_SIZE_RANGE for another. */
export function secretOf(key: CryptokiObject, length: number): Uint8Array {
  const value = secretValue(key, TLS_KEY_TYPES)
  if (value.length !== length)
    throw new CryptokiError(CKR.KEY_SIZE_RANGE, `the secret has ${value.length} bytes`)
  return value
}
