import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Data } from '../../src/standard/calls.ts'
import { CKF, CKM, CKR } from '../../src/standard/constants.ts'
import { answers, data, type Opened, openToken, template } from '../in-process.ts'

const none = (type: number) => ({ type, parameter: null })
const SHA256 = none(CKM.SHA256)

const longRsa = (session: number) =>
  [
    session,
    none(CKM.RSA_PKCS_KEY_PAIR_GEN),
    template({ MODULUS_BITS: 16384, LABEL: 'long' }),
    template({ LABEL: 'long' }),
  ] as const

async function found({ call, session }: Opened, label: string): Promise<number> {
  await call('C_FindObjectsInit', [session, template({ LABEL: label })])
  const handles = await call('C_FindObjects', [session, 100])
  await call('C_FindObjectsFinal', [session])
  return handles.length
}

/** A gibibyte that is not there until it is read. */
const gibibyte: Data = { length: 1 << 30, read: (_offset, length) => new Uint8Array(length) }

test('C_SessionCancel ends the operations whose flags it is given, and no other', async (t) => {
  const { call, session } = await openToken(t)
  const key = await call('C_GenerateKey', [
    session,
    none(CKM.AES_KEY_GEN),
    template({ VALUE_LEN: 16 }),
  ])
  await call('C_DigestInit', [session, SHA256])
  await call('C_EncryptInit', [session, none(CKM.AES_ECB), key])
  await call('C_SessionCancel', [session, 0])
  await call('C_SessionCancel', [session, CKF.SIGN | CKF.DECRYPT])
  await assert.rejects(call('C_DigestInit', [session, SHA256]), answers('OPERATION_ACTIVE'))
  await call('C_SessionCancel', [session, CKF.DIGEST])
  await assert.rejects(
    call('C_DigestUpdate', [session, data('x')]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await call('C_EncryptUpdate', [session, data('a block of bytes'), 16])
  await call('C_SessionCancel', [session, CKF.ENCRYPT])
  await assert.rejects(call('C_EncryptFinal', [session, 16]), answers('OPERATION_NOT_INITIALIZED'))
})

test('one half of a dual operation is cancelled alone', async (t) => {
  const { call, session } = await openToken(t)
  const key = await call('C_GenerateKey', [
    session,
    none(CKM.AES_KEY_GEN),
    template({ VALUE_LEN: 16 }),
  ])
  await call('C_DigestInit', [session, SHA256])
  await call('C_EncryptInit', [session, none(CKM.AES_ECB), key])
  await call('C_DigestEncryptUpdate', [session, data('a block of bytes'), 16])
  await call('C_SessionCancel', [session, CKF.ENCRYPT])
  await assert.rejects(
    call('C_DigestEncryptUpdate', [session, data('a block of bytes'), 16]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await call('C_DigestInit', [session, SHA256])
  await call('C_EncryptInit', [session, none(CKM.AES_ECB), key])
  await call('C_DigestEncryptUpdate', [session, data('a block of bytes'), 16])
  await call('C_SessionCancel', [session, CKF.DIGEST])
  await call('C_EncryptFinal', [session, 16])
})

test('a search is cancelled', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_FindObjectsInit', [session, []])
  await call('C_SessionCancel', [session, CKF.FIND_OBJECTS])
  await assert.rejects(call('C_FindObjects', [session, 1]), answers('OPERATION_NOT_INITIALIZED'))
})

test('C_SessionCancel stops a running C_GenerateKeyPair, and nothing is left', async (t) => {
  const opened = await openToken(t)
  const { call, session } = opened
  const generation = call('C_GenerateKeyPair', longRsa(session) as never)
  await call('C_SessionCancel', [session, CKF.SIGN])
  await call('C_SessionCancel', [session, CKF.GENERATE_KEY_PAIR])
  await assert.rejects(generation, answers('FUNCTION_CANCELED'))
  assert.equal(await found(opened, 'long'), 0)
})

test('C_SessionCancel stops a running C_Digest over a gibibyte, and the next one works', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_DigestInit', [session, SHA256])
  const digest = call('C_Digest', [session, gibibyte, 32])
  await call('C_SessionCancel', [session, CKF.DIGEST])
  await assert.rejects(digest, answers('FUNCTION_CANCELED'))
  await call('C_DigestInit', [session, SHA256])
  await call('C_Digest', [session, data('x'), 32])
})

test('from inside a callback C_SessionCancel answers CKR_FUNCTION_FAILED and changes nothing', async (t) => {
  const { call, session, application } = await openToken(t, 0)
  await call('C_DigestInit', [session, SHA256])
  const refused: string[] = []
  const attempt = async (name: string, run: () => unknown) => {
    try {
      await run()
      refused.push(`${name}: CKR_OK`)
    } catch (error) {
      refused.push(`${name}: ${(error as Error).message.split(':')[0]}`)
    }
  }
  const notify = async () => {
    if (refused.length > 0) return CKR.OK
    const flags = CKF.SERIAL_SESSION
    await attempt('cancel', () => application.call('C_SessionCancel', [session, CKF.DIGEST]))
    await attempt('info', () => application.call('C_GetSessionInfo', [session]))
    await attempt('update', () => application.call('C_DigestUpdate', [session, data('y')]))
    await attempt('close', () => application.call('C_CloseSession', [session]))
    await attempt('close all', () => application.call('C_CloseAllSessions', [0]))
    await attempt('finalize', () => application.call('C_Finalize', []))
    await attempt('other', () => application.call('C_OpenSession', [0, flags, false]))
    return CKR.OK
  }
  const digest = await call('C_Digest', [session, data('abc'), 32], { notify })
  assert.deepEqual(refused, [
    'cancel: CKR_FUNCTION_FAILED',
    'info: CKR_OK',
    'update: CKR_OPERATION_ACTIVE',
    'close: CKR_FUNCTION_FAILED',
    'close all: CKR_FUNCTION_FAILED',
    'finalize: CKR_FUNCTION_FAILED',
    'other: CKR_OK',
  ])
  assert.equal(
    Buffer.from(digest as Uint8Array).toString('hex'),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

test('an Init function without a mechanism ends the operation of its kind', async (t) => {
  const { call, session } = await openToken(t)
  await assert.rejects(call('C_DigestInit', [session, null]), answers('ARGUMENTS_BAD'))
  await call('C_DigestInit', [session, SHA256])
  await call('C_DigestInit', [session, null])
  await assert.rejects(call('C_DigestFinal', [session, 32]), answers('OPERATION_NOT_INITIALIZED'))
  const key = await call('C_GenerateKey', [
    session,
    none(CKM.AES_KEY_GEN),
    template({ VALUE_LEN: 16 }),
  ])
  await call('C_EncryptInit', [session, none(CKM.AES_ECB), key])
  await call('C_EncryptInit', [session, null, 0])
  await call('C_EncryptInit', [session, none(CKM.AES_ECB), key])
})

test('C_LoginUser logs the user in who has no name, and nobody by a name', async (t) => {
  const opened = await openToken(t)
  await opened.call('C_Logout', [opened.session])
  const pin = Buffer.from('1234')
  await assert.rejects(
    opened.call('C_LoginUser', [opened.session, 1, pin, Buffer.from('bob')]),
    answers('USER_TYPE_INVALID'),
  )
  await opened.call('C_LoginUser', [opened.session, 1, pin, null])
  await assert.rejects(
    opened.call('C_LoginUser', [opened.session, 1, pin, new Uint8Array(0)]),
    answers('USER_ALREADY_LOGGED_IN'),
  )
})

test('no operation was a validated one', async (t) => {
  const { call, session } = await openToken(t)
  assert.equal(await call('C_GetSessionValidationFlags', [session, 1]), 0)
  await assert.rejects(
    call('C_GetSessionValidationFlags', [session, 2]),
    answers('FUNCTION_FAILED'),
  )
})
