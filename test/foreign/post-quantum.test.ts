import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile, modulePath, PIN, report, startToken } from '../service.ts'

test('a C program signs with ML-DSA and SLH-DSA, with every form of parameter, and cancels', async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'post-quantum.c'))
  assert.deepEqual(await report(program, [modulePath(), PIN], service.environment), { done: true })
})
