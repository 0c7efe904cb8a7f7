import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CKR } from '../../src/standard/constants.ts'
import { bytes, type Call, fakeService } from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { usual, withAnswers } from './usual-answers.ts'

/** Answers later, and not in the order of the calls. */
function shuffled(answer: (call: Call) => void) {
  const waiting: Call[] = []
  return (call: Call) => {
    waiting.push(call)
    setImmediate(() => {
      const at = Math.floor(Math.random() * waiting.length)
      const [chosen] = waiting.splice(at, 1)
      if (chosen !== undefined) answer(chosen)
    })
  }
}

test('sixteen threads call at once and each gets its own answers', async (t) => {
  let waiting: Call | undefined
  const service = await fakeService(
    withAnswers({
      C_GetMechanismInfo: shuffled(usual),
      C_GenerateRandom: shuffled((call) =>
        call.answer('g', bytes(Buffer.alloc(call.u64(8), call.u64(0)))),
      ),
      C_DigestUpdate: shuffled((call) => call.fail(CKR.DATA_LEN_RANGE)),
      C_WaitForSlotEvent: (call) => {
        waiting = call
      },
      C_Finalize: (call) => {
        waiting?.fail(CKR.CRYPTOKI_NOT_INITIALIZED)
        call.answer('')
      },
    }),
  )
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'threads.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.equal(service.connections().all, 3)
})

test('a call that waits is released even where the service does not do so', async (t) => {
  const service = await fakeService(
    withAnswers({
      C_WaitForSlotEvent: () => {},
      C_GenerateRandom: (call) => call.answer('g', bytes(Buffer.alloc(call.u64(8), call.u64(0)))),
      C_DigestUpdate: (call) => call.fail(CKR.DATA_LEN_RANGE),
    }),
  )
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'threads.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
})
