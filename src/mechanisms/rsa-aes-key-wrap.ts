/**
 * CKM_RSA_AES_KEY_WRAP: a key of any length under a fresh AES key (RFC 5649), behind that AES key
 * under RSA-OAEP. PKCS #11 3.2, 6.1.19 and 6.1.20.
 */
import { randomBytes } from '../engine/random.ts'
import type { RsaKey } from '../engine/rsa.ts'
import { CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { KeyWrapDecryption, KeyWrapEncryption } from './aes-ciphers.ts'
import type { Begin, Mechanism, MechanismArgument } from './mechanism.ts'
import { numberIn, structureIn } from './parameter.ts'
import { rsaKeyOf } from './rsa-keys.ts'
import { decryption, encryption, type Padded } from './rsa-operations.ts'
import { oaep } from './rsa-schemes.ts'
import { unwrapping, unwrapThrough, wrapping, wrapThrough } from './wrapping.ts'

const KWP = { padded: true, iv: null } as const

/** "Can be only 128, 192 or 256." */
const AES_BITS: readonly number[] = [128, 192, 256]

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** Bytes of the AES key, as CK_RSA_AES_KEY_WRAP_PARAMS tells. */
function aesBytes(mechanism: MechanismArgument): number {
  const bits = numberIn(mechanism, 'aesKeyBits')
  if (!AES_BITS.includes(bits)) throw invalid(`an AES key has 128, 192 or 256 bits, not ${bits}`)
  return bits / 8
}

/** The AES key goes under this padding. Throws CKR_KEY_SIZE_RANGE where it does not fit. */
function paddingFor(key: RsaKey, mechanism: MechanismArgument): Padded {
  const parameters = structureIn(mechanism, 'oaepParams')
  if (parameters === null) throw invalid('there are no parameters of OAEP')
  const padded = { key, ...oaep(key, parameters) }
  if (aesBytes(mechanism) <= padded.most) return padded
  throw new CryptokiError(CKR.KEY_SIZE_RANGE, 'the key is too short for this AES key')
}

const rsaPart = ({ key, mechanism }: Begin, objectClass: number): Padded =>
  paddingFor(rsaKeyOf(key, objectClass), mechanism)

/** Wraps. The answer is as long as the modulus and what AES key wrap makes. */
export const wrapWithAes: NonNullable<Mechanism['wrap']> = async (begin, plain, surrender) => {
  const padded = await wrapping(async () => rsaPart(begin, CKO.PUBLIC_KEY))
  const aesKey = randomBytes(aesBytes(begin.mechanism))
  try {
    const first = await wrapThrough(() => encryption(padded), aesKey, surrender)
    const second = await wrapThrough(() => new KeyWrapEncryption(aesKey, KWP), plain, surrender)
    return Buffer.concat([first, second])
  } finally {
    aesKey.fill(0)
  }
}

/** Unwraps. An AES key of another length than the parameter tells is an error, too. */
export const unwrapWithAes: NonNullable<Mechanism['unwrap']> = async (
  begin,
  wrapped,
  surrender,
) => {
  const padded = await unwrapping(async () => rsaPart(begin, CKO.PRIVATE_KEY))
  const { bytes } = padded.key
  const first = wrapped.subarray(0, bytes)
  const aesKey = await unwrapThrough(() => decryption(padded), first, surrender)
  try {
    if (aesKey.length !== aesBytes(begin.mechanism))
      throw new CryptokiError(CKR.WRAPPED_KEY_INVALID, 'the AES key has another length')
    const decrypt = () => new KeyWrapDecryption(aesKey, KWP)
    return await unwrapThrough(decrypt, wrapped.subarray(bytes), surrender)
  } finally {
    aesKey.fill(0)
  }
}
