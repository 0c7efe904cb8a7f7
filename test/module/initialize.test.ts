import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import build from '../../native/module/build.mjs'
import { functions } from '../../src/standard/functions.ts'
import { fakeService } from './fake-service.ts'
import { compiled, ran, root } from './programs.ts'
import { usual } from './usual-answers.ts'

test('C_Initialize and C_Finalize keep the rules of the standard', async (t) => {
  const service = await fakeService(usual)
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'initialize.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  await service.left()
})

/** What C_Initialize says of a program with these variables. */
async function introduction(t: TestContext, env: Record<string, string>) {
  const service = await fakeService(usual)
  t.after(() => service.close())
  await ran(compiled({ file: 'initialize.c' }), service.home, [], { env })
  const [first] = service.requests
  assert.equal(first?.name, 'C_Initialize')
  const values = first.values
  const end = 4 + values.readUInt32BE(0)
  return {
    program: values.toString('latin1', 4, end),
    pid: values.readBigUInt64BE(end),
    traces: values[end + 8],
    pace: values.readBigUInt64BE(end + 9),
    keeps: values[end + 17],
    length: values.length - end,
  }
}

test('the service is told the program, its process, and whether it wants a log and a pace', async (t) => {
  const { pid, ...silent } = await introduction(t, {})
  assert.ok(pid > 1n && pid < 1n << 22n)
  const none = (1n << 64n) - 1n
  assert.deepEqual(silent, { program: 'initialize', traces: 0, pace: none, keeps: 1, length: 18 })
  const file = join(tmpdir(), `softoki-log-${process.pid}`)
  t.after(() => rmSync(file))
  const env = { SOFTOKI_LOG: file, SOFTOKI_SURRENDER_MS: '3600000' }
  const { pid: _, ...loud } = await introduction(t, env)
  assert.deepEqual(loud, {
    program: 'initialize',
    traces: 1,
    pace: 3_600_000n,
    keeps: 1,
    length: 18,
  })
})

test('the module exports the functions of 2.40 and the two that find interfaces, nothing else', () => {
  const lines = execFileSync('nm', ['-D', '--defined-only', build({ root })], { encoding: 'utf8' })
  const exported = lines
    .trim()
    .split('\n')
    .map((line) => line.split(' ').at(-1) as string)
  const wanted = Object.entries(functions)
    .filter(([, { since }]) => since === '2.40')
    .map(([name]) => name)
  assert.deepEqual(
    exported.toSorted(),
    [...wanted, 'C_GetInterfaceList', 'C_GetInterface'].toSorted(),
  )
})
