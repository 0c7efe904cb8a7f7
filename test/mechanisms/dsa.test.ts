import assert from 'node:assert/strict'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto'
import { test } from 'node:test'
import { native } from '../../src/engine/binding.ts'
import { signatureHashes } from '../../src/mechanisms/signature-hashes.ts'
import type { CallContext, Parameter } from '../../src/standard/calls.ts'
import { CKA, CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { endWarmWorkers } from '../../src/surrender/workers.ts'
import { answers, type Opened, openToken, template } from '../in-process.ts'
import {
  attributesOf,
  createDomain,
  domainTemplate,
  objectCount,
  pairWith,
  privateKeyInfoOf,
  privateKeyOf,
  publicKeyOf,
  publicOf,
  sign,
  unwrapInfo,
  verify,
} from './field-keys.ts'
import { dsa1024, dsa2048 } from './rfc6979-dsa.ts'
import { ascii, hex, toHex } from './rows.ts'
import { everyCase, type WycheproofCase } from './wycheproof.ts'

const message = ascii('a message')
const digest = (name: string) => Uint8Array.from(createHash(name).update(message).digest())
const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte))
const P1363 = { dsaEncoding: 'ieee-p1363' } as const

const spki = (der: Uint8Array) =>
  createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
const pkcs8 = (der: Uint8Array) =>
  createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })

test('the signatures of RFC 6979 are right, and what its keys sign', async (t) => {
  const token = await openToken(t)
  for (const vectors of [dsa1024, dsa2048]) {
    const publicKey = await publicOf(token, CKK.DSA, vectors, vectors.y)
    const privateKey = await privateKeyOf(token, {
      KEY_TYPE: CKK.DSA,
      ...domainTemplate(vectors),
      VALUE: vectors.x,
    })
    for (const [text, signatures] of Object.entries(vectors.signatures))
      for (const [name, signature] of Object.entries(signatures)) {
        const type = CKM[`DSA_${name}` as 'DSA_SHA1']
        await verify(token, type, publicKey, ascii(text), signature)
        const own = await sign(token, type, privateKey, ascii(text))
        assert.equal(own.length, 2 * vectors.q.length)
        await verify(token, type, publicKey, ascii(text), own)
        await assert.rejects(
          verify(token, type, publicKey, ascii(text), flipped(signature)),
          answers('SIGNATURE_INVALID'),
        )
        await assert.rejects(
          verify(token, type, publicKey, ascii(`${text}.`), signature),
          answers('SIGNATURE_INVALID'),
        )
      }
  }
})

test('Node verifies what every CKM_DSA mechanism signs, and the other way', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pairWith(token, CKM.DSA_KEY_PAIR_GEN, dsa2048)
  const [info] = await attributesOf(token, publicKey, 'PUBLIC_KEY_INFO')
  const [ofPrivate] = await attributesOf(token, privateKey, 'PUBLIC_KEY_INFO')
  assert.deepEqual(ofPrivate, info)
  const nodePublic = spki(info as Uint8Array)
  const nodePrivate = pkcs8(await privateKeyInfoOf(token, privateKey))
  assert.deepEqual(createPublicKey(nodePrivate), nodePublic)
  for (const { name, digest: hash } of signatureHashes) {
    const type = CKM[`DSA_${name}`]
    const signature = await sign(token, type, privateKey, message)
    assert.ok(nodeVerify(hash, message, { key: nodePublic, ...P1363 }, signature), name)
    const theirs = nodeSign(hash, message, { key: nodePrivate, ...P1363 })
    await verify(token, type, publicKey, message, theirs)
    await verify(token, CKM.DSA, publicKey, digest(hash), theirs)
    const plain = await sign(token, CKM.DSA, privateKey, digest(hash))
    await verify(token, type, publicKey, message, plain)
  }
})

test('CKM_DSA takes the lengths of digests and no other', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pairWith(token, CKM.DSA_KEY_PAIR_GEN, dsa1024)
  for (const length of [20, 28, 32, 48, 64]) {
    const value = new Uint8Array(length).fill(length)
    await verify(token, CKM.DSA, publicKey, value, await sign(token, CKM.DSA, privateKey, value))
  }
  for (const length of [0, 19, 21, 40, 65])
    await assert.rejects(
      sign(token, CKM.DSA, privateKey, new Uint8Array(length)),
      answers('DATA_LEN_RANGE'),
    )
  for (const length of [0, 1, 39, 41, 46])
    await assert.rejects(
      verify(token, CKM.DSA_SHA1, publicKey, message, new Uint8Array(length)),
      answers('SIGNATURE_LEN_RANGE'),
    )
  for (const zeros of [new Uint8Array(40), new Uint8Array(40).fill(0xff)])
    await assert.rejects(
      verify(token, CKM.DSA_SHA1, publicKey, message, zeros),
      answers('SIGNATURE_INVALID'),
    )
  await assert.rejects(
    sign(token, CKM.DSA_SHA1, publicKey, message),
    answers('KEY_FUNCTION_NOT_PERMITTED'),
  )
  await assert.rejects(
    sign(token, { type: CKM.DSA_SHA1, parameter: message }, privateKey, message),
    answers('MECHANISM_PARAM_INVALID'),
  )
})

interface Group {
  readonly publicKey: Readonly<Record<'p' | 'q' | 'g' | 'y', string>>
}

interface Case extends WycheproofCase {
  readonly msg: string
  readonly sig: string
}

const even = (text: string) => hex(text.length % 2 === 0 ? text : `0${text}`)

test('Wycheproof: DSA 2048/256 with SHA-256', async (t) => {
  const token = await openToken(t)
  await everyCase<Group, Case>(t, 'dsa_2048_256_sha256_p1363', async (one, { publicKey }) => {
    const [p, q, g, y] = (['p', 'q', 'g', 'y'] as const).map((name) => even(publicKey[name]))
    const numbers = { p, q, g } as { p: Uint8Array; q: Uint8Array; g: Uint8Array }
    const key = await publicOf(token, CKK.DSA, numbers, y as Uint8Array)
    const verified = verify(token, CKM.DSA_SHA256, key, hex(one.msg), hex(one.sig))
    if (one.result === 'valid') await verified
    else
      await assert.rejects(verified, (error: { rv: number }) =>
        [CKR.SIGNATURE_INVALID, CKR.SIGNATURE_LEN_RANGE].includes(error.rv as never),
      )
    await token.call('C_DestroyObject', [token.session, key])
  })
})

test('a DSA key goes out and comes back as PKCS #8', async (t) => {
  const token = await openToken(t)
  const theirs = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
  const info = theirs.privateKey.export({ format: 'der', type: 'pkcs8' })
  const key = await unwrapInfo(token, info, { KEY_TYPE: CKK.DSA, EXTRACTABLE: true })
  assert.deepEqual(await privateKeyInfoOf(token, key), info)
  const signature = await sign(token, CKM.DSA_SHA256, key, message)
  assert.ok(nodeVerify('sha256', message, { key: theirs.publicKey, ...P1363 }, signature))
  const cut = info.subarray(0, info.length - 1)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  for (const wrong of [cut, rsa.export({ format: 'der', type: 'pkcs8' }), Buffer.of(0x30, 0)])
    await assert.rejects(
      unwrapInfo(token, wrong, { KEY_TYPE: CKK.DSA }),
      answers('WRAPPED_KEY_INVALID'),
    )
})

/** The number less one. */
const less = (number: Uint8Array) => {
  const copy = Uint8Array.from(number)
  copy[copy.length - 1] = (copy.at(-1) as number) - 1
  return copy
}

test('numbers that do not belong together make no DSA key', async (t) => {
  const token = await openToken(t)
  const { p, q, g, x, y } = dsa1024
  const zero = Uint8Array.of(0)
  const publics: [keyof typeof CKR, object][] = [
    ['TEMPLATE_INCOMPLETE', { VALUE: new Uint8Array(0) }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: zero.fill(1) }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: less(p) }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: p }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: flipped(y) }],
    ['DOMAIN_PARAMS_INVALID', { PRIME: less(p) }],
    ['DOMAIN_PARAMS_INVALID', { BASE: Uint8Array.of(1) }],
    ['DOMAIN_PARAMS_INVALID', { BASE: less(p) }],
    ['DOMAIN_PARAMS_INVALID', { BASE: flipped(g) }],
    ['DOMAIN_PARAMS_INVALID', { SUBPRIME: flipped(q) }],
    ['ATTRIBUTE_VALUE_INVALID', { PRIME: p.subarray(1) }],
    ['ATTRIBUTE_VALUE_INVALID', { SUBPRIME: q.subarray(1) }],
    ['ATTRIBUTE_VALUE_INVALID', { PRIME: new Uint8Array(64).fill(0xff) }],
    ['ATTRIBUTE_VALUE_INVALID', { PRIME: new Uint8Array(512).fill(0xff) }],
  ]
  const whole = { KEY_TYPE: CKK.DSA, ...domainTemplate({ p, q, g }) }
  for (const [rv, values] of publics)
    await assert.rejects(publicKeyOf(token, { ...whole, VALUE: y, ...values }), answers(rv), rv)
  for (const wrong of [Uint8Array.of(0), q, p])
    await assert.rejects(
      privateKeyOf(token, { ...whole, VALUE: wrong }),
      answers('ATTRIBUTE_VALUE_INVALID'),
    )
  await publicKeyOf(token, { ...whole, VALUE: Buffer.concat([zero.fill(0), y]) })
  await privateKeyOf(token, { ...whole, VALUE: less(q) })
  await privateKeyOf(token, { ...whole, VALUE: x })
  await assert.rejects(
    pairWith(token, CKM.DSA_KEY_PAIR_GEN, { p, q, g: flipped(g) }),
    answers('DOMAIN_PARAMS_INVALID'),
  )
  await assert.rejects(
    pairWith(token, CKM.DSA_KEY_PAIR_GEN, { p, g }),
    answers('TEMPLATE_INCOMPLETE'),
  )
})

const generate = (
  { call, session }: Opened,
  type: number,
  values: Parameters<typeof template>[0],
  parameter: Parameter | null = null,
  answer?: (values: Parameter) => void,
  context?: CallContext,
) =>
  call(
    'C_GenerateKey',
    [session, { type, parameter, ...(answer && { answer }) }, template(values)],
    context,
  )

const number = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).readUInt32LE(0)

test('generated DSA domain parameters are an object, and keys are made from them', async (t) => {
  t.after(endWarmWorkers)
  const token = await openToken(t)
  const made = await generate(token, CKM.DSA_PARAMETER_GEN, { PRIME_BITS: 1024, LABEL: 'of mine' })
  const [objectClass, keyType, local, bits, subprimeBits] = await attributesOf(
    token,
    made,
    'CLASS',
    'KEY_TYPE',
    'LOCAL',
    'PRIME_BITS',
    'SUBPRIME_BITS',
  )
  assert.equal(number(objectClass), CKO.DOMAIN_PARAMETERS)
  assert.equal(number(keyType), CKK.DSA)
  assert.equal(local?.[0], 1)
  assert.equal(number(bits), 1024)
  assert.equal(number(subprimeBits), 160)
  const [p, q, g] = await attributesOf(token, made, 'PRIME', 'SUBPRIME', 'BASE')
  const numbers = { p, q, g } as { p: Uint8Array; q: Uint8Array; g: Uint8Array }
  assert.ok(native().check(native().importKey('DSA', 'parameters', numbers), 'parameters'))
  const { publicKey, privateKey } = await pairWith(token, CKM.DSA_KEY_PAIR_GEN, numbers)
  const signature = await sign(token, CKM.DSA_SHA256, privateKey, message)
  await verify(token, CKM.DSA_SHA256, publicKey, message, signature)
})

test('sizes that FIPS 186-4 does not permit are refused before any work', async (t) => {
  const token = await openToken(t)
  const parameter = { hash: CKM.SHA256, seed: new Uint8Array(32), index: 0 }
  for (const [PRIME_BITS, SUBPRIME_BITS] of [
    [0, 160],
    [512, 160],
    [1024, 224],
    [1024, 256],
    [1536, 160],
    [2048, 160],
    [3072, 224],
    [4096, 256],
  ] as const) {
    const sizes = { PRIME_BITS, SUBPRIME_BITS }
    await assert.rejects(
      generate(token, CKM.DSA_PARAMETER_GEN, sizes),
      answers('ATTRIBUTE_VALUE_INVALID'),
    )
    await assert.rejects(
      generate(token, CKM.DSA_PROBABILISTIC_PARAMETER_GEN, sizes, parameter),
      answers('ATTRIBUTE_VALUE_INVALID'),
    )
  }
  await assert.rejects(generate(token, CKM.DSA_PARAMETER_GEN, {}), answers('TEMPLATE_INCOMPLETE'))
  await assert.rejects(
    generate(token, CKM.DSA_PARAMETER_GEN, { PRIME_BITS: 1024, PRIME: dsa1024.p }),
    answers('ATTRIBUTE_READ_ONLY'),
  )
})

test('p and q come with their seed, and a base is made of the three again and again', async (t) => {
  t.after(endWarmWorkers)
  const token = await openToken(t)
  const sizes = { PRIME_BITS: 1024, SUBPRIME_BITS: 160 }
  const seeds: Uint8Array[] = []
  const room = { hash: CKM.SHA256, seed: new Uint8Array(24), index: 0 }
  const primes = await generate(token, CKM.DSA_PROBABILISTIC_PARAMETER_GEN, sizes, room, (back) =>
    seeds.push(back.seed as Uint8Array),
  )
  const [seed] = seeds
  assert.equal(seeds.length, 1)
  assert.equal(seed?.length, 24)
  const [p, q] = (await attributesOf(token, primes, 'PRIME', 'SUBPRIME')) as [
    Uint8Array,
    Uint8Array,
  ]
  await assert.rejects(
    token
      .call('C_GetAttributeValue', [token.session, primes, [{ type: CKA.BASE, room: 200 }]])
      .then(({ rv }) => assert.equal(rv, CKR.OK)),
  )
  // FIPS 186-4, A.1.1.2, steps 6 and 7: q is the hash of the seed, its ends set to 1.
  const hash = createHash('sha256')
    .update(seed as Uint8Array)
    .digest()
    .subarray(-20)
  const first = (hash[0] as number) | 0x80
  const last = (hash[19] as number) | 1
  assert.equal(
    toHex(q),
    toHex(Buffer.concat([Buffer.of(first), hash.subarray(1, 19), Buffer.of(last)])),
  )

  const base = (index: number, values: object = {}) =>
    generate(
      token,
      CKM.DSA_FIPS_G_GEN,
      { PRIME: p, SUBPRIME: q, ...values },
      { hash: CKM.SHA256, seed: seed as Uint8Array, index },
    )
  const bases = []
  for (const index of [1, 1, 255]) {
    const [g, bits] = await attributesOf(token, await base(index), 'BASE', 'PRIME_BITS')
    assert.equal(number(bits), 1024)
    bases.push(toHex(g as Uint8Array))
    const { publicKey, privateKey } = await pairWith(token, CKM.DSA_KEY_PAIR_GEN, {
      p,
      q,
      g: g as Uint8Array,
    })
    const signature = await sign(token, CKM.DSA, privateKey, digest('sha1'))
    await verify(token, CKM.DSA, publicKey, digest('sha1'), signature)
  }
  assert.equal(bases[0], bases[1])
  assert.notEqual(bases[0], bases[2])
  await assert.rejects(base(256), answers('MECHANISM_PARAM_INVALID'))
  await assert.rejects(base(1, { SUBPRIME: flipped(q) }), answers('TEMPLATE_INCONSISTENT'))
})

test('parameters of the seeded mechanisms that do not fit are refused', async (t) => {
  const token = await openToken(t)
  const sizes = { PRIME_BITS: 2048, SUBPRIME_BITS: 256 }
  const good = { hash: CKM.SHA256, seed: new Uint8Array(32), index: 0 }
  for (const wrong of [
    null,
    { ...good, hash: CKM.SHA_1 },
    { ...good, hash: CKM.SHA3_256 },
    { ...good, hash: CKM.AES_ECB },
    { ...good, seed: new Uint8Array(31) },
    { ...good, seed: new Uint8Array(1025) },
    { hash: CKM.SHA256 },
  ])
    await assert.rejects(
      generate(token, CKM.DSA_PROBABILISTIC_PARAMETER_GEN, sizes, wrong as typeof good),
      answers('MECHANISM_PARAM_INVALID'),
    )
  const { p, q } = dsa2048
  for (const wrong of [
    { ...good, hash: CKM.SHA_1 },
    { ...good, seed: new Uint8Array(0) },
  ])
    await assert.rejects(
      generate(token, CKM.DSA_FIPS_G_GEN, { PRIME: p, SUBPRIME: q }, wrong),
      answers('MECHANISM_PARAM_INVALID'),
    )
  await assert.rejects(
    generate(token, CKM.DSA_FIPS_G_GEN, { PRIME: p }, good),
    answers('TEMPLATE_INCOMPLETE'),
  )
})

test('DSA domain parameters are made by hand only whole and sound', async (t) => {
  const token = await openToken(t)
  const { p, q, g } = dsa1024
  const whole = { KEY_TYPE: CKK.DSA, ...domainTemplate({ p, q, g }) }
  const made = await createDomain(token, whole)
  const [bits, local] = await attributesOf(token, made, 'PRIME_BITS', 'LOCAL')
  assert.equal(number(bits), 1024)
  assert.equal(local?.[0], 0)
  for (const [rv, values] of [
    ['TEMPLATE_INCOMPLETE', { BASE: new Uint8Array(0) }],
    ['DOMAIN_PARAMS_INVALID', { BASE: flipped(g) }],
    ['ATTRIBUTE_VALUE_INVALID', { PRIME: p.subarray(2) }],
    ['ATTRIBUTE_READ_ONLY', { PRIME_BITS: 1024 }],
  ] as const)
    await assert.rejects(createDomain(token, { ...whole, ...values }), answers(rv))
  const { BASE: _, ...without } = whole
  await assert.rejects(createDomain(token, without), answers('TEMPLATE_INCOMPLETE'))
})

for (const [name, parameter] of [
  ['DSA_PARAMETER_GEN', null],
  ['DSA_PROBABILISTIC_PARAMETER_GEN', { hash: CKM.SHA256, seed: new Uint8Array(32), index: 0 }],
] as const)
  test(`CKM_${name} surrenders, and cancelled it leaves no object`, async (t) => {
    t.after(endWarmWorkers)
    const token = await openToken(t, 5)
    let calls = 0
    const notify = () => (++calls < 4 ? CKR.OK : CKR.CANCEL)
    const before = await objectCount(token)
    await assert.rejects(
      generate(
        token,
        CKM[name],
        { PRIME_BITS: 3072, SUBPRIME_BITS: 256, TOKEN: true },
        parameter,
        () => assert.fail('a cancelled function gives no seed back'),
        { notify },
      ),
      answers('FUNCTION_CANCELED'),
    )
    assert.equal(calls, 4)
    assert.equal(await objectCount(token), before)
  })
