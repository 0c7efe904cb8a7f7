/** How tests of ciphers work through the C_ functions: keys by their values, data whole and in parts. */
import type { TestContext } from 'node:test'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKO } from '../../src/standard/constants.ts'
import { bytes, data, type Opened, openToken, template } from '../in-process.ts'

export type Given = MechanismArgument['parameter']

/** A mechanism with a key. */
export interface What {
  readonly type: number
  readonly parameter?: Given | undefined
  readonly keyType: number
  readonly key: Uint8Array
}

/** Bytes of the longest output of these tests. */
const ROOM = 1 << 20

const USES = {
  ENCRYPT: true,
  DECRYPT: true,
  SIGN: true,
  VERIFY: true,
  WRAP: true,
  UNWRAP: true,
  DERIVE: true,
  SENSITIVE: false,
  EXTRACTABLE: true,
} as const

/** A token that offers everything, and what tests do with it. */
export class CipherToken {
  readonly token: Opened
  readonly #keys = new Map<string, Promise<number>>()

  constructor(token: Opened) {
    this.token = token
  }

  static async open(t: TestContext): Promise<CipherToken> {
    return new CipherToken(await openToken(t, 50, { profile: 'legacy' }))
  }

  /** A handle of the key with this value, which is made once. */
  key(keyType: number, value: Uint8Array): Promise<number> {
    const name = `${keyType} ${Buffer.from(value).toString('hex')}`
    const made =
      this.#keys.get(name) ??
      this.token.call('C_CreateObject', [
        this.token.session,
        template({ ...USES, CLASS: CKO.SECRET_KEY, KEY_TYPE: keyType, VALUE: value }),
      ])
    this.#keys.set(name, made)
    return made
  }

  async #begin(
    name: 'C_EncryptInit' | 'C_DecryptInit' | 'C_SignInit' | 'C_VerifyInit',
    what: What,
  ) {
    const { call, session } = this.token
    const handle = await this.key(what.keyType, what.key)
    const mechanism = { type: what.type, parameter: what.parameter ?? null }
    await call(name, [session, mechanism, handle])
  }

  /** With a size, in parts of so many bytes. */
  async encrypt(what: What, plain: Uint8Array, size?: number): Promise<Uint8Array> {
    const { call, session } = this.token
    await this.#begin('C_EncryptInit', what)
    if (size === undefined) return bytes(await call('C_Encrypt', [session, data(plain), ROOM]))
    const out: Uint8Array[] = []
    for (let at = 0; at < plain.length; at += size)
      out.push(
        bytes(await call('C_EncryptUpdate', [session, data(plain.subarray(at, at + size)), ROOM])),
      )
    return Buffer.concat([...out, bytes(await call('C_EncryptFinal', [session, ROOM]))])
  }

  async decrypt(what: What, encrypted: Uint8Array, size?: number): Promise<Uint8Array> {
    const { call, session } = this.token
    await this.#begin('C_DecryptInit', what)
    if (size === undefined) return bytes(await call('C_Decrypt', [session, data(encrypted), ROOM]))
    const out: Uint8Array[] = []
    for (let at = 0; at < encrypted.length; at += size)
      out.push(
        bytes(
          await call('C_DecryptUpdate', [session, data(encrypted.subarray(at, at + size)), ROOM]),
        ),
      )
    return Buffer.concat([...out, bytes(await call('C_DecryptFinal', [session, ROOM]))])
  }

  async sign(what: What, message: Uint8Array, size?: number): Promise<Uint8Array> {
    const { call, session } = this.token
    await this.#begin('C_SignInit', what)
    if (size === undefined) return bytes(await call('C_Sign', [session, data(message), ROOM]))
    for (let at = 0; at < message.length; at += size)
      await call('C_SignUpdate', [session, data(message.subarray(at, at + size))])
    return bytes(await call('C_SignFinal', [session, ROOM]))
  }

  async verify(what: What, message: Uint8Array, signature: Uint8Array): Promise<void> {
    const { call, session } = this.token
    await this.#begin('C_VerifyInit', what)
    await call('C_Verify', [session, data(message), signature])
  }
}
