import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeService } from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { usual } from './usual-answers.ts'

test('the module is loaded and unloaded a hundred times and leaves nothing behind', async (t) => {
  const service = await fakeService(usual)
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'load.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  await service.left()
  assert.equal(service.connections().all, 100)
})
