/**
 * AES: keys, ECB, CBC, CTR, GCM and key wrap. PKCS #11 3.2, 6.10 (AES), 6.11 (CTR), 6.13 (GCM), 6.16
 * (key wrap).
 */
import { AES_BLOCK, aesBlock, SEMIBLOCK } from '../engine/ciphers.ts'
import type { Gcm } from '../engine/gcm.ts'
import { CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import {
  BlockCipher,
  CounterCipher,
  GcmDecrypting,
  GcmEncrypting,
  KeyWrapDecryption,
  KeyWrapEncryption,
  type KeyWrapping,
  PaddedDecryption,
  PaddedEncryption,
} from './aes-ciphers.ts'
import type {
  Begin,
  Cipher,
  CryptokiObject,
  KeyType,
  Mechanism,
  MechanismArgument,
  Surrender,
} from './mechanism.ts'
import { bytesIn, numberIn, optionalBytes, plainBytes } from './parameter.ts'
import { completeSecret, generateSecret, secretValue } from './secret-keys.ts'
import { unwrapThrough, wrapThrough } from './wrapping.ts'

/** Bytes of an AES key, smallest and largest; 24 lies between. */
const KEY_SIZE = [16, 32] as const

const isKeyLength = (bytes: number) => bytes === 16 || bytes === 24 || bytes === 32

/** CKA_CHECK_VALUE: a block of zeros encrypted in ECB (6.10.2). */
export const aesKeyType: KeyType = {
  type: CKK.AES,
  name: 'AES',
  complete: (_objectClass, attributes) =>
    completeSecret(attributes, isKeyLength, (value) => aesBlock(value, new Uint8Array(AES_BLOCK))),
}

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

function aesValue(key: CryptokiObject): Uint8Array {
  const value = secretValue(key, [CKK.AES])
  if (!isKeyLength(value.length))
    throw new CryptokiError(CKR.KEY_SIZE_RANGE, `an AES key has not ${value.length} bytes`)
  return value
}

/** CK_AES_CTR_PARAMS. 6.11.2. */
function counterCipher(key: Uint8Array, mechanism: MechanismArgument): Cipher {
  const bits = numberIn(mechanism, 'counterBits')
  const block = bytesIn(mechanism, 'cb')
  if (!Number.isInteger(bits) || bits < 1 || bits > 128)
    throw invalid('a counter has 1 to 128 bits')
  if (block.length !== AES_BLOCK) throw invalid('a counter block has 16 bytes')
  return new CounterCipher(key, block, bits)
}

/** The tag lengths of SP 800-38D, 5.2.1.2, in bits. The section allows 0 to 128 and leaves it to the token. */
const TAG_BITS: ReadonlySet<number> = new Set([32, 64, 96, 104, 112, 120, 128])

/** CK_GCM_PARAMS. 6.13.7.2: ulIvLen counts, ulIvBits does not. */
function gcmOf(mechanism: MechanismArgument): Gcm {
  const iv = bytesIn(mechanism, 'iv')
  const tagBits = numberIn(mechanism, 'tagBits')
  if (iv.length === 0) throw invalid('GCM needs an IV')
  if (!TAG_BITS.has(tagBits)) throw invalid(`no GCM tag has ${tagBits} bits`)
  return { iv, aad: bytesIn(mechanism, 'aad'), tagLength: tagBits / 8 }
}

/** An optional IV of 8 bytes for KW, 4 for KWP. 6.16.2. */
const wrapping = (mechanism: MechanismArgument, padded: boolean): KeyWrapping => ({
  padded,
  iv: optionalBytes(mechanism, padded ? SEMIBLOCK / 2 : SEMIBLOCK),
})

type CipherMaker = (key: Uint8Array, mechanism: MechanismArgument) => Cipher

/** What makes one AES mechanism that encrypts, decrypts, wraps and unwraps another. */
interface AesMode {
  readonly name: keyof typeof CKM
  readonly section: string
  readonly parameter?: 'CK_AES_CTR_PARAMS' | 'CK_GCM_PARAMS' | 'bytes'
  readonly parameterOptional?: true
  readonly encrypt: CipherMaker
  readonly decrypt: CipherMaker
  /** A key to be wrapped is filled up with zeros to a multiple of so many bytes; absent: it is not. */
  readonly filledTo?: number
}

const ivOf = (mechanism: MechanismArgument) => plainBytes(mechanism, AES_BLOCK)

const modes: readonly AesMode[] = [
  {
    name: 'AES_ECB',
    section: '6.10.4',
    encrypt: (key) => new BlockCipher(key, 'encrypt', null),
    decrypt: (key) => new BlockCipher(key, 'decrypt', null),
    filledTo: AES_BLOCK,
  },
  {
    name: 'AES_CBC',
    section: '6.10.5',
    parameter: 'bytes',
    encrypt: (key, mechanism) => new BlockCipher(key, 'encrypt', ivOf(mechanism)),
    decrypt: (key, mechanism) => new BlockCipher(key, 'decrypt', ivOf(mechanism)),
    filledTo: AES_BLOCK,
  },
  {
    name: 'AES_CBC_PAD',
    section: '6.10.6',
    parameter: 'bytes',
    encrypt: (key, mechanism) => new PaddedEncryption(key, ivOf(mechanism)),
    decrypt: (key, mechanism) => new PaddedDecryption(key, ivOf(mechanism)),
  },
  {
    name: 'AES_CTR',
    section: '6.11.3',
    parameter: 'CK_AES_CTR_PARAMS',
    encrypt: counterCipher,
    decrypt: counterCipher,
  },
  {
    // C_WrapKey and C_UnwrapKey take the parameter of encryption, CK_GCM_PARAMS: the IV that
    // CK_GCM_WRAP_PARAMS (6.13.3) lets the token make would have to travel back in the parameter.
    name: 'AES_GCM',
    section: '6.13.2',
    parameter: 'CK_GCM_PARAMS',
    encrypt: (key, mechanism) => new GcmEncrypting(key, gcmOf(mechanism)),
    decrypt: (key, mechanism) => new GcmDecrypting(key, gcmOf(mechanism)),
  },
  {
    name: 'AES_KEY_WRAP',
    section: '6.16.3.1',
    parameter: 'bytes',
    parameterOptional: true,
    encrypt: (key, mechanism) => new KeyWrapEncryption(key, wrapping(mechanism, false)),
    decrypt: (key, mechanism) => new KeyWrapDecryption(key, wrapping(mechanism, false)),
    filledTo: SEMIBLOCK,
  },
  {
    name: 'AES_KEY_WRAP_KWP',
    section: '6.16.3.3',
    parameter: 'bytes',
    parameterOptional: true,
    encrypt: (key, mechanism) => new KeyWrapEncryption(key, wrapping(mechanism, true)),
    decrypt: (key, mechanism) => new KeyWrapDecryption(key, wrapping(mechanism, true)),
  },
]

/** A copy with up to `unit` - 1 zero bytes behind it. */
function filled(plain: Uint8Array, unit: number): Uint8Array {
  const copy = new Uint8Array(Math.ceil(plain.length / unit) * unit)
  copy.set(plain)
  return copy
}

/** C_WrapKey: what encryption puts out for the bytes of the key. No mechanism here wraps no bytes. */
function wrapWith({ encrypt, filledTo = 1 }: AesMode) {
  return async ({ key, mechanism }: Begin, plain: Uint8Array, surrender: Surrender) => {
    const copy = filled(plain, filledTo)
    const encryption = () => {
      const cipher = encrypt(aesValue(key), mechanism)
      if (copy.length > 0) return cipher
      throw new CryptokiError(CKR.DATA_LEN_RANGE, 'the key has no bytes')
    }
    try {
      return await wrapThrough(encryption, copy, surrender)
    } finally {
      copy.fill(0)
    }
  }
}

/** C_UnwrapKey. Zeros that filled the key up are still there: only CKA_VALUE_LEN or the key type tells them. */
function unwrapWith({ decrypt }: AesMode) {
  return async ({ key, mechanism }: Begin, wrapped: Uint8Array, surrender: Surrender) => {
    const decryption = () => decrypt(aesValue(key), mechanism)
    const plain = await unwrapThrough(decryption, wrapped, surrender)
    if (plain.length > 0) return plain
    throw new CryptokiError(CKR.WRAPPED_KEY_LEN_RANGE, 'there is no key in it')
  }
}

function rowOf(mode: AesMode): Mechanism {
  const { encrypt, decrypt, filledTo, ...rest } = mode
  return {
    ...rest,
    ...(filledTo === undefined ? {} : { padsWrappedKeys: 'behind' }),
    type: CKM[mode.name],
    keyTypes: [CKK.AES],
    keySize: KEY_SIZE,
    encrypt: ({ key, mechanism }) => encrypt(aesValue(key), mechanism),
    decrypt: ({ key, mechanism }) => decrypt(aesValue(key), mechanism),
    wrap: wrapWith(mode),
    unwrap: unwrapWith(mode),
  }
}

export const aes: readonly Mechanism[] = [
  {
    type: CKM.AES_KEY_GEN,
    name: 'AES_KEY_GEN',
    section: '6.10.3',
    keyTypes: [CKK.AES],
    keySize: KEY_SIZE,
    generateKey: (make) => generateSecret(make, isKeyLength),
  },
  ...modes.map(rowOf),
]
