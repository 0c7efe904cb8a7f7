/** What a signature is made over: a digest made here, or a short message as it is. */
import { type DigestName, digesting } from '../engine/digests.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { Gathered } from './gathered.ts'
import type { Surrender } from './mechanism.ts'

/** Takes a message in parts and answers once the bytes that a signature covers. */
export interface Message {
  update(part: Uint8Array): void
  take(surrender: Surrender): Uint8Array | Promise<Uint8Array>
}

/** The digest of a message of any length. */
export function hashedMessage(digest: DigestName): Message {
  const hash = digesting(digest)
  return { update: (part) => hash.update(part), take: () => hash.digest() }
}

/** The message itself, from `least` to `most` bytes; throws CKR_DATA_LEN_RANGE for any other length. */
export function shortMessage(least: number, most: number): Message {
  const gathered = new Gathered(most, CKR.DATA_LEN_RANGE)
  return {
    update: (part) => gathered.add(part),
    take: (surrender) => {
      if (gathered.length < least)
        throw new CryptokiError(CKR.DATA_LEN_RANGE, `fewer than ${least} bytes`)
      return gathered.take(surrender)
    },
  }
}
