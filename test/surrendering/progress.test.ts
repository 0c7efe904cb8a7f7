import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Terminal } from '../module/terminal.ts'
import { becomes } from '../processes/observing.ts'
import { childrenOf, compile, modulePath, PIN, report, startToken, tool } from '../service.ts'

/** Numbers of callbacks, and of the work done in millionths. */
interface Told {
  readonly told: number
  readonly surrenders: number
  readonly falls: number
  readonly first: number
  readonly last: number
  readonly toldPlain: number
  readonly surrendersPlain: number
}

const programFor = (t: TestContext) => compile(t, join(import.meta.dirname, 'progress.c'))

test('the fraction that a session is told rises over half a gigabyte; one that did not ask is told of none', async (t) => {
  const service = await startToken(t)
  const program = programFor(t)
  const words = [modulePath(), PIN, 'digest']
  const told = await report<Told>(program, words, service.environment)
  t.diagnostic(`${told.told} notifications, from ${told.first} to ${told.last} millionths`)
  assert.ok(told.told >= 2)
  assert.equal(told.surrenders, told.told)
  assert.equal(told.falls, 0)
  assert.ok(told.first < told.last)
  assert.equal(told.toldPlain, 0)
  assert.ok(told.surrendersPlain >= 2)
})

test('with SOFTOKI_PROGRESS=1 a user sees a key pair being made and cancels it with Ctrl-C; nothing is left', async (t) => {
  if (tool(t, 'script') === undefined) return
  const service = await startToken(t)
  const words = [PIN, 'generate']
  const program = programFor(t)
  const terminal = new Terminal(t, program, service.home, words, { SOFTOKI_PROGRESS: '1' })
  await terminal.shows('softoki: C_GenerateKeyPair: 1.')
  terminal.type('\x03')
  const { status, shown } = await terminal.end()
  assert.equal(status, 0, shown)
  assert.ok(shown.endsWith('\r\x1b[2K0x50, 0 objects\r\n'), shown)
  assert.ok(await becomes(() => childrenOf(service.pid).length === 0), 'its work goes on')
})
