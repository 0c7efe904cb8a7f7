/**
 * Keys put together from the values of keys and data, and cut out of them. PKCS #11 3.2, 6.43.3 to
 * 6.43.7.
 */
import { CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { derivedFrom, derivedLength, derivedValue } from './derived-keys.ts'
import { strictest } from './derived-policy.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type { CryptokiObject, Derive, Made, Mechanism, MechanismArgument } from './mechanism.ts'
import { bytesIn, ulongOf } from './parameter.ts'
import { secretValue } from './secret-keys.ts'

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** CK_KEY_DERIVATION_STRING_DATA. More than the longest key could not be used. */
function dataOf(mechanism: MechanismArgument): Uint8Array {
  const data = bytesIn(mechanism, 'data')
  if (data.length > LONGEST_SECRET) throw invalid(`more than ${LONGEST_SECRET} bytes of data`)
  return data
}

const xor = (one: Uint8Array, other: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: Math.min(one.length, other.length) }, (_, at) => {
    return (one[at] as number) ^ (other[at] as number)
  })

/** So many bytes of a value from a bit on, the most significant bit of the first byte being bit 0; they go round its end. */
function bitsFrom(value: Uint8Array, bit: number, length: number): Uint8Array {
  const start = Math.floor(bit / 8)
  const shift = bit % 8
  const byteAt = (at: number) => value[at % value.length] as number
  return Uint8Array.from(
    { length },
    (_, at) => (byteAt(start + at) << shift) | (byteAt(start + at + 1) >> (8 - shift)),
  )
}

/** CKM_CONCATENATE_BASE_AND_KEY: the parameter is the handle of the other key. */
async function concatenateKeys(base: CryptokiObject, make: Derive): Promise<Made> {
  const other = await make.key(ulongOf(make.mechanism))
  const both = Buffer.concat([secretValue(base), secretValue(other)])
  return strictest(derivedFrom(make.template, both), base, other)
}

/** CKM_EXTRACT_KEY_FROM_KEY: the parameter is the first bit. */
function extract(base: CryptokiObject, { mechanism, template }: Derive): Made {
  const value = secretValue(base)
  const bit = ulongOf(mechanism)
  if (bit >= value.length * 8) throw invalid(`the key has no bit ${bit}`)
  const length = derivedLength(template, { most: value.length })
  return strictest(derivedValue(template, bitsFrom(value, bit, length)), base)
}

const rowOf = (
  row: Pick<Mechanism, 'section' | 'parameter' | 'derive'> & { readonly name: keyof typeof CKM },
): Mechanism => ({
  ...row,
  type: CKM[row.name],
  keyTypes: [],
  anySecretKey: true,
  keySize: [0, 0],
})

/** A row that puts a key and data together. */
const withData = (
  name: keyof typeof CKM,
  section: string,
  combine: (value: Uint8Array, data: Uint8Array) => Uint8Array,
): Mechanism =>
  rowOf({
    name,
    section,
    parameter: 'CK_KEY_DERIVATION_STRING_DATA',
    derive: (base, { mechanism, template }) =>
      strictest(derivedFrom(template, combine(secretValue(base), dataOf(mechanism))), base),
  })

export const simpleDerivations: readonly Mechanism[] = [
  rowOf({
    name: 'CONCATENATE_BASE_AND_KEY',
    section: '6.43.3',
    parameter: 'bytes',
    derive: concatenateKeys,
  }),
  withData('CONCATENATE_BASE_AND_DATA', '6.43.4', (value, data) => Buffer.concat([value, data])),
  withData('CONCATENATE_DATA_AND_BASE', '6.43.5', (value, data) => Buffer.concat([data, value])),
  withData('XOR_BASE_AND_DATA', '6.43.6', xor),
  rowOf({
    name: 'EXTRACT_KEY_FROM_KEY',
    section: '6.43.7',
    parameter: 'bytes',
    derive: extract,
  }),
]
