/**
 * The ciphers that AES mechanisms begin: how much comes out when, which lengths they refuse, and
 * what is held back. PKCS #11 3.2, 6.10, 6.11, 6.13, 6.16.
 */
import {
  AES_BLOCK,
  aesKeyUnwrap,
  aesKeyWrap,
  aesStream,
  type CipherStream,
  type Direction,
  SEMIBLOCK,
} from '../engine/ciphers.ts'
import {
  GCM_PLAINTEXT,
  type Gcm,
  type GcmDecryption,
  type GcmEncryption,
  gcmDecryption,
  gcmEncryption,
} from '../engine/gcm.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { Gathered } from './gathered.ts'
import type { Cipher, OutputLength, Surrender } from './mechanism.ts'

const NOTHING = new Uint8Array(0)

const exactly = (bytes: number): OutputLength => ({ bytes, exact: true })
const atMost = (bytes: number): OutputLength => ({ bytes: Math.max(0, bytes), exact: false })

/** The whole blocks or semiblocks in so many bytes, in bytes. */
const wholeIn = (bytes: number, unit: number) => bytes - (bytes % unit)

const badLength = (direction: Direction, why: string) =>
  new CryptokiError(
    direction === 'encrypt' ? CKR.DATA_LEN_RANGE : CKR.ENCRYPTED_DATA_LEN_RANGE,
    why,
  )

/** ECB and CBC: every whole block comes out at once, and there must be nothing but whole blocks. */
export class BlockCipher implements Cipher {
  readonly #direction: Direction
  readonly #stream: CipherStream
  /** Bytes of a block that is not whole yet. */
  #pending = 0

  constructor(key: Uint8Array, direction: Direction, iv: Uint8Array | null) {
    this.#direction = direction
    this.#stream = aesStream(key, { mode: iv === null ? 'ecb' : 'cbc', direction, iv })
  }

  outputLength(input: number): OutputLength {
    return exactly(wholeIn(this.#pending + input, AES_BLOCK))
  }

  update(part: Uint8Array): Uint8Array {
    this.#pending = (this.#pending + part.length) % AES_BLOCK
    return this.#stream.update(part)
  }

  final(): Uint8Array {
    if (this.#pending > 0) throw badLength(this.#direction, 'the data are not whole blocks')
    return this.#stream.final()
  }
}

/** CBC_PAD encryption: one to sixteen bytes of padding fill the last block. */
export class PaddedEncryption implements Cipher {
  readonly #stream: CipherStream
  #pending = 0

  constructor(key: Uint8Array, iv: Uint8Array) {
    this.#stream = aesStream(key, { mode: 'cbc', direction: 'encrypt', iv, padded: true })
  }

  outputLength(input: number, final: boolean): OutputLength {
    return exactly(wholeIn(this.#pending + input, AES_BLOCK) + (final ? AES_BLOCK : 0))
  }

  update(part: Uint8Array): Uint8Array {
    this.#pending = (this.#pending + part.length) % AES_BLOCK
    return this.#stream.update(part)
  }

  final(): Uint8Array {
    return this.#stream.final()
  }
}

/** CBC_PAD decryption: the last block so far is held back, for only the end tells how much of it is padding. */
export class PaddedDecryption implements Cipher {
  readonly #stream: CipherStream
  /** Bytes that went in and did not come out: 1 to 16 once there were any. */
  #held = 0

  constructor(key: Uint8Array, iv: Uint8Array) {
    this.#stream = aesStream(key, { mode: 'cbc', direction: 'decrypt', iv, padded: true })
  }

  outputLength(input: number, final: boolean): OutputLength {
    const bytes = this.#held + input
    return final ? atMost(bytes - 1) : exactly(wholeIn(Math.max(bytes - 1, 0), AES_BLOCK))
  }

  update(part: Uint8Array): Uint8Array {
    const plain = this.#stream.update(part)
    this.#held += part.length - plain.length
    return plain
  }

  final(): Uint8Array {
    if (this.#held !== AES_BLOCK)
      throw badLength('decrypt', 'the encrypted data are not whole blocks, one or more')
    try {
      return this.#stream.final()
    } catch (cause) {
      // The length was right, so it is the padding. That it is told makes a padding oracle of CBC_PAD,
      // which PKCS #11 has by design: whoever can reach that should use an authenticated mechanism.
      throw new CryptokiError(CKR.ENCRYPTED_DATA_INVALID, 'the padding is wrong', { cause })
    }
  }
}

/**
 * CTR. The counter is the last `counterBits` bits of the counter block; data for which it would wrap
 * are refused with CKR_DATA_LEN_RANGE in both directions (6.11.3), so it never carries into the
 * nonce before it. Nothing is put out for a part that goes too far.
 */
export class CounterCipher implements Cipher {
  readonly #stream: CipherStream
  /** Bytes until the counter is used up. */
  #left: bigint

  constructor(key: Uint8Array, block: Uint8Array, counterBits: number) {
    this.#stream = aesStream(key, { mode: 'ctr', direction: 'encrypt', iv: block })
    const width = BigInt(counterBits)
    const first = BigInt.asUintN(counterBits, BigInt(`0x${Buffer.from(block).toString('hex')}`))
    this.#left = ((1n << width) - first) * BigInt(AES_BLOCK)
  }

  outputLength(input: number): OutputLength {
    return exactly(input)
  }

  update(part: Uint8Array): Uint8Array {
    if (BigInt(part.length) > this.#left)
      throw new CryptokiError(CKR.DATA_LEN_RANGE, 'the counter would wrap')
    this.#left -= BigInt(part.length)
    return this.#stream.update(part)
  }

  final(): Uint8Array {
    return NOTHING
  }
}

/** GCM encryption: the tag follows the ciphertext. */
export class GcmEncrypting implements Cipher {
  readonly #gcm: GcmEncryption
  readonly #tagLength: number
  #left = GCM_PLAINTEXT

  constructor(key: Uint8Array, gcm: Gcm) {
    this.#gcm = gcmEncryption(key, gcm)
    this.#tagLength = gcm.tagLength
  }

  outputLength(input: number, final: boolean): OutputLength {
    return exactly(input + (final ? this.#tagLength : 0))
  }

  update(part: Uint8Array): Uint8Array {
    if (part.length > this.#left)
      throw badLength('encrypt', `GCM encrypts at most ${GCM_PLAINTEXT} bytes`)
    this.#left -= part.length
    return this.#gcm.update(part)
  }

  final(): Uint8Array {
    return this.#gcm.tag()
  }
}

/**
 * Bytes that one GCM decryption holds back at most: 256 MiB. No plaintext may go out before the tag
 * is verified (6.13.2), so a decryption takes as much memory as its data; longer data answer
 * CKR_ENCRYPTED_DATA_LEN_RANGE.
 */
export const MOST_WITHHELD = 256 << 20

/** GCM decryption: all plaintext is withheld until the tag, the last bytes of the data, is verified. */
export class GcmDecrypting implements Cipher {
  readonly #gcm: GcmDecryption
  readonly #tagLength: number
  readonly #plain: Gathered
  /** The last bytes so far, which are the tag if nothing follows. */
  #tail: Uint8Array = NOTHING

  constructor(key: Uint8Array, gcm: Gcm, mostWithheld: number = MOST_WITHHELD) {
    this.#gcm = gcmDecryption(key, gcm)
    this.#tagLength = gcm.tagLength
    this.#plain = new Gathered(mostWithheld, CKR.ENCRYPTED_DATA_LEN_RANGE)
  }

  outputLength(input: number, final: boolean): OutputLength {
    if (!final) return exactly(0)
    return exactly(Math.max(0, this.#plain.length + this.#tail.length + input - this.#tagLength))
  }

  update(part: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#tail, part])
    const ciphertext = bytes.subarray(0, Math.max(0, bytes.length - this.#tagLength))
    this.#tail = Uint8Array.from(bytes.subarray(ciphertext.length))
    const plain = this.#gcm.update(ciphertext)
    try {
      this.#plain.add(plain)
    } catch (error) {
      this.#plain.drop()
      throw error
    } finally {
      plain.fill(0)
    }
    return NOTHING
  }

  async final(surrender: Surrender): Promise<Uint8Array> {
    if (this.#tail.length < this.#tagLength)
      throw badLength('decrypt', `the encrypted data have no tag of ${this.#tagLength} bytes`)
    if (!this.#gcm.verify(this.#tail)) {
      this.#plain.drop()
      throw new CryptokiError(CKR.ENCRYPTED_DATA_INVALID, 'the tag is that of other data')
    }
    return this.#plain.take(surrender)
  }
}

/** Bytes that key wrap mechanisms take at most: 64 KiB, some times the longest private key there is. */
export const MOST_WRAPPED = 64 << 10

/** How key wrap looks from here: KW (6.16.3.1) or KWP (6.16.3.3). */
export interface KeyWrapping {
  readonly padded: boolean
  readonly iv: Uint8Array | null
}

/** Bytes of the shortest output of key wrap: KW wraps two semiblocks or more, KWP a byte or more. */
const shortestWrapped = ({ padded }: KeyWrapping) => (padded ? 2 : 3) * SEMIBLOCK

/** Key wrap works on whole messages only: the parts are gathered. */
export class KeyWrapEncryption implements Cipher {
  readonly #key: Uint8Array
  readonly #how: KeyWrapping
  readonly #data = new Gathered(MOST_WRAPPED, CKR.DATA_LEN_RANGE)

  constructor(key: Uint8Array, how: KeyWrapping) {
    this.#key = key
    this.#how = how
  }

  outputLength(input: number, final: boolean): OutputLength {
    if (!final) return exactly(0)
    return exactly(this.#wrappedLength(this.#data.length + input))
  }

  update(part: Uint8Array): Uint8Array {
    this.#data.add(part)
    return NOTHING
  }

  async final(surrender: Surrender): Promise<Uint8Array> {
    const { padded } = this.#how
    const length = this.#data.length
    const shortest = padded ? 1 : 2 * SEMIBLOCK
    if (length < shortest || (!padded && length % SEMIBLOCK !== 0))
      throw badLength('encrypt', `key wrap does not take ${length} bytes`)
    const data = await this.#data.take(surrender)
    const wrapped = aesKeyWrap(this.#key, data, this.#how)
    data.fill(0)
    return wrapped
  }

  #wrappedLength(bytes: number): number {
    const semiblocks = Math.ceil(bytes / SEMIBLOCK) + 1
    return Math.max(semiblocks * SEMIBLOCK, shortestWrapped(this.#how))
  }
}

export class KeyWrapDecryption implements Cipher {
  readonly #key: Uint8Array
  readonly #how: KeyWrapping
  readonly #data = new Gathered(MOST_WRAPPED + 2 * SEMIBLOCK, CKR.ENCRYPTED_DATA_LEN_RANGE)

  constructor(key: Uint8Array, how: KeyWrapping) {
    this.#key = key
    this.#how = how
  }

  /** KW gives back eight bytes less than it is given; how many KWP does only the last block tells. */
  outputLength(input: number, final: boolean): OutputLength {
    if (!final) return exactly(0)
    const bytes = this.#data.length + input - SEMIBLOCK
    return this.#how.padded ? atMost(bytes) : exactly(Math.max(0, bytes))
  }

  update(part: Uint8Array): Uint8Array {
    this.#data.add(part)
    return NOTHING
  }

  async final(surrender: Surrender): Promise<Uint8Array> {
    const length = this.#data.length
    if (length < shortestWrapped(this.#how) || length % SEMIBLOCK !== 0)
      throw badLength('decrypt', `no key wrap puts out ${length} bytes`)
    const plain = aesKeyUnwrap(this.#key, await this.#data.take(surrender), this.#how)
    if (plain === null)
      throw new CryptokiError(CKR.ENCRYPTED_DATA_INVALID, 'the integrity check failed')
    return plain
  }
}
