/** ARIA (RFC 5794). PKCS #11 3.2, 6.49 and 6.50. */
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

const name = (key: Uint8Array, mode: string) => `ARIA-${key.length * 8}-${mode}`

const keys: CipherKeys = {
  name: 'ARIA',
  length: (bytes) => bytes === 16 || bytes === 24 || bytes === 32,
  checksum: zerosEncrypted((key) => name(key, 'ECB'), 16),
}

const cipher: BlockCipher = {
  name: 'ARIA',
  keyTypes: [CKK.ARIA],
  keySize: [16, 32],
  block: 16,
  value: keyValue([CKK.ARIA], fitting(keys)),
  cipher: (key, mode) => ({ name: name(key, mode), key }),
  modes: {
    ECB: '6.49.4',
    CBC: '6.49.5',
    CBC_PAD: '6.49.6',
    MAC_GENERAL: '6.49.7',
    MAC: '6.49.8',
    ECB_ENCRYPT_DATA: '6.49',
    CBC_ENCRYPT_DATA: '6.49',
  },
  parameters: { CBC_ENCRYPT_DATA: 'CK_ARIA_CBC_ENCRYPT_DATA_PARAMS' },
}

export const ariaKeyType = cipherKeyType(keys)

export const aria: readonly Mechanism[] = [
  keyGeneration(keys, { section: '6.49.3', keySize: cipher.keySize }),
  ...blockCipherRows(cipher),
]
