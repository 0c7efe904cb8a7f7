/**
 * Authenticated ciphers in the message-based functions, and in C_WrapKeyAuthenticated and
 * C_UnwrapKeyAuthenticated: additional data are an argument, the tag lies in the parameter, and what
 * comes out is as long as what goes in. PKCS #11 3.2, 5.9, 5.11, 5.18.6, 5.18.7, 6.13 and 6.61.
 */
import { CKG, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import {
  AuthenticatedDecryption,
  AuthenticatedEncryption,
  type Opening,
  type PlaintextLength,
  type Sealing,
} from './authenticated-ciphers.ts'
import { badLength, exactly } from './block-modes.ts'
import { Ivs } from './generated-ivs.ts'
import type {
  Cipher,
  CryptokiObject,
  Mechanism,
  MechanismArgument,
  MessageBegin,
  MessageParts,
  Messages,
  Surrender,
} from './mechanism.ts'
import { bytesIn, numberIn } from './parameter.ts'
import { unwrapThrough, wrapThrough } from './wrapping.ts'

/** A message that begins: what a cipher needs to know of it. */
export interface AeadMessage {
  readonly iv: Uint8Array
  readonly aad: Uint8Array
  /** Bytes. */
  readonly tagLength: number
  /** Bytes of the data, for a cipher that must know them beforehand; 0 for any other. */
  readonly dataLength: number
}

/** An authenticated cipher and the structure that its messages have as their parameter. */
export interface AeadCipher {
  readonly parameter: Mechanism['messageParameter']
  /** The names of its values in that structure. */
  readonly names: {
    readonly iv: string
    readonly tag: string
    /** Absent: the application gives every IV. */
    readonly generator?: { readonly which: string; readonly fixedBits: string }
    /** Absent: the cipher need not know how long the data are. */
    readonly dataLength?: string
  }
  /** Bytes of the tag that a parameter tells; throws MECHANISM_PARAM_INVALID for no such tag. */
  tagLength(parameter: MechanismArgument): number
  /** Throws MECHANISM_PARAM_INVALID for an IV that is too long or too short, and for data too long for it. */
  check(message: AeadMessage): void
  allowed(message: AeadMessage): PlaintextLength
  seal(key: Uint8Array, message: AeadMessage): Sealing
  open(key: Uint8Array, message: AeadMessage): Opening
}

const NOTHING = new Uint8Array(0)

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** What all that is done with one key has in common. */
interface Keyed {
  readonly aead: AeadCipher
  readonly key: Uint8Array
  /** Absent for decryption, which is always given the IV. */
  readonly ivs?: Ivs
}

function ivOf({ aead, ivs }: Keyed, { parameter }: MessageBegin): Uint8Array {
  const { iv: name, generator } = aead.names
  const given = Uint8Array.from(bytesIn(parameter, name))
  if (ivs === undefined || generator === undefined) return given
  const which = numberIn(parameter, generator.which)
  const fixedBits = numberIn(parameter, generator.fixedBits)
  const iv = ivs.next({ generator: which, iv: given, fixedBits })
  if (which !== CKG.NO_GENERATE) parameter.answer?.({ [name]: iv })
  return iv
}

/** `dataLength`: that of a key to be wrapped, which counts whatever the parameter says (6.13.5). */
function messageOf(keyed: Keyed, begin: MessageBegin, dataLength?: number): AeadMessage {
  const { aead } = keyed
  const { parameter, associatedData } = begin
  const told = aead.names.dataLength
  const message = {
    iv: bytesIn(parameter, aead.names.iv),
    aad: associatedData,
    tagLength: aead.tagLength(parameter),
    dataLength: dataLength ?? (told === undefined ? 0 : numberIn(parameter, told)),
  }
  aead.check(message)
  // An IV is made, and counted, only once nothing else is wrong.
  return { ...message, iv: ivOf(keyed, begin) }
}

/** The tag that lies in a parameter, or the place for it. */
function tagIn({ names }: AeadCipher, parameter: MechanismArgument, length: number): Uint8Array {
  const tag = bytesIn(parameter, names.tag)
  if (tag.length !== length) throw invalid(`the tag of the message has ${length} bytes`)
  return tag
}

/** The last function of a message brings a parameter of its own: the tag goes there. */
class EncryptedParts implements MessageParts {
  readonly #aead: AeadCipher
  readonly #tagLength: number
  readonly #cipher: AuthenticatedEncryption

  constructor({ aead, key }: Keyed, message: AeadMessage) {
    this.#aead = aead
    this.#tagLength = message.tagLength
    this.#cipher = new AuthenticatedEncryption(
      aead.seal(key, message),
      message.tagLength,
      aead.allowed(message),
    )
  }

  update(part: Uint8Array): Uint8Array {
    return this.#cipher.update(part)
  }

  end(parameter: MechanismArgument): void {
    tagIn(this.#aead, parameter, this.#tagLength)
    parameter.answer?.({ [this.#aead.names.tag]: this.#cipher.final() })
  }
}

/**
 * What is decrypted goes out part by part, not verified yet, as 5.2 has it of all output ("always
 * return as much output as can be computed") and 5.11 of the tag, which only the last part has.
 */
class DecryptedParts implements MessageParts {
  readonly #aead: AeadCipher
  readonly #tagLength: number
  readonly #allowed: PlaintextLength
  readonly #opening: Opening
  #length = 0

  constructor({ aead, key }: Keyed, message: AeadMessage) {
    this.#aead = aead
    this.#tagLength = message.tagLength
    this.#allowed = aead.allowed(message)
    this.#opening = aead.open(key, message)
  }

  update(part: Uint8Array): Uint8Array {
    const { most } = this.#allowed
    if (part.length > most - this.#length)
      throw badLength('decrypt', `at most ${most} bytes are decrypted`)
    this.#length += part.length
    return this.#opening.update(part)
  }

  end(parameter: MechanismArgument): void {
    const { least = 0 } = this.#allowed
    if (this.#length < least) throw badLength('decrypt', `fewer than ${least} bytes`)
    if (!this.#opening.verify(tagIn(this.#aead, parameter, this.#tagLength))) throw wrongTag()
  }
}

const wrongTag = (cause?: unknown) =>
  new CryptokiError(CKR.AEAD_DECRYPT_FAILED, 'the tag is that of another message', { cause })

function encryption(keyed: Keyed, begin: MessageBegin, dataLength?: number): Cipher {
  const { aead } = keyed
  tagIn(aead, begin.parameter, aead.tagLength(begin.parameter))
  const parts = new EncryptedParts(keyed, messageOf(keyed, begin, dataLength))
  return {
    outputLength: exactly,
    update: (part) => parts.update(part),
    final: () => {
      parts.end(begin.parameter)
      return NOTHING
    },
  }
}

/** Decryption of all, then of the tag behind it, as the functions without messages have it. */
function decryption(keyed: Keyed, begin: MessageBegin, dataLength?: number): Cipher {
  const { aead, key } = keyed
  const message = messageOf(keyed, begin, dataLength)
  const tag = tagIn(aead, begin.parameter, message.tagLength)
  const cipher = new AuthenticatedDecryption(
    aead.open(key, message),
    message.tagLength,
    aead.allowed(message),
  )
  return {
    outputLength: exactly,
    update: (part) => cipher.update(part),
    final: (surrender) => {
      cipher.update(tag)
      return cipher.final(surrender)
    },
  }
}

/** What decryption says of a wrong tag, as the message-based functions say it. */
const ofMessage = (cipher: Cipher): Cipher => ({
  ...cipher,
  final: async (surrender) => {
    try {
      return await cipher.final(surrender)
    } catch (error) {
      const isTag = error instanceof CryptokiError && error.rv === CKR.ENCRYPTED_DATA_INVALID
      throw isTag ? wrongTag(error) : error
    }
  },
})

type KeyValue = (key: CryptokiObject) => Uint8Array

/** The makers of a row with which it encrypts and decrypts messages. */
export const messageMakers = (
  aead: AeadCipher,
  value: KeyValue,
): Pick<Mechanism, 'messageParameter' | 'messageEncrypt' | 'messageDecrypt'> => ({
  ...(aead.parameter && { messageParameter: aead.parameter }),
  messageEncrypt: ({ key }): Messages => {
    const keyed = { aead, key: value(key), ivs: new Ivs() }
    return {
      whole: (begin) => encryption(keyed, begin),
      parts: (begin) => new EncryptedParts(keyed, messageOf(keyed, begin)),
    }
  },
  messageDecrypt: ({ key }): Messages => {
    const keyed = { aead, key: value(key) }
    return {
      whole: (begin) => ofMessage(decryption(keyed, begin)),
      parts: (begin) => new DecryptedParts(keyed, messageOf(keyed, begin)),
    }
  },
})

/** The makers of a row with which it wraps and unwraps keys. Each wrap is an operation of its own. */
export const authenticatedWrapMakers = (
  aead: AeadCipher,
  value: KeyValue,
): Pick<Mechanism, 'wrapAuthenticated' | 'unwrapAuthenticated'> => ({
  wrapAuthenticated: (key, begin, plain, surrender: Surrender) => {
    const cipher = () =>
      encryption({ aead, key: value(key), ivs: new Ivs(false) }, begin, plain.length)
    return wrapThrough(cipher, plain, surrender)
  },
  unwrapAuthenticated: async (key, begin, wrapped, surrender: Surrender) => {
    const cipher = () => decryption({ aead, key: value(key) }, begin, wrapped.length)
    const plain = await unwrapThrough(cipher, wrapped, surrender)
    if (plain.length > 0) return plain
    throw new CryptokiError(CKR.WRAPPED_KEY_LEN_RANGE, 'there is no key in it')
  },
})
