import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attribute } from '../../src/standard/calls.ts'
import { CKA, CKD, CKF, CKK, CKM, CKO, CKS, CKU } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, PIN, template } from '../in-process.ts'

const ecb = { type: CKM.AES_ECB, parameter: null }
const keyWrap = { type: CKM.AES_KEY_WRAP, parameter: null }
const ecdsa = { type: CKM.ECDSA, parameter: null }
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
const AES = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES, VALUE: Buffer.alloc(16, 5) }
const WRAPPING = { ...AES, WRAP: true, UNWRAP: true }

type Named = Parameters<typeof template>[0]

const create = ({ call, session }: Opened, named: Named, ...more: Attribute[]) =>
  call('C_CreateObject', [session, [...template(named), ...more]])

/** CKA_UNWRAP_TEMPLATE and its like. */
const within = (name: 'WRAP_TEMPLATE' | 'UNWRAP_TEMPLATE' | 'DERIVE_TEMPLATE', named: Named) => ({
  type: CKA[name],
  value: template(named),
})

async function attribute(
  { call, session }: Opened,
  object: number,
  name: keyof typeof CKA,
): Promise<Uint8Array> {
  const query = [{ type: CKA[name], room: 1000 }]
  const { answers: values } = await call('C_GetAttributeValue', [session, object, query])
  return bytes(values[0]?.value)
}

const ulong = (value: number) => {
  const encoded = Buffer.alloc(8)
  encoded.writeBigUInt64LE(BigInt(value))
  return encoded
}

const pair = async ({ call, session }: Opened, ...more: Attribute[]) => {
  const mechanism = { type: CKM.EC_KEY_PAIR_GEN, parameter: null }
  const publicKey = template({ EC_PARAMS: P256 })
  return call('C_GenerateKeyPair', [session, mechanism, publicKey, more])
}

/** CKM_ECDH1_DERIVE with the key's own public key. */
const ecdh = async (token: Opened, publicKey: number) => ({
  type: CKM.ECDH1_DERIVE,
  parameter: {
    kdf: CKD.NULL,
    sharedData: Buffer.alloc(0),
    publicData: await attribute(token, publicKey, 'EC_POINT'),
  },
})

test('CKA_ALLOWED_MECHANISMS keeps a key from every use with another mechanism', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const target = await create(token, { ...AES, EXTRACTABLE: true })
  const key = await create(token, { ...WRAPPING, ALLOWED_MECHANISMS: [CKM.AES_KEY_WRAP] })
  const wrapped = bytes(await call('C_WrapKey', [session, keyWrap, key, target, 100]))
  const forbidden = answers('MECHANISM_INVALID')
  await assert.rejects(call('C_EncryptInit', [session, ecb, key]), forbidden)
  await assert.rejects(call('C_DecryptInit', [session, ecb, key]), forbidden)
  await assert.rejects(call('C_WrapKey', [session, ecb, key, target, 100]), forbidden)
  const made = template({ CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES })
  await assert.rejects(call('C_UnwrapKey', [session, ecb, key, wrapped, made]), forbidden)
  await call('C_UnwrapKey', [session, keyWrap, key, wrapped, made])

  const [publicKey, privateKey] = await pair(
    token,
    ...template({ DERIVE: true, SIGN: true, ALLOWED_MECHANISMS: [CKM.ECDSA] }),
  )
  const mechanism = await ecdh(token, publicKey)
  await assert.rejects(call('C_DeriveKey', [session, mechanism, privateKey, []]), forbidden)
  await call('C_SignInit', [session, ecdsa, privateKey])
})

test('CKA_WRAP_TEMPLATE chooses the keys that are wrapped', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await create(
    token,
    WRAPPING,
    within('WRAP_TEMPLATE', { KEY_TYPE: CKK.AES, ID: 'may leave' }),
  )
  const wrap = async (named: Named) =>
    call('C_WrapKey', [session, keyWrap, key, await create(token, named), 100])
  await wrap({ ...AES, EXTRACTABLE: true, ID: 'may leave' })
  await assert.rejects(wrap({ ...AES, EXTRACTABLE: true }), answers('KEY_HANDLE_INVALID'))
  await assert.rejects(wrap({ ...AES, ID: 'may leave' }), answers('KEY_UNEXTRACTABLE'))
})

test('CKA_UNWRAP_TEMPLATE is added to the key that is unwrapped, its class and type too', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const imposed = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES, EXTRACTABLE: false, DECRYPT: false }
  const key = await create(token, WRAPPING, within('UNWRAP_TEMPLATE', imposed))
  const target = await create(token, { ...AES, EXTRACTABLE: true })
  const wrapped = bytes(await call('C_WrapKey', [session, keyWrap, key, target, 100]))
  const unwrap = (named: Named) =>
    call('C_UnwrapKey', [session, keyWrap, key, wrapped, template(named)])
  for (const named of [{}, { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES }, { EXTRACTABLE: false }]) {
    const made = await unwrap(named)
    assert.deepEqual(Buffer.from(await attribute(token, made, 'KEY_TYPE')), ulong(CKK.AES))
    assert.deepEqual([...(await attribute(token, made, 'EXTRACTABLE'))], [0])
    await assert.rejects(
      call('C_DecryptInit', [session, ecb, made]),
      answers('KEY_FUNCTION_NOT_PERMITTED'),
    )
  }
  for (const named of [
    { EXTRACTABLE: true },
    { CLASS: CKO.PRIVATE_KEY },
    { KEY_TYPE: CKK.GENERIC_SECRET },
  ])
    await assert.rejects(unwrap(named), answers('TEMPLATE_INCONSISTENT'))
})

test('CKA_DERIVE_TEMPLATE is added to the key that is derived', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [publicKey, privateKey] = await pair(
    token,
    ...template({ DERIVE: true }),
    within('DERIVE_TEMPLATE', { KEY_TYPE: CKK.AES, VALUE_LEN: 16, ENCRYPT: false }),
  )
  const mechanism = await ecdh(token, publicKey)
  const key = await call('C_DeriveKey', [session, mechanism, privateKey, []])
  assert.deepEqual(Buffer.from(await attribute(token, key, 'KEY_TYPE')), ulong(CKK.AES))
  assert.deepEqual(Buffer.from(await attribute(token, key, 'VALUE_LEN')), ulong(16))
  await assert.rejects(
    call('C_EncryptInit', [session, ecb, key]),
    answers('KEY_FUNCTION_NOT_PERMITTED'),
  )
  for (const named of [{ ENCRYPT: true }, { KEY_TYPE: CKK.GENERIC_SECRET }, { VALUE_LEN: 32 }])
    await assert.rejects(
      call('C_DeriveKey', [session, mechanism, privateKey, template(named)]),
      answers('TEMPLATE_INCONSISTENT'),
    )
})

test('the dates of a key are kept and restrict nothing, as 4.8 says', async (t) => {
  const token = await openToken(t)
  const key = await create(token, { ...AES, START_DATE: '19990101', END_DATE: '19991231' })
  await token.call('C_EncryptInit', [token.session, ecb, key])
  assert.equal(Buffer.from(await attribute(token, key, 'END_DATE')).toString(), '19991231')
})

/** A token with a private key that asks for a login at each use. */
async function watchful(t: Parameters<typeof openToken>[0]) {
  const token = await openToken(t)
  const named = { ALWAYS_AUTHENTICATE: true, TOKEN: true, DERIVE: true }
  const [publicKey, key] = await pair(token, ...template(named))
  const { call, session } = token
  return {
    ...token,
    publicKey,
    key,
    begin: (on = session) => call('C_SignInit', [on, ecdsa, key]),
    sign: (on = session) => call('C_Sign', [on, data(Buffer.alloc(32, 1)), 64]),
    login: (pin: Uint8Array, on = session) => call('C_Login', [on, CKU.CONTEXT_SPECIFIC, pin]),
  }
}

test('a key with CKA_ALWAYS_AUTHENTICATE is used once for each login', async (t) => {
  const { begin, sign, login, call, session } = await watchful(t)
  await begin()
  await assert.rejects(sign(), answers('USER_NOT_LOGGED_IN'))
  await begin()
  await login(PIN)
  // Asking the length is no use of the key.
  assert.deepEqual(await call('C_Sign', [session, data(Buffer.alloc(32, 1)), null]), { needed: 64 })
  await sign()
  await begin()
  await assert.rejects(sign(), answers('USER_NOT_LOGGED_IN'))
})

test('a login for one use serves the operation that was begun last, and no other session', async (t) => {
  const { begin, sign, login, call, session } = await watchful(t)
  const other = await call('C_OpenSession', [0, CKF.SERIAL_SESSION, false])
  await begin()
  await begin(other)
  await login(PIN)
  await sign()
  await assert.rejects(sign(other), answers('USER_NOT_LOGGED_IN'))
  await assert.rejects(login(PIN), answers('OPERATION_NOT_INITIALIZED'))
  assert.equal((await call('C_GetSessionInfo', [session])).state, CKS.RW_USER_FUNCTIONS)
})

test('a wrong PIN for one use leaves the operation and the login as they were', async (t) => {
  const { begin, sign, login, call, session } = await watchful(t)
  await begin()
  await assert.rejects(login(Buffer.from('wrong')), answers('PIN_INCORRECT'))
  assert.equal((await call('C_GetSessionInfo', [session])).state, CKS.RW_USER_FUNCTIONS)
  await login(PIN)
  await sign()
})

test('the wrong PIN that locks logs the user out', async (t) => {
  const { begin, sign, login, call, session } = await watchful(t)
  await begin()
  const wrong = Buffer.from('wrong')
  for (let tries = 1; tries <= 9; tries++)
    await assert.rejects(login(wrong), answers('PIN_INCORRECT'))
  await assert.rejects(login(wrong), answers('PIN_LOCKED'))
  assert.equal((await call('C_GetSessionInfo', [session])).state, CKS.RW_PUBLIC_SESSION)
  await assert.rejects(sign(), answers('OPERATION_NOT_INITIALIZED'))
  await assert.rejects(begin(), answers('KEY_HANDLE_INVALID'))
})

test('a login for one use where the key asks for none changes nothing', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [, key] = await pair(token)
  await call('C_SignInit', [session, ecdsa, key])
  await assert.rejects(
    call('C_Login', [session, CKU.CONTEXT_SPECIFIC, PIN]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await call('C_Sign', [session, data(Buffer.alloc(32, 1)), 64])
})

test('what uses a key at once cannot use one that asks for a login', async (t) => {
  const token = await watchful(t)
  const { call, session, key } = token
  await assert.rejects(
    call('C_DeriveKey', [session, await ecdh(token, token.publicKey), key, []]),
    answers('USER_NOT_LOGGED_IN'),
  )
})

test('a cancelled use of a key that asks for a login takes another login', async (t) => {
  const { begin, sign, login, call, session } = await watchful(t)
  await begin()
  await login(PIN)
  const stop = new AbortController()
  stop.abort()
  await assert.rejects(
    call('C_Sign', [session, data(Buffer.alloc(32)), 64], { signal: stop.signal }),
    answers('FUNCTION_CANCELED'),
  )
  await begin()
  await assert.rejects(sign(), answers('USER_NOT_LOGGED_IN'))
})
