/** How tests of mechanism families use a row: its makers, with keys and templates made by hand. */
import assert from 'node:assert/strict'
import type {
  Cipher,
  CryptokiObject,
  Derive,
  Make,
  Mechanism,
  MechanismArgument,
} from '../../src/mechanisms/mechanism.ts'
import { CKA, CKO, CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { Surrender } from '../../src/surrender/surrender.ts'

export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

/** CK_ULONG as it travels in plain bytes. */
export const ulong = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes
}

export const secretKey = (keyType: number, value: Uint8Array): CryptokiObject => ({
  id: '0'.repeat(32),
  version: 1,
  attributes: new Map<number, number | Uint8Array>([
    [CKA.CLASS, CKO.SECRET_KEY],
    [CKA.KEY_TYPE, keyType],
    [CKA.VALUE, value],
  ]),
})

export const mechanism = (
  type: number,
  parameter: MechanismArgument['parameter'] = null,
): MechanismArgument => ({ type, parameter })

export const make = (type: number, template: Make['template']): Make => ({
  mechanism: mechanism(type),
  surrender: new Surrender(),
  template,
})

/** What derivation gets; `keys` are the other keys, by their handles. */
export const derive = (
  argument: MechanismArgument,
  template: Make['template'],
  keys: Readonly<Record<number, CryptokiObject>> = {},
): Derive => ({
  mechanism: argument,
  surrender: new Surrender(),
  template,
  key: (handle) => {
    const key = keys[handle]
    if (key === undefined) throw new CryptokiError(CKR.KEY_HANDLE_INVALID, 'no such key')
    return key
  },
})

/** The row of a CKM_ number with one of its makers, which must be there. */
export function maker<K extends keyof Mechanism>(
  rows: readonly Mechanism[],
  type: number,
  use: K,
): NonNullable<Mechanism[K]> {
  const found = rows.find((row) => row.type === type)?.[use]
  assert.ok(found !== undefined && found !== null, `no ${use} in row 0x${type.toString(16)}`)
  return found
}

/**
 * Sends data through a cipher in parts of so many bytes, and checks what it foretold of its output
 * against what came. Answers all the output.
 */
export async function through(
  cipher: Cipher,
  data: Uint8Array,
  size: number = Math.max(1, data.length),
): Promise<Uint8Array> {
  const surrender = new Surrender()
  const out: Uint8Array[] = []
  const whole = cipher.outputLength(data.length, true)
  for (let at = 0; at < data.length; at += size) {
    const part = data.subarray(at, at + size)
    out.push(kept(cipher.outputLength(part.length, false), await cipher.update(part)))
  }
  out.push(kept(cipher.outputLength(0, true), await cipher.final(surrender)))
  return kept(whole, Buffer.concat(out))
}

function kept({ bytes, exact }: { bytes: number; exact: boolean }, out: Uint8Array): Uint8Array {
  if (exact) assert.equal(out.length, bytes, 'output length foretold')
  else assert.ok(out.length <= bytes, `${out.length} bytes where at most ${bytes} were foretold`)
  return out
}

/** The name of a return value, for messages. */
const nameOf = (rv: number) => Object.entries(CKR).find(([, value]) => value === rv)?.[0] ?? rv

/** For assert.rejects and assert.throws: a CryptokiError with this return value, or one of these. */
export const withReturnValue =
  (...rvs: readonly number[]) =>
  (error: unknown) => {
    assert.ok(error instanceof CryptokiError, String(error))
    assert.ok(rvs.includes(error.rv), `${error.message}, not ${rvs.map(nameOf).join(' or ')}`)
    return true
  }
