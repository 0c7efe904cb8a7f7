import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { reasonOf, tracedCall } from '../../src/functions/trace.ts'
import type { AnswerOf, CallContext, FunctionName, InputsOf } from '../../src/standard/calls.ts'
import { CKA, CKM, CKN, CKO, CKR, CKU } from '../../src/standard/constants.ts'
import { bytes, data, openToken, PIN, SO_PIN, template } from '../in-process.ts'

/** A token whose application says every call; errors are answered as undefined. */
async function talkative(t: TestContext) {
  const { application, session } = await openToken(t)
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  async function call<N extends FunctionName>(
    name: N,
    inputs: InputsOf<N>,
    context: CallContext = {},
  ): Promise<AnswerOf<N> | undefined> {
    const run = (counted: CallContext) => application.call(name, inputs, counted)
    try {
      return await tracedCall<AnswerOf<N>>(name, inputs as readonly unknown[], context, say, run)
    } catch {
      return undefined
    }
  }
  return { session, lines, call }
}

/** A line without its milliseconds. */
const untimed = (line: string | undefined) => line?.replace(/\d+\.\d ms/, 'T')

const none = (type: number) => ({ type, parameter: null })

test('a line tells arguments by name, the return value, what was answered, and the time', async (t) => {
  const { session, lines, call } = await talkative(t)
  await call('C_GenerateKey', [
    session,
    none(CKM.AES_KEY_GEN),
    template({ LABEL: 'mine', KEY_TYPE: 0x1f, TOKEN: false, VALUE_LEN: 32, ENCRYPT: true }),
  ])
  await call('C_EncryptInit', [session, { type: CKM.AES_CBC_PAD, parameter: Buffer.alloc(16) }, 1])
  await call('C_Encrypt', [session, data('hello'), 3])
  await call('C_Encrypt', [session, data('hello'), 16])
  await call('C_GetSessionInfo', [session])
  assert.deepEqual(lines.map(untimed), [
    'C_GenerateKey(session 1, CKM_AES_KEY_GEN, {CKA_LABEL "mine", CKA_KEY_TYPE CKK_AES, CKA_TOKEN false, CKA_VALUE_LEN 32, CKA_ENCRYPT true}) = CKR_OK: key 1 (T)',
    'C_EncryptInit(session 1, CKM_AES_CBC_PAD 16 bytes, key 1) = CKR_OK (T)',
    'C_Encrypt(session 1, data 5 bytes, encryptedData for 3) = CKR_BUFFER_TOO_SMALL: encryptedData 16 bytes needed (T)',
    'C_Encrypt(session 1, data 5 bytes, encryptedData for 16) = CKR_OK: encryptedData 16 bytes (T)',
    'C_GetSessionInfo(session 1) = CKR_OK: slotID 0, state 3, flags 0x6, deviceError 0 (T)',
  ])
})

test('whatever is not CKR_OK comes with its reason', async (t) => {
  const { session, lines, call } = await talkative(t)
  await call('C_Login', [session, CKU.USER, PIN])
  await call('C_SignInit', [session, none(CKM.SHA256_RSA_PKCS), 99])
  await call('C_GetSessionInfo', [77])
  for (const line of lines) assert.match(line, /\) = CKR_[A-Z_]+: .+ \(\d+\.\d ms\)$/)
  assert.equal(lines.length, 3)
})

test('of a parameter the numbers are told, of bytes and lists how much there is', () => {
  const lines: string[] = []
  const inner = { count: 3, saved: Buffer.from('saved-secret') }
  const parameter = { bits: 128, iv: IV, none: null, inner, list: [inner, inner] }
  const say = (line: string) => void lines.push(line)
  tracedCall('C_SignInit', [1, { type: CKM.AES_CTR, parameter }, 2], {}, say, () => null)
  assert.deepEqual(lines.map(untimed), [
    'C_SignInit(session 1, CKM_AES_CTR {bits 128, iv 16 bytes, none NULL, inner {count 3, saved 12 bytes}, list 2 elements}, key 2) = CKR_OK (T)',
  ])
})

test('a call that called back tells how often', async (t) => {
  const { session, lines, call } = await talkative(t)
  const notify = (event: number) => (event === CKN.SURRENDER ? CKR.CANCEL : CKR.OK)
  const pair = [none(CKM.RSA_PKCS_KEY_PAIR_GEN), template({ MODULUS_BITS: 16384 })] as const
  await call('C_GenerateKeyPair', [session, ...pair, template({})], { notify })
  assert.match(
    lines[0] ?? '',
    / = CKR_FUNCTION_CANCELED: the application answered CKR_CANCEL \(.* ms, 1 callbacks\)$/,
  )
})

test('what cannot be printed is not, and an error that nobody foresaw keeps its words to itself', async (t) => {
  const { session, lines, call } = await talkative(t)
  await call('C_FindObjectsInit', [session, template({ LABEL: 'a\nsoftoki[1]: \u001b[2J\u202e' })])
  assert.match(lines[0] ?? '', /\{CKA_LABEL "a\?softoki\[1\]: \?\[2J\?"\}/)
  assert.doesNotMatch(reasonOf(new RangeError('1234 is the PIN')), /1234/)
})

test('long lists and long lines are cut', async (t) => {
  const { session, lines, call } = await talkative(t)
  const many = Array.from({ length: 500 }, () => ({ type: CKA.LABEL, value: Buffer.from('label') }))
  await call('C_FindObjectsInit', [session, many])
  await call('C_FindObjectsInit', [session, template({ LABEL: 'x'.repeat(100_000) })])
  assert.match(lines[0] ?? '', /460 more/)
  for (const line of lines) assert.ok(line.length <= 2000)
})

const SECRET = Buffer.from('key-value-3141592653589793')
const TEXT = Buffer.from('the plain text that is nobody else’s business')
const SEED = Buffer.from('seed-of-random-numbers')
const IV = Buffer.from('0123456789abcdef')

/** The ways a secret could be written. */
const writings = (secret: Uint8Array): string[] => [
  Buffer.from(secret).toString(),
  Buffer.from(secret).toString('hex'),
  Buffer.from(secret).toString('base64'),
  Array.from(secret).join(','),
  Array.from(secret).join(', '),
]

test('no PIN, key value, data or seed is among the lines of a whole session', async (t) => {
  const { session, lines, call } = await talkative(t)
  await call('C_Logout', [session])
  await call('C_Login', [session, CKU.USER, Buffer.concat([PIN, PIN])])
  await call('C_Login', [session, CKU.USER, PIN])
  await call('C_SetPIN', [session, SO_PIN, PIN])
  await call('C_InitPIN', [session, SO_PIN])
  await call('C_InitToken', [0, SO_PIN, Buffer.alloc(32, 32)])
  await call('C_SeedRandom', [session, SEED])
  const key = await call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: 0x10,
      VALUE: SECRET,
      SIGN: true,
      SENSITIVE: false,
      EXTRACTABLE: true,
    }),
  ])
  // The same under numbers that are no value's: a vendor's, a truth value, a number, a class.
  for (const type of [0x80005678, CKA.SENSITIVE, CKA.VALUE_LEN, CKA.CLASS, CKA.ID, CKA.OBJECT_ID])
    await call('C_CreateObject', [session, [{ type, value: SECRET }]])
  await call('C_FindObjectsInit', [session, [{ type: CKA.VALUE, value: SECRET }]])
  await call('C_FindObjects', [session, 5])
  await call('C_FindObjectsFinal', [session])
  const nested = [{ type: CKA.WRAP_TEMPLATE, value: [{ type: CKA.VALUE, value: SECRET }] }]
  await call('C_CreateObject', [session, nested])
  const queries = [{ type: CKA.VALUE, room: 100 }]
  const read = await call('C_GetAttributeValue', [session, key as number, queries])
  assert.deepEqual(Buffer.from(read?.answers[0]?.value as Uint8Array), SECRET)
  await call('C_SetAttributeValue', [session, key as number, template({ VALUE: SECRET })])
  await call('C_SignInit', [session, none(CKM.SHA256_HMAC), key as number])
  const signature = await call('C_Sign', [session, data(TEXT), 100])
  await call('C_DigestInit', [session, none(CKM.SHA256)])
  await call('C_DigestUpdate', [session, data(TEXT)])
  await call('C_DigestKey', [session, key as number])
  const digest = await call('C_DigestFinal', [session, 100])
  const aes = await call('C_GenerateKey', [
    session,
    none(CKM.AES_KEY_GEN),
    template({ VALUE_LEN: 32 }),
  ])
  const cipher = { type: CKM.AES_CBC_PAD, parameter: IV }
  await call('C_EncryptInit', [session, cipher, aes as number])
  const sealed = bytes(await call('C_Encrypt', [session, data(TEXT), 100]))
  await call('C_DecryptInit', [session, cipher, aes as number])
  const opened = await call('C_Decrypt', [session, data(sealed), 100])
  assert.deepEqual(Buffer.from(bytes(opened)), TEXT)
  const random = await call('C_GenerateRandom', [session, 32])

  assert.ok(lines.length >= 25)
  const all = lines.join('\n')
  const computed = [signature, digest, sealed, random].map(bytes)
  for (const secret of [PIN, SO_PIN, SECRET, TEXT, SEED, IV, ...computed])
    for (const writing of writings(secret))
      assert.ok(!all.includes(writing), `${writing} in\n${all}`)
})
