/**
 * Operations of the model: what has gone in, what has come out, and what is to come, worked out anew
 * each time by node:crypto over the whole message.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, sign, verify } from 'node:crypto'
import { CKA, CKK, CKM } from '../../src/standard/constants.ts'
import { EC_PRIVATE_KEY, EC_PUBLIC_KEY } from './keys.ts'
import type { ReturnValue } from './model.ts'
import type { ModelObject } from './object.ts'

/** r and s one after the other, as PKCS #11 has them (6.3.1). */
const RAW = { dsaEncoding: 'ieee-p1363' } as const

export type Kind = 'digest' | 'encrypt' | 'decrypt' | 'sign' | 'verify'

/** The usage attribute that an operation asks of its key. */
export const USAGE = {
  encrypt: CKA.ENCRYPT,
  decrypt: CKA.DECRYPT,
  sign: CKA.SIGN,
  verify: CKA.VERIFY,
} as const

const BLOCK = 16

/** What the model knows of a mechanism. */
export interface ModelMechanism {
  readonly type: number
  readonly kinds: readonly Kind[]
  readonly keyType?: number
  /** Bytes of its parameter. */
  readonly parameter: number
}

export const mechanisms: readonly ModelMechanism[] = [
  { type: CKM.SHA256, kinds: ['digest'], parameter: 0 },
  { type: CKM.AES_ECB, kinds: ['encrypt', 'decrypt'], keyType: CKK.AES, parameter: 0 },
  { type: CKM.AES_CBC_PAD, kinds: ['encrypt', 'decrypt'], keyType: CKK.AES, parameter: BLOCK },
  { type: CKM.SHA256_HMAC, kinds: ['sign', 'verify'], keyType: CKK.GENERIC_SECRET, parameter: 0 },
  { type: CKM.ECDSA_SHA256, kinds: ['sign', 'verify'], keyType: CKK.EC, parameter: 0 },
]

/** Which of the three functions that work on an operation is called: C_Sign, C_SignUpdate, C_SignFinal. */
export type Step = 'whole' | 'part' | 'last'

export class ModelOperation {
  readonly mechanism: number
  readonly kind: Kind
  /** The key, undefined for a digest. It is used as it was when the operation began. */
  readonly key: ModelObject | undefined
  readonly #value: Uint8Array
  readonly #iv: Uint8Array
  /** 4.10: the key has CKA_ALWAYS_AUTHENTICATE, and the user has not logged in for it. */
  awaitsLogin = false
  /** An Update function was called. */
  updated = false
  /** Everything that has gone in. */
  message: Buffer = Buffer.alloc(0)
  /** Bytes that have come out. */
  given = 0
  /** A result that did not fit, and the step that made it and fetches it. Ours. */
  waiting: { readonly result: Uint8Array; readonly step: Step } | undefined

  constructor(kind: Kind, mechanism: number, iv: Uint8Array, key?: ModelObject) {
    this.kind = kind
    this.mechanism = mechanism
    this.key = key
    this.#iv = iv
    this.#value = key === undefined ? new Uint8Array() : Uint8Array.from(key.value)
  }

  /** The digest or signature of the message so far; null for ECDSA, which is never the same twice. */
  summary(more: Uint8Array): Buffer | null {
    const message = Buffer.concat([this.message, more])
    if (this.mechanism === CKM.SHA256) return createHash('sha256').update(message).digest()
    if (this.mechanism === CKM.ECDSA_SHA256) return null
    return createHmac('sha256', this.#value).update(message).digest()
  }

  /** Bytes of the summary. */
  get summaryLength(): number {
    return this.mechanism === CKM.ECDSA_SHA256 ? 64 : 32
  }

  /** What a verification says of a signature of the message so far. */
  verified(more: Uint8Array, signature: Uint8Array): ReturnValue {
    const expected = this.summary(more)
    if (expected === null) return ecdsaVerified(Buffer.concat([this.message, more]), signature)
    if (signature.length !== expected.length) return 'SIGNATURE_LEN_RANGE'
    return expected.equals(signature) ? 'OK' : 'SIGNATURE_INVALID'
  }

  /** The signature of the message so far. */
  signature(more: Uint8Array): Buffer {
    const message = Buffer.concat([this.message, more])
    return this.summary(more) ?? sign('sha256', message, { key: EC_PRIVATE_KEY, ...RAW })
  }

  /** What makes of the message so far one that a padded decryption ends with `extra`. */
  padding(extra: Uint8Array): Buffer {
    const filler = Buffer.alloc((BLOCK - (this.message.length % BLOCK)) % BLOCK)
    const decrypted = this.#crypt(Buffer.concat([this.message, filler]), false)
    const cipher = createCipheriv('aes-128-cbc', this.#value, this.#iv)
    const whole = [cipher.update(Buffer.concat([decrypted, extra])), cipher.final()]
    return Buffer.concat(whole).subarray(this.message.length)
  }

  get #padded(): boolean {
    return this.mechanism === CKM.AES_CBC_PAD
  }

  /** Bytes of blocks that are complete, less the one that a padded decryption keeps (5.2). */
  #ready(length: number): number {
    const keeps = this.#padded && this.kind === 'decrypt' && length > 0 ? 1 : 0
    return Math.floor((length - keeps) / BLOCK) * BLOCK
  }

  #crypt(bytes: Uint8Array, padded: boolean): Buffer {
    const make = this.kind === 'encrypt' ? createCipheriv : createDecipheriv
    const iv = this.#padded ? this.#iv : null
    const stream = make(this.#padded ? 'aes-128-cbc' : 'aes-128-ecb', this.#value, iv)
    stream.setAutoPadding(padded)
    return Buffer.concat([stream.update(bytes), stream.final()])
  }

  /** What more of the message brings out now. */
  part(more: Uint8Array): Buffer {
    const message = Buffer.concat([this.message, more])
    return this.#crypt(message.subarray(0, this.#ready(message.length)), false).subarray(this.given)
  }

  /** What is left to come out at the end, or what is wrong with the message. */
  end(more: Uint8Array): Buffer | ReturnValue {
    const message = Buffer.concat([this.message, more])
    const encrypts = this.kind === 'encrypt'
    if (this.#isIncomplete(message.length))
      return encrypts ? 'DATA_LEN_RANGE' : 'ENCRYPTED_DATA_LEN_RANGE'
    try {
      return this.#crypt(message, this.#padded).subarray(this.given)
    } catch {
      return 'ENCRYPTED_DATA_INVALID'
    }
  }

  #isIncomplete(length: number): boolean {
    if (this.#padded) return this.kind === 'decrypt' && (length === 0 || length % BLOCK !== 0)
    return length % BLOCK !== 0
  }

  /** Bytes that come out at the end; undefined for a padded decryption, which must be worked out. */
  room(more: number): number | undefined {
    const length = this.message.length + more
    if (!this.#padded) return this.#ready(length) - this.given
    return this.kind === 'encrypt' ? this.#ready(length) + BLOCK - this.given : undefined
  }
}

/** 6.3.1: r and s, each of 32 bytes, or shorter, but both of one length. */
function ecdsaVerified(message: Uint8Array, signature: Uint8Array): ReturnValue {
  const { length } = signature
  if (length === 0 || length % 2 !== 0 || length > 64) return 'SIGNATURE_LEN_RANGE'
  return isEcdsa(message, signature) ? 'OK' : 'SIGNATURE_INVALID'
}

export const isEcdsa = (message: Uint8Array, signature: Uint8Array): boolean =>
  signature.length === 64 && verify('sha256', message, { key: EC_PUBLIC_KEY, ...RAW }, signature)
