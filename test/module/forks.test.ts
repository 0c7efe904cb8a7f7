import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Call, fakeService, SURRENDER, surrender, u64 } from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { withAnswers } from './usual-answers.ts'

async function generateKey(call: Call): Promise<void> {
  for (let i = 0; i < 2; i++) await call.ask(SURRENDER, ...surrender(call.u64(0)))
  call.answer('u', u64(77))
}

test('a child is not initialized, may initialize, and leaves the connection of its parent alone', async (t) => {
  const service = await fakeService(withAnswers({ C_GenerateKey: generateKey }))
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'forks.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  const of = (name: string) => service.requests.filter((request) => request.name === name).length
  assert.equal(of('C_Initialize'), service.connections().all)
  assert.equal(of('C_Finalize'), of('C_Initialize'))
})
