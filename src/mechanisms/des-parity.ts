/** The parity of DES keys: each byte has an odd number of ones, its lowest bit makes it so. FIPS 46-3. */

function odd(byte: number): number {
  let ones = byte >> 1
  ones ^= ones >> 4
  ones ^= ones >> 2
  ones ^= ones >> 1
  return (byte & 0xfe) | (~ones & 1)
}

/** Sets the parity bits of a key, in place. */
export function setParity(value: Uint8Array): void {
  for (const [at, byte] of value.entries()) value[at] = odd(byte)
}

export const hasParity = (value: Uint8Array): boolean => value.every((byte) => odd(byte) === byte)
