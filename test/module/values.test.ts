import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CKA, CKM, CKR } from '../../src/standard/constants.ts'
import {
  bytes,
  type Call,
  type FakeService,
  fakeService,
  PUT,
  READ,
  type Respond,
  u8,
  u32,
  u64,
} from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { withAnswers } from './usual-answers.ts'

const PIECE = 1 << 20
const UNAVAILABLE = 0xffff_ffff_ffff_ffffn

/** Reads long data piece by piece and puts each piece where it came from. */
async function encrypt(call: Call): Promise<void> {
  const length = call.u64(8)
  for (let at = 0; at < length; at += PIECE) {
    const wanted = Math.min(PIECE, length - at)
    const { signature, values } = await call.ask(READ, 'uu', u64(at), u64(wanted))
    assert.equal(signature, 'a')
    assert.equal(values.readUInt32BE(0), wanted)
    call.tell(PUT, 'ua', u64(at), bytes(values.subarray(4)))
  }
  call.answer('f', u8(2), u64(length))
}

function random(call: Call): void {
  const length = call.u64(8)
  for (let at = 0; length > PIECE && at < length; at += PIECE) {
    const piece = Buffer.alloc(Math.min(PIECE, length - at), 'r')
    call.tell(PUT, 'ua', u64(at), bytes(piece))
  }
  call.answer('g', length <= PIECE ? bytes('random'.slice(0, length)) : u32(0xffffffff))
}

/** Three bytes of data and a form byte before them put the room 20 bytes after the session. */
function digest(call: Call): void {
  const at = 8 + 8 + 1 + call.u64(8)
  const given = call.values[at] === 1
  if (given && call.u64(at + 1) >= 4) call.answer('f', u8(1), bytes('hash'))
  else call.answer('f', u8(0), u64(4))
}

/** A structure of 32 bytes with two pointers: to its end, and to its start. */
function sign(call: Call): void {
  const image = Buffer.alloc(32)
  image.writeBigUInt64LE(32n, 0)
  image.writeBigUInt64LE(7n, 8)
  image.write('value', 24)
  const places = call.u64(0) === 1 ? [0, 16] : PLACES[call.u64(0)]
  const list = (places ?? []).map((place) => u32(place))
  call.answer('f', u8(3), bytes(image), u32(list.length), ...list)
}

/** Places that no image of 32 bytes has, by session: too far, and of a word that points out of it. */
const PLACES: Readonly<Record<number, readonly number[]>> = {
  2: [25],
  3: [0xffff_ffff],
  4: [24],
  5: [0, 0],
}

function attributeValues(call: Call): void {
  const answer = (type: number, length: number | bigint, ...rest: Buffer[]) =>
    Buffer.concat([u64(type), u64(length), ...rest])
  call.answer(
    'Q',
    u32(5),
    answer(CKA.LABEL, 5, u8(1), bytes('label')),
    answer(CKA.VALUE, UNAVAILABLE, u8(0)),
    answer(CKA.ID, UNAVAILABLE, u8(0)),
    answer(CKA.WRAP_TEMPLATE, 48, u8(2), u32(2)),
    answer(CKA.ENCRYPT, 1, u8(0)),
    answer(CKA.LABEL, 2, u8(1), bytes('in')),
    answer(CKA.UNWRAP_TEMPLATE, 0, u8(0)),
    u64(CKR.ATTRIBUTE_SENSITIVE),
  )
}

const answers: Record<string, Respond> = {
  C_Encrypt: encrypt,
  C_GenerateRandom: random,
  C_Digest: digest,
  C_Sign: sign,
  C_GetAttributeValue: attributeValues,
  C_FindObjects: (call) =>
    call.u64(8) === 0 ? call.answer('h', u32(0)) : call.answer('h', u32(2), u64(11), u64(12)),
}

describe('values of every kind', () => {
  let service: FakeService
  let outcome: { code: number; stderr: string }

  before(async () => {
    service = await fakeService(withAnswers(answers))
    outcome = await ran(compiled({ file: 'values.c' }), service.home)
  })
  after(() => service.close())

  /** What was sent after the session, the first argument. */
  const sent = (name: string): string[] =>
    service.requests
      .filter((row) => row.name === name)
      .map(({ values }) => values.toString('hex', 8))

  /** The values, each of them in one or more parts. */
  const hex = (...values: (Buffer | Buffer[])[]): string[] =>
    values.map((parts) => Buffer.concat([parts].flat()).toString('hex'))

  test('arrive in the memory of the caller', () => {
    assert.equal(outcome.stderr, '')
    assert.equal(outcome.code, 0)
  })

  test('a parameter travels as values by its layout where its length is that of the structure', () => {
    const values = (type: number, ...parts: Buffer[]) => Buffer.concat([u64(type), u8(2), ...parts])
    const plain = (type: number, content: Buffer) =>
      Buffer.concat([u64(type), u8(1), bytes(content)])
    const ulong = (value: number) => {
      const eight = Buffer.alloc(8)
      eight.writeBigUInt64LE(BigInt(value))
      return eight
    }
    assert.deepEqual(
      sent('C_DigestInit'),
      hex(
        [u64(CKM.SHA256), u8(0)],
        values(CKM.RSA_PKCS_PSS, u64(CKM.SHA256), u64(2), u64(32)),
        plain(CKM.RSA_PKCS_PSS, Buffer.concat([ulong(CKM.SHA256), ulong(2)])),
        values(CKM.AES_GCM, bytes('0123456789ab'), u64(96), bytes('more'), u64(128)),
        values(CKM.ECDH1_DERIVE, u64(1), u32(0xffffffff), bytes('point')),
        values(CKM.EDDSA, u8(1), bytes('context')),
        [u64(CKM.EDDSA), u8(0)],
        values(CKM.AES_CTR, u64(128), Buffer.from('0123456789abcde\0')),
        plain(CKM.SHA256_HMAC_GENERAL, ulong(12)),
        [u64(0), u8(3)],
      ),
    )
  })

  test('a template travels with the templates within it', () => {
    const attribute = (type: number, value: Buffer | string) =>
      Buffer.concat([u64(type), u8(0), bytes(value)])
    const encrypts = attribute(CKA.ENCRYPT, Buffer.of(1))
    const ulongs = (...values: number[]) =>
      Buffer.from(new BigUint64Array(values.map(BigInt)).buffer)
    assert.deepEqual(
      sent('C_FindObjectsInit'),
      hex(
        [
          u32(5),
          attribute(CKA.CLASS, ulongs(4)),
          ...[u64(CKA.WRAP_TEMPLATE), u8(1), u32(2), encrypts, attribute(CKA.LABEL, 'x')],
          attribute(CKA.ALLOWED_MECHANISMS, ulongs(CKM.AES_GCM, CKM.AES_CBC)),
          attribute(CKA.LABEL, ''),
          ...[u64(CKA.ENCAPSULATE_TEMPLATE + 0x40000000), u8(1), u32(1), encrypts],
        ],
        u32(0),
      ),
    )
  })

  test('a query tells the room, and nothing of the types within an array', () => {
    const within = [u32(2), u64(0), u8(0), u64(0), u8(1), u64(8)]
    assert.deepEqual(
      sent('C_GetAttributeValue'),
      hex([
        ...[u64(2), u32(5)],
        ...[u64(CKA.LABEL), u8(1), u64(8)],
        ...[u64(CKA.VALUE), u8(0)],
        ...[u64(CKA.ID), u8(1), u64(2)],
        ...[u64(CKA.WRAP_TEMPLATE), u8(2), ...within],
        ...[u64(CKA.UNWRAP_TEMPLATE), u8(0)],
      ]),
    )
  })

  test('a PIN that is NULL differs from an empty one', () => {
    assert.deepEqual(sent('C_Login'), hex([u64(1), bytes('1234')], [u64(1), u32(0xffffffff)]))
    assert.deepEqual(sent('C_SetPIN'), hex([bytes('old'), bytes('')]))
    const label = Buffer.from('a label of 32 bytes, blanks too ')
    assert.deepEqual(sent('C_InitToken'), hex([bytes('so'), label]))
  })

  test('data over 1 MiB stays with the caller', () => {
    const [request] = service.requests.filter(({ name }) => name === 'C_Encrypt')
    const length = 3 * PIECE + 7
    assert.deepEqual(
      request?.values.toString('hex'),
      hex([u64(1), u64(length), u8(0), u8(1), u64(length)])[0],
    )
  })
})
