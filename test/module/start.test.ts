import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { compiled, modulePath, type Ran, ran, root } from './programs.ts'

interface Started {
  readonly pid: number
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly descriptors: Readonly<Record<string, string>>
  readonly folder: string
  readonly session: number
  readonly parent: number
  readonly blocked: string
  readonly ignored: string
}

const service = join(root, 'test/module/start-service.ts')
const module = modulePath({ name: 'start', service })
const program = compiled({ file: 'start.c' })

/** The bit of SIGUSR1, which the program ignores, in a mask as /proc writes it. */
const SIGUSR1 = 1n << 9n

function newHome(t: TestContext, name = 'home'): string {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-start-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const home = join(folder, name)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  return home
}

const startedIn = (home: string): Started[] =>
  readdirSync(home)
    .filter((name) => name.startsWith('started-'))
    .map((name) => JSON.parse(readFileSync(join(home, name), 'utf8')))

/** A process that has ended may wait for whoever adopted it, as a zombie. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** The services end when their last client has gone. */
async function ended(started: readonly Started[]): Promise<void> {
  while (started.some(({ pid }) => isRunning(pid))) await new Promise((r) => setTimeout(r, 50))
}

async function tried(
  t: TestContext,
  body: string,
  env: Record<string, string> = {},
): Promise<{ outcome: Ran; started: Started[] }> {
  const home = newHome(t)
  const outcome = await ran(program, home, [body], { module, env })
  const started = startedIn(home)
  await ended(started)
  return { outcome, started }
}

test('a service is started where none listens, as nobody’s child and with little of the application', async (t) => {
  const { outcome, started } = await tried(t, 'starts', {
    SECRET: 'not for the service',
    NODE_OPTIONS: '--no-such-option',
    LD_LIBRARY_PATH: '/tmp',
    XDG_DATA_HOME: '/data',
    LANG: 'C.UTF-8',
    SOFTOKI_LOG: '0',
    SOFTOKI_SURRENDER_MS: '70',
    SOFTOKI_PROGRESS: '1',
    SOFTOKI_READY_FD: '99',
    SOFTOKI_PIN: '1234',
    SOFTOKI_SO_PIN: '5678',
  })
  assert.equal(outcome.stderr, '')
  assert.equal(outcome.code, 0)
  assert.equal(started.length, 1)
  const { environment, descriptors, ...rest } = started[0] as Started
  assert.deepEqual(Object.keys(environment).toSorted(), [
    ...['HOME', 'LANG', 'NODE_COMPILE_CACHE', 'PATH', 'SOFTOKI_HOME', 'SOFTOKI_READY_FD'],
    'XDG_DATA_HOME',
  ])
  assert.equal(environment.SOFTOKI_READY_FD, '3')
  const { 0: input, 1: output, 2: error, 3: ready, ...others } = descriptors
  assert.deepEqual([input, output], ['/dev/null', '/dev/null'])
  assert.deepEqual([error, ready], ['pipe:[N]', 'pipe:[N]'])
  // Node's own pipes, its listening socket, and what it opens itself; no file of the application's.
  for (const to of Object.values(others)) assert.match(to, /^(pipe:|socket:|\/dev\/null$)/)
  assert.deepEqual(rest.arguments, ['--detached'])
  assert.equal(rest.folder, '/')
  assert.equal(rest.blocked, '0000000000000000')
  assert.equal(BigInt(`0x${rest.ignored}`) & SIGUSR1, 0n)
  assert.notEqual(rest.session, rest.pid)
  assert.notEqual(rest.parent, process.pid)
})

test('another service is started after one was killed in the middle of a call', async (t) => {
  const { outcome, started } = await tried(t, 'killed')
  assert.equal(outcome.stderr, '')
  assert.equal(outcome.code, 0)
  assert.equal(started.length, 2)
})

test('a program whose standard descriptors are closed starts a service', async (t) => {
  const { outcome } = await tried(t, 'daemon')
  assert.equal(outcome.stderr, '')
  assert.equal(outcome.code, 0)
})

test('a program that ignores its children starts a service', async (t) => {
  const { outcome } = await tried(t, 'ignores')
  assert.equal(outcome.stderr, '')
  assert.equal(outcome.code, 0)
})

test('a service that does not start fails C_Initialize, which passes on the reason', async (t) => {
  const mute = await tried(t, 'fails', { SOFTOKI_TEST_FAILS: '1' })
  assert.equal(mute.outcome.code, 0)
  assert.match(
    mute.outcome.stderr,
    /^(softoki\[\d+\]: the service did not start: run softoki serve to see why\n){2}$/,
  )
  const why = 'softoki: the moon is full: wait\nand more'
  const talking = await tried(t, 'fails', { SOFTOKI_TEST_FAILS: '1', SOFTOKI_TEST_WHY: why })
  assert.equal(talking.outcome.code, 0)
  assert.match(
    talking.outcome.stderr,
    /^(softoki\[\d+\]: the service did not start: the moon is full: wait\n){2}$/,
  )
})

test('a node that cannot be run fails C_Initialize', async (t) => {
  const home = newHome(t)
  const broken = modulePath({ name: 'broken', service, node: '/nowhere/node' })
  const outcome = await ran(program, home, ['fails'], { module: broken })
  assert.equal(outcome.code, 0)
  assert.match(
    outcome.stderr,
    /^softoki\[\d+\]: cannot run \/nowhere\/node: No such file or directory: build Softoki again where Node is\n/,
  )
})
