/**
 * The ciphers that AES has beyond those of every block cipher: GCM, CCM and key wrap. PKCS #11 3.2,
 * 6.13 and 6.16.
 */
import { type Ccm, CcmMessage } from '../engine/ccm.ts'
import { aesKeyUnwrap, aesKeyWrap, SEMIBLOCK } from '../engine/ciphers.ts'
import { GCM_PLAINTEXT, type Gcm, gcmDecryption, gcmEncryption } from '../engine/gcm.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import {
  AuthenticatedDecryption,
  AuthenticatedEncryption,
  type PlaintextLength,
} from './authenticated-ciphers.ts'
import { atMost, badLength, exactly } from './block-modes.ts'
import { Gathered } from './gathered.ts'
import type { Cipher, OutputLength, Surrender } from './mechanism.ts'

const NOTHING = new Uint8Array(0)

export const gcmEncrypting = (key: Uint8Array, gcm: Gcm): Cipher =>
  new AuthenticatedEncryption(gcmEncryption(key, gcm), gcm.tagLength, { most: GCM_PLAINTEXT })

export const gcmDecrypting = (key: Uint8Array, gcm: Gcm, allowed?: PlaintextLength): Cipher =>
  new AuthenticatedDecryption(gcmDecryption(key, gcm), gcm.tagLength, allowed)

const told = ({ dataLength }: Ccm): PlaintextLength => ({ least: dataLength, most: dataLength })

export function ccmEncrypting(key: Uint8Array, ccm: Ccm): Cipher {
  const message = new CcmMessage(key, ccm)
  const sealing = { update: (part: Uint8Array) => message.encrypt(part), tag: () => message.tag() }
  return new AuthenticatedEncryption(sealing, ccm.tagLength, told(ccm))
}

export function ccmDecrypting(key: Uint8Array, ccm: Ccm): Cipher {
  const message = new CcmMessage(key, ccm)
  const opening = {
    update: (part: Uint8Array) => message.decrypt(part),
    verify: (tag: Uint8Array) => message.verify(tag),
  }
  return new AuthenticatedDecryption(opening, ccm.tagLength, told(ccm))
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

/** KW of data that PKCS #7 padding fills up to semiblocks: 6.16.3.4. */
export class PaddedKeyWrapEncryption implements Cipher {
  readonly #wrapping: KeyWrapEncryption
  #length = 0

  constructor(key: Uint8Array, iv: Uint8Array | null) {
    this.#wrapping = new KeyWrapEncryption(key, { padded: false, iv })
  }

  outputLength(input: number, final: boolean): OutputLength {
    const padding = SEMIBLOCK - ((this.#length + input) % SEMIBLOCK)
    return this.#wrapping.outputLength(input + padding, final)
  }

  update(part: Uint8Array): Uint8Array {
    this.#length += part.length
    return this.#wrapping.update(part)
  }

  /** Less than a semiblock makes one with its padding, and KW takes two or more. */
  final(surrender: Surrender): Promise<Uint8Array> {
    const padding = SEMIBLOCK - (this.#length % SEMIBLOCK)
    this.#wrapping.update(new Uint8Array(padding).fill(padding))
    return this.#wrapping.final(surrender)
  }
}

export class PaddedKeyWrapDecryption implements Cipher {
  readonly #unwrapping: KeyWrapDecryption

  constructor(key: Uint8Array, iv: Uint8Array | null) {
    this.#unwrapping = new KeyWrapDecryption(key, { padded: false, iv })
  }

  outputLength(input: number, final: boolean): OutputLength {
    return atMost(this.#unwrapping.outputLength(input, final).bytes - (final ? 1 : 0))
  }

  update(part: Uint8Array): Uint8Array {
    return this.#unwrapping.update(part)
  }

  async final(surrender: Surrender): Promise<Uint8Array> {
    const plain = await this.#unwrapping.final(surrender)
    const padding = plain.at(-1) as number
    const length = plain.length - padding
    const isPadded = padding >= 1 && padding <= SEMIBLOCK
    // Who could forge the integrity check has the key: what is told of the padding tells nothing.
    if (!isPadded || plain.subarray(length).some((byte) => byte !== padding))
      throw new CryptokiError(CKR.ENCRYPTED_DATA_INVALID, 'the padding is wrong')
    return plain.subarray(0, length)
  }
}
