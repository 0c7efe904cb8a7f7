/**
 * The ciphers of the historical mechanisms that OpenSSL's legacy provider has: RC2 (2.4), RC4 (2.5),
 * CAST-128 and IDEA (2.7); and Blowfish, which has small blocks, too (PKCS #11 3.2, 6.45). RC5, CAST,
 * CAST3, CDMF and the ciphers of Fortezza are not in OpenSSL.
 */
import { cipherStream } from '../engine/ciphers.ts'
import { CKK, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type BlockCipher, blockCipherRows } from './block-ciphers.ts'
import { KeystreamCipher } from './block-modes.ts'
import {
  type CipherKeys,
  cipherKeyType,
  fitting,
  keyGeneration,
  zerosEncrypted,
} from './cipher-keys.ts'
import { type CipherMaker, cipherRow, keyValue } from './cipher-rows.ts'
import type { Mechanism, MechanismArgument } from './mechanism.ts'
import { numberIn, ulongOf } from './parameter.ts'

const legacy = () => 'legacy' as const

const between = (least: number, most: number) => (bytes: number) => bytes >= least && bytes <= most

/** What a row of this file tells of a cipher. */
interface Historical {
  readonly keys: CipherKeys
  readonly generation: Pick<Mechanism, 'section' | 'keySize'>
  readonly cipher: Pick<BlockCipher, 'keySize' | 'cipher' | 'modes' | 'parameters'>
}

const BLOCK = 8

/** The sections of the general block cipher. */
const GENERAL = {
  ECB: 'hist 2.7.10',
  CBC: 'hist 2.7.11',
  CBC_PAD: 'hist 2.7.12',
  MAC_GENERAL: 'hist 2.7.13',
  MAC: 'hist 2.7.14',
} as const

/** 1 to 1024. OpenSSL would take others for 1024. */
function effectiveBits(mechanism: MechanismArgument): number {
  const { parameter } = mechanism
  const isPlain = parameter === null || parameter instanceof Uint8Array
  const bits = isPlain ? ulongOf(mechanism) : numberIn(mechanism, 'effectiveBits')
  if (bits >= 1 && bits <= 1024) return bits
  throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'RC2 has 1 to 1024 effective bits')
}

/**
 * RC2 (RFC 2268). Its mechanisms tell the effective bits where others tell the bytes of keys, and a
 * check value would depend on them.
 */
const rc2: Historical = {
  keys: { name: 'RC2', length: between(1, 128) },
  generation: { section: 'hist 2.4.4', keySize: [8, 1024] },
  cipher: {
    keySize: [1, 1024],
    cipher: (key, mode, mechanism) => ({
      name: `RC2-${mode}`,
      key,
      options: { keybits: effectiveBits(mechanism) },
    }),
    modes: {
      ECB: 'hist 2.4.5',
      CBC: 'hist 2.4.6',
      CBC_PAD: 'hist 2.4.7',
      MAC_GENERAL: 'hist 2.4.8',
      MAC: 'hist 2.4.9',
    },
    parameters: {
      ECB: 'bytes',
      CBC: 'CK_RC2_CBC_PARAMS',
      CBC_PAD: 'CK_RC2_CBC_PARAMS',
      MAC_GENERAL: 'CK_RC2_MAC_GENERAL_PARAMS',
      MAC: 'bytes',
    },
  },
}

/** CAST-128 (RFC 2144, which has keys of 5 bytes and more). */
const cast128: Historical = {
  keys: {
    name: 'CAST128',
    length: between(5, 16),
    checksum: zerosEncrypted(() => 'CAST5-ECB', BLOCK),
  },
  generation: { section: 'hist 2.7.9', keySize: [5, 16] },
  cipher: {
    keySize: [5, 16],
    cipher: (key, mode) => ({ name: `CAST5-${mode}`, key }),
    modes: GENERAL,
  },
}

/** IDEA, whose key sizes C_GetMechanismInfo does not tell (2.7.9). */
const idea: Historical = {
  keys: { name: 'IDEA', length: 16, checksum: zerosEncrypted(() => 'IDEA-ECB', BLOCK) },
  generation: { section: 'hist 2.7.9', keySize: [0, 0] },
  cipher: {
    keySize: [0, 0],
    cipher: (key, mode) => ({ name: `IDEA-${mode}`, key }),
    modes: GENERAL,
  },
}

/** Blowfish, up to 448 bits. */
const blowfish: Historical = {
  keys: {
    name: 'BLOWFISH',
    length: between(1, 56),
    checksum: zerosEncrypted(() => 'BF-ECB', BLOCK),
  },
  generation: { section: '6.45.3', keySize: [1, 56] },
  cipher: {
    keySize: [1, 56],
    cipher: (key, mode) => ({ name: `BF-${mode}`, key }),
    modes: { CBC: '6.45.4', CBC_PAD: '6.45.5' },
  },
}

const rowsOf = ({ keys, generation, cipher }: Historical): Mechanism[] => {
  const { name } = keys
  const keyTypes = [CKK[name]]
  const value = keyValue(keyTypes, fitting(keys))
  return [
    keyGeneration(keys, { ...generation, standing: 'legacy' }),
    ...blockCipherRows({ ...cipher, name, keyTypes, block: BLOCK, value, standing: legacy }),
  ]
}

const rc4Keys: CipherKeys = { name: 'RC4', length: between(1, 256) }

/** RC4's keys are told in bits. */
const RC4_SIZE = [8, 2048] as const

const rc4Stream: CipherMaker = (key) =>
  new KeystreamCipher(cipherStream({ name: 'RC4', direction: 'encrypt', key, iv: null }))

const rc4: readonly Mechanism[] = [
  keyGeneration(rc4Keys, { section: 'hist 2.5.3', keySize: RC4_SIZE, standing: 'legacy' }),
  cipherRow({
    name: 'RC4',
    section: 'hist 2.5.4',
    standing: 'legacy',
    keyTypes: [CKK.RC4],
    keySize: RC4_SIZE,
    value: keyValue([CKK.RC4], fitting(rc4Keys)),
    encrypt: rc4Stream,
    decrypt: rc4Stream,
    wraps: false,
  }),
]

const all = [rc2, cast128, idea, blowfish]

export const historicalKeyTypes = [...all.map(({ keys }) => keys), rc4Keys].map(cipherKeyType)

export const historicalCiphers: readonly Mechanism[] = [...all.flatMap(rowsOf), ...rc4]
