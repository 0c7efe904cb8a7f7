import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CKA, CKM, CKR } from '../../src/standard/constants.ts'
import { readRequest, type WireCall, writeAnswer, writeRequest } from '../../src/wire/calls.ts'
import { p11kitCalls } from '../../src/wire/p11kit.ts'
import { Reader, WireError } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'
import { inputsOf, plain } from './arbitraries.ts'
import { type Acts, serve } from './dummy.ts'
import { p11kitInputs } from './p11kit-arbitraries.ts'

const RUNS = { numRuns: 40, seed: 20260102 }

const callOf = (name: string, version = 2): WireCall => {
  const call = [...p11kitCalls(version).values()].find((call) => call.name === name)
  assert.ok(call)
  return call
}

function bodyOf(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  write(writer)
  return Buffer.concat(writer.frame(1)).subarray(12)
}

for (const version of [0, 1, 2])
  test(`any inputs of a function arrive as they were given, in version ${version}`, () => {
    for (const call of p11kitCalls(version).values()) {
      if (call.name === 'C_Initialize') continue
      fc.assert(
        fc.property(inputsOf(call.name, p11kitInputs(version)), (inputs) => {
          const body = bodyOf((writer) => writeRequest(call, writer, inputs))
          const read = readRequest(call, new Reader(body, call.request.length))
          assert.deepEqual(plain(read), plain(inputs), call.name)
        }),
        RUNS,
      )
    }
  })

test('numbers and signatures are those of p11-kit', () => {
  const [calls, names] = [p11kitCalls(2), new Map<string, [number, string, string]>()]
  for (const [number, { name, request, answer }] of calls)
    if (!names.has(name))
      names.set(name, [number, request.toString('latin1', 8), answer.toString('latin1', 8)])
  assert.equal(calls.size, 89)
  assert.deepEqual(names.get('C_Initialize'), [1, 'ayyay', ''])
  assert.deepEqual(names.get('C_GetInfo'), [3, '', 'vsusv'])
  assert.deepEqual(names.get('C_GetTokenInfo'), [6, 'u', 'ssssuuuuuuuuuuuvvs'])
  assert.deepEqual(names.get('C_InitToken'), [9, 'uayz', ''])
  assert.deepEqual(names.get('C_OpenSession'), [10, 'uu', 'u'])
  assert.deepEqual(names.get('C_GetAttributeValue'), [24, 'uufA', 'aAu'])
  assert.deepEqual(names.get('C_GenerateKeyPair'), [59, 'uMaAaA', 'uu'])
  assert.deepEqual(names.get('C_WaitForSlotEvent'), [65, 'u', 'u'])
  assert.deepEqual(names.get('C_EncryptMessageNext'), [71, 'uayayfyu', 'ay'])
  assert.deepEqual(names.get('C_SignMessageNext'), [81, 'uayayyfy', 'ay'])
  assert.equal(calls.get(88)?.request.toString('latin1', 8), 'uays')
  assert.equal(calls.get(89)?.answer.toString('latin1', 8), 'uPu')
})

/** Reads the inputs of a call from hexadecimal. */
const inputs = (name: string, hex: string, version = 2) => {
  const call = callOf(name, version)
  const body = Buffer.concat([call.request, Buffer.from(hex.replaceAll(' ', ''), 'hex')])
  return readRequest(call, new Reader(body, call.request.length))
}

/** An answer in hexadecimal, without its head. */
const answer = (name: string, value: unknown, version = 2, given: unknown[] = []) => {
  const call = callOf(name, version)
  const body = bodyOf((writer) => writeAnswer(call, writer, value, given))
  return body.toString('hex', call.answer.length)
}

const ONE = '0000000000000001'

test('room of 0 asks for the length; all ones is room for nothing from version 1 on', () => {
  const room = (hex: string, version: number) => inputs('C_DigestFinal', ONE + hex, version)[1]
  assert.equal(room('00000000', 2), null)
  assert.equal(room('00000020', 2), 32)
  assert.equal(room('ffffffff', 2), 0)
  assert.equal(room('ffffffff', 1), 0)
  assert.equal(room('ffffffff', 0), 0xffffffff)
})

test('only the length is told without bytes, and a length of 0 with none', () => {
  assert.equal(answer('C_Sign', Buffer.from('abc')), '0100000003616263')
  assert.equal(answer('C_Sign', { needed: 256 }), '0000000100')
  assert.equal(answer('C_DecryptUpdate', { needed: 0 }), '0100000000')
  assert.equal(answer('C_GetSlotList', { needed: 2 }), '0000000002')
  assert.equal(answer('C_GetSlotList', { needed: 0 }), '0100000000')
  assert.equal(answer('C_GetSlotList', [1]), `0100000001${ONE}`)
  assert.equal(answer('C_FindObjects', []), '0100000000')
})

test('a NULL pointer is told from bytes of length 0', () => {
  const pin = (hex: string, version = 2) => inputs('C_InitPIN', ONE + hex, version)[1]
  assert.equal(pin('01 ffffffff'), null)
  assert.equal(pin('00 00000000', 0), null)
  assert.deepEqual(pin('01 00000000'), Buffer.alloc(0))
})

const templateOf = (hex: string, version = 2) => {
  const [, template] = inputs('C_CreateObject', ONE + hex, version)
  return plain(template)
}

test('attribute values become the bytes an application has in memory', () => {
  assert.deepEqual(templateOf('00000001 00000001 01 00000001 01'), [
    { type: CKA.TOKEN, value: 'bytes 01' },
  ])
  assert.deepEqual(templateOf('00000001 00000000 01 00000008 0000000000000004'), [
    { type: CKA.CLASS, value: 'bytes 0400000000000000' },
  ])
  assert.deepEqual(templateOf(`00000001 40000600 01 00000010 00000002 ${ONE} 0000000000000250`), [
    { type: CKA.ALLOWED_MECHANISMS, value: 'bytes 01000000000000005002000000000000' },
  ])
  assert.deepEqual(templateOf('00000001 00000003 01 00000003 00000003 61 62 63'), [
    { type: CKA.LABEL, value: 'bytes 616263' },
  ])
  assert.deepEqual(templateOf('00000001 00000003 00'), [{ type: CKA.LABEL, value: 'bytes ' }])
})

test('a CK_ULONG given with 4 bytes does not pass for one of 8', () => {
  assert.deepEqual(templateOf('00000001 00000000 01 00000004 0000000000000004'), [
    { type: CKA.CLASS, value: 'bytes 04000000' },
  ])
})

test('CKA_DERIVE_TEMPLATE is bytes in version 0 and attributes later', () => {
  assert.deepEqual(templateOf('00000001 40000213 01 00000002 00000002 aabb', 0), [
    { type: CKA.DERIVE_TEMPLATE, value: 'bytes aabb' },
  ])
  assert.deepEqual(
    templateOf('00000001 40000213 01 00000018 00000001 00000001 01 00000001 00', 1),
    [{ type: CKA.DERIVE_TEMPLATE, value: [{ type: CKA.TOKEN, value: 'bytes 00' }] }],
  )
})

const answered = (...answers: unknown[]) =>
  answer('C_GetAttributeValue', { answers, rv: CKR.OK }).slice(8, -16)

test('an attribute without a value keeps its length', () => {
  const lengthOnly = (type: number, length: number) => answered({ type, value: null, length })
  assert.equal(lengthOnly(CKA.TOKEN, 1), '000000010100000001 00'.replace(' ', ''))
  assert.equal(lengthOnly(CKA.CLASS, 8), `0000000001000000080000000000000000`)
  assert.equal(lengthOnly(CKA.MODULUS, 256), '000001200100000100ffffffff')
  assert.equal(lengthOnly(CKA.ALLOWED_MECHANISMS, 16), '40000600010000001000000000')
  assert.equal(lengthOnly(CKA.WRAP_TEMPLATE, 48), '40000211010000003000000000')
  assert.equal(lengthOnly(CKA.VALUE, 2 ** 64), '0000001100')
})

test('an attribute with its value, in an array too', () => {
  const yes = { type: CKA.TOKEN, value: Uint8Array.of(1), length: 1 }
  assert.equal(answered(yes), '00000001010000000101')
  const many = Buffer.from('5002000000000000', 'hex')
  assert.equal(
    answered({ type: CKA.ALLOWED_MECHANISMS, value: many, length: 8 }),
    '400006000100000008000000010000000000000250',
  )
  assert.equal(
    answered({ type: CKA.WRAP_TEMPLATE, value: [yes], length: 24 }),
    '40000211010000001800000001 00000001010000000101'.replace(' ', ''),
  )
})

const queries = (hex: string, version: number) =>
  inputs('C_GetAttributeValue', ONE + ONE + hex, version)[2]
const PLAIN_QUERY = { type: CKA.LABEL, room: 32 }

test('the queries within an attribute array are found whichever p11-kit sent them', () => {
  const array = '40000211 00000018'
  const within = '00000001 00000003 00000020'
  const label = '00000003 00000020'
  const nested = { type: CKA.WRAP_TEMPLATE, room: 24, within: [PLAIN_QUERY] }
  const length = { type: CKA.WRAP_TEMPLATE, room: null }
  // 0.24, 0.25.0 to 0.25.3: never; 0.25.4, 0.25.5: always; later: where it has room.
  for (const version of [0, 1])
    assert.deepEqual(queries(`00000002 ${array} ${label}`, version), [
      { type: CKA.WRAP_TEMPLATE, room: 24 },
      PLAIN_QUERY,
    ])
  for (const version of [1, 2])
    assert.deepEqual(queries(`00000002 ${array} ${within} ${label}`, version), [
      nested,
      PLAIN_QUERY,
    ])
  assert.deepEqual(queries(`00000002 40000211 00000000 00000000 ${label}`, 1), [
    length,
    PLAIN_QUERY,
  ])
  assert.deepEqual(queries(`00000002 40000211 00000000 ${label}`, 2), [length, PLAIN_QUERY])
  assert.throws(() => queries(`00000002 ${array} ${label}`, 2), WireError)
})

const mechanismOf = (hex: string, version = 2) =>
  plain(inputs('C_DigestInit', ONE + hex, version)[1])

test('a mechanism is read as the client of each version writes it', () => {
  const sha256 = { type: CKM.SHA256, parameter: null }
  assert.deepEqual(mechanismOf('00000250 ffffffff', 0), sha256)
  assert.deepEqual(mechanismOf('00000250 ffffffff', 1), sha256)
  assert.deepEqual(mechanismOf('00000250'), sha256)
  assert.equal(mechanismOf('ffffffff'), null)
  const pss = {
    type: CKM.RSA_PKCS_PSS,
    parameter: { hashAlg: CKM.SHA256, mgf: 2, sLen: 32 },
  }
  const values = '0000000000000250 0000000000000002 0000000000000020'
  assert.deepEqual(mechanismOf(`0000000d ${values}`, 0), pss)
  assert.deepEqual(mechanismOf(`0000000d 01 ${values}`), pss)
  assert.deepEqual(mechanismOf('0000000d 00'), { type: CKM.RSA_PKCS_PSS, parameter: null })
  assert.deepEqual(mechanismOf('00001082 01 00000002 aabb'), {
    type: CKM.AES_CBC,
    parameter: 'bytes aabb',
  })
  assert.deepEqual(mechanismOf('00000252 01 0000000000000010'), {
    type: CKM.SHA256_HMAC_GENERAL,
    parameter: 'bytes 1000000000000000',
  })
})

test('C_DeriveKey of version 2 tells success, whether there is a parameter, and the key', () => {
  const call = p11kitCalls(2).get(89)
  assert.ok(call)
  const told = (mechanism: unknown) =>
    bodyOf((writer) => writeAnswer(call, writer, 5, [1, mechanism, 2, []])).toString(
      'hex',
      call.answer.length,
    )
  const key = '0000000000000005'
  const ok = '0000000000000000'
  assert.equal(told({ type: CKM.ECDH1_DERIVE, parameter: {} }), `${ok}01${key}`)
  assert.equal(told({ type: CKM.ECDH1_DERIVE, parameter: null }), `${ok}00${key}`)
  assert.equal(told({ type: CKM.SHA256_KEY_DERIVATION, parameter: null }), `${ok}${key}`)
})

test('a label of any length becomes 32 bytes, and in version 1 must have them', () => {
  const label = (hex: string) => inputs('C_InitToken', `${ONE} 01ffffffff ${hex}`)[2]
  assert.deepEqual(label('00000002 6162'), Buffer.from('ab'.padEnd(32)))
  const long = Buffer.from('x'.repeat(40))
  assert.deepEqual(label(`00000028 ${long.toString('hex')}`), long.subarray(0, 32))
  const call = p11kitCalls(1).get(88)
  assert.ok(call)
  const short = Buffer.from(`${ONE}01ffffffff000000026162`, 'hex')
  const body = Buffer.concat([call.request, short])
  assert.throws(() => readRequest(call, new Reader(body, call.request.length)), WireError)
})

const HANDSHAKE = Buffer.from('PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1')

/** What the service answers to a version byte and C_Initialize with this handshake. */
async function greeted(version: number, handshake: Uint8Array, acts: Acts = {}) {
  const all = serve(acts)
  const call = callOf('C_Initialize')
  const body = bodyOf((writer) => writeRequest(call, writer, [handshake, true, Buffer.from('x\0')]))
  const header = Buffer.alloc(12)
  header.writeUInt32BE(0x10, 0)
  header.writeUInt32BE(body.length, 8)
  all.stream.write(Buffer.concat([Buffer.of(version), header, body]))
  let got = Buffer.alloc(0)
  for await (const chunk of all.stream.iterator({ destroyOnReturn: false })) {
    got = Buffer.concat([got, chunk])
    if (got.length >= 13 && got.length === 13 + got.readUInt32BE(9)) break
  }
  all.stream.destroy()
  return { ...all, version: got[0], reply: got.toString('hex', 13) }
}

test("the version in force is the lower of the client's and 2", async () => {
  for (const [sent, answered] of [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 2],
    [255, 2],
  ] as const) {
    const { version, reply, programs } = await greeted(sent, HANDSHAKE)
    assert.equal(version, answered)
    assert.equal(reply, '0000000100000000')
    assert.deepEqual(programs, ['p11-kit'])
  }
})

test('another handshake is CKR_GENERAL_ERROR', async () => {
  const { reply, programs } = await greeted(2, Buffer.from('hello'))
  assert.equal(reply, '000000000000000175 0000000000000005'.replace(' ', ''))
  assert.deepEqual(programs, [])
})

test('C_SignMessageNext tells more data from a question for the length', () => {
  const none = '01ffffffff 0100000000'
  const room = (hex: string) => inputs('C_SignMessageNext', `${ONE} ${none} ${hex}`)[3]
  assert.equal(room('00 00000000'), null)
  assert.equal(room('01 00000000'), 0)
  assert.equal(room('01 00000020'), 32)
})
