import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  childrenOf,
  compile,
  type Environment,
  emptyHome,
  modulePath,
  PIN,
  type Program,
  run,
  SO_PIN,
  servicesOf,
  softoki,
  start,
  temporaryFolder,
} from '../service.ts'

/** Starts programs that load the module; each has the file open. */
function starter(t: TestContext, environment: Environment) {
  const program = compile(t, join(import.meta.dirname, 'autostart.c'))
  const module = modulePath()
  const file = join(temporaryFolder(t), 'open in the application')
  return { file, startOne: () => start(t, program, [module, file], environment) }
}

/** Waits until a home has one service; fails where that never comes true. */
async function oneService(home: string): Promise<number> {
  for (let waited = 0; waited < 20_000 && servicesOf(home).length !== 1; waited += 20)
    await sleep(20)
  const [pid, ...others] = servicesOf(home)
  assert.deepEqual(others, [], 'more than one service runs')
  return pid as number
}

const descriptorsOf = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))

/** Session and controlling terminal, fields 6 and 7 of /proc/PID/stat. */
function familyOf(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [, parent, , session, terminal] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  return { parent, session, terminal }
}

const variablesOf = (pid: number) =>
  readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean)

async function assertWorks(program: Program): Promise<void> {
  const { status, stderr } = await program.end()
  assert.equal(status, 0, stderr)
}

test('the module starts a service where none runs', async (t) => {
  const environment = emptyHome(t)
  const { startOne } = starter(t, environment)
  assert.deepEqual(servicesOf(environment.SOFTOKI_HOME), [])
  const program = startOne()
  await program.printed('ready')
  await oneService(environment.SOFTOKI_HOME)
  await assertWorks(program)
  assert.equal(
    servicesOf(environment.SOFTOKI_HOME).length,
    1,
    'the service stays for the next program',
  )
})

test('two programs started at once get one service', async (t) => {
  const environment = emptyHome(t)
  const { startOne } = starter(t, environment)
  const programs = [startOne(), startOne()]
  await Promise.all(programs.map((program) => program.printed('ready')))
  await oneService(environment.SOFTOKI_HOME)
  await Promise.all(programs.map(assertWorks))
})

test('a started service has a session of its own and none of the descriptors of its starter', async (t) => {
  const environment = emptyHome(t)
  const { startOne, file } = starter(t, environment)
  const program = startOne()
  await program.printed('ready')
  const service = await oneService(environment.SOFTOKI_HOME)

  const [own, theirs] = [familyOf(service), familyOf(program.pid)]
  assert.notEqual(own.parent, program.pid)
  assert.notEqual(own.session, theirs.session)
  assert.equal(own.terminal, 0)
  assert.equal(readlinkSync(`/proc/${service}/cwd`), '/')

  const open = descriptorsOf(program.pid)
  assert.ok(open.includes(file), 'the application has its file open')
  const shared = descriptorsOf(service).filter(
    (link) => link !== '/dev/null' && open.includes(link),
  )
  assert.deepEqual(shared, [])
  await assertWorks(program)
})

test('a started service has a small environment without secrets', async (t) => {
  const secrets = { DATABASE_PASSWORD: 'unrelated', SOFTOKI_PIN: PIN, SOFTOKI_SO_PIN: SO_PIN }
  const environment = emptyHome(t, secrets)
  const program = starter(t, environment).startOne()
  await program.printed('ready')
  const names = variablesOf(await oneService(environment.SOFTOKI_HOME)).map(
    (line) => line.split('=')[0] as string,
  )
  const unrelated = names.filter(
    (name) => !/^(PATH|HOME|USER|LANG|TMPDIR|XDG_\w+|SOFTOKI_\w+|NODE_COMPILE_CACHE)$/.test(name),
  )
  assert.deepEqual(unrelated, [])
  assert.ok(
    !names.includes('SOFTOKI_PIN') && !names.includes('SOFTOKI_SO_PIN'),
    'a PIN is in the environment',
  )
  await assertWorks(program)
})

test('ps shows no PIN of a token, not after softoki init took them from the environment either', async (t) => {
  const environment = emptyHome(t)
  const pins = { SOFTOKI_PIN: PIN, SOFTOKI_SO_PIN: SO_PIN }
  const made = await run(process.execPath, [softoki, 'init', '--label', 'test'], {
    ...environment,
    ...pins,
  })
  assert.equal(made.status, 0, made.stderr)
  const words = ['generate', '--token', 'test', '--type', 'rsa:2048', '--label', 'key']
  const generated = await run(process.execPath, [softoki, ...words], { ...environment, ...pins })
  assert.equal(generated.status, 0, generated.stderr)

  const service = await oneService(environment.SOFTOKI_HOME)
  const workers = childrenOf(service)
  assert.ok(workers.length > 0, 'the worker that generated the key stays for the next')
  const shown = await run(
    'ps',
    ['-ww', '-o', 'args=', 'e', '-p', [service, ...workers].join()],
    environment,
  )
  assert.match(shown.stdout, /service\/main\.ts/)
  for (const pin of [PIN, SO_PIN]) assert.ok(!shown.stdout.includes(pin), shown.stdout)
})
