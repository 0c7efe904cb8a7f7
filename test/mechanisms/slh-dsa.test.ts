import assert from 'node:assert/strict'
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto'
import { test } from 'node:test'
import { native } from '../../src/engine/binding.ts'
import { slhDsaSets } from '../../src/engine/parameter-sets.ts'
import { namedPreHashes } from '../../src/mechanisms/additional-context.ts'
import { LONGEST_MESSAGE } from '../../src/mechanisms/slh-dsa.ts'
import { CKF, CKH, CKK, CKM, CKO, CKP, CKR } from '../../src/standard/constants.ts'
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
  ROOM,
  sha256,
  sign,
  signInParts,
  unwrapInfo,
  verify,
} from './parameter-sets.ts'

/**
 * Of what @noble/post-quantum 0.7.1, another implementation, makes of the seeds 00 01 02 ... (SK.seed,
 * SK.prf and PK.seed): PK.root, and the SHA-256 of the deterministic signature over "a message" with
 * the context "context".
 */
const KNOWN = {
  SLH_DSA_SHA2_128S: [
    '990ce6298792b128846a8e4a3a68954c',
    'd9cfabc1db0191983525df6f3063dd011cc57324319de623eec0838690ed1daf',
  ],
  SLH_DSA_SHA2_128F: [
    '3b56e816847f000386aeec2e2bb9e1b5',
    'f37e1b6b91cfefca2a1188d865ba61c5bceef6652353b288350f0aa280f5dee5',
  ],
  SLH_DSA_SHA2_192S: [
    'b6f282ce116ff59bce2d9fc4a67c6031dabdce326c34f541',
    '1bfb378379636cb98e25dccb2209a85b11d7399326e862d014e2084d09a3f6f2',
  ],
  SLH_DSA_SHA2_192F: [
    '9236ccebbb3a90ac2452dd89de49dab1340ec02419a2870e',
    '990775ffe03e6b463742939153cfa5549ac0d8ee6ad8d979d63c90dae46977ae',
  ],
  SLH_DSA_SHA2_256S: [
    'da7163e601352515bc0f06f9f4f44be71a5a65ee9dca5575cf4a7b6d4a87d6e2',
    '407fdb3f99f5b1a1ff0cfeb7ddf9b8bd69b127ea81e3fdb166831ab95760c2b6',
  ],
  SLH_DSA_SHA2_256F: [
    '42cffe64ddbd6731063752684df77c8b58c225dc6b491208916b654ea1393176',
    'a45238e84d055335b685f06168ec17e0d1b826126d3908bbb54a9d3a591f243f',
  ],
  SLH_DSA_SHAKE_128S: [
    '89fd81fdbb5b94129b14761bdc6bf682',
    '0a74c27f83ee68ba003f2a5dffa5a55f60b72eef15e5941f93e77e9f0efe1706',
  ],
  SLH_DSA_SHAKE_128F: [
    'a90e4715b9a925c332801767fd786371',
    '1d8cbbdceec69276f296e90346ad2ee528c05bd896627d3d3e87d0d1001186e0',
  ],
  SLH_DSA_SHAKE_192S: [
    'eb247f955d8eca24a5860536c56b2c4d1e8d8e835eb27d2d',
    '24ffa88812ed27e69d3098470053cefb4b45f1f04fbf585c052f0d2cf5deec50',
  ],
  SLH_DSA_SHAKE_192F: [
    '3f01b06bebed020a459696868d115fe8507ded8dc08e825d',
    'b21d08648ff7677ac1941635f19db31d4d380e3e225da5a806a3fbbff0b43b05',
  ],
  SLH_DSA_SHAKE_256S: [
    '27ea444dbc8ca9c169fd484b9e977eb77a4f233550757e025cf180ede7e8839f',
    '6f153efebc3fab97aef308a6c96861a50e9c17aae5f93a8cd7aeb17fbf3ea27a',
  ],
  SLH_DSA_SHAKE_256F: [
    '818d7e76beef979b5bbf9161fdefa21bd0fe0bfe19157a5711a8de8a8f6878e6',
    '4e31a2ffd3095848fd78d5216c8eb6ade73ef43ff7a638cbfd0aa49abaeb5a6a',
  ],
} as const

type SetName = keyof typeof KNOWN
const SETS = Object.keys(KNOWN) as SetName[]
/** The set whose signatures take the least time. */
const FAST = 'SLH_DSA_SHA2_128F'
/** The one whose signatures take longest: a second and more. */
const SLOW = 'SLH_DSA_SHAKE_256S'

/** The same with CKM_HASH_SLH_DSA_..., for the keys of SHA2-128f and SHAKE-128f. */
const KNOWN_HASHED: Readonly<Record<string, readonly [sha2: string, shake: string]>> = {
  SHA256: [
    '7cbf09dded28e1e46d5abe3f3d66c572da877e6036c076fbe9301b116114d9c3',
    'd4c02704db01c3c3a418d786ce89c1aa225f79806cbb5eed6e8add92e74e6347',
  ],
  SHA384: [
    '8c23fbd1114f82e70fa56db4d0c74ad0a9e4b2c7e30f76e60ebcc9b4ee13296c',
    '8db7574d94f56a179a7374147d85f3b9f80942c3318d9f19ec43f0d07fb22d7d',
  ],
  SHA512: [
    'e6c88b405864cab7e881112f83aee0299fbf1a50c1bb048aadbc389d28f3ecae',
    '087e6ddc35f8b41e71346cd11a6a443ce87bc6f236aafc449134d48cd4f81c1f',
  ],
  SHA3_256: [
    'cc4938ae3d2ba1ca6f2b4bb94c844de7c9cc6909171046d3831aa3a604a1bb0b',
    'c84b3f870446ca44f50fe313b05e347316bd9004af2943d0b2cac7f2a52647b2',
  ],
  SHA3_384: [
    '7aef2b9ee74e58eb2444488eedd8db7f8f3849f4b814b769e78a8cc07164ecf9',
    'ebd96ffe71eda6fe7a1e5e3e51b9f9bb78e2ddac1ffe7cf2a82938b51f725db0',
  ],
  SHA3_512: [
    '8028451fe4946a5c5f2e6435727583279217b7cb157bc97c5d4e9f72ba4efa45',
    '9990cef78364c0332148d29e3920f901fb308bbdc3ca1047b63ff42265c28941',
  ],
  SHAKE128: [
    'd280253d0de8eb8c67e53b2f3bfd96a6519f3cad32d096c520c37c09e6f52907',
    '71baa2709945b5141699fd9466411298c30fab4fcf8b77fd021bb85a4d36e2a7',
  ],
  SHAKE256: [
    '73b42337411035724d7c02c115af3e2b5ca0817cfa2ae9bda60e5bdaeaa4930f',
    'e28b4baca9db66e390ad3f2af96a43b5d8209933dbed57023210ca41c1159d5d',
  ],
}

const SERIAL_RW = CKF.SERIAL_SESSION | CKF.RW_SESSION

const privateTemplate = (set: SetName, value: Uint8Array): Named => ({
  ...keyTemplate(CKK.SLH_DSA, CKO.PRIVATE_KEY, set),
  VALUE: value,
})
const publicTemplate = (set: SetName, value: Uint8Array): Named => ({
  ...keyTemplate(CKK.SLH_DSA, CKO.PUBLIC_KEY, set),
  VALUE: value,
})

const pair = (token: Opened, set: SetName) => pairOf(token, CKM.SLH_DSA_KEY_PAIR_GEN, set)

/** Both keys that the known answers are for. */
async function knownPair(token: Opened, set: SetName) {
  const root = Buffer.from(KNOWN[set][0], 'hex')
  const value = Buffer.concat([counting(3 * root.length), root])
  const privateKey = await create(token, privateTemplate(set, value))
  const publicValue = value.subarray(2 * root.length)
  assert.deepEqual(await publicValueOf(token, privateKey), publicValue)
  return { privateKey, publicKey: await create(token, publicTemplate(set, publicValue)) }
}

test('with every set the deterministic signature is that of another implementation', async (t) => {
  const token = await openToken(t)
  assert.equal(SETS.length, slhDsaSets.length)
  const asked = mechanism('SLH_DSA', deterministic(context))
  for (const set of SETS) {
    const { publicKey, privateKey } = await knownPair(token, set)
    const signature = await sign(token, privateKey, asked, message)
    assert.equal(sha256(signature), KNOWN[set][1], set)
    await verify(token, publicKey, asked, message, signature)
  }
})

test('after a hash the deterministic signature is that of another implementation', async (t) => {
  const token = await openToken(t)
  for (const [at, set] of [FAST, 'SLH_DSA_SHAKE_128F'].entries()) {
    const { publicKey, privateKey } = await knownPair(token, set as SetName)
    for (const [hash, known] of Object.entries(KNOWN_HASHED)) {
      assert.ok((namedPreHashes as readonly string[]).includes(hash))
      const asked = mechanism(`HASH_SLH_DSA_${hash}` as 'SLH_DSA', deterministic(context))
      const signature = await signInParts(token, privateKey, asked, message, 4)
      assert.equal(sha256(signature), known[at], hash)
      await verify(token, publicKey, asked, message, signature)
    }
  }
})

test('CKM_HASH_SLH_DSA signs the digest that the hashing mechanism makes', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const { publicKey, privateKey } = await pair(token, FAST)
  for (const hash of ['SHA224', 'SHA256', 'SHA3_512'] as const) {
    await call('C_DigestInit', [session, mechanism(hash)])
    const digest = (await call('C_Digest', [session, data(message), 64])) as Uint8Array
    const generic = mechanism('HASH_SLH_DSA', { ...deterministic(context), hash: CKM[hash] })
    const named = mechanism(`HASH_SLH_DSA_${hash}`, deterministic(context))
    const signature = await sign(token, privateKey, generic, digest)
    assert.deepEqual(await sign(token, privateKey, named, message), signature)
    await verify(token, publicKey, named, message, signature)
    await assert.rejects(
      sign(token, privateKey, generic, digest.subarray(1)),
      answers('DATA_LEN_RANGE'),
    )
  }
})

test('what is signed here Node verifies, and the other way', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pair(token, FAST)
  const nodePublic = createPublicKey({
    key: await attribute(token, publicKey, 'PUBLIC_KEY_INFO'),
    format: 'der',
    type: 'spki',
  })
  const nodePrivate = createPrivateKey({
    key: await privateKeyInfoOf(token, privateKey),
    format: 'der',
    type: 'pkcs8',
  })
  for (const [parameter, used] of [
    [null, Buffer.alloc(0)],
    [hedged(CKH.HEDGE_REQUIRED, context), context],
    [deterministic(counting(255)), counting(255)],
  ] as const) {
    const asked = mechanism('SLH_DSA', parameter)
    const signature = await sign(token, privateKey, asked, message)
    assert.ok(nodeVerify(null, message, { key: nodePublic, context: used }, signature))
    const theirs = nodeSign(null, message, { key: nodePrivate, context: used })
    await verify(token, publicKey, asked, message, theirs)
  }
})

test('deterministic is the same each time and in parts, hedged another', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pair(token, FAST)
  const asked = mechanism('SLH_DSA', deterministic())
  const long = Buffer.alloc(2_500_000, 3)
  const whole = await sign(token, privateKey, asked, long)
  assert.deepEqual(await signInParts(token, privateKey, asked, long, 1_000_000), whole)
  await verify(token, publicKey, mechanism('SLH_DSA'), long, whole)
  long[0] = 4
  await assert.rejects(
    verify(token, publicKey, mechanism('SLH_DSA'), long, whole),
    answers('SIGNATURE_INVALID'),
  )
  const first = await sign(token, privateKey, mechanism('SLH_DSA'), message)
  assert.ok(!first.equals(await sign(token, privateKey, mechanism('SLH_DSA'), message)))
})

test('another message, context or form is CKR_SIGNATURE_INVALID, another length CKR_SIGNATURE_LEN_RANGE', async (t) => {
  const token = await openToken(t)
  const { publicKey, privateKey } = await pair(token, FAST)
  const asked = mechanism('SLH_DSA', hedged(CKH.HEDGE_PREFERRED, context))
  const signature = await sign(token, privateKey, asked, message)
  await verify(token, publicKey, asked, message, signature)
  const damaged = Buffer.from(signature)
  damaged[17000] = (damaged[17000] as number) ^ 1
  for (const [how, text, value] of [
    [mechanism('SLH_DSA'), message, signature],
    [mechanism('HASH_SLH_DSA_SHA256', deterministic(context)), message, signature],
    [asked, Buffer.alloc(0), signature],
    [asked, message, damaged],
  ] as const)
    await assert.rejects(verify(token, publicKey, how, text, value), answers('SIGNATURE_INVALID'))
  for (const length of [0, 17087, 17089])
    await assert.rejects(
      verify(token, publicKey, asked, message, Buffer.alloc(length)),
      answers('SIGNATURE_LEN_RANGE'),
    )
})

test('a message that is kept has a bound, and a hashed one has none', async (t) => {
  const token = await openToken(t)
  const { call, session } = token
  const { privateKey } = await pair(token, FAST)
  const tooLong = { length: LONGEST_MESSAGE + 1, read: (_at: number, n: number) => Buffer.alloc(n) }
  await call('C_SignInit', [session, mechanism('SLH_DSA'), privateKey])
  await assert.rejects(call('C_Sign', [session, tooLong, ROOM]), answers('DATA_LEN_RANGE'))
  await call('C_SignInit', [session, mechanism('HASH_SLH_DSA_SHA256'), privateKey])
  await call('C_Sign', [session, tooLong, ROOM])
})

test('a cancelled signature leaves no operation, and a cancelled generation no key', async (t) => {
  const token = await openToken(t, 5)
  const { call } = token
  const session = await call('C_OpenSession', [token.slot, SERIAL_RW, true])
  const { privateKey } = await pair(token, SLOW)
  const objects = async (): Promise<number> => {
    await call('C_FindObjectsInit', [session, []])
    const found = await call('C_FindObjects', [session, 100])
    await call('C_FindObjectsFinal', [session])
    return found.length
  }
  const before = await objects()
  let calls = 0
  const cancelling = { notify: () => (++calls < 3 ? CKR.OK : CKR.CANCEL) }
  await call('C_SignInit', [session, mechanism('SLH_DSA'), privateKey])
  await assert.rejects(
    call('C_Sign', [session, data(message), ROOM], cancelling),
    answers('FUNCTION_CANCELED'),
  )
  assert.equal(calls, 3)
  await assert.rejects(
    call('C_Sign', [session, data(message), ROOM]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  calls = 2
  await assert.rejects(
    call(
      'C_GenerateKeyPair',
      [
        session,
        mechanism('SLH_DSA_KEY_PAIR_GEN'),
        template({ PARAMETER_SET: CKP[SLOW] }),
        template({}),
      ],
      cancelling,
    ),
    answers('FUNCTION_CANCELED'),
  )
  assert.equal(await objects(), before)
})

test('a generated pair holds its set and values of the set’s lengths', async (t) => {
  const token = await openToken(t)
  for (const set of [FAST, 'SLH_DSA_SHAKE_192F', 'SLH_DSA_SHA2_256F'] as const) {
    const { publicKey, privateKey } = await pair(token, set)
    const value = await attribute(token, privateKey, 'VALUE')
    const publicValue = await attribute(token, publicKey, 'VALUE')
    assert.equal(value.length, 2 * publicValue.length)
    assert.deepEqual(value.subarray(publicValue.length), publicValue)
    assert.deepEqual(
      await attribute(token, privateKey, 'PUBLIC_KEY_INFO'),
      await attribute(token, publicKey, 'PUBLIC_KEY_INFO'),
    )
    for (const key of [publicKey, privateKey])
      assert.equal((await attribute(token, key, 'PARAMETER_SET'))[0], CKP[set])
    const imported = native().importKey(
      slhDsaSets.find(({ publicBytes }) => publicBytes === publicValue.length)?.name as string,
      'private',
      { priv: value },
    )
    assert.deepEqual(Buffer.from(native().component(imported, 'pub')), publicValue)
  }
})

test('a value of another length or set, and a seed, are refused', async (t) => {
  const token = await openToken(t)
  for (const [rv, named] of [
    ['ATTRIBUTE_VALUE_INVALID', privateTemplate(FAST, counting(63))],
    ['ATTRIBUTE_VALUE_INVALID', privateTemplate('SLH_DSA_SHA2_192F', counting(64))],
    ['ATTRIBUTE_VALUE_INVALID', publicTemplate(FAST, counting(33))],
    ['PARAMETER_SET_NOT_SUPPORTED', { ...publicTemplate(FAST, counting(32)), PARAMETER_SET: 13 }],
    ['TEMPLATE_INCONSISTENT', { ...privateTemplate(FAST, counting(64)), SEED: counting(48) }],
  ] as const)
    await assert.rejects(create(token, named), answers(rv))
})

test('a private key of every set goes through PKCS #8 as RFC 9909 has it', async (t) => {
  const token = await openToken(t)
  const named = { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.SLH_DSA, SENSITIVE: false }
  for (const set of SETS) {
    const { privateKey } = await knownPair(token, set)
    const info = await privateKeyInfoOf(token, privateKey)
    const node = createPrivateKey({ key: info, format: 'der', type: 'pkcs8' })
    assert.equal(node.asymmetricKeyType, set.toLowerCase().replaceAll('_', '-'))
    assert.deepEqual(node.export({ format: 'der', type: 'pkcs8' }), info)
    const back = await unwrapInfo(token, info, named)
    for (const name of ['VALUE', 'PARAMETER_SET', 'PUBLIC_KEY_INFO'] as const)
      assert.deepEqual(await attribute(token, back, name), await attribute(token, privateKey, name))
  }
  const mlDsa = generateKeyPairSync('ml-dsa-44').privateKey.export({ format: 'der', type: 'pkcs8' })
  await assert.rejects(unwrapInfo(token, mlDsa, named), answers('WRAPPED_KEY_INVALID'))
})
