import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objectClasses, ofTheToken, typeAttributes } from '../../src/objects/classes.ts'
import { copy, finish, get, matches, prepare, set } from '../../src/objects/interpreter.ts'
import type { Value } from '../../src/objects/object.ts'
import { allRows, type Row, type Rows, rowsFor } from '../../src/objects/rows.ts'
import { tables } from '../../src/objects/tables.ts'
import { deserialise, encode, serialise } from '../../src/objects/values.ts'
import { attributeTables } from '../../src/standard/attributes.ts'
import type { Attribute } from '../../src/standard/calls.ts'
import { CKA, CKK, CKO, CKR } from '../../src/standard/constants.ts'
import { bytes, objectOf, refuses, templateOf, text, user } from './templates.ts'

const nameOf = ({ of }: Rows) => `class ${of.class}, type ${of.type}`

test('every attribute table of the standard makes up some class of objects', () => {
  const used = new Set(objectClasses.flatMap((objectClass) => objectClass.tables))
  assert.deepEqual(
    [...tables.keys()].filter((table) => !used.has(table)),
    [],
  )
  // Each table of the standard is there under a name of its own.
  const own = [...tables.keys()].filter((table) => !/Encapsulating|Decapsulating/.test(table))
  assert.equal(own.length, attributeTables.length)
})

/** Attributes of the header that no object here has, and why. */
const unused: Record<string, string> = {
  SECONDARY_AUTH: 'deprecated in 2.20',
  AUTH_PIN_FLAGS: 'deprecated in 2.20',
  VENDOR_DEFINED: 'where the attributes of vendors begin',
}

test('every attribute of the standard belongs to some object', () => {
  const held = new Set(allRows.flatMap((rows) => [...rows.keys()]))
  const lacking = Object.entries(CKA).filter(([name, type]) => !held.has(type) && !(name in unused))
  assert.deepEqual(lacking, [])
})

test('every key type of the standard that has a table has objects', () => {
  const types = new Set(objectClasses.map(({ type }) => type))
  const historical = ['KEA', 'CAST', 'CAST3', 'RC5', 'SKIPJACK', 'BATON', 'JUNIPER', 'CDMF']
  historical.push('VENDOR_DEFINED')
  const lacking = Object.entries(CKK).filter(([, type]) => !types.has(type))
  assert.deepEqual(
    lacking.map(([name]) => name),
    historical.filter((name) => name in CKK),
  )
})

test('every row has a kind, and a default of that kind', () => {
  const samples: Record<Row['kind'], (value: Value) => boolean> = {
    bool: (value) => typeof value === 'boolean',
    ulong: (value) => typeof value === 'number',
    bytes: (value) => value instanceof Uint8Array,
    date: (value) => value instanceof Uint8Array,
    text: (value) => value instanceof Uint8Array,
    bigInteger: (value) => value instanceof Uint8Array,
    ulongs: Array.isArray,
    template: (value) => value instanceof Map,
  }
  for (const rows of allRows)
    for (const row of rows.values()) {
      const isOfKind = samples[row.kind]
      assert.ok(row.initial === undefined || isOfKind(row.initial), `${nameOf(rows)} ${row.name}`)
    }
})

/** Something valid for a row; a footnote 1 to 13 must not be all that keeps an object from existing. */
function sampleOf(row: Row): Value {
  if (row.kind === 'bool') return true
  if (row.kind === 'ulong') return [...(row.values ?? [1])][0] ?? 1
  if (row.kind === 'ulongs') return [1]
  if (row.kind === 'template') return new Map()
  if (row.kind === 'date') return text('20260731')
  return row.kind === 'text' ? text('x') : bytes(...new Array(row.length ?? 3).fill(1))
}

function minimalTemplate(rows: Rows): Attribute[] {
  const needed = [...rows.values()].filter(
    (row) => row.create === 'must' || rows.of.oneOf?.includes(row.name),
  )
  const typeAttribute = typeAttributes.get(rows.of.class)
  const kind: [number, Value][] = [[CKA.CLASS, rows.of.class]]
  if (typeAttribute !== undefined) kind.push([typeAttribute, rows.of.type ?? 1])
  const values = new Map([
    ...needed.map((row): [number, Value] => [row.type, sampleOf(row)]),
    ...kind,
  ])
  return Array.from(values, ([type, value]) => ({ type, value: encode(value) }))
}

/** An HSS key must be unextractable, which is the default; nothing else needs more than its rows. */
test('objects of every kind are made, read, found, stored, changed and copied by rows alone', () => {
  for (const rows of allRows) {
    const how = ofTheToken.has(rows.of.class) ? 'token' : 'create'
    const object = objectOf(finish(prepare(how, minimalTemplate(rows), {}, user)))
    const told = get(object, [{ type: CKA.CLASS, room: 8 }])
    assert.equal(told.rv, CKR.OK, nameOf(rows))
    assert.ok(matches(object, templateOf({ CLASS: rows.of.class })), nameOf(rows))
    assert.deepEqual(deserialise(serialise(object.attributes)), object.attributes)
    const label = templateOf({ LABEL: text('changed') })
    if (how === 'token') refuses(CKR.ACTION_PROHIBITED, () => set(object, label, user))
    else assert.deepEqual(set(object, label, user).get(CKA.LABEL), text('changed'))
    if (object.attributes.get(CKA.COPYABLE) === true)
      assert.deepEqual(copy(object, [], user), object.attributes)
    else refuses(CKR.ACTION_PROHIBITED, () => copy(object, [], user))
  }
})

test('every kind of object lacks nothing but what it was not given', () => {
  for (const rows of allRows) {
    const how = ofTheToken.has(rows.of.class) ? 'token' : 'create'
    if (how === 'token') continue
    const template = minimalTemplate(rows)
    for (const { type } of template) {
      const row = rows.get(type)
      if (row?.create !== 'must') continue
      refuses(CKR.TEMPLATE_INCOMPLETE, () =>
        prepare(
          'create',
          template.filter((attribute) => attribute.type !== type),
          {},
          user,
        ),
      )
    }
  }
})

test('a class or type that nobody knows is CKR_ATTRIBUTE_VALUE_INVALID, a missing one incomplete', () => {
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => rowsFor(0x77, undefined))
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => rowsFor(CKO.SECRET_KEY, 0x7777))
  refuses(CKR.TEMPLATE_INCOMPLETE, () => rowsFor(CKO.SECRET_KEY, undefined))
  const create = (values: Parameters<typeof templateOf>[0]) => () =>
    prepare('create', templateOf(values), {}, user)
  refuses(CKR.TEMPLATE_INCOMPLETE, create({ LABEL: text('x') }))
  refuses(CKR.TEMPLATE_INCOMPLETE, create({ CLASS: CKO.PUBLIC_KEY }))
  refuses(CKR.TEMPLATE_INCOMPLETE, create({ CLASS: CKO.CERTIFICATE }))
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, create({ CLASS: CKO.VENDOR_DEFINED }))
})

test('objects that tell about the token are made by the token alone', () => {
  const profile = templateOf({ CLASS: CKO.PROFILE, PROFILE_ID: 1 })
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => prepare('create', profile, {}, user))
  const object = objectOf(finish(prepare('token', profile, {}, user)))
  assert.ok(matches(object, templateOf({ CLASS: CKO.PROFILE, TOKEN: true, PRIVATE: false })))
})

test('a key for one HMAC has the attributes of a generic secret', () => {
  const generic = rowsFor(CKO.SECRET_KEY, CKK.GENERIC_SECRET)
  for (const type of [CKK.SHA_1_HMAC, CKK.SHA256_HMAC, CKK.SHA3_512_HMAC, CKK.SHA512_T_HMAC])
    assert.deepEqual([...rowsFor(CKO.SECRET_KEY, type)], [...generic])
})
