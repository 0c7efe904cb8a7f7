import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CK_UNAVAILABLE_INFORMATION,
  CKA,
  CKC,
  CKF,
  CKK,
  CKM,
  CKO,
  CKR,
  CKU,
} from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, PIN, template } from '../in-process.ts'

const DATA = { CLASS: CKO.DATA, LABEL: 'a label', VALUE: 'a value' }
const SECRET = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES, VALUE: Buffer.alloc(16, 9) }
const RO = CKF.SERIAL_SESSION

async function find(
  { call, session }: Opened,
  values: Parameters<typeof template>[0],
): Promise<readonly number[]> {
  await call('C_FindObjectsInit', [session, template(values)])
  const found = await call('C_FindObjects', [session, 100])
  await call('C_FindObjectsFinal', [session])
  return found
}

/** All objects but those that tell about the token. */
async function made(token: Opened): Promise<readonly number[]> {
  const profiles = await find(token, { CLASS: CKO.PROFILE })
  return (await find(token, {})).filter((handle) => !profiles.includes(handle))
}

test('token objects last, with their attributes; session objects do not', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_CreateObject', [session, template({ ...DATA, TOKEN: true })])
  await call('C_CreateObject', [
    session,
    template({ ...SECRET, TOKEN: true, PRIVATE: true, LABEL: 'key' }),
  ])
  await call('C_CreateObject', [
    session,
    template({ ...DATA, TOKEN: false, LABEL: 'of the session' }),
  ])
  assert.equal((await made(token)).length, 3)
  const again = await token.restart()
  assert.equal((await made(again)).length, 1)
  await again.call('C_Login', [again.session, CKU.USER, PIN])
  assert.equal((await made(again)).length, 2)
  const [object] = await find(again, { LABEL: 'a label' })
  const { answers: values, rv } = await again.call('C_GetAttributeValue', [
    again.session,
    object as number,
    [
      { type: CKA.VALUE, room: 100 },
      { type: CKA.LABEL, room: null },
    ],
  ])
  assert.equal(rv, CKR.OK)
  assert.equal(Buffer.from(bytes(values[0]?.value)).toString(), 'a value')
  assert.deepEqual([values[1]?.value, values[1]?.length], [null, 7])
})

test('a search has an Init, any number of rounds and a Final', async (t) => {
  const { call, session } = await openToken(t)
  for (let i = 0; i < 5; i++)
    await call('C_CreateObject', [session, template({ ...DATA, LABEL: `${i}` })])
  await assert.rejects(call('C_FindObjects', [session, 2]), answers('OPERATION_NOT_INITIALIZED'))
  await call('C_FindObjectsInit', [session, template({ CLASS: CKO.DATA })])
  await assert.rejects(call('C_FindObjectsInit', [session, []]), answers('OPERATION_ACTIVE'))
  const rounds = [2, 2, 2, 2].map(() => call('C_FindObjects', [session, 2]))
  assert.deepEqual(
    (await Promise.all(rounds)).map((round) => round.length),
    [2, 2, 1, 0],
  )
  await call('C_FindObjectsFinal', [session])
  await assert.rejects(call('C_FindObjectsFinal', [session]), answers('OPERATION_NOT_INITIALIZED'))
})

test('a sensitive key keeps its value, and a search for the value does not find it', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  for (const TOKEN of [false, true]) {
    const key = await call('C_CreateObject', [
      session,
      template({ ...SECRET, TOKEN, SENSITIVE: true }),
    ])
    const { answers: values, rv } = await call('C_GetAttributeValue', [
      session,
      key,
      [{ type: CKA.VALUE, room: 16 }],
    ])
    assert.equal(rv, CKR.ATTRIBUTE_SENSITIVE)
    assert.deepEqual(values[0], {
      type: CKA.VALUE,
      value: null,
      length: CK_UNAVAILABLE_INFORMATION,
    })
  }
  assert.deepEqual(await find(token, { VALUE: SECRET.VALUE }), [])
})

test('a read-only session neither makes, changes nor destroys token objects', async (t) => {
  const { call, session } = await openToken(t)
  const object = await call('C_CreateObject', [session, template({ ...DATA, TOKEN: true })])
  const reader = await call('C_OpenSession', [0, RO, false])
  await assert.rejects(
    call('C_CreateObject', [reader, template({ ...DATA, TOKEN: true })]),
    answers('SESSION_READ_ONLY'),
  )
  await assert.rejects(
    call('C_SetAttributeValue', [reader, object, template({ LABEL: 'x' })]),
    answers('SESSION_READ_ONLY'),
  )
  await assert.rejects(call('C_DestroyObject', [reader, object]), answers('SESSION_READ_ONLY'))
  await call('C_CreateObject', [reader, template(DATA)])
})

test('private objects need a user', async (t) => {
  const { call, session } = await openToken(t)
  await call('C_Logout', [session])
  await assert.rejects(
    call('C_CreateObject', [session, template({ ...DATA, PRIVATE: true })]),
    answers('USER_NOT_LOGGED_IN'),
  )
})

test('a changed attribute lasts, and the old value is found no more', async (t) => {
  const token = await openToken(t)
  const object = await token.call('C_CreateObject', [
    token.session,
    template({ ...DATA, TOKEN: true }),
  ])
  await token.call('C_SetAttributeValue', [token.session, object, template({ LABEL: 'new' })])
  assert.deepEqual(await find(token, { LABEL: 'new' }), [object])
  assert.deepEqual(await find(token, { LABEL: 'a label' }), [])
  assert.equal((await find(await token.restart(), { LABEL: 'new' })).length, 1)
})

test('a destroyed object is gone for every application', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const object = await call('C_CreateObject', [session, template({ ...DATA, TOKEN: true })])
  await call('C_DestroyObject', [session, object])
  await assert.rejects(call('C_DestroyObject', [session, object]), answers('OBJECT_HANDLE_INVALID'))
  assert.deepEqual(await made(await token.restart()), [])
})

test('templates that repeat, contradict, lack or overflow make nothing', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const create = (attributes: ReturnType<typeof template>) =>
    call('C_CreateObject', [session, attributes])
  const twice = [...template(DATA), ...template({ LABEL: 'another' })]
  await assert.rejects(create(twice), answers('TEMPLATE_INCONSISTENT'))
  await assert.rejects(create(template({ LABEL: 'x' })), answers('TEMPLATE_INCOMPLETE'))
  await assert.rejects(
    create(template({ ...DATA, MODULUS: 'x' })),
    answers('TEMPLATE_INCONSISTENT'),
  )
  await assert.rejects(
    create([...template(DATA), { type: 0x4711, value: Buffer.alloc(1) }]),
    answers('ATTRIBUTE_TYPE_INVALID'),
  )
  await assert.rejects(
    create([{ type: CKA.CLASS, value: Buffer.alloc(3) }]),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
  await assert.rejects(
    create(template({ ...DATA, UNIQUE_ID: 'mine' })),
    answers('ATTRIBUTE_READ_ONLY'),
  )
  await assert.rejects(
    create(template({ ...SECRET, VALUE: Buffer.alloc(17) })),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
  const many = Array.from({ length: 2000 }, () => template({ LABEL: 'x' })).flat()
  await assert.rejects(create([...template(DATA), ...many]), answers('TEMPLATE_INCONSISTENT'))
  assert.deepEqual(await made(token), [])
})

test('certificates are kept and found by subject', async (t) => {
  const token = await openToken(t)
  const certificate = {
    CLASS: CKO.CERTIFICATE,
    CERTIFICATE_TYPE: CKC.X_509,
    SUBJECT: 'subject',
    VALUE: 'der',
    TOKEN: true,
  }
  const object = await token.call('C_CreateObject', [token.session, template(certificate)])
  assert.deepEqual(await find(token, { SUBJECT: 'subject' }), [object])
})

test('a private RSA key created from its components signs, and one that contradicts itself is refused', async (t) => {
  const { generateKeyPairSync, createPublicKey, verify } = await import('node:crypto')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const part = (name: 'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi') =>
    Buffer.from(privateKey.export({ format: 'jwk' })[name] as string, 'base64url')
  const key = {
    CLASS: CKO.PRIVATE_KEY,
    KEY_TYPE: CKK.RSA,
    SIGN: true,
    MODULUS: part('n'),
    PUBLIC_EXPONENT: part('e'),
    PRIVATE_EXPONENT: part('d'),
    PRIME_1: part('p'),
    PRIME_2: part('q'),
    EXPONENT_1: part('dp'),
    EXPONENT_2: part('dq'),
    COEFFICIENT: part('qi'),
  }
  const { call, session } = await openToken(t)
  const handle = await call('C_CreateObject', [session, template(key)])
  await call('C_SignInit', [session, { type: CKM.SHA256_RSA_PKCS, parameter: null }, handle])
  const signature = bytes(await call('C_Sign', [session, data('message'), 256]))
  assert.ok(verify('sha256', Buffer.from('message'), createPublicKey(privateKey), signature))
  const wrong = { ...key, PRIVATE_EXPONENT: Buffer.from(part('d').map((byte) => byte ^ 1)) }
  await assert.rejects(
    call('C_CreateObject', [session, template(wrong)]),
    answers('TEMPLATE_INCONSISTENT'),
  )
})

test('the second use of a token key opens nothing: it is parsed once', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await call('C_CreateObject', [
    session,
    template({ ...SECRET, TOKEN: true, ENCRYPT: true }),
  ])
  const ecb = { type: CKM.AES_ECB, parameter: null }
  await call('C_EncryptInit', [session, ecb, key])
  await call('C_Encrypt', [session, data(Buffer.alloc(16)), 16])
  const answer = token.application.call('C_EncryptInit', [session, ecb, key])
  assert.equal(answer, undefined, 'C_EncryptInit had to wait')
})

test('a copy differs from its original by the template, and lasts on its own', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const original = await call('C_CreateObject', [session, template({ ...SECRET, LABEL: 'one' })])
  const changes = template({ TOKEN: true, PRIVATE: true, LABEL: 'two' })
  const copy = await call('C_CopyObject', [session, original, changes])
  assert.notEqual(copy, original)
  const uniqueId = [{ type: CKA.UNIQUE_ID, room: 100 }]
  const [first, second] = [
    await call('C_GetAttributeValue', [session, original, uniqueId]),
    await call('C_GetAttributeValue', [session, copy, uniqueId]),
  ]
  assert.notDeepEqual(first.answers[0]?.value, second.answers[0]?.value)
  await call('C_DestroyObject', [session, original])
  const again = await token.restart()
  await again.call('C_Login', [again.session, CKU.USER, PIN])
  const [kept] = await find(again, { KEY_TYPE: CKK.AES, PRIVATE: true, LABEL: 'two' })
  assert.ok(kept)
})

test('a copy is made where such an object may be made, and of what may be copied', async (t) => {
  const { call, session, slot } = await openToken(t)
  const key = await call('C_CreateObject', [session, template({ ...SECRET, COPYABLE: false })])
  await assert.rejects(call('C_CopyObject', [session, key, []]), answers('ACTION_PROHIBITED'))
  const data = await call('C_CreateObject', [session, template(DATA)])
  const reading = await call('C_OpenSession', [slot, RO, true])
  const lasting = template({ TOKEN: true })
  await assert.rejects(call('C_CopyObject', [reading, data, lasting]), answers('SESSION_READ_ONLY'))
  await call('C_Logout', [session])
  await assert.rejects(
    call('C_CopyObject', [session, data, template({ PRIVATE: true })]),
    answers('USER_NOT_LOGGED_IN'),
  )
  await assert.rejects(call('C_CopyObject', [session, 9999, []]), answers('OBJECT_HANDLE_INVALID'))
})

test('an object that another application destroyed is gone, and so is its handle', async (t) => {
  const token = await openToken(t)
  const other = await token.another()
  const object = await token.call('C_CreateObject', [
    token.session,
    template({ ...DATA, TOKEN: true }),
  ])
  const [theirs] = await find(other, {})
  await other.call('C_DestroyObject', [other.session, theirs as number])
  const gone = answers('OBJECT_HANDLE_INVALID')
  await assert.rejects(token.call('C_GetObjectSize', [token.session, object]), gone)
  await assert.rejects(token.call('C_DestroyObject', [token.session, object]), gone)
})

test('the size of an object is that of its attributes as they are stored', async (t) => {
  const { call, session } = await openToken(t)
  const sizeOf = async (named: Parameters<typeof template>[0]) =>
    call('C_GetObjectSize', [session, await call('C_CreateObject', [session, template(named)])])
  const small = await sizeOf(DATA)
  assert.ok(small > DATA.LABEL.length + DATA.VALUE.length && small < 500, `${small} bytes`)
  assert.equal(await sizeOf({ ...DATA, VALUE: `${DATA.VALUE} and more` }), small + 9)
  assert.equal(await sizeOf({ ...DATA, TOKEN: true }), small)
  await assert.rejects(call('C_GetObjectSize', [session, 9999]), answers('OBJECT_HANDLE_INVALID'))
})

test('the check value of a certificate begins the SHA-1 of its value', async (t) => {
  const { call, session } = await openToken(t)
  const certificate = {
    CLASS: CKO.CERTIFICATE,
    CERTIFICATE_TYPE: CKC.X_509,
    SUBJECT: 'subject',
    VALUE: 'abc',
  }
  const checkValue = async (named: Parameters<typeof template>[0]) => {
    const object = await call('C_CreateObject', [session, template(named)])
    const query = [{ type: CKA.CHECK_VALUE, room: 20 }]
    return (await call('C_GetAttributeValue', [session, object, query])).answers[0]?.value
  }
  // FIPS 180-4: SHA-1 of "abc".
  const right = Buffer.from('a9993e', 'hex')
  for (const named of [certificate, { ...certificate, CHECK_VALUE: right }])
    assert.deepEqual(Buffer.from(bytes(await checkValue(named))), right)
  assert.equal(bytes(await checkValue({ ...certificate, CHECK_VALUE: '' })).length, 0)
  await assert.rejects(
    checkValue({ ...certificate, CHECK_VALUE: 'xyz' }),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
  const elsewhere = {
    URL: 'https://example.org/cert',
    HASH_OF_SUBJECT_PUBLIC_KEY: Buffer.alloc(20, 1),
    HASH_OF_ISSUER_PUBLIC_KEY: Buffer.alloc(20, 2),
    VALUE: '',
  }
  assert.equal(await checkValue({ ...certificate, ...elsewhere }), null)
  const given = await checkValue({ ...certificate, ...elsewhere, CHECK_VALUE: right })
  assert.deepEqual(Buffer.from(bytes(given)), right)
})

test('copies of session objects become token objects and the other way round', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await call('C_CreateObject', [session, template({ ...SECRET, LABEL: 'first' })])
  const lasting = await call('C_CopyObject', [
    session,
    key,
    template({ TOKEN: true, LABEL: 'lasts' }),
  ])
  const reading = await call('C_OpenSession', [0, RO, false])
  const passing = await call('C_CopyObject', [
    reading,
    lasting,
    template({ TOKEN: false, LABEL: 'passes' }),
  ])
  for (const object of [key, lasting, passing]) {
    await call('C_SetAttributeValue', [session, object, template({ ENCRYPT: true })])
    await call('C_EncryptInit', [session, { type: CKM.AES_ECB, parameter: null }, object])
    const encrypted = await call('C_Encrypt', [session, data(Buffer.alloc(16)), 16])
    assert.equal(bytes(encrypted).length, 16)
  }
  await call('C_CloseSession', [reading])
  assert.deepEqual(await find(token, { LABEL: 'passes' }), [])
  const again = await token.restart()
  await again.call('C_Login', [again.session, CKU.USER, PIN])
  assert.equal((await find(again, { LABEL: 'lasts' })).length, 1)
  assert.deepEqual(await find(again, { LABEL: 'first' }), [])
})

test('a template that a copy cannot have copies nothing', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await call('C_CreateObject', [session, template(SECRET)])
  const copy = (named: Parameters<typeof template>[0]) =>
    call('C_CopyObject', [session, key, template(named)])
  await assert.rejects(copy({ VALUE: Buffer.alloc(16) }), answers('ATTRIBUTE_READ_ONLY'))
  await assert.rejects(copy({ UNIQUE_ID: 'mine' }), answers('ATTRIBUTE_READ_ONLY'))
  await assert.rejects(copy({ EXTRACTABLE: true }), answers('ATTRIBUTE_READ_ONLY'))
  await assert.rejects(copy({ MODULUS: 'x' }), answers('TEMPLATE_INCONSISTENT'))
  assert.deepEqual(await made(token), [key])
})
