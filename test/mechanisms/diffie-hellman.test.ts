import assert from 'node:assert/strict'
import {
  createDiffieHellmanGroup,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman as nodeAgree,
} from 'node:crypto'
import { test } from 'node:test'
import { native } from '../../src/engine/binding.ts'
import { x942Asn1 } from '../../src/engine/diffie-hellman.ts'
import type { MechanismArgument, Parameter } from '../../src/standard/calls.ts'
import { CKD, CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { endWarmWorkers } from '../../src/surrender/workers.ts'
import { answers, bytes, type Opened, openToken, template } from '../in-process.ts'
import {
  attributesOf,
  createDomain,
  domainTemplate,
  type Numbers,
  objectCount,
  pairWith,
  privateKeyInfoOf,
  privateKeyOf,
  publicKeyOf,
  publicOf,
  unwrapInfo,
} from './field-keys.ts'
import { ascii, hex, toHex } from './rows.ts'

type Template = Parameters<typeof template>[0]

/** A group by OpenSSL's name: modp_2048 (RFC 3526), ffdhe2048 (RFC 7919), dh_2048_256 (RFC 5114). */
function group(type: 'DH' | 'DHX', name: string): Numbers & { readonly q: Uint8Array } {
  const key = native().generate(type, { group: name })
  const [p, g, q] = ['p', 'g', 'q'].map((part) => native().component(key, part))
  return { p, g, q } as { p: Uint8Array; g: Uint8Array; q: Uint8Array }
}

const withoutOrder = ({ p, g }: Numbers): Numbers => ({ p, g })
const ffdhe2048 = withoutOrder(group('DH', 'ffdhe2048'))
const dh1024 = group('DHX', 'dh_1024_160')
const dh2048 = group('DHX', 'dh_2048_256')

const DERIVE = { DERIVE: true, DECAPSULATE: true }
const SECRET = { CLASS: CKO.SECRET_KEY, SENSITIVE: false, EXTRACTABLE: true }

const pkcs3 = (parameter: Uint8Array | null): MechanismArgument => ({
  type: CKM.DH_PKCS_DERIVE,
  parameter,
})

const x942 = (
  publicData: Uint8Array,
  kdf: number = CKD.NULL,
  otherInfo: Uint8Array = new Uint8Array(0),
) => ({
  type: CKM.X9_42_DH_DERIVE,
  parameter: { kdf, otherInfo, publicData },
})

/** The value of a derived key, a generic secret unless something else is asked for. */
async function derived(
  token: Opened,
  mechanism: MechanismArgument,
  key: number,
  values: Template = { KEY_TYPE: CKK.GENERIC_SECRET },
): Promise<Uint8Array> {
  const { call, session } = token
  const made = await call('C_DeriveKey', [
    session,
    mechanism,
    key,
    template({ ...SECRET, ...values }),
  ])
  const [value] = await attributesOf(token, made, 'VALUE')
  await call('C_DestroyObject', [session, made])
  return value as Uint8Array
}

const publicValue = async (token: Opened, key: number): Promise<Uint8Array> =>
  (await attributesOf(token, key, 'VALUE'))[0] as Uint8Array

const buffer = (value: Uint8Array | undefined) => Buffer.from(value ?? [])
const number = (value: Uint8Array | undefined) => Buffer.from(value ?? []).readUInt32LE(0)
const bitsOf = (value: Uint8Array) => BigInt(`0x${toHex(value)}`).toString(2).length

test('two sides share a secret in the well-known groups, as Node does', async (t) => {
  const token = await openToken(t)
  for (const name of ['modp14', 'modp15', 'modp5']) {
    const theirs = createDiffieHellmanGroup(name)
    theirs.generateKeys()
    const numbers = {
      p: new Uint8Array(theirs.getPrime()),
      g: new Uint8Array(theirs.getGenerator()),
    }
    const { publicKey, privateKey } = await pairWith(
      token,
      CKM.DH_PKCS_KEY_PAIR_GEN,
      numbers,
      DERIVE,
    )
    const secret = theirs.computeSecret(await publicValue(token, publicKey))
    const own = await derived(token, pkcs3(new Uint8Array(theirs.getPublicKey())), privateKey)
    assert.equal(own.length, numbers.p.length)
    assert.equal(toHex(own), toHex(secret))
  }
  for (const name of ['ffdhe2048', 'ffdhe3072', 'ffdhe4096']) {
    const numbers = withoutOrder(group('DH', name))
    const one = await pairWith(token, CKM.DH_PKCS_KEY_PAIR_GEN, numbers, DERIVE)
    const other = await pairWith(token, CKM.DH_PKCS_KEY_PAIR_GEN, numbers, DERIVE)
    assert.deepEqual(
      await derived(token, pkcs3(await publicValue(token, other.publicKey)), one.privateKey),
      await derived(token, pkcs3(await publicValue(token, one.publicKey)), other.privateKey),
    )
  }
})

test('a secret keeps its leading zeros, and loses its leading bytes to a shorter key', async (t) => {
  const token = await openToken(t)
  // With a base of 2 and an exponent of 8, or a public value of 2, the numbers are known.
  const { p, g } = ffdhe2048
  const key = await privateKeyOf(token, {
    KEY_TYPE: CKK.DH,
    PRIME: p,
    BASE: g,
    VALUE: Uint8Array.of(8),
    DERIVE: true,
  })
  const two = pkcs3(Uint8Array.of(2))
  assert.equal(toHex(await derived(token, two, key)), `${'00'.repeat(254)}0100`)
  const aes = await derived(token, two, key, { KEY_TYPE: CKK.AES })
  assert.equal(toHex(aes), `${'00'.repeat(30)}0100`)
  const cut = { KEY_TYPE: CKK.AES, VALUE_LEN: 16 }
  assert.equal(toHex(await derived(token, two, key, cut)), `${'00'.repeat(14)}0100`)
  const generic = { KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: 1 }
  assert.equal(toHex(await derived(token, two, key, generic)), '00')
  assert.equal(toHex(await derived(token, pkcs3(Buffer.of(0, 0, 2)), key, generic)), '00')
  assert.equal((await derived(token, two, key, {})).length, 256)
  for (const VALUE_LEN of [0, 257])
    await assert.rejects(
      derived(token, two, key, { KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN }),
      answers('TEMPLATE_INCONSISTENT'),
    )
  const [bits] = await attributesOf(token, key, 'VALUE_BITS')
  assert.equal(number(bits), 4)
})

test('CKA_VALUE_BITS limits the private value, and tells its length where nobody asked', async (t) => {
  const token = await openToken(t)
  const pair = (values: Template) =>
    pairWith(token, CKM.DH_PKCS_KEY_PAIR_GEN, ffdhe2048, { ...DERIVE, ...values })
  for (const asked of [224, 300, 2046]) {
    const { privateKey } = await pair({ VALUE_BITS: asked })
    const [value, bits] = await attributesOf(token, privateKey, 'VALUE', 'VALUE_BITS')
    assert.equal(number(bits), asked)
    assert.ok(bitsOf(value as Uint8Array) <= asked)
  }
  const { privateKey } = await pair({})
  const [value, bits] = await attributesOf(token, privateKey, 'VALUE', 'VALUE_BITS')
  assert.equal(number(bits), bitsOf(value as Uint8Array))
  for (const VALUE_BITS of [0, 1, 160, 2048, 2049, 1 << 30])
    await assert.rejects(pair({ VALUE_BITS }), answers('ATTRIBUTE_VALUE_INVALID'))
})

/** A number less a small one. */
const less = (value: Uint8Array, by = 1) => {
  const copy = Uint8Array.from(value)
  copy[copy.length - 1] = (copy.at(-1) as number) - by
  return copy
}

test('public values outside the group are refused', async (t) => {
  const token = await openToken(t)
  const { p } = ffdhe2048
  const { privateKey } = await pairWith(token, CKM.DH_PKCS_KEY_PAIR_GEN, ffdhe2048, DERIVE)
  const outside = [Uint8Array.of(0), Uint8Array.of(1), less(p), p, Buffer.concat([p, p])]
  for (const value of outside)
    await assert.rejects(derived(token, pkcs3(value), privateKey), answers('PUBLIC_KEY_INVALID'))
  for (const nothing of [null, new Uint8Array(0)])
    await assert.rejects(
      derived(token, pkcs3(nothing), privateKey),
      answers('MECHANISM_PARAM_INVALID'),
    )
  const own = await pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, dh1024, DERIVE)
  // 2 has another order than q in this group.
  for (const value of [Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(2), less(dh1024.p)])
    await assert.rejects(derived(token, x942(value), own.privateKey), answers('PUBLIC_KEY_INVALID'))
  await assert.rejects(
    derived(token, x942(Uint8Array.of(2)), privateKey),
    answers('KEY_TYPE_INCONSISTENT'),
  )
})

test('numbers that do not belong together make no Diffie-Hellman key', async (t) => {
  const token = await openToken(t)
  const { p, g } = ffdhe2048
  const of = (values: Template): Template => ({
    KEY_TYPE: CKK.DH,
    PRIME: p,
    BASE: g,
    VALUE: Uint8Array.of(5),
    ...values,
  })
  await privateKeyOf(token, of({}))
  await privateKeyOf(token, of({ VALUE: less(p, 2) }))
  for (const [rv, values] of [
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: Uint8Array.of(0) }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: less(p) }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: p }],
    ['DOMAIN_PARAMS_INVALID', { BASE: Uint8Array.of(1) }],
    ['DOMAIN_PARAMS_INVALID', { BASE: less(p) }],
    ['DOMAIN_PARAMS_INVALID', { PRIME: less(p) }],
    ['ATTRIBUTE_VALUE_INVALID', { PRIME: p.subarray(0, 127) }],
    ['ATTRIBUTE_VALUE_INVALID', { PRIME: Buffer.concat(Array(5).fill(p)) }],
    ['TEMPLATE_INCOMPLETE', { BASE: new Uint8Array(0) }],
    ['ATTRIBUTE_READ_ONLY', { VALUE_BITS: 3 }],
  ] as const)
    await assert.rejects(privateKeyOf(token, of(values)), answers(rv), rv)
  await assert.rejects(
    publicKeyOf(token, of({ VALUE: Uint8Array.of(1) })),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
  await publicOf(token, CKK.X9_42_DH, dh1024, dh1024.g)
  await assert.rejects(
    publicOf(token, CKK.X9_42_DH, dh1024, Uint8Array.of(2)),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
  await assert.rejects(
    publicOf(token, CKK.X9_42_DH, { ...dh1024, q: less(dh1024.q, 2) }, dh1024.g),
    answers('DOMAIN_PARAMS_INVALID'),
  )
  await assert.rejects(
    privateKeyOf(token, { KEY_TYPE: CKK.X9_42_DH, ...domainTemplate(dh1024), VALUE: dh1024.q }),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
})

test('Diffie-Hellman keys go out and come back as PKCS #8, and Node agrees with them', async (t) => {
  const token = await openToken(t)
  for (const [keyType, type, numbers, argument] of [
    [CKK.DH, CKM.DH_PKCS_KEY_PAIR_GEN, ffdhe2048, pkcs3],
    [CKK.X9_42_DH, CKM.X9_42_DH_KEY_PAIR_GEN, dh2048, x942],
  ] as const) {
    const { publicKey, privateKey } = await pairWith(token, type, numbers, DERIVE)
    const info = await privateKeyInfoOf(token, privateKey)
    const other = await pairWith(token, type, numbers, DERIVE)
    const peer = await publicValue(token, other.publicKey)
    const secret = await derived(token, argument(peer), privateKey)
    const back = await unwrapInfo(token, info, { KEY_TYPE: keyType, DERIVE: true })
    assert.deepEqual(await derived(token, argument(peer), back), secret)
    const [spki] = await attributesOf(token, publicKey, 'PUBLIC_KEY_INFO')
    const [again] = await attributesOf(token, back, 'PUBLIC_KEY_INFO')
    assert.deepEqual(again, spki)
    // Node knows no keys of X9.42; the command openssl does (test/foreign).
    if (keyType === CKK.DH) {
      const otherInfo = await privateKeyInfoOf(token, other.privateKey)
      const theirs = nodeAgree({
        privateKey: createPrivateKey({ key: otherInfo, format: 'der', type: 'pkcs8' }),
        publicKey: createPublicKey({ key: buffer(spki), format: 'der', type: 'spki' }),
      })
      assert.equal(toHex(secret), toHex(theirs))
    }
    await assert.rejects(
      unwrapInfo(token, info.subarray(0, info.length - 1), { KEY_TYPE: keyType }),
      answers('WRAPPED_KEY_INVALID'),
    )
    await assert.rejects(
      unwrapInfo(token, info, { KEY_TYPE: CKK.DSA }),
      answers('WRAPPED_KEY_INVALID'),
    )
  }
})

// RFC 2631, 2.1.6: the secret of both examples, their OtherInfo and their keys.
const ZZ = Uint8Array.from({ length: 20 }, (_, i) => i)
const EXAMPLES = [
  [
    '301d3013060b2a864886f70d0109100306040400000001a2060404000000c0',
    'a09661392376f7044d9052a397883246b67f5f1ef63eb5fb',
  ],
  [
    `30613013060b2a864886f70d0109100307040400000001a0420440${'0123456789abcdeffedcba9876543201'.repeat(4)}a206040400000080`,
    '48950c46e0530075403cce72889604e0',
  ],
] as const

test('CKD_SHA1_KDF_ASN1 makes the keys of RFC 2631', () => {
  for (const [otherInfo, key] of EXAMPLES) {
    const expected = key
    const made = x942Asn1(ZZ, hex(otherInfo), expected.length / 2)
    assert.equal(toHex(made as Uint8Array), expected)
  }
})

test('X9.42 keys come of the secret by every key derivation function', async (t) => {
  const token = await openToken(t)
  const one = await pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, dh1024, DERIVE)
  const other = await pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, dh1024, DERIVE)
  const peer = await publicValue(token, other.publicKey)
  const secret = await derived(token, x942(peer), one.privateKey)
  assert.equal(secret.length, 128)
  const length = { KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: 45 }
  const info = hex(EXAMPLES[0][0])
  const asn1 = await derived(token, x942(peer, CKD.SHA1_KDF_ASN1, info), one.privateKey, length)
  assert.equal(toHex(asn1), toHex(x942Asn1(secret, info, 45) as Uint8Array))
  const text = ascii('shared')
  const concatenate = x942(peer, CKD.SHA1_KDF_CONCATENATE, text)
  const made = await derived(token, concatenate, one.privateKey, length)
  const block = (counter: number) =>
    createHash('sha1')
      .update(secret)
      .update(Buffer.of(0, 0, 0, counter))
      .update(text)
      .digest()
  assert.equal(toHex(made), toHex(Buffer.concat([1, 2, 3].map(block)).subarray(0, 45)))
  const openssl = native().kdf('X942KDF-CONCAT', { digest: 'SHA1', key: secret, info: text }, 45)
  assert.equal(toHex(made), toHex(openssl))
  const back = x942(await publicValue(token, one.publicKey), CKD.SHA1_KDF_CONCATENATE, text)
  assert.deepEqual(await derived(token, back, other.privateKey, length), made)
  const aes = { KEY_TYPE: CKK.AES }
  assert.equal((await derived(token, concatenate, one.privateKey, aes)).length, 32)
  await assert.rejects(derived(token, concatenate, one.privateKey), answers('TEMPLATE_INCOMPLETE'))
})

test('other info that a key derivation function does not take is refused', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, dh1024, DERIVE)
  const peer = await publicValue(token, publicKey)
  const info = EXAMPLES[0][0]
  for (const [kdf, otherInfo] of [
    [CKD.NULL, '00'],
    [CKD.SHA1_KDF_ASN1, ''],
    [CKD.SHA1_KDF_ASN1, '3000'],
    [CKD.SHA1_KDF_ASN1, info.replace('040400000001', '040400000000')],
    [CKD.SHA1_KDF_ASN1, info.replace('301d', '301c')],
    [CKD.SHA1_KDF_ASN1, `${info}00`],
    [CKD.SHA256_KDF, ''],
    [99, ''],
  ] as const)
    await assert.rejects(
      derived(token, x942(peer, kdf, hex(otherInfo)), privateKey, {
        KEY_TYPE: CKK.GENERIC_SECRET,
        VALUE_LEN: 20,
      }),
      answers('MECHANISM_PARAM_INVALID'),
      `${kdf} ${otherInfo}`,
    )
})

test('a hybrid derivation joins what the first and what the second keys share', async (t) => {
  const token = await openToken(t)
  const pair = (numbers: Numbers = dh1024, values: Template = DERIVE) =>
    pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, numbers, values)
  const [first, second, theirFirst, theirSecond] = [
    await pair(),
    await pair(),
    await pair(),
    await pair(),
  ]
  const peers = [
    await publicValue(token, theirFirst.publicKey),
    await publicValue(token, theirSecond.publicKey),
  ] as const
  const hybrid = (privateData: number, parameters: Parameter = {}): MechanismArgument => ({
    type: CKM.X9_42_DH_HYBRID_DERIVE,
    parameter: {
      kdf: CKD.NULL,
      otherInfo: new Uint8Array(0),
      publicData: peers[0],
      privateDataLen: 20,
      privateData,
      publicData2: peers[1],
      ...parameters,
    },
  })
  const joined = await derived(token, hybrid(second.privateKey), first.privateKey)
  assert.deepEqual(
    Buffer.from(joined),
    Buffer.concat([
      await derived(token, x942(peers[0]), first.privateKey),
      await derived(token, x942(peers[1]), second.privateKey),
    ]),
  )
  const cut = { KEY_TYPE: CKK.AES, VALUE_LEN: 16 }
  assert.deepEqual(
    await derived(token, hybrid(second.privateKey), first.privateKey, cut),
    joined.subarray(256 - 16),
  )
  const refused: [keyof typeof CKR, MechanismArgument][] = [
    ['KEY_HANDLE_INVALID', hybrid(12345)],
    ['KEY_TYPE_INCONSISTENT', hybrid(second.publicKey)],
    ['KEY_FUNCTION_NOT_PERMITTED', hybrid((await pair(dh1024, {})).privateKey)],
    ['DOMAIN_PARAMS_INVALID', hybrid((await pair(dh2048)).privateKey)],
    ['PUBLIC_KEY_INVALID', hybrid(second.privateKey, { publicData2: Uint8Array.of(2) })],
    ['PUBLIC_KEY_INVALID', hybrid(second.privateKey, { publicData: Uint8Array.of(2) })],
    ['MECHANISM_PARAM_INVALID', hybrid(second.privateKey, { kdf: 99 })],
  ]
  for (const [rv, mechanism] of refused)
    await assert.rejects(
      derived(token, mechanism, first.privateKey),
      // A public key has no CKA_DERIVE at all.
      rv === 'KEY_TYPE_INCONSISTENT' ? answers('KEY_FUNCTION_NOT_PERMITTED') : answers(rv),
      rv,
    )
})

test('what is encapsulated for a Diffie-Hellman key, its holder finds again', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  for (const [type, numbers, mechanism, argument] of [
    [CKM.DH_PKCS_KEY_PAIR_GEN, ffdhe2048, pkcs3(null), pkcs3],
    [CKM.X9_42_DH_KEY_PAIR_GEN, dh1024, x942(new Uint8Array(0)), x942],
  ] as const) {
    const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
      session,
      { type, parameter: null },
      template({ ...domainTemplate(numbers), ENCAPSULATE: true }),
      template(DERIVE),
    ])
    const asked = template({ KEY_TYPE: CKK.AES, SENSITIVE: false })
    const [needed] = await call('C_EncapsulateKey', [session, mechanism, publicKey, asked, null])
    assert.deepEqual(needed, { needed: numbers.p.length })
    const [filled, key] = await call('C_EncapsulateKey', [
      session,
      mechanism,
      publicKey,
      asked,
      2048,
    ])
    const ciphertext = bytes(filled)
    const again = await call('C_DecapsulateKey', [
      session,
      mechanism,
      privateKey,
      asked,
      ciphertext,
    ])
    const value = await publicValue(token, key)
    assert.equal(value.length, 32)
    assert.deepEqual(await publicValue(token, again), value)
    const aes = await derived(token, argument(ciphertext), privateKey, { KEY_TYPE: CKK.AES })
    assert.deepEqual(aes, value)
    for (const [rv, wrong] of [
      ['WRAPPED_KEY_LEN_RANGE', new Uint8Array(0)],
      ['WRAPPED_KEY_LEN_RANGE', new Uint8Array(numbers.p.length + 1)],
      ['WRAPPED_KEY_INVALID', new Uint8Array(numbers.p.length)],
      ['WRAPPED_KEY_INVALID', numbers.p],
    ] as const)
      await assert.rejects(
        call('C_DecapsulateKey', [session, mechanism, privateKey, asked, wrong]),
        answers(rv),
      )
    await assert.rejects(
      call('C_EncapsulateKey', [session, argument(numbers.g), publicKey, asked, 2048]),
      answers('MECHANISM_PARAM_INVALID'),
    )
  }
})

const generate = (
  { call, session }: Opened,
  type: number,
  values: Template,
  notify?: () => number,
) =>
  call(
    'C_GenerateKey',
    [session, { type, parameter: null }, template(values)],
    ...(notify ? [{ notify }] : []),
  )

test('generated X9.42 domain parameters are an object, and keys are made from them', async (t) => {
  t.after(endWarmWorkers)
  const token = await openToken(t)
  for (const [PRIME_BITS, SUBPRIME_BITS] of [
    [1024, 160],
    [1280, 224],
  ] as const) {
    const sizes = { PRIME_BITS, SUBPRIME_BITS }
    const made = await generate(token, CKM.X9_42_DH_PARAMETER_GEN, sizes)
    const [p, g, q] = await attributesOf(token, made, 'PRIME', 'BASE', 'SUBPRIME')
    assert.equal(bitsOf(p as Uint8Array), PRIME_BITS)
    assert.equal(bitsOf(q as Uint8Array), SUBPRIME_BITS)
    const numbers = { p, g, q } as { p: Uint8Array; g: Uint8Array; q: Uint8Array }
    assert.ok(native().check(native().importKey('DSA', 'parameters', { ...numbers }), 'parameters'))
    const one = await pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, numbers, DERIVE)
    const other = await pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, numbers, DERIVE)
    assert.deepEqual(
      await derived(token, x942(await publicValue(token, other.publicKey)), one.privateKey),
      await derived(token, x942(await publicValue(token, one.publicKey)), other.privateKey),
    )
  }
  for (const [PRIME_BITS, SUBPRIME_BITS] of [
    [512, 160],
    [1024, 161],
    [1100, 160],
    [1024, 512],
    [8448, 256],
  ] as const)
    await assert.rejects(
      generate(token, CKM.X9_42_DH_PARAMETER_GEN, { PRIME_BITS, SUBPRIME_BITS }),
      answers('ATTRIBUTE_VALUE_INVALID'),
    )
  await assert.rejects(
    generate(token, CKM.X9_42_DH_PARAMETER_GEN, { PRIME_BITS: 1024 }),
    answers('TEMPLATE_INCOMPLETE'),
  )
})

test('generated PKCS #3 domain parameters are a safe prime and a base', async (t) => {
  t.after(endWarmWorkers)
  const token = await openToken(t)
  const made = await generate(token, CKM.DH_PKCS_PARAMETER_GEN, { PRIME_BITS: 1024 })
  const [p, g, bits] = await attributesOf(token, made, 'PRIME', 'BASE', 'PRIME_BITS')
  assert.equal(number(bits), 1024)
  assert.equal(bitsOf(p as Uint8Array), 1024)
  const numbers = { p, g } as { p: Uint8Array; g: Uint8Array }
  assert.ok(native().check(native().importKey('DH', 'parameters', { ...numbers }), 'parameters'))
  const { publicKey, privateKey } = await pairWith(token, CKM.DH_PKCS_KEY_PAIR_GEN, numbers, DERIVE)
  await derived(token, pkcs3(await publicValue(token, publicKey)), privateKey)
  for (const PRIME_BITS of [0, 1023, 8193, 2 ** 40])
    await assert.rejects(
      generate(token, CKM.DH_PKCS_PARAMETER_GEN, { PRIME_BITS }),
      answers('ATTRIBUTE_VALUE_INVALID'),
    )
})

test('Diffie-Hellman domain parameters are made by hand only whole and sound', async (t) => {
  const token = await openToken(t)
  const whole = { KEY_TYPE: CKK.X9_42_DH, ...domainTemplate(dh1024) }
  const made = await createDomain(token, whole)
  const [bits, subprimeBits] = await attributesOf(token, made, 'PRIME_BITS', 'SUBPRIME_BITS')
  assert.deepEqual([number(bits), number(subprimeBits)], [1024, 160])
  for (const [rv, values] of [
    ['DOMAIN_PARAMS_INVALID', { BASE: Uint8Array.of(2) }],
    ['ATTRIBUTE_VALUE_INVALID', { SUBPRIME: dh1024.q.subarray(1) }],
  ] as const)
    await assert.rejects(createDomain(token, { ...whole, ...values }), answers(rv))
  await createDomain(token, { KEY_TYPE: CKK.DH, ...domainTemplate(ffdhe2048) })
})

for (const [name, sizes] of [
  ['DH_PKCS_PARAMETER_GEN', { PRIME_BITS: 4096 }],
  ['X9_42_DH_PARAMETER_GEN', { PRIME_BITS: 8192, SUBPRIME_BITS: 256 }],
] as const)
  test(`CKM_${name} surrenders, and cancelled it leaves no object`, async (t) => {
    t.after(endWarmWorkers)
    const token = await openToken(t, 5)
    const before = await objectCount(token)
    let calls = 0
    await assert.rejects(
      generate(token, CKM[name], { ...sizes, TOKEN: true }, () =>
        ++calls < 4 ? CKR.OK : CKR.CANCEL,
      ),
      answers('FUNCTION_CANCELED'),
    )
    assert.equal(calls, 4)
    assert.equal(await objectCount(token), before)
  })

test('a second key that asks for a login of its own derives nothing', async (t) => {
  const token = await openToken(t)
  const first = await pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, dh1024, DERIVE)
  const second = await pairWith(token, CKM.X9_42_DH_KEY_PAIR_GEN, dh1024, {
    ...DERIVE,
    ALWAYS_AUTHENTICATE: true,
  })
  const peer = await publicValue(token, first.publicKey)
  const parameter = {
    kdf: CKD.NULL,
    otherInfo: new Uint8Array(0),
    publicData: peer,
    privateDataLen: 20,
    privateData: second.privateKey,
    publicData2: peer,
  }
  await assert.rejects(
    derived(token, { type: CKM.X9_42_DH_HYBRID_DERIVE, parameter }, first.privateKey),
    answers('USER_NOT_LOGGED_IN'),
  )
})
