import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fakeService } from './fake-service.ts'
import { nullPointersProgram } from './null-pointers.ts'
import { compiled, ran } from './programs.ts'
import { usual } from './usual-answers.ts'

test('every function answers CKR_ARGUMENTS_BAD for each pointer that is NULL, and asks no service', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-null-'))
  const service = await fakeService(usual)
  t.after(() => rmSync(folder, { recursive: true }))
  t.after(() => service.close())
  const file = join(folder, 'null-pointers.c')
  writeFileSync(file, nullPointersProgram())
  const { code, stderr } = await ran(compiled({ file }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.deepEqual(
    service.requests.map(({ name }) => name),
    ['C_Initialize', 'C_Finalize'],
  )
})

test('what cannot travel is refused before the service hears of it', async (t) => {
  const service = await fakeService(usual)
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'refusals.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.deepEqual(
    service.requests.map(({ name }) => name),
    ['C_Initialize', 'C_Finalize'],
  )
})
