/**
 * 100,000 frames, whole and broken, straight at the service's end of a connection: nothing but a
 * WireError may come of them, and no memory may stay behind.
 */
import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import type { Application, CallContext, Data, FunctionName } from '../../src/standard/calls.ts'
import { CKA, CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { type Calls, head, writeRequest } from '../../src/wire/calls.ts'
import { Connection } from '../../src/wire/connection.ts'
import { p11kitCalls } from '../../src/wire/p11kit.ts'
import { EXTENSION, type Protocol, READ, STOP, SURRENDER } from '../../src/wire/protocol.ts'
import { WireError } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'
import { answersOf, inputsOf } from './arbitraries.ts'
import { protocolFor } from './dummy.ts'
import { p11kitInputs } from './p11kit-arbitraries.ts'

const FRAMES = 100_000
const SEEDS_PER_CALL = 6
const MIB = 1 << 20

/** Mulberry32: the same frames each time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const random = randomFrom(20260103)
const pick = <T>(things: readonly T[]): T => things[random(things.length)] as T

/** Answers at once, later, never and wrongly; reads data, calls back and puts output meanwhile. */
class Fickle implements Application {
  readonly #answers: ReadonlyMap<string, readonly unknown[]>

  constructor(answers: ReadonlyMap<string, readonly unknown[]>) {
    this.#answers = answers
  }

  call(name: FunctionName, inputs: readonly unknown[], context: CallContext = {}): never {
    const data = inputs.find(
      (input): input is Data => typeof input === 'object' && input !== null && 'read' in input,
    )
    if (data !== undefined && data.length > 0) void data.read(0, Math.min(data.length, MIB))
    const act = random(9)
    const answer = pick(this.#answers.get(name) ?? [undefined])
    if (act === 0) throw new CryptokiError(CKR.FUNCTION_FAILED, 'at random')
    if (act === 1)
      return Promise.resolve(context.notify?.(0, { done: 0.5, elapsed: 1 })).then(
        () => answer,
      ) as never
    if (act === 2) return new Promise(() => {}) as never
    if (act === 3)
      return Promise.resolve(context.put?.(0, Buffer.alloc(10))).then(() => answer) as never
    if (act === 8) {
      // What is pending is over at some time, before its answer or after.
      if (random(2) === 0) context.release?.()
      else setImmediate(() => context.release?.())
      throw new CryptokiError(CKR.PENDING, 'at random')
    }
    return (act === 4 ? Promise.resolve(answer) : answer) as never
  }

  async close(): Promise<void> {}
}

/** A stream that takes everything and keeps nothing. */
const sink = () =>
  new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(),
  })

const bodyOf = (write: (writer: Writer) => void): Buffer => {
  const writer = new Writer()
  write(writer)
  return Buffer.concat(writer.frame(1)).subarray(12)
}

/** Bodies of requests that are as they should be. */
function bodiesOf(version: number, calls: Calls): Buffer[] {
  const arbitraries = version === EXTENSION ? undefined : p11kitInputs(version)
  return Array.from(calls.values()).flatMap((call, at) => {
    if (call.name === 'C_Initialize' || call.name === 'C_Finalize') return []
    const inputs = fc.sample(inputsOf(call.name, arbitraries), {
      numRuns: SEEDS_PER_CALL,
      seed: at,
    })
    return inputs.map((given) => bodyOf((writer) => writeRequest(call, writer, given)))
  })
}

const u64 = Buffer.alloc(8, 1)
const replies = [
  STOP.head,
  Buffer.concat([head(SURRENDER.call, 'u'), u64]),
  Buffer.concat([head(READ.call, 'a'), Buffer.from('ffffffff', 'hex')]),
  Buffer.concat([head(READ.call, 'a'), Buffer.from('0000000401020304', 'hex')]),
]

const initialize = (protocol: Protocol): Buffer => {
  const call = Array.from(protocol.calls.values()).find(({ name }) => name === 'C_Initialize')
  assert.ok(call)
  const handshake = Buffer.from('PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1')
  const inputs = protocol.extended ? ['fuzz', 1, true, 0, true] : [handshake, false, null]
  return bodyOf((writer) => writeRequest(call, writer, inputs))
}

const interesting = [
  0,
  1,
  2,
  7,
  0x7fffffff,
  0x80000000,
  0xfffffffe,
  0xffffffff,
  1024,
  1025,
  1 << 20,
]

type Mutation = (body: Buffer) => Buffer

const mutations: readonly Mutation[] = [
  (body) => body,
  (body) => body.subarray(0, random(body.length + 1)),
  (body) => Buffer.concat([body, Buffer.alloc(1 + random(40), random(256))]),
  (body) => {
    const bytes = Buffer.from(body)
    for (let flips = 1 + random(4); flips > 0; flips--) bytes[random(bytes.length)] = random(256)
    return bytes
  },
  (body) => {
    const bytes = Buffer.from(body)
    if (bytes.length >= 12) bytes.writeUInt32BE(pick(interesting), 8 + random(bytes.length - 11))
    return bytes
  },
  (body) =>
    Buffer.concat([
      body.subarray(0, random(body.length + 1)),
      body.subarray(random(body.length + 1)),
    ]),
  () => Buffer.from(Array.from({ length: random(200) }, () => random(256))),
]

function frameOf(body: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + body.length)
  bytes.writeUInt32BE(1 + random(40), 0)
  bytes.writeUInt32BE(body.length, 8)
  bytes.set(body, 12)
  // Now and then the header lies, too.
  if (random(60) === 0) bytes.writeUInt32BE(pick(interesting), 4 * random(3))
  return bytes
}

interface Target {
  readonly protocol: Protocol
  readonly version: number
  readonly bodies: readonly Buffer[]
  readonly begin: Buffer
}

const targets: readonly Target[] = [EXTENSION, 0, 1, 2].map((version) => {
  const protocol = protocolFor(version)
  const calls = version === EXTENSION ? protocol.calls : p11kitCalls(version)
  const bodies = [...bodiesOf(version, calls), ...(protocol.extended ? replies : [])]
  return { protocol, version, bodies, begin: initialize(protocol) }
})

const ATTRIBUTES = {
  answers: [
    { type: CKA.CLASS, value: new Uint8Array(8), length: 8 },
    { type: CKA.VALUE, value: null, length: 2 ** 64 },
  ],
  rv: CKR.ATTRIBUTE_SENSITIVE,
}

/** An answer in p11-kit's protocol, which has 32 bits for a length. */
function short(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer
  if ('answers' in answer) return ATTRIBUTES
  return 'needed' in answer || 'put' in answer ? { needed: 5 } : answer
}

const answers = new Map(
  Array.from(protocolFor(EXTENSION).calls.values(), ({ name }) => [
    name,
    fc.sample(answersOf(name), { numRuns: 4, seed: 5 }),
  ]),
)
const shortAnswers = new Map(Array.from(answers, ([name, all]) => [name, all.map(short)]))

/** Feeds a connection until it ends or has had its share; answers how many frames that were. */
async function feed(target: Target, most: number, unforeseen: unknown[]): Promise<number> {
  const stream = sink()
  let over = false
  const connection = new Connection(stream, {
    open: () => new Fickle(target.protocol.extended ? answers : shortAnswers),
    protocolFor,
    log: (error) => error instanceof WireError || unforeseen.push(error),
  })
  connection.over.then(() => {
    over = true
  })
  stream.emit('data', Buffer.of(target.version))
  stream.emit('data', frameOf(target.begin))
  let fed = 0
  while (fed < most && !over && !stream.destroyed) {
    const frame = frameOf(pick(mutations)(pick(target.bodies)))
    const cut = random(4) === 0 ? random(frame.length) : 0
    if (cut > 0) stream.emit('data', frame.subarray(0, cut))
    stream.emit('data', frame.subarray(cut))
    fed++
    if (fed % 50 === 0) await turn()
  }
  stream.destroy()
  await connection.over
  return fed
}

test(`${FRAMES} frames break nothing`, async () => {
  const unforeseen: unknown[] = []
  for (let fed = 0; fed < 2000; ) fed += await feed(pick(targets), 500, unforeseen)
  const before = process.memoryUsage().rss
  for (let fed = 0; fed < FRAMES; ) fed += await feed(pick(targets), 500, unforeseen)
  assert.deepEqual(unforeseen, [])
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 256 * MIB, `${Math.round(grown / MIB)} MiB more than before`)
})
