/**
 * The block of ANSI X9.31 signatures, and what is done to the number that RSA makes of it. All of it
 * is public: a block tells a digest, and what is made of it is the signature.
 */

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)

const bytesOf = (number: bigint, length: number): Uint8Array =>
  Uint8Array.from(Buffer.from(number.toString(16).padStart(2 * length, '0'), 'hex'))

/** n less a number that is below it. */
const complement = (modulus: Uint8Array, number: Uint8Array): Uint8Array =>
  bytesOf(numberOf(modulus) - numberOf(number), modulus.length)

/**
 * Header and padding (a nibble 6, nibbles B, a nibble A) before a payload that is at least two bytes
 * shorter than the modulus, and ends with its trailer.
 */
export function x931Block(length: number, payload: Uint8Array): Uint8Array {
  const block = new Uint8Array(length).fill(0xbb)
  const start = length - payload.length
  block[0] = 0x6b
  block[start - 1] = 0xba
  block.set(payload, start)
  return block
}

/** The signature: the number that RSA made, or n less it, whichever is smaller. */
export function x931Smaller(modulus: Uint8Array, number: Uint8Array): Uint8Array {
  const other = complement(modulus, number)
  return Buffer.compare(other, number) < 0 ? other : number
}

/** Whether what a signature recovers to is a block, or n less it. */
export const x931Signed = (
  modulus: Uint8Array,
  recovered: Uint8Array,
  block: Uint8Array,
): boolean =>
  Buffer.compare(recovered, block) === 0 ||
  Buffer.compare(complement(modulus, recovered), block) === 0
