/**
 * AES-CCM (SP 800-38C, RFC 3610), in parts: OpenSSL's own CCM takes a message only whole. So it is put
 * together here from OpenSSL's CBC and CTR as SP 800-38C defines it, with no arithmetic but exclusive or.
 */
import { CbcMac } from './block-macs.ts'
import { AES_BLOCK, aesStream, type CipherStream } from './ciphers.ts'
import { equalInConstantTime } from './macs.ts'

export interface Ccm {
  /** 7 to 13 bytes. */
  readonly nonce: Uint8Array
  /** Additional authenticated data, any length. */
  readonly aad: Uint8Array
  /** Bytes of the tag: 4, 6, 8, 10, 12, 14 or 16. */
  readonly tagLength: number
  /** Bytes of the plaintext, which are told beforehand: less than 2^(8 * (15 - nonce length)). */
  readonly dataLength: number
}

/** Bytes of plaintext that a nonce of so many bytes leaves a counter for, at most. SP 800-38C, A.1. */
export const ccmLongest = (nonceLength: number): number => 2 ** (8 * (15 - nonceLength)) - 1

/** A number in so many bytes, the most significant first. */
function bigEndian(value: number, bytes: number): Uint8Array {
  const encoded = new Uint8Array(bytes)
  for (let at = bytes - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 256))
    encoded[at] = rest % 256
  return encoded
}

/** B0. SP 800-38C, A.2.1. */
function firstBlock({ nonce, aad, tagLength, dataLength }: Ccm): Uint8Array {
  const q = 15 - nonce.length
  const flags = (aad.length > 0 ? 64 : 0) + 8 * ((tagLength - 2) / 2) + (q - 1)
  return Uint8Array.of(flags, ...nonce, ...bigEndian(dataLength, q))
}

/** How long the additional data are, before them. SP 800-38C, A.2.2. */
const encodedLength = (length: number): Uint8Array =>
  length < 0xff00
    ? bigEndian(length, 2)
    : Uint8Array.of(
        0xff,
        length < 2 ** 32 ? 0xfe : 0xff,
        ...bigEndian(length, length < 2 ** 32 ? 4 : 8),
      )

/** One message, encrypted or decrypted, in parts as long as they went in. */
export class CcmMessage {
  readonly #mac: CbcMac
  readonly #counter: CipherStream
  /** S0, which masks the tag. */
  readonly #mask: Uint8Array
  readonly #tagLength: number

  /** The caller has checked the key and every length. */
  constructor(key: Uint8Array, ccm: Ccm) {
    const { nonce, aad, tagLength } = ccm
    this.#tagLength = tagLength
    this.#mac = CbcMac.begin({ name: `AES-${key.length * 8}-CBC`, key, block: AES_BLOCK })
    this.#mac.update(firstBlock(ccm))
    if (aad.length > 0) {
      this.#mac.update(encodedLength(aad.length))
      this.#mac.update(aad)
      this.#mac.fill()
    }
    const q = 15 - nonce.length
    const iv = Uint8Array.of(q - 1, ...nonce, ...new Uint8Array(q)) // Ctr0, A.3
    this.#counter = aesStream(key, { mode: 'ctr', direction: 'encrypt', iv })
    this.#mask = this.#counter.update(new Uint8Array(AES_BLOCK))
  }

  encrypt(part: Uint8Array): Uint8Array {
    this.#mac.update(part)
    return this.#counter.update(part)
  }

  /** Plaintext that nobody may see until `verify` has answered true. */
  decrypt(part: Uint8Array): Uint8Array {
    const plain = this.#counter.update(part)
    this.#mac.update(plain)
    return plain
  }

  /** The tag, once. SP 800-38C, 6.1, steps 2 to 4 and 8. */
  tag(): Uint8Array {
    const mac = this.#mac.digest()
    return Uint8Array.from(mac, (byte, at) => byte ^ (this.#mask[at] as number)).subarray(
      0,
      this.#tagLength,
    )
  }

  verify(tag: Uint8Array): boolean {
    return equalInConstantTime(this.tag(), tag)
  }
}
