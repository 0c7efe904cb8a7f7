import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { digestLengths } from '../../src/engine/digests.ts'
import { hashes, historicalHashes } from '../../src/mechanisms/digests.ts'
import { hmac } from '../../src/mechanisms/hmac.ts'
import type { MechanismArgument } from '../../src/mechanisms/mechanism.ts'
import { poly1305 } from '../../src/mechanisms/poly1305.ts'
import { sha512T } from '../../src/mechanisms/sha512-t.ts'
import { ssl3Macs } from '../../src/mechanisms/ssl3-macs.ts'
import { CKA, CKK, CKM, CKR } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import {
  ascii,
  hex,
  make,
  maker,
  mechanism,
  secretKey,
  toHex,
  ulong,
  withReturnValue,
} from './rows.ts'

const macs = [...hmac, ...sha512T, ...ssl3Macs, ...poly1305]
const all = [...hashes, ...historicalHashes]

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
  const mac = await maker(macs, call.type, 'sign')(beginOf(call))
  await mac.update(call.message)
  const signature = await mac.final(new Surrender())
  assert.equal(signature.length, mac.length)
  return signature
}

async function verify(call: Call, signature: Uint8Array): Promise<void> {
  const verification = await maker(macs, call.type, 'verify')(beginOf(call))
  for (const byte of call.message) await verification.update(Uint8Array.of(byte))
  await verification.final(signature, new Surrender())
}

/**
 * Test case 2 of RFC 2202 (MD5, SHA-1), RFC 2286 (RIPEMD-160) and RFC 4231 (SHA-2). For BLAKE2b the
 * same by Python's hmac and hashlib, which share no code with OpenSSL's BLAKE2b.
 */
const jefe = { key: ascii('Jefe'), message: ascii('what do ya want for nothing?') }
const knownAnswers: Readonly<Record<string, string>> = {
  MD5: '750c783e6ab0b503eaa86e310a5db738',
  RIPEMD160: 'dda6c0213a485a9e24f4742064a7f033b43c4069',
  BLAKE2B_160: 'c4728ccc2f7600f89d9a480514910b9f5daf3dd6',
  BLAKE2B_256: '3cf096eeeb2202a250db168c4823a44ef4618ebabb225789386fed316131e3a0',
  BLAKE2B_384:
    'e87f61624bc6c1db706a1efcc98e7e98c0ab8fea0978dbd87e2852406fdd313c87968c5b825847f3c04d975b8b88598d',
  BLAKE2B_512:
    '6ff884f8ddc2a6586b3c98a4cd6ebdf14ec10204b6710073eb5865ade37a2643' +
    'b8807c1335d107ecdb9ffeaeb6828c4625ba172c66379efcd222c2de11727ab4',
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

/** NIST's examples with a key shorter than the block: the bytes 0, 1, 2 ..., as many as the digest has. */
const nistExamples = {
  SHA3_224: '332cfd59347fdb8e576e77260be4aba2d6dc53117b3bfb52c6d18c04',
  SHA3_256: '4fe8e202c4f058e8dddc23d8c34e467343e23555e24fc2f025d598f558f67205',
  SHA3_384:
    'd588a3c51f3f2d906e8298c1199aa8ff6296218127f6b38a90b6afe2c5617725bc99987f79b22a557b6520db710b7f42',
  SHA3_512:
    '4efd629d6c71bf86162658f29943b1c308ce27cdfa6db0d9c3ce81763f9cbce5' +
    'f7ebe9868031db1a8f8eb7b6b95e5c5e3f657a8996c86a2f6527e307f0213196',
} as const

for (const [name, answer] of Object.entries(nistExamples))
  test(`CKM_${name}_HMAC makes the MAC of NIST’s example`, async () => {
    const key = Uint8Array.from({ length: answer.length / 2 }, (_, at) => at)
    const message = ascii('Sample message for keylen<blocklen')
    const type = CKM[`${name as keyof typeof nistExamples}_HMAC`]
    assert.equal(toHex(await sign({ type, key, message })), answer)
  })

test('a BLAKE2b HMAC key longer than the block is digested first', async () => {
  // By Python's hmac and hashlib.
  const key = Uint8Array.from({ length: 200 }, (_, at) => at)
  const call = { type: CKM.BLAKE2B_160_HMAC, key, message: ascii('abc') }
  assert.equal(toHex(await sign(call)), 'df962df2a3fb0560c2bd5a33c9ced143b5c9c07b')
})

/** What node:crypto has of them: HMAC by name, over BLAKE2b with 64 bytes only. */
const nodeName = (digest: string) => (digest === 'blake2b-512' ? 'blake2b512' : digest)

test('every HMAC takes generic secrets and keys of its own type, of any length, and no other key', async () => {
  const message = randomBytes(100)
  for (const { name, digest } of all)
    for (const length of [1, 64, 127, 128, 129, 300, 16384]) {
      const key = randomBytes(length)
      const isElsewhere = !/^blake2b-(160|256|384)/.test(digest)
      const expected = isElsewhere
        ? toHex(createHmac(nodeName(digest), key).update(message).digest())
        : toHex(await sign({ type: CKM[`${name}_HMAC`], key, message }))
      for (const keyType of [CKK.GENERIC_SECRET, CKK[`${name}_HMAC`]]) {
        const call = { type: CKM[`${name}_HMAC`], key, message, keyType }
        assert.equal(toHex(await sign(call)), expected)
        await verify(call, hex(expected))
      }
    }
  for (const keyType of [CKK.AES, CKK.SHA256_HMAC])
    await assert.rejects(
      sign({ type: CKM.SHA512_HMAC, ...jefe, keyType }),
      withReturnValue(CKR.KEY_TYPE_INCONSISTENT),
    )
})

test('a general HMAC is the start of the full one, of one byte up to all', async () => {
  for (const { name, digest } of all) {
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

test('CKM_SHA512_T_HMAC is the HMAC of the digest that t names', async () => {
  for (const t of [224, 256] as const) {
    const call = { type: CKM.SHA512_T_HMAC, ...jefe, parameter: ulong(t) }
    const expected = createHmac(`sha512-${t}`, jefe.key).update(jefe.message).digest('hex')
    for (const keyType of [CKK.GENERIC_SECRET, CKK.SHA512_T_HMAC]) {
      assert.equal(toHex(await sign({ ...call, keyType })), expected)
      await verify({ ...call, keyType }, hex(expected))
    }
    await assert.rejects(
      sign({ ...call, keyType: CKK.SHA512_256_HMAC }),
      withReturnValue(CKR.KEY_TYPE_INCONSISTENT),
    )
  }
  for (const t of [0, 8, 384, 512])
    await assert.rejects(
      sign({ type: CKM.SHA512_T_HMAC, ...jefe, parameter: ulong(t) }),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
})

/** RFC 6101, 5.2.3.1, with all that the MAC is over in one message. */
function ssl3Mac(hash: 'md5' | 'sha1', key: Uint8Array, message: Uint8Array): string {
  const pad = (byte: number) => Buffer.alloc(hash === 'md5' ? 48 : 40, byte)
  const digest = (...parts: Uint8Array[]) => createHash(hash).update(Buffer.concat(parts)).digest()
  return toHex(digest(key, pad(0x5c), digest(key, pad(0x36), message)))
}

for (const [type, hash] of [
  [CKM.SSL3_MD5_MAC, 'md5'],
  [CKM.SSL3_SHA1_MAC, 'sha1'],
] as const)
  test(`the SSL 3.0 MAC with ${hash} has 4 to 8 bytes`, async () => {
    for (const message of [new Uint8Array(0), jefe.message, randomBytes(300)])
      for (const length of [4, 5, 8]) {
        const call = { type, key: jefe.key, message, parameter: ulong(length) }
        const expected = ssl3Mac(hash, jefe.key, message).slice(0, length * 2)
        assert.equal(toHex(await sign(call)), expected)
        await verify(call, hex(expected))
      }
    for (const length of [0, 3, 9, 16])
      await assert.rejects(
        sign({ type, ...jefe, parameter: ulong(length) }),
        withReturnValue(CKR.MECHANISM_PARAM_INVALID),
      )
    await assert.rejects(
      sign({ type, ...jefe, parameter: ulong(4), keyType: CKK.SHA_1_HMAC }),
      withReturnValue(CKR.KEY_TYPE_INCONSISTENT),
    )
  })

test('CKM_POLY1305 makes the tag of RFC 8439, 2.5.2', async () => {
  const call = {
    type: CKM.POLY1305,
    keyType: CKK.POLY1305,
    key: hex('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b'),
    message: ascii('Cryptographic Forum Research Group'),
  }
  const tag = hex('a8061dc1305136c6c22b8baf0c0127a9')
  assert.equal(toHex(await sign(call)), toHex(tag))
  await verify(call, tag)
  await assert.rejects(verify(call, tag.subarray(1)), withReturnValue(CKR.SIGNATURE_LEN_RANGE))
  // RFC 8439, 2.5: the tag of nothing is s, the second half of the key.
  const nothing = await sign({ ...call, message: new Uint8Array(0) })
  assert.equal(toHex(nothing), toHex(call.key.subarray(16)))
  for (const length of [31, 33])
    await assert.rejects(
      sign({ ...call, key: new Uint8Array(length) }),
      withReturnValue(CKR.KEY_SIZE_RANGE),
    )
  await assert.rejects(
    sign({ ...call, keyType: CKK.GENERIC_SECRET }),
    withReturnValue(CKR.KEY_TYPE_INCONSISTENT),
  )
})

test('a Poly1305 key has 32 bytes, also where its template does not say so', async () => {
  const generate = maker(poly1305, CKM.POLY1305_KEY_GEN, 'generateKey')
  for (const template of [[], [[CKA.VALUE_LEN, 32]]] as const) {
    const value = (await generate(make(CKM.POLY1305_KEY_GEN, new Map(template)))).get(CKA.VALUE)
    assert.equal((value as Uint8Array).length, 32)
  }
  await assert.rejects(
    async () => generate(make(CKM.POLY1305_KEY_GEN, new Map([[CKA.VALUE_LEN, 16]]))),
    withReturnValue(CKR.ATTRIBUTE_VALUE_INVALID),
  )
})

test('every MAC, made or checked, can be copied in the middle of its message', async () => {
  for (const row of macs) {
    if (row.sign === undefined) continue
    const parameter = row.parameter && ulong(row.name.includes('SHA512_T') ? 256 : 8)
    const key = new Uint8Array(32).fill(7)
    const [keyType] = row.keyTypes as [number]
    const call = { type: row.type, key, message: ascii('one two'), keyType }
    const withParameter = parameter ? { ...call, parameter } : call
    const mac = await sign(withParameter)
    const summary = await maker(macs, row.type, 'sign')(beginOf(withParameter))
    await summary.update(ascii('one '))
    const copy = summary.copy?.()
    await summary.update(ascii('gone'))
    await copy?.update(ascii('two'))
    assert.deepEqual(await copy?.final(new Surrender()), mac, row.name)
    assert.notDeepEqual(await summary.final(new Surrender()), mac, row.name)
    const verification = await maker(macs, row.type, 'verify')(beginOf(withParameter))
    await verification.update(ascii('one '))
    const other = verification.copy?.()
    await other?.update(ascii('two'))
    await other?.final(mac, new Surrender())
  }
})
