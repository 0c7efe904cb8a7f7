/**
 * The process of the service: node src/service/main.ts [--stdio] [--detached] [--linger SECONDS]
 * [--ready-fd N]. --detached logs to the home's file; the module starts it so. Descriptor N (or
 * SOFTOKI_READY_FD) gets one byte when a service listens, this one or one that was there before.
 * Where none listens, standard error tells why on a line that begins "softoki: ". With SOFTOKI_LOG the
 * log tells every call of every application, on standard error or in the file that it names.
 * --linger says how long it stays without a client, in place of idleMinutes.
 */
import { closeSync, renameSync, statSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import pino, { type Logger } from 'pino'
import { giveMemoryBack, leaveNoCoreFile } from '../engine/binding.ts'
import { type Environment, type Home, openHome, readConfiguration, SetupError } from './home.ts'
import { type Service, startService } from './service.ts'
import { serveStdio } from './stdio.ts'
import { logDescriptor } from './trace-log.ts'

export interface ServeOptions {
  readonly stdio?: boolean | undefined
  readonly detached?: boolean | undefined
  readonly readyFd?: number | undefined
  /** Seconds. */
  readonly linger?: number | undefined
  readonly env?: Environment | undefined
}

interface ListenOptions extends ServeOptions {
  readonly traces: boolean
}

/** A log of so many bytes is put aside when a service starts: 4 MiB. */
const MOST_LOG = 4 << 20

const SECOND = 1000
const STDERR = 2

/** `descriptor` is that of SOFTOKI_LOG, which counts before all else. */
function logTo({ log }: Home, descriptor: number | undefined, detached: boolean): Logger {
  const base = { pid: process.pid }
  if (descriptor !== undefined || !detached)
    return pino({ base }, pino.destination({ dest: descriptor ?? STDERR, sync: true }))
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > MOST_LOG) renameSync(log, `${log}.1`)
  return pino({ base }, pino.destination({ dest: log, sync: true, mode: 0o600 }))
}

function tellReady(fd: number | undefined): void {
  if (fd === undefined) return
  try {
    writeSync(fd, '.')
    closeSync(fd)
  } catch {
    // Whoever started this waits no more, which is no reason to leave.
  }
}

/** Runs the service until it is over. Throws a SetupError, or a CryptokiError of the store, where it cannot start. */
export async function serve(options: ServeOptions = {}): Promise<void> {
  const { env = process.env, detached = false } = options
  if (options.stdio) return serveStdio(env)
  process.umask(0o077)
  leaveNoCoreFile()
  giveMemoryBack()
  // Whoever started this reads its complaints until it listens, and no longer.
  if (detached) process.stderr.on('error', () => {})
  const home = openHome(env)
  const descriptor = logDescriptor(env)
  const log = logTo(home, descriptor, detached)
  try {
    await listen(home, log, { ...options, traces: descriptor !== undefined })
  } catch (error) {
    if (detached) log.fatal({ err: error }, 'the service did not start')
    throw error
  }
}

async function listen(home: Home, log: Logger, options: ListenOptions): Promise<void> {
  const { env = process.env, linger, traces } = options
  const configuration = readConfiguration(home)
  // Calls are told as pino's "info".
  log.level = traces && configuration.logLevel !== 'debug' ? 'info' : configuration.logLevel
  const service = await startService({
    home,
    configuration,
    log,
    env,
    traces,
    linger: linger === undefined ? undefined : linger * SECOND,
  })
  if (service === undefined) log.info('a service is running already')
  // Whoever is told that a service listens may end it at once: the signals come first.
  const over = service && untilOver(service, options.detached ?? false)
  tellReady(options.readyFd)
  await over
}

/** SIGTERM and SIGINT stop the service, and so does the end of its terminal where it is not detached. */
async function untilOver(service: Service, detached: boolean): Promise<void> {
  const stop = (signal: string) => void service.stop(signal)
  const hangUp = detached ? () => {} : stop
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', hangUp)
  await service.over
  process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', hangUp)
}

function number(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new SetupError(`${name} is "${text}": give a number`)
}

function optionsFrom(args: readonly string[], env: Environment): ServeOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      stdio: { type: 'boolean' },
      detached: { type: 'boolean' },
      linger: { type: 'string' },
      'ready-fd': { type: 'string' },
    },
  })
  return {
    env,
    stdio: values.stdio,
    detached: values.detached,
    linger: number('--linger', values.linger),
    readyFd:
      number('--ready-fd', values['ready-fd']) ?? number('SOFTOKI_READY_FD', env.SOFTOKI_READY_FD),
  }
}

async function main(): Promise<void> {
  try {
    await serve(optionsFrom(process.argv.slice(2), process.env))
  } catch (error) {
    process.stderr.write(`softoki: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

if (import.meta.main) await main()
