/** Montgomery key pairs: X25519 and X448 (RFC 7748). PKCS #11 3.2, 6.3.11. What they agree on is in ecdh.ts. */
import { CKK, CKM } from '../standard/constants.ts'
import type { Mechanism } from './mechanism.ts'
import { generateMontgomeryPair, OCTET_CURVE_BITS, OCTET_CURVE_FLAGS } from './octet-curve-keys.ts'

export { montgomeryKeyType } from './octet-curve-keys.ts'

export const montgomery: readonly Mechanism[] = [
  {
    type: CKM.EC_MONTGOMERY_KEY_PAIR_GEN,
    name: 'EC_MONTGOMERY_KEY_PAIR_GEN',
    section: '6.3.11',
    keyTypes: [CKK.EC_MONTGOMERY],
    keySize: OCTET_CURVE_BITS,
    flags: OCTET_CURVE_FLAGS,
    generateKeyPair: generateMontgomeryPair,
  },
]
