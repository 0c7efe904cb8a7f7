/** RSA with 16,384 bits, the largest modulus: a key of two known primes, since generating one takes minutes. */
import assert from 'node:assert/strict'
import { createDiffieHellmanGroup } from 'node:crypto'
import { test } from 'node:test'
import { CKG, CKK, CKM, CKO, CKZ } from '../../src/standard/constants.ts'
import { answers, bytes, data, openToken, template } from '../in-process.ts'

const BITS = 8192n

/** 2 to the power of `bits` times e, whole part: the sum of 1/n!, with bits to spare. */
function eulersNumber(bits: bigint): bigint {
  const spare = 64n
  let sum = 0n
  for (let [term, n] = [1n << (bits + spare), 1n]; term > 0n; n++) {
    sum += term
    term /= n
  }
  return sum >> spare
}

/** RFC 7919, A.5: 2^8192 - 2^8128 + {[2^8062 * e] + 10965728} * 2^64 - 1. */
const ffdhe8192 = (1n << BITS) - (1n << 8128n) + ((eulersNumber(8062n) + 10965728n) << 64n) - 1n

/** RFC 3526, 7. */
const modp18 = BigInt(`0x${createDiffieHellmanGroup('modp18').getPrime('hex')}`)

function inverse(of: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [of % modulus, modulus, 1n, 0n]
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y]
  return ((x % modulus) + modulus) % modulus
}

const E = 65537n

function numbers() {
  const [p, q] = [modp18, ffdhe8192]
  const d = inverse(E, (p - 1n) * (q - 1n))
  const coefficient = inverse(q, p)
  return { n: p * q, p, q, d, dp: d % (p - 1n), dq: d % (q - 1n), coefficient }
}

const big = (value: bigint) => {
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}

const MESSAGE = Buffer.from('thirty-two bytes of message text')

const OAEP = {
  type: CKM.RSA_PKCS_OAEP,
  parameter: {
    hashAlg: CKM.SHA512,
    mgf: CKG.MGF1_SHA512,
    source: CKZ.DATA_SPECIFIED,
    sourceData: Buffer.alloc(0),
  },
}

test('a key of 16,384 bits signs, verifies, encrypts and decrypts; one of 16,392 is refused', async (t) => {
  const { call, session } = await openToken(t)
  const { n, p, q, d, dp, dq, coefficient } = numbers()
  assert.equal(n.toString(2).length, 16384)
  const shared = { KEY_TYPE: CKK.RSA, MODULUS: big(n), PUBLIC_EXPONENT: big(E) }
  const publicKey = await call('C_CreateObject', [
    session,
    template({ CLASS: CKO.PUBLIC_KEY, ...shared }),
  ])
  const privateKey = await call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.PRIVATE_KEY,
      ...shared,
      PRIVATE_EXPONENT: big(d),
      PRIME_1: big(p),
      PRIME_2: big(q),
      EXPONENT_1: big(dp),
      EXPONENT_2: big(dq),
      COEFFICIENT: big(coefficient),
    }),
  ])
  const sha256 = { type: CKM.SHA256_RSA_PKCS, parameter: null }
  await call('C_SignInit', [session, sha256, privateKey])
  const signature = bytes(await call('C_Sign', [session, data(MESSAGE), 2048]))
  assert.equal(signature.length, 2048)
  await call('C_VerifyInit', [session, sha256, publicKey])
  await call('C_Verify', [session, data(MESSAGE), signature])
  await call('C_EncryptInit', [session, OAEP, publicKey])
  const encrypted = bytes(await call('C_Encrypt', [session, data(MESSAGE), 2048]))
  await call('C_DecryptInit', [session, OAEP, privateKey])
  const plain = bytes(await call('C_Decrypt', [session, data(encrypted), 2048]))
  assert.deepEqual(Buffer.from(plain), MESSAGE)
  const larger = { ...shared, MODULUS: Buffer.concat([big(n), Buffer.of(1)]) }
  await assert.rejects(
    call('C_CreateObject', [session, template({ CLASS: CKO.PUBLIC_KEY, ...larger })]),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
})
