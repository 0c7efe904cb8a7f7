import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CKR } from '../../src/standard/constants.ts'
import { compile, modulePath, PIN, report, resultOf, start, startToken } from '../service.ts'

interface Signed {
  readonly signatures: number
  /** Milliseconds. */
  readonly longestGap: number
}
interface Generated {
  readonly rv: number
  readonly generated: number
}

/** The generation is cancelled at this callback, some two seconds after it began. */
const CALLBACKS = '40'

/** A token that holds the key "shared"; starts programs that use it. */
async function sharedToken(t: TestContext) {
  const service = await startToken(t)
  const program = compile(t, join(import.meta.dirname, 'side-by-side.c'))
  const args = [modulePath(), PIN]
  await report(program, [...args, 'make'], service.environment)
  return (...words: string[]) => start(t, program, [...args, ...words], service.environment)
}

function assertServed(t: TestContext, who: string, { signatures, longestGap }: Signed): void {
  t.diagnostic(`${who}: ${signatures} signatures, longest gap ${longestGap} ms`)
  assert.ok(signatures > 1, `${who} was not served`)
  assert.ok(longestGap < 2000, `${who} waited ${longestGap} ms`)
}

test('two programs sign with one token while a third generates RSA-16384', async (t) => {
  const startOne = await sharedToken(t)
  const signers = [startOne('sign'), startOne('sign')]
  for (const signer of signers) await signer.printed('ready')
  const generator = startOne('generate', CALLBACKS)
  for (const signer of signers) signer.write('go\n')
  const generated = resultOf<Generated>(await generator.end())
  assert.equal(generated.rv, CKR.FUNCTION_CANCELED)
  t.diagnostic(`RSA-16384 generated for ${generated.generated} ms`)
  for (const [i, signer] of signers.entries()) {
    assertServed(t, `program ${i + 1}`, resultOf<Signed>(await signer.end()))
  }
})

test('a thread signs while another of the same program generates RSA-16384', async (t) => {
  const startOne = await sharedToken(t)
  const result = resultOf<Generated & Signed>(await startOne('threads', CALLBACKS).end())
  assert.equal(result.rv, CKR.FUNCTION_CANCELED)
  assertServed(t, 'the signing thread', result)
})
