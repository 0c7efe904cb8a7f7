/**
 * The kinds of operation, each in its simplest form: how one is begun, and how it goes on to its end.
 * A row's function works on some of them; the others stand by and must not notice.
 */
import type { CallContext } from '../../src/standard/calls.ts'
import { CKM } from '../../src/standard/constants.ts'
import type { OperationKind } from '../../src/standard/functions.ts'
import { data } from '../in-process.ts'
import {
  ECB,
  ecbOf,
  gcmMessage,
  gcmOf,
  HMAC,
  macOf,
  mechanism,
  RSA,
  type Scene,
  SHA256,
  SHORT,
} from './stage.ts'

export interface OperationOf {
  begin(scene: Scene, context?: CallContext): Promise<unknown>
  /** Works on SHORT; rejects with CKR_OPERATION_NOT_INITIALIZED where the operation is over. */
  end(scene: Scene): Promise<unknown>
}

const MESSAGES = mechanism(CKM.AES_GCM)
const NO_PARAMETER = mechanism(0)
const AAD = Buffer.from('aad')

export const operations: Readonly<Record<OperationKind, OperationOf>> = {
  encrypt: {
    begin: ({ call, session, keys }, context) =>
      call('C_EncryptInit', [session, ECB, keys.aes], context),
    end: async ({ call, session }) => [
      await call('C_EncryptUpdate', [session, data(SHORT), 100]),
      await call('C_EncryptFinal', [session, 100]),
    ],
  },
  decrypt: {
    begin: ({ call, session, keys }, context) =>
      call('C_DecryptInit', [session, ECB, keys.aes], context),
    end: async ({ call, session }) => [
      await call('C_DecryptUpdate', [session, data(ecbOf(SHORT)), 100]),
      await call('C_DecryptFinal', [session, 100]),
    ],
  },
  digest: {
    begin: ({ call, session }, context) => call('C_DigestInit', [session, SHA256], context),
    end: async ({ call, session }) => [
      await call('C_DigestUpdate', [session, data(SHORT)]),
      await call('C_DigestFinal', [session, 32]),
    ],
  },
  sign: {
    begin: ({ call, session, keys }, context) =>
      call('C_SignInit', [session, HMAC, keys.hmac], context),
    end: async ({ call, session }) => [
      await call('C_SignUpdate', [session, data(SHORT)]),
      await call('C_SignFinal', [session, 32]),
    ],
  },
  signRecover: {
    begin: ({ call, session, keys }, context) =>
      call('C_SignRecoverInit', [session, RSA, keys.rsa[1]], context),
    end: ({ call, session }) => call('C_SignRecover', [session, data(SHORT), 128]),
  },
  verify: {
    begin: ({ call, session, keys }, context) =>
      call('C_VerifyInit', [session, HMAC, keys.hmac], context),
    end: async ({ call, session }) => {
      await call('C_VerifyUpdate', [session, data(SHORT)])
      await call('C_VerifyFinal', [session, macOf(SHORT)])
    },
  },
  verifyRecover: {
    begin: ({ call, session, keys }, context) =>
      call('C_VerifyRecoverInit', [session, RSA, keys.rsa[0]], context),
    end: ({ call, session, keys }) => call('C_VerifyRecover', [session, keys.recoverable, 128]),
  },
  verifySignature: {
    begin: ({ call, session, keys }, context) =>
      call('C_VerifySignatureInit', [session, HMAC, keys.hmac, macOf(SHORT)], context),
    end: async ({ call, session }) => {
      await call('C_VerifySignatureUpdate', [session, data(SHORT)])
      await call('C_VerifySignatureFinal', [session])
    },
  },
  messageEncrypt: {
    begin: ({ call, session, keys }, context) =>
      call('C_MessageEncryptInit', [session, MESSAGES, keys.aes], context),
    end: async ({ call, session }) => [
      await call('C_EncryptMessage', [session, gcmMessage(), AAD, data(SHORT), 16]),
      await call('C_MessageEncryptFinal', [session]),
    ],
  },
  messageDecrypt: {
    begin: ({ call, session, keys }, context) =>
      call('C_MessageDecryptInit', [session, MESSAGES, keys.aes], context),
    end: async ({ call, session }) => {
      const sealed = gcmOf(SHORT)
      const message = gcmMessage(sealed.subarray(-16))
      const ciphertext = data(sealed.subarray(0, -16))
      return [
        await call('C_DecryptMessage', [session, message, AAD, ciphertext, 16]),
        await call('C_MessageDecryptFinal', [session]),
      ]
    },
  },
  messageSign: {
    begin: ({ call, session, keys }, context) =>
      call('C_MessageSignInit', [session, HMAC, keys.hmac], context),
    end: async ({ call, session }) => [
      await call('C_SignMessage', [session, NO_PARAMETER, data(SHORT), 32]),
      await call('C_MessageSignFinal', [session]),
    ],
  },
  messageVerify: {
    begin: ({ call, session, keys }, context) =>
      call('C_MessageVerifyInit', [session, HMAC, keys.hmac], context),
    end: async ({ call, session }) => {
      await call('C_VerifyMessage', [session, NO_PARAMETER, data(SHORT), macOf(SHORT)])
      await call('C_MessageVerifyFinal', [session])
    },
  },
}
