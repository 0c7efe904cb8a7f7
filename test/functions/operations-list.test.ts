import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Library } from '../../src/cryptoki.ts'
import { STEP } from '../../src/sessions/operation.ts'
import type { InputsOf } from '../../src/standard/calls.ts'
import { CKF, CKK, CKM } from '../../src/standard/constants.ts'
import { answers, openToken, PIN, template } from '../in-process.ts'

const ASYNC = CKF.SERIAL_SESSION | CKF.RW_SESSION | CKF.ASYNC_SESSION
const GENERATE = 'C_GenerateKeyPair'

const pair = (session: number, bits: number): InputsOf<'C_GenerateKeyPair'> => [
  session,
  { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
  template({ MODULUS_BITS: bits, TOKEN: true }),
  template({ TOKEN: true }),
]

/** A token, and a function that is pending in a session with it. */
async function pending(t: TestContext, bits = 16384) {
  const opened = await openToken(t, 0)
  const begin = async () => {
    const session = await opened.call('C_OpenSession', [0, ASYNC, false])
    await assert.rejects(opened.call(GENERATE, pair(session, bits)), answers('PENDING'))
    return session
  }
  return { ...opened, begin, pending: await begin() }
}

/** Waits until the first of the operations is in a state. */
async function becomes(list: () => Promise<readonly { state: string }[]>, state: string) {
  while ((await list())[0]?.state !== state) await new Promise((go) => setTimeout(go, 5))
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((go) => setTimeout(go, 5))
}

/** The operations, and whether they tell progress. */
const listed = async (library: Library) =>
  (await library.operations()).map(({ progress, ...view }) => ({
    ...view,
    progress: progress !== undefined,
  }))

const progressOf = async (library: Library) => (await library.operations())[0]?.progress

const complete = (session: number) => [session, GENERATE, true] as const

test('a pending function is listed with its program, and under the id that C_AsyncGetID answers', async (t) => {
  const { library, call, pending: session } = await pending(t)
  const before = Date.now()
  const [only, ...others] = await library.operations()
  assert.deepEqual(others, [])
  assert.ok(only && only.begun <= before && only.begun > before - 60_000)
  const { id, begun: _, progress: __, ...told } = only
  const expected = { name: GENERATE, slot: 0, token: 'test', program: 'test' }
  assert.deepEqual(told, { ...expected, state: 'working', kept: false })
  assert.equal(await call('C_AsyncGetID', [session, GENERATE]), id)
  assert.deepEqual(await listed(library), [{ ...only, kept: true, progress: true }])
  await call('C_CloseSession', [session])
  assert.deepEqual(await listed(library), [{ ...only, program: '', kept: true, progress: true }])
})

test('one that works tells how long it has and what was usual, kept or not, and one that is done nothing', async (t) => {
  const opened = await openToken(t, 0)
  const { call, library } = opened
  await call(GENERATE, pair(opened.session, 1024))
  const session = await call('C_OpenSession', [0, ASYNC, false])
  await assert.rejects(call(GENERATE, pair(session, 16384)), answers('PENDING'))
  const first = await progressOf(library)
  assert.ok(first && first.elapsed >= 0 && first.elapsed < 60_000)
  assert.deepEqual([first.done, first.usual], [undefined, undefined])
  const id = await call('C_AsyncGetID', [session, GENERATE])
  const kept = await progressOf(library)
  assert.ok(kept && kept.elapsed >= first.elapsed)
  await call('C_CloseSession', [session])
  const left = await progressOf(library)
  assert.ok(left && left.elapsed >= kept.elapsed)
  const joining = await call('C_OpenSession', [0, ASYNC, false])
  await call('C_AsyncJoin', [joining, GENERATE, id, null])
  const joined = await progressOf(library)
  assert.ok(joined && joined.elapsed >= left.elapsed, 'the time of the work, not of the joining')
  await call('C_SessionCancel', [joining, CKF.GENERATE_KEY_PAIR])
  const other = await call('C_OpenSession', [0, ASYNC, false])
  await assert.rejects(call(GENERATE, pair(other, 1024)), answers('PENDING'))
  const usual = (await progressOf(library))?.usual
  assert.ok(usual !== undefined && usual > 0 && usual < 60_000, `${usual} ms`)
  await becomes(() => library.operations(), 'done')
  assert.equal(await progressOf(library), undefined)
})

test('one over data tells the fraction done', async (t) => {
  const { call, library } = await openToken(t, 0)
  const session = await call('C_OpenSession', [0, ASYNC, false])
  await call('C_DigestInit', [session, { type: CKM.SHA256, parameter: null }])
  const half = Promise.withResolvers<void>()
  const read = async (offset: number, length: number) => {
    if (offset === 2 * STEP) await half.promise
    return Buffer.alloc(length)
  }
  const long = { length: 4 * STEP, passing: false, read }
  await assert.rejects(call('C_Digest', [session, long, 32]), answers('PENDING'))
  await until(async () => (await progressOf(library))?.done === 0.25)
  half.resolve()
  await becomes(() => library.operations(), 'done')
})

test('what is cancelled from outside answers CKR_FUNCTION_CANCELED in its session, once', async (t) => {
  const { library, call, pending: session } = await pending(t)
  const id = (await library.operations())[0]?.id as number
  assert.equal(await library.cancelOperation(id + 1), false)
  assert.equal(await library.cancelOperation(id), true)
  assert.deepEqual(await library.operations(), [])
  assert.equal(await library.cancelOperation(id), false)
  for (;;) {
    const [asked] = await Promise.allSettled([call('C_AsyncComplete', [...complete(session)])])
    assert.equal(asked.status, 'rejected')
    if (!String(asked.reason).includes('CKR_PENDING')) {
      assert.match(String(asked.reason), /CKR_FUNCTION_CANCELED/)
      break
    }
  }
  await assert.rejects(
    call('C_AsyncComplete', [...complete(session)]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('one that is done is listed so, and is cancelled all the same', async (t) => {
  const { library, call, pending: session } = await pending(t, 1024)
  await becomes(() => library.operations(), 'done')
  const id = await call('C_AsyncGetID', [session, GENERATE])
  assert.equal(await library.cancelOperation(id), true)
  await assert.rejects(
    call('C_AsyncComplete', [...complete(session)]),
    answers('FUNCTION_CANCELED'),
  )
  assert.deepEqual(await library.operations(), [])
  await call('C_FindObjectsInit', [session, template({ KEY_TYPE: CKK.RSA })])
  assert.deepEqual(await call('C_FindObjects', [session, 10]), [])
})

test('a kept one is interrupted when the library closes, and can be cancelled at rest', async (t) => {
  const { call, pending: session, restart } = await pending(t)
  const id = await call('C_AsyncGetID', [session, GENERATE])
  const { library, call: again, session: plain } = await restart()
  await again('C_Login', [plain, 1, PIN])
  const [only] = await library.operations()
  assert.equal(only?.id, id)
  assert.deepEqual([only?.state, only?.kept, only?.program], ['interrupted', true, ''])
  assert.equal(await library.cancelOperation(id), true)
  assert.deepEqual(await library.operations(), [])
  await assert.rejects(
    again('C_AsyncJoin', [plain, GENERATE, id, null]),
    answers('SAVED_STATE_INVALID'),
  )
})

test('what is too old is dropped, but not from under a session', async (t) => {
  const { library, call, pending: session, begin } = await pending(t)
  const other = await begin()
  const kept = await call('C_AsyncGetID', [session, GENERATE])
  await call('C_AsyncGetID', [other, GENERATE])
  await call('C_CloseSession', [other])
  await library.dropOldOperations(1)
  assert.equal((await library.operations()).length, 2)
  await new Promise((go) => setTimeout(go, 5))
  await library.dropOldOperations(0)
  assert.deepEqual(
    (await library.operations()).map(({ id }) => id),
    [kept],
  )
})
