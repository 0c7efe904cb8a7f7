import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { tool } from '../service.ts'
import { compiled, ran } from './programs.ts'
import { Terminal } from './terminal.ts'
import { type Work, working } from './working.ts'

const program = compiled({ file: 'interrupts.c' })
const env = { SOFTOKI_PROGRESS: '1' }

const ERASE = '\r\x1b[2K'

const three = [50, 100, 150].map((elapsed) => ({ elapsed }))

/** How the program ended; the signal stands in what it wrote. */
async function endOf(t: TestContext, way: string, works: Partial<Work> = {}, more = env) {
  const { home } = await working(t, { surrenders: three, ...works })
  const { code, stderr } = await ran(program, home, [way], { env: more })
  return { code, stderr }
}

const WELL = { code: 0, stderr: '' }
const INTERRUPTED = { code: -1, stderr: 'SIGINT' }

test('Ctrl-C cancels the function, and afterwards SIGINT is what it was', async (t) => {
  assert.deepEqual(await endOf(t, 'cancels'), WELL)
})

test('a second Ctrl-C within the same function ends the program as usual', async (t) => {
  assert.deepEqual(await endOf(t, 'ends', { deaf: true }), INTERRUPTED)
})

test('a program’s own handler, and a SIGINT that it ignores, are left alone', async (t) => {
  assert.deepEqual(await endOf(t, 'own'), WELL)
  assert.deepEqual(await endOf(t, 'ignored'), WELL)
})

test('a handler that the program sets meanwhile stays', async (t) => {
  assert.deepEqual(await endOf(t, 'changes'), WELL)
})

test('a Ctrl-C that comes too late for the function is for the program', async (t) => {
  assert.deepEqual(await endOf(t, 'late', { pause: 200 }), INTERRUPTED)
})

test('one Ctrl-C cancels the functions of all threads, and the next one is as good', async (t) => {
  assert.deepEqual(await endOf(t, 'threads'), WELL)
})

test('a child has SIGINT as the program had it', async (t) => {
  assert.deepEqual(await endOf(t, 'forks'), WELL)
})

test('without SOFTOKI_PROGRESS Ctrl-C ends the program', async (t) => {
  const off = { SOFTOKI_PROGRESS: '0' }
  assert.deepEqual(await endOf(t, 'cancels', {}, off), INTERRUPTED)
})

/** A second of work, and more than anybody waits for. */
const long = Array.from({ length: 1000 }, (_, i) => ({ elapsed: 1000 + 10 * i }))

type Typing = (terminal: Terminal) => void | Promise<void>

async function typed(t: TestContext, works: Partial<Work>, then: Typing) {
  const { home } = await working(t, { surrenders: long, pause: 10, ...works })
  const terminal = new Terminal(t, program, home, ['works'], env)
  await terminal.shows('Ctrl-C cancels')
  await then(terminal)
  return terminal.end()
}

test('the keys themselves do it, and leave nothing on the terminal', async (t) => {
  if (tool(t, 'script') === undefined) return
  const { status, shown } = await typed(t, {}, (terminal) => terminal.type('\x03'))
  assert.equal(status, 0, shown)
  assert.ok(shown.endsWith(`${ERASE}0x50\r\n`), shown)
})

test('two of them end a program whose service does not heed the first, and take the line away', async (t) => {
  if (tool(t, 'script') === undefined) return
  const { status, shown } = await typed(t, { deaf: true }, async (terminal) => {
    terminal.type('\x03')
    await terminal.shows('^C')
    terminal.type('\x03')
  })
  assert.equal(status, 130, shown)
  // The terminal may echo the last key behind what the program wrote.
  assert.ok(shown.replace(/\^C$/, '').endsWith(ERASE), shown)
})
