import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get } from '../../src/objects/interpreter.ts'
import { encode } from '../../src/objects/values.ts'
import type { AttributeQuery } from '../../src/standard/calls.ts'
import {
  CK_UNAVAILABLE_INFORMATION,
  CKA,
  CKK,
  CKM,
  CKO,
  CKR,
} from '../../src/standard/constants.ts'
import {
  aesTemplate,
  attributesOf,
  bytes,
  made,
  objectOf,
  openAes,
  rsaPrivateTemplate,
  text,
  VALUE,
} from './templates.ts'

const open = made('create', openAes)

const one = (object: typeof open, query: AttributeQuery) => {
  const { answers, rv } = get(object, [query])
  const [answer] = answers
  assert.ok(answer)
  return { ...answer, rv }
}

const missing = { value: null, length: CK_UNAVAILABLE_INFORMATION }

test('case 1 and footnote 7: a sensitive or unextractable key does not tell its value', () => {
  for (const policy of [
    { SENSITIVE: true, EXTRACTABLE: true },
    { SENSITIVE: false, EXTRACTABLE: false },
    {},
  ])
    for (const room of [null, 0, 100]) {
      const key = made('create', { ...aesTemplate, ...policy })
      const answer = one(key, { type: CKA.VALUE, room })
      assert.deepEqual(answer, { type: CKA.VALUE, ...missing, rv: CKR.ATTRIBUTE_SENSITIVE })
    }
  assert.deepEqual(one(open, { type: CKA.VALUE, room: 16 }).value, VALUE)
})

test('footnote 7: whether a sensitive key has a secret attribute is not told either', () => {
  const key = made('create', rsaPrivateTemplate)
  assert.equal(one(key, { type: CKA.PRIME_1, room: null }).rv, CKR.ATTRIBUTE_SENSITIVE)
  assert.equal(one(key, { type: CKA.MODULUS, room: null }).rv, CKR.OK)
})

test('case 2: an attribute that the object does not have is CKR_ATTRIBUTE_TYPE_INVALID', () => {
  for (const type of [CKA.MODULUS, CKA.WRAP_TEMPLATE, 0x80001234])
    assert.deepEqual(one(open, { type, room: 100 }), {
      type,
      ...missing,
      rv: CKR.ATTRIBUTE_TYPE_INVALID,
    })
})

test('case 3: without room the length is told', () => {
  const length = (type: number) => one(open, { type, room: null })
  assert.deepEqual(length(CKA.VALUE), { type: CKA.VALUE, value: null, length: 16, rv: CKR.OK })
  assert.equal(length(CKA.CLASS).length, 8)
  assert.equal(length(CKA.SIGN).length, 1)
  assert.equal(length(CKA.LABEL).length, 0)
})

test('case 4: with enough room the value is told with its own length', () => {
  assert.deepEqual(one(open, { type: CKA.CLASS, room: 100 }), {
    type: CKA.CLASS,
    value: bytes(CKO.SECRET_KEY, 0, 0, 0, 0, 0, 0, 0),
    length: 8,
    rv: CKR.OK,
  })
  assert.deepEqual(one(open, { type: CKA.SIGN, room: 1 }).value, bytes(1))
  assert.deepEqual(one(open, { type: CKA.LABEL, room: 0 }).value, bytes())
  const unknown = one(open, { type: CKA.KEY_GEN_MECHANISM, room: 8 })
  assert.deepEqual(unknown.value, new Uint8Array(8).fill(255))
})

test('case 5: with too little room the value is CKR_BUFFER_TOO_SMALL', () => {
  assert.deepEqual(one(open, { type: CKA.VALUE, room: 15 }), {
    type: CKA.VALUE,
    ...missing,
    rv: CKR.BUFFER_TOO_SMALL,
  })
})

test('every attribute is answered, whatever is wrong with another', () => {
  const key = made('create', aesTemplate)
  const queries = [
    { type: CKA.CLASS, room: 4 },
    { type: CKA.MODULUS, room: 4 },
    { type: CKA.VALUE, room: 100 },
    { type: CKA.SIGN, room: 1 },
  ]
  const told = get(key, queries)
  assert.equal(told.rv, CKR.ATTRIBUTE_SENSITIVE)
  assert.deepEqual(
    told.answers.map(({ length }) => length),
    [CK_UNAVAILABLE_INFORMATION, CK_UNAVAILABLE_INFORMATION, CK_UNAVAILABLE_INFORMATION, 1],
  )
  assert.equal(get(key, queries.slice(0, 2)).rv, CKR.ATTRIBUTE_TYPE_INVALID)
  assert.equal(get(key, queries.slice(0, 1)).rv, CKR.BUFFER_TOO_SMALL)
  assert.deepEqual(get(key, []), { answers: [], rv: CKR.OK })
})

test('CKA_UNIQUE_ID is the id of the object as text', () => {
  const object = objectOf(open.attributes, 'ab'.repeat(16))
  assert.deepEqual(one(object, { type: CKA.UNIQUE_ID, room: 32 }).value, text('ab'.repeat(16)))
})

test('allowed mechanisms are told as their numbers one after the other', () => {
  const ALLOWED_MECHANISMS = [CKM.AES_CBC, CKM.AES_GCM]
  const key = made('create', { ...openAes, ALLOWED_MECHANISMS })
  assert.deepEqual(
    one(key, { type: CKA.ALLOWED_MECHANISMS, room: 16 }).value,
    encode(ALLOWED_MECHANISMS),
  )
})

const WRAP_TEMPLATE = attributesOf({ KEY_TYPE: CKK.AES, EXTRACTABLE: true })
const wrapping = made('create', { ...openAes, WRAP_TEMPLATE })
const array = (...within: AttributeQuery[]) =>
  one(wrapping, { type: CKA.WRAP_TEMPLATE, room: within.length * 24, within })

test('an attribute array tells its length as that of its CK_ATTRIBUTEs', () => {
  const answer = one(wrapping, { type: CKA.WRAP_TEMPLATE, room: null })
  assert.deepEqual(answer, { type: CKA.WRAP_TEMPLATE, value: null, length: 48, rv: CKR.OK })
})

test('an attribute array tells lengths within where there is no room within', () => {
  const query = { type: 0, room: null }
  const { value, rv } = array(query, query)
  assert.equal(rv, CKR.OK)
  assert.deepEqual(value, [
    { type: CKA.KEY_TYPE, value: null, length: 8 },
    { type: CKA.EXTRACTABLE, value: null, length: 1 },
  ])
})

test('an attribute array tells its values, and ignores the types asked within', () => {
  const { value, length, rv } = array(
    { type: 99, room: 8 },
    { type: 98, room: 8 },
    { type: 0, room: 0 },
  )
  assert.equal(rv, CKR.OK)
  assert.equal(length, 48)
  assert.deepEqual(value, [
    { type: CKA.KEY_TYPE, value: encode(CKK.AES), length: 8 },
    { type: CKA.EXTRACTABLE, value: bytes(1), length: 1 },
  ])
})

test('an attribute array with too little room, outside or within, is CKR_BUFFER_TOO_SMALL', () => {
  assert.equal(array({ type: 0, room: 8 }).length, CK_UNAVAILABLE_INFORMATION)
  assert.equal(array({ type: 0, room: 8 }).rv, CKR.BUFFER_TOO_SMALL)
  const { value, rv } = array({ type: 0, room: 4 }, { type: 0, room: 1 })
  assert.equal(rv, CKR.BUFFER_TOO_SMALL)
  assert.deepEqual(value, [
    { type: CKA.KEY_TYPE, ...missing },
    { type: CKA.EXTRACTABLE, value: bytes(1), length: 1 },
  ])
})

test('arrays within arrays are told', () => {
  const inner = attributesOf({ WRAP_TEMPLATE: attributesOf({ SIGN: true }) })
  const key = made('create', { ...openAes, UNWRAP_TEMPLATE: inner })
  const deepest = { type: 0, room: 1 }
  const { value } = one(key, {
    type: CKA.UNWRAP_TEMPLATE,
    room: 24,
    within: [{ type: 0, room: 24, within: [deepest] }],
  })
  assert.deepEqual(value, [
    {
      type: CKA.WRAP_TEMPLATE,
      value: [{ type: CKA.SIGN, value: bytes(1), length: 1 }],
      length: 24,
    },
  ])
})
