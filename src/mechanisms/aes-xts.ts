/** AES in XTS (SP 800-38E, IEEE 1619) with keys of its own. PKCS #11 3.2, 6.15. */
import { AES_BLOCK } from '../engine/ciphers.ts'
import { equalInConstantTime } from '../engine/macs.ts'
import { CKK } from '../standard/constants.ts'
import { DataUnitCipher } from './block-modes.ts'
import { type CipherKeys, cipherKeyType, fitting, keyGeneration } from './cipher-keys.ts'
import { cipherRow, keyValue } from './cipher-rows.ts'
import type { Mechanism } from './mechanism.ts'
import { plainBytes } from './parameter.ts'

/** FIPS 140-3, implementation guidance C.I: the two halves of a key must not be the same. */
function halvesEqual(value: Uint8Array): boolean {
  const half = value.length / 2
  return equalInConstantTime(value.subarray(0, half), value.subarray(half))
}

/** No CKA_CHECK_VALUE: 4.11 has a block in ECB, which a key of two keys does not tell. */
const keys: CipherKeys = {
  name: 'AES_XTS',
  length: (bytes) => bytes === 32 || bytes === 64,
  wrong: (value) => (halvesEqual(value) ? 'the halves of an XTS key must differ' : undefined),
}

const KEY_SIZE = [32, 64] as const

export const aesXtsKeyType = cipherKeyType(keys)

export const aesXts: readonly Mechanism[] = [
  keyGeneration(keys, { section: '6.15.3', keySize: KEY_SIZE, standing: 'approved' }),
  cipherRow({
    name: 'AES_XTS',
    section: '6.15.4',
    standing: 'approved',
    parameter: 'bytes',
    keyTypes: [CKK.AES_XTS],
    keySize: KEY_SIZE,
    value: keyValue([CKK.AES_XTS], fitting(keys)),
    encrypt: (key, mechanism) =>
      new DataUnitCipher(key, 'encrypt', plainBytes(mechanism, AES_BLOCK)),
    decrypt: (key, mechanism) =>
      new DataUnitCipher(key, 'decrypt', plainBytes(mechanism, AES_BLOCK)),
  }),
]
