/** OpenSSH with keys of the token: key lists, the agent, logins to a server on 127.0.0.1, an authority. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type Environment,
  fileOf,
  modulePath,
  PIN,
  type Runner,
  run,
  runner,
  start,
  startToken,
  temporaryFolder,
  tool,
} from '../service.ts'
import { EC, generateKeys, RSA } from './keys.ts'

const SSHD = '/usr/sbin/sshd'

/** Where sshd puts itself before a login, where it is started by root; the system makes it at boot. */
const PRIVILEGE_SEPARATION = '/run/sshd'

const MESSAGE = 'logged in with a key of the token'

/** No agent of the machine, and no key of the user's. */
const NO_AGENT = ['-o', 'IdentityAgent=none']
const NO_FILE = ['-o', 'IdentityFile=none']

/** What a key of the token signs logins with. */
const ALGORITHMS = [
  [RSA, 'rsa-sha2-256'],
  [RSA, 'rsa-sha2-512'],
  [EC, 'ecdsa-sha2-nistp256'],
] as const

interface Bench {
  readonly environment: Environment
  /** The path as ssh-agent compares it with those it allows. */
  readonly module: string
  readonly port: number
  readonly keygen: Runner
  /** A file of the test's folder. */
  readonly file: (name: string) => string
}

/** A port of 127.0.0.1 that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

const serverConfiguration = (port: number, file: (name: string) => string) => `
ListenAddress 127.0.0.1
Port ${port}
HostKey ${file('host')}
AuthorizedKeysFile ${file('authorized')}
TrustedUserCAKeys ${file('authority.pub')}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
`

/** Starts a server that admits the user who runs the test, by the key in the file "authorized". */
async function startServer(t: TestContext, { environment, port, keygen, file }: Bench) {
  await keygen('-q', '-t', 'ed25519', '-N', '', '-f', file('host'))
  const host = readFileSync(file('host.pub'), 'utf8')
  writeFileSync(file('known'), `[127.0.0.1]:${port} ${host}`)
  writeFileSync(file('sshd_config'), serverConfiguration(port, file))
  for (const name of ['authorized', 'authority.pub']) writeFileSync(file(name), '')
  if (userInfo().uid === 0 && !existsSync(PRIVILEGE_SEPARATION)) {
    mkdirSync(PRIVILEGE_SEPARATION, { mode: 0o755 })
    t.after(() => rmSync(PRIVILEGE_SEPARATION, { recursive: true, force: true }))
  }
  const server = start(t, SSHD, ['-D', '-e', '-f', file('sshd_config')], environment)
  await server.matched(/(listening) on 127\.0\.0\.1/)
}

async function makeBench(t: TestContext): Promise<Bench | undefined> {
  const found = [...['ssh', 'ssh-add', 'ssh-agent'].map((name) => tool(t, name)), fileOf(t, SSHD)]
  const keygen = tool(t, 'ssh-keygen')
  if (found.includes(undefined) || keygen === undefined) return undefined
  const service = await startToken(t)
  await generateKeys(service)
  const folder = temporaryFolder(t)
  const file = (name: string) => join(folder, name)
  // Writes what it was asked to a file, and answers the PIN.
  writeFileSync(file('ask'), `#!/bin/sh\nprintf '%s\\n' "$1" >>${file('asked')}\necho "$ASK_PIN"\n`)
  chmodSync(file('ask'), 0o700)
  writeFileSync(file('asked'), '')
  const asking = { SSH_ASKPASS: file('ask'), SSH_ASKPASS_REQUIRE: 'force', ASK_PIN: PIN }
  const environment = { ...service.environment, ...asking }
  const bench = {
    environment,
    module: realpathSync(modulePath()),
    port: await freePort(),
    keygen: runner(keygen, environment),
    file,
  }
  await startServer(t, bench)
  return bench
}

/** Runs a command on the server, with these words of ssh before. */
const login = ({ port, file }: Bench, environment: Environment, ...words: string[]) =>
  run(
    'ssh',
    [
      ...['-F', 'none', '-p', `${port}`, '-o', 'PreferredAuthentications=publickey'],
      ...['-o', `UserKnownHostsFile=${file('known')}`, '-o', 'StrictHostKeyChecking=yes'],
      ...[...words, '127.0.0.1', `echo ${MESSAGE}`],
    ],
    environment,
  )

async function assertLogin(...of: Parameters<typeof login>): Promise<void> {
  const { status, stdout, stderr } = await login(...of)
  assert.equal(status, 0, stderr)
  assert.equal(stdout, `${MESSAGE}\n`)
}

/** The keys as lines of authorized_keys, by label. */
async function publicKeys({ keygen, module }: Bench): Promise<Map<string, string>> {
  const lines = (await keygen('-D', module)).trim().split('\n')
  return new Map(lines.map((line) => [line.split(' ')[2] as string, `${line}\n`]))
}

async function list(bench: Bench): Promise<void> {
  const keys = await publicKeys(bench)
  assert.deepEqual([...keys.keys()].sort(), ['ec', 'rsa'])
  assert.match(keys.get('rsa') as string, /^ssh-rsa /)
  assert.match(keys.get('ec') as string, /^ecdsa-sha2-nistp256 /)
}

async function loginWith(label: string, algorithm: string, bench: Bench): Promise<void> {
  const { module, environment, file } = bench
  writeFileSync(file('authorized'), (await publicKeys(bench)).get(label) as string)
  const only = [...NO_AGENT, ...NO_FILE, '-o', `PubkeyAcceptedAlgorithms=${algorithm}`]
  await assertLogin(bench, environment, '-I', module, ...only)
  assert.match(readFileSync(file('asked'), 'utf8'), /Enter PIN for 'test'/)
}

async function refuse(bench: Bench): Promise<void> {
  const { module, environment } = bench
  const mistaken = { ...environment, ASK_PIN: 'mistaken' }
  const { status, stderr } = await login(bench, mistaken, '-I', module, ...NO_AGENT, ...NO_FILE)
  assert.equal(status, 255)
  assert.match(stderr, /PIN incorrect/)
}

/** An agent takes the keys of the token, serves logins with them, and lets them go. */
async function useAgent(t: TestContext, bench: Bench): Promise<void> {
  const { module, environment, file } = bench
  const agent = start(t, 'ssh-agent', ['-D', '-a', file('agent'), '-P', module], environment)
  await agent.matched(/(SSH_AUTH_SOCK)/)
  const withAgent = { ...environment, SSH_AUTH_SOCK: file('agent') }
  const add = runner('ssh-add', withAgent)
  assert.match(await add('-s', module), /Card added/)
  assert.match(await add('-l'), / ec \(ECDSA\)/)
  for (const [label, line] of await publicKeys(bench)) {
    writeFileSync(file(`${label}.pub`), line)
    writeFileSync(file('authorized'), line)
    await add('-T', file(`${label}.pub`))
    await assertLogin(bench, withAgent, ...NO_FILE)
  }
  assert.match(await add('-e', module), /Card removed/)
  assert.equal((await run('ssh-add', ['-l'], withAgent)).stdout, 'The agent has no identities.\n')
  agent.child.kill('SIGTERM')
  await agent.end()
}

/** A key of the token is the authority that certifies a user's key. */
async function certify(label: string, bench: Bench): Promise<void> {
  const { module, environment, keygen, file } = bench
  const user = file(`user-of-${label}`)
  writeFileSync(file('authorized'), '')
  writeFileSync(file('authority.pub'), (await publicKeys(bench)).get(label) as string)
  await keygen('-q', '-t', 'ed25519', '-N', '', '-f', user)
  const { username } = userInfo()
  const names = ['-I', 'certified by a token', '-n', username]
  await keygen('-D', module, '-s', file('authority.pub'), ...names, `${user}.pub`)
  assert.match(await keygen('-L', '-f', `${user}-cert.pub`), /user certificate/)
  await assertLogin(bench, environment, '-i', user, ...NO_AGENT)
}

test('OpenSSH uses the keys of the token', async (t) => {
  const bench = await makeBench(t)
  if (bench === undefined) return
  await t.test('ssh-keygen -D lists the public keys', () => list(bench))
  for (const [{ label }, algorithm] of ALGORITHMS)
    await t.test(`ssh -I logs in with ${algorithm}`, () => loginWith(label, algorithm, bench))
  await t.test('ssh -I with a wrong PIN does not', () => refuse(bench))
  await t.test('ssh-agent logs in with both keys', (t) => useAgent(t, bench))
  for (const { label } of [RSA, EC])
    await t.test(`ssh-keygen -s signs a certificate with the key ${label}, and sshd takes it`, () =>
      certify(label, bench),
    )
})
