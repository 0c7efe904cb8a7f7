/**
 * SLH-DSA and HashSLH-DSA (FIPS 205). PKCS #11 3.2, 6.69. Generation and signing take up to seconds in
 * one native call, so they run in worker processes.
 */
import { verifyWithSet } from '../engine/parameter-set-signatures.ts'
import { slhDsaSets } from '../engine/parameter-sets.ts'
import { bytesOf } from '../objects/object.ts'
import { CKA, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { lengthily } from '../surrender/workers.ts'
import { keptMessage } from './additional-context.ts'
import type { CryptokiObject, Mechanism } from './mechanism.ts'
import { shortMessage } from './messages.ts'
import { generating, parameterSetKeyType } from './parameter-set-keys.ts'
import { familyRow, type SigningFamily, signatureRows } from './parameter-set-signatures.ts'

/**
 * Bytes of a message that is signed unhashed: 64 MiB. The algorithm goes over the message twice, so
 * all of it is kept; whoever has more hashes it first (CKM_HASH_SLH_DSA_...).
 */
export const LONGEST_MESSAGE = 64 << 20

/** Verification over up to so many bytes takes some milliseconds, mostly less than a worker's start. */
const VERIFIED_AT_ONCE = 1 << 20

function bytesOfKey(object: CryptokiObject): Uint8Array {
  const value = bytesOf(object, CKA.VALUE)
  if (value === undefined) throw new CryptokiError(CKR.GENERAL_ERROR, 'a key has no value')
  return value
}

const family: SigningFamily = {
  name: 'SLH_DSA',
  chapter: '6.69',
  sets: slhDsaSets,
  pure: (_key, context) =>
    keptMessage(shortMessage(0, LONGEST_MESSAGE), (bytes) => ({ form: 'pure', bytes, context })),
  sign: ({ object, key: { set }, signed, deterministic }, surrender) =>
    lengthily('signSlhDsa', { set, value: bytesOfKey(object), signed, deterministic }, surrender),
  verify: ({ object, key, signed }, signature, surrender) =>
    signed.bytes.length <= VERIFIED_AT_ONCE
      ? verifyWithSet(key, signed, signature)
      : lengthily(
          'verifySlhDsa',
          { set: key.set, value: bytesOfKey(object), signed, signature },
          surrender,
        ),
}

export const slhDsaKeyType = parameterSetKeyType(family)

export const slhDsa: readonly Mechanism[] = [
  {
    ...familyRow(family, 'SLH_DSA_KEY_PAIR_GEN', '6.69.4'),
    generateKeyPair: generating(family, (set, { surrender }) =>
      lengthily('generateSlhDsaKeyPair', { set }, surrender),
    ),
  },
  ...signatureRows(family),
]
