/**
 * What the command line asks the service beside the functions of the standard: which functions are
 * pending, and to cancel one (docs/WIRE.md, "Operations"). Both ends.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import {
  OPERATION_STATES,
  type OperationState,
  type OperationView,
} from '../functions/operations.ts'
import { CryptokiError } from '../standard/error.ts'
import { head, startsWith } from './calls.ts'
import { FrameReader, sendFrame } from './frames.ts'
import { readProgress, writeProgress } from './progress.ts'
import { ERROR, EXTENSION, MOST_EXTENSION_BODY } from './protocol.ts'
import { Reader, WireError } from './reader.ts'
import { Writer } from './writer.ts'

/** What a service knows of pending functions. */
export interface Operations {
  list(): Promise<readonly OperationView[]>
  /** False where there is none of this id. */
  cancel(id: number): Promise<boolean>
}

const LIST = { call: 0x53020000, request: head(0x53020000, ''), answer: head(0x53020000, 'O') }
const CANCEL = { call: 0x53020001, request: head(0x53020001, 'u'), answer: head(0x53020001, 'y') }

/** Bytes of a name, a label or a program's name. */
const MOST_TEXT = 4096

/** So many are told, the oldest, and so many characters of a program's name: that fits a frame. */
const MOST_TOLD = 10_000
const MOST_PROGRAM = 255

/** The bytes one of them takes at least. */
const LEAST = 66

export const isAboutOperations = (call: number): boolean =>
  call === LIST.call || call === CANCEL.call

function writeOperation(writer: Writer, operation: OperationView): void {
  writer.u64(operation.id)
  writer.text(operation.name)
  writer.u64(operation.slot)
  writer.text(operation.token)
  writer.text(operation.program.slice(0, MOST_PROGRAM))
  writer.u64(operation.begun)
  writer.u8(OPERATION_STATES.indexOf(operation.state))
  writer.bool(operation.kept)
  writeProgress(writer, operation.progress)
}

const readOperation = (reader: Reader): OperationView => ({
  id: reader.u64(),
  name: reader.text(MOST_TEXT),
  slot: reader.u64(),
  token: reader.text(MOST_TEXT),
  program: reader.text(MOST_TEXT),
  begun: reader.u64(),
  state: OPERATION_STATES[reader.form(OPERATION_STATES.length)] as OperationState,
  kept: reader.bool(),
  progress: readProgress(reader),
})

/** Reads a request about operations; what it answers does what was asked and resolves to the answer's body. */
export function readAsked(body: Buffer): (operations: Operations) => Promise<Writer> {
  const asked = [LIST, CANCEL].find(({ request }) => startsWith(body, request))
  if (asked === undefined) throw new WireError('the signature does not match')
  const reader = new Reader(body, asked.request.length)
  const id = asked === CANCEL ? reader.u64() : 0
  reader.end()
  return async (operations) => {
    const writer = new Writer()
    writer.raw(asked.answer)
    if (asked === CANCEL) writer.bool(await operations.cancel(id))
    else {
      const all = (await operations.list()).slice(0, MOST_TOLD)
      writer.u32(all.length)
      for (const operation of all) writeOperation(writer, operation)
    }
    return writer
  }
}

/** Asks a service on a connection of its own, which is closed then. Throws a CryptokiError where it fails. */
async function ask(stream: Duplex, request: Buffer, answer: Buffer): Promise<Reader> {
  const frames = new FrameReader(MOST_EXTENSION_BODY)
  const writer = new Writer()
  writer.raw(request)
  stream.write(Uint8Array.of(EXTENSION))
  sendFrame(stream, writer.frame(1))
  let body: Buffer | undefined
  let greeted = false
  stream.on('data', (chunk: Buffer) => {
    try {
      frames.push(greeted ? chunk : chunk.subarray(1), (_code, whole) => {
        body = whole
        return false
      })
      greeted = true
      if (body !== undefined) stream.destroy()
    } catch (error) {
      stream.destroy(error as Error)
    }
  })
  await once(stream, 'close')
  if (body !== undefined && startsWith(body, answer)) return new Reader(body, answer.length)
  if (body === undefined || !startsWith(body, ERROR)) throw new WireError('the service is gone')
  throw new CryptokiError(new Reader(body, ERROR.length).u64(), 'says the service')
}

/** The same from the command line's side: each call on a connection that `connect` makes. */
export const operationsOf = (connect: () => Promise<Duplex>): Operations => ({
  async list() {
    const reader = await ask(await connect(), LIST.request, LIST.answer)
    const all = Array.from({ length: reader.count(LEAST) }, () => readOperation(reader))
    reader.end()
    return all
  },
  async cancel(id) {
    const request = Buffer.alloc(8)
    request.writeBigUInt64BE(BigInt(id))
    const reader = await ask(
      await connect(),
      Buffer.concat([CANCEL.request, request]),
      CANCEL.answer,
    )
    const cancelled = reader.bool()
    reader.end()
    return cancelled
  },
})
