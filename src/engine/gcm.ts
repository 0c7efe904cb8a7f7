/**
 * AES-GCM (SP 800-38D) over node:crypto. OpenSSL takes an IV of 128 bytes at most, the standard one
 * of any length, so a longer IV goes by a way of its own: GHASH and CTR put together from OpenSSL's
 * GCM and CTR, with no arithmetic here but exclusive or.
 */
import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto'
import { native } from './binding.ts'
import { AES_BLOCK, aesBlock, aesStream, type CipherStream, cipherStream } from './ciphers.ts'
import { lazily } from './lazily.ts'
import { equalInConstantTime } from './macs.ts'

/** Bytes of plaintext that one key and IV may serve: 2^39 - 256 bits. SP 800-38D, 5.2.1.1. */
export const GCM_PLAINTEXT = 2 ** 36 - 32

/** Bytes of the longest IV that OpenSSL takes. */
const OPENSSL_IV = 128

export interface Gcm {
  /** One byte or more. */
  readonly iv: Uint8Array
  /** Additional authenticated data, any length. */
  readonly aad: Uint8Array
  /** Bytes of the tag: 4, 8, or 12 to 16. SP 800-38D, 5.2.1.2. */
  readonly tagLength: number
}

export interface GcmEncryption {
  /** All of a plaintext, with the tag behind it, where nothing was updated; absent for a long IV. */
  readonly whole?: (plain: Uint8Array) => Uint8Array
  update(part: Uint8Array): Uint8Array
  /** The same into as many bytes apart from the part; absent for a long IV. */
  readonly updateInto?: (part: Uint8Array, output: Uint8Array) => void
  /** The tag, once. */
  tag(): Uint8Array
}

export interface GcmDecryption {
  /** The plaintext of all, where nothing was updated; undefined where the tag behind is wrong. */
  readonly whole?: (sealed: Uint8Array) => Uint8Array | undefined
  /** Plaintext that nobody may see until `verify` has answered true. */
  update(part: Uint8Array): Uint8Array
  verify(tag: Uint8Array): boolean
}

const name = (key: Uint8Array) => `aes-${key.length * 8}-gcm` as CipherGCMTypes

/**
 * Encrypts in parts; each part comes out as long as it went in. Nobody wipes the key meanwhile: the
 * stream begins with the first part, since a message that comes whole needs none.
 */
export function gcmEncryption(key: Uint8Array, gcm: Gcm): GcmEncryption {
  const { iv, aad, tagLength } = gcm
  if (iv.length > OPENSSL_IV) {
    const long = new LongIvGcm(key, gcm)
    return { update: (part) => long.encrypt(part), tag: () => long.tag() }
  }
  const cipher = lazily(() => {
    const begun = cipherStream({ name: name(key), direction: 'encrypt', key, iv })
    begun.aad(aad)
    return begun
  })
  return {
    whole: (plain) => {
      const sealed = Buffer.allocUnsafe(plain.length + tagLength)
      native().sealGcm(name(key), key, iv, aad, plain, sealed)
      return sealed
    },
    update: (part) => cipher().update(part),
    updateInto: (part, output) => cipher().updateInto(part, output),
    tag: () => {
      cipher().final()
      return cipher().tag(tagLength)
    },
  }
}

/** Decrypts in parts; each part comes out as long as it went in, unverified. The key as above. */
export function gcmDecryption(key: Uint8Array, gcm: Gcm): GcmDecryption {
  const { iv, aad, tagLength } = gcm
  if (iv.length > OPENSSL_IV) {
    const long = new LongIvGcm(key, gcm)
    return {
      update: (part) => long.decrypt(part),
      verify: (tag) => equalInConstantTime(long.tag(), tag),
    }
  }
  const decipher = lazily(() =>
    createDecipheriv(name(key), key, iv, { authTagLength: tagLength }).setAAD(aad),
  )
  return {
    whole: (sealed) => {
      const plain = Buffer.allocUnsafe(sealed.length - tagLength)
      return native().openGcm(name(key), key, iv, aad, sealed, plain) ? plain : undefined
    },
    update: (part) => decipher().update(part),
    verify: (tag) => {
      try {
        decipher().setAuthTag(tag).final()
        return true
      } catch {
        return false // final() throws for a wrong tag, and for nothing else.
      }
    },
  }
}

const xor = (one: Uint8Array, other: Uint8Array) =>
  Uint8Array.from(one, (byte, at) => byte ^ (other[at] ?? 0))

/** inc32 of SP 800-38D, 6.2: the last four bytes count, modulo 2^32. */
function incremented(block: Uint8Array): Uint8Array {
  const next = Uint8Array.from(block)
  const view = new DataView(next.buffer)
  view.setUint32(12, (view.getUint32(12) + 1) >>> 0)
  return next
}

const NO_DATA = new Uint8Array(0)
const ZERO_IV = new Uint8Array(12)

/**
 * GHASH of additional data and a ciphertext, with their lengths (SP 800-38D, 7.1, steps 4 to 6). It
 * is what GCM under another IV makes its tag of: tag = GHASH xor E(J0). Only encryption answers a
 * tag, so the bytes are decrypted first, and encrypting that brings them back.
 */
class Ghash {
  readonly #mask: Uint8Array
  readonly #before
  readonly #hash

  constructor(key: Uint8Array, aad: Uint8Array) {
    this.#mask = aesBlock(key, Uint8Array.of(...ZERO_IV, 0, 0, 0, 1))
    this.#before = createDecipheriv(name(key), key, ZERO_IV)
    this.#hash = createCipheriv(name(key), key, ZERO_IV).setAAD(aad)
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(this.#before.update(bytes))
  }

  digest(): Uint8Array {
    this.#hash.final()
    return xor(this.#hash.getAuthTag(), this.#mask)
  }
}

/** GCTR of SP 800-38D, 6.5: counter mode that counts modulo 2^32. */
class Gctr {
  readonly #key: Uint8Array
  readonly #first: Uint8Array
  #stream: CipherStream
  /** Bytes until the last four bytes of the counter block are used up. OpenSSL would carry on above them. */
  #left: number

  constructor(key: Uint8Array, first: Uint8Array) {
    this.#key = key
    this.#first = first
    this.#stream = this.#from(first)
    this.#left = (2 ** 32 - new DataView(first.buffer).getUint32(12)) * AES_BLOCK
  }

  update(part: Uint8Array): Uint8Array {
    if (part.length <= this.#left) {
      this.#left -= part.length
      return this.#stream.update(part)
    }
    const before = this.#stream.update(part.subarray(0, this.#left))
    const after = part.subarray(this.#left)
    this.#stream = this.#from(Uint8Array.of(...this.#first.subarray(0, 12), 0, 0, 0, 0))
    this.#left = 2 ** 32 * AES_BLOCK
    return Buffer.concat([before, this.update(after)])
  }

  #from(counter: Uint8Array): CipherStream {
    return aesStream(this.#key, { mode: 'ctr', direction: 'encrypt', iv: counter })
  }
}

/**
 * GCM put together from GHASH and GCTR (SP 800-38D, 7.1 and 7.2). It is right for IVs of any length
 * but 12 bytes, and of use where they are longer than OpenSSL takes.
 */
export class LongIvGcm {
  readonly #counter: Gctr
  readonly #ghash: Ghash
  readonly #mask: Uint8Array
  readonly #tagLength: number

  constructor(key: Uint8Array, { iv, aad, tagLength }: Gcm) {
    const hash = new Ghash(key, NO_DATA)
    hash.update(iv)
    const first = hash.digest() // Step 2: J0 is the GHASH of the IV.
    this.#counter = new Gctr(key, incremented(first))
    this.#ghash = new Ghash(key, aad)
    this.#mask = aesBlock(key, first)
    this.#tagLength = tagLength
  }

  /** A part of the plaintext, as long encrypted. */
  encrypt(part: Uint8Array): Uint8Array {
    const encrypted = this.#counter.update(part)
    this.#ghash.update(encrypted)
    return encrypted
  }

  /** A part of the ciphertext, as long decrypted and not yet verified. */
  decrypt(part: Uint8Array): Uint8Array {
    this.#ghash.update(part)
    return this.#counter.update(part)
  }

  /** The tag of what was encrypted or decrypted, once. */
  tag(): Uint8Array {
    return xor(this.#ghash.digest(), this.#mask).subarray(0, this.#tagLength)
  }
}
