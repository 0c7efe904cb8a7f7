import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CKR } from '../../src/standard/constants.ts'
import { compiled, modulePath, sanitize } from '../module/programs.ts'
import { becomes, clientsOf } from '../processes/observing.ts'
import { childrenOf, PIN, report, resultOf, start, startToken } from '../service.ts'

/** A service where every function is pending that has to be waited for at all, and the program on it. */
async function program(t: TestContext) {
  const service = await startToken(t, { SOFTOKI_SURRENDER_MS: '0' })
  const file = compiled({ file: join(import.meta.dirname, 'data.c'), name: 'pending-data' })
  return { service, file }
}

const WAYS: readonly (readonly [what: string, does: string])[] = [
  ['encrypt', 'gets 64 MiB of ciphertext into its buffer'],
  ['random', 'gets 80 MiB of random bytes into its buffer'],
  ['cancel', 'takes its memory back once C_SessionCancel has answered'],
  ['close', 'takes its memory back once the session was closed, or its user logged out'],
  ['finalize', 'takes its memory back once C_Finalize has answered'],
  ['threads', 'works in other threads and sessions meanwhile'],
  ['many', 'has 200 functions pending at once'],
  ['alone', 'allows no threads and waits for each function'],
  ['fork', 'forks meanwhile'],
  ['leave', 'ends meanwhile'],
  // A module that was unloaded does not go where the sanitizer's own library stays.
  ...(sanitize ? [] : [['unload', 'unloads the module meanwhile'] as const]),
]

for (const [what, does] of WAYS)
  test(`a program whose long data is worked on in the background ${does}`, async (t) => {
    const { service, file } = await program(t)
    const args = [modulePath(), PIN, what]
    assert.deepEqual(await report(file, args, service.environment), { done: true })
    assert.ok(await becomes(() => clientsOf(service.pid) === 0), 'a connection stays')
    assert.ok(await becomes(() => childrenOf(service.pid).length === 0), 'its work goes on')
  })

test('a program whose long data is worked on in the background is told when the service dies', async (t) => {
  const { service, file } = await program(t)
  const running = start(t, file, [modulePath(), PIN, 'wait'], service.environment)
  await running.printed('pending')
  await service.kill9()
  assert.deepEqual(resultOf(await running.end()), { answered: CKR.FUNCTION_FAILED, done: true })
})
