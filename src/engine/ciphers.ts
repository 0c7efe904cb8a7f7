/**
 * AES (FIPS 197) over node:crypto in the modes ECB, CBC and CTR of SP 800-38A, and as key wrap of
 * SP 800-38F (RFC 3394, RFC 5649). Keys have 16, 24 or 32 bytes; the caller has checked that. And
 * any other cipher that OpenSSL has, by its name there.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type NativeCipher, type NativeOptions, native } from './binding.ts'
import { lazily } from './lazily.ts'

/** Bytes of an AES block. */
export const AES_BLOCK = 16

/** Bytes of a semiblock, the unit of key wrap. SP 800-38F, 5.2. */
export const SEMIBLOCK = 8

export type Direction = 'encrypt' | 'decrypt'

/** Turns a message given in parts into another; `final` answers what was held back. */
export interface CipherStream {
  /** All of a message at once, where nothing was updated; absent where that is no quicker. */
  readonly whole?: (message: Uint8Array) => Uint8Array
  update(part: Uint8Array): Uint8Array
  final(): Uint8Array
}

export interface BlockMode {
  readonly mode: 'ecb' | 'cbc' | 'ctr'
  readonly direction: Direction
  /** 16 bytes, the counter block of CTR; null for ECB. */
  readonly iv: Uint8Array | null
  /** PKCS #7 padding. `final` of a decryption throws where the padding is wrong. */
  readonly padded?: boolean
}

/**
 * AES in parts. Unpadded, every whole block comes out at once; the caller sees to it that the whole
 * is a multiple of the block. A padded decryption holds the last block back.
 *
 * OpenSSL counts through all 128 bits of the counter block: a caller with a shorter counter stops
 * before it is used up.
 */
export function aesStream(
  key: Uint8Array,
  { mode, direction, iv, padded = false }: BlockMode,
): CipherStream {
  const create = direction === 'encrypt' ? createCipheriv : createDecipheriv
  return create(`aes-${key.length * 8}-${mode}`, key, iv).setAutoPadding(padded)
}

/** One block, 16 bytes, encrypted as in ECB. */
export const aesBlock = (key: Uint8Array, block: Uint8Array): Uint8Array =>
  aesStream(key, { mode: 'ecb', direction: 'encrypt', iv: null }).update(block)

/** ICV1 of SP 800-38F, 6.2, and ICV2 of 6.3: the initial values where the caller has none of its own. */
const DEFAULT_IV = {
  plain: Buffer.from('a6a6a6a6a6a6a6a6', 'hex'),
  padded: Buffer.from('a65959a6', 'hex'),
}

export interface KeyWrap {
  /** KWP (RFC 5649), which takes any length; else KW (RFC 3394), which takes two semiblocks or more. */
  readonly padded: boolean
  /** 8 bytes for KW, 4 for KWP; null for the default. */
  readonly iv: Uint8Array | null
}

const wrapName = (key: Uint8Array, padded: boolean) =>
  `id-aes${key.length * 8}-wrap${padded ? '-pad' : ''}`

const initialValue = ({ padded, iv }: KeyWrap) => iv ?? DEFAULT_IV[padded ? 'padded' : 'plain']

/** Wraps: KW answers 8 bytes more, KWP 8 bytes more than the next multiple of 8. */
export const aesKeyWrap = (key: Uint8Array, plain: Uint8Array, how: KeyWrap): Uint8Array =>
  createCipheriv(wrapName(key, how.padded), key, initialValue(how)).update(plain)

/**
 * Unwraps; null where the integrity check fails. The length is a multiple of 8, at least 24 for KW
 * and 16 for KWP: the caller has checked that.
 */
export function aesKeyUnwrap(
  key: Uint8Array,
  wrapped: Uint8Array,
  how: KeyWrap,
): Uint8Array | null {
  try {
    return createDecipheriv(wrapName(key, how.padded), key, initialValue(how)).update(wrapped)
  } catch {
    return null // OpenSSL tells no reason, and there is only this one left.
  }
}

export interface NamedCipher {
  /** OpenSSL's name: CAMELLIA-128-CBC, DES-EDE3-ECB, AES-128-CBC-CTS, ChaCha20-Poly1305 ... */
  readonly name: string
  readonly direction: Direction
  readonly key: Uint8Array
  /** null for a cipher without one, and for the default of key wrap. */
  readonly iv: Uint8Array | null
  /** As in the binding; `padding: 0` for ECB and CBC without padding. */
  readonly options?: NativeOptions
}

/** Any cipher of OpenSSL in parts. One that authenticates also has additional data and a tag. */
export class NamedCipherStream implements CipherStream {
  readonly #cipher: NativeCipher

  constructor(cipher: NativeCipher) {
    this.#cipher = cipher
  }

  /** Additional data, before the first update. */
  aad(data: Uint8Array): void {
    native().cipherAad(this.#cipher, data)
  }

  /** Bytes of the whole: CCM needs it before additional data. */
  length(bytes: number): void {
    native().cipherLength(this.#cipher, bytes)
  }

  update(part: Uint8Array): Uint8Array {
    return native().cipherUpdate(this.#cipher, part)
  }

  /** Of a cipher in GCM: into as many bytes apart from the part. */
  updateInto(part: Uint8Array, output: Uint8Array): void {
    native().cipherUpdateInto(this.#cipher, part, output)
  }

  /** The tag that the ciphertext must have, before `final`. */
  expect(tag: Uint8Array): void {
    native().cipherOptions(this.#cipher, { tag })
  }

  /** Throws OPENSSL_DECRYPT where the padding or the tag is wrong. */
  final(): Uint8Array {
    return native().cipherFinal(this.#cipher)
  }

  /** The tag of what was encrypted, after `final`. */
  tag(bytes: number): Uint8Array {
    return native().cipherTag(this.#cipher, bytes)
  }

  /** A second one in the same state. */
  copy(): NamedCipherStream {
    return new NamedCipherStream(native().cipherCopy(this.#cipher))
  }
}

/**
 * Whole blocks in ECB or CBC, without padding. Nobody wipes the key meanwhile: the stream begins with
 * the first part, since a message that comes whole needs none.
 */
export function blockStream({ name, direction, key, iv }: NamedCipher): CipherStream {
  const begin = lazily(() => cipherStream({ name, direction, key, iv, options: { padding: 0 } }))
  return {
    whole: (message) => {
      const output = Buffer.allocUnsafe(message.length)
      const run = direction === 'encrypt' ? native().encryptBlocks : native().decryptBlocks
      run(name, key, iv, null, message, output)
      return output
    },
    update: (part) => begin().update(part),
    final: () => begin().final(),
  }
}

/** Begins; throws OPENSSL_UNKNOWN where OpenSSL lacks the cipher, OPENSSL_ARGUMENT for wrong lengths. */
export const cipherStream = ({
  name,
  direction,
  key,
  iv,
  options,
}: NamedCipher): NamedCipherStream =>
  new NamedCipherStream(native().cipher(name, direction, key, iv, options))
