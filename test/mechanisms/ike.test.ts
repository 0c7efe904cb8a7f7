import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { Parameter } from '../../src/standard/calls.ts'
import { CKK, CKM, type CKR } from '../../src/standard/constants.ts'
import { answers, openToken } from '../in-process.ts'
import {
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

const text = (characters: string) => Buffer.from(characters)

const prf = (key: Uint8Array, ...parts: readonly Uint8Array[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest()

const [NI, NR] = [Buffer.alloc(32, 0x1a), Buffer.alloc(16, 0x2b)]
const [KEY, AGREED, OTHER] = [Buffer.alloc(32, 0x42), Buffer.alloc(256, 0x17), Buffer.alloc(20, 3)]

const first = (values: Partial<Parameter> = {}) => ({
  type: CKM.IKE_PRF_DERIVE,
  parameter: {
    prfMechanism: CKM.SHA256_HMAC,
    dataAsKey: 0,
    rekey: 0,
    ni: NI,
    nr: NR,
    newKey: 0,
    ...values,
  },
})

const numbered = (values: Partial<Parameter> = {}) => ({
  type: CKM.IKE1_PRF_DERIVE,
  parameter: {
    prfMechanism: CKM.SHA256_HMAC,
    hasPrevKey: 0,
    keygxy: 0,
    prevKey: 0,
    ckYi: text('cookie i'),
    ckYr: text('cookie r'),
    keyNumber: 0,
    ...values,
  },
})

const plus = (values: Partial<Parameter> = {}) => ({
  type: CKM.IKE2_PRF_PLUS_DERIVE,
  parameter: {
    prfMechanism: CKM.SHA256_HMAC,
    hasSeedKey: 0,
    seedKey: 0,
    seedData: text('seed'),
    ...values,
  },
})

const extended = (values: Partial<Parameter> = {}) => ({
  type: CKM.IKE1_EXTENDED_DERIVE,
  parameter: {
    prfMechanism: CKM.SHA256_HMAC,
    hasKeygxy: 0,
    keygxy: 0,
    extraData: NOTHING,
    ...values,
  },
})

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('the first key of each of the three cases of 6.64.3', async (t) => {
  const token = await openToken(t)
  const [base, agreed] = [await secret(token, KEY), await secret(token, AGREED)]
  const made = async (values: Partial<Parameter>, key: number) =>
    valueAt(token, await derive(token, first(values), key))
  assert.equal(await made({ dataAsKey: 1 }, agreed), hexOf(prf(Buffer.concat([NI, NR]), AGREED)))
  assert.equal(await made({}, base), hexOf(prf(KEY, NI, NR)))
  assert.equal(await made({ rekey: 1, newKey: agreed }, base), hexOf(prf(KEY, AGREED, NI, NR)))
  await assert.rejects(made({ rekey: 1, dataAsKey: 1 }, base), answers('ARGUMENTS_BAD'))
  const aes = await secret(token, Buffer.alloc(16, 1), { KEY_TYPE: CKK.AES })
  await assert.rejects(made({ rekey: 1, newKey: aes }, base), answers('KEY_TYPE_INCONSISTENT'))
  await assert.rejects(made({}, aes), answers('KEY_TYPE_INCONSISTENT'))
})

test('the first key is as long as the PRF, and of its type where the template names none', async (t) => {
  const token = await openToken(t)
  const base = await secret(token, KEY)
  const generic = await derive(token, first(), base)
  assert.equal(await numberAt(token, generic, 'KEY_TYPE'), CKK.GENERIC_SECRET)
  const aes = await secret(token, Buffer.alloc(16, 1), { KEY_TYPE: CKK.AES })
  const cmac = await derive(token, first({ prfMechanism: CKM.AES_CMAC }), aes)
  assert.equal(await numberAt(token, cmac, 'KEY_TYPE'), CKK.AES)
  assert.equal(await numberAt(token, cmac, 'VALUE_LEN'), 16)
  await derive(token, first(), base, { VALUE_LEN: 32 })
  for (const VALUE_LEN of [31, 33])
    await assert.rejects(derive(token, first(), base, { VALUE_LEN }), answers('KEY_SIZE_RANGE'))
})

/** RFC 2409, 5. */
test('SKEYID_d, SKEYID_a and SKEYID_e of IKEv1', async (t) => {
  const token = await openToken(t)
  const [base, keygxy] = [await secret(token, KEY), await secret(token, AGREED)]
  const named = { ...OPEN, KEY_TYPE: CKK.GENERIC_SECRET, DERIVE: true }
  const cookies = text('cookie icookie r')
  const d = await derive(token, numbered({ keygxy }), base, named)
  const expectedD = prf(KEY, AGREED, cookies, Buffer.of(0))
  assert.equal(await valueAt(token, d), hexOf(expectedD))
  const next = { keygxy, hasPrevKey: 1, keyNumber: 1, prevKey: d }
  const a = await derive(token, numbered(next), base, { ...named, VALUE_LEN: 20 })
  const expectedA = prf(KEY, expectedD, AGREED, cookies, Buffer.of(1))
  assert.equal(await valueAt(token, a), hexOf(expectedA).slice(0, 40))
  const refused: [Partial<Parameter>, Named, keyof typeof CKR][] = [
    [{ keygxy }, OPEN, 'TEMPLATE_INCOMPLETE'],
    [{ keygxy }, { ...named, VALUE_LEN: 33 }, 'KEY_SIZE_RANGE'],
    [{ keygxy: 77 }, named, 'KEY_HANDLE_INVALID'],
    [{ keygxy, hasPrevKey: 2 }, named, 'MECHANISM_PARAM_INVALID'],
    [{ keygxy, prfMechanism: CKM.SHA256 }, named, 'MECHANISM_PARAM_INVALID'],
  ]
  for (const [values, template, rv] of refused)
    await assert.rejects(derive(token, numbered(values), base, template), answers(rv))
})

/** RFC 7296, 2.13. */
test('prf+ makes as many bytes as are asked for, up to 255 blocks', async (t) => {
  const token = await openToken(t)
  const [base, seedKey] = [await secret(token, KEY), await secret(token, OTHER)]
  const expected = (seed: Uint8Array, blocks: number) => {
    const all: Buffer[] = []
    for (let number = 1; number <= blocks; number++)
      all.push(prf(KEY, all.at(-1) ?? NOTHING, seed, Buffer.of(number)))
    return hexOf(Buffer.concat(all))
  }
  const made = async (values: Partial<Parameter>, named: Named) =>
    valueAt(token, await derive(token, plus(values), base, { ...OPEN, ...named }))
  assert.equal(await made({}, { VALUE_LEN: 33 }), expected(text('seed'), 2).slice(0, 66))
  const both = Buffer.concat([OTHER, text('seed')])
  assert.equal(await made({ hasSeedKey: 1, seedKey }, { VALUE_LEN: 128 }), expected(both, 4))
  const longest = 255 * 32
  assert.equal(await made({}, { VALUE_LEN: longest }), expected(text('seed'), 255))
  await assert.rejects(made({}, { VALUE_LEN: longest + 1 }), answers('KEY_SIZE_RANGE'))
  await assert.rejects(made({}, {}), answers('TEMPLATE_INCOMPLETE'))
})

/** RFC 2409, 5.5 and appendix B. */
test('longer keys of IKEv1, with and without what was agreed on', async (t) => {
  const token = await openToken(t)
  const [base, keygxy] = [await secret(token, KEY), await secret(token, AGREED)]
  const made = async (values: Partial<Parameter>, VALUE_LEN: number) =>
    valueAt(token, await derive(token, extended(values), base, { ...OPEN, VALUE_LEN }))
  const chain = (from: Buffer, data: Uint8Array, blocks: number) => {
    const all = [from]
    while (all.length < blocks) all.push(prf(KEY, all.at(-1) as Buffer, data))
    return hexOf(Buffer.concat(all))
  }
  const extraData = text('protocol SPI nonces')
  const with_ = Buffer.concat([AGREED, extraData])
  assert.equal(
    await made({ hasKeygxy: 1, keygxy, extraData }, 70),
    chain(prf(KEY, with_), with_, 3).slice(0, 140),
  )
  assert.equal(await made({ extraData }, 64), chain(prf(KEY, extraData), extraData, 2))
  assert.equal(await made({}, 96), chain(prf(KEY, Buffer.of(0)), NOTHING, 3))
  assert.equal(await made({ extraData }, 20), hexOf(KEY).slice(0, 40))
  assert.equal(await made({ hasKeygxy: 1, keygxy }, 20), hexOf(prf(KEY, AGREED)).slice(0, 40))
  await assert.rejects(made({}, 255 * 32 + 1), answers('KEY_SIZE_RANGE'))
})

test('a key that is cut out of another is kept as closely as that', async (t) => {
  const token = await openToken(t)
  const closed = await hidden(token)
  await assert.rejects(
    derive(token, extended(), closed, { ...OPEN, VALUE_LEN: 20 }),
    answers('TEMPLATE_INCONSISTENT'),
  )
  const made = await derive(token, extended(), closed, { VALUE_LEN: 20 })
  assert.equal(await policy(token, made), 'S-AN-')
  const further = await derive(token, extended(), closed, { ...OPEN, VALUE_LEN: 64 })
  assert.equal(await policy(token, further), '-E---')
})
