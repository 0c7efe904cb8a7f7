import assert from 'node:assert/strict'
import { createCipheriv, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { native } from '../../src/engine/binding.ts'
import { blockStream, type Direction, type NamedCipher } from '../../src/engine/ciphers.ts'
import { type DigestName, digesting, digestLengths, digestOf } from '../../src/engine/digests.ts'
import {
  curves,
  type EcKey,
  ecdsaSign,
  ecdsaVerify,
  generateEc,
  importEcPrivate,
  importEcPublic,
} from '../../src/engine/ec.ts'
import { type Gcm, gcmDecryption, gcmEncryption } from '../../src/engine/gcm.ts'
import { hmac, hmacWithKept } from '../../src/engine/macs.ts'
import { publicRandomBytes } from '../../src/engine/random.ts'

const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 7) & 0xff))
const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 1024, 100_000]

test('GCM of a whole message is that of its parts, and is taken back', () => {
  for (const keyBytes of [16, 24, 32])
    for (const [ivBytes, aadBytes, tagLength] of [
      [12, 0, 16],
      [12, 20, 12],
      [1, 1, 4],
      [128, 300, 16],
    ] as const)
      for (const length of LENGTHS) {
        const [key, plain] = [bytes(keyBytes), bytes(length)]
        const gcm: Gcm = { iv: bytes(ivBytes), aad: bytes(aadBytes), tagLength }
        const parts = gcmEncryption(key, gcm)
        const expected = Buffer.concat([parts.update(plain), parts.tag()])
        const sealed = gcmEncryption(key, gcm).whole?.(plain) as Buffer
        assert.deepEqual(sealed, expected)
        assert.deepEqual(gcmDecryption(key, gcm).whole?.(sealed), plain)
      }
})

test('GCM in parts goes into given memory, as long as the part and no other', () => {
  const [key, gcm] = [bytes(32), { iv: bytes(12), aad: bytes(7), tagLength: 16 }]
  const [plain, output] = [bytes(100_000), Buffer.alloc(100_000)]
  const parts = gcmEncryption(key, gcm)
  for (let at = 0; at < plain.length; at += 1001) {
    const part = plain.subarray(at, at + 1001)
    parts.updateInto?.(part, output.subarray(at, at + part.length))
  }
  assert.deepEqual(Buffer.concat([output, parts.tag()]), gcmEncryption(key, gcm).whole?.(plain))
  const { cipher, cipherUpdateInto } = native()
  const begun = cipher('AES-256-GCM', 'encrypt', key, gcm.iv)
  for (const room of [0, 15, 17])
    assert.throws(() => cipherUpdateInto(begun, bytes(16), bytes(room)), {
      code: 'OPENSSL_ARGUMENT',
    })
  const blocks = cipher('AES-256-CBC', 'encrypt', key, bytes(16))
  assert.throws(() => cipherUpdateInto(blocks, bytes(16), bytes(16)), { code: 'OPENSSL_ARGUMENT' })
})

test('a whole message whose tag, text or additional data are others is not taken back', () => {
  const key = bytes(32)
  const gcm: Gcm = { iv: bytes(12), aad: bytes(5), tagLength: 16 }
  const sealed = gcmEncryption(key, gcm).whole?.(bytes(100)) as Buffer
  for (const at of [0, 99, 100, 115]) {
    const wrong = Buffer.from(sealed)
    wrong[at] = (wrong[at] as number) ^ 1
    assert.equal(gcmDecryption(key, gcm).whole?.(wrong), undefined)
  }
  assert.equal(gcmDecryption(key, { ...gcm, aad: bytes(6) }).whole?.(sealed), undefined)
})

test('what the tag refuses is wiped', () => {
  const [key, iv, nothing] = [bytes(16), bytes(12), bytes(0)]
  const output = Buffer.alloc(64, 1)
  assert.equal(native().openGcm('aes-128-gcm', key, iv, nothing, bytes(80), output), false)
  assert.deepEqual(output, Buffer.alloc(64))
})

test('whole blocks come out as from a stream, in both directions', () => {
  for (const name of [
    'AES-128-CBC',
    'AES-256-ECB',
    'CAMELLIA-192-CBC',
    'DES-EDE3-CBC',
    'DES-CBC',
  ]) {
    const [key, block] = name.startsWith('DES')
      ? [bytes(name === 'DES-CBC' ? 8 : 24), 8]
      : [bytes(Number(name.split('-')[1]) / 8), 16]
    const iv = name.endsWith('ECB') ? null : bytes(block)
    const stream = (direction: Direction) =>
      blockStream({ name, direction, key, iv } as NamedCipher)
    for (const length of LENGTHS.filter((some) => some % block === 0)) {
      const plain = bytes(length)
      const encrypted = stream('encrypt').whole?.(plain) as Buffer
      assert.deepEqual(encrypted, Buffer.from(stream('encrypt').update(plain)), name)
      assert.deepEqual(stream('decrypt').whole?.(encrypted), plain, name)
    }
  }
  const cipher = createCipheriv('aes-128-cbc', bytes(16), bytes(16)).setAutoPadding(false)
  const own = blockStream({
    name: 'AES-128-CBC',
    direction: 'encrypt',
    key: bytes(16),
    iv: bytes(16),
  })
  assert.deepEqual(own.whole?.(bytes(64)), cipher.update(bytes(64)))
})

test('lengths that do not belong together are refused before anything is computed', () => {
  const { encryptBlocks, sealGcm, openGcm, hmac: mac } = native()
  const [key, iv, no] = [bytes(16), bytes(16), bytes(0)]
  const cbc = (...[k, i, input, output]: readonly (Buffer | null)[]) =>
    encryptBlocks(
      'AES-128-CBC',
      k as Buffer,
      i as Buffer | null,
      null,
      input as Buffer,
      output as Buffer,
    )
  assert.throws(() => cbc(bytes(15), iv, bytes(16), bytes(16)))
  assert.throws(() => cbc(no, iv, bytes(16), bytes(16)))
  assert.throws(() => cbc(key, null, bytes(16), bytes(16)))
  assert.throws(() => cbc(key, bytes(8), bytes(16), bytes(16)))
  assert.throws(() => cbc(key, iv, bytes(15), bytes(15)))
  assert.throws(() => cbc(key, iv, bytes(32), bytes(16)))
  assert.throws(() => encryptBlocks('AES-128-CTR', key, iv, null, bytes(16), bytes(16)))
  assert.throws(() => encryptBlocks('AES-128-NONE', key, iv, null, bytes(16), bytes(16)))
  for (const room of [0, 15, 16, 33])
    assert.throws(() => sealGcm('AES-128-GCM', key, iv, no, bytes(16), bytes(room)), `${room}`)
  for (const room of [16, 17, 100])
    assert.throws(() => openGcm('AES-128-GCM', key, iv, no, bytes(16), bytes(room)), `${room}`)
  assert.throws(() => sealGcm('AES-128-CBC', key, iv, no, bytes(16), bytes(32)))
  assert.throws(() => sealGcm('AES-128-GCM', key, no, no, bytes(16), bytes(32)))
  for (const room of [0, 31, 33])
    assert.throws(() => mac('sha256', key, no, bytes(room)), `${room}`)
})

test('a digest of a whole message is that of its parts, and has a length of its own', () => {
  for (const name of Object.keys(digestLengths) as DigestName[])
    for (const length of LENGTHS) {
      const parts = digesting(name)
      parts.update(bytes(length))
      assert.deepEqual(
        Buffer.from(digestOf(name, bytes(length))),
        Buffer.from(parts.digest()),
        name,
      )
    }
  for (const room of [0, 31, 33])
    assert.throws(() => native().digestWhole('sha256', bytes(1), bytes(room)), {
      code: 'OPENSSL_DIGEST',
    })
  assert.throws(() => native().digestWhole('none', bytes(1), bytes(32)), { code: 'OPENSSL_DIGEST' })
})

test('HMAC of a whole message is that of its parts', () => {
  for (const name of ['sha1', 'sha256', 'sha512', 'sha3-384', 'blake2b-256'] as const)
    for (const keyBytes of [0, 1, 32, 200])
      for (const length of LENGTHS) {
        const [key, message] = [bytes(keyBytes), bytes(length)]
        const parts = hmac(name, key)
        parts.update(message)
        const expected = Buffer.from(parts.digest())
        const kept = hmacWithKept(name, key)
        const { whole } = kept
        if (whole) assert.deepEqual(Buffer.from(whole(message)), expected)
        const further = hmacWithKept(name, key).copy()
        further.update(message)
        assert.deepEqual(Buffer.from(further.digest()), expected)
      }
  const mac = Buffer.from(hmacWithKept('sha256', bytes(32)).whole?.(bytes(9)) as Uint8Array)
  assert.deepEqual(mac, createHmac('sha256', bytes(32)).update(bytes(9)).digest())
})

test('a signature is r and s in full length on every curve', () => {
  for (const curve of curves) {
    const { scalar, point } = generateEc(curve)
    const [own, other] = [importEcPrivate(curve, scalar), importEcPublic(curve, point)]
    for (let count = 0; count < 4; count++) {
      const signature = ecdsaSign(own as EcKey, bytes(32))
      assert.equal(signature.length, 2 * curve.orderBytes)
      assert.ok(ecdsaVerify(other as EcKey, bytes(32), signature), curve.group)
      assert.ok(!ecdsaVerify(other as EcKey, Buffer.alloc(32, 1), signature))
    }
  }
})

test('what is no ECDSA key or signature is refused, not computed with', () => {
  const { ecdsaSign: sign, ecdsaVerify: verify, generate } = native()
  const ec = generate('EC', { group: 'P-256' })
  const other = generate('ED25519', {})
  assert.throws(() => sign(other, bytes(32), bytes(64)), { code: 'OPENSSL_ARGUMENT' })
  assert.throws(() => verify(other, bytes(32), bytes(64)), { code: 'OPENSSL_ARGUMENT' })
  for (const length of [63, 146]) {
    assert.throws(() => sign(ec, bytes(32), bytes(length)), { code: 'OPENSSL_ARGUMENT' })
    assert.throws(() => verify(ec, bytes(32), bytes(length)), { code: 'OPENSSL_ARGUMENT' })
  }
  assert.throws(() => sign(ec, bytes(32), bytes(2)), { code: 'OPENSSL_SIGN' })
  assert.equal(verify(ec, bytes(32), bytes(0)), false)
})

test('random bytes are all of them', () => {
  assert.equal(publicRandomBytes(0).length, 0)
  const drawn = publicRandomBytes(100_000)
  assert.equal(new Set(drawn).size, 256)
})
