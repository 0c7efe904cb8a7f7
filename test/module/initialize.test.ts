import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import build from '../../native/module/build.mjs'
import { functions } from '../../src/standard/functions.ts'
import { fakeService } from './fake-service.ts'
import { compiled, ran, root } from './programs.ts'
import { usual } from './usual-answers.ts'

test('C_Initialize and C_Finalize keep the rules of the standard', async (t) => {
  const service = await fakeService(usual)
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'initialize.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  await service.left()
})

test('the service is told the name of the program', async (t) => {
  const service = await fakeService(usual)
  t.after(() => service.close())
  await ran(compiled({ file: 'initialize.c' }), service.home)
  const [first] = service.requests
  assert.equal(first?.name, 'C_Initialize')
  assert.equal(first?.values.toString('latin1', 4), 'initialize')
})

test('the module exports the functions of 2.40 and the two that find interfaces, nothing else', () => {
  const lines = execFileSync('nm', ['-D', '--defined-only', build({ root })], { encoding: 'utf8' })
  const exported = lines
    .trim()
    .split('\n')
    .map((line) => line.split(' ').at(-1) as string)
  const wanted = Object.entries(functions)
    .filter(([, { since }]) => since === '2.40')
    .map(([name]) => name)
  assert.deepEqual(
    exported.toSorted(),
    [...wanted, 'C_GetInterfaceList', 'C_GetInterface'].toSorted(),
  )
})
