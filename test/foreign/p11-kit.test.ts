import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  compile,
  type Environment,
  library,
  PIN,
  report,
  run,
  servicesOf,
  softoki,
  startToken,
  temporaryFolder,
  tool,
} from '../service.ts'

const HEADERS = '/usr/include/p11-kit-1'

test("p11-kit's own client lists the token and signs with it over the socket of the service", async (t) => {
  const client = library(t, 'p11-kit-client.so')
  const pkcs11Tool = tool(t, 'pkcs11-tool')
  const openssl = tool(t, 'openssl')
  if (client === undefined || pkcs11Tool === undefined || openssl === undefined) return
  const service = await startToken(t)
  const folder = temporaryFolder(t)
  const file = (name: string) => join(folder, name)
  const environment = {
    ...service.environment,
    P11_KIT_SERVER_ADDRESS: `unix:path=${join(service.home, 'service.sock')}`,
  }
  const pkcs11 = async (...words: string[]) => {
    const { status, stdout, stderr } = await run(
      pkcs11Tool,
      ['--module', client, ...words],
      environment,
    )
    assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }
  const loggedIn = ['--token-label', 'test', '--login', '--pin', PIN]
  const key = ['--id', '01']

  assert.match(await pkcs11('-L'), /token label\s*: test/)
  assert.match(await pkcs11('--token-label', 'test', '-M'), /ECDSA/)
  await pkcs11(
    ...loggedIn,
    '--keypairgen',
    '--key-type',
    'EC:prime256v1',
    '--label',
    'over p11-kit',
    ...key,
  )
  assert.match(await pkcs11(...loggedIn, '-O'), /label:\s+over p11-kit/)

  writeFileSync(file('message'), 'signed over p11-kit')
  await run(
    openssl,
    ['dgst', '-sha256', '-binary', '-out', file('hash'), file('message')],
    environment,
  )
  const signature = ['--signature-format', 'openssl', '-m', 'ECDSA']
  await pkcs11(
    ...loggedIn,
    '--sign',
    ...key,
    ...signature,
    '-i',
    file('hash'),
    '-o',
    file('signature'),
  )
  await pkcs11(...loggedIn, '--read-object', '--type', 'pubkey', ...key, '-o', file('key.der'))
  const verified = await run(
    openssl,
    [
      'dgst',
      '-sha256',
      '-verify',
      file('key.der'),
      '-keyform',
      'DER',
      '-signature',
      file('signature'),
      file('message'),
    ],
    environment,
  )
  assert.match(verified.stdout, /Verified OK/, verified.stderr)
})

/** A p11-kit configuration with one module, which is `softoki serve --stdio`. */
function configuration(folder: string, environment: Environment): string[] {
  const modules = join(folder, 'modules')
  const file = join(folder, 'pkcs11.conf')
  mkdirSync(modules)
  writeFileSync(file, 'user-config: none\n')
  writeFileSync(
    join(modules, 'softoki.module'),
    `remote: |${process.execPath} ${softoki} serve --stdio\n`,
  )
  assert.ok(environment.SOFTOKI_HOME)
  return [file, modules]
}

test("libp11-kit signs with the token of a module file's line remote: |softoki serve --stdio", async (t) => {
  if (library(t, 'libp11-kit.so') === undefined || !existsSync(HEADERS)) return
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'p11-kit.c'), `-I${HEADERS}`, '-lp11-kit')
  const configured = configuration(temporaryFolder(t), service.environment)
  const result = await report(program, [...configured, PIN], service.environment)
  assert.deepEqual(result, { label: 'test', signed: true })
})

test('softoki serve --stdio starts no service that stays', async (t) => {
  if (library(t, 'libp11-kit.so') === undefined || !existsSync(HEADERS)) return
  const service = await startToken(t)
  await service.stop()
  const program = compile(t, join(import.meta.dirname, 'p11-kit.c'), `-I${HEADERS}`, '-lp11-kit')
  const configured = configuration(temporaryFolder(t), service.environment)
  assert.deepEqual(await report(program, [...configured, PIN], service.environment), {
    label: 'test',
    signed: true,
  })
  t.diagnostic(`services afterwards: ${servicesOf(service.home).length}`)
})
