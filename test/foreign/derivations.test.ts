import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { mechanisms } from '../../src/mechanisms/table.ts'
import { CKM, CKR } from '../../src/standard/constants.ts'
import { compile, modulePath, PIN, report, type Service, startToken } from '../service.ts'

const hmac = (key: Uint8Array, ...parts: readonly (Uint8Array | string)[]) =>
  parts.reduce((all, part) => all.update(part), createHmac('sha256', key)).digest()

/** RFC 5246, 5. */
function prf(key: Uint8Array, seed: Uint8Array, length: number): string {
  let made = Buffer.alloc(0)
  for (let a = hmac(key, seed); made.length < length; a = hmac(key, a))
    made = Buffer.concat([made, hmac(key, a, seed)])
  return made.toString('hex', 0, length)
}

describe('derivations of a C program', () => {
  const scope: (() => unknown)[] = []
  let service: Service
  let program: string

  before(async () => {
    const during = { after: (end: () => unknown) => scope.push(end), diagnostic: () => {} }
    service = await startToken(during)
    program = compile(during, join(import.meta.dirname, 'derivations.c'))
  })
  after(async () => {
    for (const end of scope.reverse()) await end()
  })

  const run = <Result>(...words: (string | number)[]) =>
    report<Result>(program, [modulePath(), PIN, ...words.map(String)], service.environment)

  test('SP 800-108 makes an additional key; where one cannot be, its handle tells, and none is left', async () => {
    const made = await run<Record<string, unknown>>('several')
    const segment = (i: number) =>
      hmac(Buffer.alloc(32, 0x42), Uint8Array.of(i), 'label', Uint8Array.of(2, 0))
    assert.deepEqual(made, {
      key: Buffer.concat([segment(1), segment(2)]).toString('hex', 0, 48),
      further: segment(3).toString('hex', 0, 16),
      rv: CKR.TEMPLATE_INCOMPLETE,
      offender: 0,
      other: 'as it was',
      left: 0,
    })
  })

  test('TLS 1.2 gives the version, the handles of the keys and the IVs', async () => {
    const made = await run<Record<string, string>>('tls')
    const [client, server] = [Buffer.alloc(32, 0xc1), Buffer.alloc(32, 0x5e)]
    const seed = (label: string, ...randoms: Buffer[]) =>
      Buffer.concat([Buffer.from(label), ...randoms])
    const master = prf(Buffer.alloc(48, 3), seed('master secret', client, server), 48)
    const block = prf(Buffer.from(master, 'hex'), seed('key expansion', server, client), 104)
    assert.equal(made.master, master)
    assert.deepEqual(made.version, [3, 3])
    const names = ['clientMac', 'serverMac', 'clientKey', 'serverKey', 'clientIv', 'serverIv']
    assert.equal(names.map((name) => made[name]).join(''), block)
  })

  test('a key from a password comes with its IV', async (t) => {
    if (!mechanisms.has(CKM.PBE_SHA1_DES3_EDE_CBC)) {
      t.diagnostic('there are no triple-DES keys')
      return
    }
    const made = await run<Record<string, string>>('pbe')
    assert.equal(made.iv, '79993dfe048d3b76')
    assert.equal(made.key?.length, 48)
  })

  test('PBKDF2 takes the structure with the length of the password, and the one with a pointer to it', async () => {
    const value = 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957'
    const made = await run<Record<string, unknown>>('pbkdf2', 2, 0)
    assert.deepEqual(made, { rv: CKR.OK, callbacks: 0, afterCancel: 0, left: 1, value })
    assert.deepEqual(await run('old-pbkdf2'), { value })
  })

  test('PBKDF2 of ten million iterations is cancelled at the third callback and leaves no key', async (t) => {
    const cancelled = await run<{ afterCancel: number }>('pbkdf2', 10_000_000, 3)
    const { afterCancel, ...rest } = cancelled
    assert.deepEqual(rest, { rv: CKR.FUNCTION_CANCELED, callbacks: 3, left: 0 })
    t.diagnostic(`it returned ${afterCancel} ms after CKR_CANCEL`)
  })

  test('PBKDF2 that is let go on calls back all the while and makes its key', async (t) => {
    // RFC 6070, the case of 16,777,216 iterations.
    const made = await run<{ callbacks: number }>('pbkdf2', 16_777_216, 0)
    const { callbacks, ...rest } = made
    const value = 'eefe3d61cd4da4e4e9945b3d6ba2158c2634e984'
    assert.deepEqual(rest, { rv: CKR.OK, afterCancel: 0, left: 1, value })
    assert.ok(callbacks > 3, `${callbacks} callbacks`)
    t.diagnostic(`${callbacks} callbacks`)
  })
})
