/**
 * The client's end of a connection, for Node programs: an Application whose functions are those of
 * a service. Callbacks, data of any length and output ahead of the answer work as they do in
 * process.
 */
import { createConnection, type Socket } from 'node:net'
import { basename } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Say } from '../functions/trace.ts'
import {
  type AnswerOf,
  type Application,
  type CallContext,
  type Data,
  dataOf,
  type FunctionName,
  type InputsOf,
} from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { functions } from '../standard/functions.ts'
import { type Calls, extensionCalls, FIRST_CALL, type WireCall } from './calls.ts'
import { ClientCall } from './client-call.ts'
import { FrameReader, sendFrame } from './frames.ts'
import { type LayoutRow, layoutStructures } from './layouts.ts'
import { EXTENSION, introductionInputs, MOST_EXTENSION_BODY } from './protocol.ts'
import { WireError } from './reader.ts'
import { MOST_HERE } from './values.ts'

export interface ClientOptions {
  /** Takes a line for every call, where that is wished. */
  readonly say?: Say | undefined
  /** Milliseconds between callbacks; otherwise the service's own. */
  readonly interval?: number | undefined
}

/**
 * Connects to a service and calls C_Initialize. `program` names this program to the service. Throws a
 * CryptokiError, or what the operating system says where nobody listens.
 */
export async function connect(
  to: string | Duplex,
  program = basename(process.argv[1] ?? 'node'),
  { say, interval }: ClientOptions = {},
): Promise<Application> {
  const stream = typeof to === 'string' ? await connected(to) : to
  const client = new Client(stream, say)
  try {
    await client.initialize(program, interval)
  } catch (error) {
    stream.destroy()
    throw error
  }
  return client
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path, () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

const lost = (cause?: unknown) =>
  new CryptokiError(CKR.DEVICE_REMOVED, 'the service is gone', { cause })

class Client implements Application {
  readonly #stream: Duplex
  readonly #say: Say | undefined
  readonly #frames = new FrameReader(MOST_EXTENSION_BODY)
  readonly #underWay = new Map<number, ClientCall>()
  readonly #layouts: LayoutRow[] = []
  readonly #calls: Calls = extensionCalls(layoutStructures(this.#layouts))
  #greeted = false
  #lastCode = 0
  #initialized = false
  #lost: CryptokiError | undefined

  constructor(stream: Duplex, say: Say | undefined) {
    this.#stream = stream
    this.#say = say
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    stream.on('error', (error) => this.#lose(error))
    stream.on('end', () => this.#lose())
    stream.on('close', () => this.#lose())
    stream.write(Uint8Array.of(EXTENSION))
  }

  async initialize(program: string, interval: number | undefined): Promise<void> {
    this.#initialized = true
    const self = { program, pid: process.pid, traces: this.#say !== undefined, keeps: false }
    const inputs = introductionInputs(interval === undefined ? self : { ...self, interval })
    const layouts = await this.#ask('C_Initialize', inputs, {})
    this.#layouts.push(...(layouts as LayoutRow[]))
  }

  async call<N extends FunctionName>(
    name: N,
    inputs: InputsOf<N>,
    context: CallContext = {},
  ): Promise<AnswerOf<N>> {
    if (!this.#initialized)
      throw new CryptokiError(CKR.CRYPTOKI_NOT_INITIALIZED, 'after C_Finalize')
    if (name === 'C_Initialize')
      throw new CryptokiError(CKR.CRYPTOKI_ALREADY_INITIALIZED, 'C_Initialize a second time')
    if (name !== 'C_Finalize') return (await this.#ask(name, inputs, context)) as AnswerOf<N>
    await this.close()
    return undefined as AnswerOf<N>
  }

  async close(): Promise<void> {
    if (!this.#initialized) return
    this.#initialized = false
    await this.#ask('C_Finalize', [], {}).catch(() => {})
    this.#stream.destroy()
  }

  async #ask(name: FunctionName, inputs: readonly unknown[], context: CallContext) {
    if (this.#lost !== undefined) throw this.#lost
    const call = this.#calls.get(FIRST_CALL + functions[name].index) as WireCall
    const ready = await withShortData(call, inputs)
    if (context.signal?.aborted)
      throw new CryptokiError(CKR.FUNCTION_CANCELED, 'stopped before it began')
    const underWay = new ClientCall(call, ready, context, this.#freeCode(), this.#send, this.#say)
    this.#underWay.set(underWay.code, underWay)
    try {
      return await underWay.run()
    } finally {
      this.#underWay.delete(underWay.code)
    }
  }

  readonly #send = (parts: readonly Buffer[], sent?: () => void): void => {
    if (this.#lost === undefined) sendFrame(this.#stream, parts, sent)
  }

  #freeCode(): number {
    do this.#lastCode = (this.#lastCode % 0xffffffff) + 1
    while (this.#underWay.has(this.#lastCode))
    return this.#lastCode
  }

  #lose(cause?: unknown): void {
    this.#lost ??= lost(cause)
    this.#stream.destroy()
    for (const call of this.#underWay.values()) call.fail(this.#lost)
    this.#underWay.clear()
  }

  #receive(chunk: Buffer): void {
    try {
      let rest = chunk
      if (!this.#greeted) {
        if (chunk[0] !== EXTENSION) throw new WireError('the other end is no service of Softoki')
        this.#greeted = true
        rest = chunk.subarray(1)
      }
      this.#frames.push(rest, (code, body) => {
        const call = this.#underWay.get(code)
        if (call === undefined) throw new WireError(`a frame for ${code}, which is not under way`)
        call.receive(body)
        return this.#lost === undefined
      })
    } catch (error) {
      this.#lose(error)
    }
  }
}

/** The inputs with short data fetched, so that it can travel with the call. */
async function withShortData(
  { dataAt }: WireCall,
  inputs: readonly unknown[],
): Promise<readonly unknown[]> {
  const data = inputs[dataAt] as Data | undefined
  if (data === undefined || data.length > MOST_HERE) return inputs
  const bytes = data.read(0, data.length)
  return bytes instanceof Uint8Array ? inputs : inputs.with(dataAt, dataOf(await bytes))
}
