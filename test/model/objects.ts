/** Rules of objects. PKCS #11 3.2, 4.1 and 5.7. */
import assert from 'node:assert/strict'
import type { Attribute, AttributeAnswer, AttributeQuery } from '../../src/standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION, CKA } from '../../src/standard/constants.ts'
import {
  done,
  type Expectation,
  grant,
  type Identify,
  type ModelSession,
  onSession,
  type ReturnValue,
  type Rules,
  refuse,
  unless,
} from './model.ts'
import { type Attributes, attributesOf, ModelObject } from './object.ts'

/** What stands in the way of making, changing or destroying an object: 5.7.1, 5.7.3, 5.7.6. */
const forbidden = ({ readWrite, application }: ModelSession, object: ModelObject) => ({
  USER_NOT_LOGGED_IN: object.isPrivate && application.login !== 'user',
  SESSION_READ_ONLY: object.is(CKA.TOKEN) && !readWrite,
})

/** A new object: its handle and its unique id are new. */
function created(session: ModelSession, object: ModelObject): Expectation<number> {
  return unless(forbidden(session, object), () =>
    grant(async (handle, identify) => {
      const { application } = session
      const owner = object.session === undefined ? application.token : application
      application.introduce(handle, object)
      owner.objects.add(object)
      object.id = (await identify(session.handle, handle)) ?? ''
      assert.match(object.id, /^[0-9a-f]{32}$/)
      const twins = application.visible().filter(({ id }) => id === object.id)
      assert.deepEqual(twins, [object], 'a unique id is that of one object')
    }),
  )
}

/** The rule of a function on an object: CKR_OBJECT_HANDLE_INVALID where there is none. */
const onObject = <Inputs extends unknown[], Answer>(
  rule: (session: ModelSession, object: ModelObject, ...inputs: Inputs) => Expectation<Answer>,
) =>
  onSession((session, handle: number, ...inputs: Inputs) => {
    const object = session.application.object(handle)
    return object === undefined ? refuse('OBJECT_HANDLE_INVALID') : rule(session, object, ...inputs)
  })

/** The five cases of 5.7.5. */
function told(object: ModelObject, { type, room }: AttributeQuery): [AttributeAnswer, ReturnValue] {
  const value = type === CKA.UNIQUE_ID ? Buffer.from(object.id) : object.attributes.get(type)
  const none = { type, value: null, length: CK_UNAVAILABLE_INFORMATION }
  if (object.hides(type)) return [none, 'ATTRIBUTE_SENSITIVE']
  if (value === undefined) return [none, 'ATTRIBUTE_TYPE_INVALID']
  if (room === null) return [{ type, value: null, length: value.length }, 'OK']
  if (room < value.length) return [none, 'BUFFER_TOO_SMALL']
  return [{ type, value, length: value.length }, 'OK']
}

/** A value as plain bytes, so that a Buffer and a Uint8Array of the same bytes are the same. */
const plain = ({ type, value, length }: AttributeAnswer) => ({
  type,
  length,
  value: value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
})

/** CKA_LABEL and usage change freely, CKA_SENSITIVE and CKA_EXTRACTABLE in one direction (4.1.2, 4.11). */
const FINAL = new Map<number, number>([
  [CKA.SENSITIVE, 1],
  [CKA.EXTRACTABLE, 0],
])
const FREE: ReadonlySet<number> = new Set([
  CKA.LABEL,
  CKA.ENCRYPT,
  CKA.DECRYPT,
  CKA.SIGN,
  CKA.VERIFY,
])

/** What a copy may have otherwise besides (4.4). */
const COPIED: ReadonlySet<number> = new Set([
  CKA.TOKEN,
  CKA.PRIVATE,
  CKA.MODIFIABLE,
  CKA.DESTROYABLE,
])

function mayBecome(
  before: Uint8Array,
  { type, value }: Attribute,
  others: ReadonlySet<number>,
): boolean {
  const final = FINAL.get(type)
  if (final === undefined) return FREE.has(type) || others.has(type)
  return before[0] !== final || (value as Uint8Array)[0] === final
}

const changed = (
  { attributes }: Pick<ModelObject, 'attributes'>,
  template: readonly Attribute[],
): Attributes => new Map([...attributes, ...attributesOf(template)])

const isTrue = (attributes: Attributes, type: number) => attributes.get(type)?.[0] === 1

/** What is wrong with new values for attributes of an object. */
function unfit(
  { attributes }: ModelObject,
  template: readonly Attribute[],
  others: ReadonlySet<number> = new Set(),
): Partial<Record<ReturnValue, boolean>> {
  const after = changed({ attributes }, template)
  const lacks = template.some(({ type }) => !attributes.has(type))
  const readOnly = template.some((attribute) => {
    const before = attributes.get(attribute.type)
    return before !== undefined && !mayBecome(before, attribute, others)
  })
  return {
    ATTRIBUTE_TYPE_INVALID: lacks,
    TEMPLATE_INCONSISTENT:
      lacks || (isTrue(after, CKA.ALWAYS_AUTHENTICATE) && !isTrue(after, CKA.PRIVATE)),
    ATTRIBUTE_READ_ONLY: readOnly,
  }
}

/** Finds out what a handle stands for, and takes it up where it is new. */
async function found(
  session: ModelSession,
  handle: number,
  among: ReadonlySet<ModelObject>,
  identify: Identify,
): Promise<ModelObject> {
  const { application } = session
  const known = application.given.get(handle)
  if (known !== undefined) return known
  const id = await identify(session.handle, handle)
  const object = [...among].find((one) => (id === undefined ? !one.alive : one.id === id))
  assert.ok(object, `handle ${handle} is of no object that was searched for`)
  if (id !== undefined) application.introduce(handle, object)
  return object
}

export const objectRules = {
  C_CreateObject: onSession((session, template) =>
    created(session, new ModelObject(attributesOf(template), session)),
  ),

  C_CopyObject: onObject((session, object, template) => {
    const wrong = {
      ...unfit(object, template, COPIED),
      ACTION_PROHIBITED: !object.is(CKA.COPYABLE),
      ...forbidden(session, new ModelObject(changed(object, template), session)),
    }
    return unless(wrong, () =>
      created(session, new ModelObject(changed(object, template), session)),
    )
  }),

  C_DestroyObject: onObject((session, object) => {
    const wrong = {
      ...forbidden(session, object),
      ACTION_PROHIBITED: !object.is(CKA.DESTROYABLE),
    }
    return unless(wrong, () => {
      session.application.destroy(object)
      return done
    })
  }),

  C_GetAttributeValue: onObject((_session, object, queries) => {
    const expected = queries.map((query) => told(object, query))
    const wrong = expected.flatMap(([, rv]) => (rv === 'OK' ? [] : [rv]))
    return {
      rv: wrong.length > 0 ? wrong : ['OK'],
      take: ({ answers }) =>
        assert.deepEqual(
          answers.map(plain),
          expected.map(([answer]) => plain(answer)),
        ),
    }
  }),

  C_SetAttributeValue: onObject((session, object, template) => {
    const wrong = {
      ...forbidden(session, object),
      ...unfit(object, template),
      ACTION_PROHIBITED: !object.is(CKA.MODIFIABLE),
    }
    return unless(wrong, () => {
      object.attributes = changed(object, template)
      return done
    })
  }),

  C_FindObjectsInit: onSession((session, template) => {
    if (session.search !== undefined) return refuse('OPERATION_ACTIVE')
    const matching = session.application.visible().filter((object) => object.matches(template))
    session.search = { left: new Set(matching) }
    return done
  }),

  /** 5.7.8. An object that was destroyed meanwhile may be told of with an invalid handle. */
  C_FindObjects: onSession((session, most) => {
    const { search } = session
    if (search === undefined) return refuse('OPERATION_NOT_INITIALIZED')
    return grant(async (handles, identify) => {
      assert.equal(handles.length, Math.min(most, search.left.size))
      for (const handle of handles) {
        const object = await found(session, handle, search.left, identify)
        assert.ok(search.left.delete(object), `object ${handle} does not match, or came twice`)
      }
    })
  }),

  C_FindObjectsFinal: onSession((session) => {
    if (session.search === undefined) return refuse('OPERATION_NOT_INITIALIZED')
    session.search = undefined
    return done
  }),
} satisfies Rules
