import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { compile, modulePath, PIN, report, startToken } from '../service.ts'

/** Both in hexadecimal; the point is CKA_EC_POINT: a DER OCTET STRING that holds 04, x and y. */
interface Signed {
  readonly point: string
  readonly signature: string
}

/** Whether restart.c's signature verifies. */
function isSigned({ point, signature }: Signed): boolean {
  const bytes = Buffer.from(point, 'hex')
  assert.deepEqual([...bytes.subarray(0, 3)], [0x04, 65, 0x04])
  const [x, y] = [
    bytes.subarray(3, 35).toString('base64url'),
    bytes.subarray(35).toString('base64url'),
  ]
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  const raw = { key, dsaEncoding: 'ieee-p1363' } as const
  return verify('sha256', Buffer.from('lasting'), raw, Buffer.from(signature, 'hex'))
}

test('a key is found after a restart of the service, and signs', async (t) => {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'restart.c'))
  const run = (what: string) =>
    report<Signed>(program, [modulePath(), PIN, what], service.environment)
  const made = await run('make')
  assert.ok(isSigned(made))

  for (const end of [service.stop, service.kill9]) {
    await end()
    await service.restart()
    const again = await run('sign')
    assert.equal(again.point, made.point)
    assert.notEqual(again.signature, made.signature)
    assert.ok(isSigned(again))
  }
})
