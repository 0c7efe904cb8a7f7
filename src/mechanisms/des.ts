/**
 * DES with keys of one, two and three lengths. PKCS #11 3.2, 6.17 (derivation), 6.18 and 6.19 (CMAC);
 * historical mechanisms, 2.7 (single DES). Single DES is broken, and its modes that stand for all
 * three under its name are obsolete; triple DES is slow and has small blocks, but is still in use.
 */
import { CKK } from '../standard/constants.ts'
import { type BlockCipher, blockCipherRows, type CipherChoice } from './block-ciphers.ts'
import {
  type CipherKeys,
  cipherKeyType,
  fitting,
  keyGeneration,
  zerosEncrypted,
} from './cipher-keys.ts'
import { keyValue } from './cipher-rows.ts'
import { hasParity, setParity } from './des-parity.ts'
import type { Mechanism } from './mechanism.ts'

/** Bytes of the key of one DES, and of its block. */
const DES = 8

/** 6.18.4: two keys are three, of which the last is the first. */
const three = (value: Uint8Array): Uint8Array =>
  value.length === 2 * DES ? Uint8Array.of(...value, ...value.subarray(0, DES)) : value

const choose = (value: Uint8Array, mode: string): CipherChoice => ({
  name: value.length === DES ? `DES-${mode}` : `DES-EDE3-${mode}`,
  key: three(value),
})

const keysOf = (name: 'DES' | 'DES2' | 'DES3', length: number): CipherKeys => ({
  name,
  length,
  checksum: zerosEncrypted((value) => choose(value, 'ECB').name, DES, three),
  wrong: (value) => (hasParity(value) ? undefined : 'the parity of a DES key is odd'),
  correct: setParity,
})

const single = keysOf('DES', DES)
const double = keysOf('DES2', 2 * DES)
const triple = keysOf('DES3', 3 * DES)

export const desKeyTypes = [single, double, triple].map(cipherKeyType)

/** C_GetMechanismInfo tells no sizes of DES keys (6.19.3; historical mechanisms, 2.7.9). */
const NO_SIZE = [0, 0] as const

const cipher = (
  row: Pick<BlockCipher, 'name' | 'keyTypes' | 'modes' | 'parameters' | 'standing' | 'wraps'>,
): BlockCipher => ({
  ...row,
  keySize: NO_SIZE,
  block: DES,
  value: keyValue(row.keyTypes, (bytes) =>
    [single, double, triple].some(
      (keys) => row.keyTypes.includes(CKK[keys.name]) && fitting(keys)(bytes),
    ),
  ),
  cipher: choose,
})

const CBC_DATA = { CBC_ENCRYPT_DATA: 'CK_DES_CBC_ENCRYPT_DATA_PARAMS' } as const

const ciphers: readonly BlockCipher[] = [
  cipher({
    name: 'DES3',
    keyTypes: [CKK.DES3, CKK.DES2],
    modes: {
      ECB: '6.18.5',
      CBC: '6.18.6',
      CBC_PAD: '6.18.6',
      MAC_GENERAL: '6.18',
      MAC: '6.18',
      CMAC_GENERAL: '6.19.3',
      CMAC: '6.19.4',
      ECB_ENCRYPT_DATA: '6.17.3',
      CBC_ENCRYPT_DATA: '6.17.3',
    },
    parameters: CBC_DATA,
  }),
  cipher({
    name: 'DES',
    keyTypes: [CKK.DES],
    modes: {
      ECB: 'hist 2.7.10',
      CBC: 'hist 2.7.11',
      CBC_PAD: 'hist 2.7.12',
      MAC_GENERAL: 'hist 2.7.13',
      MAC: 'hist 2.7.14',
      ECB_ENCRYPT_DATA: '6.17.3',
      CBC_ENCRYPT_DATA: '6.17.3',
    },
    parameters: CBC_DATA,
    standing: () => 'legacy',
  }),
  cipher({
    name: 'DES',
    keyTypes: [CKK.DES, CKK.DES2, CKK.DES3],
    modes: { OFB64: '6.18.7', OFB8: '6.18.7', CFB64: '6.18.8', CFB8: '6.18.8' },
    standing: () => 'legacy',
    wraps: false,
  }),
]

export const des: readonly Mechanism[] = [
  keyGeneration(triple, { section: '6.18', keySize: NO_SIZE }),
  keyGeneration(double, { section: '6.18.4', keySize: NO_SIZE }),
  keyGeneration(single, { section: 'hist 2.7.9', keySize: NO_SIZE, standing: 'legacy' }),
  ...ciphers.flatMap(blockCipherRows),
]
