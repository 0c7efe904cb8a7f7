import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile, modulePath, PIN, report, startToken } from '../service.ts'

interface Mappings {
  readonly initialized: number
  readonly child: number
  readonly finalized: number
}

const source = join(import.meta.dirname, 'channel.c')

test('a program shares memory with the service from C_Initialize to C_Finalize, its child does not', async (t) => {
  const { environment } = await startToken(t)
  const found = await report<Mappings>(compile(t, source), [modulePath(), PIN], environment)
  assert.deepEqual(found, { initialized: 1, child: 0, finalized: 0 })
})

test('SOFTOKI_SHARED_MEMORY=0 has the socket alone, by which everything works as well', async (t) => {
  const { environment } = await startToken(t)
  const found = await report<Mappings>(compile(t, source), [modulePath(), PIN], {
    ...environment,
    SOFTOKI_SHARED_MEMORY: '0',
  })
  assert.deepEqual(found, { initialized: 0, child: 0, finalized: 0 })
})

test('so does a program that has no descriptor left to get the memory by', async (t) => {
  const { environment } = await startToken(t)
  const args = [modulePath(), PIN, 'few']
  const found = await report<Mappings>(compile(t, source), args, environment)
  assert.deepEqual(found, { initialized: 0, child: 0, finalized: 0 })
})
