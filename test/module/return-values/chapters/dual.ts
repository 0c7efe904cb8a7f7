/** Dual-function cryptographic functions. 5.17. */
import type { Chapter, Step, Unlisted } from '../cases.ts'
import { encrypted } from '../objects.ts'
import { CBC_PAD, HMAC, RSA, TOO_LONG_FOR_RSA, WRAPPING_COUNTER } from './mechanisms.ts'

const PLAIN = Buffer.alloc(20, 1)
const ENCRYPTED = encrypted(PLAIN)

const step = (
  call: 'C_EncryptInit' | 'C_DecryptInit' | 'C_SignInit' | 'C_VerifyInit',
  mechanism: typeof RSA,
  key: string,
): Step => ({ call, with: { mechanism, key } })

const encrypting = step('C_EncryptInit', CBC_PAD, 'aes')
const decrypting = step('C_DecryptInit', CBC_PAD, 'aes')
const signing = step('C_SignInit', HMAC, 'generic')
const verifying = step('C_VerifyInit', HMAC, 'generic')
const encryptingShortly = step('C_EncryptInit', RSA, 'rsaPublic')
const decryptingShortly = step('C_DecryptInit', RSA, 'rsaPrivate')

const decryptingWithLogin = step('C_DecryptInit', RSA, 'alwaysAuthenticated')

const awaitingLogin: Unlisted = {
  rv: 'USER_NOT_LOGGED_IN',
  why: 'a key with CKA_ALWAYS_AUTHENTICATE may not be used before a login of its own (4.10)',
}

export const dual: Chapter = {
  C_DigestEncryptUpdate: {
    first: ['C_DigestInit', encrypting],
    with: { part: PLAIN },
    cases: [
      {
        rv: 'DATA_LEN_RANGE',
        first: ['C_DigestInit', encryptingShortly],
        with: { part: TOO_LONG_FOR_RSA },
      },
    ],
  },
  C_DecryptDigestUpdate: {
    first: ['C_DigestInit', decrypting],
    with: { encryptedPart: ENCRYPTED },
    cases: [
      {
        rv: 'ENCRYPTED_DATA_LEN_RANGE',
        first: ['C_DigestInit', decryptingShortly],
        with: { encryptedPart: TOO_LONG_FOR_RSA },
      },
    ],
    unlisted: [
      { ...awaitingLogin, first: ['C_DigestInit', decryptingWithLogin] },
      {
        rv: 'DATA_LEN_RANGE',
        first: [
          'C_DigestInit',
          { call: 'C_DecryptInit', with: { mechanism: WRAPPING_COUNTER, key: 'aes' } },
        ],
        why: '6.11.3 has it for data that would make the counter wrap, in both directions',
      },
    ],
  },
  C_SignEncryptUpdate: {
    first: [signing, encrypting],
    with: { part: PLAIN },
    cases: [
      {
        rv: 'DATA_LEN_RANGE',
        first: [signing, encryptingShortly],
        with: { part: TOO_LONG_FOR_RSA },
      },
      {
        rv: 'USER_NOT_LOGGED_IN',
        first: [step('C_SignInit', RSA, 'alwaysAuthenticated'), encrypting],
      },
    ],
  },
  C_DecryptVerifyUpdate: {
    first: [verifying, decrypting],
    with: { encryptedPart: ENCRYPTED },
    cases: [
      {
        // What is decrypted is too long for the other operation.
        rv: 'DATA_LEN_RANGE',
        first: [step('C_VerifyInit', RSA, 'rsaPublic'), decrypting],
        with: { encryptedPart: encrypted(TOO_LONG_FOR_RSA) },
      },
      {
        rv: 'ENCRYPTED_DATA_LEN_RANGE',
        first: [verifying, decryptingShortly],
        with: { encryptedPart: TOO_LONG_FOR_RSA },
      },
    ],
    unlisted: [{ ...awaitingLogin, first: [verifying, decryptingWithLogin] }],
  },
}
