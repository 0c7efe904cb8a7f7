import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Surrendered } from './fake-service.ts'
import { compiled, P11_KIT, ran } from './programs.ts'
import { working } from './working.ts'

const surrenders: readonly Surrendered[] = [
  { elapsed: 50 },
  { elapsed: 100, done: 250_000, usual: 3200 },
  { elapsed: 150, done: 1_000_000, usual: 0 },
]

const eager = ['-1 50 -1', '250000 100 3200', '1000000 150 0'].flatMap((told) => [
  told,
  'surrender',
])
const plain = Array<string>(3).fill('surrender')

async function tells(t: TestContext, include?: string): Promise<void> {
  const service = await working(t, { surrenders })
  const name = include === undefined ? 'notify-progress' : 'notify-progress-p11-kit'
  const program = compiled({ file: 'notify-progress.c', name, ...(include && { include }) })
  const { code, stdout, stderr } = await ran(program, service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  const cancelled = eager.slice(0, 3)
  assert.deepEqual(stdout.trim().split('\n'), [...eager, ...plain, ...cancelled, ...plain])
}

test('a session that opted in is told of progress ahead of each surrender, and may cancel there', (t) =>
  tells(t))

test('softoki.h serves a program that was compiled with p11-kit’s header', async (t) => {
  if (P11_KIT === undefined) return t.diagnostic('p11-kit’s header is not installed')
  await tells(t, P11_KIT)
})
