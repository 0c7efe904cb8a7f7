/**
 * The hash functions and pseudorandom functions that parameters of derivations name by their CKM_
 * numbers: those of FIPS 180-4 and FIPS 202, HMAC over them, and CMAC.
 */
import { type DigestName, digestLengths, isBlake2b } from '../engine/digests.ts'
import { hmac, type Mac, macing } from '../engine/macs.ts'
import { CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { hashes } from './digests.ts'
import type { CryptokiObject } from './mechanism.ts'
import { secretValue } from './secret-keys.ts'

/** The BLAKE2b functions are in no standard that these mechanisms are of. */
const known = hashes.filter(({ digest }) => !isBlake2b(digest))

/** The digest of a CKM_ number; CKR_MECHANISM_PARAM_INVALID for one that is none, or none of these. */
export function digestOfMechanism(type: number): DigestName {
  const hash = known.find(({ name }) => CKM[name] === type)
  if (hash === undefined)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'unknown hash function')
  return hash.digest
}

/** A pseudorandom function. */
export interface Prf {
  /** Bytes that it puts out. */
  readonly bytes: number
  /** CKK_ numbers of its keys. */
  readonly keyTypes: readonly number[]
  /** It under way with a key of its length. */
  begin(key: Uint8Array): Mac
}

interface Row extends Prf {
  /** CKM_ number. */
  readonly type: number
}

/** A CMAC; other lengths of keys throw CKR_KEY_SIZE_RANGE. */
const cmacRow = (
  type: number,
  bytes: number,
  keyTypes: readonly number[],
  ciphers: Readonly<Record<number, string>>,
): Row => ({
  type,
  bytes,
  keyTypes,
  begin(key) {
    const cipher = ciphers[key.length]
    if (cipher === undefined)
      throw new CryptokiError(CKR.KEY_SIZE_RANGE, `no key of ${key.length} bytes is used here`)
    return macing('CMAC', key, { cipher })
  },
})

const aesCmac = cmacRow(CKM.AES_CMAC, 16, [CKK.AES], {
  16: 'AES-128-CBC',
  24: 'AES-192-CBC',
  32: 'AES-256-CBC',
})

const des3Cmac = cmacRow(CKM.DES3_CMAC, 8, [CKK.DES3, CKK.DES2], {
  16: 'DES-EDE-CBC',
  24: 'DES-EDE3-CBC',
})

const prfs: ReadonlyMap<number, Prf> = new Map(
  [
    ...known.map(
      ({ name, digest }): Row => ({
        type: CKM[`${name}_HMAC`],
        bytes: digestLengths[digest],
        keyTypes: [CKK.GENERIC_SECRET, CKK[`${name}_HMAC`]],
        begin: (key) => hmac(digest, key),
      }),
    ),
    aesCmac,
    des3Cmac,
  ].map((row) => [row.type, row]),
)

/** The PRF of a CKM_ number; throws CKR_MECHANISM_PARAM_INVALID for one that is none. */
export function prfOf(type: number): Prf {
  const prf = prfs.get(type)
  if (prf === undefined)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'unknown pseudorandom function')
  return prf
}

/** Every key type that some PRF takes. */
export const prfKeyTypes: readonly number[] = [
  ...new Set([...prfs.values()].flatMap(({ keyTypes }) => keyTypes)),
]

/** A PRF with its key: from what is put together of the parts to `bytes` bytes. */
export type KeyedPrf = (...parts: readonly Uint8Array[]) => Uint8Array

/** A PRF with the bytes of its key. Throws CKR_KEY_SIZE_RANGE. */
export function keyed(prf: Prf, key: Uint8Array): KeyedPrf {
  const begun = prf.begin(key)
  return (...parts) => {
    const mac = begun.copy()
    for (const part of parts) mac.update(part)
    return mac.digest()
  }
}

/** A PRF with a key object. Throws CKR_KEY_TYPE_INCONSISTENT and CKR_KEY_SIZE_RANGE. */
export const keyedBy = (prf: Prf, key: CryptokiObject): KeyedPrf =>
  keyed(prf, secretValue(key, prf.keyTypes))
