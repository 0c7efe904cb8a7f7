import assert from 'node:assert/strict'
import { constants, createHash, createPrivateKey, privateDecrypt, verify } from 'node:crypto'
import { test } from 'node:test'
import { aesKeyUnwrap } from '../../src/engine/ciphers.ts'
import { rsaPrivateKeyInfo } from '../../src/engine/rsa.ts'
import { rsa, rsaKeyType } from '../../src/mechanisms/rsa.ts'
import { signatureHashes } from '../../src/mechanisms/signature-hashes.ts'
import { CKA, CKG, CKM, CKR, CKZ } from '../../src/standard/constants.ts'
import { jwsKey } from '../engine/keys.ts'
import { type Pair, pairOf, using } from './keys.ts'
import { ascii, hex, toHex, withReturnValue } from './rows.ts'

const pairOfNumbers = (n: Uint8Array, values: Iterable<readonly [number, Uint8Array]>): Pair =>
  pairOf(
    rsaKeyType,
    [
      [CKA.MODULUS, n],
      [CKA.PUBLIC_EXPONENT, jwsKey.e],
    ],
    values,
  )

const pair = pairOfNumbers(jwsKey.n, [
  [CKA.MODULUS, jwsKey.n],
  [CKA.PUBLIC_EXPONENT, jwsKey.e],
  [CKA.PRIVATE_EXPONENT, jwsKey.d],
])
const { encrypt, decrypt, sign, verify: check, wrap, unwrap } = using(rsa, pair)
const privateKey = createPrivateKey({
  key: Buffer.from(rsaPrivateKeyInfo(jwsKey)),
  format: 'der',
  type: 'pkcs8',
})

const message = ascii('a message')
const flipped = (bytes: Uint8Array, at = 3) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
const hashed = (name: string) => Uint8Array.from(createHash(name).update(message).digest())
/** Bytes of the modulus. */
const K = 256

/** The trailer of SHA-1: its identifier in ISO/IEC 10118, and the end. */
const sha1Payload = Buffer.concat([hashed('sha1'), Uint8Array.of(0x33, 0xcc)])

test('CKM_SHA1_RSA_X9_31 is CKM_RSA_X9_31 over the digest and its trailer', async () => {
  const signature = await sign(CKM.SHA1_RSA_X9_31, message)
  assert.equal(toHex(await sign(CKM.RSA_X9_31, sha1Payload)), toHex(signature))
  await check(CKM.SHA1_RSA_X9_31, message, signature)
  await check(CKM.RSA_X9_31, sha1Payload, signature)
  for (const type of [CKM.SHA1_RSA_X9_31, CKM.RSA_X9_31]) {
    const signed = type === CKM.RSA_X9_31 ? sha1Payload : message
    await assert.rejects(
      check(type, signed, flipped(signature)),
      withReturnValue(CKR.SIGNATURE_INVALID),
    )
    await assert.rejects(
      check(type, flipped(signed), signature),
      withReturnValue(CKR.SIGNATURE_INVALID),
    )
    await assert.rejects(
      check(type, signed, signature.subarray(1)),
      withReturnValue(CKR.SIGNATURE_LEN_RANGE),
    )
  }
})

test('CKM_RSA_X9_31 takes 2 to k - 2 bytes that end with a trailer', async () => {
  for (const length of [2, 20, 100, K - 3, K - 2]) {
    const payload = new Uint8Array(length).fill(0x5a)
    payload[length - 1] = 0xcc
    const signature = await sign(CKM.RSA_X9_31, payload)
    assert.ok(Buffer.compare(signature, jwsKey.n) < 0)
    assert.ok((signature[0] as number) <= (jwsKey.n[0] as number) / 2)
    await check(CKM.RSA_X9_31, payload, signature)
  }
  for (const length of [0, 1, K - 1])
    await assert.rejects(
      sign(CKM.RSA_X9_31, new Uint8Array(length).fill(0xcc)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
  await assert.rejects(sign(CKM.RSA_X9_31, hashed('sha1')), withReturnValue(CKR.DATA_INVALID))
})

test('OAEP and PSS work with every hash and every mask, as node:crypto has them', async () => {
  for (const hash of signatureHashes)
    for (const mask of signatureHashes) {
      const named = { hashAlg: hash.type, mgf: CKG[`MGF1_${mask.name}`] }
      const oaep = { ...named, source: CKZ.DATA_SPECIFIED, sourceData: ascii('L') }
      const encrypted = await encrypt(CKM.RSA_PKCS_OAEP, message, oaep)
      assert.equal(toHex(await decrypt(CKM.RSA_PKCS_OAEP, encrypted, oaep)), toHex(message))
      const pss = { ...named, sLen: 11 }
      const signature = await sign(CKM.RSA_PKCS_PSS, hashed(hash.digest), pss)
      await check(CKM[`${hash.name}_RSA_PKCS_PSS`], message, signature, pss)
      if (hash !== mask) continue
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 11 }
      assert.ok(verify(hash.digest, message, { key: privateKey, ...padding }, signature))
      const oaepHash = { oaepHash: hash.digest, oaepLabel: Buffer.from('L') }
      assert.equal(
        toHex(privateDecrypt({ key: privateKey, ...oaepHash }, encrypted)),
        toHex(message),
      )
    }
})

for (const [name, digest] of [
  ['MD5', 'md5'],
  ['RIPEMD160', 'ripemd160'],
] as const)
  test(`CKM_${name}_RSA_PKCS makes the signature that node:crypto verifies`, async () => {
    const type = CKM[`${name}_RSA_PKCS`]
    const signature = await sign(type, message)
    assert.ok(verify(digest, message, privateKey, signature))
    await check(type, message, signature)
    await assert.rejects(
      check(type, message, flipped(signature)),
      withReturnValue(CKR.SIGNATURE_INVALID),
    )
    assert.equal(rsa.find((row) => row.type === type)?.standing, 'legacy')
  })

/** Bytes that each TPM mechanism takes at most, and the mechanism under it with its parameter. */
const tpm = [
  ['RSA_PKCS_TPM_1_1', K - 11 - 5, CKM.RSA_PKCS, null],
  [
    'RSA_PKCS_OAEP_TPM_1_1',
    K - 2 - 40 - 5,
    CKM.RSA_PKCS_OAEP,
    {
      hashAlg: CKM.SHA_1,
      mgf: CKG.MGF1_SHA1,
      source: CKZ.DATA_SPECIFIED,
      sourceData: ascii('TCPA'),
    },
  ],
] as const

for (const [name, most, under, parameter] of tpm) {
  const type = CKM[name]
  test(`CKM_${name} encrypts and wraps a TPM_BOUND_DATA`, async () => {
    for (const plain of [hex(''), message, new Uint8Array(most).fill(9)]) {
      const encrypted = await encrypt(type, plain)
      assert.equal(toHex(await decrypt(type, encrypted)), toHex(plain))
      assert.equal(
        toHex(await decrypt(under, encrypted, parameter)),
        toHex(Buffer.concat([hex('0101000002'), plain])),
      )
    }
    await assert.rejects(
      encrypt(type, new Uint8Array(most + 1)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
    assert.equal(toHex(await unwrap(type, await wrap(type, message))), toHex(message))
  })

  test(`CKM_${name} takes any version and no other structure`, async () => {
    const bound = async (start: string) =>
      decrypt(type, await encrypt(under, Buffer.concat([hex(start), message]), parameter))
    assert.equal(toHex(await bound('0101ffee02')), toHex(message))
    for (const start of ['0201000002', '0102000002', '0101000001', ''])
      await assert.rejects(bound(start), withReturnValue(CKR.ENCRYPTED_DATA_INVALID))
    const cut = await encrypt(under, hex('01010000'), parameter)
    await assert.rejects(decrypt(type, cut), withReturnValue(CKR.ENCRYPTED_DATA_INVALID))
    await assert.rejects(unwrap(type, cut), withReturnValue(CKR.WRAPPED_KEY_INVALID))
  })
}

const oaepParams = {
  hashAlg: CKM.SHA256,
  mgf: CKG.MGF1_SHA512,
  source: CKZ.DATA_SPECIFIED,
  sourceData: ascii('label'),
}

test('CKM_RSA_AES_KEY_WRAP is an AES key under OAEP, and the key under AES key wrap with padding', async () => {
  for (const aesKeyBits of [128, 192, 256])
    for (const length of [1, 8, 33, 1200, 10_000]) {
      const parameter = { aesKeyBits, oaepParams }
      const plain = new Uint8Array(length).fill(length)
      const wrapped = await wrap(CKM.RSA_AES_KEY_WRAP, plain, parameter)
      const aesKey = await decrypt(CKM.RSA_PKCS_OAEP, wrapped.slice(0, K), oaepParams)
      assert.equal(aesKey.length, aesKeyBits / 8)
      const inner = aesKeyUnwrap(aesKey, wrapped.subarray(K), { padded: true, iv: null })
      assert.equal(toHex(inner as Uint8Array), toHex(plain))
      assert.equal(toHex(await unwrap(CKM.RSA_AES_KEY_WRAP, wrapped, parameter)), toHex(plain))
      assert.notEqual(toHex(await wrap(CKM.RSA_AES_KEY_WRAP, plain, parameter)), toHex(wrapped))
    }
})

test('what is no RSA-wrapped AES key and wrapped key is refused', async () => {
  const parameter = { aesKeyBits: 256, oaepParams }
  const wrapped = await wrap(CKM.RSA_AES_KEY_WRAP, new Uint8Array(40).fill(4), parameter)
  const refused = (bytes: Uint8Array, rv: number, other: object = parameter) =>
    assert.rejects(
      unwrap(CKM.RSA_AES_KEY_WRAP, bytes, other as typeof parameter),
      withReturnValue(rv),
    )
  for (const length of [0, 1, K - 1, K, K + 8, K + 15, wrapped.length - 1])
    await refused(wrapped.subarray(0, length), CKR.WRAPPED_KEY_LEN_RANGE)
  for (const at of [5, K, wrapped.length - 1])
    await refused(flipped(wrapped, at), CKR.WRAPPED_KEY_INVALID)
  await refused(wrapped.subarray(0, wrapped.length - 8), CKR.WRAPPED_KEY_INVALID)
  await refused(wrapped, CKR.WRAPPED_KEY_INVALID, { aesKeyBits: 128, oaepParams })
  for (const wrong of [
    { aesKeyBits: 0, oaepParams },
    { aesKeyBits: 255, oaepParams },
    { aesKeyBits: 256, oaepParams: null },
    { aesKeyBits: 256, oaepParams: { ...oaepParams, mgf: 0 } },
  ]) {
    await refused(wrapped, CKR.MECHANISM_PARAM_INVALID, wrong)
    await assert.rejects(
      wrap(CKM.RSA_AES_KEY_WRAP, message, wrong as typeof parameter),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
  }
})

test('the other half of a key wraps and unwraps nothing with CKM_RSA_AES_KEY_WRAP', async () => {
  const swapped = using(rsa, { publicKey: pair.privateKey, privateKey: pair.publicKey })
  const parameter = { aesKeyBits: 256, oaepParams }
  await assert.rejects(
    swapped.wrap(CKM.RSA_AES_KEY_WRAP, message, parameter),
    withReturnValue(CKR.WRAPPING_KEY_TYPE_INCONSISTENT),
  )
  await assert.rejects(
    swapped.unwrap(CKM.RSA_AES_KEY_WRAP, message, parameter),
    withReturnValue(CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT),
  )
})

/** A public key is all that verification and wrapping look at. */
function withModulus(bits: number) {
  const n = new Uint8Array(Math.ceil(bits / 8)).fill(0xff)
  n[0] = 0xff >> (n.length * 8 - bits)
  const { publicKey } = pairOfNumbers(n, pair.privateKey.attributes as Map<number, Uint8Array>)
  return using(rsa, { publicKey, privateKey: publicKey })
}

test('X9.31 asks for a modulus of a multiple of 256 bits, key wrap for room for the AES key', async () => {
  for (const bits of [1032, 1152, 2047, 2049])
    await assert.rejects(
      withModulus(bits).verify(CKM.RSA_X9_31, sha1Payload, sha1Payload),
      withReturnValue(CKR.KEY_SIZE_RANGE),
    )
  const sha512 = { ...oaepParams, hashAlg: CKM.SHA512 }
  for (const [bits, aesKeyBits] of [
    [1024, 128],
    [1160, 192],
  ] as const)
    await assert.rejects(
      withModulus(bits).wrap(CKM.RSA_AES_KEY_WRAP, message, { aesKeyBits, oaepParams: sha512 }),
      withReturnValue(CKR.WRAPPING_KEY_SIZE_RANGE),
    )
})
