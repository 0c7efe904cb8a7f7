import assert from 'node:assert/strict'
import {
  createDiffieHellmanGroup,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  randomBytes,
} from 'node:crypto'
import { test } from 'node:test'
import { isNativeError, type NativeKey, native } from '../../src/engine/binding.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i)
const message = counting(5)

const parts = (key: NativeKey, ...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, native().component(key, name)]))

test('Ed25519ctx makes the signature of RFC 8032', () => {
  // RFC 8032, 7.2: foo
  const key = native().importKey('ED25519', 'private', {
    priv: hex('0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6'),
  })
  assert.equal(
    toHex(native().component(key, 'pub')),
    'dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292',
  )
  const signature = native().sign(
    key,
    hex('f726936d19c800494e3fdaff20b276a8'),
    { 'context-string': hex('666f6f') },
    'ED25519ctx',
  )
  assert.equal(
    toHex(signature),
    '55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a' +
      '8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d',
  )
})

test('X25519 makes the secret that node:crypto makes', () => {
  const encoded = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('base64url')
  const jwk = (key: NativeKey) => {
    const { pub, priv } = parts(key, 'pub', 'priv')
    return { kty: 'OKP', crv: 'X25519', x: encoded(pub), d: encoded(priv) }
  }
  const [one, other] = [native().generate('X25519', {}), native().generate('X25519', {})]
  const privateKey = createPrivateKey({ key: jwk(one), format: 'jwk' })
  const publicKey = createPublicKey({ key: jwk(other), format: 'jwk' })
  assert.deepEqual(
    Buffer.from(native().derive(one, other)),
    diffieHellman({ privateKey, publicKey }),
  )
})

test('keys of every curve come back from their raw halves', () => {
  for (const type of ['ED25519', 'ED448', 'X25519', 'X448']) {
    const { pub, priv } = parts(native().generate(type, {}), 'pub', 'priv')
    const whole = native().importKey(type, 'private', { pub, priv })
    const public_ = native().importKey(type, 'public', { pub })
    assert.deepEqual(native().component(native().importKey(type, 'private', { priv }), 'pub'), pub)
    if (type.startsWith('ED')) {
      const signature = native().sign(whole, message, {}, type)
      assert.ok(native().verify(public_, message, {}, type, signature))
    } else {
      const peer = native().generate(type, {})
      assert.deepEqual(native().derive(whole, peer), native().derive(peer, public_))
    }
  }
})

test('a seed makes the same ML-DSA, ML-KEM or SLH-DSA key each time, and parts make it again', () => {
  const types = [
    ['ML-DSA-44', 32],
    ['ML-KEM-512', 64],
    ['SLH-DSA-SHA2-128f', 48],
  ] as const
  for (const [type, length] of types) {
    const seed = counting(length)
    const { pub, priv } = parts(native().generate(type, { seed }), 'pub', 'priv')
    const again = native().generate(type, { seed })
    assert.deepEqual(parts(again, 'pub', 'priv'), { pub, priv })
    const whole = native().importKey(type, 'private', { priv })
    assert.deepEqual(native().component(whole, 'pub'), pub)
    native().importKey(type, 'public', { pub })
    if (type.startsWith('SLH')) continue
    const seeded = native().importKey(type, 'private', { seed })
    assert.deepEqual(parts(seeded, 'pub', 'priv', 'seed'), { pub, priv, seed })
  }
})

test('ML-DSA signs deterministically, in a context, and over mu made outside', () => {
  const type = 'ML-DSA-44'
  const key = native().generate(type, {})
  const context = counting(7)
  const options = { deterministic: 1, 'context-string': context }
  const signature = native().sign(key, message, options, type)
  assert.deepEqual(native().sign(key, message, options, type), signature)
  const verified = (input: Uint8Array, how: { mu?: number; 'context-string'?: Uint8Array }) =>
    native().verify(key, input, how, type, signature)
  assert.ok(verified(message, { 'context-string': context }))
  assert.ok(!verified(message, {}))
  // FIPS 204, algorithm 7, step 6, with M' of algorithm 2: mu = H(tr || M', 64), tr = H(pk, 64)
  const shake = (...data: readonly Uint8Array[]) =>
    createHash('shake256', { outputLength: 64 }).update(Buffer.concat(data)).digest()
  const tr = shake(native().component(key, 'pub'))
  const mu = shake(tr, Buffer.of(0, context.length), context, message)
  assert.ok(verified(new Uint8Array(mu), { mu: 1 }))
})

test('what is encapsulated for a key, its holder finds again', () => {
  for (const [type, options, lengths] of [
    ['ML-KEM-768', {}, [1088, 32]],
    ['X25519', {}, [32, 32]],
    ['EC', { group: 'P-256' }, [65, 32]],
    ['RSA', { bits: 1024 }, [128, 128]],
  ] as const) {
    const key = native().generate(type, options)
    const [wrapped, secret] = native().encapsulate(key)
    assert.deepEqual([wrapped.length, secret.length], lengths)
    assert.deepEqual(native().decapsulate(key, wrapped), secret)
  }
  const key = native().generate('ML-KEM-512', {})
  const ikme = counting(32)
  assert.deepEqual(native().encapsulate(key, { ikme }), native().encapsulate(key, { ikme }))
  const [wrapped, secret] = native().encapsulate(key)
  const wrong = wrapped.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
  assert.notDeepEqual(native().decapsulate(key, wrong), secret)
  assert.throws(
    () => native().decapsulate(key, counting(5)),
    (error) => isNativeError(error, 'OPENSSL_DECAPSULATE'),
  )
  assert.throws(() => native().encapsulate(native().generate('ED25519', {})))
})

test('DSA parameters are generated, keys from them, and both come back from their parts', () => {
  for (const options of [{}, { digest: 'SHA256' }, { gindex: 1 }]) {
    const made = native().generateParameters('DSA', { pbits: 1024, qbits: 160, ...options })
    const domain = parts(made, 'p', 'q', 'g')
    assert.ok(native().numberComponent(made, 'pcounter') >= 0)
    assert.equal(native().numberComponent(made, 'bits'), 1024)
    const same = native().importKey('DSA', 'parameters', domain)
    assert.ok(native().check(same, 'parameters'))
    const { pub, priv } = parts(native().generate(same, {}), 'pub', 'priv')
    const whole = native().importKey('DSA', 'private', { ...domain, pub, priv })
    const signature = native().sign(whole, counting(20))
    const public_ = native().importKey('DSA', 'public', { ...domain, pub })
    assert.ok(native().verify(public_, counting(20), {}, undefined, signature))
    // The parameters as they were made, long after what made them is gone.
    native().sign(native().generate(made, {}), counting(20))
  }
  assert.throws(
    () => native().generate('DSA', { digest: 'SHA256' }),
    (error) => isNativeError(error, 'OPENSSL_OPTION'),
  )
})

test('a generator is made again from p, q, the seed and an index', () => {
  const made = native().generateParameters('DSA', { pbits: 1024, qbits: 160, gindex: 3 })
  const { p, q, g, seed } = parts(made, 'p', 'q', 'g', 'seed')
  const partial = native().importKey('DSA', 'parameters', { p, q })
  const sizes = { pbits: 1024, qbits: 160 }
  const again = native().generateParameters(partial, { ...sizes, gindex: 3, seed })
  assert.deepEqual(native().component(again, 'g'), g)
})

test('Diffie-Hellman pads its secret, in known groups and in others', () => {
  const group = { group: 'ffdhe2048' }
  const one = native().generate('DH', group)
  const other = native().generate('DH', { ...group, priv_len: 300 })
  assert.equal(native().textComponent(one, 'group'), 'ffdhe2048')
  assert.ok(native().component(other, 'priv').length <= 38)
  const secret = native().derive(one, other, { pad: 1 })
  assert.equal(secret.length, 256)
  assert.deepEqual(native().derive(other, one, { pad: 1 }), secret)

  const known = createDiffieHellmanGroup('modp14')
  const domain = native().importKey('DH', 'parameters', {
    p: new Uint8Array(known.getPrime()),
    g: new Uint8Array(known.getGenerator()),
  })
  known.generateKeys()
  const mine = native().generate(domain, {})
  const peer = native().importKey('DH', 'public', {
    ...parts(mine, 'p', 'g'),
    pub: new Uint8Array(known.getPublicKey()),
  })
  assert.deepEqual(
    Buffer.from(native().derive(mine, peer)),
    known.computeSecret(native().component(mine, 'pub')),
  )
})

test('X9.42 Diffie-Hellman works in a subgroup, with a derivation after it', () => {
  const made = native().generateParameters('DHX', {
    type: 'fips186_4',
    pbits: 1024,
    qbits: 160,
    digest: 'SHA1',
  })
  const domain = parts(made, 'p', 'q', 'g')
  const { pub, priv } = parts(native().generate(made, {}), 'pub', 'priv')
  const one = native().importKey('DHX', 'private', { ...domain, pub, priv })
  const other = native().generate(native().importKey('DHX', 'parameters', domain), {})
  assert.equal(native().derive(one, other, { pad: 1 }).length, 128)
  const kdf = {
    'kdf-type': 'X942KDF-ASN1',
    'kdf-digest': 'SHA1',
    'kdf-outlen': 24,
    cekalg: 'id-smime-alg-CMS3DESwrap',
  }
  assert.deepEqual(native().derive(one, other, kdf), native().derive(other, one, kdf))
})

test('ECDH multiplies by the cofactor where it is asked to', () => {
  const group = { group: 'B-283' } // Its cofactor is 2.
  const [one, other] = [native().generate('EC', group), native().generate('EC', group)]
  const cofactor = { 'ecdh-cofactor-mode': 1 }
  const secret = native().derive(one, other, cofactor)
  assert.deepEqual(native().derive(other, one, cofactor), secret)
  assert.notDeepEqual(native().derive(one, other), secret)
  const info = randomBytes(9)
  const kdf = { 'kdf-type': 'X963KDF', 'kdf-digest': 'SHA256', 'kdf-outlen': 40, 'kdf-ukm': info }
  assert.deepEqual(
    native().derive(one, other, { ...cofactor, ...kdf }),
    native().kdf('X963KDF', { digest: 'SHA256', key: secret, info }, 40),
  )
})
