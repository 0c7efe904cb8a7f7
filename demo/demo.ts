/**
 * The main job, on a real token: makes one in a temporary home, compiles demo.c, and lets it load
 * the module, generate a key pair, sign with it, and cancel the next. npm run demo.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMMAND, COMPILED } from '../src/service/start.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const softoki = join(root, 'bin/softoki.mjs')
const home = mkdtempSync(join(tmpdir(), 'softoki-demo-'))
const PIN = '1234'
const environment = {
  ...process.env,
  SOFTOKI_HOME: join(home, 'home'),
  SOFTOKI_SO_PIN: '12345678',
  SOFTOKI_PIN: PIN,
}

/** What a command prints; its messages go where ours go. */
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, {
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim()

/** The service of this home, as a child of ours, so that it ends with the demo. */
async function startService() {
  const service = spawn(process.execPath, [...COMMAND, '--detached'], {
    env: { ...environment, ...COMPILED, SOFTOKI_READY_FD: '3' },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  await Promise.race([
    once(service.stdio[3] as NodeJS.ReadableStream, 'data'),
    once(service, 'exit'),
  ])
  return service
}

function demo(): number {
  console.log(run(process.execPath, softoki, 'init', '--label', 'demo'))
  const module = run(process.execPath, softoki, 'module')
  const program = join(home, 'demo')
  const headers = join(root, 'native/module/generated')
  run(
    'cc',
    '-std=gnu11',
    '-O1',
    '-Wall',
    '-I',
    headers,
    '-o',
    program,
    join(root, 'demo/demo.c'),
    '-ldl',
  )
  return spawnSync(program, [module, PIN], { env: environment, stdio: 'inherit' }).status ?? 1
}

const service = await startService()
try {
  process.exitCode = demo()
} finally {
  if (service.exitCode === null && service.kill()) await once(service, 'exit')
  rmSync(home, { recursive: true, force: true })
}
