/** ChaCha20 and ChaCha20-Poly1305 (RFC 8439), XChaCha20 too. PKCS #11 3.2, 6.58 and 6.61. */
import {
  CHACHA20_BLOCK,
  CHACHA20_KEY,
  chacha20Poly1305,
  chacha20Stream,
  POLY1305_TAG,
} from '../engine/chacha20.ts'
import { digestOf } from '../engine/digests.ts'
import { CKK, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { AuthenticatedDecryption, AuthenticatedEncryption } from './authenticated-ciphers.ts'
import { blocksLeft, KeystreamCipher } from './block-modes.ts'
import { type CipherKeys, cipherKeyType, fitting, keyGeneration } from './cipher-keys.ts'
import { type CipherMaker, cipherRow, keyValue } from './cipher-rows.ts'
import type { Mechanism, MechanismArgument } from './mechanism.ts'
import { bytesIn, numberIn } from './parameter.ts'

/** CKA_CHECK_VALUE: SHA-1 of the value (6.58.2). */
const keys: CipherKeys = {
  name: 'CHACHA20',
  length: CHACHA20_KEY,
  checksum: (value) => digestOf('sha1', value),
}

export const chacha20KeyType = cipherKeyType(keys)

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** The bits of the counter that go with those of a nonce: original, IETF, XChaCha20. 6.58.5. */
const COUNTER_BITS: ReadonlyMap<number, number> = new Map([
  [64, 64],
  [96, 32],
  [192, 64],
])

/** CK_CHACHA20_PARAMS. The counter is little-endian, as it stands in the state (RFC 8439, 2.3). */
const stream: CipherMaker = (key, mechanism) => {
  const counterBits = numberIn(mechanism, 'blockCounterBits')
  const counter = bytesIn(mechanism, 'blockCounter')
  const nonce = bytesIn(mechanism, 'nonce')
  if (COUNTER_BITS.get(numberIn(mechanism, 'nonceBits')) !== counterBits)
    throw invalid('no ChaCha20 has a nonce and a counter of so many bits')
  const left = blocksLeft(Uint8Array.from(counter).reverse(), counterBits)
  return new KeystreamCipher(chacha20Stream(key, counter, nonce), left * BigInt(CHACHA20_BLOCK))
}

/** Bytes that one nonce serves: all blocks that a counter of 32 bits counts but the first (RFC 8439, 2.8). */
const LONGEST = (2 ** 32 - 1) * CHACHA20_BLOCK

/**
 * CK_SALSA20_CHACHA20_POLY1305_PARAMS: a nonce of 12 bytes (IETF) or 24 (XChaCha20), told in bits or in
 * bytes. How the tag was
 * made with the original nonce of 8 is in no document that 6.61 refers to.
 */
function sealed(key: Uint8Array, mechanism: MechanismArgument, direction: 'encrypt' | 'decrypt') {
  const nonce = bytesIn(mechanism, 'nonce')
  if (nonce.length !== 12 && nonce.length !== 24) throw invalid('a nonce has 12 or 24 bytes')
  return chacha20Poly1305(key, { direction, nonce, aad: bytesIn(mechanism, 'aad') })
}

const encrypt: CipherMaker = (key, mechanism) => {
  const cipher = sealed(key, mechanism, 'encrypt')
  const tag = () => {
    cipher.final()
    return cipher.tag(POLY1305_TAG)
  }
  const sealing = { update: (part: Uint8Array) => cipher.update(part), tag }
  return new AuthenticatedEncryption(sealing, POLY1305_TAG, { most: LONGEST })
}

const decrypt: CipherMaker = (key, mechanism) => {
  const cipher = sealed(key, mechanism, 'decrypt')
  const verify = (tag: Uint8Array) => {
    cipher.expect(tag)
    try {
      cipher.final()
      return true
    } catch {
      return false // It throws for a wrong tag, and for nothing else.
    }
  }
  const opening = { update: (part: Uint8Array) => cipher.update(part), verify }
  return new AuthenticatedDecryption(opening, POLY1305_TAG)
}

const common = {
  keyTypes: [CKK.CHACHA20],
  value: keyValue([CKK.CHACHA20], fitting(keys)),
} as const

export const chacha20: readonly Mechanism[] = [
  keyGeneration(keys, { section: '6.58.4', keySize: [CHACHA20_KEY, CHACHA20_KEY] }),
  cipherRow({
    ...common,
    name: 'CHACHA20',
    section: '6.58.5',
    keySize: [CHACHA20_KEY * 8, CHACHA20_KEY * 8], // in bits, unlike those of the generation
    parameter: 'CK_CHACHA20_PARAMS',
    encrypt: stream,
    decrypt: stream,
  }),
  cipherRow({
    ...common,
    name: 'CHACHA20_POLY1305',
    section: '6.61.2',
    keySize: [CHACHA20_KEY, CHACHA20_KEY],
    parameter: 'CK_SALSA20_CHACHA20_POLY1305_PARAMS',
    encrypt,
    decrypt,
    wraps: false,
  }),
]
