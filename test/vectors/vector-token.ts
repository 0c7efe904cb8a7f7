/** A token that test vectors are tried on: keys by their values, and the C_ functions on whole data and in parts. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKA, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { bytes, data, type Opened, openToken, template } from '../in-process.ts'
import { toHex, withReturnValue } from '../mechanisms/rows.ts'

export type Named = Parameters<typeof template>[0]
export type ReturnValue = keyof typeof CKR

/** Bytes of room for every output of the vectors. */
const ROOM = 1 << 17

/** Bytes of a part, where data goes in parts: no block size is a multiple. */
const PART = 7

const SECRET_USES = {
  ENCRYPT: true,
  DECRYPT: true,
  SIGN: true,
  VERIFY: true,
  WRAP: true,
  UNWRAP: true,
  DERIVE: true,
} as const

/** The key can be read. */
const OPEN = { SENSITIVE: false, EXTRACTABLE: true } as const

export const secretKey = (
  keyType: number,
  value: Uint8Array,
  uses: Named = SECRET_USES,
): Named => ({
  CLASS: CKO.SECRET_KEY,
  KEY_TYPE: keyType,
  VALUE: value,
  ...OPEN,
  ...uses,
})

export const publicKey = (keyType: number, values: Named): Named => ({
  CLASS: CKO.PUBLIC_KEY,
  KEY_TYPE: keyType,
  ...values,
})

export const privateKey = (keyType: number, values: Named): Named => ({
  CLASS: CKO.PRIVATE_KEY,
  KEY_TYPE: keyType,
  ...OPEN,
  ...values,
})

export const mechanism = (
  name: keyof typeof CKM,
  parameter: MechanismArgument['parameter'] = null,
): MechanismArgument => ({ type: CKM[name], parameter })

/** Fails where work is not refused with one of these return values. */
export const refused = (work: Promise<unknown>, ...names: readonly ReturnValue[]): Promise<void> =>
  assert.rejects(work, withReturnValue(...names.map((name) => CKR[name])))

const parts = (input: Uint8Array) =>
  Array.from({ length: Math.ceil(input.length / PART) }, (_, at) =>
    data(input.subarray(at * PART, (at + 1) * PART)),
  )

export class VectorToken {
  readonly #opened: Opened
  readonly #keys = new Map<string, Promise<number>>()

  constructor(opened: Opened) {
    this.#opened = opened
  }

  /** A token that offers all there is. */
  static async open(t: TestContext): Promise<VectorToken> {
    return new VectorToken(await openToken(t, 50, { profile: 'legacy' }))
  }

  /** The mechanisms it offers, by their names without CKM_. */
  async offered(): Promise<ReadonlySet<string>> {
    const listed = await this.#opened.call('C_GetMechanismList', [this.#opened.slot, 1000])
    const types = new Set(listed as readonly number[])
    return new Set(Object.keys(CKM).filter((name) => types.has(CKM[name as keyof typeof CKM])))
  }

  /** C_CreateObject, the first time that a template comes. */
  key(named: Named): Promise<number> {
    const { call, session } = this.#opened
    const attributes = template(named)
    const name = attributes
      .map(({ type, value }) => `${type} ${toHex(value as Uint8Array)}`)
      .join(' ')
    const made = this.#keys.get(name) ?? call('C_CreateObject', [session, attributes])
    this.#keys.set(name, made)
    return made
  }

  /** C_GetAttributeValue, in hex. */
  async attribute(object: number, name: keyof typeof CKA): Promise<string> {
    const { call, session } = this.#opened
    const query = [{ type: CKA[name], room: ROOM }]
    const { answers } = await call('C_GetAttributeValue', [session, object, query])
    return toHex(bytes(answers[0]?.value))
  }

  /** CKA_VALUE of a key that was made on the way, which goes. */
  async #valueOf(made: number): Promise<string> {
    const value = await this.attribute(made, 'VALUE')
    await this.#opened.call('C_DestroyObject', [this.#opened.session, made])
    return value
  }

  async encrypt(how: MechanismArgument, key: number, plain: Uint8Array): Promise<string> {
    const { call, session } = this.#opened
    await call('C_EncryptInit', [session, how, key])
    return toHex(bytes(await call('C_Encrypt', [session, data(plain), ROOM])))
  }

  async encryptInParts(how: MechanismArgument, key: number, plain: Uint8Array): Promise<string> {
    const { call, session } = this.#opened
    await call('C_EncryptInit', [session, how, key])
    const out: string[] = []
    for (const part of parts(plain))
      out.push(toHex(bytes(await call('C_EncryptUpdate', [session, part, ROOM]))))
    return out.join('') + toHex(bytes(await call('C_EncryptFinal', [session, ROOM])))
  }

  async decrypt(how: MechanismArgument, key: number, encrypted: Uint8Array): Promise<string> {
    const { call, session } = this.#opened
    await call('C_DecryptInit', [session, how, key])
    return toHex(bytes(await call('C_Decrypt', [session, data(encrypted), ROOM])))
  }

  async decryptInParts(
    how: MechanismArgument,
    key: number,
    encrypted: Uint8Array,
  ): Promise<string> {
    const { call, session } = this.#opened
    await call('C_DecryptInit', [session, how, key])
    const out: string[] = []
    for (const part of parts(encrypted))
      out.push(toHex(bytes(await call('C_DecryptUpdate', [session, part, ROOM]))))
    return out.join('') + toHex(bytes(await call('C_DecryptFinal', [session, ROOM])))
  }

  async sign(how: MechanismArgument, key: number, message: Uint8Array): Promise<string> {
    const { call, session } = this.#opened
    await call('C_SignInit', [session, how, key])
    return toHex(bytes(await call('C_Sign', [session, data(message), ROOM])))
  }

  async signInParts(how: MechanismArgument, key: number, message: Uint8Array): Promise<string> {
    const { call, session } = this.#opened
    await call('C_SignInit', [session, how, key])
    for (const part of parts(message)) await call('C_SignUpdate', [session, part])
    return toHex(bytes(await call('C_SignFinal', [session, ROOM])))
  }

  async verify(
    how: MechanismArgument,
    key: number,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<void> {
    const { call, session } = this.#opened
    await call('C_VerifyInit', [session, how, key])
    await call('C_Verify', [session, data(message), signature])
  }

  async verifyInParts(
    how: MechanismArgument,
    key: number,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<void> {
    const { call, session } = this.#opened
    await call('C_VerifyInit', [session, how, key])
    for (const part of parts(message)) await call('C_VerifyUpdate', [session, part])
    await call('C_VerifyFinal', [session, signature])
  }

  /** C_WrapKey. */
  async wrap(how: MechanismArgument, key: number, wrapped: number): Promise<string> {
    const { call, session } = this.#opened
    return toHex(bytes(await call('C_WrapKey', [session, how, key, wrapped, ROOM])))
  }

  /** The value of the key that C_UnwrapKey makes, of this type. */
  async unwrap(
    how: MechanismArgument,
    key: number,
    wrapped: Uint8Array,
    keyType: number,
  ): Promise<string> {
    const { call, session } = this.#opened
    const named = { CLASS: CKO.SECRET_KEY, KEY_TYPE: keyType, ...OPEN }
    return this.#valueOf(await call('C_UnwrapKey', [session, how, key, wrapped, template(named)]))
  }

  /** The value of the secret key that C_DeriveKey makes. */
  async derive(how: MechanismArgument, key: number, named: Named): Promise<string> {
    const { call, session } = this.#opened
    const all = template({ CLASS: CKO.SECRET_KEY, ...OPEN, ...named })
    return this.#valueOf(await call('C_DeriveKey', [session, how, key, all]))
  }

  /** The value of the secret key that C_GenerateKey makes. */
  async generate(how: MechanismArgument, named: Named): Promise<string> {
    const { call, session } = this.#opened
    const all = template({ CLASS: CKO.SECRET_KEY, ...OPEN, ...named })
    return this.#valueOf(await call('C_GenerateKey', [session, how, all]))
  }

  /** A ciphertext of C_EncapsulateKey, and the value of its key. */
  async encapsulate(
    how: MechanismArgument,
    key: number,
    keyType: number,
  ): Promise<{ ciphertext: string; secret: string }> {
    const { call, session } = this.#opened
    const named = template({ KEY_TYPE: keyType, ...OPEN })
    const [filled, made] = await call('C_EncapsulateKey', [session, how, key, named, ROOM])
    return { ciphertext: toHex(bytes(filled)), secret: await this.#valueOf(made) }
  }

  /** The value of the key that C_DecapsulateKey makes. */
  async decapsulate(
    how: MechanismArgument,
    key: number,
    ciphertext: Uint8Array,
    keyType: number,
  ): Promise<string> {
    const { call, session } = this.#opened
    const named = template({ KEY_TYPE: keyType, ...OPEN })
    return this.#valueOf(await call('C_DecapsulateKey', [session, how, key, named, ciphertext]))
  }
}
