import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileOf, modulePath, PIN, report, type Scope, startToken } from '../service.ts'

/** Programs with packages of their own: npm ci --prefix test/foreign/node installs them. */
const folder = join(import.meta.dirname, 'node')

/** The addon that all of them load; it is compiled when pkcs11js is installed. */
function addon(t: Scope): string | undefined {
  const path = 'build/Release/pkcs11.node'
  try {
    const main = createRequire(join(folder, 'pkcs11js.mjs')).resolve('pkcs11js')
    return fileOf(t, join(dirname(main), path))
  } catch {
    return fileOf(t, join(folder, 'node_modules/pkcs11js', path))
  }
}

for (const [client, program] of [
  ['pkcs11js calls the C_ functions', 'pkcs11js.mjs'],
  ['Graphene works with the objects of the token', 'graphene.mjs'],
  ['node-webcrypto-p11 is a WebCrypto that agrees with the one of Node', 'webcrypto.mjs'],
] as const)
  test(client, async (t) => {
    if (addon(t) === undefined) return
    const { environment } = await startToken(t)
    const words = [join(folder, program), modulePath(), PIN]
    const checks = await report<Record<string, true>>(process.execPath, words, environment)
    t.diagnostic(`${Object.keys(checks).length} checks: ${Object.keys(checks).join('; ')}`)
    assert.ok(Object.keys(checks).length > 0)
  })
