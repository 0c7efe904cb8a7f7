import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { curveIdentifier, curves, ecPrivateKeyInfo } from '../../src/engine/ec.ts'
import { rsaPrivateKeyInfo } from '../../src/engine/rsa.ts'
import { ecKeyType } from '../../src/mechanisms/ec.ts'
import type { KeyType } from '../../src/mechanisms/mechanism.ts'
import { rsaKeyType } from '../../src/mechanisms/rsa.ts'
import { CKA, CKO, CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { jwsKey, rfc6979 } from '../engine/keys.ts'

const [p256] = curves
assert.ok(p256)

const samples: readonly { keyType: KeyType; info: Uint8Array; refusals: readonly number[] }[] = [
  {
    keyType: rsaKeyType,
    info: rsaPrivateKeyInfo(jwsKey),
    refusals: [CKR.WRAPPED_KEY_INVALID],
  },
  {
    keyType: ecKeyType,
    info: ecPrivateKeyInfo(p256, rfc6979.scalar),
    refusals: [CKR.WRAPPED_KEY_INVALID, CKR.DOMAIN_PARAMS_INVALID, CKR.CURVE_NOT_SUPPORTED],
  },
]

/** A few bytes changed, and maybe the end cut off. */
const spoiled = (bytes: Uint8Array) =>
  fc
    .record({
      changes: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 3 }),
      length: fc.oneof(fc.constant(bytes.length), fc.nat(bytes.length)),
    })
    .map(({ changes, length }) => {
      const copy = bytes.slice(0, length)
      for (const [at, byte] of changes) if (at < length) copy[at] = byte
      return copy
    })

for (const { keyType, info, refusals } of samples) {
  test(`whatever is unwrapped as ${keyType.name} is a key that is completed, or is refused`, () => {
    fc.assert(
      fc.property(fc.oneof(spoiled(info), fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          const values = keyType.fromPkcs8?.(bytes)
          assert.ok(values && keyType.complete?.(CKO.PRIVATE_KEY, values).has(CKA.PUBLIC_KEY_INFO))
        } catch (error) {
          assert.ok(error instanceof CryptokiError, String(error))
          // A key of a length that nobody uses here is read, and refused when it is completed.
          assert.ok([...refusals, CKR.ATTRIBUTE_VALUE_INVALID].includes(error.rv), error.message)
        }
      }),
      { numRuns: 500 },
    )
  })
}

test('whatever is given as an EC public key is completed or refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(spoiled(curveIdentifier(p256)), fc.uint8Array({ maxLength: 20 })),
      fc.oneof(spoiled(rfc6979.point), fc.uint8Array({ maxLength: 140 })),
      (parameters, point) => {
        const values = new Map([
          [CKA.EC_PARAMS, parameters],
          [CKA.EC_POINT, point],
        ])
        try {
          assert.ok(ecKeyType.complete?.(CKO.PUBLIC_KEY, values).has(CKA.PUBLIC_KEY_INFO))
        } catch (error) {
          assert.ok(error instanceof CryptokiError, String(error))
        }
      },
    ),
    { numRuns: 500 },
  )
})

const NUMBERS = [
  CKA.MODULUS,
  CKA.PUBLIC_EXPONENT,
  CKA.PRIVATE_EXPONENT,
  CKA.PRIME_1,
  CKA.PRIME_2,
  CKA.EXPONENT_1,
  CKA.EXPONENT_2,
  CKA.COEFFICIENT,
]

test('whatever is given as an RSA key is completed or refused', () => {
  const number = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    ...[jwsKey.n, jwsKey.e, jwsKey.d, jwsKey.p].map((bytes) => fc.constant(bytes)),
  )
  fc.assert(
    fc.property(
      fc.array(fc.option(number), { minLength: 8, maxLength: 8 }),
      fc.constantFrom(CKO.PUBLIC_KEY, CKO.PRIVATE_KEY),
      (numbers, objectClass) => {
        const values = new Map<number, Uint8Array>()
        for (const [i, type] of NUMBERS.entries()) {
          const value = numbers[i]
          if (value) values.set(type, value)
        }
        try {
          assert.ok(rsaKeyType.complete?.(objectClass, values).has(CKA.PUBLIC_KEY_INFO))
        } catch (error) {
          assert.ok(error instanceof CryptokiError, String(error))
        }
      },
    ),
    { numRuns: 500 },
  )
})
