import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CKN, CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { Durations } from '../../src/surrender/durations.ts'
import { Surrender } from '../../src/surrender/surrender.ts'

const canceled = (error: unknown) =>
  error instanceof CryptokiError && error.rv === CKR.FUNCTION_CANCELED
const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** Computes for so many milliseconds without letting anybody in. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

test('a point before its time costs nothing and calls nobody', () => {
  const surrender = new Surrender({ notify: () => assert.fail('called') })
  assert.equal(surrender.point(), undefined)
})

test('a point after the interval calls the application with CKN_SURRENDER and the progress', async () => {
  const calls: [number, number | undefined][] = []
  const surrender = new Surrender({
    interval: 5,
    notify: (event, progress) => {
      calls.push([event, progress.done])
      return CKR.OK
    },
  })
  compute(6)
  await surrender.point(0.5)
  assert.deepEqual(calls, [[CKN.SURRENDER, 0.5]])
  assert.equal(surrender.point(), undefined)
})

test('with interval 0 every point calls', async () => {
  let calls = 0
  const surrender = new Surrender({
    interval: 0,
    notify: () => {
      calls++
      return CKR.OK
    },
  })
  await surrender.point()
  await surrender.point()
  assert.equal(calls, 2)
})

test('CKR_CANCEL at a point throws CKR_FUNCTION_CANCELED', async () => {
  const surrender = new Surrender({ interval: 0, notify: () => CKR.CANCEL })
  await assert.rejects(async () => surrender.point(), canceled)
})

test('any answer but CKR_CANCEL goes on', async () => {
  const surrender = new Surrender({ interval: 0, notify: () => CKR.GENERAL_ERROR })
  await surrender.point()
})

test('a callback that throws makes CKR_FUNCTION_FAILED with the exception as cause', async () => {
  const cause = new Error('from the application')
  const surrender = new Surrender({ interval: 0, notify: () => Promise.reject(cause) })
  await assert.rejects(
    async () => surrender.point(),
    (error) =>
      error instanceof CryptokiError && error.rv === CKR.FUNCTION_FAILED && error.cause === cause,
  )
})

test('computing lets the event loop in at points', async () => {
  let others = 0
  setImmediate(() => others++)
  const surrender = new Surrender()
  for (let step = 0; step < 5; step++) {
    compute(4)
    await surrender.point()
  }
  assert.equal(others, 1)
})

test('during waits for the work and calls meanwhile', async () => {
  let calls = 0
  const surrender = new Surrender({
    interval: 5,
    notify: () => {
      calls++
      return CKR.OK
    },
  })
  const result = await surrender.during(
    sleep(60).then(() => 'done'),
    () => assert.fail('stopped'),
  )
  assert.equal(result, 'done')
  assert.ok(calls > 1, `${calls} callbacks`)
})

test('CKR_CANCEL during work stops the work and throws CKR_FUNCTION_CANCELED', async () => {
  let stopped = false
  const surrender = new Surrender({ interval: 5, notify: () => CKR.CANCEL })
  const never = new Promise<void>(() => {})
  await assert.rejects(
    surrender.during(never, () => {
      stopped = true
    }),
    canceled,
  )
  assert.ok(stopped)
})

test('a signal stops points and work alike', async () => {
  const controller = new AbortController()
  const surrender = new Surrender({ signals: [new AbortController().signal, controller.signal] })
  const waiting = surrender.during(new Promise<void>(() => {}), () => {})
  controller.abort()
  await assert.rejects(waiting, canceled)
  assert.throws(() => void surrender.point(), canceled)
})

test('a signal may say with which return value the work ends', async () => {
  const controller = new AbortController()
  const surrender = new Surrender({ signals: [controller.signal] })
  const waiting = surrender.during(new Promise<void>(() => {}), () => {})
  const closed = new CryptokiError(CKR.SESSION_CLOSED, 'the session was closed')
  controller.abort(closed)
  await assert.rejects(waiting, closed)
  assert.throws(() => void surrender.point(), closed)
})

test('an error of the work is passed on', async () => {
  const surrender = new Surrender()
  await assert.rejects(
    surrender.during(Promise.reject(new RangeError('broken')), () => {}),
    RangeError,
  )
})

test('progress tells the time since the function began, and the fraction of the last point', async () => {
  const surrender = new Surrender()
  assert.equal(surrender.progress.done, undefined)
  await surrender.point(0.25)
  assert.equal(surrender.progress.done, 0.25)
  compute(6)
  await surrender.point()
  const { done, elapsed, usual } = surrender.progress
  assert.deepEqual([done, usual], [0.25, undefined])
  assert.ok(elapsed >= 6 && elapsed < 5000, `${elapsed} ms`)
})

test('work elsewhere has a fraction of its own, and none where it tells none', async () => {
  const surrender = new Surrender()
  surrender.point(0.75)
  const told = surrender.during(sleep(20), () => {}, { done: () => 0.5 })
  assert.equal(surrender.progress.done, 0.5)
  await told
  const untold = surrender.during(sleep(20), () => {})
  assert.equal(surrender.progress.done, undefined)
  await untold
})

test('work of a kind that was done before tells what it took, and counts once it is done', async () => {
  const durations = new Durations([['sleep 20', [10, 4000, 30]]])
  const surrender = new Surrender({ durations })
  const work = surrender.during(sleep(20), () => {}, { kind: 'sleep 20' })
  assert.equal(surrender.progress.usual, 30)
  await work
  const [[, times] = []] = durations.all()
  assert.equal(times?.length, 4)
  assert.ok((times?.[3] as number) >= 19 && (times?.[3] as number) < 5000, `${times}`)
  assert.equal(surrender.progress.usual, undefined)
})

test('time that a slow callback takes is not told as time of the work', async () => {
  const durations = new Durations()
  const notify = async () => {
    await sleep(300)
    return CKR.OK
  }
  const surrender = new Surrender({ interval: 1, notify, durations })
  const began = performance.now()
  const ended = sleep(20).then(() => performance.now() - began)
  const took = await surrender.during(ended, () => {}, { kind: 'sleep' })
  assert.ok((durations.usual('sleep') as number) <= took + 1, `${durations.usual('sleep')} ms`)
})

test('work that was cancelled or failed does not count', async () => {
  const durations = new Durations()
  const kind = 'work'
  const cancelling = new Surrender({ interval: 1, notify: () => CKR.CANCEL, durations })
  await assert.rejects(
    cancelling.during(sleep(50), () => {}, { kind }),
    canceled,
  )
  const failing = Promise.reject(new RangeError('broken'))
  await assert.rejects(
    new Surrender({ durations }).during(failing, () => {}, { kind }),
    RangeError,
  )
  assert.equal(durations.usual(kind), undefined)
})
