import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CKR } from '../../src/standard/constants.ts'
import { type Call, fakeService, SURRENDER, surrender, u64 } from './fake-service.ts'
import { compiled, P11_KIT, ran } from './programs.ts'
import { withAnswers } from './usual-answers.ts'

/** Surrenders three times, then answers with a key. */
async function generateKey(call: Call): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const answer = await call.ask(SURRENDER, ...surrender(call.u64(0)))
    assert.equal(answer.signature, 'u')
    const rv = Number(answer.values.readBigUInt64BE())
    if (rv === CKR.CANCEL) return call.fail(CKR.FUNCTION_CANCELED)
    assert.equal(rv, CKR.OK)
  }
  call.answer('u', u64(77))
}

async function surrenders(t: TestContext, include?: string): Promise<void> {
  const service = await fakeService(withAnswers({ C_GenerateKey: generateKey }))
  t.after(() => service.close())
  const name = include === undefined ? 'surrender' : 'surrender-p11-kit'
  const program = compiled({ file: 'surrender.c', name, ...(include && { include }) })
  const { code, stderr } = await ran(program, service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
}

test('the callback runs in the thread of the call, with its arguments, holding no lock', (t) =>
  surrenders(t))

test('it does so for a program that was compiled with p11-kit’s header', async (t) => {
  if (P11_KIT === undefined) return t.diagnostic('p11-kit’s header is not installed')
  await surrenders(t, P11_KIT)
})
