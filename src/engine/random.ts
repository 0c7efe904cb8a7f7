/** Random bytes from OpenSSL's generator, which the kernel seeds. */
import { native } from './binding.ts'

export { randomBytes } from 'node:crypto'

/** So many random bytes, at most 1 GiB, for whoever asked for random bytes: no key is made of them. */
export function publicRandomBytes(length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length)
  native().random(bytes)
  return bytes
}
