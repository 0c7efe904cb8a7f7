/**
 * SHA-512/t (FIPS 180-4, 5.3.6) with its HMAC, for the two t that FIPS 180-4 approves and OpenSSL has:
 * 224 and 256. PKCS #11 3.2, 6.27.
 *
 * CKM_SHA512_T_HMAC_GENERAL is not here: its parameter is the length of the MAC, and nothing tells t.
 */
import { type DigestName, digesting, digestLengths } from '../engine/digests.ts'
import { hmacWithKept } from '../engine/macs.ts'
import { CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { digestSummary } from './digests.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import { signingWith } from './macs.ts'
import type { Mechanism, MechanismArgument } from './mechanism.ts'
import { ulongOf } from './parameter.ts'
import { secretValue } from './secret-keys.ts'

/** By t, in bits. */
const digestsByT: ReadonlyMap<number, DigestName> = new Map([
  [224, 'sha512-224'],
  [256, 'sha512-256'],
])

/** The digest that the parameter names, a CK_MAC_GENERAL_PARAMS that holds t; CKR_MECHANISM_PARAM_INVALID for another t. */
export function digestOfT(mechanism: MechanismArgument): DigestName {
  const digest = digestsByT.get(ulongOf(mechanism))
  if (digest === undefined)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 't of SHA-512/t is 224 or 256')
  return digest
}

const HMAC_KEYS = [CKK.GENERIC_SECRET, CKK.SHA512_T_HMAC]

export const sha512T: readonly Mechanism[] = [
  {
    type: CKM.SHA512_T,
    name: 'SHA512_T',
    section: '6.27.2',
    keyTypes: [],
    keySize: [0, 0],
    standing: 'approved',
    parameter: 'bytes',
    digest: ({ mechanism }) => {
      const digest = digestOfT(mechanism)
      return digestSummary(digesting(digest), digestLengths[digest])
    },
  },
  {
    type: CKM.SHA512_T_HMAC,
    name: 'SHA512_T_HMAC',
    section: '6.27.4',
    keyTypes: HMAC_KEYS,
    keySize: [1, LONGEST_SECRET],
    standing: 'approved',
    parameter: 'bytes',
    ...signingWith(({ key, mechanism }) => {
      const digest = digestOfT(mechanism)
      return {
        mac: hmacWithKept(digest, secretValue(key, HMAC_KEYS)),
        length: digestLengths[digest],
      }
    }),
  },
]
