import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fits, matches, searchable, searchTerms } from '../../src/objects/interpreter.ts'
import { encode } from '../../src/objects/values.ts'
import type { Attribute } from '../../src/standard/calls.ts'
import { CKA, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import {
  aesTemplate,
  attributesOf,
  bytes,
  made,
  objectOf,
  openAes,
  rsaPrivateTemplate,
  rsaPublicTemplate,
  templateOf,
  text,
  VALUE,
} from './templates.ts'

type Named = Parameters<typeof templateOf>[0]

const objects = [
  made('create', openAes),
  made('create', { ...aesTemplate, LABEL: text('closed'), ALLOWED_MECHANISMS: [CKM.AES_GCM] }),
  made('create', { ...rsaPublicTemplate, WRAP_TEMPLATE: attributesOf({ SIGN: true }) }),
  made('create', rsaPrivateTemplate),
  made('create', { CLASS: CKO.DATA, VALUE: new Uint8Array(65_536) }),
  made('create', { CLASS: CKO.DATA, VALUE: new Uint8Array(65_537) }),
].map(({ attributes }, index) => objectOf(attributes, `${index}`.repeat(32)))

const [openKey, closedKey, publicKey, , small, large] = objects as [
  (typeof objects)[0],
  (typeof objects)[0],
  (typeof objects)[0],
  (typeof objects)[0],
  (typeof objects)[0],
  (typeof objects)[0],
]

/** Whether an index over everything searchable finds an object. */
function isIndexed(object: typeof openKey, template: readonly Attribute[]): boolean {
  const terms = searchTerms(template)
  if (terms === 'never') return false
  const key = (type: number, value: Uint8Array) => `${type}:${Buffer.from(value).toString('hex')}`
  const index = new Set(
    Array.from(searchable(object.attributes, object.id), ([type, value]) => key(type, value)),
  )
  return terms.every(([type, value]) => index.has(key(type, value)))
}

/** Found in memory and in an index alike. */
function found(object: typeof openKey, template: readonly Attribute[]): boolean {
  const inMemory = matches(object, template)
  assert.equal(isIndexed(object, template), inMemory)
  return inMemory
}

const finds = (object: typeof openKey, template: Named) => found(object, templateOf(template))

test('an empty template finds everything', () => {
  for (const object of objects) assert.ok(found(object, []))
})

test('an object is found by any of its attributes and by all of them', () => {
  assert.ok(finds(closedKey, { CLASS: CKO.SECRET_KEY }))
  assert.ok(finds(closedKey, { LABEL: text('closed'), KEY_TYPE: CKK.AES, EXTRACTABLE: false }))
  assert.ok(finds(closedKey, { START_DATE: bytes(), ALLOWED_MECHANISMS: [CKM.AES_GCM] }))
  assert.ok(!finds(closedKey, { LABEL: text('closed'), EXTRACTABLE: true }))
  assert.ok(!finds(closedKey, { LABEL: text('close') }))
  assert.ok(!finds(closedKey, { ALLOWED_MECHANISMS: [CKM.AES_CBC] }))
})

test('a match is byte for byte', () => {
  assert.ok(!found(closedKey, [{ type: CKA.CLASS, value: bytes(4, 0, 0, 0) }]))
  assert.ok(!found(closedKey, [{ type: CKA.SENSITIVE, value: bytes(255) }]))
  assert.ok(!finds(publicKey, { PUBLIC_EXPONENT: bytes(0, 1, 0, 1) }))
})

test('an attribute that an object does not have finds nothing', () => {
  assert.ok(!finds(openKey, { MODULUS: bytes() }))
  assert.ok(!found(openKey, [{ type: 0x80001234, value: bytes() }]))
})

test('the value of a sensitive key is not found by guessing it', () => {
  assert.ok(finds(openKey, { VALUE }))
  assert.ok(!finds(closedKey, { VALUE }))
  assert.ok(!finds(closedKey, { VALUE: bytes(1) }))
})

test('an object is found by CKA_UNIQUE_ID', () => {
  assert.ok(finds(publicKey, { UNIQUE_ID: text('2'.repeat(32)) }))
  assert.ok(!finds(publicKey, { UNIQUE_ID: text('3'.repeat(32)) }))
})

test('attribute arrays and values above 64 KiB are not searched for', () => {
  assert.ok(!finds(publicKey, { WRAP_TEMPLATE: attributesOf({ SIGN: true }) }))
  assert.ok(finds(small, { VALUE: new Uint8Array(65_536) }))
  assert.ok(!finds(large, { VALUE: new Uint8Array(65_537) }))
})

test('the same attribute with two values finds nothing', () => {
  const twice = (first: Named, second: Named) => [...templateOf(first), ...templateOf(second)]
  assert.ok(found(openKey, twice({ CLASS: 4 }, { CLASS: 4 })))
  assert.ok(!found(openKey, twice({ CLASS: 4 }, { CLASS: 3 })))
})

/** Attributes of some object, sometimes with another value or of another type. */
const template: fc.Arbitrary<Attribute[]> = fc.array(
  fc
    .tuple(fc.constantFrom(...objects), fc.nat(), fc.option(fc.uint8Array({ maxLength: 9 })))
    .map(([{ attributes }, at, other]) => {
      const entries = [...attributes]
      const [type, value] = entries[at % entries.length] ?? [CKA.CLASS, CKO.DATA]
      return { type, value: other ?? encode(value) }
    }),
  { maxLength: 3 },
)

test('memory and index find the same', () => {
  fc.assert(
    fc.property(fc.constantFrom(...objects), template, (object, asked) => {
      found(object, asked)
    }),
  )
})

test('a key fits the template of a wrapping key when it has all attributes of it', () => {
  assert.ok(fits(openKey, attributesOf({})))
  assert.ok(fits(openKey, attributesOf({ EXTRACTABLE: true, KEY_TYPE: CKK.AES })))
  assert.ok(!fits(openKey, attributesOf({ EXTRACTABLE: true, KEY_TYPE: CKK.DES3 })))
  assert.ok(!fits(openKey, attributesOf({ MODULUS: VALUE })))
  assert.ok(fits(publicKey, attributesOf({ WRAP_TEMPLATE: attributesOf({ SIGN: true }) })))
  assert.ok(!fits(closedKey, attributesOf({ VALUE })))
})
