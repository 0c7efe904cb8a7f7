import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { hashDerivations } from '../../src/mechanisms/hash-derivations.ts'
import type { Attributes, CryptokiObject } from '../../src/mechanisms/mechanism.ts'
import { simpleDerivations } from '../../src/mechanisms/simple-derivations.ts'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKA, CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { derive, hex, maker, mechanism, secretKey, toHex, ulong, withReturnValue } from './rows.ts'

type Template = Iterable<readonly [number, number]>

const rows = [...hashDerivations, ...simpleDerivations]
const keyType = (type: number) => [CKA.KEY_TYPE, type] as const
const length = (bytes: number) => [CKA.VALUE_LEN, bytes] as const
/** What C_DeriveKey makes of a template that names no type. */
const generic = keyType(CKK.GENERIC_SECRET)

interface Derivation {
  readonly type: number
  readonly base: CryptokiObject
  readonly parameter?: MechanismArgument['parameter']
  readonly template?: Template
  readonly keys?: Readonly<Record<number, CryptokiObject>>
}

const derived = async ({
  type,
  base,
  parameter = null,
  template = [generic],
  keys = {},
}: Derivation): Promise<Attributes> =>
  (await maker(
    rows,
    type,
    'derive',
  )(base, derive(mechanism(type, parameter), new Map(template), keys))) as Attributes

const madeOf = async (derivation: Derivation): Promise<string> =>
  toHex((await derived(derivation)).get(CKA.VALUE) as Uint8Array)

const base = secretKey(CKK.GENERIC_SECRET, hex('01234567'))

/** OpenSSL's names of the hash functions. */
const OPENSSL: Readonly<Record<string, string>> = {
  MD5_KEY_DERIVATION: 'md5',
  SHA1_KEY_DERIVATION: 'sha1',
  SHA224_KEY_DERIVATION: 'sha224',
  SHA256_KEY_DERIVATION: 'sha256',
  SHA384_KEY_DERIVATION: 'sha384',
  SHA512_KEY_DERIVATION: 'sha512',
  SHA512_224_KEY_DERIVATION: 'sha512-224',
  SHA512_256_KEY_DERIVATION: 'sha512-256',
  SHA3_224_KEY_DERIVATION: 'sha3-224',
  SHA3_256_KEY_DERIVATION: 'sha3-256',
  SHA3_384_KEY_DERIVATION: 'sha3-384',
  SHA3_512_KEY_DERIVATION: 'sha3-512',
}

for (const [name, hash] of Object.entries(OPENSSL))
  test(`CKM_${name} digests the base key once`, async () => {
    const type = CKM[name as keyof typeof CKM]
    const whole = createHash(hash).update(hex('01234567')).digest('hex')
    assert.equal(await madeOf({ type, base }), whole)
    const size = whole.length / 2
    for (const bytes of [1, 15, size - 1, size])
      assert.equal(
        await madeOf({ type, base, template: [generic, length(bytes)] }),
        whole.slice(0, bytes * 2),
      )
    for (const bytes of [0, size + 1, 2 ** 53])
      await assert.rejects(
        derived({ type, base, template: [generic, length(bytes)] }),
        withReturnValue(CKR.TEMPLATE_INCONSISTENT),
      )
  })

test('CKM_SHA512_T_KEY_DERIVATION takes t as a parameter', async () => {
  const type = CKM.SHA512_T_KEY_DERIVATION
  for (const t of [224, 256]) {
    const whole = createHash(`sha512-${t}`).update(hex('01234567')).digest('hex')
    assert.equal(await madeOf({ type, base, parameter: ulong(t) }), whole)
  }
  for (const t of [0, 8, 384, 512])
    await assert.rejects(
      derived({ type, base, parameter: ulong(t) }),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
})

for (const bits of [128, 256] as const)
  test(`CKM_SHAKE_${bits}_KEY_DERIVATION makes as many bytes as it is asked for, and must be asked`, async () => {
    const type = CKM[`SHAKE_${bits}_KEY_DERIVATION`]
    for (const outputLength of [1, 32, 200, 16384])
      assert.equal(
        await madeOf({ type, base, template: [generic, length(outputLength)] }),
        createHash(`shake${bits}`, { outputLength }).update(hex('01234567')).digest('hex'),
      )
    for (const [template, rv] of [
      [[generic], CKR.TEMPLATE_INCOMPLETE],
      [[keyType(CKK.AES)], CKR.TEMPLATE_INCOMPLETE],
      [[generic, length(0)], CKR.TEMPLATE_INCONSISTENT],
      [[generic, length(16385)], CKR.TEMPLATE_INCONSISTENT],
    ] as const)
      await assert.rejects(derived({ type, base, template }), withReturnValue(rv))
    assert.equal((await madeOf({ type, base, template: [keyType(CKK.CHACHA20)] })).length, 64)
  })

test('a key type tells the length of a derived key where it has only one', async () => {
  const type = CKM.SHA256_KEY_DERIVATION
  const whole = createHash('sha256').update(hex('01234567')).digest('hex')
  assert.equal(await madeOf({ type, base, template: [keyType(CKK.CHACHA20)] }), whole)
  assert.equal(await madeOf({ type, base, template: [keyType(CKK.SEED)] }), whole.slice(0, 32))
  const refused: [Template, number][] = [
    [[keyType(CKK.AES)], CKR.TEMPLATE_INCOMPLETE],
    [[keyType(CKK.SHA256_HMAC)], CKR.TEMPLATE_INCOMPLETE],
    [[keyType(CKK.CHACHA20), length(16)], CKR.TEMPLATE_INCONSISTENT],
  ]
  for (const [template, rv] of refused)
    await assert.rejects(derived({ type, base, template }), withReturnValue(rv))
  await assert.rejects(
    derived({ type: CKM.SHA1_KEY_DERIVATION, base, template: [keyType(CKK.DES3)] }),
    withReturnValue(CKR.TEMPLATE_INCONSISTENT),
  )
})

test('a derived DES key has odd parity in every byte', async () => {
  for (const [type, bytes] of [
    [CKK.DES, 8],
    [CKK.DES2, 16],
    [CKK.DES3, 24],
  ] as const) {
    const value = hex(
      await madeOf({ type: CKM.SHA256_KEY_DERIVATION, base, template: [keyType(type)] }),
    )
    assert.equal(value.length, bytes)
    const plain = createHash('sha256').update(hex('01234567')).digest()
    for (const [at, byte] of value.entries()) {
      assert.equal([...byte.toString(2)].filter((bit) => bit === '1').length % 2, 1)
      assert.equal(byte & 0xfe, (plain[at] as number) & 0xfe)
    }
  }
})

const data = (text: string) => ({ data: hex(text) })

/** The examples of 6.43.3 to 6.43.7. */
test('the simple derivations make what the standard’s examples show', async () => {
  const other = secretKey(CKK.AES, hex('89abcdef'))
  assert.equal(
    await madeOf({
      type: CKM.CONCATENATE_BASE_AND_KEY,
      base,
      parameter: ulong(7),
      keys: { 7: other },
    }),
    '0123456789abcdef',
  )
  const parameter = data('89abcdef')
  for (const [type, value] of [
    [CKM.CONCATENATE_BASE_AND_DATA, '0123456789abcdef'],
    [CKM.CONCATENATE_DATA_AND_BASE, '89abcdef01234567'],
    [CKM.XOR_BASE_AND_DATA, '88888888'],
  ] as const)
    assert.equal(await madeOf({ type, base, parameter }), value)
  const long = secretKey(CKK.GENERIC_SECRET, hex('329f84a9'))
  assert.equal(
    await madeOf({
      type: CKM.EXTRACT_KEY_FROM_KEY,
      base: long,
      parameter: ulong(21),
      template: [generic, length(2)],
    }),
    '9526',
  )
})

test('data may be of another length than the key, or none', async () => {
  for (const [type, text, value] of [
    [CKM.CONCATENATE_BASE_AND_DATA, '', '01234567'],
    [CKM.CONCATENATE_DATA_AND_BASE, '', '01234567'],
    [CKM.CONCATENATE_DATA_AND_BASE, 'ff', 'ff01234567'],
    [CKM.XOR_BASE_AND_DATA, 'ffff', 'fedc'],
    [CKM.XOR_BASE_AND_DATA, '0000000000', '01234567'],
  ] as const)
    assert.equal(await madeOf({ type, base, parameter: data(text) }), value)
  await assert.rejects(
    derived({ type: CKM.XOR_BASE_AND_DATA, base, parameter: data('') }),
    withReturnValue(CKR.TEMPLATE_INCONSISTENT),
  )
})

test('a derivation from data stops at the longest secret there is', async () => {
  const of = (bytes: number, template?: Template): Derivation => ({
    type: CKM.CONCATENATE_BASE_AND_DATA,
    base,
    parameter: { data: new Uint8Array(bytes) },
    ...(template && { template }),
  })
  assert.equal((await madeOf(of(16380))).length, 32768)
  await assert.rejects(derived(of(16381)), withReturnValue(CKR.TEMPLATE_INCONSISTENT))
  assert.equal((await madeOf(of(16384, [generic, length(16)]))).length, 32)
  await assert.rejects(derived(of(16385)), withReturnValue(CKR.MECHANISM_PARAM_INVALID))
})

test('bits are extracted from any place, go round the end, and are no more than the key has', async () => {
  const of = (bit: number, bytes?: number): Derivation => ({
    type: CKM.EXTRACT_KEY_FROM_KEY,
    base,
    parameter: ulong(bit),
    template: bytes === undefined ? [generic] : [generic, length(bytes)],
  })
  const bits = [...hex('01234567')].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  for (let bit = 0; bit < 32; bit++)
    for (const bytes of [1, 3, 4]) {
      const wanted = (bits + bits).slice(bit, bit + bytes * 8)
      const value = Number.parseInt(wanted, 2)
        .toString(16)
        .padStart(bytes * 2, '0')
      assert.equal(await madeOf(of(bit, bytes)), value)
    }
  await assert.rejects(derived(of(0)), withReturnValue(CKR.TEMPLATE_INCOMPLETE))
  await assert.rejects(derived(of(0, 5)), withReturnValue(CKR.TEMPLATE_INCONSISTENT))
  for (const bit of [32, 2 ** 53])
    await assert.rejects(derived(of(bit, 1)), withReturnValue(CKR.MECHANISM_PARAM_INVALID))
})

test('a number in a parameter is a whole CK_ULONG', async () => {
  for (const type of [
    CKM.EXTRACT_KEY_FROM_KEY,
    CKM.CONCATENATE_BASE_AND_KEY,
    CKM.SHA512_T_KEY_DERIVATION,
  ])
    for (const parameter of [null, new Uint8Array(4), new Uint8Array(9)])
      await assert.rejects(
        derived({ type, base, parameter, template: [generic, length(1)] }),
        withReturnValue(CKR.MECHANISM_PARAM_INVALID),
      )
})

const publicKey: CryptokiObject = {
  ...base,
  attributes: new Map([...base.attributes, [CKA.CLASS, CKO.PUBLIC_KEY]]),
}

test('only secret keys are derived from', async () => {
  for (const { type, parameter: form } of rows) {
    const parameter = form === undefined ? null : form === 'bytes' ? ulong(0) : data('00')
    const keys = { 0: publicKey }
    await assert.rejects(
      derived({ type, base: publicKey, parameter, keys, template: [generic, length(4)] }),
      withReturnValue(CKR.KEY_TYPE_INCONSISTENT, CKR.MECHANISM_PARAM_INVALID),
    )
  }
})
