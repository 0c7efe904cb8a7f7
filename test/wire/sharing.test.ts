/** What a client says about memory to share, and the service where there is none. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { head } from '../../src/wire/calls.ts'
import { FrameReader, sendFrame } from '../../src/wire/frames.ts'
import { EXTENSION, LENT, MOST_EXTENSION_BODY, OFFER, SHARE } from '../../src/wire/protocol.ts'
import { Reader, WireError } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'
import { type Acts, serve } from './dummy.ts'

/** A client of bytes of its own. */
function bare(t: TestContext, acts: Acts = {}) {
  const all = serve(acts)
  const frames = new FrameReader(MOST_EXTENSION_BODY)
  const bodies: Buffer[] = []
  let greeted = false
  all.stream.on('data', (chunk: Buffer) => {
    frames.push(greeted ? chunk : chunk.subarray(1), (_code, body) => bodies.push(body) > 0)
    greeted = true
  })
  all.stream.write(Uint8Array.of(EXTENSION))
  t.after(async () => {
    all.stream.destroy()
    await all.connection.over
  })
  const send = (start: Buffer, write: (writer: Writer) => void = () => {}, code = 1) => {
    const writer = new Writer()
    writer.raw(start)
    write(writer)
    sendFrame(all.stream, writer.frame(code))
  }
  const next = async (): Promise<Buffer> => {
    while (bodies.length === 0) await once(all.stream, 'data')
    return bodies.shift() as Buffer
  }
  return { ...all, send, next }
}

const endsWith = async ({ connection, logged }: ReturnType<typeof bare>, why: RegExp) => {
  await connection.over
  assert.equal(logged.length, 1)
  assert.ok(logged[0] instanceof WireError)
  assert.match(logged[0].message, why)
}

test('where memory cannot be passed none is offered, and the socket goes on', async (t) => {
  const { send, next } = bare(t)
  for (let time = 0; time < 2; time++) {
    send(OFFER.request)
    const reader = new Reader(await next(), OFFER.answer.length)
    assert.deepEqual([reader.u64(), reader.u64(), reader.u64()], [0, 0, 0])
    reader.end()
  }
})

test('a client that shares what was not offered breaks the protocol', async (t) => {
  const client = bare(t)
  client.send(SHARE.head, (writer) => writer.bool(true))
  await endsWith(client, /no memory was offered/)
})

test('so does one that answers READ with a slot where there is no channel', async (t) => {
  const client = bare(t, {
    C_Digest: async ([, data]) => data.read(0, data.length),
  })
  client.send(head(0x53000000, 'zuyuy'), (writer) => {
    writer.text('a test')
    writer.u64(1)
    writer.bool(false)
    writer.u64(2 ** 64)
    writer.bool(false)
  })
  await client.next()
  client.send(head(0x53000026, 'udf'), (writer) => {
    writer.u64(1)
    writer.u64(2 << 20)
    writer.bool(false)
    writer.bool(true)
    writer.u64(32)
  })
  await client.next()
  client.send(LENT.head, (writer) => {
    writer.u8(0)
    writer.u64(1 << 20)
  })
  await endsWith(client, /a slot without a channel/)
})

test('and one that asks for memory with an argument', async (t) => {
  const client = bare(t)
  client.send(OFFER.request, (writer) => writer.u8(1))
  await endsWith(client, /too many/)
})
