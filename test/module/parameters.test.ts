import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CKA, CKG, CKM, CKR } from '../../src/standard/constants.ts'
import {
  BACK,
  bytes,
  type Call,
  type FakeService,
  fakeService,
  type Respond,
  u8,
  u32,
  u64,
} from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { withAnswers } from './usual-answers.ts'

const NULL = u32(0xffffffff)

const back = (call: Call, ...values: Buffer[]) => call.tell(BACK, 'W', ...values)
const given = (...values: Buffer[]) => Buffer.concat([u8(1), ...values])
const left = u8(0)

/** What C_DeriveKey answers, by mechanism and in turn. */
const derivations: Record<number, Respond[]> = {
  [CKM.SP800_108_COUNTER_KDF]: [
    (call) => {
      back(call, given(u64(51)), left)
      back(call, left, given(u64(52)))
      call.answer('u', u64(50))
    },
    (call) => {
      back(call, left, given(u64(0)))
      call.fail(CKR.TEMPLATE_INCONSISTENT)
    },
  ],
  [CKM.TLS12_KEY_AND_MAC_DERIVE]: [
    (call) => {
      const handles = [61, 62, 63].map((handle) => given(u64(handle)))
      back(call, ...handles, left, given(bytes('IV')), left)
      call.answer('u', u64(0))
    },
  ],
  [CKM.TLS12_MASTER_KEY_DERIVE]: [
    (call) => {
      back(call, given(Buffer.of(3, 3)))
      call.answer('u', u64(70))
    },
    (call) => call.answer('u', u64(71)),
  ],
  [CKM.TLS_PRF]: [
    (call) => {
      back(call, given(bytes('output')))
      call.answer('u', u64(0))
    },
  ],
}

const answers: Record<string, Respond> = {
  C_DeriveKey: (call) => derivations[call.u64(8)]?.shift()?.(call),
  C_GenerateKey: (call) => {
    back(call, given(bytes('8 bytes!')))
    call.answer('u', u64(1))
  },
  C_WrapKey: (call) => {
    if (call.u64(8) === CKM.RSA_AES_KEY_WRAP) return call.answer('f', u8(0), u64(40))
    back(call, given(bytes('fixed1234567')))
    call.fail(CKR.BUFFER_TOO_SMALL)
  },
}

describe('parameters that hold more than values', () => {
  let service: FakeService
  let outcome: { code: number; stderr: string }

  before(async () => {
    service = await fakeService(withAnswers(answers))
    outcome = await ran(compiled({ file: 'parameters.c' }), service.home)
  })
  after(() => service.close())

  /** The parameters of a function's calls, behind session, type and form; those of one mechanism. */
  const sent = (name: string, type: number): string[] =>
    service.requests
      .filter((request) => request.name === name)
      .map(({ values }) => values.subarray(8))
      .filter((values) => values.readBigUInt64BE() === BigInt(type))
      .map((values) => {
        assert.equal(values[8], 2)
        return values.toString('hex', 9)
      })

  const hex = (...values: Buffer[]): string => Buffer.concat(values).toString('hex')

  const randoms = Buffer.concat([bytes('client'), bytes('server')])
  const base = [u64(2), u32(0)]

  test('give back what the function writes, with an error too', () => {
    assert.equal(outcome.stderr, '')
    assert.equal(outcome.code, 0)
  })

  test('travel with the structures that they point to', () => {
    const rest = [u64(2), u64(3), u8(0), u64(0)]
    assert.deepEqual(sent('C_WrapKey', CKM.RSA_AES_KEY_WRAP), [
      hex(
        ...[u64(256), u8(1), u64(CKM.SHA256), u64(CKG.MGF1_SHA256), u64(1), bytes('label')],
        ...rest,
      ),
      hex(u64(128), u8(0), ...rest),
    ])
  })

  test('travel with arrays and templates, and without what is only written', () => {
    const counter = Buffer.from('00000000000000002000000000000000', 'hex')
    const length = Buffer.from('1000000000000000', 'hex')
    const expected = hex(
      ...[u64(CKM.SHA256_HMAC), u32(2), u64(1), bytes(counter), u64(4), bytes('label')],
      ...[u32(2), u32(2), u64(CKA.VALUE_LEN), u8(0), bytes(length)],
      ...[u64(CKA.LABEL), u8(0), bytes('x'), u8(1)],
      ...[u32(0), u8(1)],
      ...base,
    )
    const requests = sent('C_DeriveKey', CKM.SP800_108_COUNTER_KDF)
    assert.deepEqual(requests, [expected, expected])
    assert.deepEqual(sent('C_DeriveKey', CKM.TLS12_MASTER_KEY_DERIVE), [
      hex(randoms, u8(1), u64(CKM.SHA256), ...base),
      hex(randoms, u8(0), u64(CKM.SHA256), ...base),
    ])
  })

  test('tell the room for what is only written', () => {
    const sizes = [u64(160), u64(128), u64(16), u8(0)]
    assert.deepEqual(sent('C_DeriveKey', CKM.TLS12_KEY_AND_MAC_DERIVE), [
      hex(...sizes, randoms, u8(1), u32(2), NULL, u64(CKM.SHA256), ...base),
    ])
    assert.deepEqual(sent('C_DeriveKey', CKM.TLS_PRF), [
      hex(bytes('seed'), bytes('label'), u32(8), ...base),
    ])
    assert.deepEqual(sent('C_GenerateKey', CKM.PBE_SHA1_DES3_EDE_CBC), [
      hex(u32(8), bytes('password'), bytes('salt'), u64(1000), u32(0)),
    ])
  })

  test('differ by the function: C_WrapKey has a structure of its own for the same mechanism', () => {
    assert.deepEqual(sent('C_WrapKey', CKM.AES_GCM), [
      hex(
        ...[bytes('fixed.......'), u64(40), u64(CKG.GENERATE), NULL, u64(128)],
        ...[u64(2), u64(3), u8(0), u64(0)],
      ),
    ])
  })

  test('travel with bytes whose length another field tells in bits', () => {
    assert.deepEqual(sent('C_DigestInit', CKM.CHACHA20), [
      hex(bytes('1234'), u64(32), bytes('0123456789ab'), u64(96)),
      hex(NULL, u64(32), bytes('0123456789ab'), u64(95)),
    ])
    // 6.61.3 has bits, many an application bytes.
    assert.deepEqual(sent('C_DigestInit', CKM.CHACHA20_POLY1305), [
      hex(bytes('0123456789ab'), u64(96), NULL),
      hex(bytes('0123456789ab'), u64(12), NULL),
    ])
  })
})
