/**
 * The modes of block ciphers, and streams: how much comes out when, which lengths they refuse, and
 * what is held back. PKCS #11 3.2, 6.10 to 6.12 and 6.15; the other ciphers have the same in their words.
 */
import {
  AES_BLOCK,
  type CipherStream,
  cipherStream,
  type Direction,
  type NamedCipherStream,
} from '../engine/ciphers.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { Gathered } from './gathered.ts'
import type { Cipher, OutputLength, Surrender } from './mechanism.ts'

const NOTHING = new Uint8Array(0)

export const exactly = (bytes: number): OutputLength => ({ bytes, exact: true })
export const atMost = (bytes: number): OutputLength => ({ bytes: Math.max(0, bytes), exact: false })

/** The whole blocks in so many bytes, in bytes. */
const wholeIn = (bytes: number, block: number) => bytes - (bytes % block)

/** Data of a length that the mechanism does not take, as the function says it. */
export const badLength = (direction: Direction, why: string) =>
  new CryptokiError(
    direction === 'encrypt' ? CKR.DATA_LEN_RANGE : CKR.ENCRYPTED_DATA_LEN_RANGE,
    why,
  )

/** A stream of a block cipher and what it works with. */
export interface BlockStream {
  readonly stream: CipherStream
  readonly direction: Direction
  /** Bytes of a block. */
  readonly block: number
}

/** ECB and CBC: every whole block comes out at once, and there must be nothing but whole blocks. */
export class WholeBlockCipher implements Cipher {
  readonly #blocks: BlockStream
  readonly whole?: (message: Uint8Array) => Uint8Array
  /** Bytes of a block that is not whole yet. */
  #pending = 0

  constructor(blocks: BlockStream) {
    this.#blocks = blocks
    const { whole } = blocks.stream
    if (whole)
      this.whole = (message) => {
        this.#checkWhole(message.length % blocks.block)
        return whole(message)
      }
  }

  #checkWhole(pending: number): void {
    if (pending > 0) throw badLength(this.#blocks.direction, 'the data are not whole blocks')
  }

  outputLength(input: number): OutputLength {
    return exactly(wholeIn(this.#pending + input, this.#blocks.block))
  }

  update(part: Uint8Array): Uint8Array {
    this.#pending = (this.#pending + part.length) % this.#blocks.block
    return this.#blocks.stream.update(part)
  }

  final(): Uint8Array {
    this.#checkWhole(this.#pending)
    return this.#blocks.stream.final()
  }
}

/** CBC_PAD encryption: one byte to a block of padding fill the last block. */
export class PaddedEncryption implements Cipher {
  readonly #stream: CipherStream
  readonly #block: number
  #pending = 0

  constructor({ stream, block }: BlockStream) {
    this.#stream = stream
    this.#block = block
  }

  outputLength(input: number, final: boolean): OutputLength {
    return exactly(wholeIn(this.#pending + input, this.#block) + (final ? this.#block : 0))
  }

  update(part: Uint8Array): Uint8Array {
    this.#pending = (this.#pending + part.length) % this.#block
    return this.#stream.update(part)
  }

  final(): Uint8Array {
    return this.#stream.final()
  }
}

/** CBC_PAD decryption: the last block so far is held back, for only the end tells how much of it is padding. */
export class PaddedDecryption implements Cipher {
  readonly #stream: CipherStream
  readonly #block: number
  /** Bytes that went in and did not come out: one to a block once there were any. */
  #held = 0

  constructor({ stream, block }: BlockStream) {
    this.#stream = stream
    this.#block = block
  }

  outputLength(input: number, final: boolean): OutputLength {
    const bytes = this.#held + input
    return final ? atMost(bytes - 1) : exactly(wholeIn(Math.max(bytes - 1, 0), this.#block))
  }

  update(part: Uint8Array): Uint8Array {
    const plain = this.#stream.update(part)
    this.#held += part.length - plain.length
    return plain
  }

  final(): Uint8Array {
    if (this.#held !== this.#block)
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
 * Modes and ciphers that put out as much as goes in, whatever its length: CTR, OFB, CFB, RC4,
 * ChaCha20. Where a counter would wrap, data that go so far are refused with CKR_DATA_LEN_RANGE in
 * both directions (6.11.3), and nothing is put out for that part.
 */
export class KeystreamCipher implements Cipher {
  readonly #stream: Pick<CipherStream, 'update'>
  /** Bytes until the counter is used up. */
  #left: bigint | undefined

  constructor(stream: Pick<CipherStream, 'update'>, left?: bigint) {
    this.#stream = stream
    this.#left = left
  }

  outputLength(input: number): OutputLength {
    return exactly(input)
  }

  update(part: Uint8Array): Uint8Array {
    if (this.#left !== undefined) {
      if (BigInt(part.length) > this.#left)
        throw new CryptokiError(CKR.DATA_LEN_RANGE, 'the counter would wrap')
      this.#left -= BigInt(part.length)
    }
    return this.#stream.update(part)
  }

  final(): Uint8Array {
    return NOTHING
  }
}

/** Blocks before a counter of so many bits is used up, the last ones of a big-endian counter block. */
export function blocksLeft(counterBlock: Uint8Array, counterBits: number): bigint {
  const block = BigInt(`0x${Buffer.from(counterBlock).toString('hex')}`)
  return (1n << BigInt(counterBits)) - BigInt.asUintN(counterBits, block)
}

/**
 * OFB that feeds back 8 bits, which OpenSSL has not: its key stream is what CFB with 8 bits makes of
 * zeros (FIPS 81, 5 and 6: both shift the byte in that the cipher put out).
 */
export const ofb8 = (cfb8: CipherStream): Pick<CipherStream, 'update'> => ({
  update: (part) => {
    const keystream = cfb8.update(new Uint8Array(part.length))
    return keystream.map((byte, at) => byte ^ (part[at] as number))
  },
})

const aesName = (key: Uint8Array, mode: string) => `AES-${key.length * 8}-${mode}`

/**
 * CBC with ciphertext stealing, CBC-CS1 of the addendum to SP 800-38A that 6.12 refers to: for whole
 * blocks it is CBC. The last two blocks so far are held back, and go through OpenSSL's own CS1.
 */
export class StealingCipher implements Cipher {
  readonly #key: Uint8Array
  readonly #direction: Direction
  readonly #stream: NamedCipherStream
  /** The ciphertext block before the tail, at first the IV. */
  #chain: Uint8Array
  /** At most two blocks; more than one once anything has come out. */
  #tail: Uint8Array = NOTHING

  constructor(key: Uint8Array, direction: Direction, iv: Uint8Array) {
    this.#key = key
    this.#direction = direction
    this.#chain = Uint8Array.from(iv)
    const options = { padding: 0 }
    this.#stream = cipherStream({ name: aesName(key, 'CBC'), direction, key, iv, options })
  }

  outputLength(input: number, final: boolean): OutputLength {
    const bytes = this.#tail.length + input
    return exactly(final ? bytes : this.#ready(bytes))
  }

  update(part: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#tail, part])
    const head = bytes.subarray(0, this.#ready(bytes.length))
    this.#tail = Uint8Array.from(bytes.subarray(head.length))
    if (head.length === 0) return NOTHING
    const out = this.#stream.update(head)
    const encrypted = this.#direction === 'encrypt' ? out : head
    this.#chain = Uint8Array.from(encrypted.subarray(encrypted.length - AES_BLOCK))
    return out
  }

  final(): Uint8Array {
    if (this.#tail.length < AES_BLOCK)
      throw badLength(this.#direction, 'ciphertext stealing needs a block or more')
    const stealing = cipherStream({
      name: aesName(this.#key, 'CBC-CTS'),
      direction: this.#direction,
      key: this.#key,
      iv: this.#chain,
      options: { cts_mode: 'CS1' },
    })
    return stealing.update(this.#tail)
  }

  /** Whole blocks that can go out when there are so many bytes: all but the last 17 to 32. */
  #ready(bytes: number): number {
    return bytes <= 2 * AES_BLOCK ? 0 : wholeIn(bytes - AES_BLOCK - 1, AES_BLOCK)
  }
}

/** Bytes of a data unit of XTS at most: 2^20 blocks. SP 800-38E, 4. */
export const DATA_UNIT = 2 ** 20 * AES_BLOCK

/** XTS: a message is one data unit, which OpenSSL takes whole. */
export class DataUnitCipher implements Cipher {
  readonly #direction: Direction
  readonly #stream: NamedCipherStream
  readonly #data: Gathered

  /** `key`: both halves; `sequenceNumber`: 16 bytes. */
  constructor(key: Uint8Array, direction: Direction, sequenceNumber: Uint8Array) {
    this.#direction = direction
    this.#data = new Gathered(DATA_UNIT, badLength(direction, '').rv)
    const name = `AES-${key.length * 4}-XTS`
    this.#stream = cipherStream({ name, direction, key, iv: sequenceNumber })
  }

  outputLength(input: number, final: boolean): OutputLength {
    return exactly(final ? this.#data.length + input : 0)
  }

  update(part: Uint8Array): Uint8Array {
    this.#data.add(part)
    return NOTHING
  }

  async final(surrender: Surrender): Promise<Uint8Array> {
    if (this.#data.length < AES_BLOCK) throw badLength(this.#direction, 'XTS needs a block or more')
    return this.#stream.update(await this.#data.take(surrender))
  }
}
