import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { compile, library, modulePath, PIN, report, startToken } from '../service.ts'

/** Runs operations.c on a service of its own. */
async function runs(t: TestContext, module: string, whats: readonly string[]): Promise<void> {
  const service = await startToken(t)
  const environment = {
    ...service.environment,
    P11_KIT_SERVER_ADDRESS: `unix:path=${join(service.home, 'service.sock')}`,
  }
  const program = compile(t, join(import.meta.dirname, 'operations.c'))
  for (const what of whats)
    assert.deepEqual(await report(program, [module, PIN, what], environment), { done: what })
}

test('two operations go on together through the module', (t) => runs(t, modulePath(), ['dual']))

test('operations are saved and restored through the module', (t) =>
  runs(t, modulePath(), ['state']))

test('slot events reach the caller that waits for them, and C_Finalize releases it', (t) =>
  runs(t, modulePath(), ['events', 'finalize']))

test("all that, through p11-kit's own client", async (t) => {
  const client = library(t, 'p11-kit-client.so')
  if (client !== undefined) await runs(t, client, ['dual', 'state', 'events', 'finalize'])
})
