import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dataOf, type MechanismArgument, type Parameter } from '../../src/standard/calls.ts'
import { fieldsOf, structureFields } from '../../src/standard/layouts.ts'
import { structures } from '../../src/standard/structures.ts'
import {
  extensionCalls,
  readAnswer,
  readRequest,
  type WireCall,
  writeAnswer,
  writeRequest,
} from '../../src/wire/calls.ts'
import { layoutStructures, layoutsOf, namedStructures } from '../../src/wire/layouts.ts'
import { readBack, readParameter, writeBack } from '../../src/wire/parameters.ts'
import { Reader, WireError } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'
import {
  answersOf,
  backOf,
  inputsOf,
  names,
  parameterOf,
  parameters,
  plain,
} from './arbitraries.ts'

const RUNS = { numRuns: 40, seed: 20260101 }

const service = extensionCalls(namedStructures(parameters))
const client = extensionCalls(layoutStructures(layoutsOf(parameters)))

const callOf = (calls: typeof service, name: string): WireCall => {
  const call = [...calls.values()].find((call) => call.name === name)
  assert.ok(call)
  return call
}

/** The body of a message, without the frame around it. */
function bodyOf(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  write(writer)
  return Buffer.concat(writer.frame(1)).subarray(12)
}

for (const name of names.filter((name) => name !== 'C_Initialize')) {
  const asked = callOf(client, name)
  const served = callOf(service, name)

  test(`any inputs of ${name} arrive as they were given`, () => {
    fc.assert(
      fc.property(inputsOf(name), (inputs) => {
        const body = bodyOf((writer) => writeRequest(asked, writer, inputs))
        assert.ok(body.subarray(0, served.request.length).equals(served.request))
        const read = readRequest(served, new Reader(body, served.request.length))
        assert.deepEqual(plain(read), plain(inputs))
      }),
      RUNS,
    )
  })

  test(`any answer of ${name} arrives as it was given`, () => {
    fc.assert(
      fc.property(inputsOf(name), answersOf(name), (inputs, answer) => {
        const body = bodyOf((writer) => writeAnswer(served, writer, answer, inputs))
        const read = readAnswer(asked, new Reader(body, asked.answer.length), inputs)
        assert.deepEqual(plain(read), plain(answer))
      }),
      RUNS,
    )
  })
}

test('a request cut short anywhere, or with a byte more, is a WireError and nothing else', () => {
  for (const name of names) {
    const call = callOf(service, name)
    const inputs =
      name === 'C_Initialize'
        ? ['a program', 1, true, 50, true]
        : fc.sample(inputsOf(name), RUNS)[0]
    const body = bodyOf((writer) => writeRequest(call, writer, inputs ?? []))
    for (let end = call.request.length; end < body.length; end++)
      assert.throws(
        () => readRequest(call, new Reader(body.subarray(0, end), call.request.length)),
        WireError,
      )
    const longer = Buffer.concat([body, Buffer.of(0)])
    assert.throws(() => readRequest(call, new Reader(longer, call.request.length)), WireError)
  }
})

test('a signature is what docs/WIRE.md says', () => {
  const signatures = (name: string) => {
    const { request, answer } = callOf(service, name)
    return [request.subarray(8).toString(), answer.subarray(8).toString()]
  }
  assert.deepEqual(signatures('C_Initialize'), ['zuyuy', 'L'])
  assert.deepEqual(signatures('C_OpenSession'), ['uuy', 'u'])
  assert.deepEqual(signatures('C_InitToken'), ['ual', ''])
  assert.deepEqual(signatures('C_Encrypt'), ['udf', 'f'])
  assert.deepEqual(signatures('C_GenerateKeyPair'), ['uMAA', 'uu'])
  assert.deepEqual(signatures('C_GetAttributeValue'), ['uuQ', 'Q'])
  assert.deepEqual(signatures('C_FindObjects'), ['uh', 'h'])
  assert.deepEqual(signatures('C_GenerateRandom'), ['ug', 'g'])
  assert.deepEqual(signatures('C_GetSlotList'), ['yn', 'n'])
  assert.deepEqual(signatures('C_GetTokenInfo'), ['u', 'S'])
  assert.deepEqual(signatures('C_EncryptMessage'), ['uPadf', 'f'])
  assert.deepEqual(signatures('C_AsyncJoin'), ['uzuf', ''])
  assert.deepEqual(signatures('C_AsyncComplete'), ['uzy', 'D'])
})

test('the bytes of a call are those of docs/WIRE.md', () => {
  const gcm = { iv: Buffer.from('aabb', 'hex'), ivBits: 16, aad: new Uint8Array(0), tagBits: 128 }
  const type = parameters.find(([, name]) => name === 'CK_GCM_PARAMS')?.[0] ?? 0
  const body = bodyOf((writer) =>
    writeRequest(callOf(client, 'C_EncryptInit'), writer, [7, { type, parameter: gcm }, 2 ** 64]),
  )
  const expected = [
    '5300001d', // C_EncryptInit is the 29th
    '00000003754d75', // uMu
    '0000000000000007',
    `00000000${type.toString(16)}02`,
    '00000002aabb',
    '0000000000000010',
    '00000000',
    '0000000000000080',
    'ffffffffffffffff',
  ]
  assert.equal(body.toString('hex'), expected.join(''))
})

test('text goes out padded with blanks and comes back without them', () => {
  const call = callOf(service, 'C_GetSlotInfo')
  const info = {
    slotDescription: 'a slot',
    manufacturerID: Buffer.from('Softoki'),
    flags: 5,
    hardwareVersion: { major: 1, minor: 2 },
    firmwareVersion: { major: 3, minor: 4 },
  }
  const body = bodyOf((writer) => writeAnswer(call, writer, info, []))
  assert.equal(body.length - call.answer.length, 64 + 32 + 8 + 4)
  assert.equal(body.subarray(call.answer.length, -12 - 32).toString(), 'a slot'.padEnd(64))
  const read = readAnswer(call, new Reader(body, call.answer.length), [])
  assert.deepEqual(read, { ...info, manufacturerID: 'Softoki' })
})

test('values that go back arrive as they were given, for every structure with such values', () => {
  const written = parameters.filter(([, name]) => structureFields(name)?.some((f) => f.written))
  assert.ok(written.length > 10)
  for (const [, name] of written) {
    const fields = structureFields(name) ?? []
    const both = parameterOf(name).chain((sent) =>
      fc.tuple(fc.constant(sent), backOf(fields, sent)),
    )
    fc.assert(
      fc.property(both, ([sent, values]) => {
        const body = bodyOf((writer) => writeBack(writer, fields, sent, values))
        const reader = new Reader(body)
        const read = readBack(reader, fields, sent)
        reader.end()
        assert.deepEqual(plain(read), plain(values))
      }),
      RUNS,
    )
  }
})

test('the mechanism of a request tells what goes back through its connection', () => {
  const call = callOf(service, 'C_DeriveKey')
  const type = parameters.find(([, name]) => name === 'CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS')
  const parameter = {
    prfHashMechanism: 1,
    sessionHash: Buffer.from('hash'),
    version: { major: 9, minor: 9 },
  }
  const inputs = [1, { type: type?.[0] ?? 0, parameter }, 2, []]
  const body = bodyOf((writer) => writeRequest(callOf(client, 'C_DeriveKey'), writer, inputs))
  const sent: Buffer[] = []
  const remote = {
    remote: dataOf as never,
    lent: dataOf as never,
    back: (write: never) => void sent.push(bodyOf(write)),
  }
  const read = readRequest(call, new Reader(body, call.request.length, remote))
  const argument = read[1] as MechanismArgument
  assert.deepEqual((argument.parameter as Parameter).version, { major: 0, minor: 0 })
  argument.answer?.({ version: { major: 3, minor: 3 } })
  assert.deepEqual(
    sent.map((bytes) => bytes.toString('hex')),
    ['010303'],
  )
})

test('structures five deep, 257 in one array or 64 KiB of zeros and one end the connection', () => {
  const deep = fieldsOf('{{{{u}}}}')
  assert.throws(() => readParameter(new Reader(Buffer.alloc(8)), deep), WireError)
  assert.deepEqual(readParameter(new Reader(Buffer.alloc(8)), fieldsOf('{{{u}}}')), {
    0: { 1: { 2: { 3: 0 } } },
  })
  const u32 = (value: number) => Buffer.from(value.toString(16).padStart(8, '0'), 'hex')
  const many = (count: number) => Buffer.concat([u32(count), Buffer.alloc(12 * count)])
  readParameter(new Reader(many(256)), fieldsOf('a{up}'))
  assert.throws(() => readParameter(new Reader(many(257)), fieldsOf('a{up}')), WireError)
  const half = u32(32 << 10)
  const room = (...more: Buffer[]) => new Reader(Buffer.concat([half, half, ...more]))
  readParameter(room(u32(0)), fieldsOf('>r>r>r'))
  assert.throws(() => readParameter(room(u32(1)), fieldsOf('>r>r>r')), WireError)
})

test('attributes nine deep, or 1,025 in one array, or 16,385 in all end the connection', () => {
  const call = callOf(service, 'C_CreateObject')
  const reads = (template: unknown) => {
    const body = bodyOf((writer) => writeRequest(call, writer, [1, template]))
    return () => readRequest(call, new Reader(body, call.request.length))
  }
  const deep = (depth: number): unknown =>
    depth === 1 ? [] : [{ type: 1, value: deep(depth - 1) }]
  const many = (count: number, value: unknown = new Uint8Array(0)) =>
    Array.from({ length: count }, () => ({ type: 1, value }))
  reads(deep(8))()
  assert.throws(reads(deep(9)), WireError)
  reads(many(1024))()
  assert.throws(reads(many(1025)), WireError)
  reads(many(15, many(1024)))()
  assert.throws(reads(many(16, many(1024))), WireError)
})

test('a count or a length that the message does not hold takes no memory', () => {
  const call = callOf(service, 'C_CreateObject')
  const body = Buffer.concat([call.request, Buffer.alloc(8), Buffer.from('fffffffe', 'hex')])
  const before = process.memoryUsage().arrayBuffers
  assert.throws(() => readRequest(call, new Reader(body, call.request.length)), WireError)
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20)
})

test('every structure that flattens has as many values as its layout', () => {
  for (const [name, { layout, names }] of Object.entries(structures))
    if (layout !== null)
      assert.equal(layout.match(/\*[uv]|[uyvfpqrsbt{]/g)?.length, names.length, name)
})
