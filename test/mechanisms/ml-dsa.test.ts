import assert from 'node:assert/strict'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto'
import { test } from 'node:test'
import { native } from '../../src/engine/binding.ts'
import { preHashes } from '../../src/engine/pre-hashes.ts'
import { namedPreHashes } from '../../src/mechanisms/additional-context.ts'
import { CKH, CKK, CKM, CKO, CKP } from '../../src/standard/constants.ts'
import { answers, data, type Opened, openToken, template } from '../in-process.ts'
import {
  attribute,
  context,
  counting,
  create,
  deterministic,
  hedged,
  keyTemplate,
  mechanism,
  message,
  type Named,
  pairOf,
  privateKeyInfoOf,
  publicValueOf,
  sha256,
  sign,
  signInParts,
  unwrapInfo,
  verify,
} from './parameter-sets.ts'
import { hex, ulong } from './rows.ts'

const SETS = ['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'] as const
type SetName = (typeof SETS)[number]

const publicTemplate = (set: SetName, value: Uint8Array): Named => ({
  ...keyTemplate(CKK.ML_DSA, CKO.PUBLIC_KEY, set),
  VALUE: value,
})
const privateTemplate = (set: SetName, parts: Named): Named => ({
  ...keyTemplate(CKK.ML_DSA, CKO.PRIVATE_KEY, set),
  ...parts,
})

const pair = (token: Opened, set: SetName) => pairOf(token, CKM.ML_DSA_KEY_PAIR_GEN, set)

/** Both keys of a seed. */
async function pairOfSeed(token: Opened, set: SetName, seed: Uint8Array) {
  const privateKey = await create(token, privateTemplate(set, { SEED: seed }))
  const publicKey = await create(token, publicTemplate(set, await publicValueOf(token, privateKey)))
  return { privateKey, publicKey }
}

const asNodeKey = async (token: Opened, publicKey: number): Promise<KeyObject> =>
  createPublicKey({
    key: await attribute(token, publicKey, 'PUBLIC_KEY_INFO'),
    format: 'der',
    type: 'spki',
  })

/**
 * SHA-256 of what @noble/post-quantum 0.7.1, another implementation, makes of the seed 00 01 02 ... 1f:
 * the public key, and the deterministic signatures over "a message" with the context "context", pure
 * and after a hash.
 */
const KNOWN: Record<SetName, { publicKey: string; pure: string; hashed: Record<string, string> }> =
  {
    ML_DSA_44: {
      publicKey: '9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46',
      pure: 'ff0820431f631df5b3bf7fba37e275d7d857f531e142c32890a036a819a0fe87',
      hashed: {
        SHA256: '37282407fdadc42584be790a21d4d92f4714bb4ed3edcb5f5ba4468b6530be6a',
        SHA384: 'd2a171e5b56f02c0211454304b54cde21d9616591367ab380676d2bdccc42b7f',
        SHA512: 'f696c02416ab01068a0dcd3d04caf2cd12c94b4102d85b1d1adedab277b5aaf7',
        SHA512_256: '7d679286002360015761a89dd4350e9a1b2b15c340dcfcaa54c1c65558a6c3ec',
        SHA3_256: '19ad2526ca715c1bfbf72e57a9d358a8b2ae6f53491ae2d091bf01a484faa5c6',
        SHA3_384: 'd063563e2938e12e415a5d267b5522215224ddcf60cee00ff168bded10a0e2db',
        SHA3_512: '42473298f7df30018aac1c13f21595826d12bd45705c04a9d00a1425471df6e9',
        SHAKE128: '4f2441fc49ccfed80f79e9bdf63e751ae65bf8c751fb19d4c24bbe1c2c84af89',
        SHAKE256: '1e05ab56475e44ea25f4a0263c5bb2143c0e430a064f7636396a1eb823d2cbec',
      },
    },
    ML_DSA_65: {
      publicKey: 'd666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9',
      pure: '6371c066c0b217b33c7f0d0e339af64abd09964e1f9af1fadadb49a277465ba6',
      hashed: {
        SHA384: 'ab3bf8d99382ca0c41c0f6daf844ffedd6cd482e8ddf88b565873b98ecfde0af',
        SHA512: '253c2c26853032ae7b1807ae4892d066b7148f68f9ab2b920adc5e39b65bac88',
        SHA3_384: '251f2cb2eae63dd3ab5a793c8a8e0ebbd55ef6bb9c425db62646d48e9cda8e6d',
        SHA3_512: 'a3c3d4e10671edd4cd68c4f68ecfe4980084692f3a8a3c18ca2f0a6a788b845d',
        SHAKE256: '29cb1c1b29c23e9f17d0998971555cfe6c246cd93e224cb34d17c289c7b8b162',
      },
    },
    ML_DSA_87: {
      publicKey: '91dc389cfaa01470b7f66eee45a4ae9026d154817c754dfe22298b3fa241ffcd',
      pure: 'e883fb28ea79c8631c24a80f9d2d883db7761fc4319de04df31c47e6895a3742',
      hashed: {
        SHA512: 'fcc5b1f00e1c0da8f57bc02590f7d71555b4c6816692559dbb88f5961cf20c1c',
        SHA3_512: '1f20d227dba53f9c9a43faaa62e672045f3babbbeac6e9f131c6d51adf5f1707',
        SHAKE256: 'facc58d7f88379509cac40f80b2d992a205ba9d6082a62bf332c8e78c6114734',
      },
    },
  }

/** The generic mechanism with a hash, over a digest made in the test. */
const digested = (
  hash: keyof typeof preHashes,
  hedgeVariant: number = CKH.DETERMINISTIC_REQUIRED,
) =>
  mechanism('HASH_ML_DSA', {
    ...hedged(hedgeVariant, context),
    hash: CKM[hash as 'SHA256'],
  })

function digestOf(hash: keyof typeof preHashes): Uint8Array {
  const hashing = preHashes[hash].begin()
  hashing.update(message)
  return hashing.digest()
}

for (const set of SETS)
  test(`${set}: keys and deterministic signatures are those of another implementation`, async (t) => {
    const token = await openToken(t)
    const { publicKey, privateKey } = await pairOfSeed(token, set, counting(32))
    const known = KNOWN[set]
    assert.equal(sha256(await attribute(token, publicKey, 'VALUE')), known.publicKey)
    const parameter = deterministic(context)
    const pure = await sign(token, privateKey, mechanism('ML_DSA', parameter), message)
    assert.equal(sha256(pure), known.pure)
    for (const [hash, expected] of Object.entries(known.hashed)) {
      const named = mechanism(`HASH_ML_DSA_${hash}` as 'HASH_ML_DSA_SHA256', parameter)
      const here = (namedPreHashes as readonly string[]).includes(hash)
      if (here) {
        assert.equal(sha256(await sign(token, privateKey, named, message)), expected, hash)
        const parts = await signInParts(token, privateKey, named, message, 2)
        assert.equal(sha256(parts), expected, hash)
      }
      if (hash.startsWith('SHAKE')) continue
      const generic = digested(hash as keyof typeof preHashes)
      const digest = digestOf(hash as keyof typeof preHashes)
      const signature = await sign(token, privateKey, generic, digest)
      assert.equal(sha256(signature), expected, hash)
      if (here) await verify(token, publicKey, named, message, signature)
    }
  })

test('a hash of 224 bits signs too, as FIPS 204 composes it', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pairOfSeed(token, 'ML_DSA_44', counting(32))
  const value = await attribute(token, publicKey, 'VALUE')
  const tr = createHash('shake256', { outputLength: 64 }).update(value).digest()
  for (const [name, algorithm, last] of [
    ['SHA224', 'sha224', 4],
    ['SHA3_224', 'sha3-224', 7],
  ] as const) {
    const mu = createHash('shake256', { outputLength: 64 })
      .update(tr)
      .update(Buffer.from([1, context.length, ...context]))
      .update(hex(`06096086480165030402${last.toString(16).padStart(2, '0')}`))
      .update(createHash(algorithm).update(message).digest())
      .digest()
    const key = native().importKey('ML-DSA-44', 'private', { seed: counting(32) })
    const expected = native().sign(key, mu, { mu: 1, deterministic: 1 }, 'ML-DSA-44')
    const named = mechanism(`HASH_ML_DSA_${name}`, deterministic(context))
    assert.equal(sha256(await sign(token, privateKey, named, message)), sha256(expected))
    assert.equal(
      sha256(await sign(token, privateKey, digested(name), digestOf(name))),
      sha256(expected),
    )
  }
})

test('what is signed here Node verifies, and the other way, with a context and without', async (t) => {
  const token = await openToken(t)
  for (const set of SETS) {
    const { publicKey, privateKey } = await pair(token, set)
    const nodePublic = await asNodeKey(token, publicKey)
    const nodePrivate = createPrivateKey({
      key: await privateKeyInfoOf(token, privateKey),
      format: 'der',
      type: 'pkcs8',
    })
    for (const [parameter, used] of [
      [null, Buffer.alloc(0)],
      [hedged(CKH.HEDGE_PREFERRED), Buffer.alloc(0)],
      [hedged(CKH.HEDGE_REQUIRED, context), context],
      [deterministic(counting(255)), counting(255)],
    ] as const) {
      const asked = mechanism('ML_DSA', parameter)
      const signature = await sign(token, privateKey, asked, message)
      assert.ok(nodeVerify(null, message, { key: nodePublic, context: used }, signature))
      const theirs = nodeSign(null, message, { key: nodePrivate, context: used })
      await verify(token, publicKey, asked, message, theirs)
    }
  }
})

test('a message in parts, and none at all, give the signature of the whole', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pair(token, 'ML_DSA_44')
  const asked = mechanism('ML_DSA', deterministic())
  for (const length of [0, 1, 135, 136, 137, 3_000_000]) {
    const long = Buffer.alloc(length, 7)
    const whole = await sign(token, privateKey, asked, long)
    const parts = await signInParts(token, privateKey, asked, long, Math.max(1, length >> 2))
    assert.deepEqual(parts, whole)
    const { call, session } = token
    await call('C_VerifyInit', [session, mechanism('ML_DSA'), publicKey])
    await call('C_VerifyUpdate', [session, data(long)])
    await call('C_VerifyFinal', [session, whole])
  }
})

test('a deterministic signature is the same each time, a hedged one another', async (t) => {
  const token = await openToken(t)
  const { privateKey } = await pair(token, 'ML_DSA_44')
  for (const name of ['ML_DSA', 'HASH_ML_DSA_SHA256'] as const) {
    const twice = async (parameter: ReturnType<typeof hedged> | null) => {
      const asked = mechanism(name, parameter)
      const first = await sign(token, privateKey, asked, message)
      return first.equals(await sign(token, privateKey, asked, message))
    }
    assert.equal(await twice(deterministic()), true)
    assert.equal(await twice(null), false)
    assert.equal(await twice(hedged(CKH.HEDGE_PREFERRED)), false)
    assert.equal(await twice(hedged(CKH.HEDGE_REQUIRED)), false)
  }
})

test('another message, context, hash, form or key is CKR_SIGNATURE_INVALID', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pair(token, 'ML_DSA_44')
  const other = await pair(token, 'ML_DSA_44')
  const asked = mechanism('ML_DSA', deterministic(context))
  const signature = await sign(token, privateKey, asked, message)
  await verify(token, publicKey, mechanism('ML_DSA', hedged(99, context)), message, signature)
  const damaged = Buffer.from(signature)
  damaged[100] = (damaged[100] as number) ^ 1
  const hash = mechanism('HASH_ML_DSA_SHA256', deterministic(context))
  for (const [key, how, text, value] of [
    [publicKey, mechanism('ML_DSA'), message, signature],
    [publicKey, mechanism('ML_DSA', deterministic(context.subarray(1))), message, signature],
    [publicKey, asked, message.subarray(1), signature],
    [publicKey, asked, message, damaged],
    [publicKey, hash, message, signature],
    [publicKey, digested('SHA256'), digestOf('SHA256'), signature],
    [other.publicKey, asked, message, signature],
  ] as const)
    await assert.rejects(verify(token, key, how, text, value), answers('SIGNATURE_INVALID'))
  for (const length of [0, 2419, 2421])
    await assert.rejects(
      verify(token, publicKey, asked, message, Buffer.alloc(length)),
      answers('SIGNATURE_LEN_RANGE'),
    )
})

test('a parameter that cannot be is CKR_MECHANISM_PARAM_INVALID', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const { publicKey, privateKey } = await pair(token, 'ML_DSA_44')
  const hashed = { ...deterministic(), hash: CKM.SHA256 }
  for (const asked of [
    mechanism('ML_DSA', hedged(3)),
    mechanism('ML_DSA', deterministic(counting(256))),
    mechanism('ML_DSA', ulong(1)),
    mechanism('HASH_ML_DSA_SHA256', hedged(3)),
    mechanism('HASH_ML_DSA'),
    mechanism('HASH_ML_DSA', { ...hashed, hash: CKM.SHA_1 }),
    mechanism('HASH_ML_DSA', { ...hashed, hash: CKM.SHA256_HMAC }),
    mechanism('HASH_ML_DSA', { ...hashed, context: counting(256) }),
  ])
    await assert.rejects(
      call('C_SignInit', [session, asked, privateKey]),
      answers('MECHANISM_PARAM_INVALID'),
    )
  await assert.rejects(
    call('C_VerifyInit', [session, mechanism('ML_DSA', deterministic(counting(256))), publicKey]),
    answers('MECHANISM_PARAM_INVALID'),
  )
})

test('CKM_HASH_ML_DSA takes exactly the digest of its hash', async (t) => {
  const token = await openToken(t)
  const { privateKey } = await pair(token, 'ML_DSA_44')
  for (const [hash, bytes] of [
    ['SHA224', 28],
    ['SHA256', 32],
    ['SHA3_512', 64],
  ] as const) {
    await sign(token, privateKey, digested(hash), Buffer.alloc(bytes))
    for (const length of [0, bytes - 1, bytes + 1])
      await assert.rejects(
        sign(token, privateKey, digested(hash), Buffer.alloc(length)),
        answers('DATA_LEN_RANGE'),
      )
  }
})

test('a generated pair holds set, seed and values, which belong together', async (t) => {
  const token = await openToken(t)
  for (const set of SETS) {
    const { publicKey, privateKey } = await pair(token, set)
    const seed = await attribute(token, privateKey, 'SEED')
    assert.equal(seed.length, 32)
    for (const key of [publicKey, privateKey])
      assert.deepEqual(await attribute(token, key, 'PARAMETER_SET'), Buffer.from(ulong(CKP[set])))
    const again = await pairOfSeed(token, set, seed)
    for (const [one, other] of [
      [publicKey, again.publicKey],
      [privateKey, again.privateKey],
    ] as const) {
      assert.deepEqual(await attribute(token, one, 'VALUE'), await attribute(token, other, 'VALUE'))
      assert.deepEqual(
        await attribute(token, one, 'PUBLIC_KEY_INFO'),
        await attribute(token, other, 'PUBLIC_KEY_INFO'),
      )
    }
  }
})

test('a private key comes by its seed, by its expanded value, or by both where they agree', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pair(token, 'ML_DSA_65')
  const SEED = await attribute(token, privateKey, 'SEED')
  const VALUE = await attribute(token, privateKey, 'VALUE')
  for (const parts of [{ SEED }, { VALUE }, { SEED, VALUE }]) {
    const key = await create(token, privateTemplate('ML_DSA_65', parts))
    assert.deepEqual(await attribute(token, key, 'VALUE'), VALUE)
    await verify(
      token,
      publicKey,
      mechanism('ML_DSA'),
      message,
      await sign(token, key, mechanism('ML_DSA'), message),
    )
  }
  const other = counting(32)
  const changed = Buffer.from(VALUE)
  changed[0] = (changed[0] as number) ^ 1
  for (const [rv, parts] of [
    ['TEMPLATE_INCOMPLETE', {}],
    ['TEMPLATE_INCONSISTENT', { SEED: other, VALUE }],
    ['TEMPLATE_INCONSISTENT', { SEED, VALUE: changed }],
    ['ATTRIBUTE_VALUE_INVALID', { SEED: other.subarray(1) }],
    ['ATTRIBUTE_VALUE_INVALID', { VALUE: VALUE.subarray(1) }],
    ['ATTRIBUTE_VALUE_INVALID', { SEED, VALUE: VALUE.subarray(1) }],
  ] as const)
    await assert.rejects(create(token, privateTemplate('ML_DSA_65', parts)), answers(rv))
  await assert.rejects(
    create(token, { ...privateTemplate('ML_DSA_65', { SEED }), PARAMETER_SET: 4 }),
    answers('PARAMETER_SET_NOT_SUPPORTED'),
  )
  await assert.rejects(
    create(token, publicTemplate('ML_DSA_44', await attribute(token, publicKey, 'VALUE'))),
    answers('ATTRIBUTE_VALUE_INVALID'),
  )
})

test('generation wants a set that there is, in the public template alone', async (t) => {
  const { call, session } = await openToken(t)
  const generate = (publicNamed: Named, privateNamed: Named = {}) =>
    call('C_GenerateKeyPair', [
      session,
      mechanism('ML_DSA_KEY_PAIR_GEN'),
      template(publicNamed),
      template(privateNamed),
    ])
  await assert.rejects(generate({}), answers('TEMPLATE_INCOMPLETE'))
  await assert.rejects(generate({ PARAMETER_SET: 0 }), answers('PARAMETER_SET_NOT_SUPPORTED'))
  await assert.rejects(
    generate({ PARAMETER_SET: 1 }, { PARAMETER_SET: 1 }),
    answers('ATTRIBUTE_READ_ONLY'),
  )
})

test('a private key is unwrapped from each form of RFC 9881, and wrapped with all that is known', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pair(token, 'ML_DSA_44')
  const seed = await attribute(token, privateKey, 'SEED')
  const value = await attribute(token, privateKey, 'VALUE')
  const both = await privateKeyInfoOf(token, privateKey)
  const { seedOnly, expandedOnly } = forms(both, seed, value)
  for (const [info, knowsSeed] of [
    [seedOnly, true],
    [expandedOnly, false],
    [both, true],
  ] as const) {
    const key = await unwrapInfo(token, info, {
      CLASS: CKO.PRIVATE_KEY,
      KEY_TYPE: CKK.ML_DSA,
      SENSITIVE: false,
    })
    assert.deepEqual(await attribute(token, key, 'VALUE'), value)
    const signature = await sign(token, key, mechanism('ML_DSA'), message)
    await verify(token, publicKey, mechanism('ML_DSA'), message, signature)
    assert.deepEqual(await privateKeyInfoOf(token, key), knowsSeed ? both : expandedOnly)
    if (knowsSeed) assert.deepEqual(await attribute(token, key, 'SEED'), seed)
    else await assert.rejects(attribute(token, key, 'SEED'))
  }
  const theirs = generateKeyPairSync('ml-dsa-44').privateKey.export({
    format: 'der',
    type: 'pkcs8',
  })
  await unwrapInfo(token, theirs, { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.ML_DSA })
})

/** The other forms of an ML-DSA-44 PrivateKeyInfo, with the same head (RFC 9881, 6). */
function forms(both: Buffer, seed: Buffer, value: Buffer) {
  const version = hex('020100')
  const algorithm = both.subarray(7, 20)
  const wrapped = (header: string, ...parts: Uint8Array[]) => Buffer.concat([hex(header), ...parts])
  const expanded = wrapped('04820a00', value)
  return {
    seedOnly: wrapped('3034', version, algorithm, hex('0422'), hex('8020'), seed),
    expandedOnly: wrapped('30820a18', version, algorithm, hex('04820a04'), expanded),
  }
}

test('what is no sound key of the type is CKR_WRAPPED_KEY_INVALID', async (t) => {
  const token = await openToken(t)
  const { privateKey } = await pair(token, 'ML_DSA_44')
  const both = await privateKeyInfoOf(token, privateKey)
  const named = { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.ML_DSA }
  const otherSeed = Buffer.from(both)
  otherSeed[40] = (otherSeed[40] as number) ^ 1
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const otherKem = generateKeyPairSync('ml-kem-512').privateKey
  for (const info of [
    otherSeed,
    both.subarray(0, -1),
    other.export({ format: 'der', type: 'pkcs8' }),
    otherKem.export({ format: 'der', type: 'pkcs8' }),
  ])
    await assert.rejects(unwrapInfo(token, info, named), answers('WRAPPED_KEY_INVALID'))
})
