/**
 * HMAC over each digest, in full and cut to a length. PKCS #11 3.2, 6.9, and .3 and .4 of 6.20 to
 * 6.31 and 6.33 to 6.36; historical mechanisms, 2.12 (MD5) and 2.16 (RIPEMD-160).
 *
 * 6.33.3 calls CKM_BLAKE2B_160_HMAC_GENERAL "the keyed variant of BLAKE2b-160" and its result "the full
 * 20-byte HMAC output". As its name, the drafts after 3.2 and other tokens have it, it is HMAC (RFC
 * 2104), not BLAKE2b with a key of its own (RFC 7693, 2.9), which takes no more than 64 bytes of key.
 */
import { digestLengths } from '../engine/digests.ts'
import { hmacWithKept } from '../engine/macs.ts'
import { CKK, CKM } from '../standard/constants.ts'
import { hashes, historicalHashes, standingOf } from './digests.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import { lengthAsked, signingWith } from './macs.ts'
import type { Mechanism, MechanismArgument } from './mechanism.ts'
import { secretValue } from './secret-keys.ts'

interface Hmac extends Pick<Mechanism, 'section' | 'standing' | 'parameter'> {
  readonly name: keyof typeof CKM
  readonly hash: (typeof hashes)[number] | (typeof historicalHashes)[number]
  /** Bytes of the MAC. */
  length(mechanism: MechanismArgument): number
}

function row({ name, hash, length, ...rest }: Hmac): Mechanism {
  const keyTypes = [CKK.GENERIC_SECRET, CKK[`${hash.name}_HMAC`]]
  return {
    type: CKM[name],
    name,
    keyTypes,
    keySize: [1, LONGEST_SECRET],
    ...rest,
    ...signingWith(({ key, mechanism }) => ({
      mac: hmacWithKept(hash.digest, secretValue(key, keyTypes)),
      length: length(mechanism),
    })),
  }
}

/** CKM_..._HMAC and CKM_..._HMAC_GENERAL of a hash function, with their sections. */
function rowsOf(
  hash: Hmac['hash'],
  [full, general]: readonly [string, string],
  standing: Pick<Mechanism, 'standing'>,
): Mechanism[] {
  const most = digestLengths[hash.digest]
  return [
    row({ name: `${hash.name}_HMAC`, section: full, ...standing, hash, length: () => most }),
    row({
      name: `${hash.name}_HMAC_GENERAL`,
      section: general,
      ...standing,
      hash,
      parameter: 'bytes',
      length: (mechanism) => lengthAsked(mechanism, 1, most),
    }),
  ]
}

export const hmac: readonly Mechanism[] = [
  ...hashes.flatMap((hash) =>
    rowsOf(hash, [`${hash.section}.4`, `${hash.section}.3`], standingOf(hash.digest)),
  ),
  ...historicalHashes.flatMap((hash) =>
    rowsOf(hash, [hash.sections[2], hash.sections[1]], { standing: 'legacy' }),
  ),
]
