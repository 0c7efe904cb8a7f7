/**
 * A service of a few lines, written from docs/WIRE.md alone: answers the module in ways that a real
 * service cannot be brought to, and keeps every request as it came.
 */
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { functions } from '../../src/standard/functions.ts'

const FIRST = 0x53000000
export const SURRENDER = 0x53010000
export const READ = 0x53010001
export const PUT = 0x53010002
export const BACK = 0x53010004
export const END = 0x53010006

/** The module asks for memory to share; this service has none. */
const OFFER = 0x53030000

const names: readonly string[] = Object.keys(functions)

export const u8 = (value: number): Buffer => Buffer.of(value)

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** 2^64, CK_UNAVAILABLE_INFORMATION, and what is above it become all ones. */
export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  const ones = 2n ** 64n - 1n
  bytes.writeBigUInt64BE(BigInt(value) < ones ? BigInt(value) : ones)
  return bytes
}

export const bytes = (value: Uint8Array | string): Buffer => {
  const content = Buffer.from(value as string)
  return Buffer.concat([u32(content.length), content])
}

/** What SURRENDER brings; done in millionths, times in milliseconds. */
export interface Surrendered {
  readonly event?: number
  readonly done?: number | bigint
  readonly elapsed?: number
  readonly usual?: number | bigint
}

const UNKNOWN = 2n ** 64n - 1n

/** Signature and values of a SURRENDER. */
export const surrender = (
  session: number,
  { event = 0, done = UNKNOWN, elapsed = 0, usual = UNKNOWN }: Surrendered = {},
): [signature: string, ...values: Buffer[]] => [
  'uuuuu',
  ...[session, event, done, elapsed, usual].map(u64),
]

/** A message from the module: a call's request, or its answer to SURRENDER or READ. */
export interface Message {
  readonly code: number
  readonly call: number
  readonly signature: string
  readonly values: Buffer
}

/** One call under way, from the service's side. */
export interface Call {
  readonly name: string
  readonly signature: string
  /** The arguments as they came. */
  readonly values: Buffer
  /** A u64 at an offset of the values. */
  u64(at: number): number
  answer(signature: string, ...values: Buffer[]): void
  fail(rv: number): void
  /** Asks for something and waits for what the module answers. */
  ask(call: number, signature: string, ...values: Buffer[]): Promise<Message>
  /** Sends a message that is not answered. */
  tell(call: number, signature: string, ...values: Buffer[]): void
  /** Sends a frame with this body as it stands. */
  raw(body: Buffer): void
  readonly socket: Socket
}

export type Respond = (call: Call) => void | Promise<void>

export interface FakeService {
  /** SOFTOKI_HOME of the programs that are to find it. */
  readonly home: string
  /** Every request, by function. */
  readonly requests: { readonly name: string; readonly values: Buffer }[]
  /** Connections that are open now, and that there were in all. */
  connections(): { open: number; all: number }
  /** Resolves once no connection is open. */
  left(): Promise<void>
  close(): Promise<void>
}

const frame = (code: number, body: Buffer): Buffer =>
  Buffer.concat([u32(code), u32(0), u32(body.length), body])

const message = (call: number, signature: string, values: readonly Buffer[]): Buffer =>
  Buffer.concat([u32(call), bytes(signature), ...values])

function parse(code: number, body: Buffer): Message {
  const length = body.readUInt32BE(4)
  return {
    code,
    call: body.readUInt32BE(0),
    signature: body.toString('latin1', 8, 8 + length),
    values: body.subarray(8 + length),
  }
}

class Connection {
  readonly #socket: Socket
  readonly #take: (call: Call) => void
  readonly #asked = new Map<number, (answer: Message) => void>()
  #rest = Buffer.alloc(0)
  #greeted = false

  constructor(socket: Socket, take: (call: Call) => void) {
    this.#socket = socket
    this.#take = take
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', () => {})
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    if (!this.#greeted) {
      this.#greeted = true
      this.#socket.write(this.#rest.subarray(0, 1))
      this.#rest = this.#rest.subarray(1)
    }
    while (this.#rest.length >= 12) {
      const end = 12 + this.#rest.readUInt32BE(8)
      if (this.#rest.length < end) return
      const got = parse(this.#rest.readUInt32BE(0), this.#rest.subarray(12, end))
      this.#rest = this.#rest.subarray(end)
      const asked = this.#asked.get(got.code)
      this.#asked.delete(got.code)
      if (asked !== undefined) asked(got)
      else if (got.call === OFFER) this.#call(got).answer('uuu', u64(0), u64(0), u64(0))
      else this.#take(this.#call(got))
    }
  }

  #call({ code, call, signature, values }: Message): Call {
    const send = (body: Buffer) => this.#socket.write(frame(code, body))
    return {
      name: names[call - FIRST] ?? `call ${call}`,
      signature,
      values,
      socket: this.#socket,
      u64: (at) => Number(values.readBigUInt64BE(at)),
      answer: (letters, ...parts) => send(message(call, letters, parts)),
      fail: (rv) => send(message(0, 'u', [u64(rv)])),
      tell: (asked, letters, ...parts) => send(message(asked, letters, parts)),
      raw: (body) => send(body),
      ask: (asked, letters, ...parts) => {
        send(message(asked, letters, parts))
        return new Promise((resolve) => this.#asked.set(code, resolve))
      },
    }
  }
}

/** Where an answer cannot be made, the connection ends and the program with it. */
async function answered(call: Call, respond: Respond): Promise<void> {
  try {
    await respond(call)
  } catch (error) {
    console.error(error)
    call.socket.destroy()
  }
}

/** Listens in `home`, otherwise in a folder of its own; `respond` answers the calls. */
export async function fakeService(respond: Respond, given?: string): Promise<FakeService> {
  const home = given ?? (await mkdtemp(join(tmpdir(), 'softoki-module-')))
  await chmod(home, 0o700)
  const requests: { name: string; values: Buffer }[] = []
  const open = new Set<Socket>()
  let all = 0
  const server: Server = createServer((socket) => {
    open.add(socket)
    all++
    socket.on('close', () => open.delete(socket))
    new Connection(socket, (call) => {
      requests.push({ name: call.name, values: call.values })
      answered(call, respond)
    })
  })
  const path = join(home, 'service.sock')
  await rm(path, { force: true })
  server.listen(path)
  await once(server, 'listening')
  return {
    home,
    requests,
    connections: () => ({ open: open.size, all }),
    async left() {
      for (const socket of open) await new Promise((resolve) => socket.once('close', resolve))
    },
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}
