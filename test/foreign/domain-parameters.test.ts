import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile, modulePath, PIN, report, startToken } from '../service.ts'

test('a C program gets its seed back, cancels a generation, and wraps with nested parameters', async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'domain-parameters.c'))
  assert.deepEqual(await report(program, [modulePath(), PIN], service.environment), { done: true })
})
