import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { childrenOf, compile, modulePath, PIN, report, start, startToken } from '../service.ts'
import { becomes, clientsOf } from './observing.ts'

/** Programs at once; two of them are the one that is killed and the one that finalizes. */
const PROGRAMS = 32
const WORKERS = PROGRAMS - 2

test(`${PROGRAMS} programs use one token at once; one is killed and one finalizes amid a generation`, async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'many-programs.c'))
  const args = [modulePath(), PIN]
  const begin = (...words: (string | number)[]) =>
    start(t, program, [...args, ...words.map(String)], service.environment)

  const killed = begin('generate')
  const finalized = begin('finalize')
  const workers = Array.from({ length: WORKERS }, (_, number) => begin('work', number, WORKERS))
  await Promise.all([killed, finalized].map((one) => one.printed('generating')))
  await Promise.all(workers.map((worker) => worker.printed('made')))
  assert.equal(childrenOf(service.pid).length, 2)
  assert.equal(clientsOf(service.pid), PROGRAMS)

  for (const worker of workers) worker.write('go\n')
  killed.child.kill('SIGKILL')
  finalized.write('go\n')
  const ends = await Promise.all([finalized, ...workers].map((one) => one.end()))
  for (const { status, signal, stderr } of ends) assert.equal(status, 0, `${signal} ${stderr}`)

  assert.ok(await becomes(() => childrenOf(service.pid).length === 0), 'a worker goes on')
  assert.ok(await becomes(() => clientsOf(service.pid) === 0), 'a connection stays')
  const left = await report(program, [...args, 'count'], service.environment)
  assert.deepEqual(left, { all: 2 * WORKERS })
})
