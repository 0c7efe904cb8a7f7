/** Camellia (RFC 3713). PKCS #11 3.2, 6.47 and 6.48. */
import { CKK } from '../standard/constants.ts'
import { type BlockCipher, blockCipherRows } from './block-ciphers.ts'
import {
  type CipherKeys,
  cipherKeyType,
  fitting,
  keyGeneration,
  zerosEncrypted,
} from './cipher-keys.ts'
import { keyValue } from './cipher-rows.ts'
import type { Mechanism } from './mechanism.ts'

const name = (key: Uint8Array, mode: string) => `CAMELLIA-${key.length * 8}-${mode}`

const keys: CipherKeys = {
  name: 'CAMELLIA',
  length: (bytes) => bytes === 16 || bytes === 24 || bytes === 32,
  checksum: zerosEncrypted((key) => name(key, 'ECB'), 16),
}

const cipher: BlockCipher = {
  name: 'CAMELLIA',
  keyTypes: [CKK.CAMELLIA],
  keySize: [16, 32],
  block: 16,
  value: keyValue([CKK.CAMELLIA], fitting(keys)),
  cipher: (key, mode) => ({ name: name(key, mode), key }),
  modes: {
    ECB: '6.47.4',
    CBC: '6.47.5',
    CBC_PAD: '6.47.6',
    CTR: '6.47.7',
    MAC_GENERAL: '6.47.8',
    MAC: '6.47.9',
    ECB_ENCRYPT_DATA: '6.47',
    CBC_ENCRYPT_DATA: '6.47',
  },
  parameters: {
    CTR: 'CK_CAMELLIA_CTR_PARAMS',
    CBC_ENCRYPT_DATA: 'CK_CAMELLIA_CBC_ENCRYPT_DATA_PARAMS',
  },
}

export const camelliaKeyType = cipherKeyType(keys)

export const camellia: readonly Mechanism[] = [
  keyGeneration(keys, { section: '6.47.3', keySize: cipher.keySize }),
  ...blockCipherRows(cipher),
]
