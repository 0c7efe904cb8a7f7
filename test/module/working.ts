/** A fake service whose C_GenerateKey surrenders as a test says. */
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CKR } from '../../src/standard/constants.ts'
import {
  type Call,
  type FakeService,
  fakeService,
  SURRENDER,
  type Surrendered,
  surrender,
  u64,
} from './fake-service.ts'
import { withAnswers } from './usual-answers.ts'

export interface Work {
  readonly surrenders: readonly Surrendered[]
  /** Milliseconds ahead of each surrender and of the answer. */
  readonly pause?: number
  /** Goes on after CKR_CANCEL, until the program ends. */
  readonly deaf?: boolean
}

async function work(call: Call, { surrenders, pause = 0, deaf = false }: Work): Promise<void> {
  for (const told of surrenders) {
    await sleep(pause)
    const answer = await call.ask(SURRENDER, ...surrender(call.u64(0), told))
    const cancelled = Number(answer.values.readBigUInt64BE()) === CKR.CANCEL
    if (cancelled && !deaf) return call.fail(CKR.FUNCTION_CANCELED)
  }
  await sleep(pause)
  call.answer('u', u64(77))
}

/** The service, which ends with the test. */
export async function working(t: TestContext, works: Work): Promise<FakeService> {
  const service = await fakeService(withAnswers({ C_GenerateKey: (call) => work(call, works) }))
  t.after(() => service.close())
  return service
}
