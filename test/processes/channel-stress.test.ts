import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  compile,
  modulePath,
  PIN,
  resultOf,
  type Service,
  start,
  startToken,
  tool,
} from '../service.ts'
import { becomes, clientsOf } from './observing.ts'

/** How long the threads work, in milliseconds. */
const WORKS = '1000'

interface Left {
  readonly shared: number
  readonly claimed: number
  readonly rounds: number
  readonly cancelled: number
}

/** Six threads work; `before` is a program, and its words, that runs theirs. */
async function stress(
  t: TestContext,
  service: Service,
  before: string[],
  meanwhile = async () => {},
) {
  const program = compile(t, join(import.meta.dirname, 'channel-stress.c'))
  const [file = program, ...words] = [...before, program]
  const args = [...words, modulePath(), PIN, WORKS]
  const running = start(t, file, args, service.environment)
  await running.printed('begun')
  await meanwhile()
  const left = resultOf<Left>(await running.end())
  t.diagnostic(`${left.rounds} rounds, ${left.cancelled} of them cancelled`)
  assert.equal(left.shared, 1)
  assert.equal(left.claimed, 0)
  assert.ok(left.rounds > left.cancelled && left.cancelled > 0)
  assert.ok(await becomes(() => clientsOf(service.pid) === 0), 'a connection stays')
}

/** With the interval 0 there is a callback, and so a moment to cancel, at every step. */
const startSurrendering = (t: TestContext) => startToken(t, { SOFTOKI_SURRENDER_MS: '0' })

test('threads that send, get and cancel have their own bytes, and leave no slot claimed', async (t) => {
  await stress(t, await startSurrendering(t), [])
})

test('so they do on one processor', async (t) => {
  const taskset = tool(t, 'taskset')
  if (taskset !== undefined) await stress(t, await startSurrendering(t), [taskset, '-c', '0'])
})

test('and with a service that is stopped now and then', async (t) => {
  const service = await startSurrendering(t)
  await stress(t, service, [], async () => {
    for (let times = 0; times < 15; times++) {
      process.kill(service.pid, 'SIGSTOP')
      await sleep(20)
      process.kill(service.pid, 'SIGCONT')
      await sleep(times * 4)
    }
  })
})

test('and beside a program that was stopped amid its calls, and is killed then', async (t) => {
  const service = await startSurrendering(t)
  const program = compile(t, join(import.meta.dirname, 'channel-stress.c'))
  const stopped = start(t, program, [modulePath(), PIN, '60000'], service.environment)
  await stopped.printed('begun')
  await sleep(300)
  stopped.child.kill('SIGSTOP')
  await stress(t, service, [], async () => {
    await sleep(700)
    stopped.child.kill('SIGKILL')
  })
})
