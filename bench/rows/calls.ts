/** Beginning, small calls, and signatures. */
import { type Goal, OURS, type Row } from '../results.ts'

const start: Row = {
  group: 'Calls',
  name: 'C_Initialize, C_OpenSession, C_Login',
  words: ['start'],
  unit: 'time',
  runs: 3,
}

/** Microseconds over the work’s own cost, for each of so many C_ functions: by shared memory, and by a socket. */
export const small = (calls: number): readonly Goal[] => [
  { of: 'OpenSSL', over: 3, calls },
  { of: 'OpenSSL', over: 40, calls, by: OURS.socket },
]

const smallCalls: readonly Row[] = (
  [
    ['C_GetSessionInfo', ['info'], []],
    ['C_GenerateRandom, 32 bytes', ['random', '32'], small(1)],
    ['C_GetAttributeValue, 4 of a key', ['attributes'], []],
  ] as const
).map(([name, words, goals]) => ({ group: 'Calls', name, words, unit: 'time', goals }))

const AHEAD_OF_SOFTHSM: Goal = { of: 'SoftHSM2', atMost: 1 }

const KEYS: readonly (readonly [name: string, key: string, goals: readonly Goal[]])[] = [
  ['RSA-2048', 'rsa-2048', [AHEAD_OF_SOFTHSM]],
  ['RSA-3072', 'rsa-3072', []],
  ['RSA-4096', 'rsa-4096', []],
  [
    'P-256',
    'p-256',
    [
      { of: 'opencryptoki', atMost: 1 },
      { of: 'OpenSSL', atMost: 1 / 0.7 },
    ],
  ],
  ['P-384', 'p-384', []],
  ['Ed25519', 'ed25519', []],
  ['ML-DSA-65', 'ml-dsa-65', []],
]

const signatures: readonly Row[] = KEYS.map(([name, key, goals]) => ({
  group: 'Signing: C_SignInit and C_Sign with a token key',
  name,
  words: ['sign', key],
  unit: 'time',
  goals,
}))

const verifications: readonly Row[] = KEYS.map(([name, key]) => ({
  group: 'Verifying: C_VerifyInit and C_Verify',
  name,
  words: ['verify', key],
  unit: 'time',
}))

export const calls: readonly Row[] = [start, ...smallCalls, ...signatures, ...verifications]
