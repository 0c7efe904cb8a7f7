/** Public and private key objects for tests of mechanism families. */
import assert from 'node:assert/strict'
import type {
  Attributes,
  Cipher,
  CryptokiObject,
  KeyType,
  Mechanism,
  MechanismArgument,
} from '../../src/mechanisms/mechanism.ts'
import { CKA, CKO } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { maker, mechanism, through } from './rows.ts'

type Values = Iterable<readonly [number, number | Uint8Array]>

/** A key object as it would be stored: the values, and what its key type makes of them. */
export function keyObject(keyType: KeyType, objectClass: number, values: Values): CryptokiObject {
  const attributes = new Map([...values])
  const completed = keyType.complete?.(objectClass, attributes) ?? new Map()
  return {
    id: '0'.repeat(32),
    version: 1,
    attributes: new Map([
      [CKA.CLASS, objectClass],
      [CKA.KEY_TYPE, keyType.type],
      ...attributes,
      ...completed,
    ]) as Attributes,
  }
}

export interface Pair {
  readonly publicKey: CryptokiObject
  readonly privateKey: CryptokiObject
}

export const pairOf = (keyType: KeyType, publicValues: Values, privateValues: Values): Pair => ({
  publicKey: keyObject(keyType, CKO.PUBLIC_KEY, publicValues),
  privateKey: keyObject(keyType, CKO.PRIVATE_KEY, privateValues),
})

type Argument = MechanismArgument['parameter']

/** The makers of some rows as functions from bytes to bytes. */
export function using(rows: readonly Mechanism[], { publicKey, privateKey }: Pair) {
  const surrender = new Surrender()
  const cipher = async (
    use: 'encrypt' | 'decrypt',
    key: CryptokiObject,
    type: number,
    input: Uint8Array,
    parameter: Argument,
    size?: number,
  ): Promise<Uint8Array> => {
    const made: Cipher = await maker(
      rows,
      type,
      use,
    )({ key, mechanism: mechanism(type, parameter) })
    return through(made, input, size)
  }
  return {
    encrypt: (type: number, input: Uint8Array, parameter: Argument = null, size?: number) =>
      cipher('encrypt', publicKey, type, input, parameter, size),
    decrypt: (type: number, input: Uint8Array, parameter: Argument = null, size?: number) =>
      cipher('decrypt', privateKey, type, input, parameter, size),
    sign: async (type: number, message: Uint8Array, parameter: Argument = null) => {
      const begin = { key: privateKey, mechanism: mechanism(type, parameter) }
      const summary = await maker(rows, type, 'sign')(begin)
      for (const byte of message) await summary.update(Uint8Array.of(byte))
      const signature = await summary.final(surrender)
      assert.equal(signature.length, summary.length)
      return signature
    },
    verify: async (
      type: number,
      message: Uint8Array,
      signature: Uint8Array,
      parameter: Argument = null,
    ) => {
      const begin = { key: publicKey, mechanism: mechanism(type, parameter) }
      const verification = await maker(rows, type, 'verify')(begin)
      await verification.update(message)
      await verification.final(signature, surrender)
    },
    recover: async (use: 'signRecover' | 'verifyRecover', type: number, input: Uint8Array) => {
      const key = use === 'signRecover' ? privateKey : publicKey
      const recovery = await maker(rows, type, use)({ key, mechanism: mechanism(type) })
      const output = await recovery.recover(input, surrender)
      assert.ok(output.length <= recovery.length)
      return output
    },
    wrap: async (type: number, plain: Uint8Array, parameter: Argument = null) =>
      maker(rows, type, 'wrap')(
        { key: publicKey, mechanism: mechanism(type, parameter) },
        plain,
        surrender,
      ),
    unwrap: async (type: number, wrapped: Uint8Array, parameter: Argument = null) =>
      maker(rows, type, 'unwrap')(
        { key: privateKey, mechanism: mechanism(type, parameter) },
        wrapped,
        surrender,
      ),
  }
}
