import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { childrenOf, compile, fileOf, modulePath, PIN, run, startToken } from '../service.ts'
import { becomes, clientsOf } from './observing.ts'

const FINALIZED = 'finalized\n'

/** How a program ends, and what it prints last. */
const WAYS: readonly (readonly [way: string, what: string, prints: string])[] = [
  ['return', 'ends without C_Finalize', ''],
  ['exit-amidst', 'calls exit while its threads are in calls', ''],
  ['return-amidst', 'returns from main while its threads are in calls', ''],
  ['exit-by-thread', 'calls exit in a thread while main is in a call', ''],
  ['exit-in-callback', 'calls exit in a callback', ''],
  ['after-openssl', 'calls C_Finalize at exit after OpenSSL’s own cleanup', FINALIZED],
  ['before-openssl', 'calls C_Finalize at exit before OpenSSL’s own cleanup', FINALIZED],
  ['without-openssl', 'calls OPENSSL_cleanup, and C_Initialize afterwards', ''],
  ['destructor', 'calls C_Finalize in a destructor', FINALIZED],
  [
    'late-before',
    'has a library, loaded before, that calls C_Finalize in its destructor',
    FINALIZED,
  ],
  ['late-after', 'has a library, loaded after, that calls C_Finalize in its destructor', FINALIZED],
  ['unload-finalized', 'loads, uses, finalizes and unloads the module a hundred times', ''],
  ['unload', 'loads, uses and unloads the module a hundred times without C_Finalize', ''],
  ['unload-in-child', 'forks a child that unloads the module', ''],
]

test('a program ends well, and leaves nothing in the service', async (t) => {
  if (fileOf(t, '/usr/include/openssl/crypto.h') === undefined) return
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'exiting.c'), '-lcrypto')
  const late = compile(t, join(import.meta.dirname, 'late.c'), '-shared', '-fPIC')
  for (const [way, what, prints] of WAYS)
    await t.test(`one that ${what}`, async () => {
      const args = [modulePath(), PIN, way, late]
      const { status, signal, stdout, stderr } = await run(program, args, service.environment)
      assert.deepEqual(
        { status, signal, stdout, stderr },
        { status: 0, signal: null, stdout: prints, stderr: '' },
      )
      assert.ok(await becomes(() => clientsOf(service.pid) === 0), 'a connection stays')
      assert.ok(await becomes(() => childrenOf(service.pid).length === 0), 'its work goes on')
    })
})
