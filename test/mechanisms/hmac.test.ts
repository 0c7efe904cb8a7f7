import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { digestLengths } from '../../src/engine/digests.ts'
import { hashes } from '../../src/mechanisms/digests.ts'
import { hmac } from '../../src/mechanisms/hmac.ts'
import type { MechanismArgument } from '../../src/mechanisms/mechanism.ts'
import { CKK, CKM, CKR } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { ascii, hex, maker, mechanism, secretKey, toHex, ulong, withReturnValue } from './rows.ts'
import { everyCase, type WycheproofCase } from './wycheproof.ts'

interface Call {
  readonly type: number
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly parameter?: MechanismArgument['parameter']
  readonly keyType?: number
}

const beginOf = ({ type, key, parameter = null, keyType = CKK.GENERIC_SECRET }: Call) => ({
  key: secretKey(keyType, key),
  mechanism: mechanism(type, parameter),
})

async function sign(call: Call): Promise<Uint8Array> {
  const mac = await maker(hmac, call.type, 'sign')(beginOf(call))
  await mac.update(call.message)
  const signature = await mac.final(new Surrender())
  assert.equal(signature.length, mac.length)
  return signature
}

async function verify(call: Call, signature: Uint8Array): Promise<void> {
  const verification = await maker(hmac, call.type, 'verify')(beginOf(call))
  for (const byte of call.message) await verification.update(Uint8Array.of(byte))
  await verification.final(signature, new Surrender())
}

/** RFC 2202 (SHA-1) and RFC 4231 (SHA-2), test case 2; NIST's example for SHA-3. */
const jefe = { key: ascii('Jefe'), message: ascii('what do ya want for nothing?') }
const knownAnswers: Readonly<Record<string, string>> = {
  SHA_1: 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
  SHA224: 'a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44',
  SHA256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  SHA384:
    'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
  SHA512:
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
    '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
}

for (const [name, answer] of Object.entries(knownAnswers))
  test(`CKM_${name}_HMAC makes the MAC its RFC gives`, async () => {
    const type = CKM[`${name}_HMAC` as keyof typeof CKM]
    assert.equal(toHex(await sign({ type, ...jefe })), answer)
    await verify({ type, ...jefe }, hex(answer))
  })

test('CKM_SHA3_224_HMAC makes the MAC of NIST’s example with a key shorter than the block', async () => {
  const key = Uint8Array.from({ length: 28 }, (_, at) => at)
  const message = ascii('Sample message for keylen<blocklen')
  assert.equal(
    toHex(await sign({ type: CKM.SHA3_224_HMAC, key, message })),
    '332cfd59347fdb8e576e77260be4aba2d6dc53117b3bfb52c6d18c04',
  )
})

test('every HMAC takes generic secrets and keys of its own type, of any length, and no other key', async () => {
  const message = randomBytes(100)
  for (const { name, digest } of hashes)
    for (const length of [1, 64, 300, 16384]) {
      const key = randomBytes(length)
      const expected = createHmac(digest, key).update(message).digest()
      for (const keyType of [CKK.GENERIC_SECRET, CKK[`${name}_HMAC`]]) {
        const call = { type: CKM[`${name}_HMAC`], key, message, keyType }
        assert.deepEqual(await sign(call), expected)
        await verify(call, expected)
      }
    }
  for (const keyType of [CKK.AES, CKK.SHA256_HMAC])
    await assert.rejects(
      sign({ type: CKM.SHA512_HMAC, ...jefe, keyType }),
      withReturnValue(CKR.KEY_TYPE_INCONSISTENT),
    )
})

test('a general HMAC is the start of the full one, of one byte up to all', async () => {
  for (const { name, digest } of hashes) {
    const most = digestLengths[digest]
    const full = await sign({ type: CKM[`${name}_HMAC`], ...jefe })
    const call = (length: number) => ({
      type: CKM[`${name}_HMAC_GENERAL`],
      ...jefe,
      parameter: ulong(length),
    })
    for (const length of [1, 4, most - 1, most]) {
      const mac = await sign(call(length))
      assert.deepEqual(mac, full.subarray(0, length))
      await verify(call(length), mac)
    }
    for (const length of [0, most + 1, 2 ** 53])
      await assert.rejects(sign(call(length)), withReturnValue(CKR.MECHANISM_PARAM_INVALID))
  }
})

test('a general HMAC needs its length as a CK_ULONG', async () => {
  for (const parameter of [null, new Uint8Array(0), Uint8Array.of(20), new Uint8Array(16)])
    await assert.rejects(
      sign({ type: CKM.SHA256_HMAC_GENERAL, ...jefe, parameter }),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
})

test('a MAC of another length or another value does not verify', async () => {
  const call = { type: CKM.SHA256_HMAC, ...jefe }
  const mac = await sign(call)
  for (const length of [0, 31, 33])
    await assert.rejects(
      verify(call, randomBytes(length)),
      withReturnValue(CKR.SIGNATURE_LEN_RANGE),
    )
  for (const at of [0, 16, 31]) {
    const other = Uint8Array.from(mac)
    other[at] = (other[at] ?? 0) ^ 1
    await assert.rejects(verify(call, other), withReturnValue(CKR.SIGNATURE_INVALID))
  }
})

interface MacCase extends WycheproofCase {
  readonly key: string
  readonly msg: string
  readonly tag: string
}

for (const [file, type] of [
  ['hmac_sha1', CKM.SHA_1_HMAC_GENERAL],
  ['hmac_sha256', CKM.SHA256_HMAC_GENERAL],
] as const)
  test(`Wycheproof: ${file}`, (t) =>
    everyCase<{ tagSize: number }, MacCase>(t, file, async (one, { tagSize }) => {
      const parameter = ulong(tagSize / 8)
      const call = { type, key: hex(one.key), message: hex(one.msg), parameter }
      const name = `case ${one.tcId}`
      if (one.result === 'valid') {
        assert.equal(toHex(await sign(call)), one.tag, name)
        await verify(call, hex(one.tag))
      } else
        await assert.rejects(
          verify(call, hex(one.tag)),
          withReturnValue(CKR.SIGNATURE_INVALID),
          name,
        )
    }))
