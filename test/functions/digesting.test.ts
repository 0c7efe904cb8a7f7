import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'

const sha256 = { type: CKM.SHA256, parameter: null }
const VALUE = Buffer.from('the value of a key')

const secret = ({ call, session }: Opened, more = {}) =>
  call('C_CreateObject', [
    session,
    template({ CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GENERIC_SECRET, VALUE, ...more }),
  ])

const digestOf = (message: Uint8Array) => createHash('sha256').update(message).digest()

test('C_DigestKey digests the value of a secret key between the parts of a message', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  for (const TOKEN of [true, false]) {
    const key = await secret(token, { TOKEN, SENSITIVE: true, EXTRACTABLE: false })
    await call('C_DigestInit', [session, sha256])
    await call('C_DigestUpdate', [session, data('before ')])
    await call('C_DigestKey', [session, key])
    await call('C_DigestUpdate', [session, data(' after')])
    const message = Buffer.concat([Buffer.from('before '), VALUE, Buffer.from(' after')])
    assert.deepEqual(
      Buffer.from(bytes(await call('C_DigestFinal', [session, 32]))),
      digestOf(message),
    )
  }
})

test('C_DigestKey makes a digest multi-part: C_Digest ends it no more', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_DigestInit', [session, sha256])
  await call('C_DigestKey', [session, await secret(token)])
  await assert.rejects(
    call('C_Digest', [session, data(''), 32]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('what is no secret key is indigestible, and so is a key that allows other mechanisms only', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.EC_KEY_PAIR_GEN, parameter: null },
    template({ EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex') }),
    template({}),
  ])
  const other = await secret(token, { ALLOWED_MECHANISMS: [CKM.SHA256_HMAC] })
  for (const key of [publicKey, privateKey, other]) {
    await call('C_DigestInit', [session, sha256])
    await assert.rejects(call('C_DigestKey', [session, key]), answers('KEY_INDIGESTIBLE'))
  }
  const allowed = await secret(token, { ALLOWED_MECHANISMS: [CKM.SHA256_HMAC, CKM.SHA256] })
  await call('C_DigestInit', [session, sha256])
  await call('C_DigestKey', [session, allowed])
})

test('C_DigestKey needs a digest and a key, and an error ends the digest', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await secret(token)
  const none = answers('OPERATION_NOT_INITIALIZED')
  await assert.rejects(call('C_DigestKey', [session, key]), none)
  const dataObject = await call('C_CreateObject', [session, template({ CLASS: CKO.DATA })])
  for (const handle of [9999, dataObject]) {
    await call('C_DigestInit', [session, sha256])
    await assert.rejects(call('C_DigestKey', [session, handle]), answers('KEY_HANDLE_INVALID'))
    await assert.rejects(call('C_DigestFinal', [session, 32]), none)
  }
})
