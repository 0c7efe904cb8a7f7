import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Attributes, Value } from '../../src/objects/object.ts'
import { shapeInArray } from '../../src/objects/rows.ts'
import { decode, deserialise, encode, type Kind, serialise } from '../../src/objects/values.ts'
import type { Attribute } from '../../src/standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION, CKA, CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { bytes, refuses, text } from './templates.ts'

const read = (kind: Kind, value: Attribute['value'], length?: number) =>
  decode(
    { name: 'CKA_TESTED', kind, ...(length === undefined ? {} : { length }) },
    value,
    shapeInArray,
  )

const good: [Kind, Uint8Array, Value][] = [
  ['bool', bytes(0), false],
  ['bool', bytes(1), true],
  ['ulong', bytes(1, 2, 0, 0, 0, 0, 0, 0), 0x201],
  ['ulong', bytes(0, 0, 0, 0, 1, 0, 0, 0), 2 ** 32],
  ['ulong', bytes(255, 255, 255, 255, 255, 255, 31, 0), Number.MAX_SAFE_INTEGER],
  ['ulong', new Uint8Array(8).fill(255), CK_UNAVAILABLE_INFORMATION],
  ['bytes', bytes(), bytes()],
  ['date', text('20260731'), text('20260731')],
  ['date', bytes(), bytes()],
  ['text', text('Schlüssel'), text('Schlüssel')],
  ['bigInteger', bytes(0, 1), bytes(0, 1)],
  ['ulongs', bytes(), []],
  ['ulongs', bytes(1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0), [1, 2]],
]

const bad: [Kind, Attribute['value']][] = [
  ['bool', bytes()],
  ['bool', bytes(2)],
  ['bool', bytes(1, 0, 0, 0, 0, 0, 0, 0)],
  ['bool', []],
  ['ulong', bytes(1, 0, 0, 0)],
  ['ulong', bytes()],
  ['ulong', bytes(0, 0, 0, 0, 0, 0, 32, 0)],
  ['date', text('2026073')],
  ['date', text('2026-7-1')],
  ['date', new Uint8Array(8)],
  ['text', bytes(0xff, 0xfe)],
  ['ulongs', bytes(1, 2, 3)],
  ['bytes', []],
  ['template', bytes(1)],
]

test('values of every kind are read and written again', () => {
  for (const [kind, encoded, value] of good) {
    assert.deepEqual(read(kind, encoded), value, kind)
    assert.deepEqual(encode(value), encoded, kind)
  }
})

test('a value of the wrong length or content is CKR_ATTRIBUTE_VALUE_INVALID', () => {
  for (const [kind, value] of bad) refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => read(kind, value))
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => read('bytes', bytes(1), 2))
})

test('a value does not change with the frame it came in', () => {
  for (const kind of ['bytes', 'text', 'bigInteger'] as const) {
    const frame = bytes(65)
    const value = read(kind, frame)
    frame[0] = 66
    assert.deepEqual(value, bytes(65))
  }
})

const nested = (depth: number): Attribute[] =>
  depth === 0 ? [] : [{ type: CKA.WRAP_TEMPLATE, value: nested(depth - 1) }]

test('attribute arrays are read 8 deep and no deeper', () => {
  const [deepest] = nested(8)
  const [deeper] = nested(9)
  assert.ok(deepest && deeper)
  assert.deepEqual([...(read('template', deepest.value) as Attributes).keys()], [CKA.WRAP_TEMPLATE])
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => read('template', deeper.value))
})

test('what is wrong inside an attribute array is found', () => {
  const array =
    (...value: Attribute[]) =>
    () =>
      read('template', value)
  const no = { type: CKA.SIGN, value: bytes(0) }
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, array({ type: CKA.SIGN, value: bytes(7) }))
  refuses(CKR.ATTRIBUTE_TYPE_INVALID, array({ type: 0x7fff0000, value: bytes(7) }))
  refuses(CKR.TEMPLATE_INCONSISTENT, array(no, { type: CKA.SIGN, value: bytes(1) }))
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, array(...Array.from({ length: 1025 }, () => no)))
  assert.deepEqual(array(no, no)(), new Map([[CKA.SIGN, false]]))
})

const ulong = fc.oneof(
  fc.nat(),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.constant(CK_UNAVAILABLE_INFORMATION),
)
const flat: fc.Arbitrary<Value> = fc.oneof(
  fc.boolean(),
  ulong,
  fc.uint8Array({ maxLength: 40 }),
  fc.array(ulong, { maxLength: 4 }),
)
const attributesOf = (value: fc.Arbitrary<Value>): fc.Arbitrary<Attributes> =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), value), { maxLength: 6 })
    .map((entries) => new Map(entries))

const anyAttributes = attributesOf(fc.oneof(flat, attributesOf(fc.oneof(flat, attributesOf(flat)))))

test('attributes come back from their stored form as they were', () => {
  fc.assert(
    fc.property(anyAttributes, (attributes) => {
      const stored = serialise(attributes)
      assert.deepEqual(deserialise(stored), attributes)
      assert.deepEqual(serialise(new Map([...attributes].reverse())), stored)
    }),
  )
})

/** Whatever the bytes, a stored object is read or CKR_DEVICE_ERROR. */
function readOrRefused(stored: Uint8Array): boolean {
  try {
    deserialise(stored)
    return true
  } catch (error) {
    assert.ok(error instanceof CryptokiError && error.rv === CKR.DEVICE_ERROR, String(error))
    return false
  }
}

test('a stored form that is cut short or goes on is CKR_DEVICE_ERROR', () => {
  fc.assert(
    fc.property(anyAttributes, fc.nat(), (attributes, cut) => {
      const stored = serialise(attributes)
      assert.equal(readOrRefused(stored.subarray(0, cut % stored.length)), false)
      assert.equal(readOrRefused(Uint8Array.from([...stored, 0])), false)
    }),
  )
})

test('any damage to a stored form is CKR_DEVICE_ERROR or still reads', () => {
  fc.assert(
    fc.property(anyAttributes, fc.nat(), fc.nat(255), (attributes, at, value) => {
      const stored = serialise(attributes)
      stored[at % stored.length] = value
      readOrRefused(stored)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
      readOrRefused(Uint8Array.from([1, ...rest]))
    }),
  )
})

test('a stored form of another version, or with arrays too deep, is CKR_DEVICE_ERROR', () => {
  refuses(CKR.DEVICE_ERROR, () => deserialise(bytes()))
  refuses(CKR.DEVICE_ERROR, () => deserialise(bytes(2, 0, 0, 0, 0)))
  const deep = (depth: number): Attributes =>
    depth === 0 ? new Map() : new Map([[CKA.WRAP_TEMPLATE, deep(depth - 1)]])
  assert.deepEqual(deserialise(serialise(deep(8))), deep(8))
  refuses(CKR.DEVICE_ERROR, () => deserialise(serialise(deep(9))))
})

test('a stored form says that it holds millions of attributes, and no memory is taken for them', () => {
  refuses(CKR.DEVICE_ERROR, () => deserialise(bytes(1, 255, 255, 255, 255)))
})
