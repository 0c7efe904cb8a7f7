/** Keys and objects that are made and found. */
import type { Goal, Row } from '../results.ts'

const GENERATION = 'Keys that are made'

/** Primes are found by luck: so many keys a round that the median of three rounds tells something. */
const rsa = (bits: number, least: number, goals: readonly Goal[] = []): Row => ({
  group: GENERATION,
  name: `RSA-${bits}, session objects`,
  words: ['generate', `rsa-${bits}`, 'session'],
  unit: 'time',
  least,
  goals,
})

const FASTER: readonly Goal[] = [{ of: 'SoftHSM2', atMost: 0.6 }]

/** On a disk, for which we wait and SoftHSM2 does not. */
const HALF: readonly Goal[] = [{ of: 'SoftHSM2', atMost: 0.5 }]

const p256 = (kind: 'session' | 'token'): Row => ({
  group: GENERATION,
  name: `P-256, ${kind} objects`,
  words: ['generate', 'p-256', kind],
  unit: 'time',
  least: 10,
  goals: kind === 'token' ? HALF : [],
})

const create: Row = {
  group: GENERATION,
  name: 'C_CreateObject, an AES key of the token',
  words: ['create'],
  unit: 'time',
  least: 10,
  goals: HALF,
}

export const generation: readonly Row[] = [
  rsa(2048, 20, FASTER),
  rsa(3072, 11),
  rsa(4096, 9, FASTER),
  p256('session'),
  p256('token'),
  create,
]

const IN_MEMORY = 'Objects of a token in memory (/dev/shm)'

/** Sizes of tokens that a key is looked for in. */
export const POPULATIONS = [100, 10_000, 100_000] as const

const find = (population: (typeof POPULATIONS)[number]): Row => ({
  group: IN_MEMORY,
  name: `find one by label among ${population.toLocaleString('en')}`,
  words: ['find', String(population)],
  unit: 'time',
  population,
  goals: population === 10_000 ? [{ of: 'SoftHSM2', atMost: 0.01 }] : [],
})

/**
 * SoftHSM2 leaves its files to the page cache where we wait for the disk. In memory neither has to wait,
 * which is the same durability.
 */
const inMemory = (row: Row): Row => ({
  ...row,
  group: IN_MEMORY,
  population: POPULATIONS[0],
  goals: HALF,
})

export const populated: readonly Row[] = [
  inMemory(create),
  inMemory(p256('token')),
  ...POPULATIONS.map(find),
]
