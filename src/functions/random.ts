/** Random number generation functions. PKCS #11 3.2, 5.19. OpenSSL's generator, seeded by the kernel. */
import { randomFillSync } from 'node:crypto'
import { feed, STEP } from '../sessions/operation.ts'
import { type Data, dataOf } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Surrender } from '../surrender/surrender.ts'
import type { Implementations } from './implementation.ts'

/** Bytes that one C_GenerateRandom makes at most: 64 MiB. */
const MOST_RANDOM = 64 << 20

/** Bytes of seed that are taken: 16 MiB. */
const MOST_SEED = 16 << 20

async function longRandom(length: number, surrender: Surrender): Promise<Uint8Array> {
  const random = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; at += STEP) {
    const point = surrender.point(at / length)
    if (point) await point
    randomFillSync(random, at, Math.min(STEP, length - at))
  }
  return random
}

/** A seed is read and let go: the generator needs none, and node:crypto offers no way to mix one in. */
const seed = (data: Data, surrender: Surrender) => feed(data, surrender, () => {})

export const random = {
  C_SeedRandom: async ({ surrender }, _session, bytes) => {
    if (bytes === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no seed')
    if (bytes.length > MOST_SEED)
      throw new CryptokiError(CKR.ARGUMENTS_BAD, `a seed has at most ${MOST_SEED} bytes`)
    await seed(dataOf(bytes), surrender)
    return undefined
  },

  C_GenerateRandom: ({ surrender }, _session, length) => {
    if (length > MOST_RANDOM)
      throw new CryptokiError(
        CKR.ARGUMENTS_BAD,
        `one call makes at most ${MOST_RANDOM} random bytes`,
      )
    return length > STEP
      ? longRandom(length, surrender)
      : randomFillSync(Buffer.allocUnsafe(length))
  },
} satisfies Implementations
