/** Wrapping and unwrapping keys, with and without additional data. PKCS #11 3.2, 5.18.3, 5.18.4, 5.18.6 and 5.18.7. */
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
import type { Call } from './implementation.ts'
import { checkAsksForNoLogin, keyFor, keyOf, templateIn } from './keys-in-use.ts'
import { keepOne, plan } from './new-objects.ts'

/** Bytes of a wrapped key at most: a PKCS #8 PrivateKeyInfo of RSA-16384 has about 10,000. */
const MOST_WRAPPED = 64 << 10

const NOTHING = new Uint8Array(0)

/** 6.53: OTP keys have all that secret keys have. */
const SECRET_CLASSES: ReadonlySet<number | undefined> = new Set([CKO.SECRET_KEY, CKO.OTP_KEY])

/** A secret key's value, a private key's PrivateKeyInfo. 5.18.3. */
function plainOf(key: CryptokiObject): Uint8Array {
  const objectClass = numberOf(key, CKA.CLASS)
  if (SECRET_CLASSES.has(objectClass)) return bytesOf(key, CKA.VALUE) ?? new Uint8Array(0)
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

/** The wrapping key, and the bytes of a key that it may wrap. */
async function toWrap(
  session: Session,
  row: Mechanism,
  wrappingHandle: number,
  handle: number,
): Promise<{ wrapping: CryptokiObject; plain: Uint8Array }> {
  const wrapping = await keyFor(session, wrappingHandle, row, 'WRAP', {
    handle: CKR.WRAPPING_KEY_HANDLE_INVALID,
    type: CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
  })
  const key = await keyOf(session, handle)
  checkMayWrap(wrapping, key)
  return { wrapping, plain: plainOf(key) }
}

export async function wrapKey(
  { surrender }: Call,
  session: Session,
  argument: MechanismArgument | null,
  wrappingHandle: number,
  handle: number,
  room: Room,
): Promise<Filled> {
  const row = mechanismFor(argument, 'wrap', session.token.offered)
  const { wrapping, plain } = await toWrap(session, row, wrappingHandle, handle)
  const begin = { key: wrapping, mechanism: argument as MechanismArgument }
  const wrapped = await row.wrap(begin, plain, surrender)
  return fill(wrapped.length, room, () => wrapped)
}

export async function wrapKeyAuthenticated(
  { surrender }: Call,
  session: Session,
  argument: MechanismArgument | null,
  wrappingHandle: number,
  handle: number,
  associatedData: Uint8Array | null,
  room: Room,
): Promise<Filled> {
  const row = mechanismFor(argument, 'wrapAuthenticated', session.token.offered)
  const { wrapping, plain } = await toWrap(session, row, wrappingHandle, handle)
  const parameter = argument as MechanismArgument
  const begin = { parameter, associatedData: associatedData ?? NOTHING }
  return fill(plain.length, room, () => row.wrapAuthenticated(wrapping, begin, plain, surrender))
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
  if (!SECRET_CLASSES.has(objectClass))
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

/** What unwrapping has besides its mechanism. */
interface Unwrapping {
  readonly handle: number
  readonly wrapped: Uint8Array | null
  readonly template: readonly Attribute[]
}

/** Checks everything, unwraps with what `open` does with the unwrapping key, and keeps the key. */
async function unwrapWith(
  { work }: Call,
  session: Session,
  row: Mechanism,
  { handle, wrapped, template }: Unwrapping,
  open: (key: CryptokiObject, wrapped: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Promise<number> {
  const unwrapping = await keyFor(session, handle, row, 'UNWRAP', {
    handle: CKR.UNWRAPPING_KEY_HANDLE_INVALID,
    type: CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
  })
  checkAsksForNoLogin(unwrapping)
  if (wrapped === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no wrapped key')
  if (wrapped.length > MOST_WRAPPED)
    throw new CryptokiError(
      CKR.WRAPPED_KEY_LEN_RANGE,
      `a wrapped key has at most ${MOST_WRAPPED} bytes`,
    )
  const imposed = templateIn(unwrapping, CKA.UNWRAP_TEMPLATE)
  const prepared = plan(session, 'unwrap', template, { imposed })
  const plain = await work(() => open(unwrapping, wrapped))
  return keepOne(session, prepared, valuesOf(prepared, plain, row))
}

export function unwrapKey(
  call: Call,
  session: Session,
  argument: MechanismArgument | null,
  handle: number,
  wrapped: Uint8Array | null,
  template: readonly Attribute[],
): Promise<number> {
  const row = mechanismFor(argument, 'unwrap', session.token.offered)
  const mechanism = argument as MechanismArgument
  return unwrapWith(call, session, row, { handle, wrapped, template }, (key, bytes) =>
    row.unwrap({ key, mechanism }, bytes, call.surrender),
  )
}

export function unwrapKeyAuthenticated(
  call: Call,
  session: Session,
  argument: MechanismArgument | null,
  handle: number,
  wrapped: Uint8Array | null,
  template: readonly Attribute[],
  associatedData: Uint8Array | null,
): Promise<number> {
  const row = mechanismFor(argument, 'unwrapAuthenticated', session.token.offered)
  const parameter = argument as MechanismArgument
  const begin = { parameter, associatedData: associatedData ?? NOTHING }
  return unwrapWith(call, session, row, { handle, wrapped, template }, (key, bytes) =>
    row.unwrapAuthenticated(key, begin, bytes, call.surrender),
  )
}
