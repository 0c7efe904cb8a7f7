import assert from 'node:assert/strict'
import { createHash, createHmac, verify as verifySignature } from 'node:crypto'
import { test } from 'node:test'
import { MOST_STATES } from '../../src/sessions/saved-states.ts'
import { CKF, CKK, CKM, CKO, CKU } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, PIN, template } from '../in-process.ts'

const RW = CKF.SERIAL_SESSION | CKF.RW_SESSION
const sha256 = { type: CKM.SHA256, parameter: null }
const ecb = { type: CKM.AES_ECB, parameter: null }
const ecdsaSha256 = { type: CKM.ECDSA_SHA256, parameter: null }
const ecdsa = { type: CKM.ECDSA, parameter: null }
const hmac = { type: CKM.SHA256_HMAC, parameter: null }
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')

const digestOf = (message: string) => createHash('sha256').update(message).digest()

const save = async ({ call, session }: Opened, from = session) =>
  bytes(await call('C_GetOperationState', [from, 1000]))

const restore = ({ call, session }: Opened, state: Uint8Array, keys = [0, 0], to = session) =>
  call('C_SetOperationState', [to, state, keys[0] as number, keys[1] as number])

const digestSoFar = async ({ call, session }: Opened, on = session) =>
  Buffer.from(bytes(await call('C_DigestFinal', [on, 32])))

const aesKey = ({ call, session }: Opened) =>
  call('C_GenerateKey', [
    session,
    { type: CKM.AES_KEY_GEN, parameter: null },
    template({ VALUE_LEN: 16 }),
  ])

const ecPair = ({ call, session }: Opened, more = {}) =>
  call('C_GenerateKeyPair', [
    session,
    { type: CKM.EC_KEY_PAIR_GEN, parameter: null },
    template({ EC_PARAMS: P256 }),
    template(more),
  ])

test('a digest is saved and restored as in the example of the standard', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_DigestInit', [session, sha256])
  await call('C_DigestUpdate', [session, data('one ')])
  const { needed } = (await call('C_GetOperationState', [session, null])) as { needed: number }
  assert.deepEqual(await call('C_GetOperationState', [session, needed - 1]), { needed })
  const state = bytes(await call('C_GetOperationState', [session, needed]))
  assert.equal(state.length, needed)
  await call('C_DigestUpdate', [session, data('two ')])
  await restore(token, state)
  await call('C_DigestUpdate', [session, data('three')])
  assert.deepEqual(await digestSoFar(token), digestOf('one three'))
})

test('a state serves any number of times, in any session of the same state', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const other = await call('C_OpenSession', [0, RW, false])
  await call('C_DigestInit', [session, sha256])
  await call('C_DigestUpdate', [session, data('same ')])
  const state = await save(token)
  for (const end of ['a', 'b'])
    for (const on of [other, session]) {
      await restore(token, state, [0, 0], on)
      await call('C_DigestUpdate', [on, data(end)])
      assert.deepEqual(await digestSoFar(token, on), digestOf(`same ${end}`))
    }
  const reading = await call('C_OpenSession', [0, CKF.SERIAL_SESSION, false])
  await assert.rejects(restore(token, state, [0, 0], reading), answers('SAVED_STATE_INVALID'))
})

test('restoring ends what was active, and a state that is refused ends nothing', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_DigestInit', [session, sha256])
  const state = await save(token)
  await call('C_FindObjectsInit', [session, []])
  await call('C_EncryptInit', [session, ecb, await aesKey(token)])
  await assert.rejects(restore(token, state, [0, 99]), answers('KEY_NOT_NEEDED'))
  await assert.rejects(restore(token, Buffer.alloc(48)), answers('SAVED_STATE_INVALID'))
  assert.deepEqual(await call('C_FindObjects', [session, 0]), [])
  await call('C_EncryptUpdate', [session, data(''), 16])
  await restore(token, state)
  const none = answers('OPERATION_NOT_INITIALIZED')
  await assert.rejects(call('C_FindObjects', [session, 0]), none)
  await assert.rejects(call('C_EncryptFinal', [session, 16]), none)
  assert.deepEqual(await digestSoFar(token), digestOf(''))
})

test('a signature over a digest, or over a short message, is saved with its key', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [publicKey, privateKey] = await ecPair(token)
  for (const mechanism of [ecdsaSha256, ecdsa]) {
    await call('C_SignInit', [session, mechanism, privateKey])
    await call('C_SignUpdate', [session, data('one ')])
    const state = await save(token)
    await call('C_SignUpdate', [session, data('two')])
    const whole = bytes(await call('C_SignFinal', [session, 64]))
    await restore(token, state, [0, privateKey])
    await call('C_SignUpdate', [session, data('three')])
    const restored = bytes(await call('C_SignFinal', [session, 64]))

    await call('C_VerifyInit', [session, mechanism, publicKey])
    await call('C_VerifyUpdate', [session, data('one ')])
    const half = await save(token)
    for (const [end, signature] of [
      ['two', whole],
      ['three', restored],
    ] as const) {
      await restore(token, half)
      await call('C_VerifyUpdate', [session, data(end)])
      await call('C_VerifyFinal', [session, signature])
    }
  }
})

test('RSA signatures are saved in the middle of their message', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
    template({ MODULUS_BITS: 2048 }),
    template({}),
  ])
  const mechanism = { type: CKM.SHA256_RSA_PKCS, parameter: null }
  await call('C_SignInit', [session, mechanism, privateKey])
  await call('C_SignUpdate', [session, data('one ')])
  const state = await save(token)
  await call('C_SignUpdate', [session, data('gone')])
  await restore(token, state)
  await call('C_SignUpdate', [session, data('two')])
  const signature = bytes(await call('C_SignFinal', [session, 256]))
  await call('C_VerifyInit', [session, mechanism, publicKey])
  await call('C_Verify', [session, data('one two'), signature])
  const { answers: values } = await call('C_GetAttributeValue', [
    session,
    publicKey,
    [{ type: 0x129, room: 1000 }],
  ])
  const key = { key: Buffer.from(bytes(values[0]?.value)), format: 'der', type: 'spki' } as const
  assert.ok(verifySignature('sha256', Buffer.from('one two'), key, signature))
})

test('a cipher can be saved until data went in, and not after', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await aesKey(token)
  await call('C_EncryptInit', [session, ecb, key])
  const block = Buffer.alloc(16, 1)
  const state = await save(token)
  const first = bytes(await call('C_EncryptUpdate', [session, data(block), 16]))
  await assert.rejects(save(token), answers('STATE_UNSAVEABLE'))
  await restore(token, state, [key, 0])
  assert.deepEqual(bytes(await call('C_EncryptUpdate', [session, data(block), 16])), first)
  await call('C_EncryptFinal', [session, 16])
})

test('an HMAC is saved in the middle of its message, when it is made and when it is checked', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await call('C_CreateObject', [
    session,
    template({ CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GENERIC_SECRET, VALUE: 'secret' }),
  ])
  await call('C_SignInit', [session, hmac, key])
  await call('C_SignUpdate', [session, data('one ')])
  const state = await save(token)
  await call('C_SignUpdate', [session, data('gone')])
  await restore(token, state, [0, key])
  await call('C_SignUpdate', [session, data('two')])
  const mac = bytes(await call('C_SignFinal', [session, 64]))
  assert.deepEqual(Buffer.from(mac), createHmac('sha256', 'secret').update('one two').digest())
  await call('C_VerifyInit', [session, hmac, key])
  await call('C_VerifyUpdate', [session, data('one ')])
  const half = await save(token)
  await call('C_VerifyUpdate', [session, data('gone')])
  await restore(token, half)
  await call('C_VerifyUpdate', [session, data('two')])
  await call('C_VerifyFinal', [session, mac])
})

test('two operations are saved together or not at all', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await aesKey(token)
  await call('C_DigestInit', [session, sha256])
  await call('C_DigestUpdate', [session, data('one ')])
  await call('C_EncryptInit', [session, ecb, key])
  const state = await save(token)
  await call('C_EncryptUpdate', [session, data(Buffer.alloc(16)), 16])
  await assert.rejects(save(token), answers('STATE_UNSAVEABLE'))
  await call('C_DigestUpdate', [session, data('two')])
  await restore(token, state, [key, 0])
  await call('C_DigestEncryptUpdate', [session, data('sixteen bytes...'), 16])
  await call('C_EncryptFinal', [session, 16])
  assert.deepEqual(await digestSoFar(token), digestOf('one sixteen bytes...'))
})

test('a key that is given must be needed, and the same', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [key, another] = [await aesKey(token), await aesKey(token)]
  await call('C_EncryptInit', [session, ecb, key])
  const state = await save(token)
  for (const [keys, rv] of [
    [[0, key], 'KEY_NOT_NEEDED'],
    [[key, key], 'KEY_NOT_NEEDED'],
    [[another, 0], 'KEY_CHANGED'],
    [[9999, 0], 'KEY_CHANGED'],
  ] as const)
    await assert.rejects(restore(token, state, [...keys]), answers(rv))
  await restore(token, state, [key, 0])
  await restore(token, state)
})

test('what was not saved here is CKR_SAVED_STATE_INVALID', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_DigestInit', [session, sha256])
  const state = await save(token)
  const invalid = answers('SAVED_STATE_INVALID')
  for (let at = 0; at < state.length; at++) {
    const changed = Uint8Array.from(state)
    changed[at] = (changed[at] ?? 0) ^ 1
    await assert.rejects(restore(token, changed), invalid)
  }
  for (const length of [0, 1, state.length - 1])
    await assert.rejects(restore(token, state.subarray(0, length)), invalid)
  await assert.rejects(restore(token, Buffer.concat([state, state])), invalid)
  await assert.rejects(call('C_SetOperationState', [session, null, 0, 0]), answers('ARGUMENTS_BAD'))
  await assert.rejects(restore(await token.another(), state), invalid)
})

test('nothing to save is CKR_OPERATION_NOT_INITIALIZED, and recovery is not saved', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const none = answers('OPERATION_NOT_INITIALIZED')
  await assert.rejects(save(token), none)
  await assert.rejects(call('C_GetOperationState', [session, null]), none)
  await call('C_FindObjectsInit', [session, []])
  await assert.rejects(save(token), none)
})

test('a state ends with its key, with the login and with the session it was saved in', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const invalid = answers('SAVED_STATE_INVALID')
  const source = await call('C_OpenSession', [0, RW, false])
  const [key, another] = [await aesKey(token), await aesKey(token)]

  await call('C_EncryptInit', [source, ecb, key])
  const ofKey = await save(token, source)
  await call('C_DestroyObject', [session, another])
  await restore(token, ofKey)
  await call('C_DestroyObject', [session, key])
  await assert.rejects(restore(token, ofKey), invalid)

  await call('C_DigestInit', [source, sha256])
  const ofSession = await save(token, source)
  await restore(token, ofSession)
  await call('C_CloseSession', [source])
  await assert.rejects(restore(token, ofSession), invalid)

  const ofLogin = await save(token)
  await call('C_Logout', [session])
  await assert.rejects(restore(token, ofLogin), invalid)
  await call('C_Login', [session, CKU.USER, PIN])
  await assert.rejects(restore(token, ofLogin), invalid)
})

test('an operation whose key asks for a login asks again once it is restored', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [, key] = await ecPair(token, { ALWAYS_AUTHENTICATE: true })
  await call('C_SignInit', [session, ecdsaSha256, key])
  await call('C_Login', [session, CKU.CONTEXT_SPECIFIC, PIN])
  await call('C_SignUpdate', [session, data('message')])
  const state = await save(token)
  await restore(token, state)
  await assert.rejects(call('C_SignFinal', [session, 64]), answers('USER_NOT_LOGGED_IN'))
  await restore(token, state)
  await call('C_Login', [session, CKU.CONTEXT_SPECIFIC, PIN])
  assert.equal(bytes(await call('C_SignFinal', [session, 64])).length, 64)
})

test('of many states the ones used last are kept', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_DigestInit', [session, sha256])
  const first = await save(token)
  const second = await save(token)
  for (let saved = 2; saved < MOST_STATES; saved++) await save(token)
  await restore(token, first)
  await save(token)
  await restore(token, first)
  await assert.rejects(restore(token, second), answers('SAVED_STATE_INVALID'))
})
