import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { KeptDurations } from '../../src/surrender/kept-durations.ts'
import { temporaryFolder } from '../service.ts'

/** A file in a folder of its own, and what was complained of. */
function place(t: TestContext) {
  const folder = temporaryFolder(t)
  const file = join(folder, 'durations.json')
  const complaints: unknown[] = []
  const open = () => new KeptDurations(file, (error) => complaints.push(error))
  return { folder, file, open, complaints }
}

test('what work took lasts in a file that is its owner’s alone', async (t) => {
  const { folder, file, open, complaints } = place(t)
  const durations = open()
  durations.took('generateRsaKeyPair 4096', 3200.4)
  durations.took('generateRsaKeyPair 4096', 2800)
  await durations.close()
  assert.deepEqual(readdirSync(folder), ['durations.json'])
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(readFileSync(file, 'utf8'), '{"generateRsaKeyPair 4096":[3200,2800]}')
  const again = open()
  assert.equal(again.usual('generateRsaKeyPair 4096'), 3000)
  again.took('generateRsaKeyPair 4096', 100)
  await again.close()
  assert.equal(open().usual('generateRsaKeyPair 4096'), 2800)
  assert.deepEqual(complaints, [])
})

test('it is written a minute after the first change, and not before', async (t) => {
  const { folder, file, open } = place(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const durations = open()
  durations.took('work', 1)
  t.mock.timers.tick(59_000)
  durations.took('work', 3)
  assert.deepEqual(readdirSync(folder), [])
  t.mock.timers.tick(1000)
  await durations.close()
  assert.equal(readFileSync(file, 'utf8'), '{"work":[1,3]}')
})

test('where nothing was done nothing is written', async (t) => {
  const { folder, open } = place(t)
  await open().close()
  assert.deepEqual(readdirSync(folder), [])
})

const many = (count: number) => Array.from({ length: count }, (_, at) => at)

const damaged: Readonly<Record<string, string>> = {
  'cut in the middle': '{"work":[1,2',
  'not an object': '[1,2]',
  'a time that is no number': '{"work":["1"]}',
  'a time below 0': '{"work":[-1]}',
  'a kind without times': '{"work":[]}',
  'more times than are kept': JSON.stringify({ work: many(16) }),
  'more kinds than are kept': JSON.stringify(
    Object.fromEntries(many(257).map((at) => [`work ${at}`, [1]])),
  ),
  'a kind of 201 characters': JSON.stringify({ ['k'.repeat(201)]: [1] }),
  'more bytes than are read': `{"work":[1]}${' '.repeat(256 << 10)}`,
}

for (const [how, text] of Object.entries(damaged))
  test(`a damaged file is told of and replaced: ${how}`, async (t) => {
    const { file, open, complaints } = place(t)
    writeFileSync(file, text)
    const durations = open()
    assert.equal(complaints.length, 1)
    assert.equal(durations.usual('work'), undefined)
    durations.took('work', 7)
    await durations.close()
    assert.equal(readFileSync(file, 'utf8'), '{"work":[7]}')
  })

test('a folder that cannot be written to is told of, and no reason to fail', async (t) => {
  const { folder, complaints } = place(t)
  const durations = new KeptDurations(join(folder, 'none', 'durations.json'), (error) =>
    complaints.push(error),
  )
  durations.took('work', 1)
  await durations.close()
  assert.equal(complaints.length, 1)
  assert.equal(durations.usual('work'), 1)
})
