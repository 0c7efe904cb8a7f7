import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bitString,
  DerError,
  DerReader,
  element,
  integer,
  NULL,
  octetString,
  sequence,
  TAG,
  withoutLeadingZeros,
} from '../../src/engine/der.ts'
import { privateKeyInfo, readPrivateKeyInfo } from '../../src/engine/key-info.ts'
import { hex, toHex } from './keys.ts'

test('an integer is written in its shortest form, with a zero in front of a high bit', () => {
  const written: [string, string][] = [
    ['', '020100'],
    ['00', '020100'],
    ['7f', '02017f'],
    ['80', '02020080'],
    ['000080', '02020080'],
    ['0100', '02020100'],
  ]
  for (const [value, der] of written) assert.equal(toHex(integer(hex(value))), der)
})

test('lengths are written in their shortest form', () => {
  const heads: [number, string][] = [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65535, '0482ffff'],
  ]
  for (const [length, head] of heads) {
    const der = octetString(new Uint8Array(length))
    assert.equal(toHex(der.subarray(0, head.length / 2)), head)
    assert.equal(new DerReader(der).read(TAG.OCTET_STRING).length, length)
  }
  assert.throws(() => octetString(new Uint8Array(65536)), DerError)
})

test('what was written is read back', () => {
  const der = sequence(integer(hex('8001')), bitString(hex('aabb')), sequence(NULL))
  const outer = new DerReader(der)
  const reader = outer.within()
  outer.end()
  assert.equal(toHex(reader.integer()), '8001')
  assert.equal(toHex(reader.bitString()), 'aabb')
  assert.equal(toHex(reader.element()), '30020500')
  reader.end()
  assert.equal(reader.nextTag, undefined)
})

test('what is cut short anywhere is refused', () => {
  const der = sequence(integer(new Uint8Array(200).fill(1)), octetString(hex('00')))
  const read = (bytes: Uint8Array) => {
    const reader = new DerReader(bytes).within()
    reader.integer()
    reader.read(TAG.OCTET_STRING)
  }
  read(der)
  for (let length = 0; length < der.length; length++)
    assert.throws(() => read(der.subarray(0, length)), DerError)
})

test('what is BER but not DER is refused', () => {
  const integers = [
    '020200' + '01',
    '0200',
    '0201ff',
    '02028000',
    '02810101',
    '0282000101',
    '0280',
    '0283000001' + '01',
  ]
  for (const der of integers) assert.throws(() => new DerReader(hex(der)).integer(), DerError, der)
  assert.throws(() => new DerReader(hex('03020100')).bitString(), DerError)
  assert.throws(() => new DerReader(hex('0300')).bitString(), DerError)
  assert.throws(() => new DerReader(hex('0500')).read(TAG.SEQUENCE), DerError)
  assert.throws(() => new DerReader(hex('050000')).end(), DerError)
  assert.throws(() => new DerReader(new Uint8Array(0)).element(), DerError)
})

test('leading zeros are left out and nothing else', () => {
  assert.equal(toHex(withoutLeadingZeros(hex('000100'))), '0100')
  assert.equal(toHex(withoutLeadingZeros(hex('0000'))), '')
})

test('a PrivateKeyInfo is read with and without what RFC 5958 adds', () => {
  const algorithm = { oid: hex('2a03'), parameters: NULL }
  const info = privateKeyInfo(algorithm, hex('abcd'))
  assert.deepEqual(readPrivateKeyInfo(info), { algorithm, key: hex('abcd') })
  const body = new DerReader(info).within()
  const parts = [body.element(), body.element(), body.element()]
  const later = sequence(...parts, element(0xa0), element(0x81, hex('00aa')))
  assert.equal(toHex(readPrivateKeyInfo(later).key), 'abcd')
  assert.throws(() => readPrivateKeyInfo(sequence(...parts, NULL)), DerError)
  assert.throws(() => readPrivateKeyInfo(Buffer.concat([info, NULL])), DerError)
})
