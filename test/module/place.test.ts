import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { compiled, type Ran, ran } from './programs.ts'

const program = compiled({ file: 'start.c', name: 'place' })

/** Ends the service of a home and waits until it has let go of it. */
async function endService(home: string): Promise<void> {
  const [line] = readFileSync(join(home, 'service.log'), 'utf8').split('\n')
  const { pid } = JSON.parse(line as string) as { pid: number }
  process.kill(pid, 'SIGTERM')
  while (cmdline(pid) !== '') await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Empty once the process has ended. */
function cmdline(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-place-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Starts a service as the environment says, and uses another program on the one that runs. */
async function agreeOn(home: string, env: Record<string, string>): Promise<void> {
  const first = await ran(program, '', ['uses'], { env })
  assert.deepEqual(first, { code: 0, stdout: '', stderr: '' })
  const second = await ran(program, '', ['uses'], { env })
  await endService(home)
  assert.deepEqual(second, { code: 0, stdout: '', stderr: '' })
}

const refused = (env: Record<string, string>): Promise<Ran> =>
  ran(program, '', ['fails'], { env: { SOFTOKI_LOG: '1', ...env } })

test('module and service agree on SOFTOKI_HOME, slashes at its end or not', async (t) => {
  const home = join(newFolder(t), 'own')
  await agreeOn(home, { SOFTOKI_HOME: `${home}//` })
})

test('they agree on XDG_DATA_HOME, which counts where SOFTOKI_HOME is empty', async (t) => {
  const data = newFolder(t)
  await agreeOn(join(data, 'softoki'), { SOFTOKI_HOME: '', XDG_DATA_HOME: data })
})

test('they agree on HOME where XDG_DATA_HOME is not absolute', async (t) => {
  const HOME = newFolder(t)
  const home = join(HOME, '.local/share/softoki')
  await agreeOn(home, { SOFTOKI_HOME: '', XDG_DATA_HOME: 'data', HOME })
})

test('they agree on another place for the socket where the path is too long for one', async (t) => {
  const folder = newFolder(t)
  for (const length of [107, 108, 250]) {
    const home = `${folder}/${'h'.repeat(length)}`.slice(0, length - '/service.sock'.length)
    await agreeOn(home, { SOFTOKI_HOME: home, TMPDIR: `${folder}/` })
  }
  const short = readdirSync(join(folder, `softoki-${userInfo().uid}`))
  for (const name of short) assert.match(name, /^[0-9a-f]{16}\.sock/)
})

test('a SOFTOKI_HOME that is not absolute is refused', async () => {
  const { code, stderr } = await refused({ SOFTOKI_HOME: 'here' })
  assert.equal(code, 0)
  assert.match(stderr, /^softoki\[\d+\]: SOFTOKI_HOME is "here": set it to an absolute path\n/)
})

test('a socket in a folder that others may enter is refused', async (t) => {
  const home = join(newFolder(t), 'shared')
  const env = { SOFTOKI_HOME: home }
  const first = await ran(program, '', ['uses'], { env })
  chmodSync(home, 0o755)
  const { code, stderr } = await refused(env)
  await endService(home)
  assert.equal(first.code, 0)
  assert.equal(code, 0)
  assert.match(stderr, /is not yours alone: chmod 0700 it\n/)
})
