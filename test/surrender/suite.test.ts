/**
 * Every function that surrenders, with a callback at every point: what the callback answers and does
 * decides how the function ends, and nothing else changes.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { implemented } from '../../src/cryptoki.ts'
import { CKF, CKM, CKN, CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { type FunctionRow, functions, type OperationKind } from '../../src/standard/functions.ts'
import type { Progress } from '../../src/standard/progress.ts'
import { answers, bytes, data, template } from '../in-process.ts'
import { type OperationOf, operations } from './operations.ts'
import type { Row } from './row.ts'
import { rows } from './rows/all.ts'
import { perform, type Scene, SHA256, SHORT, Stage, sha256, shown } from './stage.ts'

/** Runs a check with every row, each a test of its own, on one token. */
async function withEveryRow(
  t: TestContext,
  check: (stage: Stage, row: Row) => Promise<void>,
): Promise<void> {
  const stage = await Stage.open(t)
  for (const row of rows) await t.test(`${row.name}, ${row.form}`, () => check(stage, row))
}

const rowOf = (row: Row): FunctionRow => functions[row.name]

test('the suite has a row for every function that surrenders', () => {
  const surrendering = Object.entries(functions)
    .filter(([name, { surrenders }]) => surrenders && implemented.has(name))
    .map(([name]) => name)
  assert.deepEqual([...new Set(rows.map(({ name }) => name))].sort(), surrendering.sort())
  assert.ok(surrendering.length >= 42, `${surrendering.length} functions`)
})

/** A callback that answers `answer` each time, and what it was called with. */
function counting(answer: (count: number) => number | Promise<number>) {
  const calls: { event: number; progress: Progress }[] = []
  const notify = (event: number, progress: Progress) => {
    calls.push({ event, progress })
    return answer(calls.length)
  }
  return { calls, notify }
}

test('every function calls back, and CKR_OK changes no result', (t) =>
  withEveryRow(t, async (stage, row) => {
    const { calls, notify } = counting(() => CKR.OK)
    const result = await stage.scene((scene) => perform(row, scene, { notify }))
    assert.deepEqual(result, await stage.expected(row))
    assert.ok(calls.length >= row.callbacks, `${calls.length} callbacks`)
    for (const { event, progress } of calls) {
      assert.equal(event, CKN.SURRENDER)
      const { done = 0, elapsed } = progress
      assert.ok(done >= 0 && done <= 1 && elapsed >= 0, JSON.stringify(progress))
    }
  }))

test('an answer that is neither CKR_OK nor CKR_CANCEL changes no result either', (t) =>
  withEveryRow(t, async (stage, row) => {
    const others = [CKR.GENERAL_ERROR, CKR.FUNCTION_CANCELED, CKR.VENDOR_DEFINED, 2 ** 64]
    const { notify } = counting((count) => others[count % others.length] as number)
    const result = await stage.scene((scene) => perform(row, scene, { notify }))
    assert.deepEqual(result, await stage.expected(row))
  }))

/** The operations that a function does not work on. */
const bystandersOf = (row: Row): [OperationKind, OperationOf][] =>
  (Object.entries(operations) as [OperationKind, OperationOf][]).filter(
    ([kind]) =>
      !rowOf(row).operations.includes(kind) &&
      implemented.has(`C_${kind.charAt(0).toUpperCase()}${kind.slice(1)}Init`),
  )

/** What every operation that stands by comes to. */
async function endAll(scene: Scene, bystanders: readonly [OperationKind, OperationOf][]) {
  const results: Record<string, unknown> = {}
  for (const [kind, operation] of bystanders) results[kind] = shown(await operation.end(scene))
  return results
}

const beginAll = async (scene: Scene, bystanders: readonly [OperationKind, OperationOf][]) => {
  for (const [, operation] of bystanders) await operation.begin(scene)
  await scene.call('C_FindObjectsInit', [scene.session, []])
}

/** A message that is cancelled is over; its operation goes on to the next one. */
const goesOn = (row: Row, kind: OperationKind) =>
  kind.startsWith('message') && !row.name.endsWith('Init')

async function assertOver(scene: Scene, row: Row): Promise<void> {
  for (const kind of rowOf(row).operations)
    if (goesOn(row, kind)) await operations[kind].end(scene)
    else await assert.rejects(operations[kind].end(scene), answers('OPERATION_NOT_INITIALIZED'))
}

/** What a function that fails must leave as it was: other operations, a search, all objects. */
async function failsAlone(
  stage: Stage,
  row: Row,
  fail: (scene: Scene) => Promise<unknown>,
): Promise<void> {
  const bystanders = bystandersOf(row)
  const expected = await stage.expected(row)
  const untouched = await stage.once(rowOf(row).operations.join(), async (scene) => {
    await beginAll(scene, bystanders)
    return endAll(scene, bystanders)
  })
  await stage.scene(async (scene) => {
    await beginAll(scene, bystanders)
    await row.begin(scene)
    const before = await stage.objects()
    await fail(scene)
    assert.equal(await stage.objects(), before, 'an object is left')
    await assertOver(scene, row)
    const search = await scene.call('C_FindObjects', [scene.session, 1000])
    assert.ok(search.length > 0, 'the search is over')
    await scene.call('C_FindObjectsFinal', [scene.session])
    assert.deepEqual(await endAll(scene, bystanders), untouched)
    assert.deepEqual(await perform(row, scene), expected)
    assert.equal((await stage.objects()) - before, row.makes)
  })
}

const placesUpTo = (last: number) => [...new Set([1, Math.ceil((last + 1) / 2), last])]

/** The callbacks at which a function is cancelled: the first, one in the middle, the last. */
async function placesIn(stage: Stage, row: Row): Promise<number[]> {
  if (row.waits) return placesUpTo(row.callbacks)
  const { calls, notify } = counting(() => CKR.OK)
  await stage.scene(async (scene) => {
    await row.begin(scene)
    await row.call(scene, { notify })
  })
  return placesUpTo(calls.length)
}

test('CKR_CANCEL at the first, a middle and the last callback ends the function, and nothing else', (t) =>
  withEveryRow(t, async (stage, row) => {
    for (const place of await placesIn(stage, row)) {
      const { calls, notify } = counting((count) => (count === place ? CKR.CANCEL : CKR.OK))
      await failsAlone(stage, row, (scene) =>
        assert.rejects(row.call(scene, { notify }), answers('FUNCTION_CANCELED')),
      )
      assert.equal(calls.length, place)
    }
  }))

test('a callback that throws ends the function with CKR_FUNCTION_FAILED and is its cause', (t) =>
  withEveryRow(t, async (stage, row) => {
    const [, ...later] = await placesIn(stage, row)
    const thrown = new Error('from the application')
    const told = new CryptokiError(CKR.OPERATION_ACTIVE, 'from a call of the application')
    for (const [cause, place] of [
      [thrown, later.at(-1) ?? 1],
      [told, later[0] ?? 1],
    ] as const) {
      const { notify } = counting((count) => {
        if (count === place) throw cause
        return CKR.OK
      })
      await failsAlone(stage, row, (scene) =>
        assert.rejects(
          row.call(scene, { notify }),
          (error) =>
            error instanceof CryptokiError &&
            error.rv === CKR.FUNCTION_FAILED &&
            error.cause === cause,
        ),
      )
    }
  }))

/** Does something of every chapter in another session. */
async function workElsewhere({ call, other, keys }: Scene): Promise<void> {
  await call('C_DigestInit', [other, SHA256])
  assert.equal(
    Buffer.from(bytes(await call('C_Digest', [other, data(SHORT), 32]))).toString('hex'),
    sha256(SHORT),
  )
  const generation = { type: CKM.AES_KEY_GEN, parameter: null }
  const key = await call('C_GenerateKey', [other, generation, template({ VALUE_LEN: 16 })])
  await call('C_DestroyObject', [other, key])
  await call('C_FindObjectsInit', [other, []])
  assert.ok((await call('C_FindObjects', [other, 1000])).includes(keys.aes))
  await call('C_FindObjectsFinal', [other])
}

test('a slow callback, and one that uses other sessions, change no result', (t) =>
  withEveryRow(t, async (stage, row) => {
    const result = await stage.scene((scene) => {
      const { notify } = counting(async (count) => {
        if (count === 1) await sleep(10)
        if (count <= 2) await workElsewhere(scene)
        return CKR.OK
      })
      return perform(row, scene, { notify })
    })
    assert.deepEqual(result, await stage.expected(row))
  }))

/** What a callback is answered that calls the session whose function called it. */
async function workHere({ call, session, slot, keys }: Scene): Promise<void> {
  const active = answers('OPERATION_ACTIVE')
  const failed = answers('FUNCTION_FAILED')
  assert.equal((await call('C_GetSessionInfo', [session])).slotID, slot)
  await assert.rejects(call('C_DigestInit', [session, SHA256]), active)
  await assert.rejects(call('C_DigestUpdate', [session, data(SHORT)]), active)
  await assert.rejects(call('C_GenerateRandom', [session, 16]), active)
  await assert.rejects(call('C_FindObjectsInit', [session, []]), active)
  await assert.rejects(call('C_DestroyObject', [session, keys.aes]), active)
  await assert.rejects(call('C_Logout', [session]), active)
  await assert.rejects(call('C_SessionCancel', [session, CKF.DIGEST | CKF.ENCRYPT]), failed)
  await assert.rejects(call('C_CloseSession', [session]), failed)
  await assert.rejects(call('C_CloseAllSessions', [slot]), failed)
  await assert.rejects(call('C_Finalize', []), failed)
}

test('a callback that calls its own session is refused, and changes no result', (t) =>
  withEveryRow(t, async (stage, row) => {
    const result = await stage.scene((scene) => {
      const { notify } = counting(async (count) => {
        if (count <= 2) await workHere(scene)
        return CKR.OK
      })
      return perform(row, scene, { notify })
    })
    assert.deepEqual(result, await stage.expected(row))
  }))
