/** Tokens and keys for the tests of ML-DSA, ML-KEM and SLH-DSA, through the C_ functions. */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKA, CKH, CKK, CKM, CKO, CKP } from '../../src/standard/constants.ts'
import { bytes, data, type Opened, template } from '../in-process.ts'

export type Named = Parameters<typeof template>[0]

/** 00 01 02 ..., so many bytes. */
export const counting = (length: number) => Buffer.from(Array.from({ length }, (_, at) => at))

export const sha256 = (input: Uint8Array) => createHash('sha256').update(input).digest('hex')

export const message = Buffer.from('a message')
export const context = Buffer.from('context')

export const mechanism = (
  name: keyof typeof CKM,
  parameter: MechanismArgument['parameter'] = null,
): MechanismArgument => ({ type: CKM[name], parameter })

/** A CK_SIGN_ADDITIONAL_CONTEXT. */
export const hedged = (hedgeVariant: number, used: Uint8Array = Buffer.alloc(0)) => ({
  hedgeVariant,
  context: used,
})
export const deterministic = (used?: Uint8Array) => hedged(CKH.DETERMINISTIC_REQUIRED, used)

/** Bytes of room that every signature and ciphertext fits in: SLH-DSA-256f has the longest. */
export const ROOM = 49856

export const create = ({ call, session }: Opened, named: Named): Promise<number> =>
  call('C_CreateObject', [session, template(named)])

export async function attribute(
  { call, session }: Opened,
  object: number,
  name: keyof typeof CKA,
): Promise<Buffer> {
  const query = [{ type: CKA[name], room: ROOM }]
  const { answers } = await call('C_GetAttributeValue', [session, object, query])
  return Buffer.from(bytes(answers[0]?.value))
}

/** Bytes of SubjectPublicKeyInfo before the key, for keys of 128 to 65,535 bytes and for shorter ones. */
const LONG_HEAD = 22
const SHORT_HEAD = 18

/** The public key in CKA_PUBLIC_KEY_INFO. */
export async function publicValueOf(token: Opened, key: number): Promise<Buffer> {
  const info = await attribute(token, key, 'PUBLIC_KEY_INFO')
  return info.subarray(info.length > 256 ? LONG_HEAD : SHORT_HEAD)
}

/** A pair of a parameter set whose private key shows its values. */
export async function pairOf(
  { call, session }: Opened,
  mechanism: number,
  set: keyof typeof CKP,
  publicNamed: Named = {},
  privateNamed: Named = {},
): Promise<{ publicKey: number; privateKey: number }> {
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type: mechanism, parameter: null },
    template({ PARAMETER_SET: CKP[set], ...publicNamed }),
    template({ SENSITIVE: false, EXTRACTABLE: true, ...privateNamed }),
  ])
  return { publicKey, privateKey }
}

/** The template of a public or private key of a set. */
export const keyTemplate = (
  keyType: number,
  objectClass: number,
  set: keyof typeof CKP,
): Named => ({
  CLASS: objectClass,
  KEY_TYPE: keyType,
  PARAMETER_SET: CKP[set],
  ...(objectClass === CKO.PRIVATE_KEY ? { SENSITIVE: false, EXTRACTABLE: true } : {}),
})

export async function sign(
  { call, session }: Opened,
  key: number,
  mechanism: MechanismArgument,
  message: Uint8Array,
): Promise<Buffer> {
  await call('C_SignInit', [session, mechanism, key])
  return Buffer.from(bytes(await call('C_Sign', [session, data(message), ROOM])))
}

/** The same in parts of so many bytes. */
export async function signInParts(
  { call, session }: Opened,
  key: number,
  mechanism: MechanismArgument,
  message: Uint8Array,
  size: number,
): Promise<Buffer> {
  await call('C_SignInit', [session, mechanism, key])
  for (let at = 0; at < message.length; at += size)
    await call('C_SignUpdate', [session, data(message.subarray(at, at + size))])
  return Buffer.from(bytes(await call('C_SignFinal', [session, ROOM])))
}

export async function verify(
  { call, session }: Opened,
  key: number,
  mechanism: MechanismArgument,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  await call('C_VerifyInit', [session, mechanism, key])
  await call('C_Verify', [session, data(message), signature])
}

const kwp = { type: CKM.AES_KEY_WRAP_KWP, parameter: null }
const WRAPPING_VALUE = Buffer.alloc(32, 0x5a)
const KWP_IV = Buffer.from('a65959a6', 'hex')

const wrappingKey = (token: Opened): Promise<number> =>
  create(token, {
    CLASS: CKO.SECRET_KEY,
    KEY_TYPE: CKK.AES,
    VALUE: WRAPPING_VALUE,
    WRAP: true,
    UNWRAP: true,
  })

/** The PrivateKeyInfo of a private key: wrapped by the token, unwrapped by OpenSSL. */
export async function privateKeyInfoOf(token: Opened, key: number): Promise<Buffer> {
  const { call, session } = token
  const wrapping = await wrappingKey(token)
  const wrapped = bytes(await call('C_WrapKey', [session, kwp, wrapping, key, ROOM]))
  const cipher = createDecipheriv('id-aes256-wrap-pad', WRAPPING_VALUE, KWP_IV)
  return Buffer.concat([cipher.update(wrapped), cipher.final()])
}

/** Brings a private key in by C_UnwrapKey, from its PrivateKeyInfo. */
export async function unwrapInfo(token: Opened, info: Uint8Array, named: Named): Promise<number> {
  const { call, session } = token
  const cipher = createCipheriv('id-aes256-wrap-pad', WRAPPING_VALUE, KWP_IV)
  const wrapped = Buffer.concat([cipher.update(info), cipher.final()])
  const wrapping = await wrappingKey(token)
  return call('C_UnwrapKey', [session, kwp, wrapping, wrapped, template(named)])
}
