/**
 * OTP keys, HOTP ones: what their attributes say about the values made with them. PKCS #11 3.2, 6.53.
 * HOTP knows neither PIN nor challenge, so a key that asks for one is refused rather than left
 * unprotected.
 */
import { digestOf } from '../engine/digests.ts'
import { COUNTER_BYTES, TRUNCATED_BYTES } from '../engine/hotp.ts'
import {
  CK_OTP_FORMAT_ALPHANUMERIC,
  CK_OTP_FORMAT_BINARY,
  CK_OTP_FORMAT_DECIMAL,
  CK_OTP_FORMAT_HEXADECIMAL,
  CK_OTP_PARAM_IGNORED,
  CKA,
  CKK,
  CKR,
} from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type { Attributes, KeyType } from './mechanism.ts'
import { completeSecret } from './secret-keys.ts'

/** How the 31 bits of a truncated HMAC become a value. */
export interface Format {
  /** Lengths that a value may have, in characters; in bytes where it is binary. */
  readonly lengths: readonly [number, number]
  /** The value of so many characters or bytes. */
  write(truncated: number, length: number): Uint8Array
}

/** The last digits of the number in a base, as text. */
const digits = (alphabet: string, lengths: Format['lengths']): Format => ({
  lengths,
  write: (truncated, length) => {
    const text: string[] = []
    for (let rest = truncated; text.length < length; rest = Math.floor(rest / alphabet.length))
      text.unshift(alphabet[rest % alphabet.length] as string)
    return Buffer.from(text.join(''))
  },
})

function writeBinary(truncated: number): Uint8Array {
  const bytes = Buffer.alloc(TRUNCATED_BYTES)
  bytes.writeUInt32BE(truncated)
  return bytes
}

/**
 * By CK_OTP_FORMAT_ number. RFC 4226 has 6 to 8 decimal digits; of the others it tells only that there
 * may be such (E.1), so they are what 31 bits hold: 32 letters and digits that nobody mistakes for
 * others, 5 bits each.
 */
export const formats: ReadonlyMap<number, Format> = new Map([
  [CK_OTP_FORMAT_DECIMAL, digits('0123456789', [6, 8])],
  [CK_OTP_FORMAT_HEXADECIMAL, digits('0123456789ABCDEF', [6, 8])],
  [CK_OTP_FORMAT_ALPHANUMERIC, digits('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', [6, 6])],
  [
    CK_OTP_FORMAT_BINARY,
    { lengths: [TRUNCATED_BYTES, TRUNCATED_BYTES], write: (truncated) => writeBinary(truncated) },
  ],
])

const badValue = (why: string) => new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, why)

/** Seconds of a time step where the template does not say (RFC 6238, 5.2). */
const USUAL_INTERVAL = 30

/** A year, so that the next step is still a time. */
const LONGEST_INTERVAL = 366 * 86_400

/** A key with CKA_OTP_TIME_INTERVAL counts the steps of the clock; any other its uses. */
export const isTimeBased = (attributes: Attributes): boolean =>
  attributes.has(CKA.OTP_TIME_INTERVAL)

/** What HOTP has no place for, or what a counter and a clock cannot both be. */
function checkRequirements(attributes: Attributes, timeBased: boolean): void {
  const asks = (type: number) => attributes.get(type) !== CK_OTP_PARAM_IGNORED
  if (asks(CKA.OTP_PIN_REQUIREMENT) || asks(CKA.OTP_CHALLENGE_REQUIREMENT))
    throw badValue('HOTP takes neither a PIN nor a challenge')
  if (timeBased && asks(CKA.OTP_COUNTER_REQUIREMENT))
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'a time-based key takes no counter')
}

/** The length of the key's values: the binary form has one only, which no template needs to tell. */
function lengthOf(attributes: Attributes): Attributes {
  const format = attributes.get(CKA.OTP_FORMAT) as number
  if (format === CK_OTP_FORMAT_BINARY) return new Map([[CKA.OTP_LENGTH, TRUNCATED_BYTES]])
  const [least, most] = formats.get(format)?.lengths ?? [0, 0]
  const length = attributes.get(CKA.OTP_LENGTH) as number
  if (length < least || length > most)
    throw badValue(`values of this CKA_OTP_FORMAT have ${least} to ${most} characters`)
  return new Map()
}

function timeInterval(attributes: Attributes): Attributes {
  const interval = attributes.get(CKA.OTP_TIME_INTERVAL) ?? USUAL_INTERVAL
  if (interval === 0 || (interval as number) > LONGEST_INTERVAL)
    throw badValue(`CKA_OTP_TIME_INTERVAL is 1 to ${LONGEST_INTERVAL} seconds`)
  return new Map([[CKA.OTP_TIME_INTERVAL, interval]])
}

/** 6.53: 8 bytes, big-endian; it begins with 0 where the template does not say. */
function counterOf(attributes: Attributes): Attributes {
  const counter = attributes.get(CKA.OTP_COUNTER) as Uint8Array
  if (counter.length === COUNTER_BYTES) return new Map()
  if (counter.length > 0) throw badValue(`CKA_OTP_COUNTER has ${COUNTER_BYTES} bytes`)
  return new Map([[CKA.OTP_COUNTER, new Uint8Array(COUNTER_BYTES)]])
}

const fits = (bytes: number) => bytes >= 1 && bytes <= LONGEST_SECRET

function complete(_objectClass: number, attributes: Attributes): Attributes {
  const timeBased =
    isTimeBased(attributes) || attributes.get(CKA.OTP_TIME_REQUIREMENT) !== CK_OTP_PARAM_IGNORED
  checkRequirements(attributes, timeBased)
  return new Map([
    ...completeSecret(attributes, fits, (value) => digestOf('sha1', value)),
    ...lengthOf(attributes),
    ...(timeBased ? timeInterval(attributes) : counterOf(attributes)),
  ])
}

export const hotpKeyType: KeyType = { type: CKK.HOTP, name: 'HOTP', complete }
