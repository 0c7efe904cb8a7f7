/** Key management functions, random numbers and parallel functions. 5.18 to 5.20. */
import { generateKeyPairSync } from 'node:crypto'
import { CKD, CKK, CKO } from '../../../../src/standard/constants.ts'
import { template } from '../../../in-process.ts'
import type { Case, Chapter, Unlisted } from '../cases.ts'
import { AES_VALUE, encrypted, IV, NO_CURVE, P256, POINT, UNKNOWN_CURVE } from '../objects.ts'
import { AES_KEY, CBC_PAD, EC_PAIR, ecdh, OAEP_TOO_LONG, RSA } from './mechanisms.ts'

const open = template({ PRIVATE: false })
const aes = [...open, ...template({ VALUE_LEN: 16 })]
const pairOn = (parameters: Uint8Array) => [...open, ...template({ EC_PARAMS: parameters })]
const anotherClass = template({ CLASS: CKO.CERTIFICATE })

/** A curve that no token of today has, and the parameters of P-256 spelled out. */
const PKCS8 = { format: 'der', type: 'pkcs8' } as const
const otherCurve = generateKeyPairSync('ec', { namedCurve: 'SM2' })
const explicitCurve = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })

const unwrappedSecret = [...open, ...template({ CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES })]

const wrappedEc = (pair: typeof otherCurve) => ({
  wrappedKey: encrypted(pair.privateKey.export(PKCS8)),
  template: [...open, ...template({ CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.EC })],
})

const unwrapping: Case[] = [
  { rv: 'TEMPLATE_INCOMPLETE', with: { template: open } },
  {
    rv: 'TEMPLATE_INCONSISTENT',
    with: { template: [...unwrappedSecret, ...template({ KEY_TYPE: CKK.DES })] },
  },
  { rv: 'CURVE_NOT_SUPPORTED', with: wrappedEc(otherCurve) },
  { rv: 'DOMAIN_PARAMS_INVALID', with: wrappedEc(explicitCurve) },
  { rv: 'UNWRAPPING_KEY_HANDLE_INVALID', with: { unwrappingKey: 4711 } },
  {
    rv: 'UNWRAPPING_KEY_SIZE_RANGE',
    with: { mechanism: OAEP_TOO_LONG, unwrappingKey: 'rsaPrivate' },
  },
  { rv: 'UNWRAPPING_KEY_TYPE_INCONSISTENT', with: { unwrappingKey: 'generic' } },
  { rv: 'WRAPPED_KEY_INVALID', with: { wrappedKey: encrypted(IV, false) } },
  { rv: 'WRAPPED_KEY_LEN_RANGE', with: { wrappedKey: Buffer.alloc(5) } },
]

const notPermitted: Unlisted = {
  rv: 'KEY_FUNCTION_NOT_PERMITTED',
  why: 'CKA_WRAP, CKA_UNWRAP or CKA_DERIVE of the key is false, which nothing that is listed says',
}

export const keys: Chapter = {
  C_GenerateKey: {
    with: { mechanism: AES_KEY, template: aes },
    cases: [
      { rv: 'TEMPLATE_INCOMPLETE', with: { template: open } },
      { rv: 'TEMPLATE_INCONSISTENT', with: { template: [...aes, ...anotherClass] } },
    ],
  },
  C_GenerateKeyPair: {
    with: {
      mechanism: EC_PAIR,
      publicKeyTemplate: pairOn(P256),
      privateKeyTemplate: open,
    },
    cases: [
      { rv: 'TEMPLATE_INCOMPLETE', with: { publicKeyTemplate: open } },
      { rv: 'TEMPLATE_INCONSISTENT', with: { privateKeyTemplate: anotherClass } },
      { rv: 'CURVE_NOT_SUPPORTED', with: { publicKeyTemplate: pairOn(UNKNOWN_CURVE) } },
      { rv: 'DOMAIN_PARAMS_INVALID', with: { publicKeyTemplate: pairOn(NO_CURVE) } },
    ],
  },
  C_WrapKey: {
    with: { mechanism: CBC_PAD, wrappingKey: 'aes', key: 'generic' },
    cases: [
      { rv: 'KEY_HANDLE_INVALID', with: { key: 4711 } },
      { rv: 'KEY_NOT_WRAPPABLE', with: { key: 'askingForTrust' } },
      {
        rv: 'KEY_SIZE_RANGE',
        with: { mechanism: RSA, wrappingKey: 'rsaPublic', key: 'longGeneric' },
      },
      { rv: 'KEY_UNEXTRACTABLE', with: { key: 'unextractable' } },
      { rv: 'WRAPPING_KEY_HANDLE_INVALID', with: { wrappingKey: 4711 } },
      {
        rv: 'WRAPPING_KEY_SIZE_RANGE',
        with: { mechanism: OAEP_TOO_LONG, wrappingKey: 'rsaPublic' },
      },
      { rv: 'WRAPPING_KEY_TYPE_INCONSISTENT', with: { wrappingKey: 'generic' } },
    ],
    unlisted: [{ ...notPermitted, with: { wrappingKey: 'unusedAes' } }],
  },
  C_UnwrapKey: {
    with: {
      mechanism: CBC_PAD,
      unwrappingKey: 'aes',
      wrappedKey: encrypted(AES_VALUE),
      template: unwrappedSecret,
    },
    cases: unwrapping,
    unlisted: [{ ...notPermitted, with: { unwrappingKey: 'unusedAes' } }],
  },
  C_DeriveKey: {
    with: { mechanism: ecdh(), baseKey: 'ecPrivate', template: open },
    cases: [
      { rv: 'KEY_TYPE_INCONSISTENT', with: { baseKey: 'aes' } },
      { rv: 'TEMPLATE_INCOMPLETE', with: { mechanism: ecdh(CKD.SHA256_KDF) } },
      {
        rv: 'TEMPLATE_INCONSISTENT',
        with: { template: [...open, ...template({ VALUE_LEN: 33 })] },
      },
    ],
    unlisted: [
      { ...notPermitted, with: { baseKey: 'unusedEcPrivate' } },
      {
        rv: 'PUBLIC_KEY_INVALID',
        with: { mechanism: ecdh(CKD.NULL, Buffer.alloc(POINT.length, 4)) },
        why: '5.1.6 has it for public keys that fail validation, and puts it before the others',
      },
    ],
  },
}

export const random: Chapter = {
  C_SeedRandom: { with: { seed: AES_VALUE } },
  C_GenerateRandom: { with: { randomData: 16 } },
}

export const parallel: Chapter = {
  C_GetFunctionStatus: { cases: [{ rv: 'FUNCTION_NOT_PARALLEL' }] },
  C_CancelFunction: { cases: [{ rv: 'FUNCTION_NOT_PARALLEL' }] },
}
