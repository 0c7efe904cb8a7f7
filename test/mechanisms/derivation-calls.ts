/** Derivations through the C_ functions, in process. */
import type { MechanismArgument, Parameter } from '../../src/standard/calls.ts'
import { CKA, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { bytes, type Opened, template } from '../in-process.ts'

export type Named = Parameters<typeof template>[0]

/** A key that tells its value. */
export const OPEN = { SENSITIVE: false, EXTRACTABLE: true } as const

export const NOTHING = new Uint8Array(0)

/** A secret key of given bytes that other keys are derived from. */
export const secret = ({ call, session }: Opened, value: Uint8Array, named: Named = {}) =>
  call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: CKK.GENERIC_SECRET,
      DERIVE: true,
      ...OPEN,
      VALUE: value,
      ...named,
    }),
  ])

/** A generic secret of 48 bytes that never left the token and never can. */
export const hidden = ({ call, session }: Opened, named: Named = {}) =>
  call('C_GenerateKey', [
    session,
    { type: CKM.GENERIC_SECRET_KEY_GEN, parameter: null },
    template({
      CLASS: CKO.SECRET_KEY,
      VALUE_LEN: 48,
      DERIVE: true,
      SENSITIVE: true,
      EXTRACTABLE: false,
      ...named,
    }),
  ])

export const attribute = async (
  { call, session }: Opened,
  object: number,
  name: keyof typeof CKA,
): Promise<Uint8Array> => {
  const query = [{ type: CKA[name], room: 20_000 }]
  const {
    answers: [answer],
  } = await call('C_GetAttributeValue', [session, object, query])
  return bytes(answer?.value)
}

export const numberAt = async (token: Opened, object: number, name: keyof typeof CKA) =>
  Number(Buffer.from(await attribute(token, object, name)).readBigUInt64LE())

export const valueAt = async (token: Opened, object: number): Promise<string> =>
  Buffer.from(await attribute(token, object, 'VALUE')).toString('hex')

/** SENSITIVE, EXTRACTABLE, ALWAYS_SENSITIVE, NEVER_EXTRACTABLE and LOCAL, a letter for each that is true. */
export async function policy(token: Opened, key: number): Promise<string> {
  const names = [
    'SENSITIVE',
    'EXTRACTABLE',
    'ALWAYS_SENSITIVE',
    'NEVER_EXTRACTABLE',
    'LOCAL',
  ] as const
  const flags = await Promise.all(names.map((name) => attribute(token, key, name)))
  return names.map((name, at) => (flags[at]?.[0] === 1 ? name.charAt(0) : '-')).join('')
}

/** C_DeriveKey. */
export const derive = (
  { call, session }: Opened,
  mechanism: MechanismArgument,
  base: number,
  named: Named = OPEN,
) => call('C_DeriveKey', [session, mechanism, base, template(named)])

/** A mechanism that keeps what it gives back. */
export function answering(type: number, parameter: Parameter) {
  const given: Parameter[] = []
  const mechanism: MechanismArgument = {
    type,
    parameter,
    answer: (values) => given.push(values),
  }
  return { mechanism, given }
}

/** How many objects the session sees. */
export async function objectsOf({ call, session }: Opened): Promise<number> {
  await call('C_FindObjectsInit', [session, []])
  const found = await call('C_FindObjects', [session, 1000])
  await call('C_FindObjectsFinal', [session])
  return found.length
}
