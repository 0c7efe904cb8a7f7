/** What a signature is made over: a digest made here, or a short message as it is. */
import { type DigestName, digesting, digestOf, type Hashing } from '../engine/digests.ts'
import { lazily } from '../engine/lazily.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { Gathered } from './gathered.ts'
import type { Surrender } from './mechanism.ts'

/** Takes a message in parts and answers once the bytes that a signature covers. */
export interface Message {
  /** The same of a message that is all here, where nothing was updated. It may be a view of it. */
  whole(message: Uint8Array): Uint8Array
  update(part: Uint8Array): void
  take(surrender: Surrender): Uint8Array | Promise<Uint8Array>
  /** A second one that has taken the same parts. */
  copy(): Message
}

/** The digest of a message of any length. It begins with the first part: one that comes whole needs no stream. */
export function hashedMessage(digest: DigestName): Message {
  const begin = lazily(() => digesting(digest))
  return {
    whole: (message) => digestOf(digest, message),
    update: (part) => begin().update(part),
    take: () => begin().digest(),
    copy: () => messageHashedBy(begin().copy()),
  }
}

/** What a hash that has begun makes of a message of any length. */
export const messageHashedBy = (hash: Hashing): Message => ({
  whole: (message) => {
    hash.update(message)
    return hash.digest()
  },
  update: (part) => hash.update(part),
  take: () => hash.digest(),
  copy: () => messageHashedBy(hash.copy()),
})

/** The message itself, from `least` to `most` bytes; throws CKR_DATA_LEN_RANGE for any other length. */
export const shortMessage = (least: number, most: number): Message =>
  short(new Gathered(most, CKR.DATA_LEN_RANGE), least)

function checkLeast(length: number, least: number): void {
  if (length < least) throw new CryptokiError(CKR.DATA_LEN_RANGE, `fewer than ${least} bytes`)
}

const short = (gathered: Gathered, least: number): Message => ({
  whole: (message) => {
    gathered.checkRoom(message.length)
    checkLeast(message.length, least)
    return message
  },
  update: (part) => gathered.add(part),
  take: (surrender) => {
    checkLeast(gathered.length, least)
    return gathered.take(surrender)
  },
  copy: () => short(gathered.copy(), least),
})
