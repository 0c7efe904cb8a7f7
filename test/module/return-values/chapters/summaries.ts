/** Message digesting, and functions for signing and verifying. 5.12, 5.13, 5.15. */
import type { FunctionName, MechanismArgument } from '../../../../src/standard/calls.ts'
import type { Chapter, Step } from '../cases.ts'
import { RECOVERABLE } from '../objects.ts'
import { ABOVE_MODULUS, ECDSA, HMAC, RSA, RSA_RAW, SHA256, TOO_LONG_FOR_RSA } from './mechanisms.ts'

const MESSAGE = Buffer.from('a message')

const begin =
  (call: FunctionName) =>
  (mechanism: MechanismArgument, key: string): Step[] => [{ call, with: { mechanism, key } }]
const beginSigning = begin('C_SignInit')
const beginVerifying = begin('C_VerifyInit')
const beginRecoverable = begin('C_SignRecoverInit')

const awaitingLogin = beginSigning(RSA, 'alwaysAuthenticated')

export const digesting: Chapter = {
  C_DigestInit: { with: { mechanism: SHA256 } },
  C_Digest: { first: ['C_DigestInit'], with: { data: MESSAGE } },
  C_DigestUpdate: { first: ['C_DigestInit'], with: { part: MESSAGE } },
  C_DigestKey: {
    first: ['C_DigestInit'],
    with: { key: 'generic' },
    cases: [{ rv: 'KEY_INDIGESTIBLE', with: { key: 'rsaPublic' } }],
  },
  C_DigestFinal: { first: ['C_DigestInit'] },
}

export const signing: Chapter = {
  C_SignInit: {
    with: { mechanism: HMAC, key: 'generic' },
    cases: [
      { rv: 'KEY_FUNCTION_NOT_PERMITTED', with: { key: 'unusedGeneric' } },
      { rv: 'KEY_TYPE_INCONSISTENT', with: { key: 'aes' } },
    ],
  },
  C_Sign: {
    first: ['C_SignInit'],
    with: { data: MESSAGE },
    cases: [
      {
        rv: 'DATA_INVALID',
        first: beginSigning(RSA_RAW, 'rsaPrivate'),
        with: { data: ABOVE_MODULUS },
      },
      {
        rv: 'DATA_LEN_RANGE',
        first: beginSigning(RSA, 'rsaPrivate'),
        with: { data: TOO_LONG_FOR_RSA },
      },
      { rv: 'USER_NOT_LOGGED_IN', first: awaitingLogin },
    ],
  },
  C_SignUpdate: {
    first: ['C_SignInit'],
    with: { part: MESSAGE },
    cases: [
      {
        rv: 'DATA_LEN_RANGE',
        first: beginSigning(RSA, 'rsaPrivate'),
        with: { part: TOO_LONG_FOR_RSA },
      },
      { rv: 'USER_NOT_LOGGED_IN', first: awaitingLogin },
    ],
  },
  C_SignFinal: {
    first: ['C_SignInit'],
    cases: [
      { rv: 'DATA_LEN_RANGE', first: beginSigning(ECDSA, 'ecPrivate') },
      { rv: 'USER_NOT_LOGGED_IN', first: awaitingLogin },
    ],
  },
  C_SignRecoverInit: {
    with: { mechanism: RSA, key: 'rsaPrivate' },
    cases: [
      { rv: 'KEY_FUNCTION_NOT_PERMITTED', with: { key: 'unusedRsaPrivate' } },
      { rv: 'KEY_TYPE_INCONSISTENT', with: { key: 'ecPrivate' } },
    ],
  },
  C_SignRecover: {
    first: ['C_SignRecoverInit'],
    with: { data: MESSAGE },
    cases: [
      {
        rv: 'DATA_INVALID',
        first: beginRecoverable(RSA_RAW, 'rsaPrivate'),
        with: { data: ABOVE_MODULUS },
      },
      { rv: 'DATA_LEN_RANGE', with: { data: TOO_LONG_FOR_RSA } },
      { rv: 'USER_NOT_LOGGED_IN', first: beginRecoverable(RSA, 'alwaysAuthenticated') },
    ],
  },
}

const signedWithHmac: Step[] = ['C_SignInit', 'C_Sign', 'C_VerifyInit']
const WRONG = Buffer.alloc(32)
const TOO_SHORT = Buffer.alloc(31)

export const verifying: Chapter = {
  C_VerifyInit: {
    with: { mechanism: HMAC, key: 'generic' },
    cases: [
      { rv: 'KEY_FUNCTION_NOT_PERMITTED', with: { key: 'unusedGeneric' } },
      { rv: 'KEY_TYPE_INCONSISTENT', with: { key: 'aes' } },
    ],
  },
  C_Verify: {
    first: signedWithHmac,
    with: { data: MESSAGE, signature: { from: 'C_Sign' } },
    cases: [
      {
        rv: 'DATA_INVALID',
        first: beginVerifying(RSA_RAW, 'rsaPublic'),
        with: { data: ABOVE_MODULUS, signature: Buffer.alloc(128) },
      },
      {
        rv: 'DATA_LEN_RANGE',
        first: beginVerifying(RSA, 'rsaPublic'),
        with: { data: TOO_LONG_FOR_RSA, signature: Buffer.alloc(128) },
      },
      { rv: 'SIGNATURE_INVALID', with: { signature: WRONG } },
      { rv: 'SIGNATURE_LEN_RANGE', with: { signature: TOO_SHORT } },
    ],
  },
  C_VerifyUpdate: {
    first: ['C_VerifyInit'],
    with: { part: MESSAGE },
    cases: [
      {
        rv: 'DATA_LEN_RANGE',
        first: beginVerifying(RSA, 'rsaPublic'),
        with: { part: TOO_LONG_FOR_RSA },
      },
    ],
  },
  C_VerifyFinal: {
    first: [...signedWithHmac, 'C_VerifyUpdate'],
    with: { signature: { from: 'C_Sign' } },
    cases: [
      {
        rv: 'DATA_LEN_RANGE',
        first: beginVerifying(ECDSA, 'ecPublic'),
        with: { signature: Buffer.alloc(64) },
      },
      { rv: 'SIGNATURE_INVALID', with: { signature: WRONG } },
      { rv: 'SIGNATURE_LEN_RANGE', with: { signature: TOO_SHORT } },
    ],
  },
  C_VerifyRecoverInit: {
    with: { mechanism: RSA, key: 'rsaPublic' },
    cases: [
      { rv: 'KEY_FUNCTION_NOT_PERMITTED', with: { key: 'unusedRsaPublic' } },
      { rv: 'KEY_TYPE_INCONSISTENT', with: { key: 'ecPublic' } },
    ],
  },
  C_VerifyRecover: {
    first: ['C_VerifyRecoverInit'],
    with: { signature: RECOVERABLE },
    cases: [
      { rv: 'SIGNATURE_INVALID', with: { signature: Buffer.alloc(128) } },
      { rv: 'SIGNATURE_LEN_RANGE', with: { signature: TOO_SHORT } },
    ],
  },
}
