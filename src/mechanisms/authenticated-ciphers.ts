/**
 * Ciphers whose last bytes are a tag that authenticates all of them: GCM, CCM, ChaCha20-Poly1305.
 * PKCS #11 3.2, 6.13 and 6.61.
 */
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { badLength, exactly } from './block-modes.ts'
import { Gathered } from './gathered.ts'
import type { Cipher, OutputLength, Surrender } from './mechanism.ts'

const NOTHING = new Uint8Array(0)

/** An encryption under way; each part comes out as long as it went in. */
export interface Sealing {
  /** All of a plaintext, with the tag behind it, where nothing was updated. */
  readonly whole?: (plain: Uint8Array) => Uint8Array
  update(part: Uint8Array): Uint8Array
  /** As that of a Cipher. */
  readonly updateInto?: (part: Uint8Array, output: Uint8Array) => void
  /** The tag, once. */
  tag(): Uint8Array
}

/** A decryption under way. */
export interface Opening {
  /** The plaintext of all, where nothing was updated; undefined where the tag behind is wrong. */
  readonly whole?: (sealed: Uint8Array) => Uint8Array | undefined
  /** Plaintext that nobody may see until `verify` has answered true. */
  update(part: Uint8Array): Uint8Array
  verify(tag: Uint8Array): boolean
}

/** Bytes of plaintext that are allowed. */
export interface PlaintextLength {
  readonly least?: number
  readonly most: number
}

/** Encryption: the tag follows the ciphertext. */
export class AuthenticatedEncryption implements Cipher {
  readonly #sealing: Sealing
  readonly #tagLength: number
  readonly #allowed: PlaintextLength
  readonly whole?: (message: Uint8Array) => Uint8Array
  readonly updateInto?: (part: Uint8Array, output: Uint8Array) => void
  #length = 0

  constructor(sealing: Sealing, tagLength: number, allowed: PlaintextLength) {
    this.#sealing = sealing
    this.#tagLength = tagLength
    this.#allowed = allowed
    // A message that comes whole is far shorter than the most that is allowed.
    if (sealing.whole && allowed.least === undefined) this.whole = sealing.whole
    const { updateInto } = sealing
    if (updateInto)
      this.updateInto = (part, output) => {
        this.#count(part)
        updateInto(part, output)
      }
  }

  outputLength(input: number, final: boolean): OutputLength {
    return exactly(input + (final ? this.#tagLength : 0))
  }

  #count({ length }: Uint8Array): void {
    const { most } = this.#allowed
    if (length > most - this.#length)
      throw badLength('encrypt', `at most ${most} bytes are encrypted`)
    this.#length += length
  }

  update(part: Uint8Array): Uint8Array {
    this.#count(part)
    return this.#sealing.update(part)
  }

  final(): Uint8Array {
    const { least = 0 } = this.#allowed
    if (this.#length < least) throw badLength('encrypt', `fewer than ${least} bytes`)
    return this.#sealing.tag()
  }
}

/**
 * Bytes that one decryption holds back at most: 256 MiB. No plaintext may go out before the tag is
 * verified (6.13.2), so a decryption takes as much memory as its data; longer data answer
 * CKR_ENCRYPTED_DATA_LEN_RANGE.
 */
export const MOST_WITHHELD = 256 << 20

const wrongTag = () =>
  new CryptokiError(CKR.ENCRYPTED_DATA_INVALID, 'the tag is that of other data')

/** Decryption: all plaintext is withheld until the tag, the last bytes of the data, is verified. */
export class AuthenticatedDecryption implements Cipher {
  readonly #opening: Opening
  readonly #tagLength: number
  readonly #least: number
  readonly #plain: Gathered
  readonly whole?: (message: Uint8Array) => Uint8Array
  /** The last bytes so far, which are the tag if nothing follows. */
  #tail: Uint8Array = NOTHING

  constructor(
    opening: Opening,
    tagLength: number,
    { least = 0, most }: PlaintextLength = { most: MOST_WITHHELD },
  ) {
    this.#opening = opening
    this.#tagLength = tagLength
    this.#least = least
    this.#plain = new Gathered(Math.min(most, MOST_WITHHELD), CKR.ENCRYPTED_DATA_LEN_RANGE)
    const { whole } = opening
    if (whole) this.whole = (sealed) => this.#open(sealed, whole)
  }

  #open(sealed: Uint8Array, whole: NonNullable<Opening['whole']>): Uint8Array {
    const length = sealed.length - this.#tagLength
    if (length < this.#least) throw this.#tooShort()
    this.#plain.checkRoom(length)
    const plain = whole(sealed)
    if (plain === undefined) throw wrongTag()
    return plain
  }

  #tooShort(): CryptokiError {
    return badLength('decrypt', `too few bytes for the data and a tag of ${this.#tagLength}`)
  }

  outputLength(input: number, final: boolean): OutputLength {
    if (!final) return exactly(0)
    return exactly(Math.max(0, this.#plain.length + this.#tail.length + input - this.#tagLength))
  }

  update(part: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#tail, part])
    const ciphertext = bytes.subarray(0, Math.max(0, bytes.length - this.#tagLength))
    this.#tail = Uint8Array.from(bytes.subarray(ciphertext.length))
    if (ciphertext.length === 0) return NOTHING
    const plain = this.#opening.update(ciphertext)
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
    if (this.#tail.length < this.#tagLength || this.#plain.length < this.#least) {
      this.#plain.drop()
      throw this.#tooShort()
    }
    if (!this.#opening.verify(this.#tail)) {
      this.#plain.drop()
      throw wrongTag()
    }
    return this.#plain.take(surrender)
  }
}
