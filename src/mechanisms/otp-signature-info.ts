/**
 * CK_OTP_SIGNATURE_INFO as it lies in the caller's memory: the structure, the array of CK_OTP_PARAM
 * that it points to, and the values that these point to, in one piece. PKCS #11 3.2, 6.53.
 */
import { structures } from '../standard/structures.ts'

/** A parameter that C_Sign tells. */
export interface Told {
  /** CK_OTP_PARAM_TYPE. */
  readonly type: number
  readonly value: Uint8Array
}

const { size: HEAD } = structures.CK_OTP_SIGNATURE_INFO
const { size: ELEMENT } = structures.CK_OTP_PARAM

/** Bytes of a CK_ULONG and of a pointer; structures and CK_ULONG values lie at multiples of it. */
const WORD = 8

/** How many parameters are told: value, counter or time, format. */
const TOLD = 3

/** Where pParams lies, and pValue in each element. */
const PARAMS = 0
const valuePointer = (at: number) => HEAD + at * ELEMENT + WORD

/** Where the words lie that point into the image; each of them holds an offset in it. */
export const POINTERS: readonly number[] = [
  PARAMS,
  ...Array.from({ length: TOLD }, (_, at) => valuePointer(at)),
]

/** A CK_ULONG as the caller's memory has it. */
export function ulongBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(WORD)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

const rounded = (bytes: number) => Math.ceil(bytes / WORD) * WORD

/** The image; what its POINTERS point to is told from its start. */
export function layOut(parameters: readonly [Told, Told, Told]): Uint8Array {
  const begin = HEAD + TOLD * ELEMENT
  const size = parameters.reduce((sum, { value }) => sum + rounded(value.length), begin)
  const image = Buffer.alloc(size)
  const put = (at: number, value: number) => image.writeBigUInt64LE(BigInt(value), at)
  put(PARAMS, HEAD)
  put(PARAMS + WORD, TOLD)
  let end = begin
  for (const [at, { type, value }] of parameters.entries()) {
    put(HEAD + at * ELEMENT, type)
    put(valuePointer(at), end)
    put(valuePointer(at) + WORD, value.length)
    image.set(value, end)
    end += rounded(value.length)
  }
  return image
}
