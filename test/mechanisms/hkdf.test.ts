import assert from 'node:assert/strict'
import { hkdfSync } from 'node:crypto'
import { test } from 'node:test'
import type { Parameter } from '../../src/standard/calls.ts'
import { CKF, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, type Opened, openToken, template } from '../in-process.ts'
import {
  attribute,
  derive,
  hidden,
  type Named,
  NOTHING,
  numberAt,
  OPEN,
  policy,
  secret,
  valueAt,
} from './derivation-calls.ts'
import { hex, toHex } from './rows.ts'

const parameter = (values: Partial<Parameter> = {}): Parameter => ({
  extract: 1,
  expand: 1,
  prfHashMechanism: CKM.SHA256,
  saltType: CKF.HKDF_SALT_DATA,
  salt: NOTHING,
  saltKey: 0,
  info: NOTHING,
  ...values,
})

const hkdf = (values: Partial<Parameter> = {}) => ({
  type: CKM.HKDF_DERIVE,
  parameter: parameter(values),
})
const hkdfData = (values: Partial<Parameter> = {}) => ({ ...hkdf(values), type: CKM.HKDF_DATA })

interface Vector {
  readonly hash: number
  readonly ikm: string
  readonly salt: string | null
  readonly info: string
  readonly prk: string
  readonly okm: string
}

const range = (from: number, to: number) =>
  toHex(Uint8Array.from({ length: to - from + 1 }, (_, at) => from + at))

/** RFC 5869, appendix A, all seven. */
const vectors: readonly Vector[] = [
  {
    hash: CKM.SHA256,
    ikm: '0b'.repeat(22),
    salt: range(0, 12),
    info: range(0xf0, 0xf9),
    prk: '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
    okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    hash: CKM.SHA256,
    ikm: range(0, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    prk: '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
    okm: 'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
  },
  {
    hash: CKM.SHA256,
    ikm: '0b'.repeat(22),
    salt: '',
    info: '',
    prk: '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
    okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
  {
    hash: CKM.SHA_1,
    ikm: '0b'.repeat(11),
    salt: range(0, 12),
    info: range(0xf0, 0xf9),
    prk: '9b6c18c432a7bf8f0e71c8eb88f4b30baa2ba243',
    okm: '085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896',
  },
  {
    hash: CKM.SHA_1,
    ikm: range(0, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    prk: '8adae09a2a307059478d309b26c4115a224cfaf6',
    okm: '0bd770a74d1160f7c9f12cd5912a06ebff6adcae899d92191fe4305673ba2ffe8fa3f1a4e5ad79f3f334b3b202b2173c486ea37ce3d397ed034c7f9dfeb15c5e927336d0441f4c4300e2cff0d0900b52d3b4',
  },
  {
    hash: CKM.SHA_1,
    ikm: '0b'.repeat(22),
    salt: '',
    info: '',
    prk: 'da8c8a73c7fa77288ec6f5e7c297786aa0d32d01',
    okm: '0ac1af7002b3d761d1e55298da9d0506b9ae52057220a306e07b6b87e8df21d0ea00033de03984d34918',
  },
  {
    hash: CKM.SHA_1,
    ikm: '0c'.repeat(22),
    salt: null,
    info: '',
    prk: '2adccada18779e7c2077ad2eb19d3f3e731385dd',
    okm: '2c91117204d745f3500d636a62f64f0ab3bae548aa53d423b0d1f27ebba6f5e5673a081d70cce7acfc48',
  },
]

test('RFC 5869: what is extracted, expanded, and both at once', async (t) => {
  const token = await openToken(t)
  for (const { hash, ikm, salt, info, prk, okm } of vectors) {
    const base = await secret(token, hex(ikm))
    const common = {
      prfHashMechanism: hash,
      ...(salt === null ? { saltType: CKF.HKDF_SALT_NULL } : { salt: hex(salt) }),
      info: hex(info),
    }
    const long = { ...OPEN, VALUE_LEN: okm.length / 2 }
    assert.equal(await valueAt(token, await derive(token, hkdf(common), base, long)), okm)
    const extracted = await derive(token, hkdf({ ...common, expand: 0 }), base, {
      ...OPEN,
      DERIVE: true,
      KEY_TYPE: CKK.HKDF,
    })
    assert.equal(await valueAt(token, extracted), prk)
    const expanded = await derive(token, hkdf({ ...common, extract: 0 }), extracted, long)
    assert.equal(await valueAt(token, expanded), okm)
  }
})

test('a salt key gives its value as the salt', async (t) => {
  const token = await openToken(t)
  const [vector] = vectors as [Vector]
  const base = await secret(token, hex(vector.ikm))
  const saltKey = await secret(token, hex(vector.salt as string), { KEY_TYPE: CKK.AES }).catch(() =>
    secret(token, hex(vector.salt as string), { KEY_TYPE: CKK.HKDF }),
  )
  const salted = hkdf({ saltType: CKF.HKDF_SALT_KEY, saltKey, info: hex(vector.info) })
  const made = await derive(token, salted, base, { ...OPEN, VALUE_LEN: 42 })
  assert.equal(await valueAt(token, made), vector.okm)
  const without = await secret(token, hex('00'), { DERIVE: false })
  for (const [key, rv] of [
    [0, 'KEY_HANDLE_INVALID'],
    [without, 'KEY_FUNCTION_NOT_PERMITTED'],
  ] as const)
    await assert.rejects(
      derive(token, hkdf({ saltType: CKF.HKDF_SALT_KEY, saltKey: key }), base, {
        ...OPEN,
        VALUE_LEN: 42,
      }),
      answers(rv),
    )
})

test('every hash function of FIPS 180-4 and 202 serves, as node:crypto has it', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, hex('0123456789'))
  const [salt, info] = [Buffer.from('salt'), Buffer.from('info')]
  for (const [type, digest] of [
    [CKM.SHA_1, 'sha1'],
    [CKM.SHA224, 'sha224'],
    [CKM.SHA256, 'sha256'],
    [CKM.SHA384, 'sha384'],
    [CKM.SHA512, 'sha512'],
    [CKM.SHA512_224, 'sha512-224'],
    [CKM.SHA512_256, 'sha512-256'],
    [CKM.SHA3_224, 'sha3-224'],
    [CKM.SHA3_256, 'sha3-256'],
    [CKM.SHA3_384, 'sha3-384'],
    [CKM.SHA3_512, 'sha3-512'],
  ] as const) {
    const made = await derive(token, hkdf({ prfHashMechanism: type, salt, info }), base, {
      ...OPEN,
      VALUE_LEN: 1000,
    })
    const expected = Buffer.from(hkdfSync(digest, hex('0123456789'), salt, info, 1000))
    assert.equal(await valueAt(token, made), expected.toString('hex'))
  }
  for (const prfHashMechanism of [CKM.MD5, CKM.SHA256_HMAC, CKM.AES_CBC, 0x7fffffff])
    await assert.rejects(
      derive(token, hkdf({ prfHashMechanism }), base, { ...OPEN, VALUE_LEN: 16 }),
      answers('MECHANISM_PARAM_INVALID'),
    )
})

test('the derived key is of any type and length, the type alone telling it where it can', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, hex('0b'.repeat(22)), { KEY_TYPE: CKK.HKDF })
  const aes = await derive(token, hkdf(), base, { ...OPEN, KEY_TYPE: CKK.AES, VALUE_LEN: 32 })
  assert.equal(await numberAt(token, aes, 'KEY_TYPE'), CKK.AES)
  assert.equal((await valueAt(token, aes)).length, 64)
  const poly = await derive(token, hkdf(), base, { ...OPEN, KEY_TYPE: CKK.POLY1305 })
  assert.equal((await valueAt(token, poly)).length, 64)
  const refused: [Named, 'TEMPLATE_INCOMPLETE' | 'TEMPLATE_INCONSISTENT'][] = [
    [{}, 'TEMPLATE_INCOMPLETE'],
    [{ KEY_TYPE: CKK.AES }, 'TEMPLATE_INCOMPLETE'],
    [{ VALUE_LEN: 0 }, 'TEMPLATE_INCONSISTENT'],
    [{ VALUE_LEN: 255 * 32 + 1 }, 'TEMPLATE_INCONSISTENT'],
    [{ KEY_TYPE: CKK.POLY1305, VALUE_LEN: 16 }, 'TEMPLATE_INCONSISTENT'],
  ]
  for (const [named, rv] of refused)
    await assert.rejects(derive(token, hkdf(), base, named), answers(rv))
  const longest = await derive(token, hkdf(), base, { ...OPEN, VALUE_LEN: 255 * 32 })
  assert.equal((await valueAt(token, longest)).length, 255 * 64)
})

test('extracting alone makes as many bytes as the hash, and ignores the info', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, hex('0b'.repeat(22)))
  const [, , third] = vectors
  const extracting = hkdf({ expand: 0, info: Buffer.alloc(100_000) })
  for (const named of [{}, { VALUE_LEN: 32 }])
    assert.equal(
      await valueAt(token, await derive(token, extracting, base, { ...OPEN, ...named })),
      third?.prk,
    )
  await assert.rejects(
    derive(token, extracting, base, { VALUE_LEN: 16 }),
    answers('TEMPLATE_INCONSISTENT'),
  )
})

test('expanding alone ignores the salt, and wants a key as long as the hash', async (t) => {
  const token = await openToken(t)
  const expanding = hkdf({ extract: 0, saltType: 7, salt: Buffer.alloc(100_000) })
  const named = { ...OPEN, VALUE_LEN: 16 }
  await derive(token, expanding, await secret(token, Buffer.alloc(32, 1)), named)
  const short = await secret(token, Buffer.alloc(31, 1))
  await assert.rejects(derive(token, expanding, short, named), answers('KEY_SIZE_RANGE'))
})

test('a parameter that says nothing sensible is refused', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, hex('0b'.repeat(22)))
  for (const values of [
    { extract: 0, expand: 0 },
    { extract: 2 },
    { saltType: 0 },
    { saltType: 3 },
    { info: Buffer.alloc((64 << 10) + 1) },
    { salt: Buffer.alloc((64 << 10) + 1) },
  ])
    await assert.rejects(
      derive(token, hkdf(values), base, { ...OPEN, VALUE_LEN: 16 }),
      answers('MECHANISM_PARAM_INVALID'),
    )
  const aes = await secret(token, Buffer.alloc(32, 1), { KEY_TYPE: CKK.AES })
  await assert.rejects(
    derive(token, hkdf(), aes, { ...OPEN, VALUE_LEN: 16 }),
    answers('KEY_TYPE_INCONSISTENT'),
  )
})

test('the policy of a derived key is its template’s, and remembers that of its base key', async (t) => {
  const token = await openToken(t)
  const [open, closed] = [await secret(token, Buffer.alloc(32, 1)), await hidden(token)]
  const made = async (base: number, named: Named) =>
    policy(token, await derive(token, hkdf(), base, { ...named, VALUE_LEN: 16 }))
  const CLOSED = { SENSITIVE: true, EXTRACTABLE: false }
  assert.equal(await made(open, OPEN), '-E---')
  assert.equal(await made(open, CLOSED), 'S----')
  assert.equal(await made(closed, CLOSED), 'S-AN-')
  assert.equal(await made(closed, OPEN), '-E---')
})

const dataObject = ({ call, session }: Opened, value: Uint8Array) =>
  call('C_CreateObject', [session, template({ CLASS: CKO.DATA, VALUE: value })])

test('a data object is extracted from with a salt, as TLS 1.3 does', async (t) => {
  const token = await openToken(t)
  const zeros = await dataObject(token, new Uint8Array(32))
  const saltKey = await secret(token, Buffer.alloc(32, 7))
  const salted = { saltType: CKF.HKDF_SALT_KEY, saltKey, expand: 0 }
  const made = await derive(token, hkdf(salted), zeros, OPEN)
  const whole = await derive(token, hkdf({ ...salted, expand: 1 }), zeros, {
    ...OPEN,
    VALUE_LEN: 50,
  })
  const expected = hkdfSync('sha256', new Uint8Array(32), Buffer.alloc(32, 7), NOTHING, 50)
  assert.equal(await valueAt(token, whole), Buffer.from(expected).toString('hex'))
  assert.equal(await policy(token, made), '-E---')
  for (const values of [
    { ...salted, saltType: CKF.HKDF_SALT_NULL },
    { ...salted, extract: 0, expand: 1 },
  ])
    await assert.rejects(
      derive(token, hkdf(values), zeros, { ...OPEN, VALUE_LEN: 32 }),
      answers('MECHANISM_PARAM_INVALID'),
    )
  const short = await dataObject(token, new Uint8Array(31))
  await assert.rejects(derive(token, hkdf(salted), short, OPEN), answers('KEY_SIZE_RANGE'))
})

test('CKM_HKDF_DATA makes a data object with the same bytes', async (t) => {
  const token = await openToken(t)
  const [vector] = vectors as [Vector]
  const base = await secret(token, hex(vector.ikm))
  const values = { salt: hex(vector.salt as string), info: hex(vector.info) }
  for (const named of [{}, { CLASS: CKO.DATA }]) {
    const made = await derive(token, hkdfData(values), base, {
      ...named,
      LABEL: 'made',
      VALUE_LEN: 42,
    })
    assert.equal(await valueAt(token, made), vector.okm)
    assert.equal(await numberAt(token, made, 'CLASS'), CKO.DATA)
    assert.equal(Buffer.from(await attribute(token, made, 'LABEL')).toString(), 'made')
  }
  const extracted = await derive(token, hkdfData({ ...values, expand: 0 }), base, {})
  assert.equal(await valueAt(token, extracted), vector.prk)
  const refused = [
    [{}, 'TEMPLATE_INCOMPLETE'],
    [{ VALUE_LEN: 42, CLASS: CKO.SECRET_KEY }, 'TEMPLATE_INCONSISTENT'],
    [{ VALUE_LEN: 42, KEY_TYPE: CKK.AES }, 'TEMPLATE_INCONSISTENT'],
    [{ VALUE_LEN: Buffer.of(42) }, 'ATTRIBUTE_VALUE_INVALID'],
    [{ VALUE_LEN: 42, VALUE: hex('00') }, 'TEMPLATE_INCONSISTENT'],
  ] as const
  for (const [named, rv] of refused)
    await assert.rejects(derive(token, hkdfData(values), base, named), answers(rv))
})

test('CKM_HKDF_KEY_GEN makes keys that others are derived from', async (t) => {
  const token = await openToken(t)
  const generation = { type: CKM.HKDF_KEY_GEN, parameter: null }
  const generate = (named: Named) =>
    token.call('C_GenerateKey', [token.session, generation, template(named)])
  const key = await generate({ VALUE_LEN: 32, DERIVE: true })
  assert.equal(await numberAt(token, key, 'KEY_TYPE'), CKK.HKDF)
  assert.equal(await numberAt(token, key, 'VALUE_LEN'), 32)
  assert.equal((await attribute(token, key, 'LOCAL'))[0], 1)
  await derive(token, hkdf(), key, { ...OPEN, VALUE_LEN: 16 })
  await assert.rejects(generate({}), answers('TEMPLATE_INCOMPLETE'))
})
