/**
 * The MACs of SSL 3.0 (RFC 6101, 5.2.3.1): what HMAC grew out of, with pads behind the key instead of
 * pads that the key is put into. PKCS #11 3.2, 6.39.7 and 6.39.8.
 */
import { digesting, type Hashing } from '../engine/digests.ts'
import { nested } from '../engine/macs.ts'
import { CKK, CKM } from '../standard/constants.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import { lengthAsked, signingWith } from './macs.ts'
import type { Mechanism } from './mechanism.ts'
import { secretValue } from './secret-keys.ts'

/** RFC 6101: "The character 0x36 repeated 48 times for MD5 or 40 times for SHA", and so 0x5c. */
const PADS = { md5: 48, sha1: 40 } as const
const PAD_1 = 0x36
const PAD_2 = 0x5c

/** Bytes of a signature (6.39.7). */
const LENGTHS = [4, 8] as const

/** The digest of the key and a pad, to go on from. */
function keyed(digest: keyof typeof PADS, key: Uint8Array, pad: number): Hashing {
  const hash = digesting(digest)
  hash.update(key)
  hash.update(new Uint8Array(PADS[digest]).fill(pad))
  return hash
}

const row = (
  name: 'SSL3_MD5_MAC' | 'SSL3_SHA1_MAC',
  section: string,
  digest: keyof typeof PADS,
): Mechanism => ({
  type: CKM[name],
  name,
  section,
  keyTypes: [CKK.GENERIC_SECRET],
  keySize: [8, LONGEST_SECRET * 8],
  standing: 'legacy',
  parameter: 'bytes',
  ...signingWith(({ key, mechanism }) => {
    const value = secretValue(key, [CKK.GENERIC_SECRET])
    return {
      mac: nested(keyed(digest, value, PAD_1), keyed(digest, value, PAD_2)),
      length: lengthAsked(mechanism, ...LENGTHS),
    }
  }),
})

export const ssl3Macs: readonly Mechanism[] = [
  row('SSL3_MD5_MAC', '6.39.7', 'md5'),
  row('SSL3_SHA1_MAC', '6.39.8', 'sha1'),
]
