import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CKA, CKF, CKM, CKO, CKP, CKR, CKT } from '../../src/standard/constants.ts'
import { answers, bytes, type Opened, openToken, template } from '../in-process.ts'

type Named = Parameters<typeof template>[0]

async function find({ call, session }: Opened, named: Named): Promise<readonly number[]> {
  await call('C_FindObjectsInit', [session, template(named)])
  const found = await call('C_FindObjects', [session, 100])
  await call('C_FindObjectsFinal', [session])
  return found
}

async function read(
  { call, session }: Opened,
  object: number,
  ...names: (keyof typeof CKA)[]
): Promise<Buffer[]> {
  const queries = names.map((name) => ({ type: CKA[name], room: 100 }))
  const { answers: values, rv } = await call('C_GetAttributeValue', [session, object, queries])
  assert.equal(rv, CKR.OK)
  return values.map(({ value }) => Buffer.from(bytes(value)))
}

const number = (encoded: Buffer | undefined) => Number(encoded?.readBigUInt64LE())

const PROFILES = [
  [CKP.BASELINE_PROVIDER, 'Baseline Provider'],
  [CKP.EXTENDED_PROVIDER, 'Extended Provider'],
  [CKP.AUTHENTICATION_TOKEN, 'Authentication Token'],
  [CKP.PUBLIC_CERTIFICATES_TOKEN, 'Public Certificates Token'],
] as const

test('a token tells its profiles, to the user and to everybody else', async (t) => {
  const token = await openToken(t)
  for (const loggedIn of [true, false]) {
    if (!loggedIn) await token.call('C_Logout', [token.session])
    const found = await find(token, { CLASS: CKO.PROFILE })
    const told = await Promise.all(
      found.map(async (object) => {
        const [id, label] = await read(token, object, 'PROFILE_ID', 'LABEL')
        return [number(id), label?.toString()]
      }),
    )
    assert.deepEqual(told, PROFILES)
    assert.deepEqual(await find(token, { CLASS: CKO.PROFILE }), found)
  }
})

test('profiles are found by any of their attributes, and by no other', async (t) => {
  const token = await openToken(t)
  const [object] = await find(token, { PROFILE_ID: CKP.EXTENDED_PROVIDER })
  assert.deepEqual(await find(token, { LABEL: 'Extended Provider', TOKEN: true }), [object])
  const [id] = await read(token, object as number, 'UNIQUE_ID')
  assert.deepEqual(await find(token, { UNIQUE_ID: id as Buffer }), [object])
  assert.equal((await find(token, { TOKEN: true, PRIVATE: false })).length, PROFILES.length)
  for (const none of [
    { PROFILE_ID: CKP.COMPLETE_PROVIDER },
    { CLASS: CKO.PROFILE, TOKEN: false },
    { CLASS: CKO.PROFILE, PRIVATE: true },
    { CLASS: CKO.PROFILE, ID: 'x' },
    { CLASS: CKO.VALIDATION },
  ])
    assert.deepEqual(await find(token, none), [])
})

test('nobody makes, changes, copies or destroys a profile', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const [object] = (await find(token, { PROFILE_ID: CKP.BASELINE_PROVIDER })) as [number]
  const prohibited = answers('ACTION_PROHIBITED')
  await assert.rejects(
    call('C_SetAttributeValue', [session, object, template({ LABEL: 'x' })]),
    prohibited,
  )
  await assert.rejects(
    call('C_CopyObject', [session, object, template({ TOKEN: false })]),
    prohibited,
  )
  await assert.rejects(call('C_DestroyObject', [session, object]), prohibited)
  await assert.rejects(
    call('C_CreateObject', [session, template({ CLASS: CKO.PROFILE, PROFILE_ID: 1 })]),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
  await assert.rejects(
    call('C_EncryptInit', [session, { type: CKM.AES_ECB, parameter: null }, object]),
    answers('KEY_HANDLE_INVALID'),
  )
  const flags = await read(token, object, 'MODIFIABLE', 'COPYABLE', 'DESTROYABLE')
  assert.deepEqual(
    flags.map(([flag]) => flag),
    [0, 0, 0],
  )
  assert.ok((await call('C_GetObjectSize', [session, object])) > 0)
})

test('every session and every application finds the same profiles', async (t) => {
  const token = await openToken(t)
  const mine = await find(token, { CLASS: CKO.PROFILE })
  const { call } = token
  const readOnly = await call('C_OpenSession', [0, CKF.SERIAL_SESSION, false])
  assert.deepEqual(await find({ ...token, session: readOnly }, { CLASS: CKO.PROFILE }), mine)
  const other = await token.another()
  const theirs = await find(other, { CLASS: CKO.PROFILE })
  assert.equal(theirs.length, mine.length)
  const [id] = await read(token, mine[0] as number, 'UNIQUE_ID')
  assert.deepEqual(await read(other, theirs[0] as number, 'UNIQUE_ID'), [id])
})

test('a trust object is made, found and read by its table', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const trust = {
    CLASS: CKO.TRUST,
    TOKEN: true,
    ISSUER: Buffer.from('3000', 'hex'),
    SERIAL_NUMBER: Buffer.from('020101', 'hex'),
    HASH_OF_CERTIFICATE: Buffer.alloc(32, 1),
    NAME_HASH_ALGORITHM: CKM.SHA256,
    TRUST_SERVER_AUTH: CKT.TRUST_ANCHOR,
    TRUST_CODE_SIGNING: CKT.NOT_TRUSTED,
  }
  const made = await call('C_CreateObject', [session, template(trust)])
  const named = { CLASS: CKO.TRUST, ISSUER: trust.ISSUER, SERIAL_NUMBER: trust.SERIAL_NUMBER }
  assert.deepEqual(await find(token, named), [made])
  assert.deepEqual(await find(token, { TRUST_SERVER_AUTH: CKT.TRUST_ANCHOR }), [made])
  const [server, code, email, hash, isPrivate, modifiable] = await read(
    token,
    made,
    'TRUST_SERVER_AUTH',
    'TRUST_CODE_SIGNING',
    'TRUST_EMAIL_PROTECTION',
    'HASH_OF_CERTIFICATE',
    'PRIVATE',
    'MODIFIABLE',
  )
  assert.equal(number(server), CKT.TRUST_ANCHOR)
  assert.equal(number(code), CKT.NOT_TRUSTED)
  // Footnote 3: what is missing counts as unknown.
  assert.equal(number(email), CKT.TRUST_UNKNOWN)
  assert.deepEqual(hash, trust.HASH_OF_CERTIFICATE)
  assert.deepEqual([isPrivate?.[0], modifiable?.[0]], [0, 1])
  await call('C_SetAttributeValue', [
    session,
    made,
    template({ TRUST_SERVER_AUTH: CKT.NOT_TRUSTED }),
  ])
  const again = await token.restart()
  assert.equal((await find(again, { TRUST_SERVER_AUTH: CKT.NOT_TRUSTED })).length, 1)
})
