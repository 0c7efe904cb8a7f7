/**
 * The input of the PRF in the derivations of NIST SP 800-108, put together as a list of
 * CK_PRF_DATA_PARAM says. PKCS #11 3.2, 6.42.2 and 6.42.9.
 */
import { ULONG, ulongAt } from '../objects/ulong.ts'
import {
  CK_SP800_108_BYTE_ARRAY,
  CK_SP800_108_COUNTER,
  CK_SP800_108_DKM_LENGTH,
  CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS,
  CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS,
  CK_SP800_108_ITERATION_VARIABLE,
  CK_SP800_108_KEY_HANDLE,
  CKR,
} from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { CryptokiObject, Derive } from './mechanism.ts'
import { dataIn, numberIn, structuresIn } from './parameter.ts'
import { secretValue } from './secret-keys.ts'

/** Bytes of all data of one input. */
const MOST_INPUT = 64 << 10

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** Bytes of the derived keying material, as each method counts them. */
export interface Lengths {
  readonly keys: number
  readonly segments: number
}

/** Where an iteration stands. */
export interface Iteration {
  /** From 1. */
  readonly counter: number
  /** What the KDF's iteration variable is, where it is not the counter. */
  readonly variable: Uint8Array
}

/** A part of the input; `fixed` ones are the same in every iteration. */
interface Part {
  readonly type: number
  readonly fixed: boolean
  bytes(iteration: Iteration): Uint8Array
}

/** A whole number as the structures of formats have it. */
interface Format {
  readonly littleEndian: boolean
  readonly bytes: number
}

/** CK_SP800_108_COUNTER_FORMAT at an offset: a CK_BBOOL, and behind its padding a CK_ULONG. */
function formatAt(value: Uint8Array, offset: number, widest: number): Format {
  const endian = value[offset] as number
  const bits = ulongAt(value, offset + ULONG) ?? 0
  if (endian > 1) throw invalid('bLittleEndian is neither CK_TRUE nor CK_FALSE')
  if (bits < 8 || bits > widest || bits % 8 !== 0)
    throw invalid(`ulWidthInBits is not a multiple of 8 up to ${widest}`)
  return { littleEndian: endian === 1, bytes: bits / 8 }
}

/** A number in its format; CKR_MECHANISM_PARAM_INVALID where it has no place there. */
function encoded(value: number, { littleEndian, bytes }: Format): Uint8Array {
  if (value >= 2 ** (8 * bytes)) throw invalid(`${value} does not fit ${bytes} bytes`)
  const whole = Buffer.alloc(ULONG)
  whole.writeBigUInt64BE(BigInt(value))
  const big = whole.subarray(ULONG - bytes)
  return littleEndian ? big.reverse() : big
}

const ofLength = (value: Uint8Array, bytes: number): Uint8Array => {
  if (value.length !== bytes) throw invalid(`the value of a data field has not ${bytes} bytes`)
  return value
}

/** Bits of the widest counter and of the widest length. */
const WIDEST = { counter: 32, length: 64 } as const

function counterPart(type: number, value: Uint8Array): Part {
  const format = formatAt(ofLength(value, 2 * ULONG), 0, WIDEST.counter)
  return { type, fixed: false, bytes: ({ counter }) => encoded(counter, format) }
}

function variablePart(type: number, value: Uint8Array): Part {
  ofLength(value, 0)
  return { type, fixed: false, bytes: ({ variable }) => variable }
}

/** CK_SP800_108_DKM_LENGTH_FORMAT: the method, and then as the format of a counter. */
function lengthPart(type: number, value: Uint8Array, { keys, segments }: Lengths): Part {
  const format = formatAt(ofLength(value, 3 * ULONG), ULONG, WIDEST.length)
  const byMethod: ReadonlyMap<number | undefined, number> = new Map([
    [CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, keys],
    [CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS, segments],
  ])
  const length = byMethod.get(ulongAt(value, 0))
  if (length === undefined) throw invalid('unknown dkmLengthMethod')
  return fixedPart(type, encoded(length * 8, format))
}

const fixedPart = (type: number, bytes: Uint8Array): Part => ({
  type,
  fixed: true,
  bytes: () => bytes,
})

/** What a kind of KDF allows in its list. */
export interface Rules {
  /** The iteration variable is the counter, in a format of its own; there is no other counter then. */
  readonly counts: boolean
}

type Reader = (type: number, value: Uint8Array) => Part | Promise<Part>

/** The input of a PRF, and the keys that are in it. */
export interface PrfInput {
  readonly keys: readonly CryptokiObject[]
  /** All parts in their order. */
  of(iteration: Iteration): readonly Uint8Array[]
  /** Those that are the same in every iteration: the first input of a double pipeline. */
  readonly fixed: readonly Uint8Array[]
}

/** An iteration for the parts that are the same in all of them. */
const ANY: Iteration = { counter: 1, variable: new Uint8Array(0) }

const fixedOf = (parts: readonly Part[]): readonly Uint8Array[] =>
  parts.filter(({ fixed }) => fixed).map((part) => part.bytes(ANY))

function checkParts(parts: readonly Part[], { counts }: Rules): void {
  const count = (type: number) => parts.filter((part) => part.type === type).length
  if (count(CK_SP800_108_ITERATION_VARIABLE) !== 1)
    throw invalid('there is not exactly one iteration variable')
  if (count(CK_SP800_108_COUNTER) > (counts ? 0 : 1)) throw invalid('a counter too many')
  if (count(CK_SP800_108_DKM_LENGTH) > 1) throw invalid('a length too many')
  const size = fixedOf(parts).reduce((sum, bytes) => sum + bytes.length, 0)
  if (size > MOST_INPUT) throw invalid(`more than ${MOST_INPUT} bytes of data`)
}

/**
 * Reads `dataParams` of a mechanism's parameter. Throws CKR_MECHANISM_PARAM_INVALID for what the
 * kind of KDF does not allow, and what Derive.key throws.
 */
export async function readInput(make: Derive, rules: Rules, lengths: Lengths): Promise<PrfInput> {
  const keys: CryptokiObject[] = []
  const readers: ReadonlyMap<number, Reader> = new Map<number, Reader>([
    [CK_SP800_108_ITERATION_VARIABLE, rules.counts ? counterPart : variablePart],
    [CK_SP800_108_COUNTER, counterPart],
    [CK_SP800_108_DKM_LENGTH, (type, value) => lengthPart(type, value, lengths)],
    [
      CK_SP800_108_BYTE_ARRAY,
      (type, value) => {
        if (value.length === 0) throw invalid('a byte array without bytes')
        return fixedPart(type, value)
      },
    ],
    [
      CK_SP800_108_KEY_HANDLE,
      async (type, value) => {
        const key = await make.key(ulongAt(ofLength(value, ULONG), 0) ?? 0)
        keys.push(key)
        return fixedPart(type, secretValue(key))
      },
    ],
  ])
  const parts: Part[] = []
  for (const field of structuresIn(make.mechanism, 'dataParams')) {
    const read = readers.get(numberIn(field, 'type'))
    if (read === undefined) throw invalid('unknown type of data field')
    parts.push(await read(numberIn(field, 'type'), dataIn(field, 'value')))
  }
  checkParts(parts, rules)
  return {
    keys,
    of: (iteration) => parts.map((part) => part.bytes(iteration)),
    fixed: fixedOf(parts),
  }
}
