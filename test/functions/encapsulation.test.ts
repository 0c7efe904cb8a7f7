/** C_EncapsulateKey and C_DecapsulateKey whatever the mechanism: rules, templates, lengths. */
import assert from 'node:assert/strict'
import { constants, createPrivateKey, privateDecrypt } from 'node:crypto'
import { test } from 'node:test'
import type { Attribute } from '../../src/standard/calls.ts'
import { CKA, CKF, CKG, CKK, CKM, CKO, CKP, CKU, CKZ } from '../../src/standard/constants.ts'
import { answers, bytes, type Opened, openToken, PIN, template } from '../in-process.ts'
import { attribute, mechanism, type Named, privateKeyInfoOf } from '../mechanisms/parameter-sets.ts'

const ML_KEM = mechanism('ML_KEM')
const AES = { KEY_TYPE: CKK.AES, SENSITIVE: false }
const GENERIC = { KEY_TYPE: CKK.GENERIC_SECRET, SENSITIVE: false }

async function kemPair(
  { call, session }: Opened,
  publicMore: readonly Attribute[] = [],
  privateMore: readonly Attribute[] = [],
) {
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    mechanism('ML_KEM_KEY_PAIR_GEN'),
    [...template({ PARAMETER_SET: CKP.ML_KEM_512 }), ...publicMore],
    privateMore,
  ])
  return { publicKey, privateKey }
}

async function rsaPair({ call, session }: Opened) {
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    mechanism('RSA_PKCS_KEY_PAIR_GEN'),
    template({ MODULUS_BITS: 2048, ENCAPSULATE: true }),
    template({ DECAPSULATE: true, SENSITIVE: false, EXTRACTABLE: true }),
  ])
  return { publicKey, privateKey }
}

const encapsulate = (
  { call, session }: Opened,
  key: number,
  named: Named,
  how = ML_KEM,
  room: number | null = 768,
) => call('C_EncapsulateKey', [session, how, key, template(named), room])

const decapsulate = (
  { call, session }: Opened,
  key: number,
  ciphertext: Uint8Array | null,
  named: Named,
  how = ML_KEM,
) => call('C_DecapsulateKey', [session, how, key, template(named), ciphertext])

async function countOfSecrets({ call, session }: Opened): Promise<number> {
  await call('C_FindObjectsInit', [session, template({ CLASS: CKO.SECRET_KEY })])
  const found = await call('C_FindObjects', [session, 100])
  await call('C_FindObjectsFinal', [session])
  return found.length
}

test('a ciphertext that finds no room is told its length, and no key is made', async (t) => {
  const token = await openToken(t)
  const { publicKey } = await kemPair(token)
  for (const room of [null, 0, 767])
    assert.deepEqual(await encapsulate(token, publicKey, AES, ML_KEM, room), [{ needed: 768 }, 0])
  assert.equal(await countOfSecrets(token), 0)
  const [ciphertext] = await encapsulate(token, publicKey, AES)
  assert.equal(bytes(ciphertext).length, 768)
  assert.equal(await countOfSecrets(token), 1)
})

test('both keys are new, extractable unless told otherwise, and of unknown history', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await kemPair(token)
  const [ciphertext, one] = await encapsulate(token, publicKey, AES)
  const other = await decapsulate(token, privateKey, bytes(ciphertext), AES)
  const flag = async (key: number, name: keyof typeof CKA) => (await attribute(token, key, name))[0]
  for (const key of [one, other]) {
    assert.equal(await flag(key, 'EXTRACTABLE'), 1)
    for (const name of ['ALWAYS_SENSITIVE', 'NEVER_EXTRACTABLE', 'LOCAL'] as const)
      assert.equal(await flag(key, name), 0, name)
    assert.equal(await flag(key, 'VALUE_LEN'), 32)
  }
  const unique = async (key: number) => (await attribute(token, key, 'UNIQUE_ID')).toString()
  assert.notEqual(await unique(one), await unique(other))
  assert.deepEqual(
    await attribute(token, one, 'CHECK_VALUE'),
    await attribute(token, other, 'CHECK_VALUE'),
  )
  const hidden = { ...AES, SENSITIVE: true, EXTRACTABLE: false }
  const [, kept] = await encapsulate(token, publicKey, hidden)
  assert.equal(await flag(kept, 'EXTRACTABLE'), 0)
  assert.equal(await flag(kept, 'NEVER_EXTRACTABLE'), 0)
  assert.equal(await flag(kept, 'ALWAYS_SENSITIVE'), 0)
})

test('without a key type the key is a generic secret', async (t) => {
  const token = await openToken(t)
  const { publicKey } = await kemPair(token)
  const [, key] = await encapsulate(token, publicKey, { SENSITIVE: false })
  assert.equal((await attribute(token, key, 'KEY_TYPE'))[0], CKK.GENERIC_SECRET)
})

test('a template that the secret does not fit makes no key', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await kemPair(token)
  const [ciphertext] = await encapsulate(token, publicKey, AES)
  const before = await countOfSecrets(token)
  for (const [rv, named] of [
    ['TEMPLATE_INCONSISTENT', { ...AES, VALUE_LEN: 16 }],
    ['TEMPLATE_INCONSISTENT', { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC }],
    ['ATTRIBUTE_READ_ONLY', { ...AES, LOCAL: true }],
    ['ATTRIBUTE_READ_ONLY', { ...AES, VALUE: Buffer.alloc(32) }],
    ['TEMPLATE_INCONSISTENT', { ...AES, CHECK_VALUE: Buffer.from('no') }],
  ] as const) {
    await assert.rejects(encapsulate(token, publicKey, named), answers(rv))
    await assert.rejects(decapsulate(token, privateKey, bytes(ciphertext), named))
  }
  assert.equal(await countOfSecrets(token), before)
})

test('keys are used as CKA_ENCAPSULATE, CKA_DECAPSULATE and their mechanisms allow', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await kemPair(token)
  const rsa = await rsaPair(token)
  const closed = await kemPair(
    token,
    template({ ENCAPSULATE: false }),
    template({ DECAPSULATE: false }),
  )
  const elsewhere = await kemPair(
    token,
    template({ ALLOWED_MECHANISMS: [CKM.RSA_PKCS] }),
    template({ ALLOWED_MECHANISMS: [CKM.RSA_PKCS] }),
  )
  const [filled] = await encapsulate(token, publicKey, AES)
  const ciphertext = bytes(filled)
  for (const [rv, key] of [
    ['KEY_HANDLE_INVALID', 0],
    ['KEY_FUNCTION_NOT_PERMITTED', closed.publicKey],
    ['KEY_FUNCTION_NOT_PERMITTED', privateKey],
    ['KEY_TYPE_INCONSISTENT', rsa.publicKey],
    ['MECHANISM_INVALID', elsewhere.publicKey],
  ] as const)
    await assert.rejects(encapsulate(token, key, AES), answers(rv))
  for (const [rv, key] of [
    ['UNWRAPPING_KEY_HANDLE_INVALID', 0],
    ['KEY_FUNCTION_NOT_PERMITTED', closed.privateKey],
    ['KEY_FUNCTION_NOT_PERMITTED', publicKey],
    ['UNWRAPPING_KEY_TYPE_INCONSISTENT', rsa.privateKey],
    ['MECHANISM_INVALID', elsewhere.privateKey],
  ] as const)
    await assert.rejects(decapsulate(token, key, ciphertext, AES), answers(rv))
  await assert.rejects(decapsulate(token, privateKey, null, AES), answers('ARGUMENTS_BAD'))
  await assert.rejects(
    encapsulate(token, publicKey, AES, mechanism('AES_ECB')),
    answers('MECHANISM_INVALID'),
  )
  await assert.rejects(
    encapsulate(token, publicKey, AES, mechanism('ML_KEM', Buffer.alloc(1))),
    answers('MECHANISM_PARAM_INVALID'),
  )
})

/** Both numbers that drafts of 3.2 have for an attribute. */
const within = (name: 'ENCAPSULATE_TEMPLATE' | 'DECAPSULATE_TEMPLATE', named: Named) =>
  [CKA[name], CKA[name] + CKF.ARRAY_ATTRIBUTE].map((type) => [{ type, value: template(named) }])

test('CKA_ENCAPSULATE_TEMPLATE, under either number, asks what the new key must be', async (t) => {
  const token = await openToken(t)
  for (const asked of within('ENCAPSULATE_TEMPLATE', { KEY_TYPE: CKK.AES, EXTRACTABLE: false })) {
    const { publicKey } = await kemPair(token, asked)
    const before = await countOfSecrets(token)
    await assert.rejects(encapsulate(token, publicKey, AES), answers('KEY_HANDLE_INVALID'))
    assert.equal(await countOfSecrets(token), before)
    await encapsulate(token, publicKey, { ...AES, EXTRACTABLE: false })
  }
})

test('CKA_DECAPSULATE_TEMPLATE, under either number, is added to the new key', async (t) => {
  const token = await openToken(t)
  for (const asked of within('DECAPSULATE_TEMPLATE', { KEY_TYPE: CKK.AES, EXTRACTABLE: false })) {
    const { publicKey, privateKey } = await kemPair(token, [], asked)
    const [filled] = await encapsulate(token, publicKey, AES)
    const key = await decapsulate(token, privateKey, bytes(filled), {})
    assert.equal((await attribute(token, key, 'KEY_TYPE'))[0], CKK.AES)
    assert.equal((await attribute(token, key, 'EXTRACTABLE'))[0], 0)
    await assert.rejects(
      decapsulate(token, privateKey, bytes(filled), { EXTRACTABLE: true }),
      answers('TEMPLATE_INCONSISTENT'),
    )
  }
})

test('a key with CKA_ALWAYS_AUTHENTICATE decapsulates nothing: there is no operation to log in for', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await kemPair(
    token,
    [],
    template({ ALWAYS_AUTHENTICATE: true }),
  )
  const [filled] = await encapsulate(token, publicKey, AES)
  await assert.rejects(
    decapsulate(token, privateKey, bytes(filled), AES),
    answers('USER_NOT_LOGGED_IN'),
  )
})

test('a token object is encapsulated in a read/write session and lasts', async (t) => {
  const token = await openToken(t)
  const { publicKey } = await kemPair(token, template({ TOKEN: true }))
  const readOnly = await token.call('C_OpenSession', [token.slot, CKF.SERIAL_SESSION, false])
  await assert.rejects(
    encapsulate({ ...token, session: readOnly }, publicKey, { ...AES, TOKEN: true }),
    answers('SESSION_READ_ONLY'),
  )
  await encapsulate(token, publicKey, { ...AES, TOKEN: true, ID: Buffer.from('kept') })
  const again = await token.restart()
  await again.call('C_Login', [again.session, CKU.USER, PIN])
  assert.equal(await countOfSecrets(again), 1)
})

test('a mechanism that the policy denies encapsulates nothing', async (t) => {
  const token = await openToken(t, 50, { deny: ['CKM_ML_KEM'] })
  const { publicKey, privateKey } = await kemPair(token)
  await assert.rejects(encapsulate(token, publicKey, AES), answers('MECHANISM_INVALID'))
  await assert.rejects(
    decapsulate(token, privateKey, Buffer.alloc(768), AES),
    answers('MECHANISM_INVALID'),
  )
})

const OAEP = mechanism('RSA_PKCS_OAEP', {
  hashAlg: CKM.SHA256,
  mgf: CKG.MGF1_SHA256,
  source: CKZ.DATA_SPECIFIED,
  sourceData: Buffer.alloc(0),
})

test('RSA encapsulates secrets as long as the template says, which Node decrypts', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await rsaPair(token)
  const key = createPrivateKey({
    key: await privateKeyInfoOf(token, privateKey),
    format: 'der',
    type: 'pkcs8',
  })
  const paddings = [
    [mechanism('RSA_PKCS'), 245, { padding: constants.RSA_PKCS1_PADDING }],
    [OAEP, 190, { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }],
  ] as const
  for (const [how, most, padding] of paddings) {
    for (const length of [1, 48, most]) {
      const named = { ...GENERIC, VALUE_LEN: length }
      const [filled, one] = await encapsulate(token, publicKey, named, how)
      const secret = await attribute(token, one, 'VALUE')
      assert.equal(secret.length, length)
      assert.deepEqual(privateDecrypt({ key, ...padding }, bytes(filled)), secret)
      const other = await decapsulate(token, privateKey, bytes(filled), GENERIC, how)
      assert.deepEqual(await attribute(token, other, 'VALUE'), secret)
    }
    for (const length of [0, most + 1])
      await assert.rejects(
        encapsulate(token, publicKey, { ...GENERIC, VALUE_LEN: length }, how),
        answers('TEMPLATE_INCONSISTENT'),
      )
    await assert.rejects(
      encapsulate(token, publicKey, GENERIC, how),
      answers('TEMPLATE_INCOMPLETE'),
    )
    await assert.rejects(
      encapsulate(token, publicKey, { ...AES, VALUE_LEN: 17 }, how),
      answers('TEMPLATE_INCONSISTENT'),
    )
    await assert.rejects(
      decapsulate(token, privateKey, Buffer.alloc(255), AES, how),
      answers('WRAPPED_KEY_LEN_RANGE'),
    )
  }
  await assert.rejects(
    decapsulate(token, privateKey, Buffer.alloc(256, 1), AES, OAEP),
    answers('WRAPPED_KEY_INVALID'),
  )
})

test('raw RSA encapsulates a secret as long as the modulus', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await rsaPair(token)
  const how = mechanism('RSA_X_509')
  const [filled, one] = await encapsulate(token, publicKey, GENERIC, how)
  const other = await decapsulate(token, privateKey, bytes(filled), GENERIC, how)
  const secret = await attribute(token, one, 'VALUE')
  assert.equal(secret.length, 256)
  assert.deepEqual(await attribute(token, other, 'VALUE'), secret)
  await assert.rejects(encapsulate(token, publicKey, AES, how), answers('TEMPLATE_INCONSISTENT'))
})
