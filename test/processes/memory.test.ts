import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sanitize } from '../module/programs.ts'
import { compile, modulePath, PIN, report, startToken } from '../service.ts'

/** What C programs print: the most memory they ever had, in KiB. */
interface Told {
  readonly most: number
}

const source = join(import.meta.dirname, 'memory.c')

const MIB = 1024

/** KiB that a process has now (VmRSS), or had at most (VmHWM). */
function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  )
  return Number(found?.[1])
}

test('a service with 1,000 token objects and ten logins takes less than 120 MiB', async (t) => {
  const service = await startToken(t)
  const program = compile(t, source)
  await report<Told>(program, [modulePath(), PIN, 'objects', '1000'], service.environment)
  // The first service in a new clone holds the compiler of types as well.
  await service.restart()
  for (let logins = 0; logins < 10; logins++)
    await report<Told>(program, [modulePath(), PIN, 'calls', '16'], service.environment)
  const took = memoryOf(service.pid, 'VmRSS') / MIB
  t.diagnostic(`${took.toFixed(0)} MiB`)
  assert.ok(took < 120, `${took} MiB`)
})

test('60,000 more calls of all sorts leave a service as large as it was', async (t) => {
  const service = await startToken(t)
  const program = compile(t, source)
  const call = (calls: string) =>
    report<Told>(program, [modulePath(), PIN, 'calls', calls], service.environment)
  const { most } = await call('60000')
  const before = memoryOf(service.pid, 'VmRSS')
  const { most: after } = await call('60000')
  const grown = (memoryOf(service.pid, 'VmRSS') - before) / MIB
  t.diagnostic(`the service grew by ${grown.toFixed(1)} MiB`)
  assert.ok(grown < 30, `the service grew by ${grown} MiB`)
  // A sanitizer keeps what a program has freed.
  if (sanitize) return
  const { most: few } = await call('16')
  assert.ok(Math.max(most, after) - few < 2 * MIB, `the program took ${after}, for few ${few} KiB`)
})

/** Bytes of one call. */
const LENGTH = 256 << 20

for (const what of ['digest', 'cbc', 'ctr', 'gcm', 'open'])
  test(`${what} of 256 MiB in one call takes less than three times that, everywhere together`, async (t) => {
    const service = await startToken(t)
    const { most } = await report<Told>(
      compile(t, source),
      [modulePath(), PIN, 'data', String(LENGTH), what],
      service.environment,
    )
    const taken = (most + memoryOf(service.pid, 'VmHWM')) * 1024
    const idle = 120 * MIB * 1024
    t.diagnostic(`${((taken - idle) / LENGTH).toFixed(2)} times`)
    assert.ok(taken < 3 * LENGTH + idle, `${taken} bytes`)
  })
