/** Diffie-Hellman of PKCS #3 and of ANSI X9.42. PKCS #11 3.2, 6.4. */
import { withoutLeadingZeros } from '../engine/der.ts'
import { agree } from '../engine/diffie-hellman.ts'
import {
  dhField,
  generateFieldPair,
  importPrivateValue,
  importPublicValue,
  x942Field,
} from '../engine/finite-field.ts'
import { sameBytes } from '../engine/key-info.ts'
import { padTo } from '../engine/rsa.ts'
import { CKA, CKK, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { lengthily } from '../surrender/workers.ts'
import { type AgreedKey, agreedKey, agreedValue } from './agreed-keys.ts'
import {
  domainAttributes,
  type FieldFamily,
  type FieldKey,
  fieldKeyOf,
  fieldKeyType,
  generatingPair,
} from './finite-field-keys.ts'
import type {
  Attributes,
  CryptokiObject,
  Derive,
  Encapsulation,
  Made,
  Make,
  Mechanism,
  MechanismArgument,
} from './mechanism.ts'
import { bytesIn, numberIn } from './parameter.ts'
import { x942DerivationOf } from './x942-key-derivation.ts'

/** Bits of a prime: what is shorter than RSA may be is broken too; the longest well-known groups have 8192. */
const PRIME_BITS = [1024, 8192] as const

const inRange = (bits: number): boolean => bits >= PRIME_BITS[0] && bits <= PRIME_BITS[1]

const pkcs3: FieldFamily = {
  name: 'DH',
  field: dhField,
  fits: (bits) => inRange(bits),
}

/** 6.4.3: "≥ 1024 bits, in steps of 256 bits", and "≥ 160 bits". */
const x942: FieldFamily = {
  name: 'X9_42_DH',
  field: x942Field,
  fits: (bits, subprimeBits) =>
    inRange(bits) && bits % 256 === 0 && subprimeBits >= 160 && subprimeBits < bits,
}

export const diffieHellmanKeyTypes = [pkcs3, x942].map(fieldKeyType)

const noSuchParameters = () =>
  new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, 'no domain parameters of this size are made here')

function numberAsked(template: Attributes, type: number): number {
  const value = template.get(type)
  if (typeof value !== 'number') throw noSuchParameters()
  return value
}

/** CKM_DH_PKCS_PARAMETER_GEN, in a worker process. */
async function generatePkcs3({ template, surrender }: Make): Promise<Made> {
  const bits = numberAsked(template, CKA.PRIME_BITS)
  if (!inRange(bits)) throw noSuchParameters()
  return domainAttributes(await lengthily('generateDhParameters', { bits }, surrender))
}

/** Bits of the orders that are made: the lengths of digests. */
const ORDER_BITS: readonly number[] = [160, 224, 256]

/** CKM_X9_42_DH_PARAMETER_GEN, in a worker process. */
async function generateX942({ template, surrender }: Make): Promise<Made> {
  const bits = numberAsked(template, CKA.PRIME_BITS)
  const subprimeBits = numberAsked(template, CKA.SUBPRIME_BITS)
  if (!x942.fits(bits, subprimeBits) || !ORDER_BITS.includes(subprimeBits)) throw noSuchParameters()
  const asked = { bits, subprimeBits }
  return domainAttributes(await lengthily('generateX942Parameters', asked, surrender))
}

/** The secret shared with the owner of a public value; undefined where it is none of the group. */
function secretWith(
  { field }: FieldFamily,
  { native, domain }: FieldKey,
  publicData: Uint8Array,
): Uint8Array | undefined {
  const peer = importPublicValue(field, domain, withoutLeadingZeros(publicData))
  return peer && agree(native, peer)
}

/** The same; CKR_PUBLIC_KEY_INVALID comes before CKR_MECHANISM_PARAM_INVALID (5.1.6). */
function sharedSecret(family: FieldFamily, key: FieldKey, publicData: Uint8Array): Uint8Array {
  const secret = secretWith(family, key, publicData)
  if (secret !== undefined) return secret
  throw new CryptokiError(CKR.PUBLIC_KEY_INVALID, 'the public data is no value of the group')
}

const secretBytes = ({ domain }: FieldKey): number => domain.p.length

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** How the parameter of a derivation tells the other side's public value and what makes the key. */
interface Agreement {
  readonly family: FieldFamily
  /** The other side's public value; no bytes where there is none. */
  publicData(mechanism: MechanismArgument): Uint8Array
  key(mechanism: MechanismArgument, template: Attributes, whole: number): AgreedKey
}

/** The parameter is the public value (6.4.10). */
const pkcs3Agreement: Agreement = {
  family: pkcs3,
  publicData: ({ parameter }) => (parameter instanceof Uint8Array ? parameter : new Uint8Array(0)),
  key: (_mechanism, template, whole) => agreedKey(template, whole, undefined),
}

function x942Key(mechanism: MechanismArgument, template: Attributes, whole: number): AgreedKey {
  const derive = x942DerivationOf(numberIn(mechanism, 'kdf'), bytesIn(mechanism, 'otherInfo'))
  return agreedKey(template, whole, derive)
}

/** CK_X9_42_DH1_DERIVE_PARAMS, 6.4.11.2. */
const x942Agreement: Agreement = {
  family: x942,
  publicData: (mechanism) => bytesIn(mechanism, 'publicData'),
  key: x942Key,
}

const deriving =
  (agreement: Agreement) =>
  (base: CryptokiObject, { mechanism, template }: Derive): Made => {
    const { family } = agreement
    const key = fieldKeyOf(family, base, CKO.PRIVATE_KEY)
    const publicData = agreement.publicData(mechanism)
    if (publicData.length === 0) throw invalid('the public value of the other side is lacking')
    const asked = agreement.key(mechanism, template, secretBytes(key))
    return agreedValue(template, asked, sharedSecret(family, key, publicData))
  }

/** "For C_EncapsulateKey, an ephemeral key pair is generated": its public value, as long as the prime. */
function send({ family: { field } }: Agreement, peer: FieldKey) {
  const pair = generateFieldPair(field, peer.domain)
  const own = pair && importPrivateValue(field, peer.domain, pair.x)
  const secret = own && agree(own, peer.native)
  if (pair === undefined || secret === undefined)
    throw new CryptokiError(CKR.FUNCTION_FAILED, 'nothing can be agreed on with this key')
  pair.x.fill(0)
  return { ciphertext: padTo(secretBytes(peer), pair.y), secret }
}

function checkNoPublicData(agreement: Agreement, { mechanism }: Make): void {
  if (agreement.publicData(mechanism).length > 0)
    throw invalid('the ciphertext is the public value, not the parameter')
}

const encapsulating = (
  agreement: Agreement,
): Required<Pick<Mechanism, 'encapsulate' | 'decapsulate'>> => ({
  encapsulate: (publicKey, make): Encapsulation => {
    const { family } = agreement
    const { mechanism, template } = make
    const peer = fieldKeyOf(family, publicKey, CKO.PUBLIC_KEY)
    checkNoPublicData(agreement, make)
    const asked = agreement.key(mechanism, template, secretBytes(peer))
    const run = () => {
      const { ciphertext, secret } = send(agreement, peer)
      return { ciphertext, made: agreedValue(template, asked, secret) }
    }
    return { length: secretBytes(peer), run }
  },
  decapsulate: (privateKey, ciphertext, make) => {
    const { family } = agreement
    const key = fieldKeyOf(family, privateKey, CKO.PRIVATE_KEY)
    checkNoPublicData(agreement, make)
    const asked = agreement.key(make.mechanism, make.template, secretBytes(key))
    // Other programs may leave leading zeros out.
    if (ciphertext.length > secretBytes(key) || ciphertext.length === 0)
      throw new CryptokiError(CKR.WRAPPED_KEY_LEN_RANGE, 'the ciphertext is longer than the prime')
    const secret = secretWith(family, key, ciphertext)
    if (secret === undefined)
      throw new CryptokiError(CKR.WRAPPED_KEY_INVALID, 'the ciphertext is no value of the group')
    return agreedValue(make.template, asked, secret)
  },
})

/** The second key of a hybrid derivation: "all using the same X9.42 Diffie-Hellman domain parameters". */
async function secondKey(first: FieldKey, { mechanism, key }: Derive): Promise<FieldKey> {
  const object = await key(numberIn(mechanism, 'privateData'), [CKK.X9_42_DH])
  const second = fieldKeyOf(x942, object, CKO.PRIVATE_KEY)
  const isSame = (['p', 'q', 'g'] as const).every((name) => {
    const [one, other] = [first.domain[name], second.domain[name]]
    return one !== undefined && other !== undefined && sameBytes(one, other)
  })
  if (isSame) return second
  throw new CryptokiError(CKR.DOMAIN_PARAMS_INVALID, 'the keys have other domain parameters')
}

/**
 * CKM_X9_42_DH_HYBRID_DERIVE: what the first keys share and then what the second keys share. X9.42,
 * and SP 800-56A (6.1.1.1) after it, have the ephemeral keys first.
 */
async function deriveHybrid(base: CryptokiObject, make: Derive): Promise<Made> {
  const { mechanism, template } = make
  const first = fieldKeyOf(x942, base, CKO.PRIVATE_KEY)
  const second = await secondKey(first, make)
  const asked = x942Key(mechanism, template, 2 * secretBytes(first))
  const secrets = [
    sharedSecret(x942, first, bytesIn(mechanism, 'publicData')),
    sharedSecret(x942, second, bytesIn(mechanism, 'publicData2')),
  ]
  const secret = Buffer.concat(secrets)
  for (const part of secrets) part.fill(0)
  return agreedValue(template, asked, secret)
}

const rowOf = (
  { name }: FieldFamily,
  row: Pick<Mechanism, 'section' | 'parameter'> & { readonly name: keyof typeof CKM },
): Mechanism => ({ ...row, type: CKM[row.name], keyTypes: [CKK[name]], keySize: PRIME_BITS })

export const diffieHellman: readonly Mechanism[] = [
  {
    ...rowOf(pkcs3, { name: 'DH_PKCS_KEY_PAIR_GEN', section: '6.4.8' }),
    generateKeyPair: generatingPair(pkcs3),
  },
  {
    ...rowOf(pkcs3, { name: 'DH_PKCS_PARAMETER_GEN', section: '6.4.9' }),
    makes: CKO.DOMAIN_PARAMETERS,
    generateKey: generatePkcs3,
  },
  {
    ...rowOf(pkcs3, { name: 'DH_PKCS_DERIVE', section: '6.4.10', parameter: 'bytes' }),
    parameterOptional: true,
    derive: deriving(pkcs3Agreement),
    ...encapsulating(pkcs3Agreement),
  },
  {
    ...rowOf(x942, { name: 'X9_42_DH_KEY_PAIR_GEN', section: '6.4.12' }),
    generateKeyPair: generatingPair(x942),
  },
  {
    ...rowOf(x942, { name: 'X9_42_DH_PARAMETER_GEN', section: '6.4.13' }),
    makes: CKO.DOMAIN_PARAMETERS,
    generateKey: generateX942,
  },
  {
    ...rowOf(x942, {
      name: 'X9_42_DH_DERIVE',
      section: '6.4.14',
      parameter: 'CK_X9_42_DH1_DERIVE_PARAMS',
    }),
    derive: deriving(x942Agreement),
    ...encapsulating(x942Agreement),
  },
  {
    ...rowOf(x942, {
      name: 'X9_42_DH_HYBRID_DERIVE',
      section: '6.4.15',
      parameter: 'CK_X9_42_DH2_DERIVE_PARAMS',
    }),
    derive: deriveHybrid,
  },
]
