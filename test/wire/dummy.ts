/** An application that does what a test tells it, and a connection to it without a socket. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import type { TestContext } from 'node:test'
import type {
  AnswerOf,
  Application,
  CallContext,
  FunctionName,
  InputsOf,
} from '../../src/standard/calls.ts'
import { connect } from '../../src/wire/client.ts'
import { Connection } from '../../src/wire/connection.ts'
import { type Introduction, protocols } from '../../src/wire/protocol.ts'
import { parameters } from './arbitraries.ts'

export type Acts = {
  [N in FunctionName]?: (
    inputs: InputsOf<N>,
    context: CallContext,
  ) => AnswerOf<N> | Promise<AnswerOf<N>>
}

/** Answers what its acts answer, and throws a TypeError for a function without one. */
export class Dummy implements Application {
  readonly acts: Acts
  closed = 0

  constructor(acts: Acts = {}) {
    this.acts = acts
  }

  call<N extends FunctionName>(name: N, inputs: InputsOf<N>, context: CallContext = {}) {
    const act = this.acts[name]
    if (act === undefined) throw new TypeError(`nobody acts for ${name}`)
    return act(inputs, context)
  }

  async close(): Promise<void> {
    this.closed++
  }
}

export const protocolFor = protocols(parameters)

export interface Served {
  readonly dummy: Dummy
  readonly connection: Connection
  /** The client's end, for bytes of one's own. */
  readonly stream: Duplex
  readonly programs: string[]
  readonly introductions: Introduction[]
  readonly logged: unknown[]
}

/** A connection to a dummy whose client is the test itself. */
export function serve(
  acts: Acts = {},
  [stream, there]: readonly [Duplex, Duplex] = duplexPair({ highWaterMark: 64 << 10 }),
): Served {
  const dummy = new Dummy(acts)
  const programs: string[] = []
  const logged: unknown[] = []
  const introductions: Introduction[] = []
  const open = (introduction: Introduction) => {
    programs.push(introduction.program)
    introductions.push(introduction)
    return dummy
  }
  const log = (error: unknown) => void logged.push(error)
  const connection = new Connection(there, { open, protocolFor, log })
  return { dummy, connection, stream, programs, introductions, logged }
}

/** The two ends of a Unix socket. */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-'))
  const server = createServer().listen(join(folder, 'socket'))
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = createConnection(join(folder, 'socket'))
  const [service] = await accepted
  server.close()
  rmSync(folder, { recursive: true })
  return [client, service]
}

export const servedBySocket = async (t: TestContext, acts: Acts) =>
  served(t, acts, await socketPair())

/** The same with the client of src/wire. */
export async function served(t: TestContext, acts: Acts, streams?: readonly [Duplex, Duplex]) {
  const all = serve(acts, streams)
  const client = await connect(all.stream, 'a test')
  t.after(async () => {
    await client.close()
    await all.connection.over
  })
  return { ...all, client }
}
