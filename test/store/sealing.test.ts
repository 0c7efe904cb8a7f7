import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CKA, CKR } from '../../src/standard/constants.ts'
import {
  newRootKey,
  type ObjectPlace,
  open,
  PIN_COST,
  type PinContext,
  seal,
  TokenKeys,
  tag,
  unwrapRootKey,
  wrapRootKey,
} from '../../src/store/sealing.ts'
import { throwing } from './contract.ts'

const context: PinContext = { serial: '0123456789abcdef', owner: 'user' }
const place: ObjectPlace = {
  serial: context.serial,
  id: '00112233445566778899aabbccddeeff',
  version: 7,
  isPrivate: true,
}
const pin = Buffer.from('1234')
/** The least that RFC 9106 allows: what is tried here is the format, not the cost. */
const cheap = { memory: 8, passes: 1, lanes: 1 }

const text = Buffer.from('a value')
const ascending = Uint8Array.from({ length: 32 }, (_, index) => index)

/** The same bytes with one bit turned at a place. */
function turned(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8))
  return copy
}

describe('a root key under a PIN', () => {
  test('opens with the PIN, at the default cost', async () => {
    const rootKey = newRootKey()
    const wrapped = await wrapRootKey(rootKey, pin, context)
    assert.equal(wrapped.length, 91)
    assert.equal(Buffer.from(wrapped).readUInt32BE(1), PIN_COST.memory)
    const opened = await unwrapRootKey(wrapped, pin, context)
    assert.deepEqual(Buffer.from(opened ?? []), Buffer.from(rootKey))
  })

  test('does not open with any other PIN', async () => {
    const wrapped = await wrapRootKey(newRootKey(), pin, context, cheap)
    for (const wrong of ['1235', '12345', '123', '1234\0', '1234 '])
      assert.equal(await unwrapRootKey(wrapped, Buffer.from(wrong), context), undefined)
  })

  test('takes a PIN of any bytes', async () => {
    for (const odd of [new Uint8Array(4), new Uint8Array(255).fill(0xff), randomBytes(64)]) {
      const rootKey = newRootKey()
      const wrapped = await wrapRootKey(rootKey, odd, context, cheap)
      const opened = await unwrapRootKey(wrapped, odd, context)
      assert.deepEqual(Buffer.from(opened ?? []), Buffer.from(rootKey))
    }
  })

  test('is wrapped differently each time', async () => {
    const rootKey = newRootKey()
    const first = await wrapRootKey(rootKey, pin, context, cheap)
    const second = await wrapRootKey(rootKey, pin, context, cheap)
    assert.notDeepEqual(first.subarray(7), second.subarray(7))
  })

  test('with one bit turned anywhere is damaged, which is no wrong PIN', async () => {
    const wrapped = await wrapRootKey(newRootKey(), pin, context, cheap)
    for (let at = 0; at < wrapped.length; at++)
      await assert.rejects(
        unwrapRootKey(turned(wrapped, at), pin, context),
        throwing(CKR.DEVICE_ERROR, context.serial),
      )
  })

  test('too short, too long or empty is damaged', async () => {
    const wrapped = await wrapRootKey(newRootKey(), pin, context, cheap)
    for (const bytes of [wrapped.subarray(0, 90), Buffer.concat([wrapped, pin]), new Uint8Array(0)])
      await assert.rejects(unwrapRootKey(bytes, pin, context), throwing(CKR.DEVICE_ERROR))
  })

  test('of another token, or under the other PIN, is refused', async () => {
    const wrapped = await wrapRootKey(newRootKey(), pin, context, cheap)
    for (const other of [{ serial: 'fedcba9876543210' }, { owner: 'so' as const }])
      await assert.rejects(
        unwrapRootKey(wrapped, pin, { ...context, ...other }),
        throwing(CKR.DEVICE_ERROR),
      )
  })

  test('of a later format is refused, naming both formats', async () => {
    const wrapped = await wrapRootKey(newRootKey(), pin, context, cheap)
    wrapped[0] = 2
    await assert.rejects(
      unwrapRootKey(wrapped, pin, context),
      throwing(CKR.DEVICE_ERROR, 'has format 2, this version of Softoki reads 1'),
    )
  })

  test('is not wrapped at a cost out of bounds', async () => {
    for (const change of [
      { memory: 7 },
      { memory: 2 ** 20 + 1 },
      { passes: 0 },
      { passes: 17 },
      { lanes: 2 },
      { memory: 8 * 17, lanes: 17 },
    ])
      await assert.rejects(
        wrapRootKey(newRootKey(), pin, context, { ...cheap, ...change }),
        throwing(CKR.ARGUMENTS_BAD),
      )
  })

  test('opens at the cost it was wrapped with', async () => {
    const rootKey = newRootKey()
    const wrapped = await wrapRootKey(rootKey, pin, context, { memory: 64, passes: 3, lanes: 2 })
    const opened = await unwrapRootKey(wrapped, pin, context)
    assert.deepEqual(Buffer.from(opened ?? []), Buffer.from(rootKey))
  })

  test('of format 1 opens for ever', async () => {
    const wrapped = Buffer.from(
      '01000000080101f1d63c5369aafc505f07febb0089e4d4723871f585e05a4d7c1b2bf7b7b76f44010d9ca9a0c84f994702d1e6f77754d17322ce9042dd34c100a230b2c1d112e449596c0f64ed11a2a95526bca9e3e10bd52657f0',
      'hex',
    )
    const opened = await unwrapRootKey(wrapped, pin, context)
    assert.deepEqual(Buffer.from(opened ?? []), Buffer.from(ascending))
  })
})

describe('a sealed value', () => {
  const keys = new TokenKeys(ascending)
  const sealed = seal(keys, place, text)

  test('opens in its place, whatever its length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), (value, isPrivate) => {
        const there = { ...place, isPrivate }
        const result = seal(keys, there, value)
        assert.equal(result.length, value.length + 29)
        assert.deepEqual(new Uint8Array(open(keys, there, result)), value)
      }),
    )
  })

  test('is sealed differently each time', () => {
    assert.notDeepEqual(seal(keys, place, text), seal(keys, place, text))
  })

  test('with one bit turned anywhere is refused', () => {
    for (let at = 0; at < sealed.length; at++)
      assert.throws(
        () => open(keys, place, turned(sealed, at)),
        throwing(CKR.DEVICE_ERROR, place.id),
      )
  })

  test('cut short anywhere or made longer is refused', () => {
    for (let length = 0; length < sealed.length; length++)
      assert.throws(() => open(keys, place, sealed.subarray(0, length)), throwing(CKR.DEVICE_ERROR))
    const longer = Buffer.concat([sealed, Uint8Array.of(0)])
    assert.throws(() => open(keys, place, longer), throwing(CKR.DEVICE_ERROR))
  })

  test('moved to another token, object, version or privacy is refused', () => {
    for (const change of [
      { serial: 'fedcba9876543210' },
      { id: 'ffeeddccbbaa99887766554433221100' },
      { version: 8 },
      { version: 6 },
      { isPrivate: false },
    ])
      assert.throws(
        () => open(keys, { ...place, ...change }, sealed),
        throwing(CKR.DEVICE_ERROR, 'damaged or misplaced'),
      )
  })

  test('does not open with the keys of another root key', () => {
    const others = new TokenKeys(newRootKey())
    assert.throws(() => open(others, place, sealed), throwing(CKR.DEVICE_ERROR))
  })

  test('of format 1 opens for ever', () => {
    const kept = Buffer.from(
      '0160a52e935aefa152f36f51d25cb409bbd1f4ca54a067c159d0bbfcb677341377328aea',
      'hex',
    )
    assert.deepEqual(Buffer.from(open(keys, place, kept)), text)
  })
})

describe('a tag of the blind index', () => {
  const keys = new TokenKeys(ascending)
  const label = Buffer.from('ca')

  test('is 16 bytes, the same for the same type and value', () => {
    assert.equal(tag(keys, CKA.LABEL, label).length, 16)
    assert.deepEqual(tag(keys, CKA.LABEL, label), tag(new TokenKeys(ascending), CKA.LABEL, label))
    assert.equal(
      Buffer.from(tag(keys, CKA.LABEL, label)).toString('hex'),
      '045bff95154e5e8a52207033096f6997',
    )
  })

  test('differs by type, value and token', () => {
    const tags = [
      tag(keys, CKA.LABEL, label),
      tag(keys, CKA.ID, label),
      tag(keys, CKA.LABEL, Buffer.from('cb')),
      tag(keys, CKA.LABEL, new Uint8Array(0)),
      tag(new TokenKeys(newRootKey()), CKA.LABEL, label),
    ]
    assert.equal(new Set(tags.map((each) => Buffer.from(each).toString('hex'))).size, tags.length)
  })

  test('is made for any type a CK_ULONG holds', () => {
    assert.equal(tag(keys, 2 ** 64, label).length, 16)
    assert.equal(tag(keys, 0x80000000, label).length, 16)
  })
})

describe('destroyed keys', () => {
  test('seal, open and tag nothing', () => {
    const keys = new TokenKeys(newRootKey())
    const sealed = seal(keys, place, text)
    keys.destroy()
    const refused = throwing(CKR.USER_NOT_LOGGED_IN)
    assert.throws(() => seal(keys, place, text), refused)
    assert.throws(() => open(keys, place, sealed), refused)
    assert.throws(() => tag(keys, CKA.LABEL, text), refused)
  })
})
