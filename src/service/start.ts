/** A connection to the service of a home, which is started where none runs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Environment, type Home, openHome, readConfiguration, SetupError } from './home.ts'

/** A service may leave while a client comes; so many times it is started anew. */
const ATTEMPTS = 5

const main = `${import.meta.dirname}/main${extname(import.meta.filename)}`

/**
 * What the program is run with. Node keeps what it compiled, types stripped, beside the native parts, so
 * that a service starts in half the time and needs no compiler of types in its memory; the workers
 * follow. A young generation that fits the processor's cache serves calls a quarter faster than one of 16
 * MiB, and threads that collect it would take the processor from the application. The module does the
 * same (native/module/launch.c).
 */
const compiled = fileURLToPath(new URL('../../native/build/compiled', import.meta.url))
export const COMMAND: readonly string[] = [
  '--max-semi-space-size=1',
  '--no-parallel-scavenge',
  main,
]
export const COMPILED: Environment = { NODE_COMPILE_CACHE: compiled }

/** What a service gets to see of its starter's environment: nothing secret, such as SOFTOKI_PIN, and nothing that is for its starter alone. */
const PASSED = /^(PATH|HOME|USER|LANG|TMPDIR|XDG_\w+|SOFTOKI_HOME)$/

export interface StartOptions {
  /** Seconds that a service started here stays without a client; else as configured. */
  readonly linger?: number
}

/** Throws a SetupError where the home cannot be used or no service starts. */
export async function connectToService(
  env: Environment = process.env,
  options: StartOptions = {},
): Promise<Socket> {
  const home = openHome(env)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const socket = await tryToConnect(home.socket)
    if (socket !== undefined) return socket
    await start(home, env, options)
  }
  throw new SetupError(`the service does not stay: see ${home.log}`)
}

/** undefined where nobody listens. */
function tryToConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    }
    const socket = createConnection(path, () => resolve(socket.off('error', refused)))
    socket.once('error', refused)
  })
}

/** Starts a service apart from this process and waits until one listens. */
async function start(home: Home, env: Environment, { linger }: StartOptions): Promise<void> {
  readConfiguration(home)
  const passed = Object.entries(env).filter(([name]) => PASSED.test(name))
  const lingering = linger === undefined ? [] : ['--linger', String(linger)]
  const child = spawn(process.execPath, [...COMMAND, '--detached', ...lingering], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(passed), ...COMPILED, SOFTOKI_READY_FD: '3' },
  })
  child.unref()
  const ready = child.stdio[3] as Readable
  const complaint = text(child.stderr as Readable).catch(() => '')
  const [byte] = await Promise.race([once(ready, 'data'), once(ready, 'end'), once(child, 'error')])
  ready.destroy()
  if (byte instanceof Uint8Array) return void child.stderr?.destroy()
  throw new SetupError(reasonIn(await complaint) ?? `the service did not start: see ${home.log}`, {
    cause: byte,
  })
}

/** Why a service did not start, as it said itself (main.ts). */
const reasonIn = (complaint: string): string | undefined => /^softoki: (.+)/m.exec(complaint)?.[1]
