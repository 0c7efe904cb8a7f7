import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type RsaParts, readRsaPrivateKeyInfo, rsaPublicKeyInfo } from '../../src/engine/rsa.ts'
import { rsa, rsaKeyType } from '../../src/mechanisms/rsa.ts'
import { signatureHashes } from '../../src/mechanisms/signature-hashes.ts'
import { CKA, CKG, CKK, CKM, CKO, CKR, CKZ } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { endWarmWorkers } from '../../src/surrender/workers.ts'
import { jws, jwsKey } from '../engine/keys.ts'
import { keyObject, type Pair, pairOf, using } from './keys.ts'
import { ascii, hex, maker, mechanism, toHex, withReturnValue } from './rows.ts'

const attributesOf = (key: RsaParts): [number, Uint8Array][] => [
  [CKA.MODULUS, key.n],
  [CKA.PUBLIC_EXPONENT, key.e],
  [CKA.PRIVATE_EXPONENT, key.d],
  [CKA.PRIME_1, key.p],
  [CKA.PRIME_2, key.q],
  [CKA.EXPONENT_1, key.dp],
  [CKA.EXPONENT_2, key.dq],
  [CKA.COEFFICIENT, key.qi],
]

const all = attributesOf(jwsKey)
const pair = pairOf(rsaKeyType, all.slice(0, 2), all)
const { encrypt, decrypt, sign, verify, recover, wrap, unwrap } = using(rsa, pair)

const pss = (hash: (typeof signatureHashes)[number], sLen: number) => ({
  hashAlg: hash.type,
  mgf: CKG[`MGF1_${hash.name}`],
  sLen,
})
const sha256 = signatureHashes.find(
  ({ name }) => name === 'SHA256',
) as (typeof signatureHashes)[number]

const oaep = (sourceData: Uint8Array = new Uint8Array(0), source: number = CKZ.DATA_SPECIFIED) => ({
  hashAlg: CKM.SHA256,
  mgf: CKG.MGF1_SHA1,
  source,
  sourceData,
})

const message = ascii('a message')
const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte))

test('CKM_SHA256_RSA_PKCS makes the signature of RFC 7515', async () => {
  assert.equal(toHex(await sign(CKM.SHA256_RSA_PKCS, jws.input)), toHex(jws.signature))
  await verify(CKM.SHA256_RSA_PKCS, jws.input, jws.signature)
})

for (const hash of signatureHashes) {
  const pkcs1 = CKM[`${hash.name}_RSA_PKCS`]
  const withPss = CKM[`${hash.name}_RSA_PKCS_PSS`]
  const digest = createHash(hash.digest).update(message).digest()

  test(`CKM_${hash.name}_RSA_PKCS and CKM_RSA_PKCS over a DigestInfo are the same`, async () => {
    const signature = await sign(pkcs1, message)
    const info = await recover('verifyRecover', CKM.RSA_PKCS, signature)
    assert.equal(toHex(info.subarray(-digest.length)), toHex(digest))
    assert.equal(toHex(await sign(CKM.RSA_PKCS, info)), toHex(signature))
    await verify(pkcs1, message, signature)
    await assert.rejects(
      verify(pkcs1, message, flipped(signature)),
      withReturnValue(CKR.SIGNATURE_INVALID),
    )
    await assert.rejects(
      verify(pkcs1, flipped(message), signature),
      withReturnValue(CKR.SIGNATURE_INVALID),
    )
  })

  test(`CKM_${hash.name}_RSA_PKCS_PSS signs what CKM_RSA_PKCS_PSS verifies`, async () => {
    const parameter = pss(hash, digest.length)
    const signature = await sign(withPss, message, parameter)
    await verify(withPss, message, signature, parameter)
    await verify(CKM.RSA_PKCS_PSS, digest, signature, parameter)
    await verify(withPss, message, await sign(CKM.RSA_PKCS_PSS, digest, parameter), parameter)
    await assert.rejects(
      verify(withPss, message, signature, { ...parameter, sLen: 0 }),
      withReturnValue(CKR.SIGNATURE_INVALID),
    )
  })
}

test('a PSS parameter that does not fit is refused', async () => {
  const good = pss(sha256, 32)
  const digest = new Uint8Array(32)
  const refused = [
    { ...good, hashAlg: CKM.MD5 },
    { ...good, hashAlg: CKM.SHA1_RSA_PKCS },
    { ...good, mgf: 0x99 },
    { ...good, sLen: 223 },
    { ...good, sLen: 2 ** 64 },
    { hashAlg: CKM.SHA256, mgf: CKG.MGF1_SHA256 },
    null,
    new Uint8Array(24),
  ]
  for (const parameter of refused) {
    await assert.rejects(
      sign(CKM.RSA_PKCS_PSS, digest, parameter as null),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
    await assert.rejects(
      sign(CKM.SHA256_RSA_PKCS_PSS, digest, parameter as null),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
  }
  await sign(CKM.RSA_PKCS_PSS, digest, { ...good, sLen: 222 })
  await assert.rejects(
    sign(CKM.SHA384_RSA_PKCS_PSS, digest, good),
    withReturnValue(CKR.MECHANISM_PARAM_INVALID),
  )
})

test('CKM_RSA_PKCS_PSS takes a digest of the right length and nothing else', async () => {
  for (const length of [0, 31, 33])
    await assert.rejects(
      sign(CKM.RSA_PKCS_PSS, new Uint8Array(length), pss(sha256, 32)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
})

test('a mask and a hash of PSS may differ', async () => {
  const parameter = { ...pss(sha256, 20), mgf: CKG.MGF1_SHA1 }
  const signature = await sign(CKM.SHA256_RSA_PKCS_PSS, message, parameter)
  await verify(CKM.SHA256_RSA_PKCS_PSS, message, signature, parameter)
  await assert.rejects(
    verify(CKM.SHA256_RSA_PKCS_PSS, message, signature, pss(sha256, 20)),
    withReturnValue(CKR.SIGNATURE_INVALID),
  )
})

/** Bytes that fit a 2048-bit key: k, and less 11. */
const [K, FITS] = [256, 245]

for (const [name, most] of [
  ['RSA_PKCS', FITS],
  ['RSA_X_509', K],
] as const) {
  const type = CKM[name]
  const short = new Uint8Array(most).fill(0x55)

  test(`CKM_${name} signs ${most} bytes and no more`, async () => {
    await verify(type, short, await sign(type, short))
    await verify(type, message, await sign(type, message))
    await assert.rejects(sign(type, new Uint8Array(most + 1)), withReturnValue(CKR.DATA_LEN_RANGE))
    const signature = await sign(type, message)
    await assert.rejects(
      verify(type, new Uint8Array(most + 1), signature),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
  })

  test(`CKM_${name} recovers what it signed`, async () => {
    const signature = await recover('signRecover', type, message)
    assert.equal(signature.length, K)
    const back = await recover('verifyRecover', type, signature)
    assert.equal(toHex(back.subarray(-message.length)), toHex(message))
    assert.equal(back.length, type === CKM.RSA_PKCS ? message.length : K)
    await assert.rejects(
      recover('signRecover', type, new Uint8Array(most + 1)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
  })

  test(`CKM_${name} encrypts ${most} bytes and no more, in any parts`, async () => {
    for (const plain of [short, message, hex('')]) {
      const encrypted = await encrypt(type, plain, null, 7)
      assert.equal(encrypted.length, K)
      const back = await decrypt(type, encrypted, null, 100)
      assert.equal(toHex(back.subarray(back.length - plain.length)), toHex(plain))
      assert.equal(back.length, type === CKM.RSA_PKCS ? plain.length : K)
    }
    await assert.rejects(
      encrypt(type, new Uint8Array(most + 1)),
      withReturnValue(CKR.DATA_LEN_RANGE),
    )
  })

  test(`CKM_${name} wraps and unwraps a key`, async () => {
    const key = new Uint8Array(32).fill(7)
    const back = await unwrap(type, await wrap(type, key))
    assert.equal(toHex(back.subarray(-32)), toHex(key))
    await assert.rejects(wrap(type, new Uint8Array(most + 1)), withReturnValue(CKR.KEY_SIZE_RANGE))
    await assert.rejects(
      unwrap(type, new Uint8Array(K - 1)),
      withReturnValue(CKR.WRAPPED_KEY_LEN_RANGE),
    )
    await assert.rejects(
      unwrap(type, new Uint8Array(K + 1)),
      withReturnValue(CKR.WRAPPED_KEY_LEN_RANGE),
    )
  })
}

test('raw RSA takes no number as large as the modulus', async () => {
  const below = jwsKey.n.slice()
  below[K - 1] = (below[K - 1] as number) - 1
  await verify(CKM.RSA_X_509, below, await sign(CKM.RSA_X_509, below))
  await assert.rejects(sign(CKM.RSA_X_509, jwsKey.n), withReturnValue(CKR.DATA_INVALID))
  await assert.rejects(encrypt(CKM.RSA_X_509, jwsKey.n), withReturnValue(CKR.DATA_INVALID))
  await assert.rejects(
    decrypt(CKM.RSA_X_509, jwsKey.n),
    withReturnValue(CKR.ENCRYPTED_DATA_INVALID),
  )
  await assert.rejects(
    recover('verifyRecover', CKM.RSA_X_509, jwsKey.n),
    withReturnValue(CKR.SIGNATURE_INVALID),
  )
})

test('a signature or ciphertext of a wrong length says so', async () => {
  for (const length of [0, K - 1, K + 1]) {
    const wrong = new Uint8Array(length)
    for (const type of [CKM.RSA_PKCS, CKM.RSA_X_509, CKM.SHA256_RSA_PKCS])
      await assert.rejects(verify(type, message, wrong), withReturnValue(CKR.SIGNATURE_LEN_RANGE))
    await assert.rejects(
      recover('verifyRecover', CKM.RSA_PKCS, wrong),
      withReturnValue(CKR.SIGNATURE_LEN_RANGE),
    )
    await assert.rejects(
      decrypt(CKM.RSA_PKCS, wrong),
      withReturnValue(CKR.ENCRYPTED_DATA_LEN_RANGE),
    )
    await assert.rejects(
      decrypt(CKM.RSA_PKCS_OAEP, wrong, oaep()),
      withReturnValue(CKR.ENCRYPTED_DATA_LEN_RANGE),
    )
  }
})

test('a bad PKCS #1 v1.5 padding decrypts to random bytes and no error', async () => {
  const encrypted = await encrypt(CKM.RSA_X_509, hex('0102'))
  const back = await decrypt(CKM.RSA_PKCS, encrypted)
  assert.ok(back.length <= FITS)
  assert.equal(toHex(await decrypt(CKM.RSA_PKCS, encrypted)), toHex(back))
})

test('OAEP encrypts up to k - 2 - 2 hLen bytes and binds the label', async () => {
  const most = K - 2 - 64
  for (const plain of [hex(''), message, new Uint8Array(most).fill(1)])
    for (const parameter of [oaep(), oaep(ascii('label')), oaep(hex(''), 0)]) {
      const encrypted = await encrypt(CKM.RSA_PKCS_OAEP, plain, parameter, 50)
      assert.equal(toHex(await decrypt(CKM.RSA_PKCS_OAEP, encrypted, parameter)), toHex(plain))
      await assert.rejects(
        decrypt(CKM.RSA_PKCS_OAEP, encrypted, oaep(ascii('other'))),
        withReturnValue(CKR.ENCRYPTED_DATA_INVALID),
      )
      await assert.rejects(
        unwrap(CKM.RSA_PKCS_OAEP, flipped(encrypted), parameter),
        withReturnValue(CKR.WRAPPED_KEY_INVALID),
      )
    }
  await assert.rejects(
    encrypt(CKM.RSA_PKCS_OAEP, new Uint8Array(most + 1), oaep()),
    withReturnValue(CKR.DATA_LEN_RANGE),
  )
  const wrapped = await wrap(CKM.RSA_PKCS_OAEP, message, oaep())
  assert.equal(toHex(await unwrap(CKM.RSA_PKCS_OAEP, wrapped, oaep())), toHex(message))
})

test('an OAEP parameter that does not fit is refused', async () => {
  const refused = [
    { ...oaep(), hashAlg: CKM.AES_ECB },
    { ...oaep(), mgf: 0 },
    oaep(hex('01'), 0),
    oaep(hex(''), 2),
    oaep(new Uint8Array(65537)),
    null,
  ]
  for (const parameter of refused)
    await assert.rejects(
      encrypt(CKM.RSA_PKCS_OAEP, message, parameter),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
})

test('the other half of a key, or another key, is refused', async () => {
  const swapped = using(rsa, { publicKey: pair.privateKey, privateKey: pair.publicKey })
  const wrong = withReturnValue(CKR.KEY_TYPE_INCONSISTENT)
  await assert.rejects(swapped.sign(CKM.RSA_PKCS, message), wrong)
  await assert.rejects(swapped.verify(CKM.SHA256_RSA_PKCS, message, message), wrong)
  await assert.rejects(swapped.encrypt(CKM.RSA_PKCS, message), wrong)
  await assert.rejects(swapped.recover('verifyRecover', CKM.RSA_PKCS, message), wrong)
  await assert.rejects(
    swapped.wrap(CKM.RSA_PKCS, message),
    withReturnValue(CKR.WRAPPING_KEY_TYPE_INCONSISTENT),
  )
  await assert.rejects(
    swapped.unwrap(CKM.RSA_PKCS, message),
    withReturnValue(CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT),
  )
})

test('a key is parsed once and kept with its object', async () => {
  const own = pairOf(rsaKeyType, all.slice(0, 2), all)
  const made = using(rsa, own)
  await made.sign(CKM.SHA256_RSA_PKCS, message)
  const { parsed } = own.privateKey
  assert.ok(parsed)
  await made.sign(CKM.RSA_PKCS, message)
  assert.equal(own.privateKey.parsed, parsed)
})

const generate = (publicTemplate: ReadonlyMap<number, number | Uint8Array>) =>
  maker(
    rsa,
    CKM.RSA_PKCS_KEY_PAIR_GEN,
    'generateKeyPair',
  )({
    mechanism: mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN),
    surrender: new Surrender(),
    publicTemplate,
    privateTemplate: new Map(),
  })

test('a generated pair holds every number, and works', async (t) => {
  t.after(endWarmWorkers)
  for (const [exponent, expected] of [
    [undefined, '010001'],
    [hex('0003'), '03'],
  ] as const) {
    const template = new Map<number, number | Uint8Array>([[CKA.MODULUS_BITS, 1024]])
    if (exponent) template.set(CKA.PUBLIC_EXPONENT, exponent)
    const { publicKey, privateKey } = await generate(template)
    const names = all.map(([type]) => type)
    assert.deepEqual([...publicKey.keys()], names.slice(0, 2))
    assert.deepEqual([...privateKey.keys()], names)
    assert.equal(toHex(publicKey.get(CKA.PUBLIC_EXPONENT) as Uint8Array), expected)
    const made = pairOf(
      rsaKeyType,
      publicKey as Map<number, Uint8Array>,
      privateKey as Map<number, Uint8Array>,
    )
    assert.equal(made.publicKey.attributes.get(CKA.MODULUS_BITS), 1024)
    const keys = using(rsa, made)
    await keys.verify(CKM.SHA1_RSA_PKCS, message, await keys.sign(CKM.SHA1_RSA_PKCS, message))
    await shortKeyLimits(made)
  }
})

/** What 1024 bits are too few for. */
async function shortKeyLimits(short: Pair) {
  const keys = using(rsa, short)
  const sha512 = signatureHashes.find(
    ({ name }) => name === 'SHA512',
  ) as (typeof signatureHashes)[number]
  await assert.rejects(
    keys.sign(CKM.SHA512_RSA_PKCS_PSS, message, pss(sha512, 64)),
    withReturnValue(CKR.MECHANISM_PARAM_INVALID),
  )
  await keys.sign(CKM.SHA512_RSA_PKCS_PSS, message, pss(sha512, 62))
  const parameter = { ...oaep(), hashAlg: CKM.SHA512 }
  await assert.rejects(
    keys.encrypt(CKM.RSA_PKCS_OAEP, message, parameter),
    withReturnValue(CKR.KEY_SIZE_RANGE),
  )
  await assert.rejects(
    keys.wrap(CKM.RSA_PKCS_OAEP, message, parameter),
    withReturnValue(CKR.WRAPPING_KEY_SIZE_RANGE),
  )
}

test('a pair that cannot be generated is refused before any work', async () => {
  const refused: [number, Map<number, number | Uint8Array>][] = [
    [CKR.TEMPLATE_INCOMPLETE, new Map()],
    ...[0, 512, 1023, 1025, 16386, 2 ** 40].map((bits): [number, Map<number, number>] => [
      CKR.ATTRIBUTE_VALUE_INVALID,
      new Map([[CKA.MODULUS_BITS, bits]]),
    ]),
    ...['', '00', '01', '02', '010000', '010000000000000001'].map(
      (exponent): [number, Map<number, number | Uint8Array>] => [
        CKR.TEMPLATE_INCONSISTENT,
        new Map<number, number | Uint8Array>([
          [CKA.MODULUS_BITS, 2048],
          [CKA.PUBLIC_EXPONENT, hex(exponent)],
        ]),
      ],
    ),
  ]
  for (const [rv, template] of refused)
    await assert.rejects(generate(template), withReturnValue(rv))
})

test('a cancelled generation ends with CKR_FUNCTION_CANCELED', async (t) => {
  t.after(endWarmWorkers)
  let calls = 0
  const surrender = new Surrender({
    interval: 1,
    notify: () => (++calls < 3 ? CKR.OK : CKR.CANCEL),
  })
  const made = maker(
    rsa,
    CKM.RSA_PKCS_KEY_PAIR_GEN,
    'generateKeyPair',
  )({
    mechanism: mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN),
    surrender,
    publicTemplate: new Map([[CKA.MODULUS_BITS, 16384]]),
    privateTemplate: new Map(),
  })
  await assert.rejects(made, withReturnValue(CKR.FUNCTION_CANCELED))
  assert.equal(calls, 3)
})

const complete = (objectClass: number, values: Iterable<readonly [number, Uint8Array]>) =>
  rsaKeyType.complete?.(objectClass, new Map(values)) ?? new Map()

test('a public key is completed by its bits and its SubjectPublicKeyInfo', () => {
  const completed = complete(CKO.PUBLIC_KEY, [
    [CKA.MODULUS, Buffer.concat([hex('00'), jwsKey.n])],
    [CKA.PUBLIC_EXPONENT, hex('00010001')],
  ])
  assert.equal(completed.get(CKA.MODULUS_BITS), 2048)
  assert.equal(toHex(completed.get(CKA.MODULUS) as Uint8Array), toHex(jwsKey.n))
  assert.equal(toHex(completed.get(CKA.PUBLIC_EXPONENT) as Uint8Array), '010001')
  assert.deepEqual(completed.get(CKA.PUBLIC_KEY_INFO), rsaPublicKeyInfo(jwsKey))
})

test('a private key is completed by whatever numbers are missing', () => {
  for (const given of [
    all,
    all.slice(0, 5),
    all.slice(0, 3),
    [...all.slice(0, 3), ...all.slice(5)],
  ]) {
    const completed = complete(CKO.PRIVATE_KEY, given)
    for (const [type, value] of all)
      assert.equal(toHex(completed.get(type) as Uint8Array), toHex(value))
    assert.deepEqual(completed.get(CKA.PUBLIC_KEY_INFO), rsaPublicKeyInfo(jwsKey))
  }
})

test('numbers that make no key are refused', () => {
  const n: [number, Uint8Array] = [CKA.MODULUS, jwsKey.n]
  const e = (exponent: string): [number, Uint8Array] => [CKA.PUBLIC_EXPONENT, hex(exponent)]
  const refused: [number, number, [number, Uint8Array][]][] = [
    [CKR.TEMPLATE_INCOMPLETE, CKO.PUBLIC_KEY, [n]],
    [CKR.TEMPLATE_INCOMPLETE, CKO.PUBLIC_KEY, [e('03')]],
    [CKR.TEMPLATE_INCOMPLETE, CKO.PUBLIC_KEY, [n, e('')]],
    [CKR.TEMPLATE_INCOMPLETE, CKO.PRIVATE_KEY, [n, e('03')]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PUBLIC_KEY, [n, e('01')]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PUBLIC_KEY, [n, e('04')]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PUBLIC_KEY, [n, [CKA.PUBLIC_EXPONENT, jwsKey.n]]],
    [CKR.ATTRIBUTE_VALUE_INVALID, CKO.PUBLIC_KEY, [[CKA.MODULUS, jwsKey.p.subarray(1)], e('03')]],
    [
      CKR.ATTRIBUTE_VALUE_INVALID,
      CKO.PUBLIC_KEY,
      [[CKA.MODULUS, new Uint8Array(2049).fill(255)], e('03')],
    ],
    [
      CKR.ATTRIBUTE_VALUE_INVALID,
      CKO.PUBLIC_KEY,
      [[CKA.MODULUS, new Uint8Array(128).fill(254)], e('03')],
    ],
    [
      CKR.ATTRIBUTE_VALUE_INVALID,
      CKO.PUBLIC_KEY,
      [[CKA.MODULUS, new Uint8Array(512).fill(255)], e('010000000000000001')],
    ],
    ...all
      .slice(1)
      .map(([type]): [number, number, [number, Uint8Array][]] => [
        CKR.TEMPLATE_INCONSISTENT,
        CKO.PRIVATE_KEY,
        all.map(([other, value]) => [other, other === type ? wrong(value) : value]),
      ]),
  ]
  for (const [rv, objectClass, values] of refused)
    assert.throws(() => complete(objectClass, values), withReturnValue(rv))
})

/** Another odd number of the same length. */
const wrong = (bytes: Uint8Array) =>
  bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 2 : byte))

test('a private key goes through PKCS #8 and comes back', () => {
  const info = rsaKeyType.toPkcs8?.(pair.privateKey) as Uint8Array
  assert.equal(toHex(readRsaPrivateKeyInfo(info)?.d as Uint8Array), toHex(jwsKey.d))
  const values = rsaKeyType.fromPkcs8?.(info) as ReadonlyMap<number, Uint8Array>
  info.fill(0)
  assert.deepEqual([...values], all, 'and does not depend on the bytes it was read from')
})

test('a PrivateKeyInfo with another key, or none, is refused', () => {
  const info = rsaKeyType.toPkcs8?.(pair.privateKey) as Uint8Array
  const inconsistent = info.slice()
  inconsistent[400] = (inconsistent[400] as number) ^ 1
  for (const bytes of [hex(''), hex('3000'), info.subarray(1), info.subarray(0, 500), inconsistent])
    assert.throws(() => rsaKeyType.fromPkcs8?.(bytes), withReturnValue(CKR.WRAPPED_KEY_INVALID))
})

test('a private key without its primes is not wrapped', () => {
  const key = keyObject({ type: CKK.RSA, name: 'RSA' }, CKO.PRIVATE_KEY, all.slice(0, 3))
  assert.throws(() => rsaKeyType.toPkcs8?.(key), withReturnValue(CKR.KEY_NOT_WRAPPABLE))
})
