import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameReader, sendFrame } from '../../src/wire/frames.ts'
import { WireError } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'

const frame = (code: number, body: Uint8Array, options = 0) => {
  const bytes = Buffer.alloc(12 + options + body.length)
  bytes.writeUInt32BE(code, 0)
  bytes.writeUInt32BE(options, 4)
  bytes.writeUInt32BE(body.length, 8)
  bytes.set(body, 12 + options)
  return bytes
}

const aFrame = fc.record({
  code: fc.integer({ min: 1, max: 0xffffffff }),
  body: fc.uint8Array({ maxLength: 300 }),
  options: fc.nat(20),
})

test('however a stream is cut into chunks, its frames come out whole and in order', () => {
  fc.assert(
    fc.property(fc.array(aFrame), fc.array(fc.integer({ min: 1, max: 50 })), (frames, cuts) => {
      const reader = new FrameReader(1024)
      const taken: [number, string][] = []
      let rest = Buffer.concat(frames.map(({ code, body, options }) => frame(code, body, options)))
      const push = (chunk: Buffer) =>
        reader.push(chunk, (code, body) => taken.push([code, body.toString('hex')]) > 0)
      for (const cut of cuts) {
        push(rest.subarray(0, cut))
        rest = rest.subarray(cut)
      }
      push(rest)
      const given = frames.map(({ code, body }) => [code, Buffer.from(body).toString('hex')])
      assert.deepEqual(taken, given)
    }),
  )
})

test('a frame that breaks a bound is a WireError before its body comes', () => {
  const header = (code: number, options: number, body: number) => {
    const bytes = Buffer.alloc(12)
    bytes.writeUInt32BE(code, 0)
    bytes.writeUInt32BE(options, 4)
    bytes.writeUInt32BE(body, 8)
    return bytes
  }
  const push = (bytes: Buffer) => () => new FrameReader(1024).push(bytes, () => true)
  push(header(1, 4096, 1024))()
  assert.throws(push(header(0, 0, 0)), WireError)
  assert.throws(push(header(1, 4097, 0)), WireError)
  assert.throws(push(header(1, 0, 1025)), WireError)
})

test('a header that claims 16 MiB takes no memory until they come', () => {
  const header = frame(1, new Uint8Array(0))
  header.writeUInt32BE(16 << 20, 8)
  const before = process.memoryUsage().arrayBuffers
  const readers = Array.from({ length: 200 }, () => new FrameReader(16 << 20))
  for (const reader of readers) reader.push(Buffer.concat([header, Buffer.alloc(100)]), () => true)
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 << 20)
})

test('16 MiB in pieces of 1 KiB are gathered without being copied again for each piece', () => {
  const body = Buffer.alloc(16 << 20, 5)
  const whole = frame(1, body)
  const reader = new FrameReader(16 << 20)
  let taken: Buffer | undefined
  for (let at = 0; at < whole.length; at += 1024)
    reader.push(whole.subarray(at, at + 1024), (_, got) => {
      taken = got
      return true
    })
  assert.ok(taken?.equals(body))
})

test('no frame is given after the taker wants no more', () => {
  const reader = new FrameReader(1024)
  let taken = 0
  reader.push(Buffer.concat([frame(1, Buffer.of(1)), frame(2, Buffer.of(2))]), () => {
    taken++
    return false
  })
  assert.equal(taken, 1)
})

test('a frame with long bytes in it goes out whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(100), fc.nat(100_000)), { maxLength: 6 }),
      fc.integer({ min: 1, max: 0xffffffff }),
      (lengths, code) => {
        const parts = lengths.map((length, at) => Buffer.alloc(length, at + 1))
        const writer = new Writer()
        for (const part of parts) writer.bytes(part)
        const body = Buffer.concat(
          parts.flatMap((part) => {
            const length = Buffer.alloc(4)
            length.writeUInt32BE(part.length)
            return [length, part]
          }),
        )
        assert.equal(writer.length, body.length)
        const stream = new PassThrough({ highWaterMark: 1 << 24 })
        sendFrame(stream, writer.frame(code))
        // A read may answer one part or all of them.
        const sent: Buffer[] = []
        for (let part = stream.read(); part !== null; part = stream.read()) sent.push(part)
        assert.ok(Buffer.concat(sent).equals(frame(code, body)))
      },
    ),
    { numRuns: 60 },
  )
})

test('every value is written whole wherever the buffer has to grow', () => {
  for (let before = 0; before < 20; before++) {
    const writer = new Writer()
    writer.raw(Buffer.alloc(before))
    for (let round = 0; round < 20_000; round++) {
      writer.u8(1)
      writer.u32(0x02020202)
      writer.u64(3)
      writer.raw(Buffer.of(4))
    }
    const body = Buffer.concat(writer.frame(1)).subarray(12 + before)
    const one = Buffer.from('0102020202000000000000000304', 'hex')
    for (let at = 0; at < body.length; at += one.length)
      if (body.compare(one, 0, one.length, at, at + one.length) !== 0) assert.fail(`at ${at}`)
    assert.equal(body.length, 20_000 * one.length)
  }
})
