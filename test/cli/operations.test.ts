import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CKR } from '../../src/standard/constants.ts'
import {
  compile,
  modulePath,
  PIN,
  report,
  resultOf,
  run,
  softoki,
  start,
  startToken,
} from '../service.ts'
import { shellHome, transcript } from './transcript.ts'

/** A token, a program on it, and the command. */
async function prepared(t: TestContext, source: string) {
  const service = await startToken(t)
  const file = compile(t, join(import.meta.dirname, '../asynchronous', source))
  const args = (...words: string[]) => [modulePath(), PIN, ...words]
  const operations = async (...words: string[]) => {
    const told = await run(process.execPath, [softoki, 'operations', ...words], service.environment)
    return `${told.stdout}${told.stderr}`
  }
  return { service, file, args, operations }
}

test('without anything pending softoki operations says so, and wrong ids are refused', async (t) => {
  await transcript(
    shellHome(t),
    `
$ softoki operations
! softoki: no function is pending

$ softoki operations --json
[]

$ softoki operations cancel 17
! softoki: no function of the id 17 is pending: softoki operations lists them
[1]

$ softoki operations cancel all
! softoki: "all" is no id: softoki operations lists them
[2]
`,
  )
})

test('softoki operations lists what a program has pending, and cancels it', async (t) => {
  const { service, file, args, operations } = await prepared(t, 'data.c')
  const running = start(t, file, args('wait'), service.environment)
  await running.printed('pending')
  const listed = await operations()
  const row = /^(\d+) +C_Encrypt +test +data +\S+T\S+Z +working +\d+ %, \d+\.\d s$/m.exec(listed)
  assert.ok(row?.[1], listed)
  const [{ progress }] = JSON.parse(await operations('--json'))
  assert.ok(progress.done >= 0 && progress.done <= 1 && progress.elapsed >= 0, String(progress))
  assert.equal(await operations('cancel', row[1]), `cancelled  ${row[1]}\n`)
  assert.equal(await operations(), 'softoki: no function is pending\n')
  assert.deepEqual(resultOf(await running.end()), { answered: CKR.FUNCTION_CANCELED, done: true })
})

test('softoki operations lists and cancels what a program left behind', async (t) => {
  const { service, file, args, operations } = await prepared(t, 'asynchronous.c')
  const { pair, sign, key } = await report<{ pair: string; sign: string; key: string }>(
    file,
    args('leave'),
    service.environment,
  )
  await service.restart()
  const listed = JSON.parse(await operations('--json')) as { id: number; state: string }[]
  assert.deepEqual(
    listed.map(({ id }) => String(id)),
    [pair, sign, key],
  )
  assert.match(await operations(), new RegExp(`^${pair} .* (interrupted|done), kept$`, 'm'))
  await operations('cancel', pair)
  await operations('cancel', sign)
  await operations('cancel', key)
  assert.equal(await operations('--json'), '[]\n')
})
