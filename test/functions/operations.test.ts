import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { answers, bytes, data, openToken, template } from '../in-process.ts'

const sha256 = { type: CKM.SHA256, parameter: null }
const cbcPad = { type: CKM.AES_CBC_PAD, parameter: Buffer.alloc(16) }
const ecb = { type: CKM.AES_ECB, parameter: null }
const AES = {
  CLASS: CKO.SECRET_KEY,
  KEY_TYPE: CKK.AES,
  VALUE: Buffer.alloc(16, 5),
  ENCRYPT: true,
  DECRYPT: true,
}
const whole = (message: Uint8Array) => createHash('sha256').update(message).digest()

test('no buffer asks the length, and the operation goes on', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_DigestInit', [session, sha256])
  assert.deepEqual(await call('C_Digest', [session, data('abc'), null]), { needed: 32 })
  assert.deepEqual(await call('C_Digest', [session, data('abc'), 31]), { needed: 32 })
  assert.deepEqual(
    Buffer.from(bytes(await call('C_Digest', [session, data('abc'), 32]))),
    whole(Buffer.from('abc')),
  )
  await assert.rejects(
    call('C_Digest', [session, data('abc'), 32]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('a padded decryption fits a buffer of its exact length, and a shorter one keeps the result', async (t) => {
  const { call, session } = await openToken(t)
  const key = await call('C_CreateObject', [session, template(AES)])
  await call('C_EncryptInit', [session, cbcPad, key])
  const encrypted = bytes(await call('C_Encrypt', [session, data('hello'), 100]))
  await call('C_DecryptInit', [session, cbcPad, key])
  assert.deepEqual(await call('C_Decrypt', [session, data(encrypted), 4]), { needed: 5 })
  assert.equal(
    Buffer.from(bytes(await call('C_Decrypt', [session, data(encrypted), 5]))).toString(),
    'hello',
  )
})

test('a result that waits for its buffer is fetched by the function that made it and by no other', async (t) => {
  const { call, session } = await openToken(t)
  const key = await call('C_CreateObject', [session, template(AES)])
  await call('C_EncryptInit', [session, cbcPad, key])
  const encrypted = bytes(await call('C_Encrypt', [session, data('hello'), 100]))
  await call('C_DecryptInit', [session, cbcPad, key])
  await call('C_Decrypt', [session, data(encrypted), 4])
  await assert.rejects(
    call('C_DecryptUpdate', [session, data(''), 100]),
    answers('OPERATION_ACTIVE'),
  )
  await assert.rejects(call('C_DecryptFinal', [session, 100]), answers('OPERATION_ACTIVE'))
  assert.equal(
    Buffer.from(bytes(await call('C_Decrypt', [session, data(encrypted), 5]))).toString(),
    'hello',
  )
})

test('Update and Final make what the single-part function makes', async (t) => {
  const { call, session } = await openToken(t)
  const key = await call('C_CreateObject', [session, template(AES)])
  const message = Buffer.alloc(1000, 'x')
  await call('C_EncryptInit', [session, cbcPad, key])
  const single = bytes(await call('C_Encrypt', [session, data(message), 2000]))
  await call('C_EncryptInit', [session, cbcPad, key])
  const parts = [message.subarray(0, 7), message.subarray(7, 500), message.subarray(500)]
  const made: Uint8Array[] = []
  for (const part of parts)
    made.push(bytes(await call('C_EncryptUpdate', [session, data(part), 2000])))
  made.push(bytes(await call('C_EncryptFinal', [session, 2000])))
  assert.deepEqual(Buffer.concat(made), Buffer.from(single))
})

test('an Update of no bytes is fine', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_DigestInit', [session, sha256])
  await call('C_DigestUpdate', [session, data('')])
  await call('C_DigestUpdate', [session, data('abc')])
  assert.deepEqual(
    Buffer.from(bytes(await call('C_DigestFinal', [session, 64]))),
    whole(Buffer.from('abc')),
  )
})

test('the single-part function does not end a multi-part operation', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_DigestInit', [session, sha256])
  await call('C_DigestUpdate', [session, data('abc')])
  await assert.rejects(
    call('C_Digest', [session, data('abc'), 32]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('an Init while one is active answers CKR_OPERATION_ACTIVE and leaves that one as it is', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_DigestInit', [session, sha256])
  await assert.rejects(call('C_DigestInit', [session, sha256]), answers('OPERATION_ACTIVE'))
  assert.deepEqual(await call('C_Digest', [session, data('abc'), null]), { needed: 32 })
})

test('an error ends the operation, so the next Init finds none', async (t) => {
  const { call, session } = await openToken(t)
  const key = await call('C_CreateObject', [session, template(AES)])
  await call('C_EncryptInit', [session, ecb, key])
  await assert.rejects(
    call('C_Encrypt', [session, data('not a block'), 100]),
    answers('DATA_LEN_RANGE'),
  )
  await call('C_EncryptInit', [session, ecb, key])
})

test('a key is checked before it is used', async (t) => {
  const { call, session } = await openToken(t)
  const key = await call('C_CreateObject', [session, template({ ...AES, ENCRYPT: false })])
  await assert.rejects(call('C_EncryptInit', [session, ecb, 4711]), answers('KEY_HANDLE_INVALID'))
  await assert.rejects(
    call('C_EncryptInit', [session, ecb, key]),
    answers('KEY_FUNCTION_NOT_PERMITTED'),
  )
  await assert.rejects(
    call('C_SignInit', [session, { type: CKM.ECDSA, parameter: null }, key]),
    answers('KEY_TYPE_INCONSISTENT'),
  )
  await assert.rejects(call('C_EncryptInit', [session, sha256, key]), answers('MECHANISM_INVALID'))
  await assert.rejects(
    call('C_EncryptInit', [session, { type: 0x80001234, parameter: null }, key]),
    answers('MECHANISM_INVALID'),
  )
  const fit = await call('C_CreateObject', [session, template(AES)])
  await assert.rejects(
    call('C_EncryptInit', [session, { ...cbcPad, parameter: Buffer.alloc(3) }, fit]),
    answers('MECHANISM_PARAM_INVALID'),
  )
  await assert.rejects(call('C_EncryptInit', [session, null, key]), answers('ARGUMENTS_BAD'))
})

test('an operation ends with its key', async (t) => {
  const { call, session } = await openToken(t)
  const key = await call('C_CreateObject', [session, template(AES)])
  await call('C_EncryptInit', [session, ecb, key])
  await call('C_DestroyObject', [session, key])
  await assert.rejects(
    call('C_Encrypt', [session, data(Buffer.alloc(16)), 16]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('an operation ends when the session whose object its key is closes', async (t) => {
  const { call, session } = await openToken(t)
  const other = await call('C_OpenSession', [0, 6, false])
  const key = await call('C_CreateObject', [other, template(AES)])
  await call('C_EncryptInit', [session, ecb, key])
  await call('C_CloseSession', [other])
  await assert.rejects(
    call('C_Encrypt', [session, data(Buffer.alloc(16)), 16]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('an operation ends when another application destroys its key', async (t) => {
  const token = await openToken(t)
  const other = await token.another()
  const named = { ...AES, TOKEN: true, LABEL: 'shared' }
  await token.call('C_CreateObject', [token.session, template(named)])
  const found: number[] = []
  for (const { call, session } of [token, other]) {
    await call('C_FindObjectsInit', [session, template({ LABEL: 'shared' })])
    found.push((await call('C_FindObjects', [session, 1]))[0] as number)
    await call('C_FindObjectsFinal', [session])
  }
  const [own, theirs] = found as [number, number]
  await token.call('C_EncryptInit', [token.session, ecb, own])
  await token.call('C_EncryptUpdate', [token.session, data(Buffer.alloc(16)), 16])
  await token.call('C_DigestInit', [token.session, sha256])
  await other.call('C_DestroyObject', [other.session, theirs])
  await assert.rejects(
    token.call('C_EncryptFinal', [token.session, 16]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await assert.rejects(
    token.call('C_EncryptInit', [token.session, ecb, own]),
    answers('KEY_HANDLE_INVALID'),
  )
  await token.call('C_DigestFinal', [token.session, 32])
})

test('an operation ends when another host destroys its key', async (t) => {
  const { call, session, store } = await openToken(t)
  const key = await call('C_CreateObject', [session, template({ ...AES, TOKEN: true })])
  await call('C_EncryptInit', [session, ecb, key])
  const [id] = await store.findObjects(0, true, [])
  assert.ok(await store.destroyObject(0, id as string))
  await assert.rejects(
    call('C_Encrypt', [session, data(Buffer.alloc(16)), 16]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('a key that is destroyed, or hidden, while an Init fetches it begins no operation', async (t) => {
  const token = await openToken(t)
  const { store } = token
  const named = { ...AES, TOKEN: true }
  for (const [ends, rv] of [
    ['C_DestroyObject', 'KEY_HANDLE_INVALID'],
    ['C_Logout', 'USER_NOT_LOGGED_IN'],
  ] as const) {
    const { call, session } = await token.another()
    const key = await call('C_CreateObject', [session, template(named)])
    const other = await call('C_OpenSession', [0, 6, false])
    // A change closes the object, so that it is fetched from the store.
    await call('C_SetAttributeValue', [session, key, template({ LABEL: 'changed' })])
    const object = store.object.bind(store)
    store.object = async (slot, id) => {
      const record = await object(slot, id)
      store.object = object
      if (ends === 'C_Logout') await call('C_Logout', [other])
      else await call('C_DestroyObject', [other, key])
      return record
    }
    await assert.rejects(call('C_EncryptInit', [session, ecb, key]), answers(rv))
    await assert.rejects(
      call('C_Encrypt', [session, data(Buffer.alloc(16)), 16]),
      answers('OPERATION_NOT_INITIALIZED'),
    )
  }
})

test('with interval 0 every cryptographic call surrenders at least once, with CKN_SURRENDER', async (t) => {
  const { call, session } = await openToken(t, 0)
  const events: number[] = []
  const notify = (event: number) => {
    events.push(event)
    return CKR.OK
  }
  const context = { notify }
  await call('C_DigestInit', [session, sha256], context)
  await call('C_DigestUpdate', [session, data('abc')], context)
  await call('C_DigestFinal', [session, 32], context)
  await call('C_GenerateRandom', [session, 16], context)
  assert.deepEqual(events, [0, 0, 0, 0])
})

test('a cancelled digest ends at once and its operation with it', async (t) => {
  const { call, session } = await openToken(t, 0)
  await call('C_DigestInit', [session, sha256])
  let calls = 0
  const notify = () => (++calls === 5 ? CKR.CANCEL : CKR.OK)
  const long = { length: 2 ** 40, read: (_offset: number, length: number) => Buffer.alloc(length) }
  await assert.rejects(
    call('C_Digest', [session, long, 32], { notify }),
    answers('FUNCTION_CANCELED'),
  )
  assert.equal(calls, 5)
  await assert.rejects(call('C_DigestFinal', [session, 32]), answers('OPERATION_NOT_INITIALIZED'))
})

test('a cancelled Init leaves nothing active', async (t) => {
  const { call, session } = await openToken(t, 0)
  const notify = () => CKR.CANCEL
  await assert.rejects(
    call('C_DigestInit', [session, sha256], { notify }),
    answers('FUNCTION_CANCELED'),
  )
  await assert.rejects(
    call('C_Digest', [session, data('abc'), 32]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('a cancelled C_GenerateKeyPair leaves no object behind', async (t) => {
  const { call, session, restart } = await openToken(t, 5)
  let calls = 0
  const notify = () => (++calls === 5 ? CKR.CANCEL : CKR.OK)
  const pair = call(
    'C_GenerateKeyPair',
    [
      session,
      { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
      template({ MODULUS_BITS: 16384, TOKEN: true, LABEL: 'cancelled' }),
      template({ TOKEN: true, PRIVATE: false, LABEL: 'cancelled' }),
    ],
    { notify },
  )
  await assert.rejects(pair, answers('FUNCTION_CANCELED'))
  const again = await restart()
  await again.call('C_FindObjectsInit', [again.session, template({ LABEL: 'cancelled' })])
  assert.deepEqual(await again.call('C_FindObjects', [again.session, 8]), [])
})

test('closing the session from elsewhere stops its running function, and those that wait for it', async (t) => {
  const { call, session } = await openToken(t)
  const pair = call('C_GenerateKeyPair', [
    session,
    { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
    template({ MODULUS_BITS: 16384 }),
    template({}),
  ])
  const waiting = call('C_GenerateRandom', [session, 8])
  setTimeout(() => void call('C_CloseAllSessions', [0]), 20)
  await assert.rejects(pair, answers('SESSION_CLOSED'))
  await assert.rejects(waiting, answers('SESSION_CLOSED'))
})

test('calls on one session run in order, those on another session do not wait for them', async (t) => {
  const { call, session, slot } = await openToken(t)
  const other = await call('C_OpenSession', [slot, 6, false])
  const order: string[] = []
  const stop = new AbortController()
  const long = call(
    'C_GenerateKeyPair',
    [
      session,
      { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
      template({ MODULUS_BITS: 16384 }),
      template({}),
    ],
    { signal: stop.signal },
  ).catch(() => order.push('long'))
  const second = call('C_GenerateRandom', [session, 8]).then(() => order.push('second'))
  await call('C_GenerateRandom', [other, 8]).then(() => order.push('other'))
  stop.abort()
  await Promise.all([long, second])
  assert.deepEqual(order, ['other', 'long', 'second'])
})
