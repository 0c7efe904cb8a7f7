import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CKR } from '../../src/standard/constants.ts'
import {
  childrenOf,
  compile,
  isAlive,
  modulePath,
  PIN,
  report,
  resultOf,
  servicesOf,
  start,
  startToken,
} from '../service.ts'

const source = join(import.meta.dirname, 'kill.c')
const KINDS = ['data', 'secret', 'generated']
const TIMES = 50

test('a token object is there after kill -9 of the service right after CKR_OK, fifty times', async (t) => {
  const service = await startToken(t)
  const program = compile(t, source)
  const args = [modulePath(), PIN]
  for (let i = 0; i < TIMES; i++) {
    const kind = KINDS[i % KINDS.length] as string
    await report(
      program,
      [...args, 'store', kind, `kept ${i}`, `${service.pid}`],
      service.environment,
    )
    await service.restart()
  }
  const counted = await report(
    program,
    [...args, 'count', 'kept ', `${TIMES}`],
    service.environment,
  )
  assert.deepEqual(counted, { there: TIMES, all: TIMES })
})

/** Waits for the end of processes that are about to end. */
async function gone(pids: Iterable<number>): Promise<boolean> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (![...pids].some(isAlive)) return true
    await sleep(20)
  }
  return false
}

interface Cut {
  readonly rv: number
  readonly next: number
  readonly callbacks: number
  readonly left: number
}

// The first callback comes while the worker process is still starting.
for (const at of [1, 5])
  test(`a service killed at callback ${at} of C_GenerateKeyPair takes its workers along, and C_Initialize starts another`, async (t) => {
    const service = await startToken(t)
    const killed = service.pid
    const args = [modulePath(), PIN, 'generate', `${at}`, `${killed}`]
    const program = start(t, compile(t, source), args, service.environment)
    const workers = new Set<number>()
    while (isAlive(killed) && program.child.exitCode === null) {
      for (const child of childrenOf(killed)) workers.add(child)
      await sleep(5)
    }
    t.after(() => [...workers].filter(isAlive).map((pid) => process.kill(pid, 'SIGKILL')))

    const { rv, next, callbacks, left } = resultOf<Cut>(await program.end())
    const removed: number[] = [CKR.DEVICE_REMOVED, CKR.DEVICE_ERROR]
    assert.ok(removed.includes(rv), `C_GenerateKeyPair answered 0x${rv.toString(16)}`)
    assert.ok(removed.includes(next), `C_GenerateRandom answered 0x${next.toString(16)}`)
    assert.equal(callbacks, at)
    assert.equal(left, 0)

    assert.ok(workers.size > 0, 'the key pair was generated in a process of its own')
    assert.ok(await gone(workers), 'a worker outlived its service')
    const [started, ...others] = servicesOf(service.home)
    assert.ok(started !== undefined && started !== killed, 'no service was started')
    assert.deepEqual(others, [])
  })
