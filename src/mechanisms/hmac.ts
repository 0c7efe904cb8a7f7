/** HMAC over each digest, in full and cut to a length. PKCS #11 3.2, 6.9, and .3 and .4 of 6.20 to 6.31. */
import { type DigestName, digestLengths } from '../engine/digests.ts'
import { equalInConstantTime, hmac as hmacOf } from '../engine/macs.ts'
import { CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { hashes } from './digests.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type { Begin, Mechanism, MechanismArgument, Summary, Verification } from './mechanism.ts'
import { plainBytes } from './parameter.ts'
import { secretValue } from './secret-keys.ts'

/** Bytes of a CK_MAC_GENERAL_PARAMS: one CK_ULONG, little-endian. */
const GENERAL_PARAMETER = 8

/** The first `length` bytes of the HMAC of a message. */
function summary(digest: DigestName, key: Uint8Array, length: number): Summary {
  const mac = hmacOf(digest, key)
  return {
    length,
    update: (part) => mac.update(part),
    final: () => mac.digest().subarray(0, length),
  }
}

function verification(digest: DigestName, key: Uint8Array, length: number): Verification {
  const mac = hmacOf(digest, key)
  return {
    update: (part) => mac.update(part),
    final: (signature) => {
      if (signature.length !== length)
        throw new CryptokiError(CKR.SIGNATURE_LEN_RANGE, `the MAC has not ${length} bytes`)
      if (!equalInConstantTime(mac.digest().subarray(0, length), signature))
        throw new CryptokiError(CKR.SIGNATURE_INVALID, 'the MAC is that of another message or key')
    },
  }
}

/** The bytes that CK_MAC_GENERAL_PARAMS asks for, from 1 to those of the digest. */
function lengthAsked(mechanism: MechanismArgument, most: number): number {
  const parameter = plainBytes(mechanism, GENERAL_PARAMETER)
  const { buffer, byteOffset } = parameter
  const length = Number(new DataView(buffer, byteOffset).getBigUint64(0, true))
  if (length < 1 || length > most)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, `a MAC has 1 to ${most} bytes`)
  return length
}

interface Hmac {
  readonly name: keyof typeof CKM
  readonly section: string
  readonly hash: (typeof hashes)[number]
  readonly parameter?: 'bytes'
  /** Bytes of the MAC. */
  length(mechanism: MechanismArgument): number
}

function row({ name, section, hash, length, ...rest }: Hmac): Mechanism {
  const keyTypes = [CKK.GENERIC_SECRET, CKK[`${hash.name}_HMAC`]]
  const make =
    <T>(maker: (digest: DigestName, key: Uint8Array, length: number) => T) =>
    ({ key, mechanism }: Begin) =>
      maker(hash.digest, secretValue(key, keyTypes), length(mechanism))
  return {
    type: CKM[name],
    name,
    section,
    keyTypes,
    keySize: [1, LONGEST_SECRET],
    ...rest,
    sign: make(summary),
    verify: make(verification),
  }
}

export const hmac: readonly Mechanism[] = hashes.flatMap((hash) => {
  const { name, section } = hash
  const most = digestLengths[hash.digest]
  return [
    row({ name: `${name}_HMAC`, section: `${section}.4`, hash, length: () => most }),
    row({
      name: `${name}_HMAC_GENERAL`,
      section: `${section}.3`,
      hash,
      parameter: 'bytes',
      length: (mechanism) => lengthAsked(mechanism, most),
    }),
  ]
})
