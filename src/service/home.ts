/**
 * Where everything is. One folder, the home, holds tokens, socket, lock, log and configuration; it is
 * its owner's alone (mode 0700). The rule for the socket stands in docs/WIRE.md: the module follows it
 * too.
 */
import { lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { isRule, type Profile, profiles } from '../mechanisms/policy.ts'

/** An error whose message is for the person who started Softoki, and says the next step. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

export interface Home {
  readonly folder: string
  readonly store: string
  readonly socket: string
  readonly lock: string
  readonly log: string
  readonly configuration: string
  /** What work took (surrender/kept-durations.ts). */
  readonly durations: string
}

/** Bytes of a path in a socket address on Linux, less the zero at its end. */
const LONGEST_SOCKET = 107

/** Variables by name, as in process.env; an empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>

const withoutSlashes = (path: string): string => path.replace(/(?<=.)\/+$/, '')

function homeFolder(env: Environment): string {
  const own = env.SOFTOKI_HOME || undefined
  if (own !== undefined) {
    if (isAbsolute(own)) return withoutSlashes(own)
    throw new SetupError(`SOFTOKI_HOME is "${own}": set it to an absolute path`)
  }
  const data = env.XDG_DATA_HOME || undefined
  if (data !== undefined && isAbsolute(data)) return `${data}/softoki`
  return `${env.HOME || userInfo().homedir}/.local/share/softoki`
}

/** FNV-1a of 64 bits, in hexadecimal. */
export function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}

function socketOf(folder: string, env: Environment): string {
  const usual = `${folder}/service.sock`
  if (Buffer.byteLength(usual) <= LONGEST_SOCKET) return usual
  const temporary = withoutSlashes(env.TMPDIR || '/tmp')
  return `${temporary}/softoki-${userInfo().uid}/${hashOf(folder)}.sock`
}

/** The home that the environment names, made where it is not there. Throws a SetupError. */
export function openHome(env: Environment = process.env): Home {
  const folder = homeFolder(env)
  makePrivate(folder)
  return {
    folder,
    store: join(folder, 'tokens.db'),
    socket: socketOf(folder, env),
    lock: join(folder, 'service.lock'),
    log: join(folder, 'service.log'),
    configuration: join(folder, 'softoki.json'),
    durations: join(folder, 'durations.json'),
  }
}

/** Makes a folder where there is none. Throws a SetupError unless it is this user's alone. */
export function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new SetupError(
      `${folder} cannot be made (${(error as NodeJS.ErrnoException).code}): set SOFTOKI_HOME to a folder of yours`,
    )
  }
  const status = lstatSync(folder)
  if (!status.isDirectory())
    throw new SetupError(`${folder} is no folder: set SOFTOKI_HOME to another`)
  if (status.uid !== userInfo().uid)
    throw new SetupError(`${folder} belongs to another user: set SOFTOKI_HOME to a folder of yours`)
  if ((status.mode & 0o077) !== 0)
    throw new SetupError(`others may look into ${folder}: chmod 700 ${folder}`)
}

const rule = z
  .string()
  .refine(isRule, { error: ({ input }) => `${input} is no mechanism, family or version` })

const shape = z.strictObject({
  /** The service leaves after so many minutes without a client; 0: never. */
  idleMinutes: z.number().min(0).max(525_600).default(10),
  /** A function that goes on without its session (C_AsyncGetID) is dropped after so many days; 0: when a service starts. */
  operationDays: z.number().min(0).max(36_500).default(30),
  /** Which mechanisms are offered. docs/MECHANISMS.md lists names, families and profiles. */
  mechanisms: z
    .strictObject({
      profile: z.enum(Object.keys(profiles) as [Profile, ...Profile[]]).default('default'),
      allow: z.array(rule).max(1000).default([]),
      deny: z.array(rule).max(1000).default([]),
    })
    .prefault({}),
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
})

export type Configuration = z.infer<typeof shape>

/** Reads softoki.json; defaults where there is none. Throws a SetupError that names file and key. */
export function readConfiguration({ configuration }: Home): Configuration {
  let text: string
  try {
    text = readFileSync(configuration, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return shape.parse({})
    throw new SetupError(
      `${configuration} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
  try {
    return shape.parse(JSON.parse(text))
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new SetupError(`${configuration}: ${why.replaceAll('✖ ', '').replaceAll('\n', ' ')}`)
  }
}

/** SOFTOKI_SURRENDER_MS: the pace, in milliseconds. */
export function surrenderInterval(env: Environment = process.env): number | undefined {
  const text = env.SOFTOKI_SURRENDER_MS || undefined
  if (text === undefined) return undefined
  const interval = Number(text)
  if (/^\d+$/.test(text) && interval <= 3_600_000) return interval
  throw new SetupError(`SOFTOKI_SURRENDER_MS is "${text}": give milliseconds from 0 to 3600000`)
}
