/** The protocols a connection may speak, and the frames that travel back while a call is under way. */
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
export const SURRENDER = { call: 0x53010000, head: head(0x53010000, 'uuu') }
export const READ = { call: 0x53010001, head: head(0x53010001, 'uu') }
export const PUT = { call: 0x53010002, head: head(0x53010002, 'ua') }
export const SURRENDERED = { call: SURRENDER.call, head: head(SURRENDER.call, 'u') }
export const HAVE_READ = { call: READ.call, head: head(READ.call, 'a') }

/** What the service gives back of a call's parameter, ahead of the answer. */
export const BACK = { call: 0x53010004, head: head(0x53010004, 'W') }

/** What the client sends to have a call stopped. */
export const STOP = { call: 0x53010003, head: head(0x53010003, '') }

/** Progress is told in millionths. */
export const MILLION = 1_000_000

export interface Protocol {
  /** The byte the service answers. */
  readonly version: number
  readonly calls: Calls
  readonly mostBody: number
  /** Callbacks, data that stays with the client and output ahead of the answer: the extension only. */
  readonly extended: boolean
  /** The program that C_Initialize names; throws a CryptokiError where it may not begin. */
  programOf(inputs: readonly unknown[]): string
  /** What C_Initialize answers. */
  readonly greeting: unknown
}

const p11kit = (version: number): Protocol => ({
  version,
  calls: p11kitCalls(version),
  mostBody: MOST_BODY,
  extended: false,
  programOf(inputs) {
    checkHandshake(inputs)
    return 'p11-kit'
  },
  greeting: undefined,
})

/** The protocol for the version byte a client sent. */
export type ProtocolFor = (version: number) => Protocol

/** All protocols; `parameters` tells for each CKM_ number whose parameter is a structure which one. */
export function protocols(parameters: readonly ParameterRow[]): ProtocolFor {
  const extension: Protocol = {
    version: EXTENSION,
    calls: extensionCalls(namedStructures(parameters)),
    mostBody: MOST_EXTENSION_BODY,
    extended: true,
    programOf: ([program]) => String(program),
    greeting: layoutsOf(parameters),
  }
  const versions = [p11kit(0), p11kit(1), p11kit(NEWEST)] as const
  return (version) => (version === EXTENSION ? extension : (versions[version] ?? versions[NEWEST]))
}
