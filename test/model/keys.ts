/** Templates of the objects that the model's applications make. */
import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import type { Attribute } from '../../src/standard/calls.ts'
import { CKK, CKO } from '../../src/standard/constants.ts'
import { template } from '../in-process.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const jwk: JsonWebKey = pair.privateKey.export({ format: 'jwk' })
const part = (name: 'd' | 'x' | 'y') => Buffer.from(jwk[name] as string, 'base64url')

/** The other half of every private key there is in the model. */
export const EC_PUBLIC_KEY = createPublicKey(pair.privateKey)

/** For signatures of the model's own. */
export const EC_PRIVATE_KEY = pair.privateKey

/** 1.2.840.10045.3.1.7, prime256v1, as DER. */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')

/** An OCTET STRING with the uncompressed point. */
const POINT = Buffer.concat([Uint8Array.of(0x04, 65, 0x04), part('x'), part('y')])

/** What differs between objects of one form. */
export interface Chosen {
  readonly label: string
  readonly token: boolean
  readonly private: boolean
  readonly modifiable: boolean
  readonly destroyable: boolean
  readonly copyable: boolean
  readonly sensitive: boolean
  readonly extractable: boolean
  readonly encrypts: boolean
  readonly decrypts: boolean
  readonly signs: boolean
  readonly verifies: boolean
  readonly asksForLogin: boolean
  /** Any byte: values of keys and of data are made of it. */
  readonly value: number
}

/** A public session object that may do everything. */
export const PLAIN: Chosen = {
  label: 'plain',
  token: false,
  private: false,
  modifiable: true,
  destroyable: true,
  copyable: true,
  sensitive: false,
  extractable: true,
  encrypts: true,
  decrypts: true,
  signs: true,
  verifies: true,
  asksForLogin: false,
  value: 42,
}

const common = (chosen: Chosen) => ({
  LABEL: chosen.label,
  TOKEN: chosen.token,
  PRIVATE: chosen.private,
  MODIFIABLE: chosen.modifiable,
  DESTROYABLE: chosen.destroyable,
  COPYABLE: chosen.copyable,
})

const guarded = (chosen: Chosen) => ({
  SENSITIVE: chosen.sensitive,
  EXTRACTABLE: chosen.extractable,
})

const secret = (chosen: Chosen) => ({
  CLASS: CKO.SECRET_KEY,
  ...common(chosen),
  ...guarded(chosen),
  ENCRYPT: chosen.encrypts,
  DECRYPT: chosen.decrypts,
  SIGN: chosen.signs,
  VERIFY: chosen.verifies,
  VALUE: Buffer.alloc(16, chosen.value),
})

/** Every attribute that the model asks about is named, so that no default of the token matters. */
export const forms: Readonly<Record<string, (chosen: Chosen) => Attribute[]>> = {
  data: (chosen) =>
    template({
      CLASS: CKO.DATA,
      ...common(chosen),
      VALUE: Buffer.alloc(chosen.value, chosen.value),
    }),
  aes: (chosen) => template({ ...secret(chosen), KEY_TYPE: CKK.AES }),
  mac: (chosen) => template({ ...secret(chosen), KEY_TYPE: CKK.GENERIC_SECRET }),
  publicKey: (chosen) =>
    template({
      CLASS: CKO.PUBLIC_KEY,
      KEY_TYPE: CKK.EC,
      ...common(chosen),
      ENCRYPT: chosen.encrypts,
      VERIFY: chosen.verifies,
      EC_PARAMS: P256,
      EC_POINT: POINT,
    }),
  privateKey: (chosen) =>
    template({
      CLASS: CKO.PRIVATE_KEY,
      KEY_TYPE: CKK.EC,
      ...common(chosen),
      ...guarded(chosen),
      DECRYPT: chosen.decrypts,
      SIGN: chosen.signs,
      ALWAYS_AUTHENTICATE: chosen.asksForLogin && chosen.private,
      EC_PARAMS: P256,
      VALUE: part('d'),
    }),
}
