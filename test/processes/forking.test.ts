import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { childrenOf, compile, isAlive, modulePath, PIN, start, startToken } from '../service.ts'
import { becomes, clientsOf } from './observing.ts'

const CASES = {
  amidst: 'children forked amid calls of other threads, and their children, begin afresh',
  'at-once': 'eight threads fork at once, and the children end by exit and by _exit',
  spawn: 'vfork and posix_spawn do no harm to calls of other threads',
}

/** A child has the memory of its parent's other threads, which nobody frees there. */
const NO_LEAKS = { ASAN_OPTIONS: 'detect_leaks=0' }

test('forked children leave the calls of their parent alone', async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'forking.c'))
  const forking = (t: TestContext, how: string) =>
    start(t, program, [modulePath(), PIN, how], { ...service.environment, ...NO_LEAKS })

  for (const [how, what] of Object.entries(CASES))
    await t.test(what, async (t) => {
      const { status, signal, stdout, stderr } = await forking(t, how).end()
      assert.equal(status, 0, `${signal} ${stdout}${stderr}`)
      assert.ok(await becomes(() => clientsOf(service.pid) === 0), 'a connection stays')
      assert.deepEqual(childrenOf(service.pid), [])
    })

  await t.test('a program that is killed leaves nothing while its child lives on', async (t) => {
    const running = forking(t, 'outlive')
    const child = Number(await running.matched(/child=(\d+)/))
    t.after(() => isAlive(child) && process.kill(child, 'SIGKILL'))
    assert.equal(clientsOf(service.pid), 1)
    assert.equal(childrenOf(service.pid).length, 1)
    running.child.kill('SIGKILL')
    assert.ok(await becomes(() => clientsOf(service.pid) === 0), 'its connection stays')
    assert.ok(await becomes(() => childrenOf(service.pid).length === 0), 'its work goes on')
    assert.ok(isAlive(child))
  })
})
