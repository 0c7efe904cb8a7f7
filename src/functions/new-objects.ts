/**
 * How every new object comes to be: its template is checked before any work begins, its values are
 * completed by its key type, and it is kept whole or not at all. PKCS #11 3.2, 4.1.1.
 */
import { WrongKeyValue } from '../mechanisms/secret-keys.ts'
import { keyTypes } from '../mechanisms/table.ts'
import { completeCertificate } from '../objects/certificates.ts'
import {
  type Complete,
  finish,
  type Given,
  type How,
  type Prepared,
  prepare,
} from '../objects/creation.ts'
import {
  type Attributes,
  type CryptokiObject,
  isPrivateObject,
  isTokenObject,
} from '../objects/object.ts'
import type { Session } from '../sessions/session.ts'
import type { Attribute } from '../standard/calls.ts'
import { CKA, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { newObjectId } from '../tokens/objects.ts'
import { KEY_CLASSES } from './keys-in-use.ts'

/** Token objects are made and changed in read/write sessions, private objects by the logged-in user. 5.7. */
export function checkMayChange(
  session: Session,
  tokenObject: boolean,
  privateObject: boolean,
): void {
  if (privateObject && session.membership.userKeys === undefined)
    throw new CryptokiError(CKR.USER_NOT_LOGGED_IN, 'private objects are for the logged-in user')
  if (tokenObject && !session.readWrite)
    throw new CryptokiError(
      CKR.SESSION_READ_ONLY,
      'token objects are made and changed in read/write sessions',
    )
}

/** Who asks, as the attribute rules see it. */
export const whoAsks = (session: Session) => ({ so: session.membership.login?.owner === 'so' })

const willBe = ({ template, rows }: Prepared, type: number): boolean =>
  (template.get(type) ?? rows.get(type)?.initial) === true

/** A template that has nothing wrong, for an object that this session may make. */
export function plan(
  session: Session,
  how: How,
  template: readonly Attribute[],
  given: Given,
): Prepared {
  const prepared = prepare(how, template, given, whoAsks(session))
  checkMayChange(session, willBe(prepared, CKA.TOKEN), willBe(prepared, CKA.PRIVATE))
  return prepared
}

/** A planned object and the values made for it. */
export interface Part {
  readonly prepared: Prepared
  readonly values: Attributes
  /** Throws where the object, complete but not yet kept, must not be. */
  readonly accept?: (object: CryptokiObject) => void
}

/** The classes whose values a key type judges: keys, and what keys are made from. */
const ofKeyType: ReadonlySet<number | undefined> = new Set([...KEY_CLASSES, CKO.DOMAIN_PARAMETERS])

/** What follows from the values of a certificate, or of a key as its key type works it out. */
function completion({ how, rows }: Prepared): Complete {
  const { class: objectClass, type } = rows.of
  if (objectClass === CKO.CERTIFICATE) return completeCertificate
  const keyType = ofKeyType.has(objectClass) ? keyTypes.get(type ?? -1) : undefined
  return (_class, attributes) => {
    try {
      return keyType?.complete?.(objectClass, attributes) ?? new Map()
    } catch (error) {
      throw asToldBy(how, error, objectClass)
    }
  }
}

/**
 * A value that is wrong came out of the wrapped key, not out of the template (5.18.4, 5.18.9); one
 * that encapsulation made does not fit the type that the template asks for (5.18.8).
 */
function asToldBy(how: How, error: unknown, objectClass: number): unknown {
  if (!(error instanceof CryptokiError) || error.rv !== CKR.ATTRIBUTE_VALUE_INVALID) return error
  if (how === 'encapsulate')
    return new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'no key of this type is encapsulated', {
      cause: error,
    })
  if (how !== 'unwrap' && how !== 'decapsulate') return error
  const isLength = objectClass === CKO.SECRET_KEY && !(error instanceof WrongKeyValue)
  const rv = isLength ? CKR.WRAPPED_KEY_LEN_RANGE : CKR.WRAPPED_KEY_INVALID
  return new CryptokiError(rv, 'what was unwrapped is no key of this type', { cause: error })
}

/** How bytes become keys that were none before. */
const FROM_BYTES: ReadonlySet<How> = new Set<How>(['derive', 'encapsulate', 'decapsulate'])

/** Their values as the key type has them. */
function corrected({ how, rows }: Prepared, values: Attributes): Attributes {
  const value = values.get(CKA.VALUE)
  const correct = keyTypes.get(rows.of.type ?? -1)?.correct
  if (!FROM_BYTES.has(how) || correct === undefined || !(value instanceof Uint8Array)) return values
  const copy = Uint8Array.from(value)
  correct(copy)
  return new Map([...values, [CKA.VALUE, copy]])
}

function objectOf({ prepared, values, accept }: Part): CryptokiObject {
  const attributes = finish(prepared, corrected(prepared, values), completion(prepared))
  const object = { id: newObjectId(), version: 1, attributes }
  accept?.(object)
  return object
}

/**
 * Keeps new objects, token objects of one call in one transaction, and answers their handles.
 * `keptOperation` is dropped with it.
 * The caller may have logged out while the values were made: what may be made is checked again.
 * `blame` is told which one it was whose template and values do not go together.
 */
export async function keep(
  session: Session,
  parts: readonly Part[],
  keptOperation?: number,
  blame: (at: number) => void = () => {},
): Promise<number[]> {
  const objects = parts.map((part, at) =>
    blaming(
      () => objectOf(part),
      () => blame(at),
    ),
  )
  return keepObjects(session, objects, keptOperation)
}

/** Does something, and where that fails says first whose fault it was. */
export function blaming<T>(work: () => T, blame: () => void): T {
  try {
    return work()
  } catch (error) {
    blame()
    throw error
  }
}

/** Keeps a copy, a new object with these attributes, and answers its handle. 5.7.2. */
export async function keepCopy(session: Session, attributes: Attributes): Promise<number> {
  const [handle] = await keepObjects(session, [{ id: newObjectId(), version: 1, attributes }])
  return handle as number
}

async function keepObjects(
  session: Session,
  objects: readonly CryptokiObject[],
  keptOperation?: number,
): Promise<number[]> {
  const { membership, token } = session
  for (const object of objects)
    checkMayChange(session, isTokenObject(object), isPrivateObject(object))
  const lasting = objects.filter(isTokenObject)
  if (lasting.length > 0) await token.objects.create(lasting, membership.userKeys, keptOperation)
  return objects.map((object) =>
    isTokenObject(object)
      ? membership.handleOf(object.id, isPrivateObject(object))
      : membership.keep(object, session),
  )
}

/** Keeps one object. */
export async function keepOne(
  session: Session,
  prepared: Prepared,
  values: Attributes,
  keptOperation?: number,
  accept?: Part['accept'],
): Promise<number> {
  const part = { prepared, values, ...(accept && { accept }) }
  const [handle] = await keep(session, [part], keptOperation)
  return handle as number
}
