import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Progress } from '../../src/standard/progress.ts'
import { readProgress, writeProgress } from '../../src/wire/progress.ts'
import { Reader, WireError } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'

const HEADER = 12

function arrives(progress: Progress | undefined): Progress | undefined {
  const writer = new Writer()
  writeProgress(writer, progress)
  const reader = new Reader(Buffer.concat(writer.frame(1)), HEADER)
  const read = readProgress(reader)
  reader.end()
  return read
}

const numbers = (...values: readonly bigint[]): Reader => {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [at, value] of values.entries()) bytes.writeBigUInt64BE(value, 8 * at)
  return new Reader(bytes)
}

const ALL_ONES = 2n ** 64n - 1n

test('progress arrives in millionths and whole milliseconds, within its bounds', () => {
  assert.deepEqual(arrives({ done: 1 / 3, elapsed: 1234.5678, usual: 99.4 }), {
    done: 0.333333,
    elapsed: 1235,
    usual: 99,
  })
  assert.deepEqual(arrives({ done: 1.5, elapsed: -3 }), { done: 1, elapsed: 0, usual: undefined })
  assert.equal(arrives(undefined), undefined)
})

test('all ones is not known, and what is out of bounds is refused', () => {
  const beginning = { done: undefined, elapsed: 0, usual: undefined }
  assert.deepEqual(readProgress(numbers(ALL_ONES, 0n, ALL_ONES)), beginning)
  assert.throws(() => readProgress(numbers(1_000_001n, 0n, 0n)), WireError)
  assert.throws(() => readProgress(numbers(0n, 2n ** 53n, 0n)), WireError)
  assert.throws(() => readProgress(numbers(0n, 0n, ALL_ONES - 4096n)), WireError)
  assert.throws(() => readProgress(numbers(0n, 0n)), WireError)
})
