/** Keys and domain parameters of DSA and Diffie-Hellman as objects of a token, for tests. */
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKA, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { bytes, data, type Opened, template } from '../in-process.ts'
import { publicKeyOf } from './curve-keys.ts'

export { attributesOf, privateKeyOf, publicKeyOf } from './curve-keys.ts'

type Template = Parameters<typeof template>[0]

/** Domain parameters. */
export interface Numbers {
  readonly p: Uint8Array
  readonly g: Uint8Array
  readonly q?: Uint8Array
}

/** As they stand in a template. */
export const domainTemplate = ({ p, g, q }: Numbers): Template => ({
  PRIME: p,
  BASE: g,
  ...(q && { SUBPRIME: q }),
})

/** A pair with these domain parameters; the private key can be read. */
export async function pairWith(
  { call, session }: Opened,
  type: number,
  numbers: Numbers,
  privateValues: Template = {},
): Promise<{ publicKey: number; privateKey: number }> {
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type, parameter: null },
    template(domainTemplate(numbers)),
    template({ SENSITIVE: false, EXTRACTABLE: true, ...privateValues }),
  ])
  return { publicKey, privateKey }
}

export const createDomain = ({ call, session }: Opened, values: Template): Promise<number> =>
  call('C_CreateObject', [session, template({ CLASS: CKO.DOMAIN_PARAMETERS, ...values })])

/** How many objects a session finds. */
export async function objectCount({ call, session }: Opened): Promise<number> {
  await call('C_FindObjectsInit', [session, []])
  const found = (await call('C_FindObjects', [session, 1000])) as readonly number[]
  await call('C_FindObjectsFinal', [session])
  return found.length
}

const argumentOf = (mechanism: number | MechanismArgument): MechanismArgument =>
  typeof mechanism === 'number' ? { type: mechanism, parameter: null } : mechanism

export async function sign(
  { call, session }: Opened,
  mechanism: number | MechanismArgument,
  key: number,
  message: Uint8Array,
): Promise<Uint8Array> {
  await call('C_SignInit', [session, argumentOf(mechanism), key])
  return bytes(await call('C_Sign', [session, data(message), 4096]))
}

export async function verify(
  { call, session }: Opened,
  mechanism: number | MechanismArgument,
  key: number,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  await call('C_VerifyInit', [session, argumentOf(mechanism), key])
  await call('C_Verify', [session, data(message), signature])
}

/** The PrivateKeyInfo of a key, as C_WrapKey has it: wrapped with AES and unwrapped as a secret. */
export async function privateKeyInfoOf(token: Opened, key: number): Promise<Buffer> {
  const { call, session } = token
  const mechanism = { type: CKM.AES_KEY_WRAP_KWP, parameter: null }
  const wrapping = await aesKey(token)
  const wrapped = bytes(await call('C_WrapKey', [session, mechanism, wrapping, key, 8192]))
  const plain = await call('C_UnwrapKey', [
    session,
    mechanism,
    wrapping,
    wrapped,
    template({ CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GENERIC_SECRET, SENSITIVE: false }),
  ])
  const asked = [{ type: CKA.VALUE, room: 8192 }]
  const { answers } = await call('C_GetAttributeValue', [session, plain, asked])
  return Buffer.from(bytes(answers[0]?.value))
}

/** A private key out of its PrivateKeyInfo, which C_UnwrapKey takes. */
export async function unwrapInfo(
  token: Opened,
  info: Uint8Array,
  values: Template,
): Promise<number> {
  const { call, session } = token
  const mechanism = { type: CKM.AES_KEY_WRAP_KWP, parameter: null }
  const wrapping = await aesKey(token)
  const secret = await call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: CKK.GENERIC_SECRET,
      VALUE: info,
      EXTRACTABLE: true,
    }),
  ])
  const wrapped = bytes(await call('C_WrapKey', [session, mechanism, wrapping, secret, 8192]))
  return call('C_UnwrapKey', [
    session,
    mechanism,
    wrapping,
    wrapped,
    template({ CLASS: CKO.PRIVATE_KEY, SENSITIVE: false, ...values }),
  ])
}

const aesKey = ({ call, session }: Opened): Promise<number> =>
  call('C_GenerateKey', [
    session,
    { type: CKM.AES_KEY_GEN, parameter: null },
    template({ VALUE_LEN: 16, WRAP: true, UNWRAP: true }),
  ])

export const publicOf = (token: Opened, keyType: number, numbers: Numbers, y: Uint8Array) =>
  publicKeyOf(token, { KEY_TYPE: keyType, ...domainTemplate(numbers), VALUE: y })
