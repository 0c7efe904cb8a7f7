/** CK_OTP_PARAMS: what an application asks of a one-time password. PKCS #11 3.2, 6.53. */
import { COUNTER_BYTES } from '../engine/hotp.ts'
import {
  CK_OTP_CHALLENGE,
  CK_OTP_COUNTER,
  CK_OTP_FLAGS,
  CK_OTP_FORMAT_BINARY,
  CK_OTP_FORMAT_HEXADECIMAL,
  CK_OTP_OUTPUT_FORMAT,
  CK_OTP_OUTPUT_LENGTH,
  CK_OTP_PARAM_IGNORED,
  CK_OTP_PARAM_MANDATORY,
  CK_OTP_PIN,
  CK_OTP_TIME,
  CKA,
  CKF,
  CKR,
} from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Attributes, Begin, MechanismArgument } from './mechanism.ts'
import { type Format, formats, isTimeBased } from './otp-keys.ts'
import { bytesIn, numberIn, structuresIn, ulongOf } from './parameter.ts'

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** What may be asked for. CK_OTP_VALUE is for output only. */
const ASKABLE: ReadonlySet<number> = new Set([
  CK_OTP_PIN,
  CK_OTP_CHALLENGE,
  CK_OTP_TIME,
  CK_OTP_COUNTER,
  CK_OTP_FLAGS,
  CK_OTP_OUTPUT_LENGTH,
  CK_OTP_OUTPUT_FORMAT,
])

/** The requirement attribute of each input, and the flag that excludes it. */
const INPUTS = [
  { type: CK_OTP_PIN, requirement: CKA.OTP_PIN_REQUIREMENT, exclude: CKF.EXCLUDE_PIN },
  {
    type: CK_OTP_CHALLENGE,
    requirement: CKA.OTP_CHALLENGE_REQUIREMENT,
    exclude: CKF.EXCLUDE_CHALLENGE,
  },
  { type: CK_OTP_TIME, requirement: CKA.OTP_TIME_REQUIREMENT, exclude: CKF.EXCLUDE_TIME },
  {
    type: CK_OTP_COUNTER,
    requirement: CKA.OTP_COUNTER_REQUIREMENT,
    exclude: CKF.EXCLUDE_COUNTER,
  },
] as const

const KNOWN_FLAGS =
  CKF.NEXT_OTP |
  CKF.EXCLUDE_TIME |
  CKF.EXCLUDE_COUNTER |
  CKF.EXCLUDE_CHALLENGE |
  CKF.EXCLUDE_PIN |
  CKF.USER_FRIENDLY_OTP

type Given = ReadonlyMap<number, Uint8Array>

function read(mechanism: MechanismArgument): Given {
  const given = new Map<number, Uint8Array>()
  for (const parameter of structuresIn(mechanism, 'params')) {
    const type = numberIn(parameter, 'type')
    if (!ASKABLE.has(type)) throw invalid(`CK_OTP_PARAM_TYPE ${type} cannot be asked for`)
    if (given.has(type)) throw invalid(`CK_OTP_PARAM_TYPE ${type} comes twice`)
    given.set(type, bytesIn(parameter, 'value'))
  }
  return given
}

function ulong(given: Given, type: number): number | undefined {
  const parameter = given.get(type)
  return parameter && ulongOf({ type, parameter })
}

function flagsOf(given: Given): number {
  const flags = ulong(given, CK_OTP_FLAGS) ?? 0
  if (flags > KNOWN_FLAGS || (flags & ~KNOWN_FLAGS) !== 0) throw invalid('unknown CK_OTP_FLAGS')
  return flags
}

/** What the value is made from can be neither missing nor excluded. */
function checkRequirements(given: Given, attributes: Attributes, flags: number): void {
  const needed = isTimeBased(attributes) ? CK_OTP_TIME : CK_OTP_COUNTER
  for (const { type, requirement, exclude } of INPUTS) {
    const mandatory = attributes.get(requirement) === CK_OTP_PARAM_MANDATORY
    if ((flags & exclude) !== 0 && (mandatory || type === needed))
      throw invalid(`CK_OTP_PARAM_TYPE ${type} cannot be excluded`)
    if (mandatory && !given.has(type)) throw invalid(`CK_OTP_PARAM_TYPE ${type} must be given`)
  }
}

/** Number, row and length of the format that a value is to have. */
export interface Output {
  readonly number: number
  readonly format: Format
  readonly length: number
}

/** A binary value that a human is to read is written in hexadecimal, twice as long. */
function friendly({ number, length }: Omit<Output, 'format'>): Omit<Output, 'format'> {
  return number === CK_OTP_FORMAT_BINARY
    ? { number: CK_OTP_FORMAT_HEXADECIMAL, length: length * 2 }
    : { number, length }
}

/** The length that the key tells is that of its own format. */
function lengthFor(given: Given, attributes: Attributes, number: number): number {
  const asked = ulong(given, CK_OTP_OUTPUT_LENGTH)
  if (asked !== undefined) return asked
  const own = attributes.get(CKA.OTP_FORMAT) === number ? attributes.get(CKA.OTP_LENGTH) : undefined
  return (own as number | undefined) ?? formats.get(number)?.lengths[0] ?? 0
}

function outputOf(given: Given, attributes: Attributes, flags: number): Output {
  const number = ulong(given, CK_OTP_OUTPUT_FORMAT) ?? (attributes.get(CKA.OTP_FORMAT) as number)
  const length = lengthFor(given, attributes, number)
  const [least, most] = formats.get(number)?.lengths ?? [1, 0]
  if (length < least || length > most)
    throw invalid(`no value of format ${number} has the length ${length}`)
  const isFriendly = (flags & CKF.USER_FRIENDLY_OTP) !== 0
  if (isFriendly && attributes.get(CKA.OTP_USER_FRIENDLY_MODE) !== true)
    throw invalid('CKA_OTP_USER_FRIENDLY_MODE of the key is false')
  const output = isFriendly ? friendly({ number, length }) : { number, length }
  return { ...output, format: formats.get(output.number) as Format }
}

/** What an operation is begun with. */
export interface Asked {
  readonly output: Output
  /** The value after the one that is due (CKF_NEXT_OTP). */
  readonly next: boolean
  /** The counter that the application gave; undefined: the key's own. */
  readonly counter: bigint | undefined
  /** Milliseconds since 1970 that the application gave; undefined: now. */
  readonly time: number | undefined
}

/** CK_OTP_COUNTER. */
function counterIn(bytes: Uint8Array): bigint {
  if (bytes.length !== COUNTER_BYTES) throw invalid(`CK_OTP_COUNTER has ${COUNTER_BYTES} bytes`)
  return Buffer.from(bytes).readBigUInt64BE()
}

const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/

/** CK_OTP_TIME as it is written: UTC, YYYYMMDDhhmmss. */
export const timeText = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 19).replace(/\D/g, '')

/** CK_OTP_TIME; a day or an hour that is none is refused, and so is a time before 1970. */
function timeIn(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString('latin1')
  const [, year, month, day, hour, minute, second] = TIME.exec(text) ?? []
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (!(time >= 0) || timeText(time) !== text)
    throw invalid('CK_OTP_TIME is no time of the form YYYYMMDDhhmmss since 1970')
  return time
}

/**
 * The parameter of an operation with a key. `takesCounter`: the counter counts although the key
 * ignores one. Throws CKR_MECHANISM_PARAM_INVALID.
 */
export function askedFor(
  { mechanism, key: { attributes } }: Begin,
  { takesCounter }: { readonly takesCounter: boolean },
): Asked {
  const given = read(mechanism)
  const flags = flagsOf(given)
  checkRequirements(given, attributes, flags)
  const taken = (type: number, requirement: number) =>
    attributes.get(requirement) === CK_OTP_PARAM_IGNORED ? undefined : given.get(type)
  const time = taken(CK_OTP_TIME, CKA.OTP_TIME_REQUIREMENT)
  const counter = takesCounter
    ? given.get(CK_OTP_COUNTER)
    : taken(CK_OTP_COUNTER, CKA.OTP_COUNTER_REQUIREMENT)
  return {
    output: outputOf(given, attributes, flags),
    next: (flags & CKF.NEXT_OTP) !== 0,
    counter: counter && counterIn(counter),
    time: time && timeIn(time),
  }
}
