/** HOTP: the truncated HMAC of a counter. RFC 4226, 5.3; RFC 6238 counts the steps of a clock instead. */
import { hmac } from './macs.ts'

/** Bytes of the moving factor, and of the truncated HMAC. */
export const COUNTER_BYTES = 8
export const TRUNCATED_BYTES = 4

/** The dynamic truncation of HMAC-SHA-1(key, counter): 31 bits. The key has any length. */
export function truncatedHmac(key: Uint8Array, counter: bigint): number {
  const text = Buffer.alloc(COUNTER_BYTES)
  text.writeBigUInt64BE(counter)
  const mac = hmac('sha1', key)
  mac.update(text)
  const digest = Buffer.from(mac.digest())
  const offset = (digest.at(-1) as number) & 0xf
  return digest.readUInt32BE(offset) & 0x7fff_ffff
}
