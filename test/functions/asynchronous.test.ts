import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FunctionName, InputsOf } from '../../src/standard/calls.ts'
import { CKF, CKM, CKO } from '../../src/standard/constants.ts'
import { CryptokiError, nameOfReturnValue } from '../../src/standard/error.ts'
import { answers, bytes, data, type Opened, openToken, PIN, template } from '../in-process.ts'

const none = (type: number) => ({ type, parameter: null })
const ASYNC = CKF.SERIAL_SESSION | CKF.RW_SESSION | CKF.ASYNC_SESSION

const pair = (session: number, bits: number, label: string): InputsOf<'C_GenerateKeyPair'> => [
  session,
  none(CKM.RSA_PKCS_KEY_PAIR_GEN),
  template({ MODULUS_BITS: bits, LABEL: label, TOKEN: true }),
  template({ LABEL: label, TOKEN: true }),
]

/** A token, and an asynchronous session with it; what takes any time at all is pending. */
async function asynchronous(t: TestContext, interval = 0) {
  const opened = await openToken(t, interval)
  const session = await opened.call('C_OpenSession', [0, ASYNC, false])
  return { ...opened, session, plain: opened.session }
}

const GENERATE = 'C_GenerateKeyPair'

/** Asks again and again until the function is no longer pending. */
async function completed({ call }: Pick<Opened, 'call'>, session: number, name: FunctionName) {
  for (;;) {
    try {
      return await call('C_AsyncComplete', [session, name, true])
    } catch (error) {
      if (!(error instanceof CryptokiError) || nameOfReturnValue(error.rv) !== 'CKR_PENDING')
        throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

async function found({ call }: Pick<Opened, 'call'>, session: number, label: string) {
  await call('C_FindObjectsInit', [session, template({ LABEL: label })])
  const handles = await call('C_FindObjects', [session, 100])
  await call('C_FindObjectsFinal', [session])
  return handles
}

test('C_GenerateKeyPair is pending, and C_AsyncComplete gets both handles', async (t) => {
  const { call, session, plain } = await asynchronous(t)
  assert.equal((await call('C_GetSessionInfo', [session])).flags, ASYNC)
  await assert.rejects(call(GENERATE, pair(session, 2048, 'two')), answers('PENDING'))
  assert.equal((await found({ call }, plain, 'two')).length, 0)
  const { value, objects } = await completed({ call }, session, GENERATE)
  assert.equal(value, null)
  assert.equal(objects.length, 2)
  assert.deepEqual((await found({ call }, plain, 'two')).toSorted(), objects.toSorted())
  await assert.rejects(
    call('C_AsyncComplete', [session, GENERATE, true]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('what is short answers at once, also in an asynchronous session', async (t) => {
  const { call, session } = await asynchronous(t, 10_000)
  await call('C_DigestInit', [session, none(CKM.SHA256)])
  assert.equal(bytes(await call('C_Digest', [session, data('abc'), 32])).length, 32)
  assert.equal((await call(GENERATE, pair(session, 1024, 'short'))).length, 2)
})

test('no function is pending that only tells a length, or finds too small a buffer', async (t) => {
  const { call, session, plain } = await asynchronous(t)
  const [, key] = await call(GENERATE, pair(plain, 1024, 'signs'))
  await call('C_SignInit', [session, none(CKM.SHA256_RSA_PKCS), key])
  assert.deepEqual(await call('C_Sign', [session, data('x'), null]), { needed: 128 })
  assert.deepEqual(await call('C_Sign', [session, data('x'), 127]), { needed: 128 })
  await assert.rejects(call('C_Sign', [session, data('x'), 128]), answers('PENDING'))
  const { value, objects } = await completed({ call }, session, 'C_Sign')
  assert.equal(bytes(value).length, 128)
  assert.deepEqual(objects, [])
  await call('C_SignInit', [session, none(CKM.SHA256_RSA_PKCS), key])
})

test('while a function is pending the session does nothing else', async (t) => {
  const { call, session, plain } = await asynchronous(t)
  await assert.rejects(call(GENERATE, pair(session, 16384, 'long')), answers('PENDING'))
  const refused = <N extends FunctionName>(name: N, inputs: InputsOf<N>) =>
    assert.rejects(call(name, inputs), answers('OPERATION_ACTIVE'), name)
  await refused('C_DigestInit', [session, none(CKM.SHA256)])
  await refused('C_FindObjectsInit', [session, []])
  await refused('C_Logout', [session])
  await refused('C_AsyncJoin', [session, GENERATE, 1, null])
  await call('C_GetSessionInfo', [session])
  await call('C_DigestInit', [plain, none(CKM.SHA256)])
  const complete = (name: string) => call('C_AsyncComplete', [session, name, true])
  await assert.rejects(complete(GENERATE), answers('PENDING'))
  await assert.rejects(complete('C_Sign'), answers('OPERATION_NOT_INITIALIZED'))
  await assert.rejects(complete('C_Nothing'), answers('ARGUMENTS_BAD'))
  await assert.rejects(
    call('C_AsyncGetID', [session, 'C_Sign']),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await call('C_CloseSession', [session])
  assert.equal((await found({ call }, plain, 'long')).length, 0)
})

test('C_SessionCancel ends what is pending, done or not, and nothing is left', async (t) => {
  const { call, session, plain } = await asynchronous(t)
  await assert.rejects(call(GENERATE, pair(session, 16384, 'gone')), answers('PENDING'))
  await call('C_SessionCancel', [session, CKF.SIGN])
  await assert.rejects(call('C_AsyncComplete', [session, GENERATE, true]), answers('PENDING'))
  await call('C_SessionCancel', [session, CKF.GENERATE_KEY_PAIR])
  await assert.rejects(
    call('C_AsyncComplete', [session, GENERATE, true]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await assert.rejects(call(GENERATE, pair(session, 1024, 'gone')), answers('PENDING'))
  await new Promise((resolve) => setTimeout(resolve, 500))
  await call('C_SessionCancel', [session, CKF.GENERATE_KEY_PAIR])
  assert.equal((await found({ call }, plain, 'gone')).length, 0)
})

test('a result without a place for it is not lost', async (t) => {
  const { call, session } = await asynchronous(t)
  await assert.rejects(call(GENERATE, pair(session, 1024, 'kept')), answers('PENDING'))
  for (;;) {
    const [tried] = await Promise.allSettled([call('C_AsyncComplete', [session, GENERATE, false])])
    assert.equal(tried.status, 'rejected')
    if (String(tried.reason).includes('CKR_ARGUMENTS_BAD')) break
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal((await completed({ call }, session, GENERATE)).objects.length, 2)
})

test('an error comes from C_AsyncComplete and ends the operation', async (t) => {
  const { call, session, plain } = await asynchronous(t)
  const [, key] = await call(GENERATE, pair(plain, 1024, 'decrypts'))
  await call('C_DecryptInit', [session, none(CKM.RSA_X_509), key])
  const aboveModulus = data(Buffer.alloc(128, 0xff))
  await assert.rejects(call('C_Decrypt', [session, aboveModulus, 128]), answers('PENDING'))
  await assert.rejects(completed({ call }, session, 'C_Decrypt'), answers('ENCRYPTED_DATA_INVALID'))
  await assert.rejects(
    call('C_Decrypt', [session, aboveModulus, 128]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('an operation whose id was fetched outlives its session and its application', async (t) => {
  const first = await asynchronous(t)
  await assert.rejects(first.call(GENERATE, pair(first.session, 3072, 'kept')), answers('PENDING'))
  const id = await first.call('C_AsyncGetID', [first.session, GENERATE])
  assert.ok(id > 0)
  assert.equal(await first.call('C_AsyncGetID', [first.session, GENERATE]), id)
  await first.call('C_CloseAllSessions', [0])
  const second = await first.another()
  const session = await second.call('C_OpenSession', [0, ASYNC, false])
  const join = (name: string, of: number) => second.call('C_AsyncJoin', [session, name, of, null])
  await assert.rejects(join(GENERATE, id + 1), answers('SAVED_STATE_INVALID'))
  await assert.rejects(join('C_Sign', id), answers('SAVED_STATE_INVALID'))
  await assert.rejects(join('C_Nothing', id), answers('ARGUMENTS_BAD'))
  await join(GENERATE, id)
  const third = await second.call('C_OpenSession', [0, ASYNC, false])
  await assert.rejects(
    second.call('C_AsyncJoin', [third, GENERATE, id, null]),
    answers('SAVED_STATE_INVALID'),
  )
  const { objects } = await completed(second, session, GENERATE)
  assert.equal(objects.length, 2)
  assert.deepEqual((await found(second, session, 'kept')).toSorted(), objects.toSorted())
  await assert.rejects(join(GENERATE, id), answers('SAVED_STATE_INVALID'))
})

test('it outlives a restart of the library too: done it is there, interrupted it begins again', async (t) => {
  const opened = await asynchronous(t)
  const { call, session } = opened
  await assert.rejects(call(GENERATE, pair(session, 1024, 'done')), answers('PENDING'))
  const done = await call('C_AsyncGetID', [session, GENERATE])
  await new Promise((resolve) => setTimeout(resolve, 500))
  const other = await call('C_OpenSession', [0, ASYNC, false])
  await assert.rejects(call(GENERATE, pair(other, 4096, 'begun')), answers('PENDING'))
  const begun = await call('C_AsyncGetID', [other, GENERATE])
  const again = await opened.restart()
  await again.call('C_Login', [again.session, 1, PIN])
  for (const [id, label] of [
    [done, 'done'],
    [begun, 'begun'],
  ] as const) {
    const joined = await again.call('C_OpenSession', [0, ASYNC, false])
    await again.call('C_AsyncJoin', [joined, GENERATE, id, null])
    const { objects } = await completed(again, joined, GENERATE)
    assert.equal(objects.length, 2)
    assert.equal((await found(again, joined, label)).length, 2)
  }
})

test('only the user it belongs to joins it', async (t) => {
  const opened = await asynchronous(t)
  const { call, session } = opened
  await assert.rejects(call(GENERATE, pair(session, 2048, 'mine')), answers('PENDING'))
  const id = await call('C_AsyncGetID', [session, GENERATE])
  await call('C_CloseAllSessions', [0])
  const stranger = await call('C_OpenSession', [0, ASYNC, false])
  await assert.rejects(
    call('C_AsyncJoin', [stranger, GENERATE, id, null]),
    answers('SAVED_STATE_INVALID'),
  )
  await call('C_Login', [stranger, 1, PIN])
  await call('C_AsyncJoin', [stranger, GENERATE, id, null])
})

test('C_SessionCancel drops an operation whose id was fetched', async (t) => {
  const { call, session, plain } = await asynchronous(t)
  await assert.rejects(call(GENERATE, pair(session, 16384, 'mine')), answers('PENDING'))
  const id = await call('C_AsyncGetID', [session, GENERATE])
  await call('C_SessionCancel', [session, CKF.GENERATE_KEY_PAIR])
  await assert.rejects(
    call('C_AsyncJoin', [session, GENERATE, id, null]),
    answers('SAVED_STATE_INVALID'),
  )
  assert.equal((await found({ call }, plain, 'mine')).length, 0)
})

test('a signature is joined with the buffer it goes into', async (t) => {
  const { call, session, plain } = await asynchronous(t)
  const [publicKey, key] = await call(GENERATE, pair(plain, 1024, 'signs'))
  await call('C_SignInit', [session, none(CKM.SHA256_RSA_PKCS), key])
  await assert.rejects(call('C_Sign', [session, data('message'), 128]), answers('PENDING'))
  const id = await call('C_AsyncGetID', [session, 'C_Sign'])
  await call('C_CloseSession', [session])
  const joined = await call('C_OpenSession', [0, ASYNC, false])
  await assert.rejects(
    call('C_AsyncJoin', [joined, 'C_Sign', id, 127]),
    answers('BUFFER_TOO_SMALL'),
  )
  await call('C_AsyncJoin', [joined, 'C_Sign', id, 128])
  const { value } = await completed({ call }, joined, 'C_Sign')
  await call('C_VerifyInit', [plain, none(CKM.SHA256_RSA_PKCS), publicKey])
  await call('C_Verify', [plain, data('message'), bytes(value)])
})

test('what cannot be kept answers CKR_STATE_UNSAVEABLE and goes on', async (t) => {
  const { call, session, plain } = await asynchronous(t)
  const [, key] = await call(GENERATE, [
    plain,
    none(CKM.RSA_PKCS_KEY_PAIR_GEN),
    template({ MODULUS_BITS: 1024 }),
    template({ CLASS: CKO.PRIVATE_KEY }),
  ])
  await call('C_SignInit', [session, none(CKM.SHA256_RSA_PKCS), key])
  await assert.rejects(call('C_Sign', [session, data('x'), 128]), answers('PENDING'))
  await assert.rejects(call('C_AsyncGetID', [session, 'C_Sign']), answers('STATE_UNSAVEABLE'))
  assert.equal(bytes((await completed({ call }, session, 'C_Sign')).value).length, 128)
})
