/** The protocols a connection may speak, and the frames that travel back while a call is under way. */
import { CK_UNAVAILABLE_INFORMATION, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type Calls, extensionCalls, head } from './calls.ts'
import { layoutsOf, namedStructures, type ParameterRow } from './layouts.ts'
import { checkHandshake, MOST_BODY, NEWEST, p11kitCalls } from './p11kit.ts'

/** The version byte of the extension: S. */
export const EXTENSION = 0x53

/** A body of the extension has at most so many bytes: 16 MiB. */
export const MOST_EXTENSION_BODY = 16 << 20

/** An error's answer: call 0, and the CK_RV. */
export const ERROR = head(0, 'u')

/** What the service asks or sends during a call, and the heads of the client's replies. */
export const SURRENDER = { call: 0x53010000, head: head(0x53010000, 'uuuuu') }
export const READ = { call: 0x53010001, head: head(0x53010001, 'uu') }
export const PUT = { call: 0x53010002, head: head(0x53010002, 'ua') }
export const SURRENDERED = { call: SURRENDER.call, head: head(SURRENDER.call, 'u') }
export const HAVE_READ = { call: READ.call, head: head(READ.call, 'a') }

/** What the service gives back of a call's parameter, ahead of the answer. */
export const BACK = { call: 0x53010004, head: head(0x53010004, 'W') }

/** What the client sends to have a call stopped. */
export const STOP = { call: 0x53010003, head: head(0x53010003, '') }

/** What the service tells a client about a call, where C_Initialize asked for it. */
export const TRACE = { call: 0x53010005, head: head(0x53010005, 'a') }

/** What the service sends once it needs nothing more of a call that it answered with CKR_PENDING. */
export const END = { call: 0x53010006, head: head(0x53010006, '') }

/** What the client asks for memory to share, the service's offer, and whether the client takes it. */
export const OFFER = {
  call: 0x53030000,
  request: head(0x53030000, ''),
  answer: head(0x53030000, 'uuu'),
}
export const SHARE = { call: 0x53030001, head: head(0x53030001, 'y') }

/** In place of the client's answer to READ, and of PUT: the bytes lie in a slot of the channel. */
export const LENT = { call: 0x53010007, head: head(0x53010007, 'yu') }
export const TAKE = { call: 0x53010008, head: head(0x53010008, 'uyu') }

/** Milliseconds between callbacks that an application may wish at most. */
export const LONGEST_INTERVAL = 3_600_000

/** What C_Initialize tells of an application. */
export interface Introduction {
  readonly program: string
  /** The process, as it says itself. */
  readonly pid?: number
  /** Whether its calls are to be told with TRACE. */
  readonly traces: boolean
  /** The pace of its callbacks in milliseconds, where it wishes one of its own. */
  readonly interval?: number
  /** Whether data that stays with it and long room can be reached after CKR_PENDING too. */
  readonly keeps: boolean
}

export interface Protocol {
  /** The byte the service answers. */
  readonly version: number
  readonly calls: Calls
  readonly mostBody: number
  /** Callbacks, data that stays with the client and output ahead of the answer: the extension only. */
  readonly extended: boolean
  /** Who the inputs of C_Initialize come from; throws a CryptokiError where it may not begin. */
  introductionOf(inputs: readonly unknown[]): Introduction
  /** What C_Initialize answers. */
  readonly greeting: unknown
}

const p11kit = (version: number): Protocol => ({
  version,
  calls: p11kitCalls(version),
  mostBody: MOST_BODY,
  extended: false,
  introductionOf(inputs) {
    checkHandshake(inputs)
    return { program: 'p11-kit', traces: false, keeps: false }
  },
  greeting: undefined,
})

/** The protocol for the version byte a client sent. */
export type ProtocolFor = (version: number) => Protocol

/** The inputs of the extension's C_Initialize. */
export type IntroductionInputs = readonly [
  program: string,
  pid: number,
  traces: boolean,
  interval: number,
  keeps: boolean,
]

/** What an application introduces itself with. */
export const introductionInputs = (introduction: Introduction): IntroductionInputs => [
  introduction.program,
  introduction.pid ?? 0,
  introduction.traces,
  introduction.interval ?? CK_UNAVAILABLE_INFORMATION,
  introduction.keeps,
]

function introductionOf(inputs: IntroductionInputs): Introduction {
  const [program, pid, traces, interval, keeps] = inputs
  const introduction = { program, pid, traces, keeps }
  if (interval === CK_UNAVAILABLE_INFORMATION) return introduction
  if (interval > LONGEST_INTERVAL)
    throw new CryptokiError(CKR.ARGUMENTS_BAD, `a pace of ${interval} ms: at most 3600000`)
  return { ...introduction, interval }
}

/** All protocols; `parameters` tells for each CKM_ number whose parameter is a structure which one. */
export function protocols(parameters: readonly ParameterRow[]): ProtocolFor {
  const extension: Protocol = {
    version: EXTENSION,
    calls: extensionCalls(namedStructures(parameters)),
    mostBody: MOST_EXTENSION_BODY,
    extended: true,
    introductionOf: (inputs) => introductionOf(inputs as IntroductionInputs),
    greeting: layoutsOf(parameters),
  }
  const versions = [p11kit(0), p11kit(1), p11kit(NEWEST)] as const
  return (version) => (version === EXTENSION ? extension : (versions[version] ?? versions[NEWEST]))
}
