/** The API for Node programs, in their own process. */
import type { Goal, Row } from '../results.ts'

const AHEAD: readonly Goal[] = [{ of: 'pkcs11js + SoftHSM2', atMost: 1 }]

export const inNode: readonly Row[] = (
  [
    ['sign, P-256', ['sign', 'p-256'], AHEAD],
    ['sign, RSA-2048', ['sign', 'rsa-2048'], []],
    ['SHA-256, 16 B', ['digest', '16'], AHEAD],
    ['SHA-256, 1 KiB', ['digest', '1024'], AHEAD],
    ['SHA-256, 1 MiB', ['digest', String(1 << 20)], AHEAD],
    ['SHA-256, 64 MiB', ['digest', String(64 << 20)], AHEAD],
  ] as const
).map(([name, words, goals]) => ({ group: 'In Node', name, words, unit: 'time', goals }))
