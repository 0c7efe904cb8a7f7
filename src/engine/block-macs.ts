/**
 * MACs that chain the blocks of a cipher: CBC-MAC (FIPS 113), CMAC (SP 800-38B), AES-XCBC-MAC
 * (RFC 3566) and GMAC (SP 800-38D), over any block cipher that OpenSSL has.
 */
import type { NativeOptions } from './binding.ts'
import { AES_BLOCK, aesBlock, cipherStream, type NamedCipherStream } from './ciphers.ts'
import { type Mac, macing } from './macs.ts'

/** A block cipher in CBC. */
export interface CbcCipher {
  /** OpenSSL's name, such as AES-128-CBC. */
  readonly name: string
  readonly key: Uint8Array
  /** Bytes of a block. */
  readonly block: number
  readonly options?: NativeOptions
}

const NOTHING = new Uint8Array(0)

const unpadded = ({ name, key, block, options }: CbcCipher): NamedCipherStream =>
  cipherStream({
    name,
    direction: 'encrypt',
    key,
    iv: new Uint8Array(block),
    options: { ...options, padding: 0 },
  })

/**
 * CBC-MAC: the last block that CBC makes of a message filled up with zeros (FIPS 113). A message of
 * no bytes is a block of zeros, so that its MAC depends on the key as well. It is safe for messages
 * of one known length only: whoever uses it sees to that.
 */
export class CbcMac implements Mac {
  readonly #block: number
  readonly #stream: NamedCipherStream
  readonly #last: Uint8Array
  /** Bytes taken so far, and how many of them are in no whole block. */
  #taken = false
  #pending = 0

  private constructor(block: number, stream: NamedCipherStream, last: Uint8Array) {
    this.#block = block
    this.#stream = stream
    this.#last = last
  }

  static begin(cipher: CbcCipher): CbcMac {
    return new CbcMac(cipher.block, unpadded(cipher), new Uint8Array(cipher.block))
  }

  update(part: Uint8Array): void {
    if (part.length === 0) return
    const blocks = this.#stream.update(part)
    this.#taken = true
    this.#pending = (this.#pending + part.length) % this.#block
    if (blocks.length > 0) this.#last.set(blocks.subarray(blocks.length - this.#block))
  }

  /** Fills a block that is not whole up with zeros. */
  fill(): void {
    if (this.#pending > 0) this.update(new Uint8Array(this.#block - this.#pending))
  }

  digest(): Uint8Array {
    if (!this.#taken) this.update(new Uint8Array(this.#block))
    this.fill()
    return this.#last
  }

  copy(): CbcMac {
    const copy = new CbcMac(this.#block, this.#stream.copy(), Uint8Array.from(this.#last))
    copy.#taken = this.#taken
    copy.#pending = this.#pending
    return copy
  }
}

/** CMAC, as long as a block of the cipher. */
export const cmac = ({ name, key }: CbcCipher): Mac => macing('CMAC', key, { cipher: name })

/** Bytes of an IV that OpenSSL's GMAC takes at most. */
export const LONGEST_GMAC_IV = 128

/** GMAC of 16 bytes with AES; the IV has 1 to 128 bytes. */
export const aesGmac = (key: Uint8Array, iv: Uint8Array): Mac =>
  macing('GMAC', key, { cipher: `AES-${key.length * 8}-GCM`, iv })

const xor = (one: Uint8Array, other: Uint8Array) =>
  Uint8Array.from(one, (byte, at) => byte ^ (other[at] as number))

/** AES-XCBC-MAC. RFC 3566, 4. */
class XcbcMac implements Mac {
  readonly #stream: NamedCipherStream
  /** K2, for a last block that is whole, and K3, for one that is not. */
  readonly #masks: readonly [whole: Uint8Array, filled: Uint8Array]
  /** The last bytes so far, up to a block: only the end tells what is done with them. */
  #tail: Uint8Array

  constructor(
    stream: NamedCipherStream,
    masks: readonly [Uint8Array, Uint8Array],
    tail: Uint8Array = NOTHING,
  ) {
    this.#stream = stream
    this.#masks = masks
    this.#tail = tail
  }

  update(part: Uint8Array): void {
    const bytes = this.#tail.length + part.length
    const kept = bytes === 0 ? 0 : ((bytes - 1) % AES_BLOCK) + 1
    if (bytes === kept) this.#tail = Uint8Array.of(...this.#tail, ...part)
    else {
      this.#stream.update(this.#tail)
      // The tail is at most a block, and what is kept of more than a block is all of this part or less.
      const before = Math.max(0, part.length - kept)
      this.#stream.update(part.subarray(0, before))
      this.#tail = Uint8Array.from(part.subarray(before))
    }
  }

  /** Step (3) of 4: the last block goes in with K2, or filled up with 10...0 with K3. */
  digest(): Uint8Array {
    const [whole, filled] = this.#masks
    if (this.#tail.length === AES_BLOCK) return this.#stream.update(xor(this.#tail, whole))
    const block = new Uint8Array(AES_BLOCK)
    block.set(this.#tail)
    block[this.#tail.length] = 0x80
    return this.#stream.update(xor(block, filled))
  }

  copy(): Mac {
    return new XcbcMac(this.#stream.copy(), this.#masks, this.#tail)
  }
}

/** AES-XCBC-MAC of 16 bytes; the key has 16 bytes. */
export function aesXcbcMac(key: Uint8Array): Mac {
  // (1): K1, K2 and K3 are blocks of 01, 02 and 03, encrypted.
  const derived = (byte: number) => aesBlock(key, new Uint8Array(AES_BLOCK).fill(byte))
  const first = derived(1)
  try {
    const stream = unpadded({ name: 'AES-128-CBC', key: first, block: AES_BLOCK })
    return new XcbcMac(stream, [derived(2), derived(3)])
  } finally {
    first.fill(0)
  }
}
