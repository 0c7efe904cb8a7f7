import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CKF } from '../../src/standard/constants.ts'
import {
  answers,
  emptyLibrary,
  label,
  type Opened,
  openToken,
  SO_PIN,
  template,
} from '../in-process.ts'

const RW = CKF.SERIAL_SESSION | CKF.RW_SESSION

/** The slots whose flags are set, which are cleared by that. */
async function flagged({ call }: Pick<Opened, 'call'>): Promise<number[]> {
  const slots: number[] = []
  for (;;)
    try {
      slots.push(await call('C_WaitForSlotEvent', [CKF.DONT_BLOCK]))
    } catch (error) {
      answers('NO_EVENT')(error)
      return slots.sort((one, other) => one - other)
    }
}

test('no flag is set when an application begins', async (t) => {
  const token = await openToken(t)
  assert.deepEqual(await flagged(await token.another()), [])
})

test('a token that is initialised sets the flag of its slot, once however often', async (t) => {
  const token = await openToken(t)
  const other = await token.another()
  await token.call('C_CloseAllSessions', [0])
  await other.call('C_CloseAllSessions', [0])
  await flagged(token)
  await token.call('C_InitToken', [0, SO_PIN, label('again')])
  await token.call('C_InitToken', [0, SO_PIN, label('and again')])
  assert.deepEqual(await flagged(other), [0])
  assert.deepEqual(await flagged(other), [])
  assert.deepEqual(await flagged(token), [0])
})

test('nothing else is an event: no login, no object, no wrong PIN', async (t) => {
  const token = await openToken(t)
  await flagged(token)
  await token.another()
  await token.call('C_CreateObject', [token.session, template({ CLASS: 0, TOKEN: true })])
  await token.call('C_Logout', [token.session])
  const wrong = Buffer.from('wrong')
  await assert.rejects(token.call('C_Login', [token.session, 1, wrong]), answers('PIN_INCORRECT'))
  assert.deepEqual(await flagged(token), [])
})

test('a slot that is added is an event, and so is one that is removed', async (t) => {
  const token = await openToken(t)
  await flagged(token)
  const watching = await token.another()
  await token.call('C_InitToken', [1, SO_PIN, label('second')])
  assert.deepEqual(await flagged(watching), [1, 2])
  const removed = watching.call('C_WaitForSlotEvent', [0])
  await token.store.removeSlot(1)
  assert.equal(await removed, 1)
  assert.deepEqual(await watching.call('C_GetSlotList', [true, 8]), [0, 2])
  await assert.rejects(token.call('C_GetSlotInfo', [1]), answers('SLOT_ID_INVALID'))
})

test('a call that blocks waits for the next event', async (t) => {
  const library = await emptyLibrary(t)
  const other = await library.another()
  const event = other.call('C_WaitForSlotEvent', [0])
  assert.equal(
    await Promise.race([event, library.call('C_GetSlotList', [true, null]).then(() => 'waits')]),
    'waits',
  )
  await library.call('C_InitToken', [0, SO_PIN, label('new')])
  assert.equal(await event, 0)
  assert.deepEqual(await flagged(other), [1])
})

test('C_Finalize releases a call that blocks with CKR_CRYPTOKI_NOT_INITIALIZED', async (t) => {
  const token = await openToken(t)
  await flagged(token)
  const event = token.call('C_WaitForSlotEvent', [0])
  const released = assert.rejects(event, answers('CRYPTOKI_NOT_INITIALIZED'))
  await token.call('C_Finalize', [])
  await released
})

test('a caller that is gone does not wait on', async (t) => {
  const token = await openToken(t)
  await flagged(token)
  const gone = new AbortController()
  const event = token.call('C_WaitForSlotEvent', [0], { signal: gone.signal })
  gone.abort()
  await assert.rejects(event, answers('FUNCTION_FAILED'))
  const late = token.call('C_WaitForSlotEvent', [0], { signal: gone.signal })
  await assert.rejects(late, answers('FUNCTION_FAILED'))
})

test('the only flag is CKF_DONT_BLOCK', async (t) => {
  const { call } = await openToken(t)
  await assert.rejects(call('C_WaitForSlotEvent', [3]), answers('ARGUMENTS_BAD'))
})

test('a token that another host initialises anew closes the sessions with the old one', async (t) => {
  const token = await openToken(t)
  const other = await token.another()
  await flagged(other)
  const record = (await token.store.slot(0))?.token
  assert.ok(record)
  const event = other.call('C_WaitForSlotEvent', [0])
  await token.store.initToken(0, { ...record, label: 'theirs', publicKey: Buffer.alloc(32, 1) })
  assert.equal(await event, 0)
  for (const { call, session } of [token, other]) {
    await assert.rejects(call('C_GetSessionInfo', [session]), answers('SESSION_HANDLE_INVALID'))
    assert.equal((await call('C_GetTokenInfo', [0])).label, 'theirs')
    await call('C_OpenSession', [0, RW, false])
  }
})
