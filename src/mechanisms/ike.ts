/**
 * The keys of IPsec's key exchange. PKCS #11 3.2, 6.64; RFC 2409, 5 and appendix B (IKEv1); RFC 7296,
 * 2.13 to 2.18 (IKEv2). The base key is of a type that the PRF takes; of the AES PRFs there is CMAC.
 */
import { CKA, CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { derivedLength, derivedValue } from './derived-keys.ts'
import { strictest } from './derived-policy.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type {
  Attributes,
  CryptokiObject,
  Derive,
  Made,
  Mechanism,
  MechanismArgument,
} from './mechanism.ts'
import { booleanIn, dataIn, numberIn } from './parameter.ts'
import { type KeyedPrf, keyed, keyedBy, type Prf, prfOf } from './prfs.ts'
import { secretValue } from './secret-keys.ts'

const GENERIC = [CKK.GENERIC_SECRET] as const

const tooLong = (why: string) => new CryptokiError(CKR.KEY_SIZE_RANGE, why)

const prfIn = (mechanism: MechanismArgument): Prf => prfOf(numberIn(mechanism, 'prfMechanism'))

/**
 * How long a key is of which `most` bytes can be made, as all sections have it: `usual` where the
 * template does not say. Throws CKR_KEY_SIZE_RANGE for a longer one.
 */
function lengthOf(template: Attributes, most: number, usual?: number): number {
  const asked = template.get(CKA.VALUE_LEN)
  if (typeof asked === 'number' && asked > most) throw tooLong(`no key of ${asked} bytes is made`)
  const told = asked === undefined && usual !== undefined
  return derivedLength(told ? new Map([...template, [CKA.VALUE_LEN, usual]]) : template, { most })
}

/** The value of another key, where a flag of the parameter says that there is one. */
async function valueIf(
  { mechanism, key }: Derive,
  flag: string,
  name: string,
  keyTypes?: readonly number[],
): Promise<readonly Uint8Array[]> {
  if (!booleanIn(mechanism, flag)) return []
  return [secretValue(await key(numberIn(mechanism, name), keyTypes))]
}

/** 6.64.3: the first key, as long as what the PRF puts out. */
async function deriveFirst(base: CryptokiObject, make: Derive): Promise<Made> {
  const { mechanism, template } = make
  const prf = prfIn(mechanism)
  const [dataAsKey, rekey] = [booleanIn(mechanism, 'dataAsKey'), booleanIn(mechanism, 'rekey')]
  if (dataAsKey && rekey)
    throw new CryptokiError(CKR.ARGUMENTS_BAD, 'bDataAsKey and bRekey exclude each other')
  const nonces = [dataIn(mechanism, 'ni'), dataIn(mechanism, 'nr')]
  const asked = template.get(CKA.VALUE_LEN) ?? prf.bytes
  if (asked !== prf.bytes) throw tooLong(`the key has ${prf.bytes} bytes`)
  lengthOf(template, prf.bytes, prf.bytes)
  if (dataAsKey)
    return derivedValue(template, keyed(prf, Buffer.concat(nonces))(secretValue(base, GENERIC)))
  const newKey = await valueIf(make, 'rekey', 'newKey', GENERIC)
  return derivedValue(template, keyedBy(prf, base)(...newKey, ...nonces))
}

/** 6.64.4: SKEYID_d, SKEYID_a and SKEYID_e of IKEv1. */
async function deriveNumbered(base: CryptokiObject, make: Derive): Promise<Made> {
  const { mechanism, template } = make
  const prf = prfIn(mechanism)
  const length = lengthOf(template, prf.bytes, prf.bytes)
  const keyedPrf = keyedBy(prf, base)
  const previous = await valueIf(make, 'hasPrevKey', 'prevKey')
  const agreed = secretValue(await make.key(numberIn(mechanism, 'keygxy'), GENERIC))
  const cookies = [dataIn(mechanism, 'ckYi'), dataIn(mechanism, 'ckYr')]
  const number = Uint8Array.of(numberIn(mechanism, 'keyNumber'))
  const whole = keyedPrf(...previous, agreed, ...cookies, number)
  return derivedValue(template, whole.slice(0, length))
}

/** The last number of a block: it has one byte. RFC 7296, 2.13. */
const MOST_BLOCKS = 255

const mostOf = (prf: Prf): number => Math.min(MOST_BLOCKS * prf.bytes, LONGEST_SECRET)

/** So many bytes of blocks, each made of the one before and its number; nothing is before the first. */
function chain(
  length: number,
  block: (before: Uint8Array, number: number) => Uint8Array,
): Uint8Array {
  const made = new Uint8Array(length)
  let before: Uint8Array = new Uint8Array(0)
  for (let at = 0, number = 1; at < length; at += before.length, number++) {
    before = block(before, number)
    made.set(before.subarray(0, length - at), at)
  }
  return made
}

/** 6.64.5: prf+ of IKEv2. RFC 7296, 2.13, has the seed in every block, where 6.64.5 forgets it in the last. */
async function derivePlus(base: CryptokiObject, make: Derive): Promise<Made> {
  const { mechanism, template } = make
  const prf = prfIn(mechanism)
  const length = lengthOf(template, mostOf(prf))
  const keyedPrf = keyedBy(prf, base)
  const seed = [...(await valueIf(make, 'hasSeedKey', 'seedKey')), dataIn(mechanism, 'seedData')]
  const value = chain(length, (before, number) => keyedPrf(before, ...seed, Uint8Array.of(number)))
  return derivedValue(template, value)
}

/** The blocks of RFC 2409, appendix B (of a zero byte where there is nothing else) and 5.5. */
function extend(keyedPrf: KeyedPrf, data: readonly Uint8Array[], length: number): Uint8Array {
  const isEmpty = data.every((part) => part.length === 0)
  return chain(length, (before) =>
    isEmpty && before.length === 0 ? keyedPrf(Uint8Array.of(0)) : keyedPrf(before, ...data),
  )
}

/** 6.64.6: longer keys of IKEv1. */
async function deriveExtended(base: CryptokiObject, make: Derive): Promise<Made> {
  const { mechanism, template } = make
  const prf = prfIn(mechanism)
  const length = lengthOf(template, mostOf(prf))
  const keyedPrf = keyedBy(prf, base)
  const agreed = await valueIf(make, 'hasKeygxy', 'keygxy', GENERIC)
  const value = secretValue(base)
  // Appendix B of RFC 2409: "if the key is long enough, it is used as it is".
  const isCut = agreed.length === 0 && length <= prf.bytes && length <= value.length
  // What is left of the base key is kept as closely as that.
  if (isCut) return strictest(derivedValue(template, value.slice(0, length)), base)
  const extra = dataIn(mechanism, 'extraData')
  return derivedValue(template, extend(keyedPrf, [...agreed, extra], length))
}

const row = (
  name: 'IKE_PRF_DERIVE' | 'IKE1_PRF_DERIVE' | 'IKE2_PRF_PLUS_DERIVE' | 'IKE1_EXTENDED_DERIVE',
  section: string,
  derive: NonNullable<Mechanism['derive']>,
  impliedType?: NonNullable<Mechanism['impliedType']>,
): Mechanism => ({
  type: CKM[name],
  name,
  section,
  keyTypes: [],
  anySecretKey: true,
  keySize: [1, LONGEST_SECRET],
  standing: 'approved',
  parameter: `CK_${name}_PARAMS`,
  derive,
  ...(impliedType && { impliedType }),
})

export const ike: readonly Mechanism[] = [
  row('IKE_PRF_DERIVE', '6.64.3', deriveFirst, (_base, mechanism) => prfIn(mechanism).keyTypes[0]),
  // The template must name the type.
  row('IKE1_PRF_DERIVE', '6.64.4', deriveNumbered, () => undefined),
  row('IKE2_PRF_PLUS_DERIVE', '6.64.5', derivePlus),
  row('IKE1_EXTENDED_DERIVE', '6.64.6', deriveExtended),
]
