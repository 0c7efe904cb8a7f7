import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CKR } from '../../src/standard/constants.ts'
import { childrenOf, compile, modulePath, PIN, resultOf, start, startToken } from '../service.ts'
import { becomes, clientsOf } from './observing.ts'

interface Stopped {
  readonly rvs: readonly number[]
  /** Objects of the token afterwards. */
  readonly left: number
}

const CASES = {
  generate: 'inside C_GenerateKeyPair',
  'generate-watched': 'inside C_GenerateKeyPair with a callback',
  digest: 'inside C_Digest over 512 MiB',
  'digest-watched': 'inside C_Digest over 512 MiB with a callback',
  queue: 'waiting for a session in which another runs',
  calls: 'making one short call after the other',
}

const LEGAL: readonly number[] = [CKR.FUNCTION_CANCELED, CKR.CRYPTOKI_NOT_INITIALIZED]

test('C_Finalize stops the calls of other threads, and C_Initialize works right away', async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'finalizing.c'))
  for (const [words, where] of Object.entries(CASES))
    await t.test(`of threads that are ${where}`, async (t) => {
      const running = start(t, program, [modulePath(), PIN, words], service.environment)
      await running.printed('ended')
      assert.ok(await becomes(() => childrenOf(service.pid).length === 0), 'a worker goes on')
      assert.ok(await becomes(() => clientsOf(service.pid) === 0), 'a connection is left')
      const { rvs, left } = resultOf<Stopped>(await running.end())
      for (const rv of rvs) assert.ok(LEGAL.includes(rv), `a call answered 0x${rv.toString(16)}`)
      assert.equal(left, 0)
    })
})
