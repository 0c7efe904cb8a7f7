import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { AnswerOf, CallContext } from '../../src/standard/calls.ts'
import { CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'

const sha256 = { type: CKM.SHA256, parameter: null }
const hmac = { type: CKM.SHA256_HMAC, parameter: null }
const ecb = { type: CKM.AES_ECB, parameter: null }
const cbcPad = { type: CKM.AES_CBC_PAD, parameter: Buffer.alloc(16) }
const HMAC_KEY = Buffer.alloc(32, 7)
const MESSAGE = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 251))

const keyOf = ({ call, session }: Opened, keyType: number, value: Buffer) =>
  call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: keyType,
      VALUE: value,
      ENCRYPT: keyType === CKK.AES,
      DECRYPT: keyType === CKK.AES,
      SIGN: true,
      VERIFY: true,
    }),
  ])
const aesKey = (token: Opened) => keyOf(token, CKK.AES, Buffer.alloc(16, 5))
const hmacKey = (token: Opened) => keyOf(token, CKK.GENERIC_SECRET, HMAC_KEY)

const digestOf = (message: Uint8Array) => createHash('sha256').update(message).digest()
const macOf = (message: Uint8Array) => createHmac('sha256', HMAC_KEY).update(message).digest()

type Dual =
  | 'C_DigestEncryptUpdate'
  | 'C_DecryptDigestUpdate'
  | 'C_SignEncryptUpdate'
  | 'C_DecryptVerifyUpdate'

/** Feeds a message to a dual function in parts of odd lengths; answers what comes out. */
async function feed({ call, session }: Opened, name: Dual, message: Uint8Array): Promise<Buffer> {
  const out: Uint8Array[] = []
  for (const [from, to] of [
    [0, 1],
    [1, 1],
    [1, 500],
    [500, message.length],
  ])
    out.push(bytes(await call(name, [session, data(message.subarray(from, to)), 2000])))
  return Buffer.concat(out)
}

test('digest and encryption go on together, and so do decryption and digest', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await aesKey(token)
  await call('C_DigestInit', [session, sha256])
  await call('C_EncryptInit', [session, cbcPad, key])
  const encrypted = [await feed(token, 'C_DigestEncryptUpdate', MESSAGE)]
  encrypted.push(Buffer.from(bytes(await call('C_EncryptFinal', [session, 100]))))
  assert.deepEqual(
    Buffer.from(bytes(await call('C_DigestFinal', [session, 32]))),
    digestOf(MESSAGE),
  )

  await call('C_DecryptInit', [session, cbcPad, key])
  await call('C_DigestInit', [session, sha256])
  const plain = await feed(token, 'C_DecryptDigestUpdate', Buffer.concat(encrypted))
  const last = Buffer.from(bytes(await call('C_DecryptFinal', [session, 100])))
  assert.deepEqual(Buffer.concat([plain, last]), MESSAGE)
  // 5.17: what C_DecryptFinal puts out is not digested.
  assert.ok(last.length > 0)
  assert.deepEqual(Buffer.from(bytes(await call('C_DigestFinal', [session, 32]))), digestOf(plain))
})

test('signature and encryption go on together, and so do decryption and verification', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [key, macKey] = [await aesKey(token), await hmacKey(token)]
  const blocks = MESSAGE.subarray(0, 992)
  await call('C_SignInit', [session, hmac, macKey])
  await call('C_EncryptInit', [session, ecb, key])
  const encrypted = await feed(token, 'C_SignEncryptUpdate', blocks)
  assert.deepEqual(bytes(await call('C_EncryptFinal', [session, 100])).length, 0)
  const mac = bytes(await call('C_SignFinal', [session, 32]))
  assert.deepEqual(Buffer.from(mac), macOf(blocks))

  await call('C_DecryptInit', [session, ecb, key])
  await call('C_VerifyInit', [session, hmac, macKey])
  assert.deepEqual(await feed(token, 'C_DecryptVerifyUpdate', encrypted), blocks)
  await call('C_DecryptFinal', [session, 100])
  await call('C_VerifyFinal', [session, mac])
})

test('dual functions stand between those of their halves', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await aesKey(token)
  await call('C_DigestInit', [session, sha256])
  await call('C_EncryptInit', [session, ecb, key])
  await call('C_DigestUpdate', [session, data('before ')])
  await call('C_EncryptUpdate', [session, data(Buffer.alloc(8)), 100])
  await call('C_DigestEncryptUpdate', [session, data('together'), 100])
  await call('C_DigestUpdate', [session, data(' after')])
  assert.deepEqual(
    Buffer.from(bytes(await call('C_DigestFinal', [session, 32]))),
    digestOf(Buffer.from('before together after')),
  )
  await call('C_EncryptFinal', [session, 100])
})

test('no buffer, or one too small, leaves both operations as they were', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await aesKey(token)
  const part = data(Buffer.alloc(40, 1))
  await call('C_DigestInit', [session, sha256])
  await call('C_EncryptInit', [session, cbcPad, key])
  for (const room of [null, 0, 31])
    assert.deepEqual(await call('C_DigestEncryptUpdate', [session, part, room]), { needed: 32 })
  const first = bytes(await call('C_DigestEncryptUpdate', [session, part, 32]))
  const last = bytes(await call('C_EncryptFinal', [session, 16]))
  assert.deepEqual(
    Buffer.from(bytes(await call('C_DigestFinal', [session, 32]))),
    digestOf(Buffer.alloc(40, 1)),
  )

  await call('C_DecryptInit', [session, cbcPad, key])
  await call('C_DigestInit', [session, sha256])
  const whole = data(Buffer.concat([first, last]))
  for (const room of [null, 0, 31])
    assert.deepEqual(await call('C_DecryptDigestUpdate', [session, whole, room]), { needed: 32 })
  const plain = bytes(await call('C_DecryptDigestUpdate', [session, whole, 32]))
  assert.deepEqual(Buffer.from(bytes(await call('C_DigestFinal', [session, 32]))), digestOf(plain))
})

test('both operations must be active', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const none = answers('OPERATION_NOT_INITIALIZED')
  const part = data(Buffer.alloc(16))
  const encrypt = () => call('C_DigestEncryptUpdate', [session, part, 100])
  await assert.rejects(encrypt(), none)
  await call('C_DigestInit', [session, sha256])
  await assert.rejects(encrypt(), none)
  await call('C_EncryptInit', [session, ecb, await aesKey(token)])
  await assert.rejects(encrypt(), none)
})

/** Which operations go on, told by whether an Update of each is refused. */
async function goesOn({ call, session }: Opened): Promise<string[]> {
  const tries: Record<string, Promise<unknown>> = {
    digest: call('C_DigestUpdate', [session, data('')]),
    encrypt: call('C_EncryptUpdate', [session, data(''), 100]),
    decrypt: call('C_DecryptUpdate', [session, data(''), 100]),
    sign: call('C_SignUpdate', [session, data('')]),
    verify: call('C_VerifyUpdate', [session, data('')]),
  }
  const alive: string[] = []
  for (const [name, tried] of Object.entries(tries))
    await tried.then(
      () => alive.push(name),
      (error) => answers('OPERATION_NOT_INITIALIZED')(error),
    )
  return alive
}

test('an error ends both operations', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await aesKey(token)
  const pair = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.EC_KEY_PAIR_GEN, parameter: null },
    template({ EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex') }),
    template({}),
  ])
  // CKM_ECDSA signs at most 128 bytes.
  await call('C_SignInit', [session, { type: CKM.ECDSA, parameter: null }, pair[1]])
  await call('C_EncryptInit', [session, ecb, key])
  assert.deepEqual(await goesOn(token), ['encrypt', 'sign'])
  await assert.rejects(
    call('C_SignEncryptUpdate', [session, data(Buffer.alloc(160)), 1000]),
    answers('DATA_LEN_RANGE'),
  )
  assert.deepEqual(await goesOn(token), [])
})

test('a result that waits for its buffer is not taken by a dual function', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await aesKey(token)
  await call('C_EncryptInit', [session, cbcPad, key])
  const encrypted = bytes(await call('C_Encrypt', [session, data('hello'), 100]))
  await call('C_DecryptInit', [session, cbcPad, key])
  await call('C_DigestInit', [session, sha256])
  assert.deepEqual(await call('C_Decrypt', [session, data(encrypted), 4]), { needed: 5 })
  await assert.rejects(
    call('C_DecryptDigestUpdate', [session, data(encrypted), 100]),
    answers('OPERATION_ACTIVE'),
  )
  assert.equal(bytes(await call('C_Decrypt', [session, data(encrypted), 5])).length, 5)
  assert.deepEqual(
    Buffer.from(bytes(await call('C_DigestFinal', [session, 32]))),
    digestOf(Buffer.alloc(0)),
  )
})

const LONG = 3 << 20
const long = {
  length: LONG,
  read: (_offset: number, length: number) => Buffer.alloc(length, 'x'),
}

test('long data goes through in steps, with a callback between them, and comes out as it is made', async (t) => {
  const token = await openToken(t, 0)
  const { call, session } = token
  await call('C_DigestInit', [session, sha256])
  await call('C_EncryptInit', [session, ecb, await aesKey(token)])
  let callbacks = 0
  const put: number[] = []
  const context: CallContext = {
    notify: () => {
      callbacks++
      return CKR.OK
    },
    put: (offset, part) => void put.push(offset, part.length),
  }
  type Answer = AnswerOf<'C_DigestEncryptUpdate'>
  const answer: Answer = await call('C_DigestEncryptUpdate', [session, long, LONG], context)
  assert.deepEqual(answer, { put: LONG })
  const MIB = 1 << 20
  assert.deepEqual(put, [0, MIB, MIB, MIB, 2 * MIB, MIB])
  assert.ok(callbacks >= 3, `${callbacks} callbacks`)
  assert.deepEqual(
    Buffer.from(bytes(await call('C_DigestFinal', [session, 32]))),
    digestOf(Buffer.alloc(LONG, 'x')),
  )
})

test('a cancelled dual function ends both operations', async (t) => {
  const token = await openToken(t, 0)
  const { call, session } = token
  await call('C_SignInit', [session, hmac, await hmacKey(token)])
  await call('C_EncryptInit', [session, ecb, await aesKey(token)])
  let callbacks = 0
  const notify = () => (++callbacks === 2 ? CKR.CANCEL : CKR.OK)
  await assert.rejects(
    call('C_SignEncryptUpdate', [session, long, LONG], { notify }),
    answers('FUNCTION_CANCELED'),
  )
  assert.deepEqual(await goesOn(token), [])
})
