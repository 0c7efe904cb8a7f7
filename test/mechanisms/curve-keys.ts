/** Keys on elliptic curves as objects of a token, for tests. */
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKA, CKD, CKO } from '../../src/standard/constants.ts'
import { bytes, data, type Opened, template } from '../in-process.ts'

type Template = Parameters<typeof template>[0]

/** A pair on the curve that these parameters name; the private key can be read. */
export async function pairOn(
  { call, session }: Opened,
  type: number,
  parameters: Uint8Array,
  { publicUses, privateUses }: { readonly publicUses: Template; readonly privateUses: Template },
): Promise<{ publicKey: number; privateKey: number }> {
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type, parameter: null },
    template({ EC_PARAMS: parameters, ...publicUses }),
    template({ SENSITIVE: false, EXTRACTABLE: true, ...privateUses }),
  ])
  return { publicKey, privateKey }
}

const create = ({ call, session }: Opened, values: Template): Promise<number> =>
  call('C_CreateObject', [session, template(values)])

export const publicKeyOf = (token: Opened, values: Template): Promise<number> =>
  create(token, { CLASS: CKO.PUBLIC_KEY, ...values })

/** The key can be read. */
export const privateKeyOf = (token: Opened, values: Template): Promise<number> =>
  create(token, { CLASS: CKO.PRIVATE_KEY, SENSITIVE: false, EXTRACTABLE: true, ...values })

/** The values of attributes by their names without CKA_. */
export async function attributesOf(
  { call, session }: Opened,
  key: number,
  ...names: (keyof typeof CKA)[]
): Promise<Uint8Array[]> {
  const asked = names.map((name) => ({ type: CKA[name], room: 4096 }))
  const { answers } = await call('C_GetAttributeValue', [session, key, asked])
  return answers.map(({ value }) => Uint8Array.from(bytes(value)))
}

/** The signature of a message that is given in parts of so many bytes. */
export async function inParts(
  { call, session }: Opened,
  mechanism: MechanismArgument,
  key: number,
  message: Uint8Array,
  size: number,
): Promise<Uint8Array> {
  await call('C_SignInit', [session, mechanism, key])
  for (let at = 0; at < message.length; at += size)
    await call('C_SignUpdate', [session, data(message.subarray(at, at + size))])
  return bytes(await call('C_SignFinal', [session, 4096]))
}

interface Derivation {
  readonly publicData: Uint8Array
  readonly kdf?: number
  readonly sharedData?: Uint8Array
  /** CKA_VALUE_LEN. */
  readonly length?: number
}

/** The value of the generic secret key that a mechanism with CK_ECDH1_DERIVE_PARAMS derives. */
export async function derived(
  token: Opened,
  type: number,
  base: number,
  { publicData, kdf = CKD.NULL, sharedData = new Uint8Array(0), length }: Derivation,
): Promise<Uint8Array> {
  const { call, session } = token
  const values = { CLASS: CKO.SECRET_KEY, SENSITIVE: false, EXTRACTABLE: true }
  const key = await call('C_DeriveKey', [
    session,
    { type, parameter: { kdf, sharedData, publicData } },
    base,
    template(length === undefined ? values : { ...values, VALUE_LEN: length }),
  ])
  const [value] = await attributesOf(token, key, 'VALUE')
  await call('C_DestroyObject', [session, key])
  return value as Uint8Array
}
