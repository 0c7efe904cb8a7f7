/** The pseudorandom functions of TLS 1.2 (RFC 5246, 5), of TLS 1.0 and 1.1 (RFC 4346, 5) and of SSL 3.0 (RFC 6101, 6.1). */
import { native } from './binding.ts'
import { type DigestName, digesting, digestLengths } from './digests.ts'

/** The hash function of TLS 1.2's, or both of those before it. */
export type TlsHash = DigestName | 'md5-sha1'

/** 1 byte to 1 MiB; the seed in parts, at most 15. */
export const tlsPrf = (
  digest: TlsHash,
  secret: Uint8Array,
  label: Uint8Array,
  seed: readonly Uint8Array[],
  length: number,
): Uint8Array => native().kdf('TLS1-PRF', { digest, secret, seed: [label, ...seed] }, length)

const digestOfParts = (name: 'md5' | 'sha1', parts: readonly Uint8Array[]): Uint8Array => {
  const hash = digesting(name)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The letters that SSL 3.0 has for its rounds: A, BB, CCC up to 26 times Z. */
const ROUNDS = 26
const letters = (round: number): Uint8Array => new Uint8Array(round + 1).fill(0x41 + round)

/** Bytes that SSL 3.0 can make at most. */
export const MOST_SSL3 = ROUNDS * digestLengths.md5

/** 6.1: MD5(secret, SHA(letters, secret, seed)), one after the other; at most MOST_SSL3 bytes. */
export function ssl3Prf(
  secret: Uint8Array,
  seed: readonly Uint8Array[],
  length: number,
): Uint8Array {
  const rounds = Math.ceil(length / digestLengths.md5)
  const blocks = Array.from({ length: rounds }, (_, round) =>
    digestOfParts('md5', [secret, digestOfParts('sha1', [letters(round), secret, ...seed])]),
  )
  return Uint8Array.from(Buffer.concat(blocks).subarray(0, length))
}
