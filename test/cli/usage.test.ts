import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { Program, run, servicesOf, softoki, startService } from '../service.ts'
import { shellHome, transcript } from './transcript.ts'

const COMMANDS = [
  'init',
  'tokens',
  'objects',
  'generate',
  'mechanisms',
  'operations',
  'module',
  'serve',
]

test('the help lists every command, and the help of each has an example', async (t) => {
  const environment = shellHome(t)
  const all = await run('softoki', ['help'], environment)
  assert.equal(all.status, 0)
  for (const command of COMMANDS) {
    assert.match(all.stdout, new RegExp(`^ {2}${command} .*\\w`, 'm'))
    const help = await run('softoki', ['help', command], environment)
    assert.equal(help.status, 0)
    assert.match(help.stdout, new RegExp(`^Examples?:\n(.*\n)*.*softoki ${command}`, 'm'))
  }
})

test('a wrong call ends with status 2 and names the help', async (t) => {
  const environment = shellHome(t)
  await transcript(
    environment,
    `
$ softoki tokens --jso
! softoki: unknown option '--jso' (Did you mean --json?): softoki help tokens tells more
[2]

$ softoki token
! softoki: unknown command 'token' (Did you mean tokens?): softoki help tells more
[2]

$ softoki init
! softoki: required option '--label <label>' not specified: softoki help init tells more
[2]

$ softoki tokens more
! softoki: too many arguments for 'tokens'. Expected 0 arguments but got 1.: softoki help tokens tells more
[2]

$ softoki 2>/dev/null
[2]
`,
  )
  assert.deepEqual(servicesOf(environment.SOFTOKI_HOME), [], 'a service was started for nothing')
})

test('a home that cannot be used is told with the next step', async (t) => {
  await transcript(
    shellHome(t),
    `
$ SOFTOKI_HOME=here softoki tokens
! softoki: SOFTOKI_HOME is "here": set it to an absolute path
[1]
`,
  )
})

test('commands start one service, which gets no PIN in its environment', async (t) => {
  const environment = shellHome(t, { SOFTOKI_PIN: '1234', SOFTOKI_SO_PIN: '12345678' })
  await transcript(
    environment,
    '$ softoki init --label ca >/dev/null & softoki tokens >/dev/null; wait',
  )
  const services = servicesOf(environment.SOFTOKI_HOME)
  assert.equal(services.length, 1)
  await transcript(
    environment,
    `$ tr '\\0' '\\n' </proc/${services[0]}/environ | grep -c PIN=\n0\n[1]`,
  )
})

test('a reader that has enough is no error', async (t) => {
  await transcript(shellHome(t), '$ (softoki mechanisms; echo "status $?" >&2) | true\n! status 0')
})

test('softoki module prints the path of the module and nothing else', async (t) => {
  const { status, stdout } = await run(process.execPath, [softoki, 'module'], shellHome(t))
  assert.equal(status, 0)
  assert.match(stdout, /^\/.*\/libsoftoki-pkcs11\.so\n$/)
  assert.ok(existsSync(stdout.trim()))
})

test('softoki module --header prints the path of softoki.h', async (t) => {
  const words = [softoki, 'module', '--header']
  const { status, stdout } = await run(process.execPath, words, shellHome(t))
  assert.equal(status, 0)
  assert.match(stdout, /^\/.*\/softoki\.h\n$/)
  assert.ok(existsSync(stdout.trim()))
})

test('softoki serve --stdio serves one client, and nothing but the protocol is on standard output', async (t) => {
  const environment = shellHome(t)
  // A client of p11-kit that offers version 0 and leaves.
  const program = new Program('softoki', ['serve', '--stdio'], environment)
  program.write('\0')
  await program.printed('\0')
  const { status, stdout } = await program.end()
  assert.equal(status, 0)
  assert.equal(stdout, '\0')
})

test('softoki serve leaves a service that runs in peace', async (t) => {
  const service = await startService(t)
  const { status } = await run(process.execPath, [softoki, 'serve'], service.environment)
  assert.equal(status, 0)
  const { status: after } = await run(process.execPath, [softoki, 'tokens'], service.environment)
  assert.equal(after, 0)
})
