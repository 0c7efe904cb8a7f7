import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Attributes } from '../../src/mechanisms/mechanism.ts'
import { pbe } from '../../src/mechanisms/pbe.ts'
import type { Parameter } from '../../src/standard/calls.ts'
import { CKA, CKK, CKM, CKR } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { answers, openToken, template } from '../in-process.ts'
import { numberAt, OPEN, valueAt } from './derivation-calls.ts'
import { hex, maker, toHex, withReturnValue } from './rows.ts'

/** BMPString, with two zeros behind it. RFC 7292, B.1. */
const bmp = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(`${text}\0`, 'utf16le').swap16())

const parameter = (values: Partial<Parameter> = {}): Parameter => ({
  initVector: new Uint8Array(8),
  password: bmp('smeg'),
  salt: hex('0a58cf64530d823f'),
  iteration: 1,
  ...values,
})

/** The key and the IV that a row makes. */
async function made(type: number, values: Partial<Parameter>, named: Attributes = new Map()) {
  const given: Parameter[] = []
  const make = {
    mechanism: {
      type,
      parameter: parameter(values),
      answer: (back: Parameter) => given.push(back),
    },
    surrender: new Surrender(),
    template: new Map<number, number>([
      [CKA.KEY_TYPE, pbe.find((row) => row.type === type)?.keyTypes[0] as number],
    ]),
  }
  for (const [attribute, value] of named) make.template.set(attribute, value as number)
  const key = await maker(pbe, type, 'generateKey')(make)
  const iv = given[0]?.initVector
  return {
    key: toHex(key.get(CKA.VALUE) as Uint8Array),
    iv: iv instanceof Uint8Array ? toHex(iv) : undefined,
  }
}

/** The vectors that most implementations test with: of OpenSSL's evpkdf_pkcs12.txt, first in P. Gutmann's notes. */
test('keys and IVs of PKCS #12', async () => {
  const queeg = { password: bmp('queeg'), salt: hex('1682c0fc5b3f7ec5'), iteration: 1000 }
  assert.deepEqual(await made(CKM.PBE_SHA1_DES3_EDE_CBC, {}), {
    key: withParity('8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3'),
    iv: '79993dfe048d3b76',
  })
  assert.deepEqual(await made(CKM.PBE_SHA1_DES3_EDE_CBC, queeg), {
    key: withParity('483dd6e919d7de2e8e648ba8f862f3fbfbdc2bcb2c02957f'),
    iv: '9d461d1b00355c50',
  })
  assert.deepEqual(await made(CKM.PBA_SHA1_WITH_SHA1_HMAC, { salt: hex('3d83c0e4546ac140') }), {
    key: '8d967d88f6caa9d714800ab3d48051d63f73a312',
    iv: undefined,
  })
})

/** A DES key's bytes have an odd number of ones. */
function withParity(key: string): string {
  const odd = (byte: number) => [...byte.toString(2)].filter((bit) => bit === '1').length % 2 === 1
  return toHex(hex(key).map((byte) => (odd(byte) ? byte : byte ^ 1)))
}

test('a shorter key is the start of a longer one, and has the same IV or none', async () => {
  const long = await made(CKM.PBE_SHA1_DES3_EDE_CBC, {})
  const two = await made(CKM.PBE_SHA1_DES2_EDE_CBC, {})
  assert.deepEqual(two, { key: long.key.slice(0, 32), iv: long.iv })
  const rc2 = await made(CKM.PBE_SHA1_RC2_128_CBC, {})
  assert.equal(rc2.iv, long.iv)
  assert.equal(withParity(rc2.key), two.key)
  assert.deepEqual(await made(CKM.PBE_SHA1_RC2_40_CBC, {}), {
    key: rc2.key.slice(0, 10),
    iv: long.iv,
  })
  assert.deepEqual(await made(CKM.PBE_SHA1_RC4_128, {}), { key: rc2.key, iv: undefined })
  assert.deepEqual(await made(CKM.PBE_SHA1_RC4_40, {}), {
    key: rc2.key.slice(0, 10),
    iv: undefined,
  })
})

/** RFC 8018, 5.1: the hash of password and salt, hashed again and again. */
test('keys and IVs of PBKDF1', async () => {
  const salt = hex('0102030405060708')
  for (const [type, hash, parity] of [
    [CKM.PBE_MD5_DES_CBC, 'md5', true],
    [CKM.PBE_MD5_CAST128_CBC, 'md5', false],
    [CKM.PBE_SHA1_CAST128_CBC, 'sha1', false],
  ] as const)
    for (const iteration of [1, 2, 6000]) {
      const password = Buffer.from('password')
      let expected = Buffer.concat([password, salt])
      for (let i = 0; i < iteration; i++) expected = createHash(hash).update(expected).digest()
      const key = expected.toString('hex', 0, 8)
      assert.deepEqual(await made(type, { password, salt, iteration }), {
        key: parity ? withParity(key) : key,
        iv: expected.toString('hex', 8, 16),
      })
    }
})

test('a key of another length than it has is refused, and so is a parameter that cannot be', async () => {
  const type = CKM.PBE_SHA1_RC2_128_CBC
  const length = (bytes: number) => new Map([[CKA.VALUE_LEN, bytes]])
  await made(type, {}, length(16))
  for (const bytes of [0, 5, 17])
    await assert.rejects(made(type, {}, length(bytes)), withReturnValue(CKR.TEMPLATE_INCONSISTENT))
  assert.equal((await made(CKM.PBE_MD5_CAST128_CBC, {}, length(5))).key.length, 10)
  await assert.rejects(
    made(CKM.PBE_MD5_CAST128_CBC, {}, length(9)),
    withReturnValue(CKR.TEMPLATE_INCONSISTENT),
  )
  const nothing = new Uint8Array(0)
  for (const values of [
    { iteration: 0 },
    { iteration: 2 ** 32 },
    { password: nothing, salt: nothing },
    { password: new Uint8Array((64 << 10) + 1) },
  ])
    await assert.rejects(made(type, values), withReturnValue(CKR.MECHANISM_PARAM_INVALID))
  await made(type, { password: nothing })
  await made(type, { salt: nothing })
})

test('CKM_PBA_SHA1_WITH_SHA1_HMAC makes a generic secret through C_GenerateKey', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const type = CKM.PBA_SHA1_WITH_SHA1_HMAC
  const values = parameter({ salt: hex('3d83c0e4546ac140'), initVector: null })
  const generate = (length: object) =>
    call('C_GenerateKey', [session, { type, parameter: values }, template({ ...OPEN, ...length })])
  for (const length of [{}, { VALUE_LEN: 20 }]) {
    const key = await generate(length)
    assert.equal(await valueAt(token, key), '8d967d88f6caa9d714800ab3d48051d63f73a312')
    assert.equal(await numberAt(token, key, 'KEY_TYPE'), CKK.GENERIC_SECRET)
  }
  await assert.rejects(generate({ VALUE_LEN: 16 }), answers('TEMPLATE_INCONSISTENT'))
})

test('a cancelled derivation stops', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const type = CKM.PBA_SHA1_WITH_SHA1_HMAC
  const mechanism = { type, parameter: parameter({ iteration: 2 ** 32 - 1 }) }
  await assert.rejects(
    call('C_GenerateKey', [session, mechanism, template(OPEN)], { notify: () => CKR.CANCEL }),
    answers('FUNCTION_CANCELED'),
  )
})
