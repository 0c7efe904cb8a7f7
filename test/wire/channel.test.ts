/** The service's end of a channel against a client that shares its memory within this process. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectTo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { native } from '../../src/engine/binding.ts'
import { Channel, offerMemory } from '../../src/wire/channel.ts'
import { MEMORY, RING, RingReader, RingWriter, TO_CLIENT, TO_SERVICE } from '../../src/wire/ring.ts'

/** No wait here comes near so many milliseconds. */
const LONG = 10_000

/** A channel whose bytes are kept, and the client's ends. */
function channel(t: TestContext, isBusy = () => false) {
  const memory = new ArrayBuffer(MEMORY)
  const taken: Buffer[] = []
  const failures: unknown[] = []
  let rings = 0
  const service = new Channel({
    memory,
    ring: () => void rings++,
    take: (piece) => void taken.push(Buffer.from(piece)),
    fail: (error) => void failures.push(error),
    isBusy,
    worksElsewhere: () => false,
  })
  t.after(() => service.end())
  return {
    service,
    failures,
    memory,
    taken: () => Buffer.concat(taken).toString('latin1'),
    rings: () => rings,
    writer: new RingWriter(memory, TO_SERVICE),
    reader: new RingReader(memory, TO_CLIENT),
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + LONG; !condition(); await turn())
    assert.ok(performance.now() < end, 'it never came')
}

function readAll(reader: RingReader): Buffer {
  const pieces: Buffer[] = []
  reader.read((piece) => void pieces.push(Buffer.from(piece)))
  return Buffer.concat(pieces)
}

/** Writes as a client does; answers whether he has to ring. */
function write(writer: RingWriter, text: string): boolean {
  assert.equal(writer.write(Buffer.from(text)), text.length)
  return writer.publish()
}

test('a channel that was rung takes what lies there, and falls asleep when nothing comes', async (t) => {
  const { service, writer, taken } = channel(t)
  write(writer, 'one')
  service.rung()
  await until(() => taken() === 'one')
  await until(() => write(writer, '.'))
})

test('after it sent something it looks for the answer by itself', async (t) => {
  const { service, writer, taken } = channel(t)
  service.send([Buffer.from('ask')])
  write(writer, 'answer')
  await until(() => taken() === 'answer')
})

test('a client that sleeps is rung, one that is awake is not', async (t) => {
  const { service, reader, rings } = channel(t)
  service.send([Buffer.from('one')])
  assert.equal(rings(), 0)
  assert.equal(readAll(reader).toString(), 'one')
  reader.fallAsleep()
  service.send([Buffer.from('two')])
  assert.equal(rings(), 1)
})

test('what does not fit is kept, and goes on as the client reads', async (t) => {
  const { service, reader, rings } = channel(t)
  const long = Buffer.alloc(3 * RING + 7, 'x')
  let drained = false
  service.send([long])
  service.send([Buffer.from('end')])
  assert.equal(service.waiting, 2 * RING + 7 + 3)
  service.onceDrained(() => {
    drained = true
  })
  const got: Buffer[] = []
  await until(() => {
    const piece = readAll(reader)
    if (piece.length > 0) got.push(piece)
    if (reader.wakesWriter()) service.rung()
    return Buffer.concat(got).length === long.length + 3
  })
  assert.ok(Buffer.concat(got).equals(Buffer.concat([long, Buffer.from('end')])))
  assert.equal(rings(), 0)
  await until(() => drained)
  assert.equal(service.waiting, 0)
})

test('room that a client makes while he writes himself is not overlooked', async (t) => {
  const { service, writer, reader, taken } = channel(t)
  service.send([Buffer.alloc(RING + 10)])
  await until(() => write(writer, '.'))
  service.rung()
  await until(() => taken().length > 1)
  await until(() => write(writer, '.'))
  assert.equal(readAll(reader).length, RING)
  assert.ok(reader.wakesWriter())
  service.rung()
  await until(() => readAll(reader).length === 10)
})

test('a paused channel takes nothing until it goes on', async (t) => {
  const { service, writer, taken } = channel(t)
  service.pause()
  write(writer, 'later')
  service.rung()
  for (let turns = 0; turns < 50; turns++) await turn()
  assert.equal(taken(), '')
  service.resume()
  await until(() => taken() === 'later')
})

test('while calls are under way the event loop has its turns, and answers come to be sent', async (t) => {
  let busy = true
  const { service, writer, taken } = channel(t, () => busy)
  write(writer, 'call')
  service.rung()
  await until(() => taken() === 'call')
  setTimeout(() => {
    busy = false
    service.send([Buffer.from('answer')])
  }, 1)
  await until(() => !busy)
})

test('a client that writes nonsense into the words fails its own channel', async (t) => {
  const { service, memory, failures } = channel(t)
  new Int32Array(memory)[16] = RING + 1
  service.rung()
  await until(() => failures.length > 0)
})

test('one that ended takes and sends nothing, and lets go of who waits for it', async (t) => {
  const { service, writer, taken } = channel(t)
  let drained = false
  service.send([Buffer.alloc(RING + 1)])
  service.onceDrained(() => {
    drained = true
  })
  service.end()
  assert.ok(drained)
  write(writer, 'late')
  service.rung()
  for (let turns = 0; turns < 50; turns++) await turn()
  assert.equal(taken(), '')
})

async function socketPair(t: TestContext): Promise<readonly [Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-'))
  const server = createServer().listen(join(folder, 'socket'))
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = connectTo(join(folder, 'socket'))
  const [service] = await accepted
  t.after(() => {
    client.destroy()
    service.destroy()
    server.close()
    rmSync(folder, { recursive: true })
  })
  return [client, service]
}

const descriptorOf = (socket: Socket) =>
  (socket as unknown as { _handle: { fd: number } })._handle.fd

test('memory is offered with a frame, and a bell is one byte', async (t) => {
  const [client, service] = await socketPair(t)
  const offer = offerMemory(descriptorOf(service))
  assert.ok(offer)
  assert.equal(offer.memory.byteLength, MEMORY)
  assert.ok(offer.send(Buffer.from('frame')))
  native().ring(descriptorOf(service))
  const got: Buffer[] = []
  for await (const chunk of client) {
    got.push(chunk)
    if (Buffer.concat(got).length === 6) break
  }
  assert.deepEqual(Buffer.concat(got), Buffer.from('frame\x01'))
})
