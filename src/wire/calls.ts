/**
 * The calls of a protocol: from the rows of the function table, for each function once, the codecs
 * of its request and its answer, and the signatures that go with them. The extension's calls are
 * made here; p11-kit's are made of the same parts (p11kit.ts).
 */
import type { FunctionName, MechanismArgument } from '../standard/calls.ts'
import { IN_KINDS, OUT_KINDS } from '../standard/calls.ts'
import { type ArgumentRow, functions } from '../standard/functions.ts'
import { parameterUse } from '../standard/layouts.ts'
import type { Aside, Codec } from './codec.ts'
import type { ParameterStructures, StructureName } from './layouts.ts'
import { type Reader, WireError } from './reader.ts'
import {
  answerKinds,
  bool,
  givenBack,
  layouts,
  type Parameters,
  requestKinds,
  structureOut,
  text,
  ulong,
} from './values.ts'
import type { Writer } from './writer.ts'

/** A part of an answer: one of the function's outputs, or something aside. */
export type Part = { readonly output: Codec } | { readonly aside: Aside }

/** A call of a protocol, ready to use. */
export interface WireCall {
  readonly name: FunctionName
  /** `u32 call, bytes signature` of a request and of an answer. */
  readonly request: Buffer
  readonly answer: Buffer
  readonly inputs: readonly Codec[]
  readonly parts: readonly Part[]
  /** Outputs among the parts: none, one alone, or a list of them. */
  readonly outputs: number
  /** Whether the first input is a session. */
  readonly onSession: boolean
  /** Which inputs are PINs. */
  readonly pins: readonly number[]
  /** Which input is data, and which is the room for output; -1 where none is. */
  readonly dataAt: number
  readonly roomAt: number
  /** The kind of the one output, where that is bytes for the caller's buffer. */
  readonly fills: 'room' | 'fill' | undefined
  /** Reads what a function gives back of its parameter, and answers how to hand that to the caller. */
  readonly back: ((reader: Reader, inputs: readonly unknown[]) => () => void) | undefined
}

/** The head of a body: its call number and its signature. */
export function head(call: number, signature: string): Buffer {
  const bytes = Buffer.alloc(8 + signature.length)
  bytes.writeUInt32BE(call, 0)
  bytes.writeUInt32BE(signature.length, 4)
  bytes.write(signature, 8, 'latin1')
  return bytes
}

/** A function's arguments that travel in a request, in order. */
export const inputRows = (name: FunctionName): readonly ArgumentRow[] =>
  functions[name].args.filter(({ kind }) => IN_KINDS.has(kind))

export interface CallParts {
  readonly name: FunctionName
  readonly number: number
  readonly inputs: readonly Codec[]
  readonly parts: readonly Part[]
  readonly back?: WireCall['back']
}

function fillsOf(name: FunctionName): 'room' | 'fill' | undefined {
  const rows: readonly ArgumentRow[] = functions[name].args
  const [kind, ...others] = rows.map(({ kind }) => kind).filter((kind) => OUT_KINDS.has(kind))
  return others.length === 0 && (kind === 'room' || kind === 'fill') ? kind : undefined
}

/** Puts a call together. */
export function wireCall({ name, number, inputs, parts, back }: CallParts): WireCall {
  const kinds = inputRows(name).map(({ kind }) => kind)
  const asked = inputs.map(({ letters }) => letters).join('')
  const told = parts.map((part) => ('output' in part ? part.output : part.aside).letters).join('')
  return {
    name,
    request: head(number, asked),
    answer: head(number, told),
    inputs,
    parts,
    outputs: parts.filter((part) => 'output' in part).length,
    onSession: kinds[0] === 'session',
    pins: kinds.flatMap((kind, at) => (kind === 'pin' ? [at] : [])),
    dataAt: kinds.indexOf('data'),
    roomAt: kinds.findIndex((kind) => kind === 'room' || kind === 'fill'),
    fills: fillsOf(name),
    back,
  }
}

/** The codec of a kind in a table of a protocol. */
export function codecFor(table: object, kind: string): Codec {
  const codec: Codec | undefined = Object.entries(table).find(([name]) => name === kind)?.[1]
  if (codec === undefined) throw new TypeError(`no codec for ${kind}`)
  return codec
}

/** Call numbers of the extension: this and the function's index. */
export const FIRST_CALL = 0x53000000

/** C_Initialize: program, process id, whether calls are to be told, pace, whether END is understood. */
const introduction: readonly Codec[] = [text, ulong, bool, ulong, bool]

/** How the values that come back of a call's parameter are read; undefined where it has none. */
function backOf(name: FunctionName, parameters: Parameters): WireCall['back'] {
  const at = inputRows(name).findIndex(({ kind }) => kind === 'mechanism' || kind === 'parameter')
  if (at < 0) return undefined
  return (reader, inputs) => {
    const argument = inputs[at] as MechanismArgument | null
    if (argument === null) throw new WireError('values back for no mechanism')
    const values = givenBack(reader, argument, parameters)
    return () => argument.answer?.(values)
  }
}

function extensionCall(name: FunctionName, structures: ParameterStructures): WireCall {
  const { index, args } = functions[name]
  const number = FIRST_CALL + index
  if (name === 'C_Initialize')
    return wireCall({ name, number, inputs: introduction, parts: [{ output: layouts }] })
  const rows: readonly ArgumentRow[] = args
  const parameters = { structures, use: parameterUse(name) }
  const kinds = requestKinds(parameters)
  const parts = rows.flatMap((row): Part[] => {
    if (row.kind === 'structureOut')
      return [{ output: structureOut(row.structure as StructureName) }]
    return OUT_KINDS.has(row.kind) ? [{ output: codecFor(answerKinds, row.kind) }] : []
  })
  const inputs = inputRows(name).map(({ kind }) => codecFor(kinds, kind))
  return wireCall({ name, number, inputs, parts, back: backOf(name, parameters) })
}

/** The calls of a protocol by their numbers. */
export type Calls = ReadonlyMap<number, WireCall>

/** The extension's calls. C_Initialize takes an introduction and answers layouts. */
export function extensionCalls(structures: ParameterStructures): Calls {
  const names = Object.keys(functions) as FunctionName[]
  return new Map(
    names.map((name) => [FIRST_CALL + functions[name].index, extensionCall(name, structures)]),
  )
}

/** Whether the body begins with this head. */
export const startsWith = (body: Buffer, start: Buffer): boolean =>
  body.length >= start.length && body.compare(start, 0, start.length, 0, start.length) === 0

/** Checks the head of a body; throws a WireError where the signature is another. */
export function checkHead(body: Buffer, start: Buffer): void {
  if (!startsWith(body, start)) throw new WireError('the signature does not match')
}

export function writeRequest(call: WireCall, writer: Writer, inputs: readonly unknown[]): void {
  writer.raw(call.request)
  for (const [at, codec] of call.inputs.entries()) codec.write(writer, inputs[at])
}

/** The inputs of a request whose head was read; throws a WireError unless it ends with them. */
export function readRequest(call: WireCall, reader: Reader): unknown[] {
  const inputs = call.inputs.map((codec) => codec.read(reader))
  reader.end()
  return inputs
}

/** `inputs` are the request's. */
export function writeAnswer(
  call: WireCall,
  writer: Writer,
  answer: unknown,
  inputs: readonly unknown[],
): void {
  writer.raw(call.answer)
  let at = 0
  for (const part of call.parts)
    if ('aside' in part) part.aside.write(writer, inputs)
    else part.output.write(writer, call.outputs === 1 ? answer : (answer as unknown[])[at++])
}

/**
 * The answer whose head was read, as AnswerOf tells it; throws a WireError unless the message ends
 * with it.
 */
export function readAnswer(call: WireCall, reader: Reader, inputs: readonly unknown[]): unknown {
  const outputs: unknown[] = []
  for (const part of call.parts)
    if ('aside' in part) part.aside.read(reader, inputs)
    else outputs.push(part.output.read(reader))
  reader.end()
  return call.outputs < 2 ? outputs[0] : outputs
}
