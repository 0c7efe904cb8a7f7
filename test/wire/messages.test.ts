import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import type { CallContext, Data } from '../../src/standard/calls.ts'
import { CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { head } from '../../src/wire/calls.ts'
import { END, EXTENSION, PUT, READ, STOP, SURRENDER, TRACE } from '../../src/wire/protocol.ts'
import { WireError } from '../../src/wire/reader.ts'
import { type Acts, serve } from './dummy.ts'

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const u64 = (value: number) =>
  Buffer.concat([u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32)])

const frame = (code: number, ...parts: Uint8Array[]) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([u32(code), u32(0), u32(body.length), body])
}

/** C_Initialize of a program that may want a trace (1), a pace of 100 ms, and may keep its data (1). */
const introduction = (traces: number, keeps = 0) =>
  frame(
    1,
    head(0x53000000, 'zuyuy'),
    u32(4),
    Buffer.from('test'),
    u64(process.pid),
    Buffer.of(traces),
    u64(100),
    Buffer.of(keeps),
  )
const initialize = introduction(0)
const digestUpdate = head(0x53000027, 'ud')
const logout = head(0x53000013, 'u')

/** A client that has said hello and C_Initialize. */
async function begun(acts: Acts, introduces = initialize) {
  const all = serve(acts)
  all.stream.write(Buffer.concat([Buffer.of(EXTENSION), introduces]))
  await nextFrame(all.stream, 1)
  return all
}

/** Reads one frame, after so many bytes of greeting. */
async function nextFrame(stream: Duplex, skip = 0): Promise<Buffer> {
  let got = Buffer.alloc(0)
  for (;;) {
    if (got.length >= skip + 12) {
      const end = skip + 12 + got.readUInt32BE(skip + 8)
      if (got.length >= end) {
        if (got.length > end) stream.unshift(got.subarray(end))
        return got.subarray(skip, end)
      }
    }
    const chunk: Buffer | null = stream.read()
    if (chunk === null) await once(stream, 'readable')
    else got = Buffer.concat([got, chunk])
  }
}

const errorFrame = (code: number, rv: number) => frame(code, head(0, 'u'), u64(rv)).toString('hex')

test('a function before C_Initialize is an error, and the connection goes on', async () => {
  const { stream } = serve()
  stream.write(Buffer.concat([Buffer.of(EXTENSION), frame(7, logout, u64(1))]))
  assert.equal(
    (await nextFrame(stream, 1)).toString('hex'),
    errorFrame(7, CKR.CRYPTOKI_NOT_INITIALIZED),
  )
  stream.write(initialize)
  assert.equal((await nextFrame(stream)).readUInt32BE(12), 0x53000000)
  stream.write(initialize)
  assert.equal(
    (await nextFrame(stream)).toString('hex'),
    errorFrame(1, CKR.CRYPTOKI_ALREADY_INITIALIZED),
  )
  stream.destroy()
})

test('after C_Finalize an application may begin anew on the same connection', async () => {
  const { stream, programs, dummy } = await begun({})
  stream.write(frame(2, head(0x53000001, '')))
  assert.equal((await nextFrame(stream)).readUInt32BE(12), 0x53000001)
  stream.write(initialize)
  assert.equal((await nextFrame(stream)).readUInt32BE(12), 0x53000000)
  assert.deepEqual(programs, ['test', 'test'])
  assert.equal(dummy.closed, 1)
  stream.destroy()
})

const endings: [string, Buffer][] = [
  ['another signature', frame(2, head(0x53000013, 'uu'), u64(1), u64(2))],
  ['a call that is none', frame(2, head(0x53000068, ''))],
  ['a call of p11-kit', frame(2, head(3, ''))],
  ['a body without a call', frame(2, Buffer.of(1, 2))],
  ['a reply that nobody asked for', frame(2, head(SURRENDER.call, 'u'), u64(0))],
  ['a STOP with something in it', frame(2, STOP.head, Buffer.of(0))],
  [
    'one mebibyte and a byte of data',
    frame(2, digestUpdate, u64(1), u64((1 << 20) + 1), Buffer.of(1), Buffer.alloc((1 << 20) + 1)),
  ],
]

for (const [what, bytes] of endings)
  test(`${what} ends the connection`, async () => {
    const { stream, connection, logged } = await begun({})
    stream.write(bytes)
    await connection.over
    assert.equal(logged.length, 1)
    assert.ok(logged[0] instanceof WireError)
  })

test('a STOP for a call that is not under way is ignored', async () => {
  const { stream } = await begun({ C_Logout: () => undefined })
  stream.write(frame(9, STOP.head))
  stream.write(frame(2, logout, u64(1)))
  assert.equal((await nextFrame(stream)).readUInt32BE(12), 0x53000013)
  stream.destroy()
})

const reading: Acts = { C_DigestUpdate: async ([, data]) => void (await data.read(3, 5)) }
const longData = frame(5, digestUpdate, u64(1), u64(2 << 20), Buffer.of(0))

test('a READ asks on the code of its call, and takes exactly what it asked for', async () => {
  const { stream, connection } = await begun(reading)
  stream.write(longData)
  const read = frame(5, READ.head, u64(3), u64(5))
  assert.equal((await nextFrame(stream)).toString('hex'), read.toString('hex'))
  stream.write(frame(5, head(READ.call, 'a'), u32(5), Buffer.alloc(5)))
  assert.equal((await nextFrame(stream)).readUInt32BE(12), 0x53000027)
  stream.write(longData)
  await nextFrame(stream)
  stream.write(frame(5, head(READ.call, 'a'), u32(4), Buffer.alloc(4)))
  await connection.over
})

test('a code may not be used again while a READ on it is not answered', async () => {
  const overtaken: Acts = {
    C_DigestUpdate: ([, data]) => {
      data.read(0, 1)
      throw new CryptokiError(CKR.FUNCTION_FAILED, 'at once')
    },
    C_Logout: () => undefined,
  }
  const { stream, connection } = await begun(overtaken)
  stream.write(longData)
  await nextFrame(stream)
  assert.equal((await nextFrame(stream)).toString('hex'), errorFrame(5, CKR.FUNCTION_FAILED))
  stream.write(frame(5, head(READ.call, 'a'), u32(1), Buffer.alloc(1)))
  stream.write(frame(5, logout, u64(1)))
  assert.equal((await nextFrame(stream)).readUInt32BE(12), 0x53000013)
  stream.write(longData)
  await nextFrame(stream)
  await nextFrame(stream)
  stream.write(frame(5, logout, u64(1)))
  await connection.over
})

test('more than 1,024 calls under way end the connection', async () => {
  const { stream, connection, logged } = await begun({
    C_WaitForSlotEvent: () => new Promise(() => {}),
  })
  for (let code = 2; code < 1026; code++) stream.write(frame(code, head(0x53000043, 'u'), u64(0)))
  stream.write(frame(1026, head(0x53000043, 'u'), u64(0)))
  await connection.over
  assert.match(String(logged[0]), /too many calls/)
})

/** Whether the frame is a TRACE of call 1, and its line without milliseconds. */
async function nextLine(stream: Duplex, skip = 0): Promise<string> {
  const got = await nextFrame(stream, skip)
  assert.deepEqual(got.subarray(12, 12 + TRACE.head.length), TRACE.head)
  return got.toString('utf8', 12 + TRACE.head.length + 4).replace(/\d+\.\d ms/, 'T')
}

test('a client that wishes it is told every call, with the reason of an error, ahead of the answer', async () => {
  const { stream } = serve({
    C_Logout: () => {
      throw new CryptokiError(CKR.USER_NOT_LOGGED_IN, 'nobody is here')
    },
  })
  stream.write(Buffer.concat([Buffer.of(EXTENSION), introduction(1)]))
  assert.equal(await nextLine(stream, 1), 'C_Initialize() = CKR_OK (T)')
  assert.equal((await nextFrame(stream)).readUInt32BE(12), 0x53000000)
  stream.write(frame(2, logout, u64(9)))
  assert.equal(
    await nextLine(stream),
    'C_Logout(session 9) = CKR_USER_NOT_LOGGED_IN: nobody is here (T)',
  )
  assert.equal((await nextFrame(stream)).toString('hex'), errorFrame(2, CKR.USER_NOT_LOGGED_IN))
  stream.destroy()
})

test('an introduction tells program, process and pace; a pace of more than an hour is refused', async () => {
  const { introductions } = await begun({})
  assert.deepEqual(introductions, [
    { program: 'test', pid: process.pid, traces: false, interval: 100, keeps: false },
  ])
  const { stream } = serve()
  const hasty = introduction(1)
  hasty.writeBigUInt64BE(3_600_001n, hasty.length - 9)
  stream.write(Buffer.concat([Buffer.of(EXTENSION), hasty]))
  assert.equal((await nextFrame(stream, 1)).toString('hex'), errorFrame(1, CKR.ARGUMENTS_BAD))
  stream.destroy()
})

/** A digest that is pending, and what it was called with. */
function pendingDigest(keeps: number) {
  const called = Promise.withResolvers<{ data: Data; context: CallContext }>()
  const acts: Acts = {
    C_DigestUpdate: ([, data], context) => {
      called.resolve({ data, context })
      throw new CryptokiError(CKR.PENDING, 'it goes on')
    },
  }
  return { called: called.promise, begun: begun(acts, introduction(0, keeps)) }
}

const long = (code: number) => frame(code, digestUpdate, u64(7), u64(2 << 20), Buffer.of(0))
const have = (code: number, bytes: Buffer) =>
  frame(code, head(READ.call, 'a'), u32(bytes.length), bytes)
const ended = (code: number) => frame(code, END.head).toString('hex')

test('the code of a pending call stays in use until END, which comes once nothing more is needed', async () => {
  const { called, begun } = pendingDigest(1)
  const { stream, connection } = await begun
  stream.write(long(5))
  const { data, context } = await called
  assert.equal((await nextFrame(stream)).toString('hex'), errorFrame(5, CKR.PENDING))
  const reading = data.read(1, 2)
  assert.equal((await nextFrame(stream)).readUInt32BE(12), READ.call)
  stream.write(have(5, Buffer.from('ab')))
  assert.equal(String(await reading), 'ab')
  await context.put?.(0, Buffer.from('out'))
  assert.equal((await nextFrame(stream)).readUInt32BE(12), PUT.call)
  context.release?.()
  context.release?.()
  assert.equal((await nextFrame(stream)).toString('hex'), ended(5))
  assert.throws(() => data.read(0, 1), CryptokiError)
  await assert.rejects(async () => context.put?.(0, Buffer.alloc(1)), CryptokiError)
  stream.write(long(5))
  assert.equal((await nextFrame(stream)).toString('hex'), errorFrame(5, CKR.PENDING))
  stream.write(long(5))
  await connection.over
})

test('what is asked for before END is answered after it, and only then the code is free', async () => {
  const { called, begun } = pendingDigest(1)
  const { stream, connection, logged } = await begun
  stream.write(long(5))
  const { data, context } = await called
  await nextFrame(stream)
  const reading = data.read(0, 1)
  context.release?.()
  await nextFrame(stream)
  assert.equal((await nextFrame(stream)).toString('hex'), ended(5))
  stream.write(have(5, Buffer.from('x')))
  assert.equal(String(await reading), 'x')
  stream.write(have(5, Buffer.from('y')))
  await connection.over
  assert.match(String(logged[0]), /none under way/)
})

test('END never comes before CKR_PENDING', async () => {
  const { stream } = await begun(
    {
      C_DigestUpdate: async (_inputs, { release }) => {
        release?.()
        throw new CryptokiError(CKR.PENDING, 'it goes on')
      },
    },
    introduction(0, 1),
  )
  stream.write(long(5))
  assert.equal((await nextFrame(stream)).toString('hex'), errorFrame(5, CKR.PENDING))
  assert.equal((await nextFrame(stream)).toString('hex'), ended(5))
  stream.destroy()
})

test('a pending call of a client that keeps nothing is over with its answer, and so is one without long data', async () => {
  const { called, begun } = pendingDigest(0)
  const { stream } = await begun
  stream.write(long(5))
  assert.equal((await called).context.release, undefined)
  await nextFrame(stream)
  stream.write(long(5))
  await nextFrame(stream)
  stream.destroy()
  const short = pendingDigest(1)
  const there = (await short.begun).stream
  there.write(frame(5, digestUpdate, u64(7), u64(1), Buffer.of(1), Buffer.of(0)))
  assert.equal((await short.called).context.release, undefined)
  there.destroy()
})

test('a client that goes while its call is pending lets nobody wait', async () => {
  const { called, begun } = pendingDigest(1)
  const { stream, connection } = await begun
  stream.write(long(5))
  const { data, context } = await called
  await nextFrame(stream)
  const reading = data.read(0, 1)
  stream.destroy()
  await connection.over
  await assert.rejects(async () => reading, CryptokiError)
  context.release?.()
})
