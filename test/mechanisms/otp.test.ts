/** CKM_HOTP and its keys through the C_ functions: values, requirements, formats, and the counter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Image, Parameter } from '../../src/standard/calls.ts'
import {
  CK_OTP_CHALLENGE,
  CK_OTP_COUNTER,
  CK_OTP_FLAGS,
  CK_OTP_FORMAT_ALPHANUMERIC,
  CK_OTP_FORMAT_BINARY,
  CK_OTP_FORMAT_DECIMAL,
  CK_OTP_FORMAT_HEXADECIMAL,
  CK_OTP_OUTPUT_FORMAT,
  CK_OTP_OUTPUT_LENGTH,
  CK_OTP_PARAM_MANDATORY,
  CK_OTP_PARAM_OPTIONAL,
  CK_OTP_PIN,
  CK_OTP_TIME,
  CK_OTP_VALUE,
  CKF,
  CKK,
  CKM,
  CKO,
  CKR,
  CKU,
} from '../../src/standard/constants.ts'
import { answers, data, type Opened, openToken, PIN, template } from '../in-process.ts'
import { attribute, type Named } from './parameter-sets.ts'

/** RFC 4226, appendix D: secret, truncated values and HOTP values of the counters from 0 on. */
const SECRET = Buffer.from('12345678901234567890')
const TRUNCATED = [
  '4c93cf18',
  '41397eea',
  '082fef30',
  '66ef7655',
  '61c5938a',
  '33c083d4',
  '7256c032',
  '04e5b397',
  '2823443f',
  '2679dc69',
]
const VALUES = [
  '755224',
  '287082',
  '359152',
  '969429',
  '338314',
  '254676',
  '287922',
  '162583',
  '399871',
  '520489',
]

/** RFC 6238, appendix B, those with SHA-1: seconds since 1970, CK_OTP_TIME and the value. */
const TIMES = [
  [59, '19700101000059', '94287082'],
  [1111111109, '20050318015829', '07081804'],
  [1111111111, '20050318015831', '14050471'],
  [1234567890, '20090213233130', '89005924'],
  [2000000000, '20330518033320', '69279037'],
  [20000000000, '26031011113320', '65353130'],
] as const

type Asked = readonly (readonly [type: number, value: Buffer | string | number])[]

const eight = (value: number | bigint) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

const encoded = (value: Buffer | string | number) =>
  typeof value === 'number' ? Buffer.from(eight(value)).reverse() : Buffer.from(value)

const hotp = (...asked: Asked) => ({
  type: CKM.HOTP,
  parameter: { params: asked.map(([type, value]): Parameter => ({ type, value: encoded(value) })) },
})

const hotpKey = ({ call, session }: Opened, named: Named = {}) =>
  call('C_CreateObject', [
    session,
    template({ CLASS: CKO.OTP_KEY, KEY_TYPE: CKK.HOTP, VALUE: SECRET, ...named }),
  ])

/** CK_OTP_SIGNATURE_INFO as a C program would read it from offset 0. */
function told({ image, pointers }: Image): Map<number, Buffer> {
  const bytes = Buffer.from(image)
  const word = (at: number) => Number(bytes.readBigUInt64LE(at))
  const [first, count] = [word(0), word(8)]
  const found = new Map<number, Buffer>()
  const places = [0]
  for (let at = first; at < first + count * 24; at += 24) {
    found.set(word(at), bytes.subarray(word(at + 8), word(at + 8) + word(at + 16)))
    places.push(at + 8)
  }
  assert.deepEqual(pointers, places)
  return found
}

const nothing = data('')

async function signed({ call, session }: Opened, key: number, ...asked: Asked) {
  await call('C_SignInit', [session, hotp(...asked), key])
  return told((await call('C_Sign', [session, nothing, 1000])) as Image)
}

const otp = async (token: Opened, key: number, ...asked: Asked) =>
  (await signed(token, key, ...asked)).get(CK_OTP_VALUE)?.toString() ?? ''

async function verified(token: Opened, key: number, value: string | Buffer, ...asked: Asked) {
  const { call, session } = token
  await call('C_VerifyInit', [session, hotp(...asked), key])
  await call('C_Verify', [session, nothing, Buffer.from(value)])
}

const counterOf = async (token: Opened, key: number) =>
  Number((await attribute(token, key, 'OTP_COUNTER')).readBigUInt64BE())

const rejected = (token: Opened, key: number, ...asked: Asked) =>
  assert.rejects(
    token.call('C_SignInit', [token.session, hotp(...asked), key]),
    answers('MECHANISM_PARAM_INVALID'),
  )

test('the values of RFC 4226 come out one after the other, and each tells its counter', async (t) => {
  const token = await openToken(t)
  const key = await hotpKey(token)
  for (const [count, expected] of VALUES.entries()) {
    const parameters = await signed(token, key)
    assert.equal(parameters.get(CK_OTP_VALUE)?.toString(), expected)
    assert.deepEqual(parameters.get(CK_OTP_COUNTER), eight(count))
    assert.deepEqual(parameters.get(CK_OTP_OUTPUT_FORMAT), encoded(CK_OTP_FORMAT_DECIMAL))
    await verified(token, key, expected, [CK_OTP_COUNTER, eight(count)])
  }
  assert.equal(await counterOf(token, key), 10)
})

test('verifying wants the counter, and moves nothing', async (t) => {
  const token = await openToken(t)
  const key = await hotpKey(token)
  const first = [CK_OTP_COUNTER, eight(0)] as const
  await assert.rejects(verified(token, key, '755224'), answers('MECHANISM_PARAM_INVALID'))
  await assert.rejects(verified(token, key, '755225', first), answers('SIGNATURE_INVALID'))
  await assert.rejects(verified(token, key, '75522', first), answers('SIGNATURE_LEN_RANGE'))
  await assert.rejects(verified(token, key, '', first), answers('SIGNATURE_LEN_RANGE'))
  await verified(token, key, '287082', first, [CK_OTP_FLAGS, CKF.NEXT_OTP])
  assert.equal(await counterOf(token, key), 0)
})

test('the counter moves with each value, and not when the length is asked or there is no room', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await hotpKey(token, { TOKEN: true })
  await call('C_SignInit', [session, hotp(), key])
  const { needed } = (await call('C_Sign', [session, nothing, null])) as { needed: number }
  assert.deepEqual(await call('C_Sign', [session, nothing, needed - 1]), { needed })
  assert.equal(await counterOf(token, key), 0)
  const image = (await call('C_Sign', [session, nothing, needed])) as Image
  assert.equal(image.image.length, needed)
  assert.equal(await counterOf(token, key), 1)
  await call('C_SignInit', [session, hotp(), key])
  await call('C_SignUpdate', [session, nothing])
  assert.deepEqual(await call('C_SignFinal', [session, null]), { needed })
  assert.equal(told((await call('C_SignFinal', [session, needed])) as Image).size, 3)
  const again = await token.restart()
  await again.call('C_Login', [again.session, CKU.USER, PIN])
  await again.call('C_FindObjectsInit', [again.session, template({ CLASS: CKO.OTP_KEY })])
  const [kept] = await again.call('C_FindObjects', [again.session, 2])
  assert.equal(await otp(again, kept as number), VALUES[2])
})

test('a cancelled C_Sign uses no value up', async (t) => {
  const token = await openToken(t, 0)
  const { call, session } = token
  for (const TOKEN of [false, true]) {
    const key = await hotpKey(token, { TOKEN })
    await call('C_SignInit', [session, hotp(), key])
    await assert.rejects(
      call('C_Sign', [session, nothing, 1000], { notify: () => CKR.CANCEL }),
      answers('FUNCTION_CANCELED'),
    )
    await assert.rejects(
      call('C_Sign', [session, nothing, 1000]),
      answers('OPERATION_NOT_INITIALIZED'),
    )
    assert.equal(await counterOf(token, key), 0)
    assert.equal(await otp(token, key), VALUES[0])
  }
})

test('sessions and applications that sign at once each get a value of their own', async (t) => {
  const token = await openToken(t)
  const key = await hotpKey(token, { TOKEN: true })
  const others = await Promise.all(Array.from({ length: 4 }, () => token.another()))
  const values = await Promise.all(
    others.map(async (other) => {
      await other.call('C_FindObjectsInit', [other.session, template({ CLASS: CKO.OTP_KEY })])
      const [found] = await other.call('C_FindObjects', [other.session, 2])
      return [await otp(other, found as number), await otp(other, found as number)]
    }),
  )
  assert.deepEqual(values.flat().sort(), VALUES.slice(0, 8).sort())
  assert.equal(await counterOf(token, key), 8)
})

test('an attribute can be set while the counter moves', async (t) => {
  const token = await openToken(t)
  const key = await hotpKey(token, { TOKEN: true })
  const other = await token.another()
  await other.call('C_FindObjectsInit', [other.session, template({ CLASS: CKO.OTP_KEY })])
  const [found] = (await other.call('C_FindObjects', [other.session, 2])) as number[]
  const label = (text: string) =>
    token.call('C_SetAttributeValue', [token.session, key, template({ LABEL: text })])
  await Promise.all([
    ...['one', 'two', 'three'].map(label),
    otp(other, found as number).then(() => otp(other, found as number)),
  ])
  assert.equal(await counterOf(token, key), 2)
})

test('a value goes over no data', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await hotpKey(token)
  await call('C_SignInit', [session, hotp(), key])
  await assert.rejects(call('C_Sign', [session, data('x'), 1000]), answers('DATA_LEN_RANGE'))
  await call('C_VerifyInit', [session, hotp([CK_OTP_COUNTER, eight(0)]), key])
  await assert.rejects(
    call('C_Verify', [session, data('x'), Buffer.from('755224')]),
    answers('DATA_LEN_RANGE'),
  )
  assert.equal(await counterOf(token, key), 0)
})

test('CKF_NEXT_OTP skips the value that is due', async (t) => {
  const token = await openToken(t)
  const key = await hotpKey(token)
  assert.equal(await otp(token, key, [CK_OTP_FLAGS, CKF.NEXT_OTP]), VALUES[1])
  assert.equal(await otp(token, key), VALUES[2])
})

test('a counter at its end gives no more values', async (t) => {
  const token = await openToken(t)
  const last = 2n ** 64n - 2n
  const key = await hotpKey(token, { OTP_COUNTER: eight(last) })
  await assert.rejects(otp(token, key, [CK_OTP_FLAGS, CKF.NEXT_OTP]), answers('KEY_EXHAUSTED'))
  assert.match(await otp(token, key), /^\d{6}$/)
  await assert.rejects(otp(token, key), answers('KEY_EXHAUSTED'))
})

test('a given counter counts as the key allows', async (t) => {
  const token = await openToken(t)
  const given = [CK_OTP_COUNTER, eight(5)] as const
  const ignoring = await hotpKey(token)
  assert.equal(await otp(token, ignoring, given), VALUES[0])
  const taking = await hotpKey(token, { OTP_COUNTER_REQUIREMENT: CK_OTP_PARAM_OPTIONAL })
  assert.equal(await otp(token, taking, given), VALUES[5])
  assert.equal(await otp(token, taking, given, [CK_OTP_FLAGS, CKF.NEXT_OTP]), VALUES[6])
  assert.equal(await counterOf(token, taking), 0)
  assert.equal(await otp(token, taking), VALUES[0])
  await rejected(token, taking, [CK_OTP_COUNTER, Buffer.alloc(7)])
  await rejected(token, taking, [CK_OTP_FLAGS, CKF.EXCLUDE_COUNTER])
  const wanting = await hotpKey(token, { OTP_COUNTER_REQUIREMENT: CK_OTP_PARAM_MANDATORY })
  assert.equal(await otp(token, wanting, given), VALUES[5])
  await rejected(token, wanting)
})

test('the values of RFC 6238 come out at their times', async (t) => {
  const token = await openToken(t)
  const key = await hotpKey(token, {
    OTP_TIME_REQUIREMENT: CK_OTP_PARAM_MANDATORY,
    OTP_LENGTH: 8,
  })
  assert.equal((await attribute(token, key, 'OTP_TIME_INTERVAL'))[0], 30)
  for (const [seconds, time, value] of TIMES) {
    assert.equal(
      Date.parse(time.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z')),
      seconds * 1000,
    )
    const parameters = await signed(token, key, [CK_OTP_TIME, time])
    assert.equal(parameters.get(CK_OTP_VALUE)?.toString(), value)
    assert.equal(parameters.get(CK_OTP_TIME)?.toString(), time)
    await verified(token, key, value, [CK_OTP_TIME, time])
  }
  await verified(
    token,
    key,
    '14050471',
    [CK_OTP_TIME, '20050318015829'],
    [CK_OTP_FLAGS, CKF.NEXT_OTP],
  )
  await assert.rejects(
    verified(token, key, '14050471', [CK_OTP_TIME, '20050318015829']),
    answers('SIGNATURE_INVALID'),
  )
})

test('what is no time, or has no next, is refused', async (t) => {
  const token = await openToken(t)
  const key = await hotpKey(token, { OTP_TIME_REQUIREMENT: CK_OTP_PARAM_MANDATORY })
  for (const time of [
    '',
    '2005031801582',
    '200503180158299',
    '20050229000000',
    '20050318240000',
    '19691231235959',
    '2005031801582x',
  ])
    await rejected(token, key, [CK_OTP_TIME, time])
  await rejected(token, key)
  await rejected(token, key, [CK_OTP_TIME, '99991231235959'], [CK_OTP_FLAGS, CKF.NEXT_OTP])
  await rejected(token, key, [CK_OTP_TIME, '20050318015829'], [CK_OTP_FLAGS, CKF.EXCLUDE_TIME])
})

test('a time-based key takes the time from the clock where none is given, or it ignores one', async (t) => {
  const token = await openToken(t)
  const year = 366 * 86_400
  const optional = await hotpKey(token, {
    OTP_TIME_REQUIREMENT: CK_OTP_PARAM_OPTIONAL,
    OTP_TIME_INTERVAL: year,
  })
  const ignoring = await hotpKey(token, { OTP_TIME_INTERVAL: year })
  const now = await otp(token, optional)
  await verified(token, optional, now)
  assert.equal(await otp(token, ignoring, [CK_OTP_TIME, '19700101000000']), now)
  assert.equal(await otp(token, optional, [CK_OTP_TIME, '19700101000000']), VALUES[0])
  await verified(token, ignoring, now, [CK_OTP_FLAGS, CKF.EXCLUDE_COUNTER])
  assert.equal((await attribute(token, optional, 'OTP_COUNTER')).length, 0)
})

test('values come in each format, and of each length that the format has', async (t) => {
  const token = await openToken(t)
  const taking = { OTP_COUNTER_REQUIREMENT: CK_OTP_PARAM_OPTIONAL }
  const third = [CK_OTP_COUNTER, eight(3)] as const
  const cases = [
    [CK_OTP_FORMAT_DECIMAL, { 6: '969429', 7: '6969429', 8: '26969429' }],
    [CK_OTP_FORMAT_HEXADECIMAL, { 6: 'EF7655', 7: '6EF7655', 8: '66EF7655' }],
    [CK_OTP_FORMAT_ALPHANUMERIC, { 6: base32(Number.parseInt(TRUNCATED[3] as string, 16)) }],
    [CK_OTP_FORMAT_BINARY, { 4: Buffer.from(TRUNCATED[3] as string, 'hex').toString('latin1') }],
  ] as const
  for (const [format, values] of cases) {
    const key = await hotpKey(token, { ...taking, OTP_FORMAT: format })
    for (const [length, value] of Object.entries(values)) {
      const asked = [third, [CK_OTP_OUTPUT_LENGTH, Number(length)]] as const
      const found = (await signed(token, key, ...asked)).get(CK_OTP_VALUE)
      assert.equal(found?.toString('latin1'), value)
      await verified(token, key, Buffer.from(value, 'latin1'), ...asked)
    }
    for (const length of [0, 3, 9, 2 ** 40])
      await rejected(token, key, third, [CK_OTP_OUTPUT_LENGTH, length])
    const decimal = await hotpKey(token, taking)
    const other = await signed(token, decimal, third, [CK_OTP_OUTPUT_FORMAT, format])
    const own = format === CK_OTP_FORMAT_BINARY ? 4 : 6
    assert.equal(
      other.get(CK_OTP_VALUE)?.toString('latin1'),
      (values as Record<number, string>)[own],
    )
    assert.equal(other.get(CK_OTP_OUTPUT_FORMAT)?.[0], format)
  }
})

/** Six digits of base 32, made another way. */
function base32(value: number): string {
  const places = (value % 32 ** 6).toString(32).padStart(6, '0')
  return [...places]
    .map((place) => 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'[Number.parseInt(place, 32)])
    .join('')
}

test('a binary value can be had in a form for humans where the key allows it', async (t) => {
  const token = await openToken(t)
  const friendly = [CK_OTP_FLAGS, CKF.USER_FRIENDLY_OTP] as const
  const strict = await hotpKey(token, { OTP_FORMAT: CK_OTP_FORMAT_BINARY })
  await rejected(token, strict, friendly)
  const key = await hotpKey(token, {
    OTP_FORMAT: CK_OTP_FORMAT_BINARY,
    OTP_USER_FRIENDLY_MODE: true,
  })
  assert.equal((await attribute(token, key, 'OTP_LENGTH'))[0], 4)
  const parameters = await signed(token, key, friendly)
  assert.equal(parameters.get(CK_OTP_VALUE)?.toString(), '4C93CF18')
  assert.equal(parameters.get(CK_OTP_OUTPUT_FORMAT)?.[0], CK_OTP_FORMAT_HEXADECIMAL)
})

test('parameters that are not asked for, come twice or are of a wrong size are refused', async (t) => {
  const token = await openToken(t)
  const key = await hotpKey(token)
  await rejected(token, key, [CK_OTP_VALUE, '755224'])
  await rejected(token, key, [8, '1'])
  await rejected(token, key, [CK_OTP_COUNTER, eight(1)], [CK_OTP_COUNTER, eight(2)])
  await rejected(token, key, [CK_OTP_FLAGS, Buffer.alloc(4)])
  await rejected(token, key, [CK_OTP_FLAGS, 0x40])
  await rejected(token, key, [CK_OTP_FLAGS, Buffer.alloc(8, 0xff)])
  await rejected(token, key, [CK_OTP_OUTPUT_FORMAT, 4])
  await rejected(token, key, [CK_OTP_OUTPUT_LENGTH, '6'])
  for (const parameter of [null, Buffer.alloc(16)])
    await assert.rejects(
      token.call('C_SignInit', [token.session, { type: CKM.HOTP, parameter }, key]),
      answers('MECHANISM_PARAM_INVALID'),
    )
  // What the key ignores does no harm.
  assert.equal(
    await otp(token, key, [CK_OTP_PIN, '1234'], [CK_OTP_CHALLENGE, 'abc'], [CK_OTP_TIME, 'now']),
    VALUES[0],
  )
})

test('a template that HOTP cannot keep makes no key', async (t) => {
  const token = await openToken(t)
  for (const [rv, named] of [
    ['ATTRIBUTE_VALUE_INVALID', { OTP_PIN_REQUIREMENT: CK_OTP_PARAM_MANDATORY }],
    ['ATTRIBUTE_VALUE_INVALID', { OTP_CHALLENGE_REQUIREMENT: CK_OTP_PARAM_OPTIONAL }],
    ['ATTRIBUTE_VALUE_INVALID', { OTP_COUNTER: Buffer.alloc(4) }],
    ['ATTRIBUTE_VALUE_INVALID', { OTP_TIME_INTERVAL: 0 }],
    ['ATTRIBUTE_VALUE_INVALID', { OTP_LENGTH: 5 }],
    ['ATTRIBUTE_VALUE_INVALID', { OTP_LENGTH: 9 }],
    ['ATTRIBUTE_VALUE_INVALID', { OTP_FORMAT: 4 }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: Buffer.alloc(0) }],
    ['TEMPLATE_INCONSISTENT', { OTP_FORMAT: CK_OTP_FORMAT_BINARY, OTP_LENGTH: 6 }],
    [
      'TEMPLATE_INCONSISTENT',
      { OTP_TIME_INTERVAL: 30, OTP_COUNTER_REQUIREMENT: CK_OTP_PARAM_OPTIONAL },
    ],
    ['ATTRIBUTE_VALUE_INVALID', { CLASS: CKO.SECRET_KEY }],
  ] as const)
    await assert.rejects(hotpKey(token, named), answers(rv), JSON.stringify(named))
})

test('CKM_HOTP_KEY_GEN makes keys of RFC 4226, which count from 0 and sign', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const generate = (named: Named) =>
    call('C_GenerateKey', [session, { type: CKM.HOTP_KEY_GEN, parameter: null }, template(named)])
  const key = await generate({ VALUE_LEN: 20, SENSITIVE: false, EXTRACTABLE: true })
  assert.equal((await attribute(token, key, 'CLASS'))[0], CKO.OTP_KEY)
  assert.equal((await attribute(token, key, 'VALUE')).length, 20)
  assert.equal(await counterOf(token, key), 0)
  await verified(token, key, await otp(token, key), [CK_OTP_COUNTER, eight(0)])
  await assert.rejects(generate({}), answers('TEMPLATE_INCOMPLETE'))
  await assert.rejects(generate({ VALUE_LEN: 15 }), answers('ATTRIBUTE_VALUE_INVALID'))
  const begun = await generate({ VALUE_LEN: 20, OTP_COUNTER: eight(7) })
  assert.equal(await counterOf(token, begun), 7)
  const setting = call('C_SetAttributeValue', [session, begun, template({ OTP_COUNTER: eight(0) })])
  await assert.rejects(setting, answers('ATTRIBUTE_READ_ONLY'))
})

test('only OTP keys with CKA_SIGN and CKA_VERIFY serve', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const secret = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.SHA_1_HMAC, VALUE: SECRET, SIGN: true }
  const hmacKey = await call('C_CreateObject', [session, template(secret)])
  await assert.rejects(otp(token, hmacKey), answers('KEY_TYPE_INCONSISTENT'))
  const key = await hotpKey(token, { SIGN: false, VERIFY: false })
  await assert.rejects(otp(token, key), answers('KEY_FUNCTION_NOT_PERMITTED'))
  await assert.rejects(
    verified(token, key, '755224', [CK_OTP_COUNTER, eight(0)]),
    answers('KEY_FUNCTION_NOT_PERMITTED'),
  )
})

test('an OTP key is wrapped like a secret key, and unwrapped with the counter of the template', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const wrapping = await call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: CKK.AES,
      VALUE: Buffer.alloc(16, 1),
      WRAP: true,
      UNWRAP: true,
    }),
  ])
  const key = await hotpKey(token, { EXTRACTABLE: true })
  const how = { type: CKM.AES_KEY_WRAP_KWP, parameter: null }
  const wrapped = await call('C_WrapKey', [session, how, wrapping, key, 100])
  const named = { CLASS: CKO.OTP_KEY, KEY_TYPE: CKK.HOTP, OTP_COUNTER: eight(4) }
  const again = await call('C_UnwrapKey', [
    session,
    how,
    wrapping,
    wrapped as Uint8Array,
    template(named),
  ])
  assert.equal(await otp(token, again), VALUES[4])
})

test('a key that is destroyed while it counts gives no value', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const key = await hotpKey(token, { TOKEN: true })
  await call('C_SignInit', [session, hotp(), key])
  await call('C_DestroyObject', [session, key])
  await assert.rejects(
    call('C_Sign', [session, nothing, 1000]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})
