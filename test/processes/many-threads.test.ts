import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile, modulePath, PIN, report, startToken } from '../service.ts'

const THREADS = 64
const SHARED = 4

interface Left {
  readonly data: number
  readonly keys: number
  readonly callbacks: number
  /** The application's mutexes: made, not destroyed, and whether any was taken. */
  readonly mutexes: number
  readonly left: number
  readonly used: number
}

const source = join(import.meta.dirname, 'many-threads.c')

for (const mutexes of ['system', 'application'])
  for (const sessions of ['own', 'shared'])
    test(`${THREADS} threads work at once, in ${sessions} sessions, with mutexes of the ${mutexes}`, async (t) => {
      // With the interval 0 every function on data calls back.
      const service = await startToken(t, { SOFTOKI_SURRENDER_MS: '0' })
      const args = [modulePath(), PIN, sessions, mutexes]
      const left = await report<Left>(compile(t, source), args, service.environment)
      t.diagnostic(`${left.callbacks} callbacks`)
      assert.equal(left.data, THREADS)
      assert.equal(left.keys, sessions === 'own' ? THREADS : THREADS + SHARED)
      assert.ok(left.callbacks > THREADS, `${left.callbacks} callbacks`)
      assert.equal(left.left, 0)
      assert.equal(left.used, mutexes === 'application' ? 1 : 0)
      assert.equal(left.mutexes > 0, mutexes === 'application')
    })
