/** Vectors of ciphers: C_Encrypt and C_Decrypt, whole and in parts. */
import assert from 'node:assert/strict'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKK, type CKM } from '../../src/standard/constants.ts'
import { hex } from '../mechanisms/rows.ts'
import { mechanism, type ReturnValue, refused, secretKey } from './vector-token.ts'
import { type VectorCase, type VectorFile, type VectorRow, vectorFile } from './wycheproof.ts'

interface CipherCase extends VectorCase {
  readonly key: string
  readonly iv: string
  readonly msg: string
  readonly ct: string
  /** Only of ciphers that authenticate. */
  readonly aad?: string
  readonly tag?: string
}

interface CipherGroup {
  /** Bits. */
  readonly tagSize: number
}

interface CipherFile extends Pick<VectorRow<CipherGroup, CipherCase>, 'file' | 'inapplicable'> {
  readonly mechanism: keyof typeof CKM
  readonly keyType: number
  readonly parameter: (one: CipherCase, group: CipherGroup) => MechanismArgument['parameter']
  /** Return values that refuse a case whose flags name none of `refusals`. */
  readonly refusal: readonly ReturnValue[]
  readonly refusals?: Readonly<Record<string, readonly ReturnValue[]>>
  /** Why a case cannot apply. */
  readonly left?: (one: CipherCase) => string | undefined
}

const cipherFile = (row: CipherFile): VectorFile =>
  vectorFile<CipherGroup, CipherCase>({
    file: row.file,
    mechanisms: [row.mechanism],
    inapplicable: row.inapplicable ?? [],
    check: async (token, one, group) => {
      const inapplicable = row.left?.(one)
      if (inapplicable !== undefined) return { inapplicable }
      const how = mechanism(row.mechanism, row.parameter(one, group))
      const key = await token.key(secretKey(row.keyType, hex(one.key)))
      const encrypted = one.ct + (one.tag ?? '')
      if (one.result === 'invalid') {
        const flag = one.flags?.find((name) => row.refusals?.[name])
        const names = row.refusals?.[flag ?? ''] ?? row.refusal
        await refused(token.decrypt(how, key, hex(encrypted)), ...names)
        await refused(token.decryptInParts(how, key, hex(encrypted)), ...names)
        return undefined
      }
      assert.equal(await token.encrypt(how, key, hex(one.msg)), encrypted)
      assert.equal(await token.encryptInParts(how, key, hex(one.msg)), encrypted)
      assert.equal(await token.decrypt(how, key, hex(encrypted)), one.msg)
      assert.equal(await token.decryptInParts(how, key, hex(encrypted)), one.msg)
      return undefined
    },
  })

const BAD_PARAMETER: readonly ReturnValue[] = ['MECHANISM_PARAM_INVALID']
const BAD_TAG: readonly ReturnValue[] = ['ENCRYPTED_DATA_INVALID', 'AEAD_DECRYPT_FAILED']

/** PKCS #7 padding; ciphertexts without any have no length that fits. */
const padded = {
  parameter: ({ iv }: CipherCase) => hex(iv),
  refusal: ['ENCRYPTED_DATA_INVALID'],
  refusals: { NoPadding: ['ENCRYPTED_DATA_LEN_RANGE'] },
} as const

const XCHACHA = 'a nonce of 192 bits: CKM_CHACHA20_POLY1305 takes it, as XChaCha20 has it'
const XTS_192 = 'a key of 384 bits: CKK_AES_XTS has 256 and 512 (PKCS #11 3.2, 6.15)'

export const ciphers: readonly VectorFile[] = [
  cipherFile({
    ...padded,
    file: 'aes_cbc_pkcs5',
    mechanism: 'AES_CBC_PAD',
    keyType: CKK.AES,
  }),
  cipherFile({
    ...padded,
    file: 'camellia_cbc_pkcs5',
    mechanism: 'CAMELLIA_CBC_PAD',
    keyType: CKK.CAMELLIA,
  }),
  cipherFile({
    file: 'aes_gcm',
    mechanism: 'AES_GCM',
    keyType: CKK.AES,
    parameter: ({ iv, aad = '' }, { tagSize }) => ({
      iv: hex(iv),
      ivBits: iv.length * 4,
      aad: hex(aad),
      tagBits: tagSize,
    }),
    refusal: BAD_TAG,
    refusals: { ZeroLengthIv: BAD_PARAMETER },
  }),
  cipherFile({
    file: 'aes_ccm',
    mechanism: 'AES_CCM',
    keyType: CKK.AES,
    parameter: ({ iv, aad = '', ct }, { tagSize }) => ({
      dataLen: ct.length / 2,
      nonce: hex(iv),
      aad: hex(aad),
      macLen: tagSize / 8,
    }),
    refusal: BAD_TAG,
    refusals: {
      InvalidNonceSize: BAD_PARAMETER,
      InvalidTagSize: BAD_PARAMETER,
      InsecureTagSize: BAD_PARAMETER,
    },
  }),
  cipherFile({
    file: 'chacha20_poly1305',
    mechanism: 'CHACHA20_POLY1305',
    keyType: CKK.CHACHA20,
    parameter: ({ iv, aad = '' }) => ({
      nonce: hex(iv),
      nonceLen: iv.length * 4,
      aad: hex(aad),
    }),
    refusal: BAD_TAG,
    refusals: { InvalidNonceSize: BAD_PARAMETER },
    inapplicable: [XCHACHA],
    left: ({ iv }) => (iv.length === 48 ? XCHACHA : undefined),
  }),
  cipherFile({
    file: 'aes_xts',
    mechanism: 'AES_XTS',
    keyType: CKK.AES_XTS,
    // The number of the data unit is little-endian: zeros behind it make it 16 bytes.
    parameter: ({ iv }) => hex(iv.padEnd(32, '0')),
    refusal: [],
    inapplicable: [XTS_192],
    left: ({ key }) => (key.length === 96 ? XTS_192 : undefined),
  }),
]
