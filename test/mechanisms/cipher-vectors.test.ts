import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answers } from '../in-process.ts'
import { CipherToken } from './cipher-calls.ts'
import { cipherVectors, macVectors } from './cipher-vectors.ts'
import { hex, toHex } from './rows.ts'

/** As data come: whole, byte by byte, and across the borders of blocks. */
const SIZES = [undefined, 1, 7, 16, 33] as const

test('ciphers encrypt and decrypt as published, whole and in parts', async (t) => {
  const token = await CipherToken.open(t)
  for (const { name, what, input, output } of cipherVectors)
    for (const size of SIZES) {
      assert.equal(toHex(await token.encrypt(what, input, size)), output, name)
      assert.equal(toHex(await token.decrypt(what, hex(output), size)), toHex(input), name)
    }
  t.diagnostic(`${cipherVectors.length} vectors`)
})

test('MACs are those that were published, whole and in parts, and no other verifies', async (t) => {
  const token = await CipherToken.open(t)
  for (const { name, what, input, output } of macVectors) {
    for (const size of SIZES) assert.equal(toHex(await token.sign(what, input, size)), output, name)
    await token.verify(what, input, hex(output))
    const other = hex(output).map((byte, at) => (at === 0 ? byte ^ 128 : byte))
    await assert.rejects(token.verify(what, input, other), answers('SIGNATURE_INVALID'), name)
    await assert.rejects(
      token.verify(what, input, hex(output).subarray(1)),
      answers('SIGNATURE_LEN_RANGE'),
      name,
    )
  }
  t.diagnostic(`${macVectors.length} vectors`)
})
