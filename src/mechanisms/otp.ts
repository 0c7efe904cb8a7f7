/**
 * One-time passwords: HOTP (RFC 4226), and over the steps of a clock TOTP (RFC 6238). PKCS #11 3.2,
 * 6.53. A key counts its own values: each goes out once, and its counter is past it before it does.
 */
import { COUNTER_BYTES, truncatedHmac } from '../engine/hotp.ts'
import { equalInConstantTime } from '../engine/macs.ts'
import { bytesOf, numberOf } from '../objects/object.ts'
import {
  CK_OTP_COUNTER,
  CK_OTP_OUTPUT_FORMAT,
  CK_OTP_TIME,
  CK_OTP_VALUE,
  CKA,
  CKK,
  CKM,
  CKO,
  CKR,
} from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type {
  Attributes,
  Begin,
  ChangeKey,
  CryptokiObject,
  Mechanism,
  Summary,
  Verification,
} from './mechanism.ts'
import { hotpKeyType, isTimeBased } from './otp-keys.ts'
import { type Asked, askedFor, timeText } from './otp-parameters.ts'
import { layOut, POINTERS, ulongBytes } from './otp-signature-info.ts'
import { generateSecret } from './secret-keys.ts'

/** 6.53: "pData shall be set to NULL_PTR and ulDataLen shall be set to 0". */
function refuseData(part: Uint8Array): void {
  if (part.length > 0)
    throw new CryptokiError(CKR.DATA_LEN_RANGE, 'a one-time password is made of no data')
}

/** What the HMAC goes over, and how CK_OTP_SIGNATURE_INFO tells of it. */
interface Factor {
  readonly counter: bigint
  readonly told: { readonly type: number; readonly value: Uint8Array }
}

const LARGEST_COUNTER = 2n ** 64n - 1n

const usedUp = () => new CryptokiError(CKR.KEY_EXHAUSTED, 'the counter of the key is at its end')

function counted(counter: bigint): Factor {
  if (counter > LARGEST_COUNTER) throw usedUp()
  const value = Buffer.alloc(COUNTER_BYTES)
  value.writeBigUInt64BE(counter)
  return { counter, told: { type: CK_OTP_COUNTER, value } }
}

/** The last time that CK_OTP_TIME can tell. */
const LATEST = Date.UTC(10_000) - 1

/** RFC 6238, 4.2: the time steps since 1970. */
function timed({ time = Date.now(), next }: Asked, attributes: Attributes): Factor {
  const interval = attributes.get(CKA.OTP_TIME_INTERVAL) as number
  const at = time + (next ? interval * 1000 : 0)
  if (at > LATEST)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'the next value is after the year 9999')
  const value = Buffer.from(timeText(at))
  return {
    counter: BigInt(Math.floor(at / 1000 / interval)),
    told: { type: CK_OTP_TIME, value },
  }
}

/** The factor that does not come from the counter of the key; undefined where it does. */
function givenFactor(asked: Asked, { attributes }: CryptokiObject): Factor | undefined {
  if (isTimeBased(attributes)) return timed(asked, attributes)
  return asked.counter === undefined ? undefined : counted(asked.counter + (asked.next ? 1n : 0n))
}

/** Takes the next value of the key's own counter, which from then on is past it, in the store too. */
async function takeCounter({ next }: Asked, change: ChangeKey | undefined): Promise<Factor> {
  if (change === undefined) throw new TypeError('nobody keeps the counter of the key')
  let taken = 0n
  await change(({ attributes }) => {
    const own = Buffer.from(attributes.get(CKA.OTP_COUNTER) as Uint8Array).readBigUInt64BE()
    taken = own + (next ? 1n : 0n)
    if (taken >= LARGEST_COUNTER) throw usedUp()
    return new Map([[CKA.OTP_COUNTER, counted(taken + 1n).told.value]])
  })
  return counted(taken)
}

/** The secret of an OTP key; CKR_KEY_TYPE_INCONSISTENT for any other object. */
function secretOf(key: CryptokiObject): Uint8Array {
  const value = bytesOf(key, CKA.VALUE)
  if (numberOf(key, CKA.KEY_TYPE) !== CKK.HOTP || numberOf(key, CKA.CLASS) !== CKO.OTP_KEY)
    throw new CryptokiError(CKR.KEY_TYPE_INCONSISTENT, 'a key of another type')
  if (value === undefined) throw new CryptokiError(CKR.GENERAL_ERROR, 'an OTP key has no value')
  return value
}

const passwordOf = ({ output }: Asked, key: CryptokiObject, { counter }: Factor): Uint8Array =>
  output.format.write(truncatedHmac(secretOf(key), counter), output.length)

/** What C_Sign gives back, the value first. */
const told = ({ output }: Asked, value: Uint8Array, factor: Pick<Factor, 'told'>) =>
  layOut([
    { type: CK_OTP_VALUE, value },
    factor.told,
    { type: CK_OTP_OUTPUT_FORMAT, value: ulongBytes(output.number) },
  ])

function signing(begin: Begin): Summary {
  const { key, change } = begin
  secretOf(key)
  const asked = askedFor(begin, { takesCounter: false })
  // Every value of these has the same length, so it is known before there is one.
  const sample = givenFactor(asked, key) ?? counted(0n)
  return {
    length: told(asked, new Uint8Array(asked.output.length), sample).length,
    pointers: POINTERS,
    update: refuseData,
    final: async (surrender) => {
      const due = surrender.point()
      if (due) await due
      const factor = givenFactor(asked, key) ?? (await takeCounter(asked, change))
      return told(asked, passwordOf(asked, key, factor), factor)
    },
  }
}

/** 6.53: "For verify operations, the counter value CK_OTP_COUNTER must be provided". Nothing moves. */
function verifying(begin: Begin): Verification {
  const { key } = begin
  secretOf(key)
  const asked = askedFor(begin, { takesCounter: true })
  if (givenFactor(asked, key) === undefined)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'CK_OTP_COUNTER must be given')
  return {
    update: refuseData,
    final: (signature) => {
      if (signature.length !== asked.output.length)
        throw new CryptokiError(
          CKR.SIGNATURE_LEN_RANGE,
          `the value has not ${asked.output.length} characters`,
        )
      const value = passwordOf(asked, key, givenFactor(asked, key) as Factor)
      if (!equalInConstantTime(value, signature))
        throw new CryptokiError(CKR.SIGNATURE_INVALID, 'the value is that of another time or key')
    },
  }
}

/** RFC 4226, 4 (R6): "The length of the shared secret MUST be at least 128 bits". */
const LEAST_GENERATED = 16

export { hotpKeyType }

export const otp: readonly Mechanism[] = [
  {
    type: CKM.HOTP_KEY_GEN,
    name: 'HOTP_KEY_GEN',
    section: '6.53',
    keyTypes: [CKK.HOTP],
    keySize: [LEAST_GENERATED, LONGEST_SECRET],
    makes: CKO.OTP_KEY,
    generateKey: (make) =>
      generateSecret(make, (bytes) => bytes >= LEAST_GENERATED && bytes <= LONGEST_SECRET),
  },
  {
    type: CKM.HOTP,
    name: 'HOTP',
    section: '6.53',
    keyTypes: [CKK.HOTP],
    // Shorter keys than RFC 4226 wants are handed out by real services.
    keySize: [1, LONGEST_SECRET],
    parameter: 'CK_OTP_PARAMS',
    singleMessage: true,
    sign: signing,
    verify: verifying,
  },
]
