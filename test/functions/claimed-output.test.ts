import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { CallContext } from '../../src/standard/calls.ts'
import { CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { answers, data, openToken, template } from '../in-process.ts'

const MIB = 1 << 20
const PLAIN = Buffer.alloc(5 * MIB + 7, 'what goes in')
const KEY = Buffer.alloc(32, 9)
const IV = Buffer.alloc(12, 3)
const TAG = 16

async function encrypting(t: TestContext) {
  const { call, session } = await openToken(t)
  const key = await call('C_CreateObject', [
    session,
    template({ CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES, VALUE: KEY, ENCRYPT: true }),
  ])
  const parameter = { iv: IV, ivBits: 96, aad: Buffer.alloc(0), tagBits: TAG * 8 }
  const begin = () => call('C_EncryptInit', [session, { type: CKM.AES_GCM, parameter }, key])
  const encrypt = (context: CallContext) =>
    call('C_Encrypt', [session, data(PLAIN), PLAIN.length + TAG], context)
  return { begin, encrypt, call, session }
}

/** A caller's buffer: `lends` tells which claims it grants. */
function buffer(lends: (claim: number) => boolean) {
  const output = Buffer.alloc(PLAIN.length + TAG)
  const seen = { claims: 0, filled: 0, givenBack: 0, copied: 0 }
  const context = {
    put: (offset, bytes) => {
      seen.copied += bytes.length
      output.set(bytes, offset)
    },
    claim: (offset, length) => {
      if (!lends(seen.claims++)) return undefined
      return {
        bytes: output.subarray(offset, offset + length),
        put: () => {
          seen.filled += length
        },
        giveBack: () => void seen.givenBack++,
      }
    },
  } satisfies CallContext
  return { output, seen, context }
}

function decrypted(sealed: Buffer): Buffer {
  const cipher = createDecipheriv('aes-256-gcm', KEY, IV).setAuthTag(sealed.subarray(-TAG))
  return Buffer.concat([cipher.update(sealed.subarray(0, -TAG)), cipher.final()])
}

test('long output of AES-GCM is made in memory of the caller, and copied where there is none', async (t) => {
  const { begin, encrypt } = await encrypting(t)
  for (const [lends, copied] of [
    [() => true, TAG],
    // Steps 2, 4 and 6, which has 7 bytes.
    [(claim: number) => claim % 2 === 0, 2 * MIB + 7 + TAG],
    [() => false, PLAIN.length + TAG],
  ] as const) {
    const { output, seen, context } = buffer(lends)
    await begin()
    assert.deepEqual(await encrypt(context), { put: output.length })
    assert.ok(decrypted(output).equals(PLAIN))
    assert.equal(seen.copied, copied)
    assert.equal(seen.filled + seen.copied, output.length)
    assert.equal(seen.givenBack, 0)
  }
})

test('memory that could not be filled is given back, and the operation is over', async (t) => {
  const { begin, encrypt, call, session } = await encrypting(t)
  const { seen, context } = buffer(() => true)
  // A caller that lends less than was asked for is wrong, and is told so by the cipher.
  const short = {
    ...context,
    claim: (offset: number, length: number) => context.claim(offset, length - 1),
  }
  await begin()
  await assert.rejects(encrypt(short))
  assert.equal(seen.givenBack, 1)
  assert.equal(seen.filled, 0)
  await assert.rejects(call('C_EncryptFinal', [session, 100]), answers('OPERATION_NOT_INITIALIZED'))
})
