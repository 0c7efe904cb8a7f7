import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import type { CallContext, Parameter } from '../../src/standard/calls.ts'
import { CKK, CKM, CKP, CKR, CKZ } from '../../src/standard/constants.ts'
import { answers, type Opened, openToken, template } from '../in-process.ts'
import {
  type Named,
  NOTHING,
  numberAt,
  OPEN,
  objectsOf,
  policy,
  valueAt,
} from './derivation-calls.ts'

const parameter = (values: Partial<Parameter>): Parameter => ({
  saltSource: CKZ.SALT_SPECIFIED,
  saltSourceData: Buffer.from('salt'),
  iterations: 1,
  prf: CKP.PKCS5_PBKD2_HMAC_SHA1,
  prfData: NOTHING,
  password: Buffer.from('password'),
  ...values,
})

const generic = (length: number): Named => ({
  ...OPEN,
  KEY_TYPE: CKK.GENERIC_SECRET,
  VALUE_LEN: length,
})

const generate = (
  { call, session }: Opened,
  values: Partial<Parameter>,
  named: Named,
  context?: CallContext,
) => {
  const mechanism = { type: CKM.PKCS5_PBKD2, parameter: parameter(values) }
  return call('C_GenerateKey', [session, mechanism, template(named)], context)
}

const made = async (token: Opened, values: Partial<Parameter>, length: number) =>
  valueAt(token, await generate(token, values, generic(length)))

const text = (characters: string) => Buffer.from(characters)

/** RFC 6070 but the one of 16,777,216 iterations, and RFC 7914, 11. */
test('RFC 6070 and RFC 7914', async (t) => {
  const token = await openToken(t)
  const sha256 = { prf: CKP.PKCS5_PBKD2_HMAC_SHA256 }
  const cases: [Partial<Parameter>, string][] = [
    [{}, '0c60c80f961f0e71f3a9b524af6012062fe037a6'],
    [{ iterations: 2 }, 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957'],
    [{ iterations: 4096 }, '4b007901b765489abead49d926f721d065a429c1'],
    [
      {
        iterations: 4096,
        password: text('passwordPASSWORDpassword'),
        saltSourceData: text('saltSALTsaltSALTsaltSALTsaltSALTsalt'),
      },
      '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038',
    ],
    [
      { iterations: 4096, password: text('pass\0word'), saltSourceData: text('sa\0lt') },
      '56fa6aa75548099dcc37d7f03425e0c3',
    ],
    [
      { ...sha256, password: text('passwd') },
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
    ],
    [
      { ...sha256, iterations: 80000, password: text('Password'), saltSourceData: text('NaCl') },
      '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d',
    ],
  ]
  for (const [values, expected] of cases)
    assert.equal(await made(token, values, expected.length / 2), expected)
})

test('every PRF makes what node:crypto makes, in one block and in several', async (t) => {
  const token = await openToken(t)
  for (const [prf, digest] of [
    [CKP.PKCS5_PBKD2_HMAC_SHA1, 'sha1'],
    [CKP.PKCS5_PBKD2_HMAC_SHA224, 'sha224'],
    [CKP.PKCS5_PBKD2_HMAC_SHA256, 'sha256'],
    [CKP.PKCS5_PBKD2_HMAC_SHA384, 'sha384'],
    [CKP.PKCS5_PBKD2_HMAC_SHA512, 'sha512'],
    [CKP.PKCS5_PBKD2_HMAC_SHA512_224, 'sha512-224'],
    [CKP.PKCS5_PBKD2_HMAC_SHA512_256, 'sha512-256'],
  ] as const)
    for (const length of [1, 20, 65, 200])
      assert.equal(
        await made(token, { prf, iterations: 3 }, length),
        pbkdf2Sync('password', 'salt', 3, length, digest).toString('hex'),
      )
})

test('the key is of any type, is local, and is kept as its template says', async (t) => {
  const token = await openToken(t)
  const aes = await generate(token, {}, { ...OPEN, KEY_TYPE: CKK.AES, VALUE_LEN: 24 })
  assert.equal(
    await valueAt(token, aes),
    pbkdf2Sync('password', 'salt', 1, 24, 'sha1').toString('hex'),
  )
  assert.equal(await numberAt(token, aes, 'KEY_TYPE'), CKK.AES)
  assert.equal(await numberAt(token, aes, 'KEY_GEN_MECHANISM'), CKM.PKCS5_PBKD2)
  assert.equal(await policy(token, aes), '-E--L')
  const closed = { ...generic(16), SENSITIVE: true, EXTRACTABLE: false }
  assert.equal(await policy(token, await generate(token, {}, closed)), 'S-ANL')
  const fixed = await generate(token, {}, { ...OPEN, KEY_TYPE: CKK.POLY1305 })
  assert.equal((await valueAt(token, fixed)).length, 64)
})

test('password and salt may be empty', async (t) => {
  const token = await openToken(t)
  assert.equal(
    await made(token, { password: NOTHING, saltSourceData: NOTHING, iterations: 2 }, 16),
    pbkdf2Sync('', '', 2, 16, 'sha1').toString('hex'),
  )
})

test('a parameter or template that cannot be is refused before any work', async (t) => {
  const token = await openToken(t)
  for (const values of [
    { iterations: 0 },
    { iterations: 2 ** 32 },
    { saltSource: 2 },
    { prf: 0 },
    { prf: CKP.PKCS5_PBKD2_HMAC_GOSTR3411 },
    { prf: 9 },
    { prfData: text('x') },
    { password: Buffer.alloc((64 << 10) + 1) },
  ])
    await assert.rejects(generate(token, values, generic(16)), answers('MECHANISM_PARAM_INVALID'))
  const refused: [Named, keyof typeof CKR][] = [
    [{ VALUE_LEN: 16 }, 'TEMPLATE_INCOMPLETE'],
    [{ KEY_TYPE: CKK.AES }, 'TEMPLATE_INCOMPLETE'],
    [{ KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: 16385 }, 'TEMPLATE_INCONSISTENT'],
    [{ KEY_TYPE: CKK.POLY1305, VALUE_LEN: 16 }, 'TEMPLATE_INCONSISTENT'],
  ]
  const endless = { iterations: 2 ** 32 - 1 }
  for (const [named, rv] of refused)
    await assert.rejects(generate(token, endless, named), answers(rv))
})

test('a cancelled derivation of 2^32 - 1 iterations stops and leaves no key behind', async (t) => {
  const token = await openToken(t)
  let callbacks = 0
  const notify = () => (++callbacks === 3 ? CKR.CANCEL : CKR.OK)
  await assert.rejects(
    generate(token, { iterations: 2 ** 32 - 1 }, generic(64), { notify }),
    answers('FUNCTION_CANCELED'),
  )
  assert.equal(callbacks, 3)
  assert.equal(await objectsOf(token), 0)
})
