import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IvRequest, Ivs } from '../../src/mechanisms/generated-ivs.ts'
import { CKG, CKR } from '../../src/standard/constants.ts'
import { withReturnValue } from './rows.ts'

const refused = withReturnValue(CKR.MECHANISM_PARAM_INVALID)
const SALT = Buffer.from('a1a2a3a4a5a6a7a8a9aaabac', 'hex')

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** So many IVs, each request with what the last one left at pIv. */
function several(ivs: Ivs, request: IvRequest, count: number): string[] {
  let iv = request.iv
  return Array.from({ length: count }, () => {
    iv = ivs.next({ ...request, iv })
    return hex(iv)
  })
}

test('an IV that is given is taken as it is, whatever its length', () => {
  const iv = Buffer.alloc(300, 7)
  assert.deepEqual(new Ivs().next({ generator: CKG.NO_GENERATE, iv, fixedBits: 9999 }), iv)
})

test('a counter begins at zero behind the fixed bits', () => {
  const request = { generator: CKG.GENERATE_COUNTER, iv: SALT, fixedBits: 32 }
  assert.deepEqual(several(new Ivs(), request, 3), [
    'a1a2a3a40000000000000000',
    'a1a2a3a40000000000000001',
    'a1a2a3a40000000000000002',
  ])
})

test('fixed bits need not be whole bytes', () => {
  const request = { generator: CKG.GENERATE_COUNTER, iv: Buffer.from('ffff', 'hex'), fixedBits: 12 }
  const sixteen = several(new Ivs(), request, 16)
  assert.equal(sixteen[0], 'fff0')
  assert.equal(sixteen[15], 'ffff')
})

test('an exclusive or with a counter keeps to the first value, which may be given again or not', () => {
  const request = { generator: CKG.GENERATE_COUNTER_XOR, iv: SALT, fixedBits: 32 }
  const expected = [
    'a1a2a3a4a5a6a7a8a9aaabac',
    'a1a2a3a4a5a6a7a8a9aaabad',
    'a1a2a3a4a5a6a7a8a9aaabae',
  ]
  assert.deepEqual(several(new Ivs(), request, 3), expected)
  const ivs = new Ivs()
  assert.deepEqual(
    expected.map(() => hex(ivs.next(request))),
    expected,
  )
})

test('an exclusive or with a counter on another value is refused', () => {
  const ivs = new Ivs()
  const request = { generator: CKG.GENERATE_COUNTER_XOR, iv: SALT, fixedBits: 32 }
  ivs.next(request)
  const other = Buffer.from(SALT)
  other[11] = 0
  assert.throws(() => ivs.next({ ...request, iv: other }), refused)
})

test('a counter that is used up is refused for good', () => {
  const ivs = new Ivs()
  const request = { generator: CKG.GENERATE_COUNTER, iv: SALT, fixedBits: 88 }
  assert.equal(new Set(several(ivs, request, 256)).size, 256)
  assert.throws(() => ivs.next(request), refused)
  assert.throws(() => ivs.next(request), refused)
})

test('one operation counts in one way', () => {
  const ivs = new Ivs()
  ivs.next({ generator: CKG.GENERATE_COUNTER, iv: SALT, fixedBits: 32 })
  for (const other of [
    { generator: CKG.GENERATE_COUNTER, iv: SALT, fixedBits: 40 },
    { generator: CKG.GENERATE_COUNTER, iv: SALT.subarray(1), fixedBits: 32 },
    { generator: CKG.GENERATE_COUNTER_XOR, iv: SALT, fixedBits: 32 },
  ])
    assert.throws(() => ivs.next(other), refused)
})

test('generated and random IVs keep the fixed bits, and differ', () => {
  for (const generator of [CKG.GENERATE, CKG.GENERATE_RANDOM]) {
    const made = several(new Ivs(), { generator, iv: SALT, fixedBits: 32 }, 200)
    assert.ok(made.every((iv) => iv.startsWith('a1a2a3a4') && iv.length === 24))
    assert.equal(new Set(made).size, 200)
    const other = several(new Ivs(), { generator, iv: SALT, fixedBits: 32 }, 1)
    assert.ok(!made.includes(other[0] as string))
  }
})

test('CKG_GENERATE takes no fixed bits with any IV, and never repeats', () => {
  const ivs = new Ivs()
  const request = { generator: CKG.GENERATE, iv: Buffer.alloc(1), fixedBits: 0 }
  assert.equal(new Set(several(ivs, request, 256)).size, 256)
  assert.throws(() => ivs.next(request), refused)
})

test('random IVs end before two are likely to be alike', () => {
  const ivs = new Ivs()
  const request = { generator: CKG.GENERATE_RANDOM, iv: Buffer.alloc(6), fixedBits: 0 }
  several(ivs, request, 256) // 2^((48 - 32) / 2)
  assert.throws(() => ivs.next(request), refused)
})

test('nothing is generated where nothing is free, too little is random, or nobody knows how', () => {
  for (const request of [
    { generator: CKG.GENERATE, iv: SALT, fixedBits: 96 },
    { generator: CKG.GENERATE, iv: SALT, fixedBits: 97 },
    { generator: CKG.GENERATE, iv: SALT, fixedBits: 33 },
    { generator: CKG.GENERATE_RANDOM, iv: SALT, fixedBits: 64 },
    { generator: CKG.GENERATE_COUNTER, iv: Buffer.alloc(0), fixedBits: 0 },
    { generator: CKG.GENERATE_COUNTER, iv: Buffer.alloc(129), fixedBits: 0 },
    { generator: 77, iv: SALT, fixedBits: 0 },
  ])
    assert.throws(() => new Ivs().next(request), refused)
})

test('where each operation has one message nothing counts', () => {
  const ivs = new Ivs(false)
  for (const generator of [CKG.GENERATE_COUNTER, CKG.GENERATE_COUNTER_XOR])
    assert.throws(() => ivs.next({ generator, iv: SALT, fixedBits: 32 }), refused)
  assert.equal(ivs.next({ generator: CKG.GENERATE, iv: SALT, fixedBits: 32 }).length, 12)
})
