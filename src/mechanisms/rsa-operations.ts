/** What RSA keys do with messages: sign, verify, recover, encrypt, decrypt. PKCS #11 3.2, 6.1. */
import { availableParallelism } from 'node:os'
import {
  isBelowModulus,
  isQuick,
  padTo,
  type RsaKey,
  type RsaPadding,
  rsaDecrypt,
  rsaEncrypt,
  rsaRecover,
  rsaSign,
  rsaSignAtOnce,
  rsaVerify,
} from '../engine/rsa.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { Gathered } from './gathered.ts'
import type { Cipher, Recovery, Summary, Surrender, Verification } from './mechanism.ts'
import { type Message, shortMessage } from './messages.ts'

/** A key, a padding, and how many bytes the padding leaves for a message. */
export interface Padded {
  readonly key: RsaKey
  readonly padding: RsaPadding
  readonly most: number
  /** What is encrypted before every message: a version in the two bytes at 2, which nobody checks (6.1.17). */
  readonly header?: Uint8Array
}

const NOTHING = new Uint8Array(0)

/** Raw RSA fills a message up with zeros in front, and takes no number as large as the modulus. 6.1.12. */
function inputOf({ key, padding, header = NOTHING }: Padded, message: Uint8Array): Uint8Array {
  if (padding.mode !== 'none')
    return header.length === 0 ? message : Buffer.concat([header, message])
  const number = padTo(key.bytes, message)
  if (!isBelowModulus(key, number))
    throw new CryptokiError(CKR.DATA_INVALID, 'the data is not below the modulus')
  return number
}

/** On one processor no thread would be any quicker. */
const IS_SINGLE = availableParallelism() === 1

/** A native call on the thread pool cannot be stopped: cancelled, it ends unseen within a second. */
const cannotStop = () => {}

/** Private operations on the thread pool. */
let elsewhere = 0

/**
 * Whether a private operation is better done at once. Who is alone waits for no other thread; of two, one
 * works on the pool and the other here; for more the pool has threads for all processors.
 */
const isAtOnce = (key: RsaKey, { company }: Surrender): boolean =>
  isQuick(key) && (company === 0 || (company === 1 && elsewhere > 0) || IS_SINGLE)

/** Waits for a private operation on the pool. */
async function onPool<T>(work: Promise<T>, surrender: Surrender): Promise<T> {
  const left = () => void elsewhere--
  elsewhere++
  work.then(left, left)
  return surrender.during(work, cannotStop)
}

function sign(
  padded: Padded,
  message: Uint8Array,
  surrender: Surrender,
): Uint8Array | Promise<Uint8Array> {
  const { key, padding } = padded
  const input = inputOf(padded, message)
  if (isAtOnce(key, surrender)) return rsaSignAtOnce(key, input, padding)
  return onPool(rsaSign(key, input, padding), surrender)
}

function checkSignatureLength({ key }: Padded, signature: Uint8Array): void {
  if (signature.length !== key.bytes)
    throw new CryptokiError(
      CKR.SIGNATURE_LEN_RANGE,
      `a signature of this key has ${key.bytes} bytes`,
    )
}

const invalidSignature = () =>
  new CryptokiError(CKR.SIGNATURE_INVALID, 'the signature is that of another message or key')

export const signature = (padded: Padded, message: Message): Summary => ({
  length: padded.key.bytes,
  whole: (bytes, surrender) => sign(padded, message.whole(bytes), surrender),
  update: (part) => message.update(part),
  final: async (surrender) => sign(padded, await message.take(surrender), surrender),
  copy: () => signature(padded, message.copy()),
})

function verify(padded: Padded, message: Uint8Array, value: Uint8Array): void {
  const input = inputOf(padded, message)
  if (!rsaVerify(padded.key, input, padded.padding, value)) throw invalidSignature()
}

export const verification = (padded: Padded, message: Message): Verification => ({
  whole: (bytes, value) => {
    checkSignatureLength(padded, value)
    verify(padded, message.whole(bytes), value)
  },
  update: (part) => message.update(part),
  final: async (value, surrender) => {
    checkSignatureLength(padded, value)
    verify(padded, await message.take(surrender), value)
  },
  copy: () => verification(padded, message.copy()),
})

export const recoverableSignature = (padded: Padded): Recovery => ({
  length: padded.key.bytes,
  recover: (input, surrender) => {
    const message = shortMessage(0, padded.most)
    message.update(input)
    return signature(padded, message).final(surrender)
  },
})

export const recovery = (padded: Padded): Recovery => ({
  length: padded.most,
  recover: (input) => {
    checkSignatureLength(padded, input)
    const message = rsaRecover(padded.key, input, padded.padding)
    if (message === undefined) throw invalidSignature()
    return message
  },
})

/** A cipher over one short message: nothing comes out before the end. */
function wholeMessage(
  gathered: Gathered,
  length: number,
  exact: boolean,
  finish: (message: Uint8Array, surrender: Surrender) => Uint8Array | Promise<Uint8Array>,
): Cipher {
  return {
    outputLength: (_input, final) => (final ? { bytes: length, exact } : { bytes: 0, exact: true }),
    update: (part) => {
      gathered.add(part)
      return NOTHING
    },
    final: async (surrender) => finish(await gathered.take(surrender), surrender),
  }
}

export const encryption = (padded: Padded): Cipher =>
  wholeMessage(new Gathered(padded.most, CKR.DATA_LEN_RANGE), padded.key.bytes, true, (plain) => {
    const input = inputOf(padded, plain)
    try {
      return rsaEncrypt(padded.key, input, padded.padding)
    } finally {
      input.fill(0)
      plain.fill(0)
    }
  })

const doesNotDecrypt = () =>
  new CryptokiError(CKR.ENCRYPTED_DATA_INVALID, 'the data does not decrypt')

/** The bytes at 2 and 3 of a header are a version: "any structure of the form 0x01, 0x01, 0xXX, 0xYY". */
const VERSION = [2, 3]

/** What stands behind a header. */
function behind(header: Uint8Array, plain: Uint8Array): Uint8Array {
  const isThere = header.every((byte, at) => VERSION.includes(at) || plain[at] === byte)
  if (!isThere) throw doesNotDecrypt()
  return plain.subarray(header.length)
}

async function decrypt(
  { key, padding, header = NOTHING }: Padded,
  encrypted: Uint8Array,
  surrender: Surrender,
): Promise<Uint8Array> {
  if (encrypted.length !== key.bytes)
    throw new CryptokiError(CKR.ENCRYPTED_DATA_LEN_RANGE, `this key decrypts ${key.bytes} bytes`)
  const plain = isBelowModulus(key, encrypted)
    ? await (isAtOnce(key, surrender)
        ? rsaDecrypt(key, encrypted, padding, true)
        : onPool(rsaDecrypt(key, encrypted, padding), surrender))
    : undefined
  if (plain === undefined) throw doesNotDecrypt()
  return behind(header, plain)
}

/** Only raw RSA knows the length of the plaintext before. */
export const decryption = (padded: Padded): Cipher =>
  wholeMessage(
    new Gathered(padded.key.bytes, CKR.ENCRYPTED_DATA_LEN_RANGE),
    padded.most,
    padded.padding.mode === 'none',
    (encrypted, surrender) => decrypt(padded, encrypted, surrender),
  )
