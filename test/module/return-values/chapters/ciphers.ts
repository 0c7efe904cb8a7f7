/** Encryption and decryption functions. 5.8, 5.10. */
import { CKM } from '../../../../src/standard/constants.ts'
import type { Chapter, Step, Unlisted } from '../cases.ts'
import { encrypted, IV } from '../objects.ts'
import {
  ABOVE_MODULUS,
  CBC,
  CBC_PAD,
  OAEP_TOO_LONG,
  RSA,
  RSA_RAW,
  TOO_LONG_FOR_RSA,
  WRAPPING_COUNTER,
} from './mechanisms.ts'

const ECB = { type: CKM.AES_ECB, parameter: null }

const FIVE_BYTES = Buffer.alloc(5)
const PLAIN = Buffer.alloc(20, 1)

/** A block of zeros, of which the last is no padding. */
const BADLY_PADDED = encrypted(IV, false)

const beginEncryption = (mechanism = CBC_PAD, key = 'aes'): Step => ({
  call: 'C_EncryptInit',
  with: { mechanism, key },
})
const beginDecryption = (mechanism = CBC_PAD, key = 'aes'): Step => ({
  call: 'C_DecryptInit',
  with: { mechanism, key },
})
const beginAwaitingLogin = [beginDecryption(RSA, 'alwaysAuthenticated')]

const decrypt = (part: Uint8Array): Step => ({
  call: 'C_DecryptUpdate',
  with: { encryptedPart: part },
})

const counterWraps: Unlisted = {
  rv: 'DATA_LEN_RANGE',
  first: [{ call: 'C_DecryptInit', with: { mechanism: WRAPPING_COUNTER, key: 'aes' } }],
  why: '6.11.3 has it for data that would make the counter wrap, in both directions',
}

export const ciphers: Chapter = {
  C_EncryptInit: {
    with: { mechanism: CBC_PAD, key: 'aes' },
    cases: [
      { rv: 'KEY_FUNCTION_NOT_PERMITTED', with: { key: 'unusedAes' } },
      { rv: 'KEY_SIZE_RANGE', with: { mechanism: OAEP_TOO_LONG, key: 'rsaPublic' } },
      { rv: 'KEY_TYPE_INCONSISTENT', with: { key: 'generic' } },
    ],
    unlisted: [
      {
        rv: 'ARGUMENTS_BAD',
        with: { mechanism: { words: '0' } },
        why: 'C_DecryptInit and all others that begin an operation list it',
      },
    ],
  },
  C_Encrypt: {
    first: [beginEncryption()],
    with: { data: PLAIN },
    cases: [
      {
        rv: 'DATA_INVALID',
        first: [beginEncryption(RSA_RAW, 'rsaPublic')],
        with: { data: ABOVE_MODULUS },
      },
      { rv: 'DATA_LEN_RANGE', first: [beginEncryption(ECB)], with: { data: FIVE_BYTES } },
    ],
  },
  C_EncryptUpdate: {
    first: [beginEncryption()],
    with: { part: PLAIN },
    cases: [
      {
        rv: 'DATA_LEN_RANGE',
        first: [beginEncryption(RSA, 'rsaPublic')],
        with: { part: TOO_LONG_FOR_RSA },
      },
    ],
  },
  C_EncryptFinal: {
    first: [beginEncryption(), 'C_EncryptUpdate'],
    cases: [{ rv: 'DATA_LEN_RANGE', first: [beginEncryption(CBC), 'C_EncryptUpdate'] }],
  },

  C_DecryptInit: {
    with: { mechanism: CBC_PAD, key: 'aes' },
    cases: [
      { rv: 'KEY_FUNCTION_NOT_PERMITTED', with: { key: 'unusedAes' } },
      { rv: 'KEY_SIZE_RANGE', with: { mechanism: OAEP_TOO_LONG, key: 'rsaPrivate' } },
      { rv: 'KEY_TYPE_INCONSISTENT', with: { key: 'generic' } },
    ],
  },
  C_Decrypt: {
    first: [beginDecryption()],
    with: { encryptedData: encrypted(PLAIN) },
    cases: [
      { rv: 'ENCRYPTED_DATA_INVALID', with: { encryptedData: BADLY_PADDED } },
      { rv: 'ENCRYPTED_DATA_LEN_RANGE', with: { encryptedData: FIVE_BYTES } },
      { rv: 'USER_NOT_LOGGED_IN', first: beginAwaitingLogin },
    ],
    unlisted: [{ ...counterWraps, with: { encryptedData: PLAIN } }],
  },
  C_DecryptUpdate: {
    first: [beginDecryption()],
    with: { encryptedPart: encrypted(PLAIN) },
    cases: [
      {
        rv: 'ENCRYPTED_DATA_LEN_RANGE',
        first: [beginDecryption(RSA, 'rsaPrivate')],
        with: { encryptedPart: TOO_LONG_FOR_RSA },
      },
      { rv: 'USER_NOT_LOGGED_IN', first: beginAwaitingLogin },
    ],
    unlisted: [{ ...counterWraps, with: { encryptedPart: PLAIN } }],
  },
  C_DecryptFinal: {
    first: [beginDecryption(), 'C_DecryptUpdate'],
    cases: [
      { rv: 'ENCRYPTED_DATA_INVALID', first: [beginDecryption(), decrypt(BADLY_PADDED)] },
      { rv: 'ENCRYPTED_DATA_LEN_RANGE', first: [beginDecryption(), decrypt(FIVE_BYTES)] },
      { rv: 'USER_NOT_LOGGED_IN', first: beginAwaitingLogin },
    ],
  },
}
