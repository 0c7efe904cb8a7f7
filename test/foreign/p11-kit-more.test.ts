/** p11-kit as the place where a desktop enters its modules: our module beside another, and its own server. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type Environment,
  library,
  modulePath,
  PIN,
  type Runner,
  run,
  runner,
  SO_PIN,
  start,
  startToken,
  temporaryFolder,
  tool,
} from '../service.ts'
import { EC, generateKeys, uriOf } from './keys.ts'

/**
 * p11-kit reads the configuration of a user, but not that of root. In a user namespace where root
 * has another number, it is a user like others.
 */
const [AS_USER, ...NUMBERS] =
  process.getuid?.() === 0
    ? ['unshare', '--user', '--map-user=1000', '--map-group=1000']
    : (['env'] as const)

/** Runs a program as a user, in this environment. */
const userRunner = (path: string, environment: Environment): Runner =>
  runner(AS_USER as string, environment, ...NUMBERS, path)

/** Whether this can be done here: a container may forbid it. */
async function mayBeUser(t: TestContext, environment: Environment): Promise<boolean> {
  const { status, stderr } = await run(AS_USER as string, [...NUMBERS, 'true'], environment)
  if (process.env.CI) assert.equal(status, 0, stderr)
  if (status !== 0) t.diagnostic(`left out: ${stderr.trim()}`)
  return status === 0
}

/** Makes the token "beside" of SoftHSM 2; answers the environment in which it is found. */
async function makeOtherToken(t: TestContext, other: string, environment: Environment) {
  const folder = temporaryFolder(t)
  const configuration = join(folder, 'softhsm2.conf')
  mkdirSync(join(folder, 'tokens'))
  writeFileSync(configuration, `directories.tokendir = ${join(folder, 'tokens')}\n`)
  const all = { ...environment, SOFTHSM2_CONF: configuration }
  const pins = ['--so-pin', SO_PIN, '--pin', PIN]
  const made = ['--init-token', '--free', '--label', 'beside', ...pins, '--module', other]
  await runner('softhsm2-util', all)(...made)
  return all
}

/** Enters modules in a user's configuration that hides the system's; answers the environment. */
function configure(t: TestContext, modules: Readonly<Record<string, string>>): Environment {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'pkcs11/modules'), { recursive: true })
  writeFileSync(join(folder, 'pkcs11/pkcs11.conf'), 'user-config: only\n')
  for (const [name, path] of Object.entries(modules))
    writeFileSync(join(folder, `pkcs11/modules/${name}.module`), `module: ${path}\n`)
  return { XDG_CONFIG_HOME: folder }
}

/** The objects that pkcs11-tool shows of a token after a login. */
const objectsOf = (pkcs11Tool: Runner, module: string, label: string) =>
  pkcs11Tool('--module', module, '--token-label', label, '--login', '--pin', PIN, '-O')

test('p11-kit finds the module in its configuration, beside another', async (t) => {
  const [p11Kit, pkcs11Tool] = [tool(t, 'p11-kit'), tool(t, 'pkcs11-tool')]
  const [p11tool, util] = [tool(t, 'p11tool'), tool(t, 'softhsm2-util')]
  const [proxy, other] = [library(t, 'p11-kit-proxy.so'), library(t, 'libsofthsm2.so')]
  if (!p11Kit || !pkcs11Tool || !p11tool || !util || !proxy || !other) return
  const service = await startToken(t)
  if (!(await mayBeUser(t, service.environment))) return
  await generateKeys(service)
  const found = configure(t, { softoki: modulePath(), softhsm: other })
  const environment = {
    ...(await makeOtherToken(t, other, service.environment)),
    ...found,
    GNUTLS_PIN: PIN,
  }

  await t.test('p11-kit list-modules shows both modules and their tokens', async () => {
    const listed = await userRunner(p11Kit, environment)('list-modules')
    assert.match(listed, /^softoki: .*\n\s+library-description: Softoki/m)
    assert.match(listed, /^softhsm: /m)
    assert.match(listed, /token: test\n\s+manufacturer: Softoki\n/)
    assert.match(listed, /token: beside\n/)
  })

  await t.test('the proxy module serves both tokens side by side', async () => {
    const pkcs11 = userRunner(pkcs11Tool, environment)
    const slots = await pkcs11('--module', proxy, '-L')
    for (const label of ['test', 'beside'])
      assert.match(slots, new RegExp(`token label\\s*: ${label}\\n`))
    assert.match(await objectsOf(pkcs11, proxy, 'test'), /Private Key Object; EC\s+label:\s+ec\n/)
    assert.doesNotMatch(await objectsOf(pkcs11, proxy, 'beside'), /Key Object/)
  })

  await t.test('GnuTLS finds the token by p11-kit, without being told the module', async () => {
    const p11 = userRunner(p11tool, environment)
    assert.match(await p11('--list-token-urls'), /manufacturer=Softoki;\S*token=test\n/)
    const signed = await p11('--batch', '--login', '--test-sign', uriOf(EC, 'private'))
    assert.equal(signed.match(/ok\n/g)?.length, 3)
  })
})

test("p11-kit's own server offers the token to p11-kit's own client", async (t) => {
  const [p11Kit, pkcs11Tool] = [tool(t, 'p11-kit'), tool(t, 'pkcs11-tool')]
  const client = library(t, 'p11-kit-client.so')
  if (!p11Kit || !pkcs11Tool || !client) return
  const service = await startToken(t)
  await generateKeys(service)
  const socket = join(temporaryFolder(t), 'socket')
  const words = ['server', '--foreground', '--provider', modulePath(), '--name', socket]
  const server = start(t, p11Kit, [...words, 'pkcs11:token=test'], service.environment)
  await server.matched(/(P11_KIT_SERVER_PID)/)
  const environment = { ...service.environment, P11_KIT_SERVER_ADDRESS: `unix:path=${socket}` }
  const pkcs11 = runner(pkcs11Tool, environment)
  assert.match(await objectsOf(pkcs11, client, 'test'), /Private Key Object; RSA\s+label:\s+rsa\n/)

  const [hash, signature] = [
    join(temporaryFolder(t), 'hash'),
    join(temporaryFolder(t), 'signature'),
  ]
  writeFileSync(hash, Buffer.alloc(32, 1))
  const key = ['--login', '--pin', PIN, '--id', EC.id, '-m', 'ECDSA', '-i', hash]
  await pkcs11('--module', client, '--sign', ...key, '-o', signature)
  const check = ['--verify', ...key, '--signature-file', signature]
  const { stdout, stderr } = await run(pkcs11Tool, ['--module', client, ...check], environment)
  assert.match(stdout, /Signature is valid/, stderr)
  server.child.kill('SIGTERM')
  await server.end()
})
