import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile, modulePath, PIN, report, startToken } from '../service.ts'

test('a C program gets one-time passwords with pointers into its own buffer, and cancels', async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'otp.c'))
  const environment = { ...service.environment, SOFTOKI_SURRENDER_MS: '0' }
  assert.deepEqual(await report(program, [modulePath(), PIN], environment), { done: true })
})
