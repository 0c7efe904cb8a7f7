/**
 * Clients that write whatever they like into the memory they share, at any moment: nothing but their
 * own connection may end of it, and the service comes to rest.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { native } from '../../src/engine/binding.ts'
import { CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { head } from '../../src/wire/calls.ts'
import { Channel } from '../../src/wire/channel.ts'
import { Connection } from '../../src/wire/connection.ts'
import {
  EXTENSION,
  HAVE_READ,
  LENT,
  OFFER,
  SHARE,
  STOP,
  SURRENDERED,
} from '../../src/wire/protocol.ts'
import { WireError } from '../../src/wire/reader.ts'
import { MEMORY, RING, RingReader, RingWriter, TO_CLIENT, TO_SERVICE } from '../../src/wire/ring.ts'
import { Writer } from '../../src/wire/writer.ts'
import { type Acts, Dummy, protocolFor, socketPair } from './dummy.ts'

const RUNS = 400
const MIB = 1 << 20

/** No wait here comes near so many milliseconds. */
const LONG = 20_000

/** Words of the ring to the service, as ring.ts lays them out. */
const WRITTEN = 16
const ASLEEP = 32

const INITIALIZE = head(0x53000000, 'zuyuy')
const DIGEST = head(0x53000026, 'udf')
const RANDOM = head(0x53000040, 'ug')

/** Reaches back for its data, calls back, and puts output, in all the ways there are. */
const acts: Acts = {
  async C_Digest([, data], { notify }) {
    const hash = createHash('sha256')
    for (let at = 0; at < data.length; at += MIB) {
      const length = Math.min(MIB, data.length - at)
      const loan = await data.borrow?.(at, length)
      hash.update(loan?.bytes ?? (await data.read(at, length)))
      if (data.length > MIB) await notify?.(0, { done: 0.5, elapsed: 1 })
      loan?.giveBack()
    }
    return hash.digest()
  },
  async C_GenerateRandom([, length], { put }) {
    if (length > 4 * MIB) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'more than this test asks for')
    await put?.(0, Buffer.alloc(length))
    return null
  },
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + LONG; !condition(); await turn())
    assert.ok(performance.now() < end, what)
}

const descriptorOf = (socket: Socket) =>
  (socket as unknown as { _handle: { fd: number } })._handle.fd

type Write = (writer: Writer) => void

function frameOf(start: Buffer, code: number, write: Write = () => {}): Buffer {
  const writer = new Writer()
  writer.raw(start)
  write(writer)
  return Buffer.concat(writer.frame(code))
}

/** A client that has the memory in its hands. */
class Client {
  readonly connection: Connection
  readonly #socket: Socket
  readonly words: Int32Array
  readonly bytes: Buffer
  readonly #writer: RingWriter
  readonly #reader: RingReader
  over = false

  constructor(socket: Socket, connection: Connection, memory: ArrayBuffer) {
    this.#socket = socket
    this.connection = connection
    this.words = new Int32Array(memory, 0, 1024)
    this.bytes = Buffer.from(memory)
    this.#writer = new RingWriter(memory, TO_SERVICE)
    this.#reader = new RingReader(memory, TO_CLIENT)
    void connection.over.then(() => {
      this.over = true
    })
  }

  ring(): void {
    if (!this.#socket.destroyed) this.#socket.write(Uint8Array.of(1))
  }

  /** What is in the way of it by the client's own nonsense is not sent. */
  send(bytes: Uint8Array): void {
    try {
      this.#writer.write(bytes)
      if (this.#writer.publish()) this.ring()
    } catch (error) {
      assert.ok(error instanceof WireError)
    }
  }

  read(): Buffer {
    const pieces: Buffer[] = []
    try {
      this.#reader.read((piece) => void pieces.push(Buffer.from(piece)))
      if (this.#reader.wakesWriter()) this.ring()
    } catch (error) {
      assert.ok(error instanceof WireError)
    }
    return Buffer.concat(pieces)
  }

  /** Of data that stay with it (0), come along (1), or lie in a slot (2). */
  digest(length: number, place: number, code: number, slot = 0): void {
    this.send(
      frameOf(DIGEST, code, (writer) => {
        writer.u64(1)
        writer.u64(length)
        writer.u8(place)
        if (place === 1) writer.raw(Buffer.alloc(length, 'x'))
        if (place === 2) writer.u8(slot)
        writer.bool(true)
        writer.u64(32)
      }),
    )
  }

  /** The service has nothing to do for it any more, or has ended it. */
  async rests(): Promise<void> {
    Atomics.store(this.words, ASLEEP, 0)
    this.ring()
    await until(
      () => this.over || Atomics.load(this.words, ASLEEP) === 1,
      'the service comes to no rest',
    )
  }

  async leave(): Promise<void> {
    this.#socket.destroy()
    await this.connection.over
  }
}

type MakeMemory = ReturnType<typeof native>['makeMemory']

/** Makes clients of one service; `logged` is what it says about all of them. */
function clientsOf(t: TestContext, makeMemory: MakeMemory = native().makeMemory) {
  const made = t.mock.method(native(), 'makeMemory', makeMemory)
  const logged: unknown[] = []
  const connect = async (): Promise<Client> => {
    const [socket, there] = await socketPair()
    socket.on('error', () => {})
    const connection = new Connection(there, {
      open: () => new Dummy(acts),
      protocolFor,
      socket: descriptorOf(there),
      log: (error) => void logged.push(error),
    })
    let came = 0
    socket.on('data', (chunk: Buffer) => {
      came += chunk.length
    })
    socket.write(Uint8Array.of(EXTENSION))
    socket.write(frameOf(OFFER.request, 1))
    await until(() => came > 1, 'no offer')
    socket.write(frameOf(SHARE.head, 1, (writer) => writer.bool(true)))
    const [memory] = made.mock.calls.at(-1)?.result ?? assert.fail('no memory')
    const client = new Client(socket, connection, memory)
    client.send(
      frameOf(INITIALIZE, 1, (writer) => {
        writer.text('a rogue')
        writer.u64(1)
        writer.bool(false)
        writer.u64(2 ** 64)
        writer.bool(true)
      }),
    )
    await until(() => client.read().length > 0, 'no answer to C_Initialize')
    return client
  }
  return { connect, logged }
}

/** A client that behaves has its answer. */
async function isServed(client: Client): Promise<void> {
  const hash = createHash('sha256').update('x'.repeat(100)).digest()
  let came = Buffer.alloc(0)
  client.digest(100, 1, 7)
  await until(() => {
    came = Buffer.concat([came, client.read()])
    return came.includes(hash)
  }, 'others are not served')
}

const code = fc.integer({ min: 0, max: 6 })
const value = fc.oneof(
  fc.constantFrom(0, 1, -1, RING, RING + 1, 2 ** 31 - 1, -(2 ** 31)),
  fc.integer(),
)
/** Words of rings and slots above all. */
const word = fc.oneof(
  fc.nat(15 + 8).map((line) => line * 16),
  fc.nat(1023),
)
const long = fc.constantFrom(MIB + 1, 2 * MIB, 3 * MIB - 5)

const step = fc.oneof(
  fc.tuple(fc.constant('digest' as const), long, code),
  fc.tuple(fc.constant('lent' as const), fc.constantFrom(0, 5, MIB, MIB + 1), fc.nat(3), code),
  fc.tuple(fc.constant('random' as const), long, code),
  fc.tuple(fc.constant('lend' as const), fc.nat(3), fc.constantFrom(0, 5, MIB, MIB + 1), code),
  fc.tuple(fc.constant('surrendered' as const), code),
  fc.tuple(fc.constant('nothing read' as const), code),
  fc.tuple(fc.constant('stop' as const), code),
  fc.tuple(fc.constant('word' as const), word, value),
  fc.tuple(fc.constant('publish' as const), fc.nat(RING)),
  fc.tuple(fc.constant('bytes' as const), fc.nat(MEMORY - 64), fc.uint8Array({ maxLength: 64 })),
  fc.tuple(fc.constant('noise' as const), fc.uint8Array({ maxLength: 64 })),
  fc.tuple(fc.constant('ring' as const)),
  fc.tuple(fc.constant('turn' as const)),
  fc.tuple(fc.constant('read' as const)),
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

function take(client: Client, step: Step): unknown {
  const [does] = step
  if (does === 'digest') return client.digest(step[1], 0, step[2])
  if (does === 'lent') return client.digest(step[1], 2, step[3], step[2])
  if (does === 'random')
    return client.send(
      frameOf(RANDOM, step[2], (writer) => {
        writer.u64(1)
        writer.u64(step[1])
      }),
    )
  if (does === 'lend')
    return client.send(
      frameOf(LENT.head, step[3], (writer) => {
        writer.u8(step[1])
        writer.u64(step[2])
      }),
    )
  if (does === 'surrendered')
    return client.send(frameOf(SURRENDERED.head, step[1], (writer) => writer.u64(0)))
  if (does === 'nothing read')
    return client.send(frameOf(HAVE_READ.head, step[1], (writer) => writer.bytes(null)))
  if (does === 'stop') return client.send(frameOf(STOP.head, step[1]))
  if (does === 'word') return Atomics.store(client.words, step[1], step[2])
  if (does === 'publish') return Atomics.add(client.words, WRITTEN, step[1])
  if (does === 'bytes') return client.bytes.set(step[2], step[1])
  if (does === 'noise') return client.send(step[1])
  if (does === 'ring') return client.ring()
  if (does === 'read') return client.read()
  return turn()
}

test('a client that writes nonsense ends its own connection at most', async (t) => {
  const { connect, logged } = clientsOf(t)
  const other = await connect()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const client = await connect()
      for (const one of steps) await take(client, one)
      await client.rests()
      await isServed(other)
      await client.leave()
      for (const error of logged.splice(0)) assert.ok(error instanceof WireError, String(error))
    }),
    { numRuns: RUNS },
  )
  await other.leave()
})

/** Words that nobody uses: what the scribbler is to do, and whether it does nothing just now. */
const ORDER = 1023
const IDLE = 1022

/** Flips bytes of the rings, and words of flags and slots, while its order is 1; ends where that is 2. */
const SCRIBBLER = `
  const memory = require('node:worker_threads').workerData
  const words = new Int32Array(memory, 0, 1024)
  const bytes = new Uint8Array(memory)
  const random = (below) => Math.floor(Math.random() * below)
  for (let order; (order = Atomics.load(words, ${ORDER})) !== 2; ) {
    Atomics.store(words, ${IDLE}, order === 0 ? 1 : 0)
    if (order === 0) continue
    bytes[4096 + random(2) * ${RING} + random(2000)] = random(256)
    Atomics.store(words, [2, 3, 6, 7, 8, 9, 10, 11][random(8)] * 16, random(2))
  }
`

test('nor does one that changes what the service reads while it reads it', async (t) => {
  const memory = new SharedArrayBuffer(MEMORY)
  const words = new Int32Array(memory, 0, 1024)
  const { connect, logged } = clientsOf(t, () => {
    new Uint8Array(memory).fill(0)
    return [memory as unknown as ArrayBuffer, openSync('/dev/null', 'r')]
  })
  const scribbler = new Worker(SCRIBBLER, { eval: true, workerData: memory })
  t.after(() => scribbler.terminate())
  for (let clients = 0; clients < 100; clients++) {
    const client = await connect()
    Atomics.store(words, ORDER, 1)
    for (let round = 0; round < 20 && !client.over; round++) {
      client.digest(2 * MIB, 0, 1 + round)
      await turn()
      take(client, ['lend', round % 2, MIB, 1 + round])
      take(client, ['surrendered', 1 + round])
      take(client, ['random', MIB + 1, 100 + round])
      await turn()
      client.read()
    }
    Atomics.store(words, ORDER, 0)
    await client.leave()
    Atomics.store(words, IDLE, 0)
    await until(() => Atomics.load(words, IDLE) === 1, 'the scribbler goes on')
    for (const error of logged.splice(0)) assert.ok(error instanceof WireError, String(error))
  }
  Atomics.store(words, ORDER, 2)
  await new Promise((resolve) => scribbler.once('exit', resolve))
})

test('one that makes room byte by byte does not keep the service from others', async (t) => {
  const memory = new SharedArrayBuffer(MEMORY)
  const reading = `
    const words = new Int32Array(require('node:worker_threads').workerData, 0, 1024)
    while (Atomics.load(words, ${ORDER}) !== 2)
      if (Atomics.load(words, 64) !== Atomics.load(words, 80)) Atomics.add(words, 64, 1)
  `
  const failures: unknown[] = []
  const slow = new Channel({
    memory: memory as unknown as ArrayBuffer,
    ring: () => {},
    take: () => {},
    fail: (error) => void failures.push(error),
    isBusy: () => false,
    worksElsewhere: () => false,
  })
  slow.send([Buffer.alloc(8 * MIB)])
  const reader = new Worker(reading, { eval: true, workerData: memory })
  t.after(() => reader.terminate())
  await new Promise((resolve) => reader.once('online', resolve))
  const begun = performance.now()
  for (let turns = 0; turns < 1000; turns++) {
    slow.rung()
    await turn()
  }
  assert.ok(performance.now() - begun < LONG)
  assert.deepEqual(failures, [])
  slow.end()
  Atomics.store(new Int32Array(memory), ORDER, 2)
  await new Promise((resolve) => reader.once('exit', resolve))
})
