import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Call, fakeService, type Respond, SURRENDER, surrender, u64 } from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { usual } from './usual-answers.ts'

/** Bounds of docs/WIRE.md: calls under way, and bytes of their requests. */
const MOST_CALLS = 1024
const MOST_BYTES = 256 << 20

async function answer(call: Call): Promise<void> {
  if (call.name === 'C_DigestUpdate') return call.answer('')
  if (call.name !== 'C_GenerateKey') return usual(call)
  await call.ask(SURRENDER, ...surrender(call.u64(0)))
  call.answer('u', u64(77))
}

test('more calls than the service takes at once wait for each other', async (t) => {
  let calls = 0
  let bytes = 0
  const most = { calls: 0, bytes: 0 }
  const held: (() => void)[] = []
  // Answers wait until nothing more comes, so that as much as possible is under way.
  let quiet: NodeJS.Timeout | undefined
  const release = () => {
    for (const go of held.splice(0)) go()
  }
  const respond: Respond = (call) => {
    calls++
    bytes += call.values.length
    most.calls = Math.max(most.calls, calls)
    most.bytes = Math.max(most.bytes, bytes)
    held.push(() => {
      calls--
      bytes -= call.values.length
      void answer(call)
    })
    clearTimeout(quiet)
    quiet = setTimeout(release, 60)
  }
  const service = await fakeService(respond)
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'crowd.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  t.diagnostic(`at once: ${most.calls} calls, ${most.bytes} bytes of requests`)
  assert.ok(most.calls <= MOST_CALLS)
  assert.ok(most.bytes <= MOST_BYTES)
})
