/** Key management functions. PKCS #11 3.2, 5.18. */
import { mechanismFor } from '../mechanisms/table.ts'
import type { Session } from '../sessions/session.ts'
import type { Attribute, MechanismArgument } from '../standard/calls.ts'
import { CKO } from '../standard/constants.ts'
import { deriveKey } from './derivation.ts'
import type { Call, Implementations } from './implementation.ts'
import { keep, keepOne, plan } from './new-objects.ts'
import { unwrapKey, unwrapKeyAuthenticated, wrapKey, wrapKeyAuthenticated } from './wrapping.ts'

async function generateKey(
  { surrender, work, keptOperation }: Call,
  session: Session,
  argument: MechanismArgument | null,
  template: readonly Attribute[],
): Promise<number> {
  const row = mechanismFor(argument, 'generateKey', session.token.offered)
  const given = {
    class: row.makes ?? CKO.SECRET_KEY,
    keyType: row.keyTypes[0],
    mechanism: row.type,
    supplies: row.supplies,
    takes: row.takes,
    leavesOut: row.leavesOut,
  }
  const prepared = plan(session, 'generate', template, given)
  const mechanism = argument as MechanismArgument
  const make = { mechanism, surrender, template: prepared.template }
  const values = await work(() => row.generateKey(make))
  return keepOne(session, prepared, values, keptOperation())
}

async function generateKeyPair(
  { surrender, work, keptOperation }: Call,
  session: Session,
  argument: MechanismArgument | null,
  publicTemplate: readonly Attribute[],
  privateTemplate: readonly Attribute[],
): Promise<[number, number]> {
  const row = mechanismFor(argument, 'generateKeyPair', session.token.offered)
  const given = { keyType: row.keyTypes[0], mechanism: row.type }
  const publicKey = plan(session, 'generate', publicTemplate, { ...given, class: CKO.PUBLIC_KEY })
  const privateKey = plan(session, 'generate', privateTemplate, {
    ...given,
    class: CKO.PRIVATE_KEY,
  })
  const make = {
    mechanism: argument as MechanismArgument,
    surrender,
    publicTemplate: publicKey.template,
    privateTemplate: privateKey.template,
  }
  const made = await work(() => row.generateKeyPair(make))
  const parts = [
    { prepared: publicKey, values: made.publicKey },
    { prepared: privateKey, values: made.privateKey },
  ]
  const handles = await keep(session, parts, keptOperation())
  return handles as [number, number]
}

export const keys = {
  C_GenerateKey: generateKey,
  C_GenerateKeyPair: generateKeyPair,
  C_WrapKey: wrapKey,
  C_WrapKeyAuthenticated: wrapKeyAuthenticated,
  C_UnwrapKey: unwrapKey,
  C_UnwrapKeyAuthenticated: unwrapKeyAuthenticated,
  C_DeriveKey: deriveKey,
} satisfies Implementations
