import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inWords, progressLine, progressText } from '../../src/cli/progress.ts'

test('times are told in the units that fit them', () => {
  assert.equal(inWords(0), '0.0 s')
  assert.equal(inWords(3260), '3.2 s')
  assert.equal(inWords(59_999), '59.9 s')
  assert.equal(inWords(60_000), '1 min 0 s')
  assert.equal(inWords(3_599_999), '59 min 59 s')
  assert.equal(inWords(4_350_000), '1 h 12 min')
})

test('a known fraction is told in per cent, else what is usual', () => {
  assert.equal(progressText({ done: 0.459, elapsed: 1200, usual: 9000 }), '45 %, 1.2 s')
  assert.equal(progressText({ elapsed: 1200, usual: 3200 }), '1.2 s, usually about 3.2 s')
  assert.equal(progressText({ elapsed: 1200 }), '1.2 s')
})

test('a line draws a bar where a fraction is known and there is room', () => {
  const half = { done: 0.5, elapsed: 1200 }
  const whole = 'softoki: hashing: [==========          ] 50 %, 1.2 s, Ctrl-C cancels'
  assert.equal(progressLine('hashing', half, 80), whole)
  assert.equal(
    progressLine('hashing', half, 60),
    'softoki: hashing: [=====      ] 50 %, 1.2 s, Ctrl-C cancels',
  )
  assert.equal(progressLine('hashing', half, 50), 'softoki: hashing: 50 %, 1.2 s, Ctrl-C cancels')
  assert.equal(
    progressLine('generating rsa:4096', { elapsed: 1200, usual: 3200 }, 80),
    'softoki: generating rsa:4096: 1.2 s, usually about 3.2 s, Ctrl-C cancels',
  )
})

test('no line is as long as the terminal is wide', () => {
  for (let columns = 1; columns < 120; columns++)
    assert.ok(progressLine('hashing', { done: 1, elapsed: 5 }, columns).length < columns)
})
