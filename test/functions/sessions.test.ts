import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CKA, CKF, CKM, CKO, CKR, CKS, CKU } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import {
  answers,
  data,
  emptyLibrary,
  label,
  openToken,
  PIN,
  SO_PIN,
  template,
} from '../in-process.ts'

const RO = CKF.SERIAL_SESSION
const RW = CKF.SERIAL_SESSION | CKF.RW_SESSION
const AES_KEY = { CLASS: CKO.SECRET_KEY, VALUE_LEN: 16 }
const aesKeyGen = { type: CKM.AES_KEY_GEN, parameter: null }

test('a session needs CKF_SERIAL_SESSION', async (t) => {
  const { call } = await openToken(t)
  await assert.rejects(
    call('C_OpenSession', [0, CKF.RW_SESSION, false]),
    answers('SESSION_PARALLEL_NOT_SUPPORTED'),
  )
})

test('a token that is not initialised opens no session', async (t) => {
  const { call } = await emptyLibrary(t)
  await assert.rejects(call('C_OpenSession', [0, RW, false]), answers('TOKEN_NOT_RECOGNIZED'))
})

test('unknown handles answer CKR_SESSION_HANDLE_INVALID and CKR_SLOT_ID_INVALID', async (t) => {
  const { call } = await openToken(t)
  await assert.rejects(call('C_GetSessionInfo', [4711]), answers('SESSION_HANDLE_INVALID'))
  await assert.rejects(call('C_GetSlotInfo', [4711]), answers('SLOT_ID_INVALID'))
})

test('a login is shared by the sessions of an application and ends with the last of them', async (t) => {
  const { call, session } = await openToken(t)
  const reader = await call('C_OpenSession', [0, RO, false])
  assert.equal((await call('C_GetSessionInfo', [reader])).state, CKS.RO_USER_FUNCTIONS)
  assert.equal((await call('C_GetSessionInfo', [session])).state, CKS.RW_USER_FUNCTIONS)
  await call('C_CloseAllSessions', [0])
  const again = await call('C_OpenSession', [0, RW, false])
  assert.equal((await call('C_GetSessionInfo', [again])).state, CKS.RW_PUBLIC_SESSION)
})

test('logins refuse what the standard refuses', async (t) => {
  const { call, session } = await openToken(t)
  await assert.rejects(call('C_Login', [session, CKU.USER, PIN]), answers('USER_ALREADY_LOGGED_IN'))
  await assert.rejects(
    call('C_Login', [session, CKU.SO, SO_PIN]),
    answers('USER_ANOTHER_ALREADY_LOGGED_IN'),
  )
  await assert.rejects(call('C_Login', [session, 77, PIN]), answers('USER_TYPE_INVALID'))
  await assert.rejects(
    call('C_Login', [session, CKU.CONTEXT_SPECIFIC, PIN]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await call('C_Logout', [session])
  await assert.rejects(call('C_Logout', [session]), answers('USER_NOT_LOGGED_IN'))
  const reader = await call('C_OpenSession', [0, RO, false])
  await assert.rejects(
    call('C_Login', [session, CKU.SO, SO_PIN]),
    answers('SESSION_READ_ONLY_EXISTS'),
  )
  await call('C_CloseSession', [reader])
  await call('C_Login', [session, CKU.SO, SO_PIN])
  await assert.rejects(
    call('C_OpenSession', [0, RO, false]),
    answers('SESSION_READ_WRITE_SO_EXISTS'),
  )
})

test('ten wrong PINs lock the PIN, the flags tell, and the security officer unlocks it', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_Logout', [session])
  const wrong = Buffer.from('wrong')
  const flags = async () => (await call('C_GetTokenInfo', [0])).flags as number
  for (let tries = 1; tries <= 9; tries++)
    await assert.rejects(call('C_Login', [session, CKU.USER, wrong]), answers('PIN_INCORRECT'))
  assert.ok((await flags()) & CKF.USER_PIN_FINAL_TRY)
  await assert.rejects(call('C_Login', [session, CKU.USER, wrong]), answers('PIN_INCORRECT'))
  assert.ok((await flags()) & CKF.USER_PIN_LOCKED)
  await assert.rejects(call('C_Login', [session, CKU.USER, PIN]), answers('PIN_LOCKED'))
  await call('C_Login', [session, CKU.SO, SO_PIN])
  await call('C_InitPIN', [session, PIN])
  await call('C_Logout', [session])
  await call('C_Login', [session, CKU.USER, PIN])
})

test('PINs of 0 and of 4096 bytes are wrong to log in with and out of range to set', async (t) => {
  const { call, session } = await openToken(t)
  const none = Buffer.alloc(0)
  const long = Buffer.alloc(4096, 65)
  await assert.rejects(call('C_SetPIN', [session, PIN, none]), answers('PIN_LEN_RANGE'))
  await assert.rejects(call('C_SetPIN', [session, PIN, long]), answers('PIN_LEN_RANGE'))
  await call('C_Logout', [session])
  await assert.rejects(call('C_Login', [session, CKU.USER, none]), answers('PIN_INCORRECT'))
  await assert.rejects(call('C_Login', [session, CKU.USER, long]), answers('PIN_INCORRECT'))
  await assert.rejects(call('C_Login', [session, CKU.USER, null]), answers('ARGUMENTS_BAD'))
})

test('C_SetPIN changes the PIN and needs the old one', async (t) => {
  const { call, session } = await openToken(t)
  await assert.rejects(
    call('C_SetPIN', [session, Buffer.from('nope'), Buffer.from('5678')]),
    answers('PIN_INCORRECT'),
  )
  await call('C_SetPIN', [session, PIN, Buffer.from('5678')])
  await call('C_Logout', [session])
  await call('C_Login', [session, CKU.USER, Buffer.from('5678')])
})

test('slot and serial numbers stay when another token is initialised, and a free slot is always offered', async (t) => {
  const { call, restart } = await openToken(t)
  const { serialNumber } = await call('C_GetTokenInfo', [0])
  assert.deepEqual(await call('C_GetSlotList', [true, 8]), [0, 1])
  await call('C_InitToken', [1, SO_PIN, label('second')])
  assert.deepEqual(await call('C_GetSlotList', [true, 8]), [0, 1, 2])
  assert.equal((await call('C_GetTokenInfo', [0])).serialNumber, serialNumber)
  const again = await restart()
  assert.deepEqual(await again.call('C_GetSlotList', [true, 8]), [0, 1, 2])
  assert.equal((await again.call('C_GetTokenInfo', [0])).serialNumber, serialNumber)
  assert.equal((await again.call('C_GetTokenInfo', [1])).label, 'second')
})

test('C_InitToken on a used token needs its SO PIN and no open session, and destroys its objects', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_GenerateKey', [
    session,
    aesKeyGen,
    template({ ...AES_KEY, TOKEN: true, PRIVATE: false }),
  ])
  await assert.rejects(call('C_InitToken', [0, SO_PIN, label('again')]), answers('SESSION_EXISTS'))
  await call('C_CloseSession', [session])
  await assert.rejects(
    call('C_InitToken', [0, Buffer.from('wrong'), label('again')]),
    answers('PIN_INCORRECT'),
  )
  await call('C_InitToken', [0, SO_PIN, label('again')])
  const fresh = await call('C_OpenSession', [0, RW, false])
  await call('C_FindObjectsInit', [fresh, template({ MODIFIABLE: true })])
  assert.deepEqual(await call('C_FindObjects', [fresh, 8]), [])
})

test('session objects die with their session', async (t) => {
  const { call, session } = await openToken(t)
  const other = await call('C_OpenSession', [0, RW, false])
  const key = await call('C_GenerateKey', [other, aesKeyGen, template(AES_KEY)])
  await call('C_CloseSession', [other])
  await assert.rejects(
    call('C_GetAttributeValue', [session, key, [{ type: CKA.CLASS, room: 8 }]]),
    answers('OBJECT_HANDLE_INVALID'),
  )
})

test('a private object hides on logout and its operations end', async (t) => {
  const { call, session } = await openToken(t)
  const made = {
    ...AES_KEY,
    TOKEN: true,
    PRIVATE: true,
    SIGN: true,
    ENCRYPT: true,
    LABEL: 'hidden',
  }
  const key = await call('C_GenerateKey', [session, aesKeyGen, template(made)])
  await call('C_EncryptInit', [session, { type: CKM.AES_ECB, parameter: null }, key])
  await call('C_Logout', [session])
  await assert.rejects(
    call('C_Encrypt', [session, data(Buffer.alloc(16)), 16]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await assert.rejects(
    call('C_EncryptInit', [session, { type: CKM.AES_ECB, parameter: null }, key]),
    answers('KEY_HANDLE_INVALID'),
  )
  await call('C_FindObjectsInit', [session, template({ LABEL: 'hidden' })])
  assert.deepEqual(await call('C_FindObjects', [session, 8]), [])
  await call('C_FindObjectsFinal', [session])
  await call('C_Login', [session, CKU.USER, PIN])
  await call('C_FindObjectsInit', [session, template({ LABEL: 'hidden' })])
  assert.equal((await call('C_FindObjects', [session, 8])).length, 1)
})

test('C_GetFunctionStatus and C_CancelFunction answer CKR_FUNCTION_NOT_PARALLEL', async (t) => {
  const { call, session } = await openToken(t)
  await assert.rejects(call('C_GetFunctionStatus', [session]), answers('FUNCTION_NOT_PARALLEL'))
  await assert.rejects(call('C_CancelFunction', [4711]), answers('FUNCTION_NOT_PARALLEL'))
})

test('after C_Finalize everything answers CKR_CRYPTOKI_NOT_INITIALIZED', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_Finalize', [])
  await assert.rejects(call('C_GetSessionInfo', [session]), answers('CRYPTOKI_NOT_INITIALIZED'))
})

test('of two C_InitToken at once on a free slot one makes the token, and its PIN is the one that counts', async (t) => {
  const { call } = await emptyLibrary(t)
  const pins = [Buffer.from('first pin'), Buffer.from('second pin')] as const
  const made = await Promise.allSettled(
    pins.map((pin) => call('C_InitToken', [0, pin, label('token')])),
  )
  assert.deepEqual(
    made.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  const session = await call('C_OpenSession', [0, RW, false])
  await call('C_Login', [session, CKU.SO, pins[0]])
})

test('no session is opened with a token that is being initialised anew', async (t) => {
  const { call, session, store } = await openToken(t)
  await call('C_CloseSession', [session])
  const tries: Promise<unknown>[] = []
  const initToken = store.initToken.bind(store)
  store.initToken = async (slot, token) => {
    const opened = call('C_OpenSession', [0, RW, false])
    tries.push(assert.rejects(opened, answers('TOKEN_NOT_RECOGNIZED')))
    await initToken(slot, token)
  }
  const made = call('C_InitToken', [0, SO_PIN, label('again')])
  await made
  assert.equal(tries.length, 1)
  await tries[0]
  const fresh = await call('C_OpenSession', [0, RW, false])
  await call('C_Login', [fresh, CKU.SO, SO_PIN])
})

test('where C_InitToken cannot store the new token, the old one stays', async (t) => {
  const { call, session, store } = await openToken(t)
  await call('C_CloseSession', [session])
  store.initToken = () => Promise.reject(new CryptokiError(CKR.DEVICE_MEMORY, 'the disk is full'))
  await assert.rejects(call('C_InitToken', [0, SO_PIN, label('new')]), answers('DEVICE_MEMORY'))
  assert.equal((await call('C_GetTokenInfo', [0])).label, 'test')
  const again = await call('C_OpenSession', [0, RW, false])
  await call('C_Login', [again, CKU.USER, PIN])
})

test('a login that comes too late for its session logs nobody in', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_Logout', [session])
  const login = call('C_Login', [session, CKU.USER, PIN])
  await call('C_CloseAllSessions', [0])
  await assert.rejects(login, answers('SESSION_CLOSED'))
  const fresh = await call('C_OpenSession', [0, RW, false])
  assert.equal((await call('C_GetSessionInfo', [fresh])).state, CKS.RW_PUBLIC_SESSION)
})

test('more applications than there are tries log in at once, and each is let in', async (t) => {
  const { call, another } = await openToken(t)
  const others = await Promise.all(Array.from({ length: 20 }, another))
  for (const { state } of await Promise.all(
    others.map((other) => other.call('C_GetSessionInfo', [other.session])),
  ))
    assert.equal(state, CKS.RW_USER_FUNCTIONS)
  const { flags } = await call('C_GetTokenInfo', [0])
  assert.equal((flags as number) & CKF.USER_PIN_COUNT_LOW, 0)
})

test('wrong PINs that come at once are counted each, and the last lock the PIN', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_Logout', [session])
  const wrong = (one: number) => call('C_Login', [one, CKU.USER, Buffer.from('wrong')])
  const sessions = await Promise.all(
    Array.from({ length: 12 }, () => call('C_OpenSession', [0, RW, false])),
  )
  const tries = await Promise.allSettled(sessions.map(wrong))
  const rvs = tries.map(
    (tried) => tried.status === 'rejected' && (tried.reason as CryptokiError).rv,
  )
  assert.equal(rvs.filter((rv) => rv === CKR.PIN_INCORRECT).length, 10)
  assert.equal(rvs.filter((rv) => rv === CKR.PIN_LOCKED).length, 2)
  await assert.rejects(wrong(session), answers('PIN_LOCKED'))
})

test('C_Finalize stops a function, which like the calls behind it finds Cryptoki not initialised', async (t) => {
  const { call, session } = await openToken(t)
  const generation = call('C_GenerateKeyPair', [
    session,
    { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
    template({ MODULUS_BITS: 16384 }),
    [],
  ])
  const behind = call('C_GenerateKey', [session, aesKeyGen, template(AES_KEY)])
  const refused = [
    assert.rejects(generation, answers('CRYPTOKI_NOT_INITIALIZED')),
    assert.rejects(behind, answers('CRYPTOKI_NOT_INITIALIZED')),
  ]
  await call('C_Finalize', [])
  await Promise.all(refused)
})

test('a login that C_Finalize overtakes finds Cryptoki not initialised', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_Logout', [session])
  const login = assert.rejects(
    call('C_Login', [session, CKU.USER, PIN]),
    answers('CRYPTOKI_NOT_INITIALIZED'),
  )
  await call('C_Finalize', [])
  await login
})
