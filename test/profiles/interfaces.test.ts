/** The interface functions that the Baseline Provider has beside its script, on the real module. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile, modulePath, report, startService } from '../service.ts'

interface Interfaces {
  readonly functionList: string
  readonly interfaces: readonly (readonly [name: string, version: string])[]
  readonly cryptoki: string
}

test('the module names its interfaces, the newest first, and C_GetInfo tells the version of that', async (t) => {
  const { environment } = await startService(t)
  const program = compile(t, join(import.meta.dirname, 'interfaces.c'))
  const told = await report<Interfaces>(program, [modulePath()], environment)
  const own = told.interfaces.filter(([name]) => name.startsWith('Vendor '))
  const standard = told.interfaces.filter((entry) => !own.includes(entry))
  const versions = standard.map(([, version]) => version)
  t.diagnostic(`interfaces: ${versions.join(', ')}; C_GetInfo: ${told.cryptoki}`)
  assert.equal(told.functionList, '2.40')
  assert.deepEqual(new Set(standard.map(([name]) => name)), new Set(['PKCS 11']))
  assert.deepEqual(told.interfaces, [...standard, ['Vendor Softoki', '1.0']])
  assert.deepEqual(
    versions,
    versions.toSorted((one, other) => Number(other) - Number(one)),
  )
  assert.equal(versions.at(-1), '2.40')
  assert.equal(told.cryptoki, versions[0])
})
