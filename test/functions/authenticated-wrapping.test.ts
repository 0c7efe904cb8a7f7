import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { CKA, CKG, CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'
import { ccmMemory, chachaMemory, gcmMemory, type MessageMemory } from './message-memory.ts'

const WRAPPING = Buffer.alloc(32, 0x5a)
const VALUE = Buffer.from('the value of a key, 32 bytes it.')
const AAD = Buffer.from('bound to this')

type Named = Parameters<typeof template>[0]

const AES = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES }
const TARGET = { ...AES, VALUE, EXTRACTABLE: true }

const create = ({ call, session }: Opened, named: Named) =>
  call('C_CreateObject', [session, template(named)])

const wrappingKey = (token: Opened, named: Named = {}) =>
  create(token, { ...AES, VALUE: WRAPPING, WRAP: true, UNWRAP: true, ...named })

const hex = (filled: unknown) => Buffer.from(bytes(filled)).toString('hex')

async function attributeOf({ call, session }: Opened, key: number, type: number = CKA.VALUE) {
  const { answers: values } = await call('C_GetAttributeValue', [
    session,
    key,
    [{ type, room: 99 }],
  ])
  return Buffer.from(bytes(values[0]?.value))
}

const READABLE = template({ ...AES, SENSITIVE: false, EXTRACTABLE: true })

const families: readonly (readonly [name: string, tag: string, memory: () => MessageMemory])[] = [
  ['gcm', 'tag', () => gcmMemory()],
  // The length of the data is the token's to say: 0 is told.
  ['ccm', 'mac', () => ccmMemory(0)],
]

for (const [name, tag, make] of families) {
  test(`${name}: a key is wrapped as one-shot encryption does it, its tag written back, and unwrapped`, async (t) => {
    const token = await openToken(t)
    const { call, session } = token
    const wrapping = await wrappingKey(token)
    const key = await create(token, TARGET)
    const memory = make()
    const wrapped = bytes(
      await call('C_WrapKeyAuthenticated', [session, memory.argument, wrapping, key, AAD, 32]),
    )
    const iv = memory.bytes(name === 'gcm' ? 'iv' : 'nonce')
    const cipher = createCipheriv(`aes-256-${name}` as 'aes-256-ccm', WRAPPING, iv, {
      authTagLength: 16,
    })
    cipher.setAAD(AAD, { plaintextLength: VALUE.length })
    assert.equal(
      hex(wrapped),
      Buffer.concat([cipher.update(VALUE), cipher.final()]).toString('hex'),
    )
    assert.deepEqual(memory.bytes(tag), cipher.getAuthTag())
    const unwrapped = await call('C_UnwrapKeyAuthenticated', [
      session,
      memory.argument,
      wrapping,
      wrapped,
      READABLE,
      AAD,
    ])
    assert.deepEqual(await attributeOf(token, unwrapped), VALUE)
    for (const never of [CKA.LOCAL, CKA.ALWAYS_SENSITIVE, CKA.NEVER_EXTRACTABLE])
      assert.equal((await attributeOf(token, unwrapped, never))[0], 0)
  })

  test(`${name}: other data, another tag or other additional data are CKR_WRAPPED_KEY_INVALID`, async (t) => {
    const token = await openToken(t)
    const { call, session } = token
    const wrapping = await wrappingKey(token)
    const key = await create(token, TARGET)
    const memory = make()
    const wrapped = bytes(
      await call('C_WrapKeyAuthenticated', [session, memory.argument, wrapping, key, AAD, 32]),
    )
    const other = Buffer.from(wrapped)
    other[0] = (other[0] as number) ^ 1
    const unwrap = (what: Uint8Array, aad: Uint8Array | null, from = memory) =>
      call('C_UnwrapKeyAuthenticated', [session, from.argument, wrapping, what, READABLE, aad])
    await assert.rejects(unwrap(other, AAD), answers('WRAPPED_KEY_INVALID'))
    await assert.rejects(unwrap(wrapped, null), answers('WRAPPED_KEY_INVALID'))
    await assert.rejects(unwrap(wrapped, other), answers('WRAPPED_KEY_INVALID'))
    await assert.rejects(unwrap(wrapped, AAD, make()), answers('WRAPPED_KEY_INVALID'))
    await unwrap(wrapped, AAD)
  })

  test(`${name}: asking the length makes no IV, and a made one is written back`, async (t) => {
    const token = await openToken(t)
    const { call, session } = token
    const wrapping = await wrappingKey(token)
    const key = await create(token, TARGET)
    const prefix = name === 'gcm' ? 'iv' : 'nonce'
    const memory = make().set({ [`${prefix}FixedBits`]: 32, [`${prefix}Generator`]: CKG.GENERATE })
    const wrap = (room: number | null) =>
      call('C_WrapKeyAuthenticated', [session, memory.argument, wrapping, key, AAD, room])
    for (const room of [null, 31]) assert.deepEqual(await wrap(room), { needed: 32 })
    assert.deepEqual(memory.bytes(prefix), Buffer.alloc(12, 3))
    const made = new Set<string>()
    for (let at = 0; at < 3; at++) {
      const wrapped = bytes(await wrap(32))
      made.add(memory.bytes(prefix).toString('hex'))
      const unwrapped = await call('C_UnwrapKeyAuthenticated', [
        session,
        memory.argument,
        wrapping,
        wrapped,
        READABLE,
        AAD,
      ])
      assert.deepEqual(await attributeOf(token, unwrapped), VALUE)
    }
    assert.equal(made.size, 3)
    assert.ok([...made].every((iv) => iv.startsWith('03030303')))
    memory.set({ [`${prefix}Generator`]: CKG.GENERATE_COUNTER })
    await assert.rejects(wrap(32), answers('MECHANISM_PARAM_INVALID'))
  })
}

test('a private key is wrapped and unwrapped with additional data', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const wrapping = await wrappingKey(token)
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.EC_KEY_PAIR_GEN, parameter: null },
    template({ EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex') }),
    template({ EXTRACTABLE: true }),
  ])
  const memory = gcmMemory()
  const wrapped = bytes(
    await call('C_WrapKeyAuthenticated', [
      session,
      memory.argument,
      wrapping,
      privateKey,
      AAD,
      1000,
    ]),
  )
  const again = await call('C_UnwrapKeyAuthenticated', [
    session,
    memory.argument,
    wrapping,
    wrapped,
    template({ CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC, SIGN: true }),
    AAD,
  ])
  const ecdsa = { type: CKM.ECDSA_SHA256, parameter: null }
  await call('C_SignInit', [session, ecdsa, again])
  const signature = bytes(await call('C_Sign', [session, data('message'), 64]))
  await call('C_VerifyInit', [session, ecdsa, publicKey])
  await call('C_Verify', [session, data('message'), signature])
})

test('the rules of C_WrapKey hold', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const wrapping = await wrappingKey(token)
  const key = await create(token, TARGET)
  const wrap = (mechanism: MessageMemory, by: number, what: number) =>
    call('C_WrapKeyAuthenticated', [session, mechanism.argument, by, what, AAD, 99])
  const gcm = gcmMemory()
  const unextractable = await create(token, { ...TARGET, EXTRACTABLE: false })
  await assert.rejects(wrap(gcm, wrapping, unextractable), answers('KEY_UNEXTRACTABLE'))
  const trusting = await create(token, { ...TARGET, WRAP_WITH_TRUSTED: true })
  await assert.rejects(wrap(gcm, wrapping, trusting), answers('KEY_NOT_WRAPPABLE'))
  const picky = await call('C_CreateObject', [
    session,
    [
      ...template({ ...AES, VALUE: WRAPPING, WRAP: true }),
      { type: CKA.WRAP_TEMPLATE, value: template({ LABEL: 'one that may' }) },
    ],
  ])
  await assert.rejects(wrap(gcm, picky, key), answers('KEY_HANDLE_INVALID'))
  const useless = await wrappingKey(token, { WRAP: false })
  await assert.rejects(wrap(gcm, useless, key), answers('KEY_FUNCTION_NOT_PERMITTED'))
  await assert.rejects(wrap(gcm, 4711, key), answers('WRAPPING_KEY_HANDLE_INVALID'))
  await assert.rejects(wrap(gcm, wrapping, 4711), answers('KEY_HANDLE_INVALID'))
  await assert.rejects(wrap(chachaMemory(), wrapping, key), answers('MECHANISM_INVALID'))
  const generic = await create(token, { ...TARGET, KEY_TYPE: CKK.GENERIC_SECRET, WRAP: true })
  await assert.rejects(wrap(gcm, generic, key), answers('WRAPPING_KEY_TYPE_INCONSISTENT'))
  const wrong = gcmMemory({ tagBits: 100 })
  await assert.rejects(wrap(wrong, wrapping, key), answers('MECHANISM_PARAM_INVALID'))
  await assert.rejects(
    call('C_WrapKeyAuthenticated', [session, null, wrapping, key, AAD, 99]),
    answers('ARGUMENTS_BAD'),
  )
})

test('the rules of C_UnwrapKey hold', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const wrapping = await wrappingKey(token)
  const memory = gcmMemory()
  const wrapped = bytes(
    await call('C_WrapKeyAuthenticated', [
      session,
      memory.argument,
      wrapping,
      await create(token, TARGET),
      AAD,
      99,
    ]),
  )
  const unwrap = (by: number, what: Uint8Array | null, into = READABLE) =>
    call('C_UnwrapKeyAuthenticated', [session, memory.argument, by, what, into, AAD])
  await assert.rejects(unwrap(4711, wrapped), answers('UNWRAPPING_KEY_HANDLE_INVALID'))
  await assert.rejects(unwrap(wrapping, null), answers('ARGUMENTS_BAD'))
  await assert.rejects(unwrap(wrapping, Buffer.alloc(0)), answers('WRAPPED_KEY_INVALID'))
  await assert.rejects(unwrap(wrapping, Buffer.alloc(70_000)), answers('WRAPPED_KEY_LEN_RANGE'))
  await assert.rejects(unwrap(wrapping, wrapped, []), answers('TEMPLATE_INCOMPLETE'))
  const useless = await wrappingKey(token, { UNWRAP: false })
  await assert.rejects(unwrap(useless, wrapped), answers('KEY_FUNCTION_NOT_PERMITTED'))
  const imposing = await call('C_CreateObject', [
    session,
    [
      ...template({ ...AES, VALUE: WRAPPING, UNWRAP: true }),
      { type: CKA.UNWRAP_TEMPLATE, value: template({ LABEL: 'imposed' }) },
    ],
  ])
  const labelled = await unwrap(imposing, wrapped)
  assert.equal((await attributeOf(token, labelled, CKA.LABEL)).toString(), 'imposed')
  await assert.rejects(
    unwrap(imposing, wrapped, [...READABLE, ...template({ LABEL: 'other' })]),
    answers('TEMPLATE_INCONSISTENT'),
  )
})

test('a callback cancels both functions, and nothing is made', async (t) => {
  const token = await openToken(t, 0)
  const { call, session } = token
  const wrapping = await wrappingKey(token)
  const key = await create(token, TARGET)
  const memory = gcmMemory()
  const context = { notify: () => CKR.CANCEL }
  const input = [session, memory.argument, wrapping, key, AAD, 99] as const
  await assert.rejects(
    call('C_WrapKeyAuthenticated', [...input], context),
    answers('FUNCTION_CANCELED'),
  )
  const wrapped = bytes(await call('C_WrapKeyAuthenticated', [...input]))
  const into = [...READABLE, ...template({ LABEL: 'unwrapped' })]
  await assert.rejects(
    call(
      'C_UnwrapKeyAuthenticated',
      [session, memory.argument, wrapping, wrapped, into, AAD],
      context,
    ),
    answers('FUNCTION_CANCELED'),
  )
  await call('C_FindObjectsInit', [session, template({ LABEL: 'unwrapped' })])
  assert.deepEqual(await call('C_FindObjects', [session, 9]), [])
})
