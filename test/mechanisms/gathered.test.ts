import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Gathered } from '../../src/mechanisms/gathered.ts'
import { CKR } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { withReturnValue } from './rows.ts'

test('what was gathered in parts comes out in one piece, and then nothing is left', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 900 })), async (parts) => {
      const gathered = new Gathered(1 << 20, CKR.DATA_LEN_RANGE)
      for (const part of parts) gathered.add(part)
      const whole = Buffer.concat(parts)
      assert.equal(gathered.length, whole.length)
      assert.deepEqual(Buffer.from(await gathered.take(new Surrender())), whole)
      assert.equal(gathered.length, 0)
      gathered.add(Uint8Array.of(7))
      assert.deepEqual(await gathered.take(new Surrender()), Uint8Array.of(7))
    }),
  ))

test('parts are copied: what the caller does with them afterwards changes nothing', async () => {
  const part = Uint8Array.of(1, 2, 3)
  const gathered = new Gathered(10, CKR.DATA_LEN_RANGE)
  gathered.add(part)
  part.fill(0)
  assert.deepEqual(await gathered.take(new Surrender()), Uint8Array.of(1, 2, 3))
})

test('more than the limit is refused with the return value given', () => {
  const gathered = new Gathered(10, CKR.ENCRYPTED_DATA_LEN_RANGE)
  gathered.add(new Uint8Array(10))
  assert.throws(
    () => gathered.add(new Uint8Array(1)),
    withReturnValue(CKR.ENCRYPTED_DATA_LEN_RANGE),
  )
})

test('a copy has the same bytes and goes its own way', async () => {
  for (const lengths of [[], [1], [300, 5], [(1 << 20) + 1, 7]]) {
    const gathered = new Gathered(4 << 20, CKR.DATA_LEN_RANGE)
    const parts = lengths.map((length, at) => new Uint8Array(length).fill(at + 1))
    for (const part of parts) gathered.add(part)
    const copy = gathered.copy()
    gathered.add(Uint8Array.of(8))
    copy.add(Uint8Array.of(9))
    const before = Buffer.concat(parts)
    assert.deepEqual(
      Buffer.from(await gathered.take(new Surrender())),
      Buffer.concat([before, Buffer.of(8)]),
    )
    assert.deepEqual(
      Buffer.from(await copy.take(new Surrender())),
      Buffer.concat([before, Buffer.of(9)]),
    )
  }
})
