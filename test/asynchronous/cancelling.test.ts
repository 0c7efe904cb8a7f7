import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CKR } from '../../src/standard/constants.ts'
import { compile, modulePath, PIN, report, startToken } from '../service.ts'

type Ended = readonly [rv: number, milliseconds: number]

interface Told {
  readonly generate: Ended
  readonly digest: Ended
  readonly sign: Ended
  readonly found: number
  readonly callbacks: number
}

test('C_SessionCancel stops what runs in another thread, and from inside a callback changes nothing', async (t) => {
  const { environment } = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'cancelling.c'))
  const { found, callbacks, ...ended } = await report<Told>(
    program,
    [modulePath(), PIN],
    environment,
  )
  for (const [name, [rv, milliseconds]] of Object.entries(ended)) {
    t.diagnostic(`${name} ended ${milliseconds} ms after C_SessionCancel`)
    assert.equal(rv, CKR.FUNCTION_CANCELED, name)
  }
  assert.equal(found, 0)
  assert.ok(callbacks > 0)
})
