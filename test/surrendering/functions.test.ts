import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { implemented } from '../../src/cryptoki.ts'
import { type FunctionRow, functions } from '../../src/standard/functions.ts'
import { compile, modulePath, PIN, run, startToken } from '../service.ts'

const surrendering = Object.entries(functions).filter(([, { surrenders }]) => surrenders)

const leftOut = surrendering.map(([name]) => name).filter((name) => !implemented.has(name))

/** The functions that an interface of this version has, as the program prints them. */
const functionsOf = (version: FunctionRow['since']) =>
  surrendering
    .filter(
      ([name, { since }]) =>
        implemented.has(name) && Number.parseFloat(since) <= Number.parseFloat(version),
    )
    .map(([name]) => `${version} ${name}`)

test('through every interface each function calls back in the calling thread and is cancelled at the first and the last callback', async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'functions.c'))
  const { status, stdout, stderr } = await run(program, [modulePath(), PIN, ...leftOut], {
    ...service.environment,
    SOFTOKI_SURRENDER_MS: '0',
  })
  assert.equal(stderr, '')
  assert.equal(status, 0)
  const expected = (['2.40', '3.0', '3.2'] as const).flatMap(functionsOf)
  assert.deepEqual(stdout.trim().split('\n').sort(), expected.sort())
})
