import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CKR } from '../../src/standard/constants.ts'
import {
  childrenOf,
  compile,
  modulePath,
  PIN,
  report,
  resultOf,
  type Service,
  start,
  startToken,
} from '../service.ts'

/** What surrender.c prints of one watched function. */
interface Watched {
  readonly rv: number
  readonly callbacks: number
  /** Callbacks that came in another thread, or with other arguments, than they should. */
  readonly elsewhere: number
  readonly otherSession: number
  readonly otherEvent: number
  readonly otherApplication: number
  /** Milliseconds. */
  readonly longestGap: number
  readonly took: number
}
interface WatchedGeneration extends Watched {
  readonly made: number
  readonly labelled: number
}
interface WatchedDigest extends Watched {
  readonly hash: string
  readonly afterwards: number
}

const source = join(import.meta.dirname, 'surrender.c')
const interval = 50

function watching(t: TestContext, service: Service) {
  const program = compile(t, source)
  const module = modulePath()
  return <Result>(...words: (string | number)[]) =>
    report<Result>(program, [module, PIN, ...words.map(String)], service.environment)
}

/** The callbacks were those that the session asked for, and as many as the pace allows. */
function assertCallbacks(t: TestContext, what: string, watched: Watched): void {
  const { callbacks, longestGap, took } = watched
  t.diagnostic(`${what}: ${callbacks} callbacks in ${took} ms, longest gap ${longestGap} ms`)
  const { elsewhere, otherSession, otherEvent, otherApplication } = watched
  assert.deepEqual(
    { elsewhere, otherSession, otherEvent, otherApplication },
    { elsewhere: 0, otherSession: 0, otherEvent: 0, otherApplication: 0 },
  )
  assert.ok(callbacks >= Math.max(1, Math.floor(took / (10 * interval))), 'too few callbacks')
  assert.ok(callbacks <= took / interval + 1, 'more callbacks than one an interval')
}

/** The hash of what surrender.c digests: 512 MiB in blocks of 64 KiB that begin with their number. */
function expectedHash(): string {
  const hash = createHash('sha256')
  const block = Buffer.alloc(64 << 10)
  for (let i = 0; i < 8192; i++) {
    block.writeBigUInt64LE(BigInt(i))
    hash.update(block)
  }
  return hash.digest('hex')
}

test('generating RSA-8192 calls back in the calling thread, with the session and its pApplication', async (t) => {
  const watch = watching(t, await startToken(t))
  const watched = await watch<WatchedGeneration>('rsa', 8192, 0)
  assert.equal(watched.rv, CKR.OK)
  assert.equal(watched.made, 2)
  assertCallbacks(t, 'RSA-8192', watched)
})

test('one C_Digest over 512 MiB calls back all the while and answers the right hash', async (t) => {
  const watch = watching(t, await startToken(t))
  const watched = await watch<WatchedDigest>('digest', 0)
  assert.equal(watched.rv, CKR.OK)
  assert.equal(watched.hash, expectedHash())
  assert.equal(watched.afterwards, CKR.OPERATION_NOT_INITIALIZED)
  assertCallbacks(t, 'SHA-256 over 512 MiB', watched)
})

test('two programs have the paces of their own SOFTOKI_SURRENDER_MS: 0 calls back at every MiB, an hour never', async (t) => {
  const service = await startToken(t)
  const paced = (SOFTOKI_SURRENDER_MS: string) =>
    watching(t, {
      ...service,
      environment: { ...service.environment, SOFTOKI_SURRENDER_MS },
    })<WatchedDigest>('digest', 0)
  const [hasty, patient] = await Promise.all([paced('0'), paced('3600000')])
  assert.equal(hasty.hash, expectedHash())
  assert.equal(patient.hash, hasty.hash)
  assert.ok(hasty.callbacks >= 512, `${hasty.callbacks} callbacks`)
  assert.equal(patient.callbacks, 0)
})

test('a service’s SOFTOKI_SURRENDER_MS is the pace of programs that have none', async (t) => {
  const service = await startToken(t, { SOFTOKI_SURRENDER_MS: '0' })
  const environment = { ...service.environment }
  delete environment.SOFTOKI_SURRENDER_MS
  const silent = await watching(t, { ...service, environment })<WatchedDigest>('digest', 0)
  assert.ok(silent.callbacks >= 512, `${silent.callbacks} callbacks`)
})

for (const at of [1, 3]) {
  test(`CKR_CANCEL at callback ${at} ends C_GenerateKeyPair and leaves no object behind`, async (t) => {
    const watch = watching(t, await startToken(t))
    const watched = await watch<WatchedGeneration>('rsa', 16384, at)
    assert.equal(watched.rv, CKR.FUNCTION_CANCELED)
    assert.equal(watched.callbacks, at)
    assert.equal(watched.made, 0)
    assert.equal(watched.labelled, 0)
    assertCallbacks(t, 'cancelled RSA-16384', watched)
  })

  test(`CKR_CANCEL at callback ${at} ends C_Digest and its operation`, async (t) => {
    const watch = watching(t, await startToken(t))
    const watched = await watch<WatchedDigest>('digest', at)
    assert.equal(watched.rv, CKR.FUNCTION_CANCELED)
    assert.equal(watched.callbacks, at)
    assert.equal(watched.hash, '0'.repeat(64))
    assert.equal(watched.afterwards, CKR.OPERATION_NOT_INITIALIZED)
    assertCallbacks(t, 'cancelled C_Digest', watched)
  })
}

test('one second after a cancelled C_GenerateKeyPair its worker process is gone', async (t) => {
  const service = await startToken(t)
  const args = [modulePath(), PIN, 'rsa', '16384', '10']
  const before = childrenOf(service.pid)
  const program = start(t, compile(t, source), args, service.environment)
  const meanwhile = new Set<number>()
  while (program.child.exitCode === null && program.child.signalCode === null) {
    for (const child of childrenOf(service.pid)) meanwhile.add(child)
    await sleep(20)
  }
  assert.equal(resultOf<Watched>(await program.end()).rv, CKR.FUNCTION_CANCELED)
  await sleep(1000)
  assert.ok(meanwhile.size > before.length, 'the key pair was generated in a process of its own')
  const after = childrenOf(service.pid)
  assert.deepEqual(
    after.filter((pid) => !before.includes(pid)),
    [],
  )
})

test('a cancelled C_GenerateKeyPair returns soon after CKR_CANCEL', async (t) => {
  const watch = watching(t, await startToken(t))
  const { latencies } = await watch<{ latencies: number[] }>('latency', 20)
  const sorted = latencies.toSorted((a, b) => a - b)
  const worst = sorted.at(-1) as number
  t.diagnostic(`CKR_CANCEL to return, 20 tries: median ${sorted[10]} ms, worst ${worst} ms`)
  assert.equal(latencies.length, 20)
  assert.ok(worst < 5000)
})

test('Notify and pApplication may each be NULL', async (t) => {
  const watch = watching(t, await startToken(t))
  const watched = await watch<Record<string, number>>('nulls')
  assert.equal(watched.withoutNotify, CKR.OK)
  assert.equal(watched.callbacksWithoutNotify, 0)
  assert.equal(watched.withoutApplication, CKR.OK)
  assert.ok((watched.callbacksWithoutApplication as number) >= 1)
})

test('C_GetFunctionStatus and C_CancelFunction know no parallel functions', async (t) => {
  const watch = watching(t, await startToken(t))
  const { before, after } = await watch<Record<string, number[]>>('legacy')
  assert.deepEqual(before, [CKR.CRYPTOKI_NOT_INITIALIZED, CKR.CRYPTOKI_NOT_INITIALIZED])
  assert.deepEqual(after, [CKR.FUNCTION_NOT_PARALLEL, CKR.FUNCTION_NOT_PARALLEL])
})
