/**
 * Elliptic curve Diffie-Hellman, with and without cofactor: keys derived, and keys encapsulated for the
 * owner of a public key, where the ciphertext is a fresh one. PKCS #11 3.2, 6.3.17 and 6.3.18.
 */
import { CKA, CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { longestOfType } from './derived-keys.ts'
import { keyDerivationOf } from './ec-key-derivation.ts'
import { EC_FLAGS, FIELD_BITS } from './ec-keys.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import { agreementOf } from './key-agreement.ts'
import type {
  Attributes,
  CryptokiObject,
  Made,
  Make,
  Mechanism,
  MechanismArgument,
} from './mechanism.ts'
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

/** Makes the values of the new key from a shared secret, which it wipes. */
type Deriving = (secret: Uint8Array) => Made

/** CK_ECDH1_DERIVE_PARAMS but the public data. 6.3.17: what is too long loses its leading bytes. */
function deriving(key: CryptokiObject, { mechanism, template }: Make): Deriving {
  const whole = agreementOf(key).secretBytes(key)
  const derive = keyDerivationOf(numberIn(mechanism, 'kdf'), bytesIn(mechanism, 'sharedData'))
  const length = lengthOf(template, derive === undefined ? whole : undefined)
  return (secret) => {
    try {
      return new Map([[CKA.VALUE, derive?.(secret, length) ?? secret.slice(whole - length)]])
    } finally {
      secret.fill(0)
    }
  }
}

const deriveEcdh =
  (withCofactor: boolean): Required<Mechanism>['derive'] =>
  (base, make) => {
    const valuesFrom = deriving(base, make)
    const publicData = bytesIn(make.mechanism, 'publicData')
    const secret = agreementOf(base).receive(base, publicData, withCofactor)
    if (secret === undefined)
      throw new CryptokiError(CKR.PUBLIC_KEY_INVALID, 'the public data is no key of the curve')
    return valuesFrom(secret)
  }

/** 6.3.17: "pPublicData and ulPublicDataLen must be set to NULL and 0": that is the ciphertext. */
function checkNoPublicData(mechanism: MechanismArgument): void {
  if (bytesIn(mechanism, 'publicData').length > 0)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'the public data goes as ciphertext')
}

const encapsulateEcdh =
  (withCofactor: boolean): Required<Mechanism>['encapsulate'] =>
  (publicKey, make) => {
    checkNoPublicData(make.mechanism)
    const agreement = agreementOf(publicKey)
    const valuesFrom = deriving(publicKey, make)
    const run = () => {
      const { point, secret } = agreement.send(publicKey, withCofactor)
      // A public key of small order, which is not told from others when it is made.
      if (secret === undefined)
        throw new CryptokiError(CKR.FUNCTION_FAILED, 'no secret can be shared with this key')
      return { ciphertext: point, made: valuesFrom(secret) }
    }
    return { length: agreement.pointBytes(publicKey), run }
  }

const decapsulateEcdh =
  (withCofactor: boolean): Required<Mechanism>['decapsulate'] =>
  (privateKey, ciphertext, make) => {
    checkNoPublicData(make.mechanism)
    const agreement = agreementOf(privateKey)
    const valuesFrom = deriving(privateKey, make)
    const secret = agreement.receive(privateKey, ciphertext, withCofactor)
    if (secret !== undefined) return valuesFrom(secret)
    const isPoint = ciphertext.length === agreement.pointBytes(privateKey)
    throw new CryptokiError(
      isPoint ? CKR.WRAPPED_KEY_INVALID : CKR.WRAPPED_KEY_LEN_RANGE,
      'the ciphertext is no public key of the curve',
    )
  }

/** All that a mechanism does, with the cofactor or without. */
const agreeing = (withCofactor: boolean) => ({
  parameter: 'CK_ECDH1_DERIVE_PARAMS' as const,
  derive: deriveEcdh(withCofactor),
  encapsulate: encapsulateEcdh(withCofactor),
  decapsulate: decapsulateEcdh(withCofactor),
})

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
    ...agreeing(false),
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
    ...agreeing(true),
  },
]
