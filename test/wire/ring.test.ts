import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WireError } from '../../src/wire/reader.ts'
import {
  MEMORY,
  RING,
  RingReader,
  RingWriter,
  SLOT,
  SLOTS,
  Slots,
  TO_CLIENT,
  TO_SERVICE,
} from '../../src/wire/ring.ts'

/** Both ends of a ring. */
function ring(memory = new ArrayBuffer(MEMORY)) {
  return {
    memory,
    writer: new RingWriter(memory, TO_SERVICE),
    reader: new RingReader(memory, TO_SERVICE),
  }
}

function readAll(reader: RingReader): Buffer {
  const pieces: Buffer[] = []
  reader.read((piece) => void pieces.push(Buffer.from(piece)))
  return Buffer.concat(pieces)
}

const counting = (length: number, from = 0) =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => (from + at) % 251))

test('what is written comes out in order, however it is cut and wherever the ring wraps', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: RING }), { maxLength: 12 }), (lengths) => {
      const { writer, reader } = ring()
      let written = 0
      let read = 0
      for (const length of lengths) {
        const taken = writer.write(counting(length, written))
        assert.equal(taken, length)
        writer.publish()
        written += length
        const got = readAll(reader)
        assert.ok(got.equals(counting(got.length, read)))
        read += got.length
        assert.equal(read, written)
      }
    }),
    { numRuns: 8 },
  )
})

test('a full ring takes no more, and goes on once it was read', () => {
  const { writer, reader } = ring()
  assert.equal(writer.write(counting(RING + 10)), RING)
  assert.equal(writer.hasRoom, false)
  assert.equal(writer.write(counting(1)), 0)
  writer.publish()
  assert.equal(readAll(reader).length, RING)
  assert.equal(writer.hasRoom, true)
  assert.equal(writer.write(counting(1)), 1)
})

test('nothing is seen before it is published', () => {
  const { writer, reader } = ring()
  writer.write(counting(5))
  assert.equal(reader.isReady, false)
  writer.publish()
  assert.equal(reader.isReady, true)
})

test('a reader that sleeps is woken once, by what is published next', () => {
  const { writer, reader } = ring()
  assert.equal(reader.fallAsleep(), true)
  writer.write(counting(1))
  assert.equal(writer.publish(), true)
  writer.write(counting(1))
  assert.equal(writer.publish(), false)
})

test('a reader does not fall asleep over what came meanwhile', () => {
  const { writer, reader } = ring()
  writer.write(counting(1))
  writer.publish()
  assert.equal(reader.fallAsleep(), false)
  writer.write(counting(1))
  assert.equal(writer.publish(), false)
})

test('a writer that waits for room is woken once', () => {
  const { writer, reader } = ring()
  writer.write(counting(RING))
  writer.publish()
  writer.block()
  readAll(reader)
  assert.equal(reader.wakesWriter(), true)
  assert.equal(reader.wakesWriter(), false)
})

test('what is short, and may be a PIN or a key, does not stay in the memory', () => {
  const { memory, writer, reader } = ring()
  writer.write(Buffer.from('user-pin-5271'))
  writer.publish()
  readAll(reader)
  assert.equal(Buffer.from(memory).includes('user-pin-5271'), false)
})

test('a client that tells of more than a ring holds breaks the protocol', () => {
  const { memory, reader, writer } = ring()
  new Int32Array(memory)[16] = RING + 1
  assert.throws(() => readAll(reader), WireError)
  new Int32Array(memory)[0] = 1
  assert.throws(() => writer.write(counting(1)), WireError)
})

test('the directions do not touch each other', () => {
  const { memory, writer } = ring()
  const back = new RingReader(memory, TO_CLIENT)
  writer.write(counting(100))
  writer.publish()
  writer.block()
  assert.equal(back.isReady, false)
  assert.equal(back.wakesWriter(), false)
  const slots = [new Slots(memory, TO_SERVICE), new Slots(memory, TO_CLIENT)] as const
  for (const one of slots) for (let at = 0; at < SLOTS; at++) assert.equal(one.claim(), at)
})

test('a slot is one claimant’s until it is freed', () => {
  const slots = new Slots(new ArrayBuffer(MEMORY), TO_CLIENT)
  const claimed = Array.from({ length: SLOTS }, () => slots.claim())
  assert.deepEqual(claimed, [0, 1])
  assert.equal(slots.claim(), undefined)
  slots.free(1)
  assert.equal(slots.claim(), 1)
})

test('slots lie side by side, and there are no others', () => {
  const slots = new Slots(new ArrayBuffer(MEMORY), TO_SERVICE)
  slots.bytes(0, SLOT).fill(1)
  slots.bytes(1, SLOT).fill(2)
  assert.ok(slots.bytes(0, SLOT).every((byte) => byte === 1))
  assert.throws(() => slots.bytes(SLOTS, 1), WireError)
  assert.throws(() => slots.bytes(0, SLOT + 1), WireError)
})
