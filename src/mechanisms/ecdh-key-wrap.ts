/**
 * Wrapping keys for the owner of an EC key: a fresh key pair, ECDH, and AES key wrap with padding
 * (RFC 5649) under what follows from it. PKCS #11 3.2, 6.3.20 to 6.3.23.
 */
import { SEMIBLOCK } from '../engine/ciphers.ts'
import { octetString } from '../engine/der.ts'
import { CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { KeyWrapDecryption, KeyWrapEncryption } from './aes-ciphers.ts'
import { keyDerivationOf } from './ec-key-derivation.ts'
import { EC_FLAGS, FIELD_BITS } from './ec-keys.ts'
import { agreementOf } from './key-agreement.ts'
import type { Begin, Mechanism, MechanismArgument, Surrender } from './mechanism.ts'
import { OCTET_CURVE_BITS, OCTET_CURVE_FLAGS } from './octet-curve-keys.ts'
import { bytesIn, numberIn } from './parameter.ts'
import {
  unwrapping as asUnwrapping,
  wrapping as asWrapping,
  unwrapThrough,
  wrapThrough,
} from './wrapping.ts'

/** What differs between the three mechanisms. */
interface Wrapping extends Pick<Mechanism, 'section' | 'keyTypes' | 'keySize' | 'flags'> {
  readonly name: keyof typeof CKM
  readonly withCofactor: boolean
  /** Whether the point goes out in an OCTET STRING. */
  readonly encoded: boolean
}

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** CK_ECDH_AES_KEY_WRAP_PARAMS, as what makes the AES key of a shared secret of so many bytes. */
function aesKeyMaker(
  mechanism: MechanismArgument,
  secretBytes: number,
): (secret: Uint8Array) => Uint8Array {
  const bits = numberIn(mechanism, 'aesKeyBits')
  if (bits !== 128 && bits !== 192 && bits !== 256)
    throw invalid('an AES key has 128, 192 or 256 bits')
  const length = bits / 8
  const derive = keyDerivationOf(numberIn(mechanism, 'kdf'), bytesIn(mechanism, 'sharedData'))
  if (derive !== undefined) return (secret) => derive(secret, length)
  if (length > secretBytes) throw invalid(`the curve shares ${secretBytes} bytes only`)
  // "Gets the first ulAESKeyBits bits of the derived key", which here is the secret itself.
  return (secret) => secret.slice(0, length)
}

const KWP = { padded: true, iv: null } as const

async function wrap(
  { withCofactor, encoded }: Wrapping,
  { key, mechanism }: Begin,
  plain: Uint8Array,
  surrender: Surrender,
): Promise<Uint8Array> {
  const { point, secret } = agreementOf(key).send(key, withCofactor)
  // A public key of small order, which is not told from others when it is made.
  if (secret === undefined)
    throw new CryptokiError(CKR.FUNCTION_FAILED, 'nothing can be wrapped for this key')
  const aesKey = aesKeyMaker(mechanism, secret.length)(secret)
  secret.fill(0)
  try {
    const wrapped = await wrapThrough(() => new KeyWrapEncryption(aesKey, KWP), plain, surrender)
    return Buffer.concat([encoded ? octetString(point) : point, wrapped])
  } finally {
    aesKey.fill(0)
  }
}

/**
 * Where the point ends. Applications disagree on whether it is in an OCTET STRING; that is 2 or 3
 * bytes longer, so the length of the rest tells.
 */
function pointEnd(wrapped: Uint8Array, raw: number): number {
  const ends = [raw, octetString(new Uint8Array(raw)).length]
  const end = ends.find((at) => wrapped.length > at && (wrapped.length - at) % SEMIBLOCK === 0)
  if (end !== undefined) return end
  throw new CryptokiError(CKR.WRAPPED_KEY_LEN_RANGE, 'no point and wrapped key have this length')
}

async function unwrap(
  { withCofactor }: Wrapping,
  { key, mechanism }: Begin,
  wrapped: Uint8Array,
  surrender: Surrender,
): Promise<Uint8Array> {
  const agreement = agreementOf(key)
  const make = aesKeyMaker(mechanism, agreement.secretBytes(key))
  const end = pointEnd(wrapped, agreement.pointBytes(key))
  const secret = agreement.receive(key, wrapped.subarray(0, end), withCofactor)
  if (secret === undefined)
    throw new CryptokiError(CKR.WRAPPED_KEY_INVALID, 'it begins with no point of the curve')
  const aesKey = make(secret)
  secret.fill(0)
  try {
    const decryption = () => new KeyWrapDecryption(aesKey, KWP)
    return await unwrapThrough(decryption, wrapped.subarray(end), surrender)
  } finally {
    aesKey.fill(0)
  }
}

const weierstrass = { keyTypes: [CKK.EC], keySize: FIELD_BITS, flags: EC_FLAGS }
const montgomery = {
  keyTypes: [CKK.EC_MONTGOMERY],
  keySize: OCTET_CURVE_BITS,
  flags: OCTET_CURVE_FLAGS,
}

/** 6.3.20 leaves open how the point of the oldest of them is encoded; raw is what others send. */
const wrappings: readonly Wrapping[] = [
  {
    ...weierstrass,
    name: 'ECDH_AES_KEY_WRAP',
    section: '6.3.20',
    keyTypes: [CKK.EC, CKK.EC_MONTGOMERY],
    withCofactor: false,
    encoded: false,
  },
  {
    ...weierstrass,
    name: 'ECDH_COF_AES_KEY_WRAP',
    section: '6.3.21',
    withCofactor: true,
    encoded: true,
  },
  {
    ...montgomery,
    name: 'ECDH_X_AES_KEY_WRAP',
    section: '6.3.22',
    withCofactor: false,
    encoded: false,
  },
]

export const ecdhKeyWrap: readonly Mechanism[] = wrappings.map((wrapping) => {
  const { withCofactor: _, encoded: __, ...row } = wrapping
  return {
    ...row,
    type: CKM[row.name],
    parameter: 'CK_ECDH_AES_KEY_WRAP_PARAMS',
    wrap: (begin, plain, surrender) => asWrapping(() => wrap(wrapping, begin, plain, surrender)),
    unwrap: (begin, wrapped, surrender) =>
      asUnwrapping(() => unwrap(wrapping, begin, wrapped, surrender)),
  }
})
