import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Durations, MOST_KINDS, MOST_TIMES } from '../../src/surrender/durations.ts'

const taken = (...times: number[]): Durations => {
  const durations = new Durations()
  for (const time of times) durations.took('work', time)
  return durations
}

test('what is usual is the median, and nothing is where nothing was done', () => {
  assert.equal(taken().usual('work'), undefined)
  assert.equal(taken(70).usual('work'), 70)
  assert.equal(taken(70, 90).usual('work'), 80)
  assert.equal(taken(9000, 100, 300, 200, 1).usual('work'), 200)
  assert.equal(taken(70).usual('other work'), undefined)
})

test('the latest times of a kind count', () => {
  const old = Array.from({ length: 100 }, () => 5000)
  const young = Array.from({ length: MOST_TIMES }, () => 10)
  assert.equal(taken(...old, ...young).usual('work'), 10)
})

test('the kinds that were not done for longest are forgotten first', () => {
  const durations = new Durations()
  for (let kind = 0; kind < MOST_KINDS; kind++) durations.took(`work ${kind}`, kind)
  durations.took('work 0', 0)
  durations.took('one more', 1)
  assert.equal(durations.usual('work 1'), undefined)
  assert.equal(durations.usual('work 0'), 0)
  assert.equal([...durations.all()].length, MOST_KINDS)
})
