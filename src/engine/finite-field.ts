/**
 * Keys in the multiplicative group of a prime field, over OpenSSL: DSA (FIPS 186-4), Diffie-Hellman of
 * PKCS #3 and of ANSI X9.42. Numbers are big-endian, without leading zeros where they come out.
 */
import { isNativeError, type NativeKey, type NativeOptions, native } from './binding.ts'
import { DerError, DerReader, integer, sequence, withoutLeadingZeros } from './der.ts'
import { privateKeyInfo, publicKeyInfo, readPrivateKeyInfo, sameBytes } from './key-info.ts'

/** Domain parameters: the prime, the base, and the order of the base where it is told. */
export interface Domain {
  readonly p: Uint8Array
  readonly g: Uint8Array
  readonly q?: Uint8Array | undefined
}

/** What keys of a type are to OpenSSL, and in DER. */
export interface Field {
  readonly type: 'DSA' | 'DH' | 'DHX'
  /** The algorithm's OID. */
  readonly oid: Uint8Array
  /** Its parameters, a SEQUENCE of integers in this order; what may follow is not kept. */
  readonly order: readonly (keyof Domain)[]
}

/** id-dsa, 1.2.840.10040.4.1 with Dss-Parms (RFC 3279, 2.3.2). */
export const dsaField: Field = {
  type: 'DSA',
  oid: Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01),
  order: ['p', 'q', 'g'],
}

/** dhKeyAgreement, 1.2.840.113549.1.3.1 with DHParameter (PKCS #3, 9). */
export const dhField: Field = {
  type: 'DH',
  oid: Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01),
  order: ['p', 'g'],
}

/** dhpublicnumber, 1.2.840.10046.2.1 with DomainParameters (RFC 3279, 2.3.3). */
export const x942Field: Field = {
  type: 'DHX',
  oid: Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3e, 0x02, 0x01),
  order: ['p', 'g', 'q'],
}

const components = ({ p, q, g }: Domain): NativeOptions => ({ p, q, g })

/** The number less one, or less two: of odd primes, so that nothing is borrowed for one. */
function less(number: Uint8Array, by: 1 | 2): Uint8Array {
  const result = Uint8Array.from(number)
  for (let at = result.length - 1, borrow: number = by; borrow > 0 && at >= 0; at--) {
    const difference = (result[at] as number) - borrow
    result[at] = difference & 0xff
    borrow = difference < 0 ? 1 : 0
  }
  return withoutLeadingZeros(result)
}

/** Order of two numbers without leading zeros. */
const compare = (one: Uint8Array, other: Uint8Array): number =>
  one.length - other.length || Buffer.compare(one, other)

/** Whether a number is from 1 to `most`. */
const isWithin = (number: Uint8Array, most: Uint8Array): boolean =>
  number.length > 0 && compare(number, most) <= 0

/** A public value; undefined where it is not in the group that the base makes. */
export function importPublicValue(
  field: Field,
  domain: Domain,
  y: Uint8Array,
): NativeKey | undefined {
  if (!isWithin(y, domain.p)) return undefined
  try {
    const key = native().importKey(field.type, 'public', { ...components(domain), pub: y })
    return native().check(key, 'public') ? key : undefined
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_IMPORT')) return undefined
    throw error
  }
}

/**
 * Whether the numbers can be domain parameters: the prime is odd, the base is none of 0, 1 and -1, and
 * has the order it is said to have. That prime and order are prime is not proved.
 */
export function isSound(field: Field, domain: Domain): boolean {
  const { p, q, g } = domain
  if (((p.at(-1) ?? 0) & 1) === 0 || !isWithin(g, less(p, 2)) || compare(g, ONE) === 0) return false
  if (q !== undefined && (((q.at(-1) ?? 0) & 1) === 0 || compare(q, p) >= 0)) return false
  return importPublicValue(field, domain, g) !== undefined
}

const ONE = Uint8Array.of(1)

/** A private value; undefined where it is not from 1 to the order less 1 (PKCS #3: to p less 2). */
export function importPrivateValue(
  field: Field,
  domain: Domain,
  x: Uint8Array,
): NativeKey | undefined {
  const { p, q } = domain
  if (!isWithin(withoutLeadingZeros(x), q === undefined ? less(p, 2) : less(q, 1))) return undefined
  return native().importKey(field.type, 'private', { ...components(domain), priv: x })
}

/**
 * The public value of a private one that importPrivateValue takes: OpenSSL raises the base to it as it
 * does for a shared secret.
 */
export function publicValueOf(domain: Domain, x: Uint8Array): Uint8Array {
  const { type } = domain.q === undefined ? dhField : x942Field
  const key = native().importKey(type, 'private', { ...components(domain), priv: x })
  const base = native().importKey(type, 'public', { ...components(domain), pub: domain.g })
  return withoutLeadingZeros(native().derive(key, base, { pad: 1 }))
}

export interface FieldPair {
  readonly x: Uint8Array
  readonly y: Uint8Array
}

/**
 * A fresh pair; `bits` limits the private value of Diffie-Hellman. Undefined where OpenSSL takes no
 * such limit: it wants one below the prime, and enough for the strength of a well-known group.
 */
export function generateFieldPair(
  field: Field,
  domain: Domain,
  bits?: number,
): FieldPair | undefined {
  const parameters = native().importKey(field.type, 'parameters', components(domain))
  try {
    const key = native().generate(parameters, { priv_len: bits })
    return { x: native().component(key, 'priv'), y: native().component(key, 'pub') }
  } catch (error) {
    if (bits !== undefined && isNativeError(error, 'OPENSSL_GENERATE')) return undefined
    throw error
  }
}

const algorithmOf = ({ oid, order }: Field, domain: Domain) => ({
  oid,
  parameters: sequence(...order.map((name) => integer(domain[name] ?? new Uint8Array(0)))),
})

/** SubjectPublicKeyInfo; the key is an INTEGER. */
export const fieldPublicKeyInfo = (field: Field, domain: Domain, y: Uint8Array): Uint8Array =>
  publicKeyInfo(algorithmOf(field, domain), integer(y))

/** PrivateKeyInfo; the key is an INTEGER. */
export function fieldPrivateKeyInfo(field: Field, domain: Domain, x: Uint8Array): Uint8Array {
  const key = integer(x)
  try {
    return privateKeyInfo(algorithmOf(field, domain), key)
  } finally {
    key.fill(0)
  }
}

function readParameters({ order }: Field, parameters: Uint8Array): Domain {
  const outer = new DerReader(parameters)
  const reader = outer.within()
  outer.end()
  const numbers = Object.fromEntries(order.map((name) => [name, reader.integer()]))
  // privateValueLength of PKCS #3, cofactor and validationParms of X9.42.
  while (!reader.atEnd) reader.element()
  return numbers as unknown as Domain
}

/**
 * Domain parameters and private value in a PrivateKeyInfo, as views of it; undefined for a key of
 * another algorithm. Throws DerError.
 */
export function readFieldPrivateKeyInfo(
  field: Field,
  info: Uint8Array,
): { domain: Domain; x: Uint8Array } | undefined {
  const { algorithm, key } = readPrivateKeyInfo(info)
  if (!sameBytes(algorithm.oid, field.oid)) return undefined
  if (algorithm.parameters === undefined) throw new DerError('the key has no parameters')
  const reader = new DerReader(key)
  const x = reader.integer()
  reader.end()
  return { domain: readParameters(field, algorithm.parameters), x }
}
