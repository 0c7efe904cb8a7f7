/** OpenSSL through libp11's engine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { library, modulePath, PIN, run, startToken, tool } from '../service.ts'
import { RSA, uriOf } from './keys.ts'
import { makeBench, PADDINGS, useKeys } from './openssl.ts'

const ENGINE = ['-engine', 'pkcs11', '-keyform', 'engine']

/** Loads the engine, which is to give the token this PIN. */
const configuration = (engine: string) => `
openssl_conf = start
[start]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
dynamic_path = ${engine}
MODULE_PATH = ${modulePath()}
PIN = $ENV::TEST_PIN
init = 0
`

test('OpenSSL uses the keys of the token through the engine of libp11', async (t) => {
  const [path, engine] = [tool(t, 'openssl'), library(t, 'engines-3/pkcs11.so')]
  if (path === undefined || engine === undefined) return
  const service = await startToken(t, { TEST_PIN: PIN })
  const way = { configuration: configuration(engine), options: ENGINE }
  const bench = await makeBench(t, path, service, way)
  await useKeys(t, bench, Object.values(PADDINGS))

  await t.test('a wrong PIN is told as such', async () => {
    const environment = { ...bench.environment, TEST_PIN: `${PIN}0` }
    const words = ['req', '-new', ...ENGINE, '-key', uriOf(RSA, 'private')]
    const { status, stderr } = await run(path, words, environment)
    assert.equal(status, 1)
    assert.match(stderr, /PIN incorrect/)
  })
})
