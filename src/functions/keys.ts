/** Key management functions. PKCS #11 3.2, 5.18. */
import type { CryptokiObject, Mechanism } from '../mechanisms/mechanism.ts'
import { keyTypes, mechanismFor } from '../mechanisms/table.ts'
import type { Prepared } from '../objects/creation.ts'
import { type Attributes, bytesOf, isTrue, numberOf, type Value } from '../objects/object.ts'
import { fits } from '../objects/search.ts'
import { fill } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Attribute, Filled, MechanismArgument, Room } from '../standard/calls.ts'
import { CKA, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { deriveKey } from './derivation.ts'
import type { Call, Implementations } from './implementation.ts'
import { checkAsksForNoLogin, keyFor, keyOf, templateIn } from './keys-in-use.ts'
import { keep, keepOne, plan } from './new-objects.ts'

/** Bytes of a wrapped key at most: a PKCS #8 PrivateKeyInfo of RSA-16384 has about 10,000. */
const MOST_WRAPPED = 64 << 10

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

/** A secret key's value, a private key's PrivateKeyInfo. 5.18.3. */
function plainOf(key: CryptokiObject): Uint8Array {
  const objectClass = numberOf(key, CKA.CLASS)
  if (objectClass === CKO.SECRET_KEY) return bytesOf(key, CKA.VALUE) ?? new Uint8Array(0)
  const keyType = keyTypes.get(numberOf(key, CKA.KEY_TYPE) ?? -1)
  if (objectClass !== CKO.PRIVATE_KEY || keyType?.toPkcs8 === undefined)
    throw new CryptokiError(CKR.KEY_NOT_WRAPPABLE, 'only secret and private keys are wrapped')
  return keyType.toPkcs8(key)
}

function checkMayWrap(wrapping: CryptokiObject, key: CryptokiObject): void {
  if (!isTrue(key, CKA.EXTRACTABLE))
    throw new CryptokiError(CKR.KEY_UNEXTRACTABLE, 'CKA_EXTRACTABLE of the key is false')
  if (isTrue(key, CKA.WRAP_WITH_TRUSTED) && !isTrue(wrapping, CKA.TRUSTED))
    throw new CryptokiError(
      CKR.KEY_NOT_WRAPPABLE,
      'the key asks for a wrapping key with CKA_TRUSTED',
    )
  const demanded = templateIn(wrapping, CKA.WRAP_TEMPLATE)
  if (demanded !== undefined && !fits(key, demanded))
    throw new CryptokiError(
      CKR.KEY_HANDLE_INVALID,
      'CKA_WRAP_TEMPLATE of the wrapping key asks for another key',
    )
}

async function wrapKey(
  { surrender }: Call,
  session: Session,
  argument: MechanismArgument | null,
  wrappingHandle: number,
  handle: number,
  room: Room,
): Promise<Filled> {
  const row = mechanismFor(argument, 'wrap', session.token.offered)
  const complaints = {
    handle: CKR.WRAPPING_KEY_HANDLE_INVALID,
    type: CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
  }
  const wrapping = await keyFor(session, wrappingHandle, row, 'WRAP', complaints)
  const key = await keyOf(session, handle)
  checkMayWrap(wrapping, key)
  const plain = plainOf(key)
  const wrapped = await row.wrap(
    { key: wrapping, mechanism: argument as MechanismArgument },
    plain,
    surrender,
  )
  return fill(wrapped.length, room, () => wrapped)
}

/** What an unwrapped key's bytes are, by the class and type its template tells. */
function valuesOf({ rows, template }: Prepared, plain: Uint8Array, row: Mechanism): Attributes {
  const { class: objectClass, type } = rows.of
  if (objectClass === CKO.PRIVATE_KEY) {
    const read = keyTypes.get(type ?? -1)?.fromPkcs8
    if (read === undefined)
      throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'keys of this type have no PrivateKeyInfo')
    return read(plain)
  }
  if (objectClass !== CKO.SECRET_KEY)
    throw new CryptokiError(
      CKR.TEMPLATE_INCONSISTENT,
      'what is unwrapped is a secret or a private key',
    )
  return new Map([
    [CKA.VALUE, withoutPadding(plain, template.get(CKA.VALUE_LEN), row.padsWrappedKeys)],
  ])
}

/** Zeros that fill a key up to a block: at most 15. */
const MOST_FILLED = 15

function withoutPadding(
  plain: Uint8Array,
  length: Value | undefined,
  zeros: Mechanism['padsWrappedKeys'],
): Uint8Array {
  if (zeros === undefined || typeof length !== 'number' || length >= plain.length) return plain
  if (zeros === 'before') return plain.subarray(plain.length - length)
  if (plain.length - length <= MOST_FILLED) return plain.subarray(0, length)
  throw new CryptokiError(
    CKR.WRAPPED_KEY_LEN_RANGE,
    `CKA_VALUE_LEN is ${length}, ${plain.length} bytes were unwrapped`,
  )
}

async function unwrapKey(
  { surrender, work }: Call,
  session: Session,
  argument: MechanismArgument | null,
  unwrappingHandle: number,
  wrapped: Uint8Array | null,
  template: readonly Attribute[],
): Promise<number> {
  const row = mechanismFor(argument, 'unwrap', session.token.offered)
  const complaints = {
    handle: CKR.UNWRAPPING_KEY_HANDLE_INVALID,
    type: CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
  }
  const unwrapping = await keyFor(session, unwrappingHandle, row, 'UNWRAP', complaints)
  checkAsksForNoLogin(unwrapping)
  if (wrapped === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no wrapped key')
  if (wrapped.length > MOST_WRAPPED)
    throw new CryptokiError(
      CKR.WRAPPED_KEY_LEN_RANGE,
      `a wrapped key has at most ${MOST_WRAPPED} bytes`,
    )
  const prepared = plan(session, 'unwrap', template, {
    imposed: templateIn(unwrapping, CKA.UNWRAP_TEMPLATE),
  })
  const begin = { key: unwrapping, mechanism: argument as MechanismArgument }
  const plain = await work(() => row.unwrap(begin, wrapped, surrender))
  return keepOne(session, prepared, valuesOf(prepared, plain, row))
}

export const keys = {
  C_GenerateKey: generateKey,
  C_GenerateKeyPair: generateKeyPair,
  C_WrapKey: wrapKey,
  C_UnwrapKey: unwrapKey,
  C_DeriveKey: deriveKey,
} satisfies Implementations
