import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { implemented } from '../../src/cryptoki.ts'
import { functions } from '../../src/standard/functions.ts'
import { compile, modulePath, report, startToken } from '../service.ts'

/** Answered by the module, or by what stands around the functions. */
const ELSEWHERE = ['C_Initialize', 'C_Finalize', 'C_GetFunctionList']
const INTERFACES = ['C_GetInterfaceList', 'C_GetInterface']

test('every function of 3.2 is there', () => {
  const names = Object.keys(functions).filter(
    (name) => ![...ELSEWHERE, ...INTERFACES].includes(name),
  )
  assert.equal(Object.keys(functions).length, 104)
  assert.deepEqual(
    names.filter((name) => !implemented.has(name)),
    [],
  )
})

test('every function that came after 2.40 is reached through the module', async (t) => {
  const { environment } = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'every.c'))
  assert.deepEqual(await report(program, [modulePath()], environment), { called: 34 })
})
