/** What a signature is made over: a digest made here, or a short message as it is. */
import { type DigestName, digesting, type Hashing } from '../engine/digests.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { Gathered } from './gathered.ts'
import type { Surrender } from './mechanism.ts'

/** Takes a message in parts and answers once the bytes that a signature covers. */
export interface Message {
  update(part: Uint8Array): void
  take(surrender: Surrender): Uint8Array | Promise<Uint8Array>
  /** A second one that has taken the same parts. */
  copy(): Message
}

/** The digest of a message of any length. */
export const hashedMessage = (digest: DigestName): Message => messageHashedBy(digesting(digest))

/** What a hash that has begun makes of a message of any length. */
export const messageHashedBy = (hash: Hashing): Message => ({
  update: (part) => hash.update(part),
  take: () => hash.digest(),
  copy: () => messageHashedBy(hash.copy()),
})

/** The message itself, from `least` to `most` bytes; throws CKR_DATA_LEN_RANGE for any other length. */
export const shortMessage = (least: number, most: number): Message =>
  short(new Gathered(most, CKR.DATA_LEN_RANGE), least)

const short = (gathered: Gathered, least: number): Message => ({
  update: (part) => gathered.add(part),
  take: (surrender) => {
    if (gathered.length < least)
      throw new CryptokiError(CKR.DATA_LEN_RANGE, `fewer than ${least} bytes`)
    return gathered.take(surrender)
  },
  copy: () => short(gathered.copy(), least),
})
