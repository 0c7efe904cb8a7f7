/** Object management functions. PKCS #11 3.2, 5.7. */
import { copy, mayDestroy, set } from '../objects/changing.ts'
import { type CryptokiObject, isPrivateObject, isTokenObject } from '../objects/object.ts'
import { get } from '../objects/reading.ts'
import { storedSize } from '../objects/serialisation.ts'
import { after } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Attribute } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Implementations } from './implementation.ts'
import { checkMayChange, keepCopy, keepOne, plan, whoAsks } from './new-objects.ts'

/** Handles that one C_FindObjects answers at most; a program that asks for more calls again. */
const MOST_FOUND = 4096

const noObject = (handle: number) =>
  new CryptokiError(CKR.OBJECT_HANDLE_INVALID, `there is no object ${handle}`)

function objectOf(session: Session, handle: number): CryptokiObject | Promise<CryptokiObject> {
  return after(session.membership.object(handle), (object) => {
    if (object === undefined) throw noObject(handle)
    return object
  })
}

/** The object behind a handle, where this session may change or destroy it. */
async function changeable(session: Session, handle: number): Promise<CryptokiObject> {
  const object = await objectOf(session, handle)
  checkMayChange(session, isTokenObject(object), isPrivateObject(object))
  return object
}

async function destroy(session: Session, handle: number): Promise<undefined> {
  const object = await changeable(session, handle)
  mayDestroy(object)
  // The token tells every application that has it in use, this one too.
  if (!isTokenObject(object)) session.membership.destroyed(object.id)
  else if (!(await session.token.objects.destroy(object.id))) throw noObject(handle)
}

async function change(
  session: Session,
  handle: number,
  template: readonly Attribute[],
): Promise<undefined> {
  await changeable(session, handle)
  const isThere = await session.membership.change(handle, (object) =>
    set(object, template, whoAsks(session)),
  )
  if (!isThere) throw noObject(handle)
}

export const objects = {
  C_CreateObject: (_call, session, template) =>
    keepOne(session, plan(session, 'create', template, {}), new Map()),

  C_CopyObject: (_call, session, handle, template) =>
    after(objectOf(session, handle), (object) =>
      keepCopy(session, copy(object, template, whoAsks(session))),
    ),

  C_DestroyObject: (_call, session, handle) => destroy(session, handle),

  C_GetObjectSize: (_call, session, handle) =>
    after(objectOf(session, handle), ({ attributes }) => storedSize(attributes)),

  C_GetAttributeValue: (_call, session, handle, queries) =>
    after(objectOf(session, handle), (object) => get(object, queries)),

  C_SetAttributeValue: (_call, session, handle, template) => change(session, handle, template),

  C_FindObjectsInit: async (_call, session, template) => {
    if (session.search !== undefined)
      throw new CryptokiError(
        CKR.OPERATION_ACTIVE,
        `a search is active in session ${session.handle}`,
      )
    session.search = { handles: await session.membership.find(template), at: 0 }
    return undefined
  },

  C_FindObjects: (_call, session, most) => {
    const { search } = session
    if (search === undefined)
      throw new CryptokiError(CKR.OPERATION_NOT_INITIALIZED, 'no search is active')
    const found = search.handles.slice(search.at, search.at + Math.min(most, MOST_FOUND))
    search.at += found.length
    return found
  },

  C_FindObjectsFinal: (_call, session) => {
    if (session.search === undefined)
      throw new CryptokiError(CKR.OPERATION_NOT_INITIALIZED, 'no search is active')
    session.search = undefined
    return undefined
  },
} satisfies Implementations
