import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { becomes } from '../processes/observing.ts'
import { childrenOf, compile, modulePath, PIN, report, startToken } from '../service.ts'

/** A token on a service, and the program on it. */
async function program(t: TestContext) {
  const service = await startToken(t)
  const file = compile(t, join(import.meta.dirname, 'asynchronous.c'))
  const run = <Told>(...words: string[]) =>
    report<Told>(file, [modulePath(), PIN, ...words], service.environment)
  return { service, run }
}

interface Polled {
  readonly signatures: number
  readonly polls: number
  readonly found: number
}

test('a program polls for its RSA-8192 key pair, signs in another session meanwhile, and gets both handles', async (t) => {
  const { run } = await program(t)
  const { signatures, polls, found } = await run<Polled>('poll')
  t.diagnostic(`${signatures} ECDSA signatures meanwhile; SLH-DSA asked for ${polls} times more`)
  assert.equal(found, 2)
  assert.ok(signatures > 0)
})

interface Ids {
  readonly pair: string
  readonly sign: string
  readonly key: string
}

test('a key pair, a signature and a key from a password that one program began are joined by another', async (t) => {
  const { run } = await program(t)
  const { pair, sign, key } = await run<Ids>('leave')
  assert.deepEqual(await run('join', pair, sign, key), { found: 2 })
})

test('and also where the service was killed and started again in between', async (t) => {
  const { service, run } = await program(t)
  const { pair, sign, key } = await run<Ids>('leave')
  await service.kill9()
  await service.restart()
  assert.deepEqual(await run('join', pair, sign, key), { found: 2 })
})

test('C_SessionCancel and C_CloseSession leave nothing of what was pending', async (t) => {
  const { service, run } = await program(t)
  assert.deepEqual(await run('cancel'), { found: 0 })
  assert.ok(await becomes(() => childrenOf(service.pid).length === 0), 'a worker goes on')
})

test('wrong ids, names, versions and buffers are refused, and what is pending goes on', async (t) => {
  const { run } = await program(t)
  assert.deepEqual(await run('refuse'), { refused: true })
})

test('a digest over 256 MiB of the program is pending too', async (t) => {
  const { run } = await program(t)
  const { pending, polls } = await run<{ pending: boolean; polls: number }>('data')
  t.diagnostic(`asked for ${polls} times more`)
  assert.ok(pending)
})
