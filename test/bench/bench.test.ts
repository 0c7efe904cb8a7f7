import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Run } from '../../bench/run.ts'
import { becomes } from '../processes/observing.ts'
import {
  childrenOf,
  environmentWith,
  fileOf,
  isAlive,
  library,
  root,
  run,
  start,
  temporaryFolder,
} from '../service.ts'

/** Runs the bench; answers what it told and the folder that it wrote to. */
async function bench(t: TestContext, ...words: string[]) {
  const folder = temporaryFolder(t)
  const args = [join(root, 'bench/bench.ts'), '--quick', '--out', folder, ...words]
  const ended = await run(process.execPath, args, environmentWith({}))
  const file = (name: string) => readFileSync(join(folder, name), 'utf8')
  return { ...ended, file, result: () => JSON.parse(file('performance/bench.json')) as Run }
}

test('a quick run of one row shows both sides, their ratio and the goal, and writes report, JSON and plot', async (t) => {
  if (library(t, 'libsofthsm2.so') === undefined) return
  const words = ['--only', '^Signing.*P-256$', '--peers', 'SoftHSM2']
  const { status, stdout, stderr, file, result } = await bench(t, ...words)
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^Signing: .* +Softoki +SoftHSM2 +goal$/m)
  assert.match(stdout, /^P-256 +[\d.]+ .?s +[\d.]+ .?s \([\d.]+\) +at most 1 of opencryptoki/m)

  const { lines, participants, machine, quick } = result()
  assert.deepEqual(
    participants.map(({ name, missing }) => [name, missing]),
    [
      ['Softoki', undefined],
      ['SoftHSM2', undefined],
    ],
  )
  assert.ok(quick && machine.cores > 0)
  const [line] = lines
  assert.equal(lines.length, 1)
  for (const side of ['Softoki', 'SoftHSM2']) {
    const outcome = line?.outcomes[side]
    assert.ok(outcome && 'median' in outcome, side)
    assert.ok(outcome.median > 0 && outcome.calls > 0 && outcome.rounds.length === 1)
  }
  assert.match(file('PERFORMANCE.md'), /^# Performance\n.*\| P-256 \| /s)
  assert.match(file('performance/signing.svg'), /^<svg .*prefers-color-scheme: dark.*<\/svg>\n$/s)
})

test('a peer that is not there, and work that a side cannot do, are told with their reasons', async (t) => {
  if (fileOf(t, '/usr/include/openssl/evp.h') === undefined) return
  const peers = ['--peers', 'gone,OpenSSL', '--peer', 'gone=/no/module.so']
  const { status, stdout, stderr, file } = await bench(t, '--only', '^Signing.*ML-DSA', ...peers)
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^ML-DSA-65 +[\d.]+ .?s +-$/m)
  assert.match(stdout, /^- OpenSSL: libcrypto is no token and has no such work$/m)
  assert.match(file('PERFORMANCE.md'), /\| gone \| no part: \/no\/module.so is not there \|/)
})

test('a command line that is wrong answers how it is used', async () => {
  const words = [join(root, 'bench/bench.ts'), '--rounds', 'many']
  const { status, stderr } = await run(process.execPath, words, environmentWith({}))
  assert.equal(status, 2)
  assert.match(stderr, /^bench: --rounds many: a number from 1 to 100 is asked for\nusage: /)
})

test('a run that is interrupted leaves no process and no folder', async (t) => {
  const folder = temporaryFolder(t)
  const words = [join(root, 'bench/bench.ts'), '--quick', '--only', '^Verifying', '--peers', 'none']
  const environment = environmentWith({ TMPDIR: folder })
  const program = start(t, process.execPath, words, environment)
  await program.matched(/(bench: Verifying)/)
  const children = childrenOf(program.pid)
  program.child.kill('SIGTERM')
  const { status } = await program.end()
  assert.equal(status, 130)
  assert.ok(children.length > 0)
  for (const child of children) assert.ok(await becomes(() => !isAlive(child)), 'a process stays')
  assert.deepEqual(readdirSync(folder), [])
})
