import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import type { Data } from '../../src/standard/calls.ts'
import { CKF, CKG, CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'
import { ccmMemory, chachaMemory, gcmMemory, type MessageMemory } from './message-memory.ts'

const KEY = Buffer.alloc(32, 0x2b)
const AAD = Buffer.from('additional data')
const MESSAGE = Buffer.from('a message of some length, more than two blocks of it')
const END = CKF.END_OF_MESSAGE
const USES = { ENCRYPT: true, DECRYPT: true, SENSITIVE: false, EXTRACTABLE: true }

type Named = Parameters<typeof template>[0]

const keyOf = ({ call, session }: Opened, keyType: number = CKK.AES, named: Named = {}) =>
  call('C_CreateObject', [
    session,
    template({ CLASS: CKO.SECRET_KEY, KEY_TYPE: keyType, VALUE: KEY, ...USES, ...named }),
  ])

const none = (type: number) => ({ type, parameter: null })
const hex = (filled: unknown) => Buffer.from(bytes(filled)).toString('hex')

/** What the one-shot cipher of OpenSSL makes: the ciphertext and the tag. */
function known(
  memory: MessageMemory,
  message: Uint8Array = MESSAGE,
  aad: Uint8Array = AAD,
): { encrypted: string; tag: string } {
  const isGcm = memory.type === CKM.AES_GCM
  const isCcm = memory.type === CKM.AES_CCM
  const name = isGcm ? 'aes-256-gcm' : isCcm ? 'aes-256-ccm' : 'chacha20-poly1305'
  const options = { authTagLength: memory.bytes(isCcm ? 'mac' : 'tag').length }
  const iv = memory.bytes(isGcm ? 'iv' : 'nonce')
  const cipher = createCipheriv(name as 'aes-256-ccm', KEY, iv, options)
  cipher.setAAD(aad, { plaintextLength: message.length })
  const encrypted = Buffer.concat([cipher.update(message), cipher.final()]).toString('hex')
  return { encrypted, tag: cipher.getAuthTag().toString('hex') }
}

interface Family {
  readonly name: string
  readonly keyType: number
  readonly tag: string
  memory(): MessageMemory
}

const families: readonly Family[] = [
  { name: 'GCM', keyType: CKK.AES, tag: 'tag', memory: () => gcmMemory() },
  { name: 'CCM', keyType: CKK.AES, tag: 'mac', memory: () => ccmMemory(MESSAGE.length) },
  {
    name: 'ChaCha20-Poly1305',
    keyType: CKK.CHACHA20,
    tag: 'tag',
    memory: () => chachaMemory(),
  },
]

async function encrypting(token: Opened, { keyType, memory }: Family): Promise<MessageMemory> {
  const used = memory()
  const key = await keyOf(token, keyType)
  await token.call('C_MessageEncryptInit', [token.session, none(used.type), key])
  await token.call('C_MessageDecryptInit', [token.session, none(used.type), key])
  return used
}

for (const family of families) {
  test(`${family.name}: a message is what one-shot encryption makes, whole and in parts, and comes back`, async (t) => {
    const token = await openToken(t)
    const { call, session } = token
    const memory = await encrypting(token, family)
    const expected = known(memory)
    const whole = await call('C_EncryptMessage', [
      session,
      memory.argument,
      AAD,
      data(MESSAGE),
      MESSAGE.length,
    ])
    assert.equal(hex(whole), expected.encrypted)
    assert.equal(memory.bytes(family.tag).toString('hex'), expected.tag)

    memory.set({ [family.tag]: Buffer.alloc(16) })
    await call('C_EncryptMessageBegin', [session, memory.argument, AAD])
    const parts: string[] = []
    for (const [from, to, flags] of [
      [0, 5, 0],
      [5, 5, 0],
      [5, 40, 0],
      [40, MESSAGE.length, END],
    ] as const)
      parts.push(
        hex(
          await call('C_EncryptMessageNext', [
            session,
            memory.argument,
            data(MESSAGE.subarray(from, to)),
            100,
            flags,
          ]),
        ),
      )
    assert.equal(parts.join(''), expected.encrypted)
    assert.equal(memory.bytes(family.tag).toString('hex'), expected.tag)

    const encrypted = Buffer.from(expected.encrypted, 'hex')
    const plain = await call('C_DecryptMessage', [
      session,
      memory.argument,
      AAD,
      data(encrypted),
      100,
    ])
    assert.equal(hex(plain), MESSAGE.toString('hex'))
    await call('C_DecryptMessageBegin', [session, memory.argument, AAD])
    const first = await call('C_DecryptMessageNext', [
      session,
      memory.argument,
      data(encrypted.subarray(0, 20)),
      20,
      0,
    ])
    assert.equal(hex(first), MESSAGE.subarray(0, 20).toString('hex'))
    const second = await call('C_DecryptMessageNext', [
      session,
      memory.argument,
      data(encrypted.subarray(20)),
      100,
      END,
    ])
    assert.equal(hex(second), MESSAGE.subarray(20).toString('hex'))
    await call('C_MessageEncryptFinal', [session])
    await call('C_MessageDecryptFinal', [session])
  })

  test(`${family.name}: another tag, other data or other additional data are CKR_AEAD_DECRYPT_FAILED, and the next message works`, async (t) => {
    const token = await openToken(t)
    const { call, session } = token
    const memory = await encrypting(token, family)
    const { encrypted, tag } = known(memory)
    const right = Buffer.from(encrypted, 'hex')
    const wrong = Buffer.from(right)
    wrong[3] = (wrong[3] as number) ^ 1
    const tags = { right: Buffer.from(tag, 'hex'), wrong: Buffer.alloc(16, 1) }
    for (const [given, text, aad] of [
      [tags.wrong, right, AAD],
      [tags.right, wrong, AAD],
      [tags.right, right, Buffer.from('other')],
      [tags.right, right, null],
    ] as const) {
      memory.set({ [family.tag]: given })
      const { argument } = memory
      await assert.rejects(
        call('C_DecryptMessage', [session, argument, aad, data(text), 100]),
        answers('AEAD_DECRYPT_FAILED'),
      )
      await call('C_DecryptMessageBegin', [session, argument, aad])
      await assert.rejects(
        call('C_DecryptMessageNext', [session, argument, data(text), 100, END]),
        answers('AEAD_DECRYPT_FAILED'),
      )
      await assert.rejects(
        call('C_DecryptMessageNext', [session, argument, data(text), 100, END]),
        answers('OPERATION_NOT_INITIALIZED'),
      )
    }
    memory.set({ [family.tag]: tags.right })
    const plain = await call('C_DecryptMessage', [session, memory.argument, AAD, data(right), 100])
    assert.equal(hex(plain), MESSAGE.toString('hex'))
  })

  test(`${family.name}: a length is told before anything is done, and a small buffer changes nothing`, async (t) => {
    const token = await openToken(t)
    const { call, session } = token
    const memory = await encrypting(token, family)
    const needed = { needed: MESSAGE.length }
    for (const room of [null, 0, MESSAGE.length - 1])
      assert.deepEqual(
        await call('C_EncryptMessage', [session, memory.argument, AAD, data(MESSAGE), room]),
        needed,
      )
    await call('C_EncryptMessageBegin', [session, memory.argument, AAD])
    for (const flags of [0, END])
      for (const room of [null, MESSAGE.length - 1])
        assert.deepEqual(
          await call('C_EncryptMessageNext', [
            session,
            memory.argument,
            data(MESSAGE),
            room,
            flags,
          ]),
          needed,
        )
    const out = await call('C_EncryptMessageNext', [
      session,
      memory.argument,
      data(MESSAGE),
      MESSAGE.length,
      END,
    ])
    assert.equal(hex(out), known(memory).encrypted)
    const encrypted = data(bytes(out))
    assert.deepEqual(
      await call('C_DecryptMessage', [session, memory.argument, AAD, encrypted, null]),
      needed,
    )
    assert.equal(
      hex(await call('C_DecryptMessage', [session, memory.argument, AAD, encrypted, 100])),
      MESSAGE.toString('hex'),
    )
  })

  test(`${family.name}: parameters that no message has are CKR_MECHANISM_PARAM_INVALID`, async (t) => {
    const token = await openToken(t)
    const { call, session } = token
    const memory = await encrypting(token, family)
    const iv = family.name === 'GCM' ? 'iv' : 'nonce'
    const wrong = [
      null,
      Buffer.alloc(48),
      { ...memory.values, [iv]: Buffer.alloc(family.name === 'GCM' ? 0 : 5), nonceLen: 40 },
      { ...memory.values, [family.tag]: family.name === 'CCM' ? Buffer.alloc(5) : null },
      {},
    ]
    for (const parameter of wrong) {
      const argument = { type: memory.type, parameter }
      for (const call2 of ['C_EncryptMessage', 'C_DecryptMessage'] as const)
        await assert.rejects(
          call(call2, [session, argument, AAD, data(MESSAGE), 100]),
          answers('MECHANISM_PARAM_INVALID'),
        )
    }
    await call('C_EncryptMessage', [session, memory.argument, AAD, data(MESSAGE), 100])
  })
}

test('an IV is generated as its generator says, written back and used', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await keyOf(token)
  for (const [ivGenerator, expected] of [
    [CKG.GENERATE_COUNTER, ['030303030000000000000000', '030303030000000000000001']],
    [CKG.GENERATE_COUNTER_XOR, ['030303030303030303030303', '030303030303030303030302']],
    [CKG.GENERATE, undefined],
    [CKG.GENERATE_RANDOM, undefined],
  ] as const) {
    const memory = gcmMemory({ ivGenerator, ivFixedBits: 32 })
    await call('C_MessageEncryptInit', [session, memory.argument, key])
    const used: string[] = []
    for (let at = 0; at < 4; at++) {
      const { argument } = memory
      let encrypted = ''
      if (at % 2 === 0)
        encrypted = hex(await call('C_EncryptMessage', [session, argument, AAD, data(MESSAGE), 99]))
      else {
        await call('C_EncryptMessageBegin', [session, argument, AAD])
        const iv = memory.bytes('iv')
        const next = memory.argument
        encrypted = hex(await call('C_EncryptMessageNext', [session, next, data(MESSAGE), 99, END]))
        assert.deepEqual(memory.bytes('iv'), iv)
      }
      const right = known(memory)
      assert.equal(encrypted, right.encrypted)
      assert.equal(memory.bytes('tag').toString('hex'), right.tag)
      used.push(memory.bytes('iv').toString('hex'))
    }
    assert.equal(new Set(used).size, used.length)
    assert.ok(used.every((iv) => iv.startsWith('03030303')))
    if (expected) assert.deepEqual(used.slice(0, 2), expected)
    await call('C_MessageEncryptFinal', [session])
  }
})

test('a nonce of CCM is generated as well', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const memory = ccmMemory(MESSAGE.length, {
    nonceGenerator: CKG.GENERATE_COUNTER,
    nonceFixedBits: 32,
  })
  await call('C_MessageEncryptInit', [session, none(CKM.AES_CCM), await keyOf(token)])
  for (const nonce of ['030303030000000000000000', '030303030000000000000001']) {
    const encrypted = await call('C_EncryptMessage', [
      session,
      memory.argument,
      AAD,
      data(MESSAGE),
      99,
    ])
    assert.equal(memory.bytes('nonce').toString('hex'), nonce)
    assert.equal(hex(encrypted), known(memory).encrypted)
  }
})

test('asking the length, a small buffer and a wrong parameter use no IV up', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const memory = gcmMemory({ ivGenerator: CKG.GENERATE_COUNTER, ivFixedBits: 88 })
  await call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), await keyOf(token)])
  for (let at = 0; at < 300; at++)
    await call('C_EncryptMessage', [
      session,
      memory.argument,
      AAD,
      data(MESSAGE),
      at % 2 ? 3 : null,
    ])
  const wrong = { ...memory.values, tag: null }
  await assert.rejects(
    call('C_EncryptMessage', [session, { type: 0, parameter: wrong }, AAD, data(MESSAGE), 99]),
    answers('MECHANISM_PARAM_INVALID'),
  )
  for (let at = 0; at < 256; at++) {
    await call('C_EncryptMessage', [session, memory.argument, AAD, data(MESSAGE), 99])
    assert.equal(memory.bytes('iv')[11], at)
  }
  await assert.rejects(
    call('C_EncryptMessage', [session, memory.argument, AAD, data(MESSAGE), 99]),
    answers('MECHANISM_PARAM_INVALID'),
  )
})

test('IVs of many lengths and messages of none are what one-shot encryption makes', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), await keyOf(token)])
  for (const [length, tagBits] of [
    [1, 32],
    [8, 64],
    [16, 96],
    [128, 104],
    [60, 112],
    [13, 120],
  ] as const) {
    const memory = gcmMemory({
      iv: Buffer.alloc(length, 9),
      tagBits,
      tag: Buffer.alloc(tagBits / 8),
    })
    for (const message of [Buffer.alloc(0), MESSAGE]) {
      const out = await call('C_EncryptMessage', [
        session,
        memory.argument,
        null,
        data(message),
        99,
      ])
      const right = known(memory, message, Buffer.alloc(0))
      assert.deepEqual([hex(out), memory.bytes('tag').toString('hex')], Object.values(right))
    }
  }
})

test('CCM keeps to the length that its parameter tells', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await keyOf(token)
  await call('C_MessageEncryptInit', [session, none(CKM.AES_CCM), key])
  await call('C_MessageDecryptInit', [session, none(CKM.AES_CCM), key])
  for (const told of [MESSAGE.length - 1, MESSAGE.length + 1]) {
    const { argument } = ccmMemory(told)
    await assert.rejects(
      call('C_EncryptMessage', [session, argument, AAD, data(MESSAGE), 99]),
      answers('DATA_LEN_RANGE'),
    )
    await assert.rejects(
      call('C_DecryptMessage', [session, argument, AAD, data(MESSAGE), 99]),
      answers('ENCRYPTED_DATA_LEN_RANGE'),
    )
    await call('C_DecryptMessageBegin', [session, argument, AAD])
    await assert.rejects(
      call('C_DecryptMessageNext', [session, argument, data(MESSAGE), 99, END]),
      answers('ENCRYPTED_DATA_LEN_RANGE'),
    )
  }
})

test('messages are begun, go on and end in their order', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await keyOf(token)
  const { argument } = gcmMemory()
  const next = () => call('C_EncryptMessageNext', [session, argument, data(MESSAGE), 99, 0])
  const end = () => call('C_EncryptMessageNext', [session, argument, data(MESSAGE), 99, END])
  const whole = () => call('C_EncryptMessage', [session, argument, AAD, data(MESSAGE), 99])
  const begin = () => call('C_EncryptMessageBegin', [session, argument, AAD])
  const init = () => call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), key])
  const finish = () => call('C_MessageEncryptFinal', [session])
  const isNone = answers('OPERATION_NOT_INITIALIZED')
  for (const early of [next, end, whole, begin, finish]) await assert.rejects(early(), isNone)
  await init()
  await assert.rejects(init(), answers('OPERATION_ACTIVE'))
  await assert.rejects(next(), isNone)
  await begin()
  for (const amid of [begin, whole, finish, init])
    await assert.rejects(amid(), answers('OPERATION_ACTIVE'))
  await next()
  await end()
  await assert.rejects(next(), isNone)
  await whole()
  await begin()
  await assert.rejects(
    call('C_EncryptMessageNext', [session, argument, data(MESSAGE), 99, 2]),
    answers('ARGUMENTS_BAD'),
  )
  await assert.rejects(next(), isNone)
  await finish()
  await assert.rejects(finish(), isNone)
})

test('an Init without a mechanism ends the messages, one that is under way too', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await keyOf(token)
  const { argument } = gcmMemory()
  await assert.rejects(call('C_MessageEncryptInit', [session, null, key]), answers('ARGUMENTS_BAD'))
  await call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), key])
  await call('C_EncryptMessageBegin', [session, argument, AAD])
  await call('C_MessageEncryptInit', [session, null, 0])
  await assert.rejects(
    call('C_EncryptMessageBegin', [session, argument, AAD]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('the Init functions check mechanism and key as those without messages do', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await keyOf(token)
  const gcm = none(CKM.AES_GCM)
  const init = (mechanism: { type: number; parameter: object | null }, handle: number) =>
    call('C_MessageEncryptInit', [session, mechanism as typeof gcm, handle])
  await assert.rejects(init(none(CKM.AES_CBC), key), answers('MECHANISM_INVALID'))
  await assert.rejects(init(none(0x7777), key), answers('MECHANISM_INVALID'))
  await assert.rejects(init({ ...gcm, parameter: {} }, key), answers('MECHANISM_PARAM_INVALID'))
  await assert.rejects(init(gcm, 4711), answers('KEY_HANDLE_INVALID'))
  await assert.rejects(init(none(CKM.CHACHA20_POLY1305), key), answers('KEY_TYPE_INCONSISTENT'))
  const onlyDecrypts = await keyOf(token, CKK.AES, { ENCRYPT: false })
  await assert.rejects(init(gcm, onlyDecrypts), answers('KEY_FUNCTION_NOT_PERMITTED'))
  await assert.rejects(
    call('C_MessageDecryptInit', [session, gcm, await keyOf(token, CKK.AES, { DECRYPT: false })]),
    answers('KEY_FUNCTION_NOT_PERMITTED'),
  )
})

test('messages end with their key, with the login and with C_SessionCancel', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const { argument } = gcmMemory()
  const key = await keyOf(token)
  const over = () =>
    assert.rejects(
      call('C_EncryptMessage', [session, argument, AAD, data(MESSAGE), 99]),
      answers('OPERATION_NOT_INITIALIZED'),
    )
  await call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), key])
  await call('C_SessionCancel', [session, CKF.MESSAGE_DECRYPT | CKF.ENCRYPT])
  await call('C_EncryptMessage', [session, argument, AAD, data(MESSAGE), 99])
  await call('C_SessionCancel', [session, CKF.MESSAGE_ENCRYPT])
  await over()
  await call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), key])
  await call('C_DestroyObject', [session, key])
  await over()
  await call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), await keyOf(token)])
  await call('C_Logout', [session])
  await over()
})

test('the state of messages is not saved', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  await call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), await keyOf(token)])
  await assert.rejects(call('C_GetOperationState', [session, 100]), answers('STATE_UNSAVEABLE'))
})

/** A gibibyte that is not there until it is read. */
const gibibyte: Data = { length: 1 << 30, read: (_offset, length) => new Uint8Array(length) }

test('a callback cancels C_EncryptMessage and C_EncryptMessageNext over a gibibyte, and only their message', async (t) => {
  const token = await openToken(t, 0)
  const { call, session } = token
  const memory = gcmMemory({ ivGenerator: CKG.GENERATE_COUNTER, ivFixedBits: 32 })
  await call('C_MessageEncryptInit', [session, none(CKM.AES_GCM), await keyOf(token)])
  let called = 0
  const context = { notify: () => (++called % 5 === 0 ? CKR.CANCEL : CKR.OK), put: () => {} }
  await assert.rejects(
    call('C_EncryptMessage', [session, memory.argument, AAD, gibibyte, 1 << 30], context),
    answers('FUNCTION_CANCELED'),
  )
  assert.equal(called, 5)
  await call('C_EncryptMessageBegin', [session, memory.argument, AAD])
  await assert.rejects(
    call('C_EncryptMessageNext', [session, memory.argument, gibibyte, 1 << 30, END], context),
    answers('FUNCTION_CANCELED'),
  )
  assert.equal(called, 10)
  await assert.rejects(
    call('C_EncryptMessageNext', [session, memory.argument, data('x'), 9, END]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  // What went out under an IV may have been kept: the next message has another one.
  await call('C_EncryptMessage', [session, memory.argument, AAD, data(MESSAGE), 99])
  assert.equal(memory.bytes('iv')[11], 2)
})

test('C_SessionCancel stops a running C_DecryptMessage and ends its operation', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const { argument } = gcmMemory()
  await call('C_MessageDecryptInit', [session, none(CKM.AES_GCM), await keyOf(token)])
  const slow: Data = {
    length: 64 << 20,
    read: async (_offset, length) => {
      await new Promise((resolve) => setImmediate(resolve))
      return new Uint8Array(length)
    },
  }
  const decryption = call('C_DecryptMessage', [session, argument, AAD, slow, 64 << 20])
  await call('C_SessionCancel', [session, CKF.MESSAGE_DECRYPT])
  await assert.rejects(decryption, answers('FUNCTION_CANCELED'))
  await assert.rejects(
    call('C_DecryptMessageBegin', [session, argument, AAD]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('a message of several mebibytes goes out as it is made, and decryption withholds all until its tag', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const memory = await encrypting(token, families[0] as Family)
  const message = Buffer.alloc((3 << 20) + 5, 'long ')
  const out = Buffer.alloc(message.length)
  const put = (offset: number, part: Uint8Array) => void out.set(part, offset)
  const room = message.length
  const told = await call(
    'C_EncryptMessage',
    [session, memory.argument, AAD, data(message), room],
    { put },
  )
  assert.deepEqual(told, { put: room })
  assert.equal(out.toString('hex') === known(memory, message).encrypted, true)
  const encrypted = Buffer.from(out)
  out.fill(0)
  const wrong = { ...memory.argument, parameter: { ...memory.values, tag: Buffer.alloc(16) } }
  await assert.rejects(
    call('C_DecryptMessage', [session, wrong, AAD, data(encrypted), room], { put }),
    answers('AEAD_DECRYPT_FAILED'),
  )
  assert.ok(out.every((byte) => byte === 0))
  await call('C_DecryptMessage', [session, memory.argument, AAD, data(encrypted), room], { put })
  assert.ok(out.equals(message))
})
