import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import build from '../../native/module/build.mjs'
import { functionBodies } from '../../scripts/module/bodies.ts'
import type { Standard } from '../../scripts/standard/tables.ts'
import { fakeService } from './fake-service.ts'
import { compiled, ran, root, sanitize } from './programs.ts'
import { usual } from './usual-answers.ts'

const standard = JSON.parse(
  readFileSync(new URL('../../src/standard/standard.json', import.meta.url), 'utf8'),
) as Standard

test('a module that offers the lists of 3.0 and 3.2 passes their functions on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-newer-'))
  const service = await fakeService(usual)
  t.after(() => rmSync(folder, { recursive: true }))
  t.after(() => service.close())
  cpSync(join(root, 'native/module'), join(folder, 'native/module'), { recursive: true })
  writeFileSync(
    join(folder, 'native/module/generated/functions.c'),
    functionBodies(standard, '3.2'),
  )
  const module = build({ root: folder, sanitize })
  const program = compiled({ file: 'newer-lists.c' })
  const { code, stderr } = await ran(program, service.home, [], { module })
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.deepEqual(
    service.requests.map(({ name }) => name),
    [
      ...['C_Initialize', 'C_LoginUser', 'C_SignMessage', 'C_EncapsulateKey'],
      ...['C_UnwrapKeyAuthenticated', 'C_Finalize'],
    ],
  )
})
