import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plotOf } from '../../bench/plot.ts'
import { type Goal, judge, type Line, type Outcome, ratioOf } from '../../bench/results.ts'
import { tableOf } from '../../bench/table.ts'

const measured = (median: number) => ({ median, rounds: [median], calls: 1 })

const lineOf = (outcomes: Record<string, Outcome>, unit: Line['unit'] = 'time'): Line => ({
  group: 'Calls',
  name: 'C_Sign',
  unit,
  outcomes,
  verdicts: [],
})

const SIDES = {
  Softoki: measured(20),
  'Softoki by socket': measured(60),
  SoftHSM2: measured(40),
  OpenSSL: measured(10),
  Kryoptic: { missing: 'C_SignInit: CKR_MECHANISM_INVALID' },
}

const reached = (goal: Goal, line = lineOf(SIDES)) => {
  const verdict = judge(goal, line)
  return [verdict.measured, verdict.reached]
}

test('a ratio is our time over theirs, of times and of rates', () => {
  assert.equal(ratioOf('time', measured(20), measured(40)), 0.5)
  assert.equal(ratioOf('rate', measured(200), measured(100)), 0.5)
})

test('a goal is judged by our first side, or by the side that it names', () => {
  assert.deepEqual(reached({ of: 'SoftHSM2', atMost: 0.6 }), ['0.50', true])
  assert.deepEqual(reached({ of: 'OpenSSL', atMost: 1.5 }), ['2.00', false])
  assert.deepEqual(reached({ of: 'OpenSSL', over: 3 }), ['10 µs', false])
  assert.deepEqual(reached({ of: 'OpenSSL', over: 5, calls: 2 }), ['5.00 µs', true])
  assert.deepEqual(reached({ of: 'OpenSSL', over: 40, by: 'Softoki by socket' }), ['50 µs', false])
  assert.deepEqual(reached({ below: 20 }), ['20', true])
})

test('every peer is every token of others: neither the yardstick nor our own by socket', () => {
  assert.deepEqual(reached({ ofEveryPeer: true, atMost: 1 }), ['0.50', true])
})

test('a goal whose side is missing is not measured', () => {
  assert.deepEqual(reached({ of: 'Kryoptic', atMost: 1 }), ['not measured', undefined])
  assert.deepEqual(reached({ of: 'NSS', atMost: 1 }), ['not measured', undefined])
})

test('a table shows what sides cannot do as a dash, and each reason once', () => {
  const machine = {
    processor: 'one',
    cores: 1,
    memoryGiB: 1,
    kernel: 'Linux',
    node: '24',
    openssl: '3.5',
    load: 0,
    commit: 'none',
  }
  const run = { date: '', seconds: 1, quick: true, rounds: 1, machine }
  const lines = [lineOf(SIDES), lineOf(SIDES)]
  const text = tableOf({ ...run, participants: [], lines, surrender: [] })
  assert.match(
    text,
    /^C_Sign +20\.0 µs +60\.0 µs \(0\.333\) +40\.0 µs \(0\.500\) +10\.0 µs \(2\.00\) +-$/m,
  )
  assert.equal(text.split('- Kryoptic: C_SignInit: CKR_MECHANISM_INVALID').length, 2)
})

test('a plot has a bar for each side that is measured, and none where nobody is', () => {
  const plot = plotOf('Calls', [lineOf(SIDES)], Object.keys(SIDES)) ?? ''
  // A square of the legend and a bar for each of three.
  assert.equal(plot.split('<rect ').length - 1, 6)
  assert.ok(!plot.includes('Kryoptic'))
  const alone = [lineOf({ Softoki: measured(20) }), lineOf(SIDES, 'MiB')]
  assert.equal(plotOf('Calls', alone, ['Softoki']), undefined)
})
