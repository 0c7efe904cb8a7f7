/**
 * The service: a library on the home's store, and the connections of its applications. At most one
 * runs for a home. It leaves by itself after a time without any client.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { KeptDurations, type Library, openLibrary } from '../cryptoki.ts'
import { parameterStructures } from '../mechanisms/table.ts'
import type { Application } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { openSqliteStore } from '../store/sqlite.ts'
import { Connection } from '../wire/connection.ts'
import { type Introduction, protocols } from '../wire/protocol.ts'
import { WireError } from '../wire/reader.ts'
import {
  type Configuration,
  type Environment,
  type Home,
  makePrivate,
  SetupError,
  surrenderInterval,
} from './home.ts'
import { type Lock, takeLock } from './lock.ts'

export interface Setting {
  readonly home: Home
  readonly configuration: Configuration
  readonly log: Logger
  readonly env: Environment
  /** Whether the log tells every call. */
  readonly traces?: boolean
  /** Milliseconds that it stays without a client, in place of idleMinutes. */
  readonly linger?: number | undefined
}

/** A service waits at least so long for its first client, in milliseconds. */
const FIRST_LINGER = 10_000

/** How long a service that comes or leaves may hold the lock and not listen; how often to look. */
const PATIENCE = 20_000
const LOOK_AGAIN = 25

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

async function libraryIn({ home, configuration, env, log }: Setting): Promise<Library> {
  const interval = surrenderInterval(env)
  const store = await openSqliteStore(home.store)
  const durations = new KeptDurations(home.durations, (err, doing) => log.warn({ err }, doing))
  return openLibrary({
    store,
    durations,
    policy: configuration.mechanisms,
    ...(interval === undefined ? {} : { interval }),
  })
}

/** A service that listens. */
export interface Service {
  /** Resolves when it is over. */
  readonly over: Promise<void>
  /** Stops accepting, ends every call, closes the store. */
  stop(why: string): Promise<void>
}

/** Listens in the home; undefined where a service does already. */
export async function startService(setting: Setting): Promise<Service | undefined> {
  const lock = await lockOrServed(setting.home)
  if (lock === undefined) return undefined
  try {
    const library = await libraryIn(setting)
    try {
      const service = new ListeningService(setting, library, lock)
      await service.listen()
      return service
    } catch (error) {
      await library.close()
      throw error
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** The lock; undefined where another service listens. */
async function lockOrServed({ lock, socket }: Home): Promise<Lock | undefined> {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    const taken = takeLock(lock)
    if (taken !== undefined) return taken
    if (await isServed(socket)) return undefined
    // Who holds the lock and does not listen is about to, or about to leave.
    if (performance.now() > deadline)
      throw new SetupError(`another process holds ${lock} and does not listen: end it`)
    await pause(LOOK_AGAIN)
  }
}

const isServed = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(path, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/**
 * The descriptor of a socket, by which memory is passed to its client. Node documents no way to it; where
 * this one should go, clients use the socket alone.
 */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { _handle?: { fd?: unknown } }
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined
}

class ListeningService implements Service {
  readonly over: Promise<void>
  readonly #setting: Setting
  readonly #library: Library
  readonly #lock: Lock
  readonly #protocolFor = protocols(parameterStructures())
  readonly #connections = new Set<Connection>()
  readonly #server: Server
  readonly #settle: () => void
  #idle: NodeJS.Timeout | undefined
  #daily: NodeJS.Timeout | undefined
  #stopping: Promise<void> | undefined

  constructor(setting: Setting, library: Library, lock: Lock) {
    this.#setting = setting
    this.#library = library
    this.#lock = lock
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.#settle = resolve
    this.#server = createServer((socket) => void this.#serve(socket))
  }

  /** A socket file that lies there is that of a service that died: its lock is ours. */
  async listen(): Promise<void> {
    const { socket } = this.#setting.home
    makePrivate(dirname(socket))
    rmSync(socket, { force: true })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(socket, resolve)
    })
    chmodSync(socket, 0o600)
    this.#setting.log.info({ socket }, 'listening')
    this.#waitForClients(FIRST_LINGER)
    this.#dropOldOperations()
    this.#daily = setInterval(() => this.#dropOldOperations(), DAY)
  }

  /** What is too old to be fetched goes; where the store fails, it goes another day. */
  #dropOldOperations(): void {
    const { operationDays } = this.#setting.configuration
    this.#library
      .dropOldOperations(operationDays)
      .catch((error) => this.#log(error, 'dropping old operations'))
  }

  stop(why: string): Promise<void> {
    this.#stopping ??= this.#stop(why)
    return this.#stopping
  }

  async #serve(stream: Socket): Promise<void> {
    clearTimeout(this.#idle)
    const connection = new Connection(stream, {
      open: (introduction) => this.#open(introduction),
      protocolFor: this.#protocolFor,
      socket: descriptorOf(stream),
      operations: {
        list: () => this.#library.operations(),
        cancel: (id) => this.#library.cancelOperation(id),
      },
      trace: this.#setting.traces
        ? (line, { program, pid }) => this.#setting.log.info({ program, application: pid }, line)
        : undefined,
      log: (error, doing) => this.#log(error, doing),
    })
    this.#connections.add(connection)
    await connection.over
    this.#connections.delete(connection)
    this.#waitForClients(0)
  }

  #open({ program, pid, interval }: Introduction): Application {
    if (this.#stopping !== undefined)
      throw new CryptokiError(CKR.DEVICE_REMOVED, 'the service is leaving')
    this.#setting.log.info({ program, application: pid }, 'an application begins')
    return this.#library.open(program, interval)
  }

  #log(error: unknown, doing: string): void {
    const { log } = this.#setting
    if (error instanceof WireError) log.warn(`a client broke the protocol: ${error.message}`)
    else log.error({ err: error }, doing)
  }

  #waitForClients(atLeast: number): void {
    const { configuration, linger = configuration.idleMinutes * MINUTE } = this.#setting
    const stays = linger === 0 && this.#setting.linger === undefined
    if (this.#connections.size > 0 || this.#stopping !== undefined || stays) return
    clearTimeout(this.#idle)
    const wait = Math.max(linger, atLeast)
    this.#idle = setTimeout(() => void this.stop('nobody is here any more'), wait)
  }

  async #stop(why: string): Promise<void> {
    this.#setting.log.info({ why }, 'stopping')
    clearTimeout(this.#idle)
    clearInterval(this.#daily)
    // Closing takes the socket away as well; the lock goes last, so that nobody else's is taken.
    this.#server.close()
    await Promise.all(Array.from(this.#connections, (connection) => connection.close()))
    await this.#library.close()
    this.#lock.release()
    this.#settle()
  }
}
