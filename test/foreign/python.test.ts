import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileOf, modulePath, PIN, report, SO_PIN, startToken } from '../service.ts'

/** The Python that Debian's packages are for, which need not be the first on the path. */
const PYTHON = '/usr/bin/python3'
const PYKCS11 = '/usr/lib/python3/dist-packages/PyKCS11/__init__.py'

test('a Python program does with PyKCS11 all that PyKCS11 can', async (t) => {
  const [python, found] = [fileOf(t, PYTHON), fileOf(t, PYKCS11)]
  if (python === undefined || found === undefined) return
  const { environment } = await startToken(t)
  const client = join(import.meta.dirname, 'client.py')
  const words = [client, modulePath(), 'test', PIN, SO_PIN]
  const checks = await report<Record<string, true>>(python, words, environment)
  t.diagnostic(`${Object.keys(checks).length} checks: ${Object.keys(checks).join(', ')}`)
  assert.ok(checks.destroys, 'the last check was made')
})
