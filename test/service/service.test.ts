import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectToService } from '../../src/service/start.ts'
import { CKA, CKF, CKM, CKR, CKU } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import type { Notify, Progress } from '../../src/standard/progress.ts'
import { connect } from '../../src/wire/client.ts'
import {
  type Environment,
  emptyHome,
  endProcess,
  isAlive,
  Program,
  root,
  run,
  type Scope,
  servicesOf,
  startService,
  startToken,
  temporaryFolder,
} from '../service.ts'

const main = join(root, 'src/service/main.ts')

const gone = async (pid: number) => {
  while (isAlive(pid)) await sleep(5)
}

/** Starts a service; resolves to whether it, or another, got ready, and its end. */
function launch(env: Environment, ...words: string[]) {
  const child = spawn(process.execPath, [main, ...words], {
    env: { ...env, SOFTOKI_READY_FD: '3' },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ready = once(child.stdio[3] as NodeJS.ReadableStream, 'data')
  const end = once(child, 'close').then(([status]) => ({ status: status as number, stderr }))
  return { child, ready, end }
}

const socketOf = (env: Environment) => `${env.SOFTOKI_HOME}/service.sock`

/** A token with a logged in user, through a client. */
async function openToken(env: Environment) {
  const client = await connect(socketOf(env), 'a test')
  const pin = Buffer.from('1234')
  await client.call('C_InitToken', [0, pin, Buffer.from('test'.padEnd(32))])
  const flags = CKF.SERIAL_SESSION | CKF.RW_SESSION
  const session = await client.call('C_OpenSession', [0, flags, true])
  await client.call('C_Login', [session, CKU.SO, Buffer.from('1234')])
  await client.call('C_InitPIN', [session, Buffer.from('1234')])
  await client.call('C_Logout', [session])
  await client.call('C_Login', [session, CKU.USER, Buffer.from('1234')])
  return { client, session }
}

test("the socket and every file of the home are their owner's alone", async (t) => {
  const { home, environment } = await startService(t)
  const modeOf = (name: string) => statSync(join(home, name)).mode & 0o777
  for (const name of ['service.sock', 'service.lock', 'tokens.db'])
    assert.equal(modeOf(name), 0o600)
  assert.equal(statSync(home).mode & 0o777, 0o700)
  assert.ok(environment.SOFTOKI_HOME)
})

test('the service writes no core file', async (t) => {
  const service = await startService(t)
  const limits = readFileSync(`/proc/${service.pid}/limits`, 'utf8')
  assert.match(limits, /^Max core file size +0 +0 /m)
})

test('of services started at once exactly one lives; all say when it listens', async (t) => {
  const environment = emptyHome(t)
  const started = Array.from({ length: 4 }, () => launch(environment))
  await Promise.all(started.map(({ ready }) => ready))
  const ended = await Promise.race([
    Promise.all(started.map(({ end }) => end)),
    (async () => {
      while (started.filter(({ child }) => child.exitCode === null).length > 1) await sleep(5)
    })(),
  ])
  assert.equal(ended, undefined, 'one goes on')
  for (const { child } of started) assert.ok(child.exitCode === null || child.exitCode === 0)
  const alive = started.find(({ child }) => child.exitCode === null)
  alive?.child.kill('SIGTERM')
  assert.equal((await alive?.end)?.status, 0)
})

test('a service takes the place of one that was killed', async (t) => {
  const service = await startService(t)
  await service.kill9()
  assert.ok(statSync(socketOf(service.environment)).isSocket(), 'its socket lies there')
  await service.restart()
  const client = await connect(socketOf(service.environment))
  assert.equal((await client.call('C_GetInfo', [])).manufacturerID, 'Softoki')
  await client.close()
})

test('SIGTERM stops what runs, answers it, and ends the service with status 0', async (t) => {
  const environment = emptyHome(t)
  const { child, ready, end } = launch(environment)
  await ready
  const { client, session } = await openToken(environment)
  const called = Promise.withResolvers<void>()
  const mechanism = { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null }
  const bits = Buffer.alloc(8)
  bits.writeBigUInt64LE(16384n)
  const notify = () => {
    called.resolve()
    return CKR.OK
  }
  const generation = client.call(
    'C_GenerateKeyPair',
    [session, mechanism, [{ type: 0x121, value: bits }], []],
    { notify },
  )
  await called.promise
  child.kill('SIGTERM')
  await assert.rejects(
    Promise.resolve(generation),
    (error) => error instanceof CryptokiError && error.rv === CKR.FUNCTION_CANCELED,
  )
  assert.equal((await end).status, 0)
})

/** Makes an RSA key pair, and answers what its last callback was told. */
async function lastProgress(env: Environment): Promise<Progress | undefined> {
  const client = await connect(socketOf(env), 'a test', { interval: 0 })
  const flags = CKF.SERIAL_SESSION | CKF.RW_SESSION
  const session = await client.call('C_OpenSession', [0, flags, true])
  const mechanism = { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null }
  let last: Progress | undefined
  const notify: Notify = (_event, progress) => {
    last = progress
    return CKR.OK
  }
  const bits = Buffer.alloc(8)
  bits.writeBigUInt64LE(1024n)
  const sized = [{ type: CKA.MODULUS_BITS, value: bits }]
  const open = [{ type: CKA.PRIVATE, value: Uint8Array.of(0) }]
  await client.call('C_GenerateKeyPair', [session, mechanism, sized, open], { notify })
  await client.close()
  return last
}

test('what work took before is told after a restart too, and a damaged record is as none', async (t) => {
  const service = await startToken(t)
  const record = join(service.home, 'durations.json')
  assert.equal((await lastProgress(service.environment))?.usual, undefined)
  await service.restart()
  assert.equal(statSync(record).mode & 0o777, 0o600)
  const usual = (await lastProgress(service.environment))?.usual
  assert.ok(usual !== undefined && usual > 0 && usual < 60_000, `${usual} ms`)
  await service.stop()
  writeFileSync(record, '{"generateRsaKeyPair 1024":[12')
  await service.restart()
  assert.equal((await lastProgress(service.environment))?.usual, undefined)
  await service.stop()
  assert.match(readFileSync(record, 'utf8'), /^\{"generateRsaKeyPair 1024":\[\d+\]\}$/)
})

test('a service leaves when nobody has been there for idleMinutes', async (t) => {
  const environment = emptyHome(t)
  mkdirSync(environment.SOFTOKI_HOME, { mode: 0o700 })
  writeFileSync(join(environment.SOFTOKI_HOME, 'softoki.json'), '{ "idleMinutes": 0.001 }')
  const { ready, end } = launch(environment, '--detached')
  await ready
  const client = await connect(socketOf(environment))
  await client.close()
  assert.equal((await end).status, 0)
  const log = readFileSync(join(environment.SOFTOKI_HOME, 'service.log'), 'utf8')
  assert.match(log, /nobody is here/)
})

test('a configuration that is wrong is told, in the log where there is no terminal', async (t) => {
  const environment = emptyHome(t)
  mkdirSync(environment.SOFTOKI_HOME, { mode: 0o700 })
  writeFileSync(join(environment.SOFTOKI_HOME, 'softoki.json'), '{ "color": 1 }')
  const here = await launch(environment).end
  assert.equal(here.status, 1)
  assert.match(here.stderr, /softoki\.json.*"color"/)
  assert.equal((await launch(environment, '--detached').end).status, 1)
  const log = readFileSync(join(environment.SOFTOKI_HOME, 'service.log'), 'utf8')
  assert.match(log, /color/)
  await assert.rejects(connectToService(environment), /"color"/)
})

test('a client starts a service where none runs, which sees no PIN', async (t) => {
  const environment = emptyHome(t, { SOFTOKI_PIN: 'secret', OTHER: 'unrelated' })
  const both = await Promise.all([connectToService(environment), connectToService(environment)])
  while (servicesOf(environment.SOFTOKI_HOME).length > 1) await sleep(5)
  const [pid] = servicesOf(environment.SOFTOKI_HOME)
  assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /secret|unrelated/)
  for (const socket of both) {
    const client = await connect(socket)
    assert.equal((await client.call('C_GetInfo', [])).manufacturerID, 'Softoki')
    await client.close()
  }
  await endProcess(pid as number)
})

/** C_Initialize of the extension, after the version byte. */
const HELLO = Buffer.from(
  [
    '53 00000001 00000000 00000028 53000000 00000005 7a75797579 00000005 68656c6c6f',
    '0000000000000001 00 ffffffffffffffff 00',
  ]
    .join('')
    .replaceAll(' ', ''),
  'hex',
)

/** What a program with this on its standard input writes before it is told to end. */
async function talk(env: Scope & { env: Environment }, bytes: Uint8Array, until: number) {
  const child = spawn(process.execPath, [main, '--stdio'], { env: env.env, stdio: 'pipe' })
  env.after(() => child.kill('SIGKILL'))
  let out = Buffer.alloc(0)
  child.stdout.on('data', (chunk: Buffer) => {
    out = Buffer.concat([out, chunk])
  })
  child.stdin.write(bytes)
  while (out.length < until && child.exitCode === null) await sleep(5)
  child.stdin.end()
  const [status] = await once(child, 'close')
  return { out, status }
}

test('a client is told why no service starts, and a file that is no store is left as it is', async (t) => {
  const env = emptyHome(t)
  mkdirSync(env.SOFTOKI_HOME, { mode: 0o700 })
  const store = join(env.SOFTOKI_HOME, 'tokens.db')
  writeFileSync(store, 'what somebody else keeps here')
  await assert.rejects(connectToService(env), /tokens\.db is no store of Softoki/)
  assert.equal(readFileSync(store, 'utf8'), 'what somebody else keeps here')
})

test('--stdio serves its client, and the service it started leaves with it', async (t) => {
  const environment = emptyHome(t)
  const scope = { env: environment, after: t.after.bind(t), diagnostic: t.diagnostic.bind(t) }
  const { out, status } = await talk(scope, HELLO, 30)
  assert.equal(status, 0)
  assert.equal(out.toString('hex', 0, 5), '5300000001')
  assert.equal(out.length, 13 + out.readUInt32BE(9), 'nothing but frames')
  for (const pid of servicesOf(environment.SOFTOKI_HOME)) await gone(pid)
})

test('--stdio uses the service that runs, and leaves it running', async (t) => {
  const service = await startService(t)
  const scope = {
    env: service.environment,
    after: t.after.bind(t),
    diagnostic: t.diagnostic.bind(t),
  }
  const { status } = await talk(scope, HELLO, 30)
  assert.equal(status, 0)
  assert.deepEqual(servicesOf(service.home), [service.pid])
})

test('--stdio ends when its service does', async (t) => {
  const service = await startService(t)
  const program = new Program(process.execPath, [main, '--stdio'], service.environment)
  program.child.stdin?.write(HELLO)
  await once(program.child.stdout as NodeJS.ReadableStream, 'data')
  await service.kill9()
  await gone(program.pid)
  assert.equal((await program.end()).status, 0)
})

test('an argument that is none, or not a number, is refused', async (t) => {
  const environment = emptyHome(t)
  for (const words of [['--quick'], ['--linger', 'long'], ['--ready-fd', '-1']])
    assert.equal((await run(process.execPath, [main, ...words], environment)).status, 1)
})

test('with SOFTOKI_LOG the service logs the calls of all programs, with their names and processes', async (t) => {
  for (const where of ['1', 'file']) {
    const environment = emptyHome(t)
    const file = join(temporaryFolder(t), 'calls.log')
    const SOFTOKI_LOG = where === '1' ? where : file
    const { ready, end, child } = launch({ ...environment, SOFTOKI_LOG })
    await ready
    const { client } = await openToken(environment)
    await client.close()
    child.kill('SIGTERM')
    const { stderr } = await end
    const log = where === '1' ? stderr : readFileSync(file, 'utf8')
    const lines = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => String(msg).startsWith('C_'))
    assert.match(String(lines[1]?.msg), /^C_InitToken\(slotID 0, pin given, "test"\) = CKR_OK \(/)
    assert.match(String(lines.at(-1)?.msg), /^C_Finalize\(\) = CKR_OK/)
    for (const { program, application } of lines)
      assert.deepEqual({ program, application }, { program: 'a test', application: process.pid })
  }
})

test('a SOFTOKI_LOG that makes no sense is no service, and the message says what does', async (t) => {
  const environment = emptyHome(t)
  const SOFTOKI_LOG = 'here'
  const { stderr, status } = await launch({ ...environment, SOFTOKI_LOG }).end
  assert.equal(status, 1)
  assert.match(stderr, /^softoki: SOFTOKI_LOG is "here" .*: set it to 1, or to the absolute path/)
})

test('a client is told its calls where it takes lines', async (t) => {
  const service = await startService(t)
  const lines: string[] = []
  const options = { say: (line: string) => void lines.push(line), interval: 0 }
  const client = await connect(socketOf(service.environment), 'a test', options)
  await assert.rejects(async () => client.call('C_Logout', [77]))
  await client.close()
  assert.deepEqual(
    lines.map((line) => line.replace(/ \(\d.*\)$/, '')),
    [
      'C_Initialize() = CKR_OK',
      'C_Logout(session 77) = CKR_SESSION_HANDLE_INVALID: there is no session 77',
      'C_Finalize() = CKR_OK',
    ],
  )
})
