import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  hashOf,
  openHome,
  readConfiguration,
  SetupError,
  surrenderInterval,
} from '../../src/service/home.ts'

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const complains =
  (...parts: (string | RegExp)[]) =>
  (error: unknown) => {
    assert.ok(error instanceof SetupError)
    for (const part of parts)
      assert.ok(
        typeof part === 'string' ? error.message.includes(part) : part.test(error.message),
        error.message,
      )
    return true
  }

test('the home is SOFTOKI_HOME, else in XDG_DATA_HOME, else in HOME', (t) => {
  const folder = temporary(t)
  const own = join(folder, 'own')
  const folderOf = (env: Record<string, string>) => openHome({ HOME: folder, ...env }).folder
  assert.equal(folderOf({ SOFTOKI_HOME: own, XDG_DATA_HOME: folder }), own)
  assert.equal(folderOf({ SOFTOKI_HOME: `${own}//` }), own)
  assert.equal(folderOf({ SOFTOKI_HOME: '', XDG_DATA_HOME: folder }), `${folder}/softoki`)
  assert.equal(folderOf({ XDG_DATA_HOME: 'data' }), `${folder}/.local/share/softoki`)
  assert.throws(() => folderOf({ SOFTOKI_HOME: 'here' }), complains('SOFTOKI_HOME', 'absolute'))
})

test('the folder is made for its owner alone', (t) => {
  const { folder, socket, log } = openHome({ SOFTOKI_HOME: join(temporary(t), 'a', 'home') })
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.equal(socket, `${folder}/service.sock`)
  assert.equal(log, `${folder}/service.log`)
})

test('a folder that others can use is refused, and the message says what to do', (t) => {
  const SOFTOKI_HOME = join(temporary(t), 'home')
  mkdirSync(SOFTOKI_HOME)
  for (const mode of [0o777, 0o770, 0o755, 0o710]) {
    chmodSync(SOFTOKI_HOME, mode)
    assert.throws(() => openHome({ SOFTOKI_HOME }), complains(SOFTOKI_HOME, 'chmod 700'))
  }
  chmodSync(SOFTOKI_HOME, 0o700)
  openHome({ SOFTOKI_HOME })
  writeFileSync(join(SOFTOKI_HOME, 'file'), '')
  assert.throws(() => openHome({ SOFTOKI_HOME: join(SOFTOKI_HOME, 'file') }), SetupError)
  assert.throws(() => openHome({ SOFTOKI_HOME: join(SOFTOKI_HOME, 'file', 'x') }), SetupError)
})

test('a home whose socket would have more than 107 bytes has it in a temporary folder', (t) => {
  const TMPDIR = temporary(t)
  const socketOf = (length: number) => {
    const SOFTOKI_HOME = `${TMPDIR}/${'h'.repeat(length - TMPDIR.length - 1)}`
    return [openHome({ SOFTOKI_HOME, TMPDIR: `${TMPDIR}/` }).socket, SOFTOKI_HOME] as const
  }
  const [usual, home] = socketOf(107 - '/service.sock'.length)
  assert.equal(usual, `${home}/service.sock`)
  assert.equal(usual.length, 107)
  const [other, longer] = socketOf(108 - '/service.sock'.length)
  assert.equal(other, `${TMPDIR}/softoki-${userInfo().uid}/${hashOf(longer)}.sock`)
})

test('the hash is FNV-1a of 64 bits', () => {
  assert.equal(hashOf(''), 'cbf29ce484222325')
  assert.equal(hashOf('a'), 'af63dc4c8601ec8c')
  assert.equal(hashOf('foobar'), '85944171f73967e8')
})

test('the configuration has usual values, and an unknown key is named with its file', (t) => {
  const configuration = join(temporary(t), 'softoki.json')
  const read = (text: string) => {
    writeFileSync(configuration, text)
    return readConfiguration({ ...openHome({ SOFTOKI_HOME: temporary(t) }), configuration })
  }
  const mechanisms = { profile: 'default', allow: [], deny: [] }
  assert.deepEqual(read('{}'), {
    idleMinutes: 10,
    operationDays: 30,
    logLevel: 'info',
    mechanisms,
  })
  assert.deepEqual(read('{"idleMinutes": 0.5, "logLevel": "debug"}'), {
    idleMinutes: 0.5,
    operationDays: 30,
    logLevel: 'debug',
    mechanisms,
  })
  assert.throws(() => read('{"idleMinuets": 5}'), complains(configuration, 'idleMinuets'))
  assert.throws(() => read('{"idleMinutes": "5"}'), complains(configuration, 'idleMinutes'))
  assert.throws(() => read('{"logLevel": "loud"}'), complains(configuration, 'logLevel', 'warn'))
  assert.deepEqual(
    read('{"mechanisms": {"profile": "legacy", "deny": ["rsa", "3.0"]}}').mechanisms,
    {
      profile: 'legacy',
      allow: [],
      deny: ['rsa', '3.0'],
    },
  )
  assert.throws(
    () => read('{"mechanisms": {"deny": ["CKM_RSA_PKSC"]}}'),
    complains(configuration, 'mechanisms.deny[0]', 'CKM_RSA_PKSC is no mechanism'),
  )
  assert.throws(
    () => read('{"mechanisms": {"profile": "fips"}}'),
    complains(configuration, 'mechanisms.profile', 'fips-approved'),
  )
  assert.throws(() => read('{'), complains(configuration, /JSON/))
  assert.deepEqual(readConfiguration(openHome({ SOFTOKI_HOME: temporary(t) })), {
    idleMinutes: 10,
    operationDays: 30,
    logLevel: 'info',
    mechanisms,
  })
})

test('SOFTOKI_SURRENDER_MS is a number of milliseconds', () => {
  assert.equal(surrenderInterval({}), undefined)
  assert.equal(surrenderInterval({ SOFTOKI_SURRENDER_MS: '0' }), 0)
  assert.equal(surrenderInterval({ SOFTOKI_SURRENDER_MS: '250' }), 250)
  for (const SOFTOKI_SURRENDER_MS of ['-1', 'soon', '1.5', '99999999999'])
    assert.throws(
      () => surrenderInterval({ SOFTOKI_SURRENDER_MS }),
      complains('SOFTOKI_SURRENDER_MS'),
    )
})
