import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { dataOf } from '../../src/standard/calls.ts'
import { CKM } from '../../src/standard/constants.ts'
import { type Opened, openToken, template } from '../in-process.ts'

/** So long that nobody else counts as company any more. */
const ALONE = 50

/** On one processor no other thread would be any quicker. */
const isSingle = availableParallelism() === 1

/** Begins a signature; whether C_Sign answers at once. */
async function answersAtOnce({ application, call, session }: Opened, key: number) {
  await call('C_SignInit', [session, { type: CKM.SHA256_RSA_PKCS, parameter: null }, key])
  const answer = application.call('C_Sign', [session, dataOf(Buffer.from('message')), 512])
  const isAtOnce = !(answer instanceof Promise)
  assert.ok((await answer) instanceof Uint8Array)
  return isAtOnce
}

const keyOf = async ({ call, session }: Opened, bits: number): Promise<number> => {
  const [, key] = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
    template({ MODULUS_BITS: bits }),
    template({ SIGN: true }),
  ])
  return key as number
}

test('RSA signs at once for a session that is alone, and beside others on the thread pool', async (t) => {
  const one = await openToken(t)
  const other = await one.another()
  const key = await keyOf(one, 2048)
  await pause(ALONE)
  assert.equal(await answersAtOnce(one, key), true)
  await other.call('C_GenerateRandom', [other.session, 1])
  assert.equal(await answersAtOnce(one, key), isSingle)
  await pause(ALONE)
  assert.equal(await answersAtOnce(one, key), true)
})

test('a long RSA key is left to the thread pool', async (t) => {
  const one = await openToken(t)
  const key = await keyOf(one, 4096)
  await pause(ALONE)
  assert.equal(await answersAtOnce(one, key), false)
})
