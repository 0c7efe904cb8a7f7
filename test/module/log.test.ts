import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { emptyHome } from '../service.ts'
import { compiled, ran } from './programs.ts'

const program = compiled({ file: 'log.c' })
const failing = compiled({ file: 'start.c', name: 'log-fails' })

const SECRETS =
  /so-pin-90210|user-pin-5271|wrong-pin-4711|key-value-3141592653589793|nobody else's business/

/** Lines without process id and milliseconds. */
const untimed = (log: string): string[] =>
  log
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^softoki\[\d+\]: /, '').replace(/ \(\d+\.\d ms\)$/, ''))

const whole = (home: string) => [
  'C_GetSlotList() = CKR_CRYPTOKI_NOT_INITIALIZED: C_Initialize was not called, or not since fork or C_Finalize',
  `connected to ${home}/service.sock`,
  'C_Initialize() = CKR_OK',
  'C_InitToken(slotID 0, pin given, "logged") = CKR_OK',
  'C_OpenSession(slotID 0, flags 0x6, Notify NULL) = CKR_OK: session 1',
  'C_Login(session 1, userType CKU_SO, pin given) = CKR_OK',
  'C_InitPIN(session 1, pin given) = CKR_OK',
  'C_Logout(session 1) = CKR_OK',
  'C_Login(session 1, userType CKU_USER, pin given) = CKR_PIN_INCORRECT: wrong user PIN, 1 of 10 tries used',
  'C_Login(session 1, userType CKU_USER, pin given) = CKR_OK',
  'C_CreateObject(session 1, {CKA_CLASS CKO_SECRET_KEY, CKA_KEY_TYPE CKK_GENERIC_SECRET, CKA_SIGN true, CKA_VALUE 26 bytes}) = CKR_OK: object 1',
  'C_SignInit(session 1, CKM_SHA256_HMAC, key 1) = CKR_OK',
  'C_Sign(session 1, data 22 bytes, signature for 3) = CKR_BUFFER_TOO_SMALL: signature 32 bytes needed',
  'C_Sign(session 1, data 22 bytes, signature for 32) = CKR_OK: signature 32 bytes',
  'C_GetSlotList() = CKR_ARGUMENTS_BAD: pulCount is NULL',
  'C_DigestUpdate(session 1) = CKR_ARGUMENTS_BAD: pPart is NULL and its length is not 0',
  'C_DigestUpdate(session 1, part 1 bytes) = CKR_OPERATION_NOT_INITIALIZED: no digest operation is active in session 1',
  'C_CancelFunction() = CKR_FUNCTION_NOT_PARALLEL',
  'C_Initialize() = CKR_CRYPTOKI_ALREADY_INITIALIZED',
  'C_Finalize() = CKR_OK',
]

test('with SOFTOKI_LOG=1 every call is a line on standard error, with its reason and no secret', async (t) => {
  const { SOFTOKI_HOME: home } = emptyHome(t)
  const { code, stdout, stderr } = await ran(program, home, [], { env: { SOFTOKI_LOG: '1' } })
  assert.equal(code, 0, stderr)
  assert.equal(stdout, '')
  assert.doesNotMatch(stderr, SECRETS)
  for (const line of stderr.trimEnd().split('\n')) assert.match(line, /^softoki\[\d+\]: /)
  assert.deepEqual(untimed(stderr), whole(home))
})

test('SOFTOKI_LOG=/a/file adds the lines to that file, which is the user’s alone', async (t) => {
  const { SOFTOKI_HOME: home } = emptyHome(t)
  const file = join(mkFolder(t), 'log')
  const { code, stderr } = await ran(program, home, [], { env: { SOFTOKI_LOG: file } })
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(untimed(readFileSync(file, 'utf8')), whole(home))
})

test('without SOFTOKI_LOG, or with 0, nothing is said', async (t) => {
  for (const env of [{}, { SOFTOKI_LOG: '' }, { SOFTOKI_LOG: '0' }]) {
    const { SOFTOKI_HOME: home } = emptyHome(t)
    const { code, stderr } = await ran(program, home, [], { env })
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  }
})

test('a SOFTOKI_LOG that makes no sense is complained of, and the lines go to standard error', async (t) => {
  const { SOFTOKI_HOME: home } = emptyHome(t)
  const { code, stderr } = await ran(program, home, [], { env: { SOFTOKI_LOG: 'please' } })
  const [first, ...others] = untimed(stderr)
  assert.equal(code, 0)
  assert.equal(
    first,
    'SOFTOKI_LOG is "please" (Invalid argument): set it to 1, or to the absolute path of a file that can be written',
  )
  assert.deepEqual(others, whole(home))
})

function mkFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Settings that no service works with, made in an empty folder: variables, and what is complained of. */
const wrong: readonly {
  readonly what: string
  readonly make?: (folder: string) => void
  readonly env: (folder: string) => Record<string, string>
  readonly says: RegExp
}[] = [
  {
    what: 'a SOFTOKI_HOME that is not absolute',
    env: () => ({ SOFTOKI_HOME: 'here' }),
    says: /^SOFTOKI_HOME is "here": set it to an absolute path$/,
  },
  {
    what: 'a SOFTOKI_HOME that is a file',
    make: (folder) => writeFileSync(join(folder, 'home'), ''),
    env: (folder) => ({ SOFTOKI_HOME: join(folder, 'home') }),
    says: /^cannot connect to .*\/home\/service\.sock: Not a directory: set SOFTOKI_HOME to a folder of yours$/,
  },
  {
    what: 'a SOFTOKI_HOME that cannot be made',
    env: () => ({ SOFTOKI_HOME: '/sys/nothing/here' }),
    says: /^the service did not start: \/sys\/nothing\/here cannot be made \(E[A-Z]+\): set SOFTOKI_HOME to a folder of yours$/,
  },
  {
    what: 'a SOFTOKI_HOME that others may look into',
    make: (folder) => {
      mkdirSync(join(folder, 'home'))
      chmodSync(join(folder, 'home'), 0o755)
    },
    env: (folder) => ({ SOFTOKI_HOME: join(folder, 'home') }),
    says: /^the service did not start: others may look into (.+): chmod 700 \1$/,
  },
  {
    what: 'a path of the socket that is too long',
    env: (folder) => ({
      SOFTOKI_HOME: join(folder, 'h'.repeat(200)),
      TMPDIR: join(folder, 't'.repeat(200)),
    }),
    says: /^the path of the socket is too long: set SOFTOKI_HOME or TMPDIR to a shorter folder$/,
  },
  {
    what: 'a configuration that is none',
    make: (folder) => writeFileSync(join(folder, 'softoki.json'), '{ "idleMinutes": "many" }'),
    env: (folder) => ({ SOFTOKI_HOME: folder }),
    says: /^the service did not start: .*\/softoki\.json: .*idleMinutes/,
  },
  {
    what: 'a store that is none',
    make: (folder) => writeFileSync(join(folder, 'tokens.db'), 'what somebody else keeps here'),
    env: (folder) => ({ SOFTOKI_HOME: folder }),
    says: /^the service did not start: .*\/tokens\.db is no store of Softoki/,
  },
  ...['soon', '-1', '1.5', '3600001', '99999999999999999999'].map((pace) => ({
    what: `a SOFTOKI_SURRENDER_MS of ${pace}`,
    env: (folder: string) => ({ SOFTOKI_HOME: folder, SOFTOKI_SURRENDER_MS: pace }),
    says: new RegExp(`^SOFTOKI_SURRENDER_MS is "${pace}": give milliseconds from 0 to 3600000$`),
  })),
  ...['yes', '2', '01'].map((wish) => ({
    what: `a SOFTOKI_PROGRESS of ${wish}`,
    env: (folder: string) => ({ SOFTOKI_HOME: folder, SOFTOKI_PROGRESS: wish }),
    says: new RegExp(`^SOFTOKI_PROGRESS is "${wish}": set it to 1 to see progress, or to 0$`),
  })),
]

for (const { what, make, env, says } of wrong)
  test(`${what} fails C_Initialize, which says why and what to do`, async (t) => {
    const folder = mkFolder(t)
    make?.(folder)
    const quiet = await ran(failing, '', ['fails'], { env: env(folder) })
    assert.equal(quiet.code, 0, quiet.stderr)
    const complaints = untimed(quiet.stderr)
    assert.equal(complaints.length, 2)
    for (const complaint of complaints) assert.match(complaint, says)

    const loud = await ran(failing, '', ['fails'], { env: { ...env(folder), SOFTOKI_LOG: '1' } })
    const failed = 'C_Initialize() = CKR_FUNCTION_FAILED'
    assert.deepEqual(untimed(loud.stderr).slice(0, 4), [
      complaints[0],
      failed,
      complaints[1],
      failed,
    ])
  })
