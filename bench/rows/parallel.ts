/** Many at once: threads of one application, and applications. */
import type { Goal, Row } from '../results.ts'

const KEYS = [
  ['P-256', 'p-256'],
  ['RSA-2048', 'rsa-2048'],
] as const

/** The issue asks for two threads and RSA: ahead of everybody. */
const EVERYBODY: readonly Goal[] = [{ ofEveryPeer: true, atMost: 1 }]

const threads: readonly Row[] = KEYS.flatMap(([name, key]) =>
  [1, 2, 8, 64].map((count) => ({
    group: 'Threads: signatures a second, all together',
    name: `${name}, ${count} ${count === 1 ? 'thread' : 'threads'}`,
    words: ['threads', key, String(count)],
    unit: 'rate' as const,
    goals: key === 'rsa-2048' && count === 2 ? EVERYBODY : [],
  })),
)

const applications: readonly Row[] = [1, 2, 4, 8, 16, 32].map((count) => ({
  group: 'Applications: P-256 signatures a second, all together',
  name: `${count} ${count === 1 ? 'application' : 'applications'}`,
  words: ['applications', 'p-256', String(count)],
  unit: 'rate',
}))

export const parallel: readonly Row[] = [...threads, ...applications]
