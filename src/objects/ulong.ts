/** CK_ULONG as bytes. */
import { CK_UNAVAILABLE_INFORMATION } from '../standard/constants.ts'

/** Bytes of a CK_ULONG and of everything the standard derives from it. */
export const ULONG = 8

/**
 * A CK_ULONG in the application's order, 8 bytes little-endian; undefined for a number above 2^53
 * that is not CK_UNAVAILABLE_INFORMATION, which no valid value is and a number cannot hold.
 */
export function ulongAt(bytes: Uint8Array, offset: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, ULONG)
  const low = view.getUint32(0, true)
  const high = view.getUint32(4, true)
  if (low === 0xffffffff && high === 0xffffffff) return CK_UNAVAILABLE_INFORMATION
  const value = high * 2 ** 32 + low
  return Number.isSafeInteger(value) ? value : undefined
}

/** Writes a CK_ULONG; a TypeError for what ulongAt would not answer. */
export function putUlong(value: number, bytes: Uint8Array, offset: number): void {
  if (value === CK_UNAVAILABLE_INFORMATION) {
    bytes.fill(0xff, offset, offset + ULONG)
    return
  }
  if (!Number.isSafeInteger(value) || value < 0)
    throw new TypeError('a CK_ULONG is a whole number from 0 to 2^53 - 1')
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, ULONG)
  view.setUint32(0, value >>> 0, true)
  view.setUint32(4, Math.floor(value / 2 ** 32), true)
}
