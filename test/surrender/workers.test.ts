import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { after, test } from 'node:test'
import { CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { endWarmWorkers, lengthily } from '../../src/surrender/workers.ts'

after(endWarmWorkers)

const small = { bits: 1024, publicExponent: Uint8Array.of(1, 0, 1) }
const endless = { bits: 16384, publicExponent: Uint8Array.of(1, 0, 1) }

/** Processes that this process started and that are still alive. */
const children = () =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean)

const rejectsWith = (rv: number) => (error: unknown) =>
  error instanceof CryptokiError && error.rv === rv
const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

test('a worker makes a key pair, and the next one is made by the same worker', async () => {
  const { n } = await lengthily('generateRsaKeyPair', small, new Surrender())
  assert.equal(n.length, 128)
  const first = children()
  await lengthily('generateRsaKeyPair', small, new Surrender())
  assert.deepEqual(children(), first)
  assert.equal(first.length, 1)
})

test('CKR_CANCEL kills the worker, and the next work gets a new one', async () => {
  let calls = 0
  const surrender = new Surrender({
    interval: 10,
    notify: () => (++calls === 5 ? CKR.CANCEL : CKR.OK),
  })
  const before = children()
  await assert.rejects(
    lengthily('generateRsaKeyPair', endless, surrender),
    rejectsWith(CKR.FUNCTION_CANCELED),
  )
  assert.equal(calls, 5)
  for (let wait = 0; wait < 100 && children().some((pid) => before.includes(pid)); wait++)
    await sleep(10)
  assert.ok(!children().some((pid) => before.includes(pid)), 'the worker is alive')
  await lengthily('generateRsaKeyPair', small, new Surrender())
})

test('more work than workers waits its turn and can be cancelled while it waits', async () => {
  const stop = new AbortController()
  const busy = Array.from({ length: 2 * Math.max(8, availableParallelism()) }, () =>
    lengthily('generateRsaKeyPair', endless, new Surrender({ signals: [stop.signal] })),
  )
  const surrender = new Surrender({ interval: 5, notify: () => CKR.CANCEL })
  await assert.rejects(
    lengthily('generateRsaKeyPair', small, surrender),
    rejectsWith(CKR.FUNCTION_CANCELED),
  )
  const free = lengthily('generateRsaKeyPair', small, new Surrender())
  stop.abort()
  const results = await Promise.allSettled(busy)
  assert.ok(results.every(({ status }) => status === 'rejected'))
  await free
})

test('an error of the work carries its return value', async () => {
  const wrong = { bits: 1024, publicExponent: Uint8Array.of(2) }
  await assert.rejects(
    lengthily('generateRsaKeyPair', wrong, new Surrender()),
    (error) => error instanceof CryptokiError,
  )
})
