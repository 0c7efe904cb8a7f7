/** SEED (RFC 4269). PKCS #11 3.2, 6.51 and 6.52. */
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

const keys: CipherKeys = {
  name: 'SEED',
  length: 16,
  checksum: zerosEncrypted(() => 'SEED-ECB', 16),
}

const cipher: BlockCipher = {
  name: 'SEED',
  keyTypes: [CKK.SEED],
  keySize: [16, 16],
  block: 16,
  value: keyValue([CKK.SEED], fitting(keys)),
  cipher: (key, mode) => ({ name: `SEED-${mode}`, key }),
  modes: {
    ECB: '6.51.4',
    CBC: '6.51.5',
    CBC_PAD: '6.51.6',
    MAC_GENERAL: '6.51.7',
    MAC: '6.51.8',
    ECB_ENCRYPT_DATA: '6.51',
    CBC_ENCRYPT_DATA: '6.51',
  },
  parameters: { CBC_ENCRYPT_DATA: 'CK_SEED_CBC_ENCRYPT_DATA_PARAMS' },
}

export const seedKeyType = cipherKeyType(keys)

export const seed: readonly Mechanism[] = [
  keyGeneration(keys, { section: '6.51.3', keySize: cipher.keySize }),
  ...blockCipherRows(cipher),
]
