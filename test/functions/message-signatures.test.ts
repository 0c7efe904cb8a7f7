import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { Data, MechanismArgument } from '../../src/standard/calls.ts'
import { CKF, CKG, CKK, CKM, CKO, CKR, CKU } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, PIN, template } from '../in-process.ts'
import { noParameter } from './message-memory.ts'

const MESSAGE = Buffer.from('a message that is signed')
const OTHER = Buffer.from('another message')
const KEY = Buffer.alloc(32, 0x2b)

const hmac: MechanismArgument = { type: CKM.SHA256_HMAC, parameter: null }
const ecdsa: MechanismArgument = { type: CKM.ECDSA_SHA256, parameter: null }
const pss: MechanismArgument = {
  type: CKM.SHA256_RSA_PKCS_PSS,
  parameter: { hashAlg: CKM.SHA256, mgf: CKG.MGF1_SHA256, sLen: 32 },
}

const macOf = (message: Uint8Array) => createHmac('sha256', KEY).update(message).digest('hex')
const hex = (filled: unknown) => Buffer.from(bytes(filled)).toString('hex')

const hmacKey = ({ call, session }: Opened) =>
  call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: CKK.GENERIC_SECRET,
      VALUE: KEY,
      SIGN: true,
      VERIFY: true,
    }),
  ])

const P256 = Buffer.from('06082a8648ce3d030107', 'hex')

const pair = ({ call, session }: Opened, named: Parameters<typeof template>[0] = {}) =>
  call('C_GenerateKeyPair', [
    session,
    { type: CKM.EC_KEY_PAIR_GEN, parameter: null },
    template({ EC_PARAMS: P256 }),
    template(named),
  ])

async function begun(token: Opened, mechanism: MechanismArgument, sign: number, verify: number) {
  await token.call('C_MessageSignInit', [token.session, mechanism, sign])
  await token.call('C_MessageVerifyInit', [token.session, mechanism, verify])
}

test('messages are signed one after another, whole and in parts', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await hmacKey(token)
  await begun(token, hmac, key, key)
  for (const message of [MESSAGE, OTHER, Buffer.alloc(0), MESSAGE]) {
    const whole = await call('C_SignMessage', [session, noParameter, data(message), 32])
    assert.equal(hex(whole), macOf(message))
    await call('C_SignMessageBegin', [session, noParameter])
    const more = await call('C_SignMessageNext', [
      session,
      noParameter,
      data(message.subarray(0, 3)),
      null,
    ])
    assert.equal(bytes(more).length, 0)
    const rest = data(message.subarray(3))
    const last = await call('C_SignMessageNext', [session, noParameter, rest, 32])
    assert.equal(hex(last), macOf(message))
    await call('C_VerifyMessage', [session, noParameter, data(message), bytes(last)])
    await call('C_VerifyMessageBegin', [session, noParameter])
    await call('C_VerifyMessageNext', [session, noParameter, data(message.subarray(0, 3)), null])
    await call('C_VerifyMessageNext', [session, noParameter, rest, bytes(last)])
  }
  await call('C_MessageSignFinal', [session])
  await call('C_MessageVerifyFinal', [session])
})

test('asking the length and a small buffer take nothing of the message', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_MessageSignInit', [session, hmac, await hmacKey(token)])
  for (const room of [null, 0, 31])
    assert.deepEqual(await call('C_SignMessage', [session, noParameter, data(MESSAGE), room]), {
      needed: 32,
    })
  await call('C_SignMessageBegin', [session, noParameter])
  // Room is null where pulSignatureLen is; where only pSignature is NULL there is none, 0.
  for (const room of [0, 31])
    assert.deepEqual(await call('C_SignMessageNext', [session, noParameter, data(MESSAGE), room]), {
      needed: 32,
    })
  const signature = await call('C_SignMessageNext', [session, noParameter, data(MESSAGE), 32])
  assert.equal(hex(signature), macOf(MESSAGE))
})

test('the parameter of the Init function serves every message', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
    template({ MODULUS_BITS: 1024 }),
    [],
  ])
  await begun(token, pss, privateKey, publicKey)
  for (const message of [MESSAGE, OTHER]) {
    const signature = bytes(await call('C_SignMessage', [session, noParameter, data(message), 128]))
    await call('C_VerifyMessage', [session, noParameter, data(message), signature])
    await call('C_VerifyInit', [session, pss, publicKey])
    await call('C_Verify', [session, data(message), signature])
  }
  await call('C_MessageSignFinal', [session])
  await assert.rejects(
    call('C_MessageSignInit', [session, { ...pss, parameter: null }, privateKey]),
    answers('MECHANISM_PARAM_INVALID'),
  )
})

test('a wrong signature ends its message only', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [publicKey, privateKey] = await pair(token)
  await begun(token, ecdsa, privateKey, publicKey)
  const signature = bytes(await call('C_SignMessage', [session, noParameter, data(MESSAGE), 64]))
  const verify = (message: Uint8Array, given: Uint8Array | null) =>
    call('C_VerifyMessage', [session, noParameter, data(message), given])
  await assert.rejects(verify(OTHER, signature), answers('SIGNATURE_INVALID'))
  await assert.rejects(verify(MESSAGE, signature.subarray(1)), answers('SIGNATURE_LEN_RANGE'))
  await assert.rejects(verify(MESSAGE, null), answers('ARGUMENTS_BAD'))
  await call('C_VerifyMessageBegin', [session, noParameter])
  const last = () => call('C_VerifyMessageNext', [session, noParameter, data(OTHER), signature])
  await assert.rejects(last(), answers('SIGNATURE_INVALID'))
  await assert.rejects(last(), answers('OPERATION_NOT_INITIALIZED'))
  await verify(MESSAGE, signature)
})

test('messages that are signed have no parameter', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await hmacKey(token)
  await begun(token, hmac, key, key)
  const some = { type: CKM.SHA256_HMAC, parameter: Buffer.alloc(8) }
  for (const refused of [
    call('C_SignMessage', [session, some, data(MESSAGE), 32]),
    call('C_SignMessageBegin', [session, some]),
    call('C_VerifyMessage', [session, some, data(MESSAGE), KEY]),
    call('C_VerifyMessageBegin', [session, some]),
  ])
    await assert.rejects(refused, answers('MECHANISM_PARAM_INVALID'))
})

test('signatures are begun, go on and end in their order', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await hmacKey(token)
  const isNone = answers('OPERATION_NOT_INITIALIZED')
  const sign = {
    whole: () => call('C_SignMessage', [session, noParameter, data(MESSAGE), 32]),
    begin: () => call('C_SignMessageBegin', [session, noParameter]),
    next: () => call('C_SignMessageNext', [session, noParameter, data(MESSAGE), null]),
    end: () => call('C_SignMessageNext', [session, noParameter, data(MESSAGE), 32]),
    finish: () => call('C_MessageSignFinal', [session]),
  }
  const verify = {
    whole: () => call('C_VerifyMessage', [session, noParameter, data(MESSAGE), KEY]),
    begin: () => call('C_VerifyMessageBegin', [session, noParameter]),
    next: () => call('C_VerifyMessageNext', [session, noParameter, data(MESSAGE), null]),
    finish: () => call('C_MessageVerifyFinal', [session]),
  }
  for (const early of [...Object.values(sign), ...Object.values(verify)])
    await assert.rejects(early(), isNone)
  await begun(token, hmac, key, key)
  for (const { begin, next, whole, finish } of [sign, verify]) {
    await assert.rejects(next(), isNone)
    await begin()
    for (const amid of [begin, whole, finish])
      await assert.rejects(amid(), answers('OPERATION_ACTIVE'))
    await next()
  }
  await sign.end()
  await assert.rejects(sign.next(), isNone)
  await sign.finish()
  await call('C_MessageVerifyInit', [session, null, 0])
  await assert.rejects(verify.next(), isNone)
})

test('what uses its IV or key once signs no messages', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const parameter = {
    iv: Buffer.alloc(12),
    ivBits: 96,
    aad: Buffer.alloc(0),
    tagBits: 128,
  }
  for (const mechanism of [
    { type: CKM.AES_GMAC, parameter },
    { type: CKM.POLY1305, parameter: null },
  ]) {
    await assert.rejects(
      call('C_MessageSignInit', [session, mechanism, await hmacKey(token)]),
      answers('MECHANISM_INVALID'),
    )
    const { flags } = await call('C_GetMechanismInfo', [0, mechanism.type])
    assert.equal(Number(flags) & (CKF.MESSAGE_SIGN | CKF.MULTI_MESSAGE), 0)
  }
})

test('a key that asks for a login asks for one before each message', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [, key] = await pair(token, { ALWAYS_AUTHENTICATE: true, PRIVATE: true })
  const sign = () => call('C_SignMessage', [session, noParameter, data(MESSAGE), 64])
  const login = () => call('C_Login', [session, CKU.CONTEXT_SPECIFIC, PIN])
  await call('C_MessageSignInit', [session, ecdsa, key])
  await assert.rejects(sign(), answers('USER_NOT_LOGGED_IN'))
  await login()
  await sign()
  await assert.rejects(sign(), answers('USER_NOT_LOGGED_IN'))
  await login()
  await call('C_SignMessageBegin', [session, noParameter])
  await call('C_SignMessageNext', [session, noParameter, data(MESSAGE), 64])
  await assert.rejects(
    call('C_SignMessageBegin', [session, noParameter]),
    answers('USER_NOT_LOGGED_IN'),
  )
  await call('C_MessageSignFinal', [session])
})

/** A gibibyte that is not there until it is read. */
const gibibyte: Data = { length: 1 << 30, read: (_offset, length) => new Uint8Array(length) }

test('a callback cancels a signature over a gibibyte, and the next message is signed', async (t) => {
  const token = await openToken(t, 0)
  const { call, session } = token
  const key = await hmacKey(token)
  await begun(token, hmac, key, key)
  let called = 0
  const context = { notify: () => (++called % 5 === 0 ? CKR.CANCEL : CKR.OK) }
  for (const cancelled of [
    () => call('C_SignMessage', [session, noParameter, gibibyte, 32], context),
    () => call('C_VerifyMessage', [session, noParameter, gibibyte, KEY], context),
  ])
    await assert.rejects(cancelled(), answers('FUNCTION_CANCELED'))
  assert.equal(called, 10)
  const signature = await call('C_SignMessage', [session, noParameter, data(MESSAGE), 32])
  assert.equal(hex(signature), macOf(MESSAGE))
  await call('C_VerifyMessage', [session, noParameter, data(MESSAGE), bytes(signature)])
})

test('an asynchronous session signs a message in the background, and the next one after it', async (t) => {
  const token = await openToken(t, 0)
  const { call } = token
  const flags = CKF.SERIAL_SESSION | CKF.ASYNC_SESSION
  const session = await call('C_OpenSession', [0, flags, false])
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    token.session,
    { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
    template({ MODULUS_BITS: 2048 }),
    [],
  ])
  await call('C_MessageSignInit', [session, pss, privateKey])
  await call('C_MessageVerifyInit', [token.session, pss, publicKey])
  for (const message of [MESSAGE, OTHER]) {
    const signature = await signedInBackground(token, session, message)
    await call('C_VerifyMessage', [token.session, noParameter, data(message), signature])
  }
  await call('C_MessageSignFinal', [session])
})

async function signedInBackground({ call }: Opened, session: number, message: Uint8Array) {
  const pending = answers('PENDING')
  await assert.rejects(call('C_SignMessage', [session, noParameter, data(message), 256]), pending)
  for (;;) {
    try {
      const { value } = await call('C_AsyncComplete', [session, 'C_SignMessage', true])
      return bytes(value)
    } catch (error) {
      pending(error)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}
