import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { tool } from '../service.ts'
import type { Surrendered } from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { Terminal } from './terminal.ts'
import { type Work, working } from './working.ts'

const program = compiled({ file: 'drawing.c' })

const ERASE = '\r\x1b[2K'

/** What is drawn with the setting for a function that surrenders so. */
async function drawn(t: TestContext, works: Work, way = 'once', more = {}): Promise<string> {
  const { home } = await working(t, works)
  const terminal = new Terminal(t, program, home, [way], { SOFTOKI_PROGRESS: '1', ...more })
  const { status, shown } = await terminal.end()
  assert.equal(status, 0, shown)
  return shown
}

/** What is written to a standard error that is no terminal. */
async function written(t: TestContext, surrenders: readonly Surrendered[], way = 'once') {
  const { home } = await working(t, { surrenders })
  const { code, stdout, stderr } = await ran(program, home, [way], {
    env: { SOFTOKI_PROGRESS: '1' },
  })
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'done\n' }, stderr)
  return stderr.replaceAll(/^softoki\[\d+\]/gm, 'softoki')
}

test('on a terminal a function of more than a second has one line, redrawn in place and gone at its end', async (t) => {
  if (tool(t, 'script') === undefined) return
  const surrenders: Surrendered[] = [
    { elapsed: 900, done: 100_000 },
    { elapsed: 1200, done: 429_999, usual: 3200 },
    { elapsed: 1250, done: 440_000 },
    { elapsed: 1300, done: 1_000_000 },
    { elapsed: 2000 },
    { elapsed: 3450, usual: 3200 },
    { elapsed: 125_000, usual: 7_200_000 },
  ]
  const lines = [
    '[========            ] 42 %, 1.2 s',
    '[====================] 100 %, 1.3 s',
    '2.0 s',
    '3.4 s, usually about 3.2 s',
    '2 min 5 s, usually about 2 h 0 min',
  ].map((facts) => `${ERASE}softoki: C_GenerateKey: ${facts}, Ctrl-C cancels`)
  assert.equal(await drawn(t, { surrenders }), `${lines.join('')}${ERASE}done\r\n`)
})

test('the line fits a terminal that is narrow, whose bar goes first', async (t) => {
  if (tool(t, 'script') === undefined) return
  const surrenders = [{ elapsed: 1000, done: 500_000 }]
  for (const [columns, facts] of [
    [67, '[======      ] 50 %, 1.0 s, Ctrl-C cancels'],
    [63, '[====    ] 50 %, 1.0 s, Ctrl-C cancels'],
    [62, '50 %, 1.0 s, Ctrl-C cancels'],
    [40, '50 %, 1.0 s, Ct'],
  ] as const) {
    const shown = await drawn(t, { surrenders }, 'once', { COLUMNS: `${columns}` })
    assert.equal(shown, `${ERASE}softoki: C_GenerateKey: ${facts}${ERASE}done\r\n`)
  }
})

test('functions that are over within a second draw nothing', async (t) => {
  if (tool(t, 'script') === undefined) return
  const surrenders = [{ elapsed: 50 }, { elapsed: 999 }]
  assert.equal(await drawn(t, { surrenders }), 'done\r\n')
})

test('of functions in several threads one is shown at a time', async (t) => {
  if (tool(t, 'script') === undefined) return
  const surrenders = Array.from({ length: 20 }, (_, i) => ({ elapsed: 1000 + 100 * i }))
  const shown = await drawn(t, { surrenders, pause: 5 }, 'threads')
  const lines = shown.split(ERASE)
  assert.equal(lines.shift(), '')
  assert.equal(lines.pop(), 'done\r\n')
  for (const line of lines)
    assert.match(line, /^(softoki: C_GenerateKey: \d\.\d s, Ctrl-C cancels)?$/)
})

test('a line of the log takes the place of the line that is drawn', async (t) => {
  if (tool(t, 'script') === undefined) return
  const shown = await drawn(t, { surrenders: [{ elapsed: 1000 }] }, 'once', { SOFTOKI_LOG: '1' })
  assert.ok(shown.includes(`${ERASE}softoki: C_GenerateKey: 1.0 s, Ctrl-C cancels${ERASE}`), shown)
})

test('where standard error is no terminal, a line is added each ten seconds', async (t) => {
  const surrenders = [1000, 9_900, 10_100, 15_000, 20_100, 31_000, 32_000].map((elapsed) => ({
    elapsed,
    done: elapsed * 20,
  }))
  const lines = ['20 %, 10.1 s', '40 %, 20.1 s', '62 %, 31.0 s']
  assert.equal(
    await written(t, surrenders),
    lines.map((facts) => `softoki: C_GenerateKey: ${facts}\n`).join(''),
  )
})

test('so it is on a terminal that cannot erase', async (t) => {
  if (tool(t, 'script') === undefined) return
  const surrenders = [{ elapsed: 1000 }, { elapsed: 10_000, usual: 20_000 }]
  const shown = await drawn(t, { surrenders }, 'once', { TERM: 'dumb' })
  assert.match(shown, /^softoki\[\d+\]: C_GenerateKey: 10\.0 s, usually about 20\.0 s\r\ndone\r\n$/)
})

test('nobody who does not read standard error stops a function or ends its program', async (t) => {
  const surrenders = [10_000, 20_000, 30_000].map((elapsed) => ({ elapsed }))
  assert.equal(await written(t, surrenders, 'unread'), '')
  assert.equal(await written(t, surrenders, 'nobody'), '')
})

test('sessions without a callback are asked to surrender only where SOFTOKI_PROGRESS is 1', async (t) => {
  for (const [value, asked] of [
    ['1', 1],
    ['0', 0],
    ['', 0],
  ] as const) {
    const { home, requests } = await working(t, { surrenders: [{ elapsed: 10_000 }] })
    const { code, stderr } = await ran(program, home, ['once'], {
      env: { SOFTOKI_PROGRESS: value },
    })
    assert.equal(code, 0, stderr)
    assert.equal(stderr === '', asked === 0)
    const opened = requests.find(({ name }) => name === 'C_OpenSession')
    assert.equal(opened?.values.at(-1), asked)
  }
})
