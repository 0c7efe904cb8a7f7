import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { becomes, clientsOf } from '../processes/observing.ts'
import { childrenOf, compile, modulePath, PIN, run, start, startToken } from '../service.ts'

test('a program is killed whose callback never returns, and nothing of it stays in the service', async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'stuck.c'))
  const environment = { ...service.environment, SOFTOKI_SURRENDER_MS: '0' }
  const works = async () => {
    const ended = await run(program, [modulePath(), PIN, 'works'], environment)
    assert.deepEqual(ended, { status: 0, signal: null, stdout: 'others work\n', stderr: '' })
  }
  for (const what of ['rsa', 'slh-dsa', 'digest', 'encrypt', 'random'])
    await t.test(what, async (t) => {
      const stuck = start(t, program, [modulePath(), PIN, what], environment)
      await stuck.printed('stuck\nothers work\n')
      await works()
      assert.ok(
        await becomes(() => clientsOf(service.pid) === 1),
        'the other program’s connection stays',
      )
      stuck.child.kill('SIGKILL')
      assert.equal((await stuck.end()).signal, 'SIGKILL')
      assert.ok(await becomes(() => clientsOf(service.pid) === 0), 'its connection stays')
      assert.ok(await becomes(() => childrenOf(service.pid).length === 0), 'its work goes on')
      await works()
    })
})
