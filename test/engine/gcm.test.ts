import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { gcmDecryption, gcmEncryption, LongIvGcm } from '../../src/engine/gcm.ts'

const bytes = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength })

test('GCM put together for long IVs is what OpenSSL makes of any IV it takes', () => {
  const input = fc.record({
    key: fc.constantFrom(16, 24, 32).map((length) => randomBytes(length)),
    iv: bytes(128, 1).filter(({ length }) => length !== 12),
    aad: bytes(70),
    parts: fc.array(bytes(70), { maxLength: 5 }),
  })
  fc.assert(
    fc.property(input, ({ key, iv, aad, parts }) => {
      const theirs = createCipheriv(`aes-${key.length * 8}-gcm` as 'aes-128-gcm', key, iv)
      theirs.setAAD(aad)
      const ours = new LongIvGcm(key, { iv, aad, tagLength: 16 })
      for (const part of parts)
        assert.deepEqual(Buffer.from(ours.encrypt(part)), theirs.update(part))
      theirs.final()
      assert.deepEqual(Buffer.from(ours.tag()), theirs.getAuthTag())
    }),
    { numRuns: 200 },
  )
})

test('the counter of GCM wraps at 32 bits, also with a long IV', () => {
  const key = Buffer.alloc(16, 7)
  // The tag of nothing is J0 encrypted. This IV was solved for a J0 with two blocks left to count.
  const iv = Buffer.from('698d0f0e800000000000000000000000', 'hex')
  const nothing = createCipheriv('aes-128-gcm', key, iv)
  nothing.final()
  const block = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  const first = block.update(nothing.getAuthTag())
  assert.equal(first.readUInt32BE(12), 2 ** 32 - 3)

  const gcm = new LongIvGcm(key, { iv, aad: Buffer.alloc(0), tagLength: 16 })
  const theirs = createCipheriv('aes-128-gcm', key, iv)
  for (const length of [20, 80, 16]) {
    const plain = randomBytes(length)
    assert.deepEqual(Buffer.from(gcm.encrypt(plain)), theirs.update(plain))
  }
})

test('what was encrypted with a long IV decrypts, and nothing else verifies', () => {
  const key = randomBytes(32)
  const gcm = { iv: randomBytes(257), aad: randomBytes(20), tagLength: 12 }
  const plain = randomBytes(1000)
  const encryption = gcmEncryption(key, gcm)
  const encrypted = encryption.update(plain)
  const tag = encryption.tag()
  assert.equal(tag.length, 12)
  const decryption = gcmDecryption(key, gcm)
  assert.deepEqual(Buffer.from(decryption.update(encrypted)), plain)
  assert.ok(decryption.verify(tag))
  tag[0] = (tag[0] ?? 0) ^ 1
  const other = gcmDecryption(key, gcm)
  other.update(encrypted)
  assert.ok(!other.verify(tag))
})
