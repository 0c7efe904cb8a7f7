/** Real parts for tests: a service in a temporary home, the module, C programs and foreign tools. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { COMMAND, COMPILED } from '../src/service/start.ts'
import { modulePath as moduleBuilt, SANITIZERS, sanitize } from './module/programs.ts'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const softoki = join(root, 'bin/softoki.mjs')

export const SO_PIN = 'so-pin-90210'
export const PIN = 'user-pin-5271'

/** No run of a program comes near this; it keeps a call that hangs from hanging the tests. */
const WATCHDOG_MS = 180_000

/** A process that was told to end is killed after this. */
const PATIENCE_MS = 20_000

export type Environment = Record<string, string>

/** What is left of a program that ended. */
export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Service {
  readonly home: string
  /** For programs that are to find this service. */
  readonly environment: Environment
  /** Of the service that runs now. */
  readonly pid: number
  /** Ends the service as a user would, with SIGTERM. */
  stop(): Promise<void>
  /** Ends the service as a power cut would. */
  kill9(): Promise<void>
  /** Ends the service, where it runs, and starts another in the same home. */
  restart(): Promise<void>
}

/** What lasts as long as a test does: its TestContext. */
export interface Scope {
  after(end: () => unknown): void
  diagnostic(message: string): void
}

const makeFolder = () => mkdtempSync(join(tmpdir(), 'softoki-'))
const removeFolder = (folder: string) => rmSync(folder, { recursive: true, force: true })

/** A folder that goes with the test. */
export function temporaryFolder(t: Scope): string {
  const folder = makeFolder()
  t.after(() => removeFolder(folder))
  return folder
}

/** Our own environment without what steers Softoki, p11-kit or the test runner, and with `more`. */
export function environmentWith(more: Environment): Environment {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(SOFTOKI_|P11_KIT_|NODE_TEST)/.test(name),
  )
  return { ...(Object.fromEntries(own) as Environment), ...more }
}

type HomeEnvironment = Environment & { readonly SOFTOKI_HOME: string }

/**
 * An environment for a home that is not made yet. After the test comes `first`, then every service
 * that programs started there is ended, then the folder is removed.
 */
export function emptyHome(
  t: Scope,
  settings: Environment = {},
  first: () => unknown = () => {},
): HomeEnvironment {
  const folder = makeFolder()
  const home = join(folder, 'home')
  t.after(async () => {
    await first()
    await Promise.all(servicesOf(home).map(endProcess))
    removeFolder(folder)
  })
  return { ...environmentWith(settings), SOFTOKI_HOME: home }
}

/** Starts a service in a home of its own; `settings` are further environment variables. */
export async function startService(t: Scope, settings: Environment = {}): Promise<Service> {
  let child: ChildProcess | undefined
  const endWith = async (signal: NodeJS.Signals) => child && end(child, signal)
  const environment = emptyHome(t, settings, () => endWith('SIGTERM'))
  mkdirSync(environment.SOFTOKI_HOME, { mode: 0o700 })
  writeFileSync(join(environment.SOFTOKI_HOME, 'softoki.json'), '{ "logLevel": "warn" }')
  modulePath()
  child = await launch(environment)
  return {
    home: environment.SOFTOKI_HOME,
    environment,
    get pid() {
      return child?.pid as number
    },
    stop: () => endWith('SIGTERM'),
    kill9: () => endWith('SIGKILL'),
    async restart() {
      await endWith('SIGTERM')
      child = await launch(environment)
    },
  }
}

/** Makes a token with SO_PIN and PIN. */
export async function initToken(service: Service, label = 'test'): Promise<void> {
  const pins = ['--so-pin', SO_PIN, '--pin', PIN]
  const made = await run(
    process.execPath,
    [softoki, 'init', '--label', label, ...pins],
    service.environment,
  )
  assert.equal(made.status, 0, made.stderr)
}

/** A service with the token "test". */
export async function startToken(t: Scope, settings: Environment = {}): Promise<Service> {
  const service = await startService(t, settings)
  await initToken(service)
  return service
}

async function launch(environment: Environment): Promise<ChildProcess> {
  const child = spawn(process.execPath, COMMAND, {
    env: { ...environment, ...COMPILED, SOFTOKI_READY_FD: '3' },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const ready = once(child.stdio[3] as NodeJS.ReadableStream, 'data')
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the service did not start: ${signal ?? `status ${code}`}`)
  })
  ended.catch(() => {})
  await Promise.race([ready, ended])
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  let ignored = false
  const tooLate = setTimeout(() => {
    ignored = child.kill('SIGKILL')
  }, PATIENCE_MS)
  child.kill(signal)
  await exit
  clearTimeout(tooLate)
  assert.ok(!ignored, `the service ignored ${signal}`)
}

let built = false

/** Builds the native parts where they are not up to date; answers the path of the module. */
export function modulePath(): string {
  if (!built) buildNative()
  built = true
  return moduleBuilt()
}

function buildNative(): void {
  execFileSync(process.execPath, [join(root, 'scripts/build-native.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Compiles a C program of the tests; answers the path of the executable. */
export function compile(t: Scope, source: string, ...flags: string[]): string {
  const program = join(temporaryFolder(t), basename(source, '.c'))
  const headers = ['generated', 'include'].flatMap((name) => [
    '-I',
    join(root, 'native/module', name),
  ])
  const strict = [
    '-std=gnu11',
    '-D_GNU_SOURCE',
    '-O1',
    '-g',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-pthread',
    ...(sanitize ? SANITIZERS : []),
  ]
  execFileSync('cc', [...strict, ...headers, '-o', program, source, ...flags, '-ldl'], {
    stdio: 'inherit',
  })
  return program
}

function leftOut(t: Scope, what: string): undefined {
  if (process.env.CI) assert.fail(`${what} is not installed: .ci/run installs it`)
  t.diagnostic(`left out: ${what} is not installed on this machine`)
  return undefined
}

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a foreign program. Where it is missing: a failure in CI, elsewhere undefined and a note. */
export function tool(t: Scope, name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? leftOut(t, name)
}

/** The path of a foreign shared object; looked for where Linux distributions put such things. */
export function library(t: Scope, name: string): string | undefined {
  const machine =
    { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string] ?? ''
  const roots = [`/usr/lib/${machine}`, '/usr/lib64', '/usr/lib', '/usr/local/lib']
  const paths = roots.flatMap((folder) =>
    ['', 'pkcs11', 'softhsm'].map((within) => join(folder, within, name)),
  )
  return paths.find((path) => existsSync(path)) ?? leftOut(t, name)
}

/** The path of a file of a foreign package, such as a header. */
export const fileOf = (t: Scope, path: string): string | undefined =>
  existsSync(path) ? path : leftOut(t, path)

/** A program that runs. */
export class Program {
  readonly child: ChildProcess
  readonly #ended: Promise<Ended>
  #stdout = ''
  #stderr = ''

  constructor(
    file: string,
    args: readonly string[],
    env: Environment,
    input?: Uint8Array | string,
  ) {
    this.child = spawn(file, args, {
      env,
      stdio: 'pipe',
      timeout: WATCHDOG_MS,
      killSignal: 'SIGKILL',
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    // A program that ends before it read everything is no error of ours.
    this.child.stdin?.on('error', () => {})
    if (input !== undefined) this.child.stdin?.end(input)
    this.#ended = once(this.child, 'close').then(([status, signal]) => ({
      status,
      signal,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
    this.#ended.catch(() => {})
  }

  get pid(): number {
    return this.child.pid as number
  }

  /** Waits until the program has printed this, or ended. */
  async printed(text: string): Promise<void> {
    while (
      !this.#stdout.includes(text) &&
      this.child.exitCode === null &&
      this.child.signalCode === null
    )
      await sleep(5)
    assert.ok(this.#stdout.includes(text), `no "${text}" in: ${this.#stdout}${this.#stderr}`)
  }

  /** Waits until standard output and standard error have a match; answers its first group. */
  async matched(pattern: RegExp): Promise<string> {
    const group = () => pattern.exec(this.#stdout + this.#stderr)?.[1]
    while (group() === undefined && this.child.exitCode === null && this.child.signalCode === null)
      await sleep(5)
    return group() ?? assert.fail(`no match of ${pattern} in: ${this.#stdout}${this.#stderr}`)
  }

  write(text: string): void {
    this.child.stdin?.write(text)
  }

  /** Closes the program's standard input and waits for its end. */
  end(): Promise<Ended> {
    this.child.stdin?.end()
    return this.#ended
  }
}

/** Starts a program, which does not outlive the test. */
export function start(t: Scope, file: string, args: readonly string[], env: Environment): Program {
  const program = new Program(file, args, env)
  t.after(() => program.child.kill('SIGKILL'))
  return program
}

/** Runs a program to its end. */
export const run = (
  file: string,
  args: readonly string[],
  env: Environment,
  input?: Uint8Array | string,
) => new Program(file, args, env, input).end()

/** Runs a program that must end with status 0; answers what it printed. `first` comes before the words of a run. */
export const runner =
  (file: string, environment: Environment, ...first: string[]) =>
  async (...words: string[]) => {
    const { status, signal, stdout, stderr } = await run(file, [...first, ...words], environment)
    assert.equal(status, 0, `${words.join(' ')}: ${signal ?? status}\n${stdout}${stderr}`)
    return stdout + stderr
  }
export type Runner = ReturnType<typeof runner>

/**
 * Runs a C program of the tests, which prints one JSON object a line and ends with status 0; answers
 * the objects merged into one.
 */
export async function report<Result>(
  program: string,
  args: readonly string[],
  env: Environment,
): Promise<Result> {
  return resultOf<Result>(await run(program, args, env))
}

export function resultOf<Result>({ status, signal, stdout, stderr }: Ended): Result {
  assert.equal(status, 0, `${signal ?? `status ${status}`}: ${stdout}${stderr}`)
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
  return Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Result
}

const isNumber = (name: string) => /^\d+$/.test(name)

/** A file of /proc; empty where the process is gone. */
function procFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Processes that run src/service/main.ts for a home. */
export function servicesOf(home: string): number[] {
  const isOne = (pid: string) =>
    procFile(`/proc/${pid}/cmdline`).includes('src/service/main.ts') &&
    procFile(`/proc/${pid}/environ`).split('\0').includes(`SOFTOKI_HOME=${home}`)
  return readdirSync('/proc').filter(isNumber).filter(isOne).map(Number)
}

/** The child processes of a process. */
export function childrenOf(pid: number): number[] {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : []
  return threads
    .flatMap((thread) => procFile(`/proc/${pid}/task/${thread}/children`).split(' '))
    .filter(isNumber)
    .map(Number)
}

/** Whether a process is there and no zombie. */
export const isAlive = (pid: number): boolean =>
  /^State:\s+[^ZX]/m.test(procFile(`/proc/${pid}/status`))

/** Ends a process that is not our child, and waits until it is gone. */
export async function endProcess(pid: number): Promise<void> {
  if (!isAlive(pid)) return
  process.kill(pid, 'SIGTERM')
  for (let waited = 0; isAlive(pid); waited += 10) {
    if (waited === PATIENCE_MS) process.kill(pid, 'SIGKILL')
    await sleep(10)
  }
}
