import assert from 'node:assert/strict'
import {
  checkPrimeSync,
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import { test } from 'node:test'
import { native } from '../../src/engine/binding.ts'
import { DerError } from '../../src/engine/der.ts'
import type { DigestName } from '../../src/engine/digests.ts'
import { lengthy } from '../../src/engine/lengthy.ts'
import {
  bitLength,
  completeRsa,
  generateRsa,
  importRsaPrivate,
  importRsaPublic,
  isBelowModulus,
  padTo,
  type RsaPadding,
  type RsaParts,
  readRsaPrivateKeyInfo,
  rsaDecrypt,
  rsaEncrypt,
  rsaPrivateKeyInfo,
  rsaPublicKeyInfo,
  rsaRecover,
  rsaSign,
  rsaVerify,
} from '../../src/engine/rsa.ts'
import { hex, jws, jwsKey, toHex } from './keys.ts'

const privateKey = importRsaPrivate(jwsKey)
const publicKey = importRsaPublic(jwsKey)
const nodePrivate = createPrivateKey({
  key: Buffer.from(rsaPrivateKeyInfo(jwsKey)),
  format: 'der',
  type: 'pkcs8',
})
const nodePublic = createPublicKey(nodePrivate)

const digestOf = (name: DigestName, message: Uint8Array) =>
  Uint8Array.from(createHash(name).update(message).digest())

const flipped = (bytes: Uint8Array, at: number) =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

test('PKCS #1 v1.5 over a digest makes the signature of RFC 7515', async () => {
  const digest = digestOf('sha256', jws.input)
  const padding: RsaPadding = { mode: 'pkcs1', digest: 'sha256' }
  assert.equal(toHex(await rsaSign(privateKey, digest, padding)), toHex(jws.signature))
  assert.equal(rsaVerify(publicKey, digest, padding, jws.signature), true)
  assert.equal(rsaVerify(publicKey, flipped(digest, 0), padding, jws.signature), false)
  assert.equal(rsaVerify(publicKey, digest, padding, flipped(jws.signature, 100)), false)
})

test('a DigestInfo that the caller made gives the same signature, and comes back in recovery', async () => {
  const info = Buffer.concat([
    hex('3031300d060960864801650304020105000420'),
    digestOf('sha256', jws.input),
  ])
  assert.deepEqual(await rsaSign(privateKey, info, { mode: 'pkcs1' }), jws.signature)
  assert.equal(rsaVerify(publicKey, info, { mode: 'pkcs1' }, jws.signature), true)
  assert.equal(
    toHex(rsaRecover(publicKey, jws.signature, { mode: 'pkcs1' }) as Uint8Array),
    toHex(info),
  )
  assert.equal(rsaRecover(publicKey, flipped(jws.signature, 7), { mode: 'pkcs1' }), undefined)
})

test('raw RSA is the power of the number', async () => {
  const number = padTo(256, hex('0102030405'))
  const signature = await rsaSign(privateKey, number, { mode: 'none' })
  assert.deepEqual(rsaRecover(publicKey, signature, { mode: 'none' }), number)
  assert.deepEqual(rsaEncrypt(publicKey, signature, { mode: 'none' }), number)
  assert.deepEqual(await rsaDecrypt(privateKey, number, { mode: 'none' }), signature)
})

test('PSS takes any digest, mask and salt, and node:crypto agrees where it can', async () => {
  const hashes = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-256'] as const
  for (const digest of hashes)
    for (const mgf1 of hashes)
      for (const saltLength of [0, 13, 32]) {
        const padding: RsaPadding = { mode: 'pss', digest, mgf1, saltLength }
        const input = digestOf(digest, jws.input)
        const signature = await rsaSign(privateKey, input, padding)
        assert.equal(rsaVerify(publicKey, input, padding, signature), true)
        const other = { ...padding, saltLength: saltLength + 1 }
        assert.equal(
          rsaVerify(publicKey, input, other, signature),
          false,
          'the salt is exactly so long',
        )
        if (mgf1 !== digest) continue
        const options = { key: nodePublic, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
        assert.equal(verify(digest, jws.input, options, signature), true)
      }
})

test('PSS wants a digest of the right length, and a salt that fits', async () => {
  const padding: RsaPadding = { mode: 'pss', digest: 'sha256', mgf1: 'sha256', saltLength: 32 }
  await assert.rejects(rsaSign(privateKey, new Uint8Array(31), padding))
  await assert.rejects(rsaSign(privateKey, new Uint8Array(32), { ...padding, saltLength: 223 }))
  await rsaSign(privateKey, new Uint8Array(32), { ...padding, saltLength: 222 })
})

test('a signature of node:crypto is right here', () => {
  const options = { key: nodePrivate, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 }
  const signature = sign('sha384', jws.input, options)
  const padding: RsaPadding = { mode: 'pss', digest: 'sha384', mgf1: 'sha384', saltLength: 20 }
  assert.equal(rsaVerify(publicKey, digestOf('sha384', jws.input), padding, signature), true)
})

test('OAEP takes any digest, mask and label, and node:crypto agrees where it can', async () => {
  const plain = hex('00 01 02 03')
  const hashes = ['sha1', 'sha256', 'sha512', 'sha3-224'] as const
  for (const digest of hashes)
    for (const mgf1 of hashes)
      for (const label of [new Uint8Array(0), hex('aabbcc')]) {
        const padding: RsaPadding = { mode: 'oaep', digest, mgf1, label }
        const encrypted = rsaEncrypt(publicKey, plain, padding)
        assert.deepEqual(await rsaDecrypt(privateKey, encrypted, padding), plain)
        const other: RsaPadding = { ...padding, label: hex('ff') }
        assert.equal(await rsaDecrypt(privateKey, encrypted, other), undefined)
        if (mgf1 !== digest) continue
        const options = { key: nodePrivate, oaepHash: digest, oaepLabel: label }
        assert.deepEqual(Uint8Array.from(privateDecrypt(options, encrypted)), plain)
        const back = publicEncrypt({ ...options, key: nodePublic }, plain)
        assert.deepEqual(await rsaDecrypt(privateKey, back, padding), plain)
      }
})

test('PKCS #1 v1.5 decryption answers the same random bytes for a bad padding, never an error', async () => {
  const encrypted = rsaEncrypt(publicKey, padTo(256, hex('0102')), { mode: 'none' })
  const one = await rsaDecrypt(privateKey, encrypted, { mode: 'pkcs1' })
  const other = await rsaDecrypt(privateKey, encrypted, { mode: 'pkcs1' })
  assert.ok(one !== undefined && one.length <= 245)
  assert.deepEqual(one, other)
})

test('a key without its primes works too', async () => {
  const { n, e, d } = jwsKey
  const key = importRsaPrivate({ n, e, d })
  const padding: RsaPadding = { mode: 'pkcs1', digest: 'sha256' }
  assert.deepEqual(await rsaSign(key, digestOf('sha256', jws.input), padding), jws.signature)
})

test('the missing numbers of a key are found', () => {
  const { n, e, d, p, q, ...crt } = jwsKey
  assert.deepEqual(completeRsa(jwsKey), jwsKey)
  assert.deepEqual(completeRsa({ n, e, d, p, q }), jwsKey)
  assert.deepEqual(completeRsa({ n, e, d }), jwsKey, 'the larger prime first')
  assert.deepEqual(completeRsa({ n, e, d, ...crt }), jwsKey)
  assert.equal(toHex(completeRsa({ n, e, d, p: q, q: p })?.p ?? hex('')), toHex(q))
})

test('leading zeros change nothing', () => {
  const zeros = (bytes: Uint8Array) => Buffer.concat([hex('0000'), bytes])
  const key = Object.fromEntries(
    Object.entries(jwsKey).map(([name, bytes]) => [name, zeros(bytes)]),
  ) as unknown as RsaParts
  assert.equal(toHex(completeRsa(key)?.qi ?? hex('')), toHex(jwsKey.qi))
  assert.equal(importRsaPublic(key).bytes, 256)
})

test('a key whose numbers do not belong together is no key', () => {
  const { n, e, d, p, q } = jwsKey
  for (const [name, number] of Object.entries(jwsKey)) {
    if (name === 'n') continue
    const at = number.length - 1
    const wrong = {
      ...jwsKey,
      [name]: number.map((byte: number, i: number) => (i === at ? byte ^ 2 : byte)),
    }
    assert.equal(completeRsa(wrong), undefined, name)
  }
  const none = hex('')
  const refused: Parameters<typeof completeRsa>[0][] = [
    { n, e, d: flipped(d, 255) },
    { n, e, d: flipped(d, 10) },
    { n: flipped(n, 255), e, d },
    { n: flipped(n, 100), e, d },
    { n: none, e, d },
    { n, e: none, d },
    { n, e, d: none },
    { n: hex('01'), e: hex('01'), d: hex('01') },
    { n, e: hex('01'), d: hex('01') },
    { n, e, d: n },
    { n, e, d, p },
    { n, e, d, q },
    { n, e, d, p: hex('01'), q: n },
    { n, e, d, p: n, q: hex('01') },
    { n, e, d, p: q, q },
    { n, e, d, p: none, q: none },
  ]
  for (const [at, key] of refused.entries()) assert.equal(completeRsa(key), undefined, `key ${at}`)
})

test('a generated pair is sound, has as many bits as asked, and its exponent', () => {
  for (const [bits, exponent] of [
    [1024, '010001'],
    [1026, '03'],
    [1024, 'ffffffffffffffff'],
    [2048, '010001'],
  ] as const) {
    const publicExponent = hex(exponent)
    const pair = lengthy.generateRsaKeyPair({ bits, publicExponent })
    assert.equal(bitLength(pair.n), bits)
    assert.equal(toHex(pair.e), exponent)
    assert.deepEqual(completeRsa(pair), pair)
    assert.deepEqual(structuredClone(pair), pair)
  }
})

test('the primes of many keys are prime, distinct, of half the length and prime to the exponent', () => {
  // The last one is 3 times 5 times 7 and so on to 47, which few primes less 1 are prime to.
  const primes = new Set<string>()
  for (const exponent of ['03', '010001', '0444437fed9a2349'])
    for (const threads of [1, 2, 4])
      for (let key = 0; key < 8; key++) {
        const { n, e, p, q } = generateRsa(1024, hex(exponent), threads)
        assert.equal(bitLength(n), 1024)
        assert.equal(toHex(e), exponent)
        assert.ok(Buffer.compare(p, q) > 0, 'the larger prime first')
        for (const prime of [p, q]) {
          assert.equal(bitLength(prime), 512)
          assert.ok(toHex(prime) >= 'b504f333f9de6484', 'half a bit below its length at most')
          assert.ok(checkPrimeSync(prime))
          primes.add(toHex(prime))
        }
      }
  assert.equal(primes.size, 2 * 3 * 3 * 8)
})

test('a generated key is sound to OpenSSL, whose own check proves its primes', () => {
  for (const bits of [1024, 1536, 2046, 2048, 3072, 4096]) {
    const pair = generateRsa(bits, hex('010001'))
    assert.equal(bitLength(pair.n), bits)
    for (const what of ['private', 'public', 'pair'] as const)
      assert.ok(native().check(importRsaPrivate(pair).native, what), `${bits} bits: ${what}`)
  }
})

test('an exponent that is even or 1 generates nothing', () => {
  for (const exponent of ['01', '04', '010000'])
    assert.throws(() => generateRsa(1024, hex(exponent)), { code: 'OPENSSL_GENERATE' })
})

test('SubjectPublicKeyInfo and PrivateKeyInfo are those of node:crypto', () => {
  const spki = nodePublic.export({ format: 'der', type: 'spki' })
  assert.equal(toHex(rsaPublicKeyInfo(jwsKey)), toHex(spki))
  const pkcs8 = nodePrivate.export({ format: 'der', type: 'pkcs8' })
  assert.equal(toHex(rsaPrivateKeyInfo(jwsKey)), toHex(pkcs8))
  assert.deepEqual(
    readRsaPrivateKeyInfo(pkcs8),
    Object.fromEntries(Object.entries(jwsKey).map(([name, bytes]) => [name, Buffer.from(bytes)])),
  )
})

test('a PrivateKeyInfo of another algorithm, or one that was cut, is not read', () => {
  const info = rsaPrivateKeyInfo(jwsKey)
  const other = info.slice()
  other[19] = 0x0a // rsaEncryption becomes id-RSASSA-PSS
  assert.equal(toHex(info.subarray(11, 20)), '2a864886f70d010101')
  assert.equal(readRsaPrivateKeyInfo(other), undefined)
  for (const length of [0, 10, 100, info.length - 1])
    assert.throws(() => readRsaPrivateKeyInfo(info.subarray(0, length)), DerError)
})

test('bits are counted without leading zeros', () => {
  for (const [number, bits] of [
    ['', 0],
    ['00', 0],
    ['01', 1],
    ['00ff', 8],
    ['0100', 9],
  ] as const)
    assert.equal(bitLength(hex(number)), bits)
  assert.equal(publicKey.bits, 2048)
  assert.equal(isBelowModulus(publicKey, jwsKey.n), false)
})
