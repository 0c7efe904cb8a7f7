/** Elliptic curve Diffie-Hellman, with and without cofactor. PKCS #11 3.2, 6.3.17 and 6.3.18. */
import { CKA, CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { longestOfType } from './derived-keys.ts'
import { keyDerivationOf } from './ec-key-derivation.ts'
import { EC_FLAGS, FIELD_BITS } from './ec-keys.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import { agreementOf } from './key-agreement.ts'
import type { Attributes, CryptokiObject, Made, Make, Mechanism } from './mechanism.ts'
import { bytesIn, numberIn } from './parameter.ts'

/** How long the derived key is; `whole` is what there is without a key derivation function, and what other types take. */
function lengthOf(template: Attributes, whole: number | undefined): number {
  const asked = template.get(CKA.VALUE_LEN)
  const longest = longestOfType(template.get(CKA.KEY_TYPE))
  const length =
    typeof asked === 'number' ? asked : Math.min(longest ?? Infinity, whole ?? Infinity)
  if (length === Infinity)
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_VALUE_LEN must say how long the key is')
  if (length < 1 || length > (whole ?? LONGEST_SECRET))
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, `no key of ${length} bytes is derived here`)
  return length
}

/** CK_ECDH1_DERIVE_PARAMS. 6.3.17: what is too long loses its leading bytes. */
const deriveEcdh =
  (withCofactor: boolean) =>
  (base: CryptokiObject, { mechanism, template }: Make): Made => {
    const agreement = agreementOf(base)
    const whole = agreement.secretBytes(base)
    const derive = keyDerivationOf(numberIn(mechanism, 'kdf'), bytesIn(mechanism, 'sharedData'))
    const length = lengthOf(template, derive === undefined ? whole : undefined)
    const secret = agreement.receive(base, bytesIn(mechanism, 'publicData'), withCofactor)
    if (secret === undefined)
      throw new CryptokiError(CKR.PUBLIC_KEY_INVALID, 'the public data is no key of the curve')
    try {
      return new Map([[CKA.VALUE, derive?.(secret, length) ?? secret.slice(whole - length)]])
    } finally {
      secret.fill(0)
    }
  }

const parameter = 'CK_ECDH1_DERIVE_PARAMS'

export const ecdhDerivation: readonly Mechanism[] = [
  {
    type: CKM.ECDH1_DERIVE,
    name: 'ECDH1_DERIVE',
    section: '6.3.17',
    // The same on the prime curves of SP 800-186, whose cofactor is 1.
    standing: 'approved',
    keyTypes: [CKK.EC, CKK.EC_MONTGOMERY],
    keySize: FIELD_BITS,
    flags: EC_FLAGS,
    parameter,
    derive: deriveEcdh(false),
  },
  {
    type: CKM.ECDH1_COFACTOR_DERIVE,
    name: 'ECDH1_COFACTOR_DERIVE',
    section: '6.3.18',
    // SP 800-56A rev. 3, 5.7.1.2: ECC CDH is the one with the cofactor.
    standing: 'approved',
    keyTypes: [CKK.EC],
    keySize: FIELD_BITS,
    flags: EC_FLAGS,
    parameter,
    derive: deriveEcdh(true),
  },
]
