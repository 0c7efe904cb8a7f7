/**
 * AES: keys, the modes of block ciphers, ciphertext stealing, GCM, CCM, key wrap and MACs. PKCS #11
 * 3.2, 6.10 (AES), 6.11 (CTR), 6.12 (CTS), 6.13 (GCM, CCM, GMAC), 6.14 (CMAC), 6.16 (key wrap), 6.17
 * (derivation).
 */
import { aesGmac, aesXcbcMac, LONGEST_GMAC_IV } from '../engine/block-macs.ts'
import { type Ccm, ccmLongest } from '../engine/ccm.ts'
import { AES_BLOCK, aesBlock, SEMIBLOCK } from '../engine/ciphers.ts'
import type { Gcm } from '../engine/gcm.ts'
import { CKK, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import {
  ccmDecrypting,
  ccmEncrypting,
  gcmDecrypting,
  gcmEncrypting,
  KeyWrapDecryption,
  KeyWrapEncryption,
  type KeyWrapping,
  PaddedKeyWrapDecryption,
  PaddedKeyWrapEncryption,
} from './aes-ciphers.ts'
import { type BlockCipher, blockCipherRows, type Mode } from './block-ciphers.ts'
import { StealingCipher } from './block-modes.ts'
import { type CipherKeys, cipherKeyType, fitting, keyGeneration } from './cipher-keys.ts'
import { type CipherRow, cipherRow, keyValue, numbered } from './cipher-rows.ts'
import { type Begun, signingWith } from './macs.ts'
import type { Begin, Mechanism, MechanismArgument } from './mechanism.ts'
import { bytesIn, numberIn, optionalBytes, plainBytes } from './parameter.ts'

/** CKA_CHECK_VALUE: a block of zeros encrypted in ECB (6.10.2). */
const keys: CipherKeys = {
  name: 'AES',
  length: (bytes) => bytes === 16 || bytes === 24 || bytes === 32,
  checksum: (value) => aesBlock(value, new Uint8Array(AES_BLOCK)),
}

export const aesKeyType = cipherKeyType(keys)

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** The modes that SP 800-38A and B have. */
const APPROVED: ReadonlySet<Mode> = new Set<Mode>([
  'ECB',
  'CBC',
  'CBC_PAD',
  'CTR',
  'OFB',
  'CFB1',
  'CFB8',
  'CFB128',
  'CMAC',
  'CMAC_GENERAL',
])

/** CFB64 is not there: OpenSSL feeds back 1, 8 or 128 bits. */
const cipher: BlockCipher = {
  name: 'AES',
  keyTypes: [CKK.AES],
  keySize: [16, 32],
  block: AES_BLOCK,
  value: keyValue([CKK.AES], fitting(keys)),
  cipher: (key, mode) => ({ name: `AES-${key.length * 8}-${mode}`, key }),
  standing: (mode) => (APPROVED.has(mode) ? 'approved' : undefined),
  modes: {
    ECB: '6.10.4',
    CBC: '6.10.5',
    CBC_PAD: '6.10.6',
    OFB: '6.10.7',
    CFB1: '6.10.8',
    CFB8: '6.10.8',
    CFB128: '6.10.8',
    CTR: '6.11.3',
    MAC_GENERAL: '6.10.9',
    MAC: '6.10.10',
    CMAC_GENERAL: '6.14.3',
    CMAC: '6.14.4',
    ECB_ENCRYPT_DATA: '6.17.3',
    CBC_ENCRYPT_DATA: '6.17.3',
  },
  parameters: { CTR: 'CK_AES_CTR_PARAMS', CBC_ENCRYPT_DATA: 'CK_AES_CBC_ENCRYPT_DATA_PARAMS' },
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

/** The lengths of 6.13.7.5, in bytes. */
const CCM_TAGS: ReadonlySet<number> = new Set([4, 6, 8, 10, 12, 14, 16])
const CCM_NONCE = [7, 13] as const

/** CK_CCM_PARAMS. Where a key is wrapped, its own length counts, and ulDataLen is ignored (6.13.5). */
function ccmOf(mechanism: MechanismArgument, wrapped?: number): Ccm {
  const nonce = bytesIn(mechanism, 'nonce')
  const tagLength = numberIn(mechanism, 'macLen')
  const dataLength = wrapped ?? numberIn(mechanism, 'dataLen')
  const [shortest, longest] = CCM_NONCE
  if (nonce.length < shortest || nonce.length > longest)
    throw invalid(`a CCM nonce has ${shortest} to ${longest} bytes`)
  if (!CCM_TAGS.has(tagLength)) throw invalid(`no CCM tag has ${tagLength} bytes`)
  if (dataLength > ccmLongest(nonce.length))
    throw invalid(`with this nonce CCM takes at most ${ccmLongest(nonce.length)} bytes`)
  return { nonce, aad: bytesIn(mechanism, 'aad'), tagLength, dataLength }
}

/** An unwrapped key is as long as what wraps it without the tag. */
function ccmUnwrapping(mechanism: MechanismArgument, wrapped?: number): Ccm {
  if (wrapped === undefined) return ccmOf(mechanism)
  return ccmOf(mechanism, Math.max(0, wrapped - numberIn(mechanism, 'macLen')))
}

/** An optional IV of 8 bytes for KW, 4 for KWP. 6.16.2. */
const wrapping = (mechanism: MechanismArgument, padded: boolean): KeyWrapping => ({
  padded,
  iv: optionalBytes(mechanism, padded ? SEMIBLOCK / 2 : SEMIBLOCK),
})

const ivOf = (mechanism: MechanismArgument) => plainBytes(mechanism, AES_BLOCK)

type Row = Omit<CipherRow, 'keyTypes' | 'keySize' | 'value'>

/** KW with PKCS #7 padding has two names: 6.16.3.2 leaves the older one undefined, and 2.40 has this. */
const paddedWrap = (name: string, section: string): Row => ({
  name,
  section,
  parameter: 'bytes',
  parameterOptional: true,
  encrypt: (key, mechanism) =>
    new PaddedKeyWrapEncryption(key, optionalBytes(mechanism, SEMIBLOCK)),
  decrypt: (key, mechanism) =>
    new PaddedKeyWrapDecryption(key, optionalBytes(mechanism, SEMIBLOCK)),
})

const further: readonly Row[] = [
  {
    name: 'AES_CTS',
    section: '6.12.2',
    standing: 'approved',
    parameter: 'bytes',
    encrypt: (key, mechanism) => new StealingCipher(key, 'encrypt', ivOf(mechanism)),
    decrypt: (key, mechanism) => new StealingCipher(key, 'decrypt', ivOf(mechanism)),
  },
  {
    // C_WrapKey and C_UnwrapKey take the parameter of encryption, CK_GCM_PARAMS, and for CCM
    // CK_CCM_PARAMS, as they had it before 3.2 brought structures of their own (6.13.3, 6.13.5).
    name: 'AES_GCM',
    section: '6.13.2',
    standing: 'approved',
    parameter: 'CK_GCM_PARAMS',
    encrypt: (key, mechanism) => gcmEncrypting(key, gcmOf(mechanism)),
    decrypt: (key, mechanism) => gcmDecrypting(key, gcmOf(mechanism)),
  },
  {
    name: 'AES_CCM',
    section: '6.13.4',
    standing: 'approved',
    parameter: 'CK_CCM_PARAMS',
    encrypt: (key, mechanism, whole) => ccmEncrypting(key, ccmOf(mechanism, whole)),
    decrypt: (key, mechanism, whole) => ccmDecrypting(key, ccmUnwrapping(mechanism, whole)),
  },
  {
    name: 'AES_KEY_WRAP',
    section: '6.16.3.1',
    standing: 'approved',
    parameter: 'bytes',
    parameterOptional: true,
    encrypt: (key, mechanism) => new KeyWrapEncryption(key, wrapping(mechanism, false)),
    decrypt: (key, mechanism) => new KeyWrapDecryption(key, wrapping(mechanism, false)),
    filledTo: SEMIBLOCK,
  },
  paddedWrap('AES_KEY_WRAP_PAD', '6.16.3.2'),
  {
    name: 'AES_KEY_WRAP_KWP',
    section: '6.16.3.3',
    standing: 'approved',
    parameter: 'bytes',
    parameterOptional: true,
    encrypt: (key, mechanism) => new KeyWrapEncryption(key, wrapping(mechanism, true)),
    decrypt: (key, mechanism) => new KeyWrapDecryption(key, wrapping(mechanism, true)),
  },
  paddedWrap('AES_KEY_WRAP_PKCS7', '6.16.3.4'),
]

const { keyTypes, keySize, value } = cipher

const macRow = (
  row: Pick<Mechanism, 'section' | 'standing' | 'parameter'> & {
    readonly name: string
    readonly keySize?: Mechanism['keySize']
  },
  begin: (what: Begin) => Begun,
): Mechanism => ({ keySize, ...row, ...numbered(row.name), keyTypes, ...signingWith(begin) })

/** RFC 3566 is for keys of 128 bits, and says nothing of others. */
const XCBC_KEY = 16
const xcbcValue = keyValue([CKK.AES], (bytes) => bytes === XCBC_KEY)

const xcbc = (name: string, section: string, length: number): Mechanism =>
  macRow({ name, section, keySize: [XCBC_KEY, XCBC_KEY] }, ({ key }) => ({
    mac: aesXcbcMac(xcbcValue(key)),
    length,
  }))

/** CK_GCM_PARAMS, whose additional data are the message: there are none in the parameter. 6.13.6. */
const gmac = macRow(
  { name: 'AES_GMAC', section: '6.13.6', standing: 'approved', parameter: 'CK_GCM_PARAMS' },
  ({ key, mechanism }) => {
    const { iv, aad, tagLength } = gcmOf(mechanism)
    if (aad.length > 0) throw invalid('the data that GMAC authenticates are those of C_Sign')
    if (iv.length > LONGEST_GMAC_IV) throw invalid(`an IV has at most ${LONGEST_GMAC_IV} bytes`)
    return { mac: aesGmac(value(key), iv), length: tagLength }
  },
)

export const aes: readonly Mechanism[] = [
  keyGeneration(keys, { section: '6.10.3', keySize, standing: 'approved' }),
  ...blockCipherRows(cipher),
  ...further.map((row) => cipherRow({ ...row, keyTypes, keySize, value })),
  xcbc('AES_XCBC_MAC', '6.10.11', 16),
  xcbc('AES_XCBC_MAC_96', '6.10.12', 12),
  gmac,
]
