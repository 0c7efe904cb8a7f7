/**
 * The rows of a block cipher: which modes it has is data, what a mode does is written once here.
 * PKCS #11 3.2, 6.10, 6.14, 6.17 to 6.19, 6.45 to 6.52; historical mechanisms, 2.4 and 2.7.
 */
import type { NativeOptions } from '../engine/binding.ts'
import { CbcMac, cmac } from '../engine/block-macs.ts'
import { blockStream, type CipherStream, cipherStream, type Direction } from '../engine/ciphers.ts'
import type { Mac } from '../engine/macs.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import {
  blocksLeft,
  KeystreamCipher,
  ofb8,
  PaddedDecryption,
  PaddedEncryption,
  WholeBlockCipher,
} from './block-modes.ts'
import { type CipherRow, cipherRow, numbered } from './cipher-rows.ts'
import { derivedFrom, derivedLength } from './derived-keys.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import { lengthAsked, signingWith } from './macs.ts'
import type {
  Cipher,
  CryptokiObject,
  Derive,
  Made,
  Mechanism,
  MechanismArgument,
} from './mechanism.ts'
import { bytesIn, numberIn, plainBytes } from './parameter.ts'

/** What follows the name of a cipher in the names of its mechanisms. */
export type Mode = keyof typeof ciphers | keyof typeof macs | keyof typeof derivations

/** OpenSSL's cipher for a key. */
export interface CipherChoice {
  readonly name: string
  readonly key: Uint8Array
  readonly options?: NativeOptions
}

export interface BlockCipher {
  /** The names of its mechanisms are this, an underscore and the mode. */
  readonly name: string
  readonly keyTypes: readonly number[]
  readonly keySize: readonly [number, number]
  /** Bytes of a block. */
  readonly block: 8 | 16
  /** The value of a key; throws KEY_TYPE_INCONSISTENT and KEY_SIZE_RANGE. */
  readonly value: (key: CryptokiObject) => Uint8Array
  /** OpenSSL's cipher in its mode ECB, CBC, CTR, OFB, CFB, CFB1 or CFB8. */
  cipher(key: Uint8Array, mode: string, mechanism: MechanismArgument): CipherChoice
  /** Its modes, with the section of each. */
  readonly modes: Readonly<Partial<Record<Mode, string>>>
  /** The parameters that are not those of most ciphers: a structure has `iv` or `macLength`. */
  readonly parameters?: Readonly<Partial<Record<Mode, Mechanism['parameter']>>>
  /** false: it does not wrap keys. */
  readonly wraps?: false
  readonly standing?: (mode: Mode) => Mechanism['standing']
}

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** The initialization vector: the parameter itself, or a field of it. */
const ivOf = (mechanism: MechanismArgument, length: number): Uint8Array =>
  mechanism.parameter instanceof Uint8Array || mechanism.parameter === null
    ? plainBytes(mechanism, length)
    : bytesIn(mechanism, 'iv')

/** An operation that begins. */
interface Beginning {
  readonly cipher: BlockCipher
  readonly key: Uint8Array
  readonly mechanism: MechanismArgument
  readonly direction: Direction
}

function begin(what: Beginning, mode: string, iv: Uint8Array | null, padding = 0): CipherStream {
  const { cipher, key, mechanism, direction } = what
  const { options, ...choice } = cipher.cipher(key, mode, mechanism)
  const isBlocks = mode === 'ECB' || mode === 'CBC'
  if (isBlocks && padding === 0 && options === undefined)
    return blockStream({ ...choice, direction, iv })
  const padded = isBlocks ? { padding } : {}
  return cipherStream({ ...choice, direction, iv, options: { ...options, ...padded } })
}

const withIv = (what: Beginning, mode: string, padding?: number): CipherStream =>
  begin(what, mode, ivOf(what.mechanism, what.cipher.block), padding)

const whole = (what: Beginning, stream: CipherStream): Cipher =>
  new WholeBlockCipher({ stream, direction: what.direction, block: what.cipher.block })

function padded(what: Beginning): Cipher {
  const { direction, cipher } = what
  const blocks = { stream: withIv(what, 'CBC', 1), direction, block: cipher.block }
  return direction === 'encrypt' ? new PaddedEncryption(blocks) : new PaddedDecryption(blocks)
}

/** CK_AES_CTR_PARAMS, CK_CAMELLIA_CTR_PARAMS. 6.11.2, 6.47.7. */
function counter(what: Beginning): Cipher {
  const { block } = what.cipher
  const bits = numberIn(what.mechanism, 'counterBits')
  const first = bytesIn(what.mechanism, 'cb')
  if (!Number.isInteger(bits) || bits < 1 || bits > block * 8)
    throw invalid(`a counter has 1 to ${block * 8} bits`)
  if (first.length !== block) throw invalid(`a counter block has ${block} bytes`)
  return new KeystreamCipher(begin(what, 'CTR', first), blocksLeft(first, bits) * BigInt(block))
}

const keystream = (mode: string): CipherMode => ({
  parameter: 'bytes',
  make: (what) => new KeystreamCipher(withIv(what, mode)),
})

interface CipherMode {
  readonly parameter?: Mechanism['parameter']
  /** Keys to be wrapped are filled up to whole blocks. */
  readonly filled?: true
  make(what: Beginning): Cipher
}

const ciphers = {
  ECB: { filled: true, make: (what) => whole(what, begin(what, 'ECB', null)) },
  CBC: { parameter: 'bytes', filled: true, make: (what) => whole(what, withIv(what, 'CBC')) },
  CBC_PAD: { parameter: 'bytes', make: padded },
  CTR: { make: counter },
  OFB: keystream('OFB'),
  OFB64: keystream('OFB'),
  OFB8: {
    parameter: 'bytes',
    make: (what) => new KeystreamCipher(ofb8(withIv({ ...what, direction: 'encrypt' }, 'CFB8'))),
  },
  CFB1: keystream('CFB1'),
  CFB8: keystream('CFB8'),
  /** As many bits as a block has. */
  CFB64: keystream('CFB'),
  CFB128: keystream('CFB'),
} as const satisfies Record<string, CipherMode>

interface MacMode {
  readonly parameter?: Mechanism['parameter']
  readonly mac: (cipher: CipherChoice & { readonly block: number }) => Mac
  /** Bytes of the MAC, given those of a block. */
  length(mechanism: MechanismArgument, block: number): number
}

/** CK_MAC_GENERAL_PARAMS. A MAC of no bytes, which the historical ciphers might have, would be anybody's. */
const asked: MacMode['length'] = (mechanism, block) => lengthAsked(mechanism, 1, block)

const cbcMac: MacMode['mac'] = (cipher) => CbcMac.begin(cipher)

const macs = {
  MAC: { mac: cbcMac, length: (_, block) => block / 2 },
  MAC_GENERAL: { parameter: 'bytes', mac: cbcMac, length: asked },
  CMAC: { mac: cmac, length: (_, block) => block },
  CMAC_GENERAL: { parameter: 'bytes', mac: cmac, length: asked },
} as const satisfies Record<string, MacMode>

interface Derivation {
  readonly parameter?: Mechanism['parameter']
  make(what: Beginning): CipherStream
}

/** What the ciphertext of data is taken for as a key. 6.17. */
const derivations = {
  ECB_ENCRYPT_DATA: {
    parameter: 'CK_KEY_DERIVATION_STRING_DATA',
    make: (what) => begin(what, 'ECB', null),
  },
  CBC_ENCRYPT_DATA: { make: (what) => withIv(what, 'CBC') },
} as const satisfies Record<string, Derivation>

/** The key is the start of the ciphertext, which must be long enough for it. 6.17.3. */
function derive(what: Beginning, { make }: Derivation, { template }: Derive): Made {
  const data = bytesIn(what.mechanism, 'data')
  if (data.length === 0 || data.length % what.cipher.block !== 0)
    throw invalid('the data are not whole blocks, one or more')
  if (data.length > LONGEST_SECRET) throw invalid(`more than ${LONGEST_SECRET} bytes of data`)
  const length = derivedLength(template, { most: LONGEST_SECRET, usual: data.length })
  if (length > data.length)
    throw new CryptokiError(CKR.DATA_LEN_RANGE, 'the data are too short for such a key')
  return derivedFrom(template, make(what).update(data))
}

type Told = Pick<
  Mechanism,
  'type' | 'name' | 'section' | 'keyTypes' | 'keySize' | 'standing' | 'parameter'
>

function told(
  cipher: BlockCipher,
  mode: Mode,
  section: string,
  usual: Mechanism['parameter'],
): Told {
  const { name, keyTypes, keySize } = cipher
  const parameter = cipher.parameters?.[mode] ?? usual
  const standing = cipher.standing?.(mode)
  return {
    ...numbered(`${name}_${mode}`),
    section,
    keyTypes,
    keySize,
    ...(parameter && { parameter }),
    ...(standing && { standing }),
  }
}

function cipherModeRow(
  cipher: BlockCipher,
  mode: keyof typeof ciphers,
  section: string,
): Mechanism {
  const { parameter, filled, make }: CipherMode = ciphers[mode]
  const maker =
    (direction: Direction): CipherRow['encrypt'] =>
    (key, mechanism) =>
      make({ cipher, key, mechanism, direction })
  return cipherRow({
    ...told(cipher, mode, section, parameter),
    value: cipher.value,
    encrypt: maker('encrypt'),
    decrypt: maker('decrypt'),
    filledTo: filled && cipher.block,
    wraps: cipher.wraps,
  })
}

function macModeRow(cipher: BlockCipher, mode: keyof typeof macs, section: string): Mechanism {
  const { parameter, mac, length }: MacMode = macs[mode]
  const { block } = cipher
  return {
    ...told(cipher, mode, section, parameter),
    ...signingWith(({ key, mechanism }) => ({
      mac: mac({ ...cipher.cipher(cipher.value(key), 'CBC', mechanism), block }),
      length: length(mechanism, block),
    })),
  }
}

function derivationRow(
  cipher: BlockCipher,
  mode: keyof typeof derivations,
  section: string,
): Mechanism {
  const derivation: Derivation = derivations[mode]
  return {
    ...told(cipher, mode, section, derivation.parameter),
    derive: (base, make) => {
      const key = cipher.value(base)
      const what = { cipher, key, mechanism: make.mechanism, direction: 'encrypt' } as const
      return derive(what, derivation, make)
    },
  }
}

const isIn = <T extends object>(mode: string, modes: T): mode is Extract<keyof T, string> =>
  mode in modes

/** The rows of all modes that a cipher has. */
export const blockCipherRows = (cipher: BlockCipher): Mechanism[] =>
  Object.entries(cipher.modes).map(([mode, section]) => {
    if (isIn(mode, ciphers)) return cipherModeRow(cipher, mode, section)
    if (isIn(mode, macs)) return macModeRow(cipher, mode, section)
    if (isIn(mode, derivations)) return derivationRow(cipher, mode, section)
    throw new TypeError(`there is no mode ${mode}`)
  })
