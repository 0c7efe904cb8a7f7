import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { Attributes, CryptokiObject } from '../../src/mechanisms/mechanism.ts'
import { sp800108 } from '../../src/mechanisms/sp800-108.ts'
import type { Parameter } from '../../src/standard/calls.ts'
import {
  CK_SP800_108_BYTE_ARRAY as BYTE_ARRAY,
  CKA,
  CKK,
  CKM,
  CKR,
  CK_SP800_108_COUNTER as COUNTER,
  CK_SP800_108_DKM_LENGTH as DKM_LENGTH,
  CK_SP800_108_ITERATION_VARIABLE as ITERATION_VARIABLE,
  CK_SP800_108_KEY_HANDLE as KEY_HANDLE,
  CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS as SUM_OF_KEYS,
  CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS as SUM_OF_SEGMENTS,
} from '../../src/standard/constants.ts'
import { answers, type Opened, openToken, template } from '../in-process.ts'
import {
  answering,
  derive,
  hidden,
  type Named,
  NOTHING,
  OPEN,
  objectsOf,
  policy,
  secret,
  valueAt,
} from './derivation-calls.ts'
import {
  derive as deriving,
  hex,
  maker,
  mechanism,
  secretKey,
  toHex,
  ulong,
  withReturnValue,
} from './rows.ts'
import { counterCases, otherCases } from './sp800-108-vectors.ts'

type Field = { readonly type: number; readonly value: Uint8Array }

/** CK_SP800_108_COUNTER_FORMAT. */
const format = (bits: number, littleEndian = 0): Uint8Array =>
  Buffer.concat([Uint8Array.of(littleEndian, 0, 0, 0, 0, 0, 0, 0), ulong(bits)])

const counting = (bits: number, littleEndian = 0): Field => ({
  type: ITERATION_VARIABLE,
  value: format(bits, littleEndian),
})
const variable: Field = { type: ITERATION_VARIABLE, value: NOTHING }
const counter = (bits: number): Field => ({ type: COUNTER, value: format(bits) })
const data = (bytes: Uint8Array | string): Field => ({
  type: BYTE_ARRAY,
  value: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
})
const dkmLength = (method: number, bits: number, littleEndian = 0): Field => ({
  type: DKM_LENGTH,
  value: Buffer.concat([ulong(method), format(bits, littleEndian)]),
})

const parameter = (
  prfType: number,
  dataParams: readonly Field[],
  more: Partial<Parameter> = {},
): Parameter => ({
  prfType,
  dataParams: dataParams as unknown as readonly Parameter[],
  additionalDerivedKeys: [],
  ...more,
})

/** The PRFs of the vectors, with the type of their keys. */
const PRFS: Readonly<Record<string, readonly [mechanism: number, keyType: number]>> = {
  CMAC_AES128: [CKM.AES_CMAC, CKK.AES],
  CMAC_AES192: [CKM.AES_CMAC, CKK.AES],
  CMAC_AES256: [CKM.AES_CMAC, CKK.AES],
  CMAC_TDES2: [CKM.DES3_CMAC, CKK.DES2],
  CMAC_TDES3: [CKM.DES3_CMAC, CKK.DES3],
  HMAC_SHA1: [CKM.SHA_1_HMAC, CKK.GENERIC_SECRET],
  HMAC_SHA224: [CKM.SHA224_HMAC, CKK.SHA224_HMAC],
  HMAC_SHA256: [CKM.SHA256_HMAC, CKK.SHA256_HMAC],
  HMAC_SHA384: [CKM.SHA384_HMAC, CKK.GENERIC_SECRET],
  HMAC_SHA512: [CKM.SHA512_HMAC, CKK.SHA512_HMAC],
}

const prfAndKey = (prf: string, key: string): [number, CryptokiObject] => {
  const [type, keyType] = PRFS[prf] as [number, number]
  return [type, secretKey(keyType, hex(key))]
}

/** What a row makes of so many bytes for one key. */
async function made(
  type: number,
  base: CryptokiObject,
  values: Parameter,
  bytes: number,
): Promise<string> {
  const wanted = new Map([
    [CKA.KEY_TYPE, CKK.GENERIC_SECRET],
    [CKA.VALUE_LEN, bytes],
  ])
  const make = maker(sp800108, type, 'derive')
  const [first] = (await make(base, deriving(mechanism(type, values), wanted))) as [Attributes]
  return toHex(first.get(CKA.VALUE) as Uint8Array)
}

test('counter mode makes what CAVP has, with each PRF and the counter in each place', async () => {
  for (const { prf, bits, key, before, behind, made: expected } of counterCases) {
    const [type, base] = prfAndKey(prf, key)
    const fields = [data(hex(before)), counting(bits), data(hex(behind))]
    const values = parameter(
      type,
      fields.filter((field) => field.value.length > 0),
    )
    const bytes = expected.length / 2
    assert.equal(await made(CKM.SP800_108_COUNTER_KDF, base, values, bytes), expected)
  }
})

test('feedback and double pipeline modes make what CAVP has', async () => {
  const modes = {
    feedback: CKM.SP800_108_FEEDBACK_KDF,
    'double pipeline': CKM.SP800_108_DOUBLE_PIPELINE_KDF,
  }
  for (const { mode, prf, bits, key, iv, data: fixed, made: expected } of otherCases) {
    const [type, base] = prfAndKey(prf, key)
    const fields = [variable, ...(bits > 0 ? [counter(bits)] : []), data(hex(fixed))]
    const values = parameter(type, fields, { iv: hex(iv ?? '') })
    assert.equal(await made(modes[mode], base, values, expected.length / 2), expected)
  }
})

const KEY = Buffer.alloc(32, 0x42)
const prf = (...parts: readonly Uint8Array[]) =>
  createHmac('sha256', KEY).update(Buffer.concat(parts)).digest()

const counterMode = (fields: readonly Field[], more: Partial<Parameter> = {}) => ({
  type: CKM.SP800_108_COUNTER_KDF,
  parameter: parameter(CKM.SHA256_HMAC, fields, more),
})

test('counters and lengths have the width and the order of bytes that their formats tell', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, KEY)
  const of = async (...fields: Field[]) =>
    valueAt(token, await derive(token, counterMode(fields), base, { ...OPEN, VALUE_LEN: 32 }))
  const cases: [Field[], string][] = [
    [[counting(8)], '01'],
    [[counting(16)], '0001'],
    [[counting(16, 1)], '0100'],
    [[counting(24, 1)], '010000'],
    [[counting(32)], '00000001'],
    [[counting(8), dkmLength(SUM_OF_KEYS, 16)], '010100'],
    [[counting(8), dkmLength(SUM_OF_KEYS, 16, 1)], '010001'],
    [[dkmLength(SUM_OF_SEGMENTS, 64), counting(8)], '000000000000010001'],
    [[data('label'), data(hex('00')), counting(8), data('x')], '6c6162656c000178'],
  ]
  for (const [fields, input] of cases)
    assert.equal(await of(...fields), prf(hex(input)).toString('hex'))
})

test('a key handle stands for its value', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, KEY)
  const other = await secret(token, hex('a1b2c3'))
  const named = { ...OPEN, VALUE_LEN: 32 }
  const field = (key: number): Field => ({ type: KEY_HANDLE, value: ulong(key) })
  const twice = counterMode([counting(8), field(other), field(other)])
  assert.equal(
    await valueAt(token, await derive(token, twice, base, named)),
    prf(hex('01a1b2c3a1b2c3')).toString('hex'),
  )
  const useless = await secret(token, hex('00'), { DERIVE: false })
  for (const [key, rv] of [
    [99, 'KEY_HANDLE_INVALID'],
    [useless, 'KEY_FUNCTION_NOT_PERMITTED'],
  ] as const)
    await assert.rejects(
      derive(token, counterMode([counting(8), field(key)]), base, named),
      answers(rv),
    )
})

const further = (...templates: readonly Named[]): Partial<Parameter> => ({
  additionalDerivedKeys: templates.map((named) => ({
    template: template(named) as unknown as Parameter[],
    key: 0,
  })),
})

const countedLength = (method: number) => [counting(8), dkmLength(method, 16)]

async function deriveSeveral(token: Opened, base: number, method: number) {
  const asked = counterMode(
    countedLength(method),
    further(
      { ...OPEN, VALUE_LEN: 16 },
      { KEY_TYPE: CKK.AES, VALUE_LEN: 32, SENSITIVE: false, EXTRACTABLE: true },
    ),
  )
  const { mechanism: argument, given } = answering(asked.type, asked.parameter)
  const first = await derive(token, argument, base, { ...OPEN, VALUE_LEN: 48 })
  const [{ additionalDerivedKeys: handles }] = given as [Parameter]
  return [first, ...(handles as readonly Parameter[]).map(({ key }) => key as number)]
}

/** The example of 6.42.6, and a third key. */
test('several keys are made of disjoint segments, in their order', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, KEY)
  for (const [method, bits] of [
    [SUM_OF_KEYS, '0300'],
    [SUM_OF_SEGMENTS, '0400'],
  ] as const) {
    const segment = (i: number) => prf(Uint8Array.of(i), hex(bits))
    const keys = await deriveSeveral(token, base, method)
    assert.deepEqual(await Promise.all(keys.map((key) => valueAt(token, key))), [
      Buffer.concat([segment(1), segment(2)]).toString('hex', 0, 48),
      segment(3).toString('hex', 0, 16),
      segment(4).toString('hex'),
    ])
  }
})

const faults: [string, Named, keyof typeof CKR][] = [
  ['no length', {}, 'TEMPLATE_INCOMPLETE'],
  ['too long a key', { VALUE_LEN: 16385 }, 'TEMPLATE_INCONSISTENT'],
  ['an attribute of another class', { VALUE_LEN: 16, MODULUS_BITS: 5 }, 'TEMPLATE_INCONSISTENT'],
]

for (const [what, wrong, rv] of faults)
  test(`${what} in one template makes no key, and its handle tells which it was`, async (t) => {
    const token = await openToken(t)
    const base = await secret(token, KEY)
    const right = { VALUE_LEN: 16 }
    const { parameter: values } = counterMode([counting(8)], further(right, wrong, right))
    const { mechanism: argument, given } = answering(CKM.SP800_108_COUNTER_KDF, values)
    await assert.rejects(derive(token, argument, base, { VALUE_LEN: 16 }), answers(rv))
    assert.deepEqual(given, [{ additionalDerivedKeys: [{}, { key: 0 }, {}] }])
    assert.equal(await objectsOf(token), 1)
  })

test('sensitive and extractable are as in the base key, unless a template says otherwise', async (t) => {
  const token = await openToken(t)
  const [open, closed] = [await secret(token, KEY), await hidden(token)]
  const made = async (base: number, named: Named, ...more: Field[]) => {
    const asked = counterMode([counting(8), ...more])
    return policy(token, await derive(token, asked, base, { ...named, VALUE_LEN: 16 }))
  }
  assert.equal(await made(open, {}), '-E---')
  assert.equal(await made(open, { SENSITIVE: true, EXTRACTABLE: false }), 'S----')
  assert.equal(await made(closed, {}), 'S-AN-')
  assert.equal(await made(closed, OPEN), '-E---')
  // 6.42.7: any of the keys is enough.
  const other: Field = { type: KEY_HANDLE, value: ulong(closed) }
  assert.equal(await made(open, { SENSITIVE: true, EXTRACTABLE: false }, other), 'S-AN-')
})

test('a list of data that the mode does not allow is refused', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, KEY)
  const { SP800_108_FEEDBACK_KDF: feedback, SP800_108_DOUBLE_PIPELINE_KDF: pipeline } = CKM
  const long = data(Buffer.alloc(40_000))
  const refused: [number, Field[]][] = [
    [CKM.SP800_108_COUNTER_KDF, []],
    [CKM.SP800_108_COUNTER_KDF, [variable]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), counting(8)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), counter(8)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(0)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(12)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(40)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8, 2)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), data(NOTHING)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), { type: 6, value: NOTHING }]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), { type: KEY_HANDLE, value: hex('01') }]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), dkmLength(3, 32)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), dkmLength(1, 72)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), dkmLength(1, 8), dkmLength(1, 8)]],
    // 32 bytes are 256 bits.
    [CKM.SP800_108_COUNTER_KDF, [counting(8), dkmLength(1, 8)]],
    [CKM.SP800_108_COUNTER_KDF, [counting(8), long, long]],
    [feedback, [data('x')]],
    [feedback, [counting(8), data('x')]],
    [feedback, [variable, counter(8), counter(8)]],
    [pipeline, [data('x')]],
  ]
  for (const [type, fields] of refused)
    await assert.rejects(
      derive(
        token,
        { type, parameter: parameter(CKM.SHA256_HMAC, fields, { iv: NOTHING }) },
        base,
        {
          VALUE_LEN: 32,
        },
      ),
      answers('MECHANISM_PARAM_INVALID'),
    )
})

test('a narrow counter ends at its last value', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, KEY)
  const asked = counterMode([counting(8)])
  await derive(token, asked, base, { VALUE_LEN: 255 * 32 })
  await assert.rejects(
    derive(token, asked, base, { VALUE_LEN: 255 * 32 + 1 }),
    answers('MECHANISM_PARAM_INVALID'),
  )
})

test('the base key is one that the PRF takes', async () => {
  const { parameter: values } = counterMode([counting(8)])
  const type = CKM.SP800_108_COUNTER_KDF
  const aes = secretKey(CKK.AES, Buffer.alloc(16))
  await assert.rejects(made(type, aes, values, 16), withReturnValue(CKR.KEY_TYPE_INCONSISTENT))
  const short = secretKey(CKK.AES, Buffer.alloc(5))
  const cmac = { ...values, prfType: CKM.AES_CMAC }
  await assert.rejects(made(type, short, cmac, 16), withReturnValue(CKR.KEY_SIZE_RANGE))
  for (const prfType of [CKM.MD5_HMAC, CKM.SHA256, CKM.AES_CBC])
    await assert.rejects(
      made(type, aes, { ...values, prfType }, 16),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
})
