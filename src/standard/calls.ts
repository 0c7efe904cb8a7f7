/**
 * What the arguments of the C_ functions are in TypeScript. The types of all functions derive from
 * the rows in functions.ts through the two maps here, `In` and `Out`.
 *
 * CK_ULONG is a number. A value above 2^53 loses its low bits, which no valid value has;
 * CK_UNAVAILABLE_INFORMATION (all ones) is exactly 2^64 on this side.
 */
import type { functions } from './functions.ts'
import type { Notify } from './progress.ts'

export type Functions = typeof functions
export type FunctionName = keyof Functions

/** An attribute as it travels: the bytes the application gave, CK_ULONG as 8 bytes little-endian. */
export interface Attribute {
  readonly type: number
  /** The value; the attributes within for an attribute array (CKF_ARRAY_ATTRIBUTE, 0x40000000). */
  readonly value: Uint8Array | readonly Attribute[]
}

/** One attribute asked for with C_GetAttributeValue. */
export interface AttributeQuery {
  readonly type: number
  /** Bytes of room at pValue; null where pValue is NULL and only the length is asked. */
  readonly room: number | null
  /** For an attribute array with room: the queries for the attributes within. */
  readonly within?: readonly AttributeQuery[]
}

/** One attribute answered by C_GetAttributeValue. */
export interface AttributeAnswer {
  readonly type: number
  /** The value where there was room for it, null where only the length is told. */
  readonly value: Uint8Array | readonly AttributeAnswer[] | null
  /** ulValueLen: a length in bytes, or CK_UNAVAILABLE_INFORMATION. */
  readonly length: number
}

/** The outcome of C_GetAttributeValue: every answer, and the return value that goes with them. */
export interface AttributeAnswers {
  readonly answers: readonly AttributeAnswer[]
  readonly rv: number
}

/**
 * A value of a parameter structure, by the letter of its layout (structures.ts): `u` and `y` a
 * number; `v` a Parameter of `major` and `minor`; `f`, `p`, `q` and `s` bytes, none where the pointer is
 * NULL; `b` and `r` bytes, null where the pointer is NULL; `t` attributes; `{` a Parameter; `*` what
 * it points to, null where it is NULL; `a` and `c` an array of Parameters.
 */
export type ParameterValue =
  | number
  | Uint8Array
  | Parameter
  | readonly Parameter[]
  | readonly Attribute[]
  | null

/** The values of a parameter structure by name. */
export interface Parameter {
  readonly [name: string]: ParameterValue
}

/**
 * A mechanism as it travels. Its parameter is a structure's values, plain bytes, or absent. What a
 * function only writes (`>` in the layout) arrives as zeros: 0, a version of 0.0, as many zero bytes
 * as there is room for; or as null where the pointer is NULL.
 *
 * In a message-based function this is the message's parameter; `type` is the mechanism its operation
 * was begun with, 0 where the caller's protocol does not tell (p11-kit's).
 */
export interface MechanismArgument {
  readonly type: number
  readonly parameter: Parameter | Uint8Array | null
  /**
   * Takes values that the function gives back in fields marked `!` or `>`, in the shape of the
   * parameter: what is left out stays as it is in the application's memory. Bytes have the length
   * that they came with; those of `r` may be fewer. What came as null cannot be given. It may be
   * called at any time while the function works, more than once, and before an error. Absent where
   * the caller does not ask.
   */
  readonly answer?: ((values: Parameter) => void) | undefined
}

/**
 * Input data of any length. What is short is here already; what is long stays with the application
 * and is read piece by piece, so that no function needs memory for all of it.
 */
export interface Data {
  readonly length: number
  /** It is there only while the call is under way (CallContext.release): the application has it. */
  readonly passing?: boolean
  /** At most `length` bytes from `offset`; offset + length never exceeds the whole. */
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>
  /** The same for a reader that keeps none of it, without a copy; the application may change it meanwhile. */
  borrow?(offset: number, length: number): Loan | Promise<Loan>
}

/** Bytes that are another's, to be given back. */
export interface Loan {
  readonly bytes: Uint8Array
  giveBack(): void
}

/** Data that is here already. */
export const dataOf = (bytes: Uint8Array): Data => ({
  length: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
})

/** The room an application offers for output: elements (bytes, or CK_ULONGs of a list), null to ask the length. */
export type Room = number | null

/** A structure as it lies in the caller's buffer, with what it points to. */
export interface Image {
  readonly image: Uint8Array
  /** Places of 8 bytes in it that hold how far from its start they point, and become addresses there. */
  readonly pointers: readonly number[]
}

/**
 * Output under the convention of section 5.2: the bytes; or only how many there would be; or how
 * many were put into the caller's buffer while the function worked (CallContext.put); or a structure.
 */
export type Filled = Uint8Array | { readonly needed: number } | { readonly put: number } | Image

/** A list under the same convention. */
export type FilledList = readonly number[] | { readonly needed: number }

/** The values of a structure by name; text is given unpadded and padded with blanks on the way out. */
export type StructureValues = Readonly<
  Record<string, number | string | Uint8Array | { major: number; minor: number }>
>

/** What each kind of argument brings in; kinds that bring nothing are not listed. */
export interface In {
  session: number
  slot: number
  object: number
  ulong: number
  bool: boolean
  /** null: the pointer was NULL. */
  bytes: Uint8Array | null
  pin: Uint8Array | null
  data: Data
  text: string
  /** The 32 bytes, blank padded. */
  label: Uint8Array
  template: readonly Attribute[]
  /** null: the pointer was NULL. */
  mechanism: MechanismArgument | null
  /** Whether the application gave a callback. */
  notify: boolean
  room: Room
  /** How many bytes to fill. */
  fill: number
  list: Room
  /** How many handles at most. */
  found: number
  query: readonly AttributeQuery[]
  /** The parameter of a message, with the mechanism its operation was begun with. */
  parameter: MechanismArgument
  asyncRoom: Room
  /** Whether there is a place for the result. */
  asyncData: boolean
}

/** What a function of an asynchronous session came to (CK_ASYNC_DATA, 3.2). */
export interface AsyncResult {
  /** Output for the buffer that the function was called with; null where it has none. */
  readonly value: Filled | null
  /** hObject and hAdditionalObject: a key; a public and a private key. */
  readonly objects: readonly number[]
}

/** What each kind of argument brings out. */
export interface Out {
  asyncData: AsyncResult
  ulongOut: number
  structureOut: StructureValues
  room: Filled
  /** null: all the bytes were put into the caller's buffer while the function worked (CallContext.put). */
  fill: Uint8Array | null
  list: FilledList
  found: readonly number[]
  query: AttributeAnswers
}

type Rows = readonly { readonly kind: string }[]
type Inputs<R extends Rows, Map> = R extends readonly [
  infer Head extends { kind: string },
  ...infer Rest extends Rows,
]
  ? Head['kind'] extends keyof Map
    ? [Map[Head['kind']], ...Inputs<Rest, Map>]
    : Inputs<Rest, Map>
  : []

/** The inputs of a function in order, with the kinds of `Special` in place of the usual ones. */
export type InputsOf<N extends FunctionName, Special = unknown> = Inputs<
  Functions[N]['args'],
  Omit<In, keyof Special> & Special
>

/** The outputs of a function in order. */
export type OutputsOf<N extends FunctionName> = Inputs<Functions[N]['args'], Out>

/** What a function answers: nothing, its one output, or all its outputs in order. */
export type AnswerOf<N extends FunctionName> =
  OutputsOf<N> extends [] ? undefined : OutputsOf<N> extends [infer Only] ? Only : OutputsOf<N>

/** The kinds that bring something in, and those that bring something out. */
export const IN_KINDS: ReadonlySet<string> = new Set<keyof In>([
  'session',
  'slot',
  'object',
  'ulong',
  'bool',
  'bytes',
  'pin',
  'data',
  'text',
  'label',
  'template',
  'mechanism',
  'notify',
  'room',
  'fill',
  'list',
  'found',
  'query',
  'parameter',
  'asyncRoom',
  'asyncData',
])
export const OUT_KINDS: ReadonlySet<string> = new Set<keyof Out>([
  'ulongOut',
  'structureOut',
  'room',
  'fill',
  'list',
  'found',
  'query',
  'asyncData',
])

/** Memory of the caller's for output. What is in it is the caller's from the start. */
export interface Claimed {
  readonly bytes: Uint8Array
  /** It is filled: puts it into the caller's buffer. */
  put(): void
  /** It will not be. */
  giveBack(): void
}

/** What goes along with a call. */
export interface CallContext {
  /** Calls the application's callback, in the thread that made the call; absent where the application has none. */
  readonly notify?: Notify | undefined
  /** Aborted when the caller is gone or wants the function stopped. */
  readonly signal?: AbortSignal | undefined
  /** Whether the signal is aborted, from a context that makes one only for whoever waits for it. */
  readonly isAborted?: boolean | undefined
  /** Puts output into the caller's buffer at an offset, ahead of the answer; absent where output goes with the answer. */
  readonly put?: ((offset: number, bytes: Uint8Array) => void | Promise<void>) | undefined
  /**
   * Memory that output for an offset is made in rather than copied to, to be filled and put at once;
   * undefined where there is none at the moment. Absent where there never is.
   */
  readonly claim?: ((offset: number, length: number) => Claimed | undefined) | undefined
  /**
   * Where data that is passing and `put` go on after CKR_PENDING was answered: to be called once when
   * neither is needed any more, after which neither works. Absent where they end with the call.
   */
  readonly release?: (() => void) | undefined
}

/**
 * One application's view of Cryptoki: what the library offers in process, and what a connection to
 * the service offers from outside. Errors are CryptokiErrors.
 */
export interface Application {
  call<N extends FunctionName>(
    name: N,
    inputs: InputsOf<N>,
    context?: CallContext,
  ): AnswerOf<N> | Promise<AnswerOf<N>>
  /** C_Finalize: stops what runs, closes every session. Never throws. */
  close(): Promise<void>
}
