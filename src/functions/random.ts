/** Random number generation functions. PKCS #11 3.2, 5.19. OpenSSL's generator, seeded by the kernel. */
import { publicRandomBytes } from '../engine/random.ts'
import { feed, STEP } from '../sessions/operation.ts'
import { type Data, dataOf } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Surrender } from '../surrender/surrender.ts'
import type { Call, Implementations } from './implementation.ts'

/** Bytes that one C_GenerateRandom makes at most where they are gathered here: 64 MiB. */
const MOST_GATHERED = 64 << 20

/** Bytes of seed that are taken: 16 MiB. */
const MOST_SEED = 16 << 20

/** Makes random bytes step by step: into the caller's buffer where that can be reached, else here. */
async function longRandom(
  length: number,
  { surrender, context: { put } }: Call,
): Promise<Uint8Array | null> {
  if (put === undefined && length > MOST_GATHERED)
    throw new CryptokiError(CKR.HOST_MEMORY, `at most ${MOST_GATHERED} random bytes are gathered`)
  const gathered: Uint8Array[] = []
  for (let at = 0; at < length; at += STEP) {
    const point = surrender.point(at / length)
    if (point) await point
    const step = publicRandomBytes(Math.min(STEP, length - at))
    if (put === undefined) gathered.push(step)
    else await put(at, step)
  }
  return put === undefined ? Buffer.concat(gathered) : null
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

  C_GenerateRandom: (call, _session, length) =>
    length > STEP ? longRandom(length, call) : publicRandomBytes(length),
} satisfies Implementations
