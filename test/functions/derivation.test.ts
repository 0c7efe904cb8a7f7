/** What the derivations of PKCS #11 3.2, 6.20.5 and 6.43 do with the policy of keys, through C_DeriveKey. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKA, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, bytes, type Opened, openToken, template } from '../in-process.ts'

type Named = Parameters<typeof template>[0]

const ulong = (value: number) => {
  const parameter = Buffer.alloc(8)
  parameter.writeBigUInt64LE(BigInt(value))
  return parameter
}

const SECRET = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GENERIC_SECRET, DERIVE: true } as const
const READABLE = { SENSITIVE: false, EXTRACTABLE: true } as const
const CLOSED = { SENSITIVE: true, EXTRACTABLE: false } as const

const create = ({ call, session }: Opened, value: string, named: Named = {}) =>
  call('C_CreateObject', [
    session,
    template({ ...SECRET, ...READABLE, VALUE: Buffer.from(value, 'hex'), ...named }),
  ])

/** A key that was always closed. */
const generate = ({ call, session }: Opened, named: Named = {}) =>
  call('C_GenerateKey', [
    session,
    { type: CKM.GENERIC_SECRET_KEY_GEN, parameter: null },
    template({ ...SECRET, ...CLOSED, VALUE_LEN: 16, ...named }),
  ])

const derive = (
  { call, session }: Opened,
  mechanism: MechanismArgument,
  base: number,
  named: Named = {},
) => call('C_DeriveKey', [session, mechanism, base, template(named)])

async function attribute({ call, session }: Opened, key: number, name: keyof typeof CKA) {
  const {
    answers: [answer],
  } = await call('C_GetAttributeValue', [session, key, [{ type: CKA[name], room: 100 }]])
  return Buffer.from(bytes(answer?.value))
}

const value = async (token: Opened, key: number) =>
  (await attribute(token, key, 'VALUE')).toString('hex')

/** SENSITIVE, EXTRACTABLE, ALWAYS_SENSITIVE and NEVER_EXTRACTABLE, a letter for each that is true. */
async function policy(token: Opened, key: number): Promise<string> {
  const names = ['SENSITIVE', 'EXTRACTABLE', 'ALWAYS_SENSITIVE', 'NEVER_EXTRACTABLE'] as const
  const flags = await Promise.all(names.map((name) => attribute(token, key, name)))
  return names.map((name, at) => (flags[at]?.[0] === 1 ? name.charAt(0) : '-')).join('')
}

const joined = (other: number) => ({
  type: CKM.CONCATENATE_BASE_AND_KEY,
  parameter: ulong(other),
})
const extracted = { type: CKM.EXTRACT_KEY_FROM_KEY, parameter: ulong(8) }
const hashed = { type: CKM.SHA256_KEY_DERIVATION, parameter: null }

test('a key joined from two is generic and as long as both, and has their values', async (t) => {
  const token = await openToken(t)
  const base = await create(token, '01234567')
  const other = await create(token, '89abcdef')
  const key = await derive(token, joined(other), base, READABLE)
  assert.equal(await value(token, key), '0123456789abcdef')
  assert.deepEqual(await attribute(token, key, 'KEY_TYPE'), ulong(CKK.GENERIC_SECRET))
  assert.deepEqual(await attribute(token, key, 'VALUE_LEN'), ulong(8))
  assert.equal(await policy(token, key), '-E--')
  assert.deepEqual([...(await attribute(token, key, 'LOCAL'))], [0])
})

test('a key joined from two has the stricter policy of both', async (t) => {
  const token = await openToken(t)
  const open = await create(token, '01234567')
  const closed = await generate(token)
  const sensitive = await create(token, '01', { SENSITIVE: true })
  const cases: [number, number, string][] = [
    [open, open, '----'],
    [open, closed, 'S---'],
    [closed, open, 'S---'],
    [closed, closed, 'S-AN'],
    [open, sensitive, 'S---'],
  ]
  for (const [base, other, expected] of cases)
    assert.equal(await policy(token, await derive(token, joined(other), base)), expected)
  const key = await derive(token, joined(sensitive), open, { EXTRACTABLE: true })
  assert.equal(await policy(token, key), 'SE--')
})

test('a template that loosens the policy of the keys is inconsistent', async (t) => {
  const token = await openToken(t)
  const open = await create(token, '01234567')
  const closed = await generate(token)
  const length = { VALUE_LEN: 2 }
  for (const [mechanism, base] of [
    [joined(closed), open],
    [joined(open), closed],
    [extracted, closed],
  ] as const) {
    for (const loose of [{ SENSITIVE: false }, { EXTRACTABLE: true }])
      await assert.rejects(
        derive(token, mechanism, base, { ...length, ...loose }),
        answers('TEMPLATE_INCONSISTENT'),
      )
    await derive(token, mechanism, base, length)
  }
  assert.equal(await policy(token, await derive(token, extracted, closed, length)), 'S-AN')
})

test('the other key is one that there is, and that may be derived from with this mechanism', async (t) => {
  const token = await openToken(t)
  const base = await create(token, '01234567')
  await assert.rejects(derive(token, joined(0), base), answers('KEY_HANDLE_INVALID'))
  const gone = await create(token, '01')
  await token.call('C_DestroyObject', [token.session, gone])
  await assert.rejects(derive(token, joined(gone), base), answers('KEY_HANDLE_INVALID'))
  const idle = await create(token, '01', { DERIVE: false })
  await assert.rejects(derive(token, joined(idle), base), answers('KEY_FUNCTION_NOT_PERMITTED'))
  const other = await create(token, '01', { ALLOWED_MECHANISMS: [CKM.SHA256_KEY_DERIVATION] })
  await assert.rejects(derive(token, joined(other), base), answers('MECHANISM_INVALID'))
  const [publicKey, privateKey] = await token.call('C_GenerateKeyPair', [
    token.session,
    { type: CKM.EC_KEY_PAIR_GEN, parameter: null },
    template({ EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex') }),
    template({ DERIVE: true }),
  ])
  for (const wrong of [publicKey, privateKey]) {
    await assert.rejects(derive(token, joined(wrong), base), answers('KEY_TYPE_INCONSISTENT'))
    await assert.rejects(derive(token, joined(base), wrong), answers('KEY_TYPE_INCONSISTENT'))
  }
})

test('a key of any secret type is hashed to another, whose policy the template says', async (t) => {
  const token = await openToken(t)
  const closed = await generate(token)
  assert.equal(await policy(token, await derive(token, hashed, closed, READABLE)), '-E--')
  assert.equal(await policy(token, await derive(token, hashed, closed, CLOSED)), 'S-AN')
  const text = '00'.repeat(16)
  const whole = createHash('sha256').update(Buffer.alloc(16)).digest('hex')
  for (const KEY_TYPE of [CKK.AES, CKK.SHA512_HMAC, CKK.GENERIC_SECRET]) {
    const base = await create(token, text, { KEY_TYPE })
    const key = await derive(token, hashed, base, { ...READABLE, KEY_TYPE: CKK.AES, VALUE_LEN: 24 })
    assert.equal(await value(token, key), whole.slice(0, 48))
  }
  const base = await create(token, text)
  await assert.rejects(
    derive(token, hashed, base, { KEY_TYPE: CKK.AES, VALUE_LEN: 20 }),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
  await assert.rejects(
    derive(token, hashed, base, { KEY_TYPE: CKK.AES }),
    answers('TEMPLATE_INCOMPLETE'),
  )
})

test('what is broken is offered where a policy says so, and not by default', async (t) => {
  const token = await openToken(t)
  const base = await create(token, '01234567')
  const legacy = [CKM.MD5, CKM.MD5_HMAC, CKM.RIPEMD160, CKM.SSL3_MD5_MAC, CKM.MD5_KEY_DERIVATION]
  const listed = (await token.call('C_GetMechanismList', [0, 1000])) as number[]
  for (const type of legacy) assert.ok(!listed.includes(type))
  await assert.rejects(
    derive(token, { type: CKM.MD5_KEY_DERIVATION, parameter: null }, base),
    answers('MECHANISM_INVALID'),
  )
})
