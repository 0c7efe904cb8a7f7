import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { Parameter } from '../../src/standard/calls.ts'
import { CK_INVALID_HANDLE, type CKA, CKK, CKM, type CKR } from '../../src/standard/constants.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'
import {
  answering,
  attribute,
  derive,
  hidden,
  type Named,
  NOTHING,
  numberAt,
  OPEN,
  objectsOf,
  policy,
  secret,
  valueAt,
} from './derivation-calls.ts'
import { hex, toHex } from './rows.ts'
import { tlsCases } from './tls-vectors.ts'

/** SSL 3.0 and the PRF with MD5 are for those that ask for them. */
const open = (t: TestContext) => openToken(t, 50, { profile: 'legacy' })

const randoms = (client: string, server: string): Parameter => ({
  clientRandom: hex(client),
  serverRandom: hex(server),
})

const RANDOMS = randoms('c1'.repeat(32), '5e'.repeat(32))

const masterParameter = (values: Partial<Parameter> = {}): Parameter => ({
  randomInfo: RANDOMS,
  version: null,
  prfHashMechanism: CKM.SHA256,
  ...values,
})

const VERSION = { major: 0, minor: 0 }

/** RFC 5246, 5, without OpenSSL's PRF. */
function prf(hash: string, key: Uint8Array, seed: Uint8Array, length: number): Buffer {
  const hmac = (data: Uint8Array) => createHmac(hash, key).update(data).digest()
  let made = Buffer.alloc(0)
  for (let a = hmac(seed); made.length < length; a = hmac(a))
    made = Buffer.concat([made, hmac(Buffer.concat([a, seed]))])
  return made.subarray(0, length)
}

/** RFC 4346, 5: the halves of the secret, XORed. */
function oldPrf(key: Uint8Array, seed: Uint8Array, length: number): Buffer {
  const half = Math.ceil(key.length / 2)
  const sha = prf('sha1', key.subarray(key.length - half), seed, length)
  const md5 = prf('md5', key.subarray(0, half), seed, length)
  return Buffer.from(sha.map((byte, at) => byte ^ (md5[at] as number)))
}

const versions = {
  '1.0': { master: CKM.TLS_MASTER_KEY_DERIVE, material: CKM.TLS_KEY_AND_MAC_DERIVE },
  '1.2': { master: CKM.TLS12_MASTER_KEY_DERIVE, material: CKM.TLS12_KEY_AND_MAC_DERIVE },
} as const

test('master secrets and key blocks are those of CAVP', async (t) => {
  const token = await open(t)
  for (const one of tlsCases) {
    const { master, material } = versions[one.version]
    const { mechanism, given } = answering(
      master,
      masterParameter({
        randomInfo: randoms(one.clientHelloRandom, one.serverHelloRandom),
        version: VERSION,
      }),
    )
    const preMaster = await secret(token, hex(one.preMaster))
    const key = await derive(token, mechanism, preMaster, { ...OPEN, DERIVE: true })
    assert.equal(await valueAt(token, key), one.master)
    const [major, minor] = hex(one.preMaster)
    assert.deepEqual(given, [{ version: { major, minor } }])
    // 20 bytes of MAC key, 16 of key, and the rest for the IVs.
    const iv = one.keyBlock.length / 4 - 36
    const { keys, ivs } = await keyMaterial(token, material, key, {
      macSizeInBits: 160,
      keySizeInBits: 128,
      ivSizeInBits: iv * 8,
      randomInfo: randoms(one.clientRandom, one.serverRandom),
    })
    const values = await Promise.all(keys.map((handle) => valueAt(token, handle)))
    assert.equal(values.join('') + ivs.join(''), one.keyBlock)
  }
})

const materialParameter = (values: Partial<Parameter>): Parameter => ({
  macSizeInBits: 0,
  keySizeInBits: 0,
  ivSizeInBits: 0,
  isExport: 0,
  randomInfo: RANDOMS,
  returnedKeyMaterial: {
    clientMacSecret: 0,
    serverMacSecret: 0,
    clientKey: 0,
    serverKey: 0,
    ivClient: NOTHING,
    ivServer: NOTHING,
  },
  prfHashMechanism: CKM.SHA256,
  ...values,
})

const HANDLES = ['clientMacSecret', 'serverMacSecret', 'clientKey', 'serverKey'] as const

/** The four keys and two IVs, with room for the IVs as long as the parameter asks. */
async function keyMaterial(
  token: Opened,
  type: number,
  master: number,
  values: Partial<Parameter>,
  named: Named = { KEY_TYPE: CKK.AES },
) {
  const iv = new Uint8Array(Math.ceil(((values.ivSizeInBits as number) ?? 0) / 8))
  const all = materialParameter(values)
  const room = { ...(all.returnedKeyMaterial as Parameter), ivClient: iv, ivServer: iv }
  const { mechanism, given } = answering(type, {
    ...all,
    ...(values.returnedKeyMaterial === undefined && { returnedKeyMaterial: room }),
  })
  assert.equal(await derive(token, mechanism, master, named), CK_INVALID_HANDLE)
  const material = Object.assign({}, ...given.map((back) => back.returnedKeyMaterial))
  return {
    keys: HANDLES.map((name) => material[name] as number),
    ivs: [material.ivClient, material.ivServer].map((value) => (value ? toHex(value) : '')),
  }
}

const MASTER = Buffer.alloc(48, 0x42)
const expansion = Buffer.concat([
  Buffer.from('key expansion'),
  hex('5e'.repeat(32)),
  hex('c1'.repeat(32)),
])

test('the keys of a connection are of their types, and are for what they are for', async (t) => {
  const token = await open(t)
  const master = await secret(token, MASTER)
  const flag = async (key: number, name: keyof typeof CKA) => (await attribute(token, key, name))[0]
  for (const [type, derives] of [
    [CKM.TLS12_KEY_AND_MAC_DERIVE, 0],
    [CKM.TLS12_KEY_SAFE_DERIVE, 0],
    [CKM.TLS_KEY_AND_MAC_DERIVE, 1],
    [CKM.SSL3_KEY_AND_MAC_DERIVE, 1],
  ] as const) {
    const sizes = { macSizeInBits: 256, keySizeInBits: 256, ivSizeInBits: 128 }
    const { keys } = await keyMaterial(token, type, master, sizes)
    const [clientMac, serverMac, client, server] = keys as [number, number, number, number]
    for (const key of [clientMac, serverMac]) {
      assert.equal(await numberAt(token, key, 'KEY_TYPE'), CKK.GENERIC_SECRET)
      for (const name of ['SIGN', 'VERIFY'] as const) assert.equal(await flag(key, name), 1)
      assert.equal(await flag(key, 'DERIVE'), derives)
    }
    for (const key of [client, server]) {
      assert.equal(await numberAt(token, key, 'KEY_TYPE'), CKK.AES)
      for (const name of ['ENCRYPT', 'DECRYPT', 'DERIVE'] as const)
        assert.equal(await flag(key, name), 1)
    }
  }
  const named = { KEY_TYPE: CKK.AES, ENCRYPT: false, TOKEN: true }
  const sizes = { macSizeInBits: 256, keySizeInBits: 128 }
  const { keys } = await keyMaterial(token, CKM.TLS12_KEY_AND_MAC_DERIVE, master, sizes, named)
  assert.deepEqual(await Promise.all(keys.map((key) => flag(key, 'TOKEN'))), [1, 1, 1, 1])
  assert.equal(await flag(keys[2] as number, 'ENCRYPT'), 0)
})

test('CKM_TLS12_KEY_SAFE_DERIVE makes the same keys and no IV', async (t) => {
  const token = await open(t)
  const master = await secret(token, MASTER)
  const sizes = { macSizeInBits: 256, keySizeInBits: 128, ivSizeInBits: 64 }
  const { keys, ivs } = await keyMaterial(token, CKM.TLS12_KEY_SAFE_DERIVE, master, sizes)
  const values = await Promise.all(keys.map((key) => valueAt(token, key)))
  assert.equal(values.join(''), prf('sha256', MASTER, expansion, 96).toString('hex'))
  assert.deepEqual(ivs, ['', ''])
})

test('keys and MAC keys of no length are not made, and their handles say so', async (t) => {
  const token = await open(t)
  const master = await secret(token, MASTER)
  const type = CKM.TLS12_KEY_AND_MAC_DERIVE
  const aead = await keyMaterial(token, type, master, { keySizeInBits: 128, ivSizeInBits: 32 })
  const block = prf('sha256', MASTER, expansion, 40).toString('hex')
  assert.deepEqual(aead.keys.slice(0, 2), [CK_INVALID_HANDLE, CK_INVALID_HANDLE])
  const [client, server] = aead.keys.slice(2) as [number, number]
  assert.equal((await valueAt(token, client)) + (await valueAt(token, server)), block.slice(0, 64))
  assert.equal(aead.ivs.join(''), block.slice(64))
  const { keys } = await keyMaterial(token, type, master, { macSizeInBits: 256 })
  assert.deepEqual(keys.slice(2), [CK_INVALID_HANDLE, CK_INVALID_HANDLE])
})

test('all keys have the policy of the master secret, and a template cannot change it', async (t) => {
  const token = await open(t)
  const sizes = { macSizeInBits: 256, keySizeInBits: 128 }
  const type = CKM.TLS12_KEY_AND_MAC_DERIVE
  for (const [master, expected, other] of [
    [await secret(token, MASTER), '-E---', { SENSITIVE: true }],
    [await hidden(token), 'S-AN-', { EXTRACTABLE: true }],
  ] as const) {
    const { keys } = await keyMaterial(token, type, master, sizes)
    for (const key of keys) assert.equal(await policy(token, key), expected)
    const before = await objectsOf(token)
    const named = { KEY_TYPE: CKK.AES, ...other }
    await assert.rejects(
      keyMaterial(token, type, master, sizes, named),
      answers('TEMPLATE_INCONSISTENT'),
    )
    assert.equal(await objectsOf(token), before)
  }
})

test('key material that cannot be is refused, and no key is made', async (t) => {
  const token = await open(t)
  const master = await secret(token, MASTER)
  const refused: [Partial<Parameter>, Named, keyof typeof CKR][] = [
    [{}, {}, 'MECHANISM_PARAM_INVALID'],
    [{ macSizeInBits: 12 }, {}, 'MECHANISM_PARAM_INVALID'],
    [{ macSizeInBits: 160, isExport: 1 }, {}, 'MECHANISM_PARAM_INVALID'],
    [{ macSizeInBits: 2 ** 20 }, {}, 'MECHANISM_PARAM_INVALID'],
    [{ macSizeInBits: 160, returnedKeyMaterial: null }, {}, 'MECHANISM_PARAM_INVALID'],
    [{ macSizeInBits: 160, prfHashMechanism: CKM.MD5 }, {}, 'MECHANISM_PARAM_INVALID'],
    [{ keySizeInBits: 128 }, { KEY_TYPE: CKK.POLY1305 }, 'TEMPLATE_INCONSISTENT'],
    [{ keySizeInBits: 128 }, { KEY_TYPE: CKK.AES, VALUE_LEN: 32 }, 'TEMPLATE_INCONSISTENT'],
  ]
  for (const [values, named, rv] of refused)
    await assert.rejects(
      keyMaterial(token, CKM.TLS12_KEY_AND_MAC_DERIVE, master, values, named),
      answers(rv),
    )
  const nowhere = {
    ...(materialParameter({}).returnedKeyMaterial as Parameter),
    ivClient: null,
    ivServer: null,
  }
  await assert.rejects(
    keyMaterial(token, CKM.TLS12_KEY_AND_MAC_DERIVE, master, {
      macSizeInBits: 256,
      ivSizeInBits: 64,
      returnedKeyMaterial: nowhere,
    }),
    answers('MECHANISM_PARAM_INVALID'),
  )
  const short = await secret(token, Buffer.alloc(47, 1))
  await assert.rejects(
    keyMaterial(token, CKM.TLS12_KEY_AND_MAC_DERIVE, short, { macSizeInBits: 256 }),
    answers('KEY_SIZE_RANGE'),
  )
  // The 26 rounds of SSL 3.0 make 416 bytes.
  await keyMaterial(token, CKM.SSL3_KEY_AND_MAC_DERIVE, master, { macSizeInBits: 208 * 8 })
  await assert.rejects(
    keyMaterial(token, CKM.SSL3_KEY_AND_MAC_DERIVE, master, { macSizeInBits: 209 * 8 }),
    answers('MECHANISM_PARAM_INVALID'),
  )
})

test('SSL 3.0 makes what RFC 6101 tells', async (t) => {
  const token = await open(t)
  const digest = (hash: string, ...parts: (Uint8Array | string)[]) =>
    parts.reduce((all, part) => all.update(part), createHash(hash)).digest()
  const [client, server] = [hex('c1'.repeat(32)), hex('5e'.repeat(32))]
  const of = (key: Uint8Array, one: Uint8Array, other: Uint8Array, length: number) =>
    Buffer.concat(
      ['A', 'BB', 'CCC', 'DDDD', 'EEEEE', 'FFFFFF', 'GGGGGGG'].map((letters) =>
        digest('md5', key, digest('sha1', letters, key, one, other)),
      ),
    ).subarray(0, length)
  const preMaster = Buffer.concat([Buffer.of(3, 0), Buffer.alloc(46, 9)])
  const base = await secret(token, preMaster)
  const version = masterParameter({ version: VERSION })
  const { mechanism, given } = answering(CKM.SSL3_MASTER_KEY_DERIVE, version)
  const named = { ...OPEN, DERIVE: true }
  const master = await derive(token, mechanism, base, named)
  const expected = of(preMaster, client, server, 48)
  assert.equal(await valueAt(token, master), expected.toString('hex'))
  assert.deepEqual(given, [{ version: { major: 3, minor: 0 } }])
  const dh = { type: CKM.SSL3_MASTER_KEY_DERIVE_DH, parameter: masterParameter() }
  assert.equal(await valueAt(token, await derive(token, dh, base, named)), expected.toString('hex'))
  const sizes = { macSizeInBits: 160, keySizeInBits: 128, ivSizeInBits: 64 }
  const { keys, ivs } = await keyMaterial(token, CKM.SSL3_KEY_AND_MAC_DERIVE, master, sizes)
  const values = await Promise.all(keys.map((key) => valueAt(token, key)))
  assert.equal(values.join('') + ivs.join(''), of(expected, server, client, 88).toString('hex'))
})

const seedOf = (label: string, ...rest: readonly Uint8Array[]) =>
  Buffer.concat([Buffer.from(label), ...rest])

test('an extended master secret is bound to the session’s hash', async (t) => {
  const token = await open(t)
  const preMaster = Buffer.alloc(48, 3)
  const base = await secret(token, preMaster)
  const sessionHash = Buffer.alloc(48, 0xab)
  const parameter = { prfHashMechanism: CKM.SHA384, sessionHash, version: VERSION }
  const { mechanism, given } = answering(CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, parameter)
  const expected = prf('sha384', preMaster, seedOf('extended master secret', sessionHash), 48)
  const rsa = await derive(token, mechanism, base)
  assert.equal(await valueAt(token, rsa), expected.toString('hex'))
  assert.deepEqual(given, [{ version: { major: 3, minor: 3 } }])
  const dh = {
    type: CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH,
    parameter: { ...parameter, version: null },
  }
  assert.equal(await valueAt(token, await derive(token, dh, base)), expected.toString('hex'))
})

const ALLOWED = [
  CKM.TLS12_KEY_AND_MAC_DERIVE,
  CKM.TLS12_KEY_SAFE_DERIVE,
  CKM.TLS_KDF,
  CKM.TLS_MAC,
  CKM.TLS12_KDF,
  CKM.TLS12_MAC,
]

test('a master secret of TLS 1.2 is for TLS only', async (t) => {
  const token = await open(t)
  const base = await secret(token, Buffer.alloc(48, 3))
  const asked = { type: CKM.TLS12_MASTER_KEY_DERIVE, parameter: masterParameter() }
  const [allowed] = template({ ALLOWED_MECHANISMS: ALLOWED })
  const master = await derive(token, asked, base, { ...OPEN, DERIVE: true })
  assert.deepEqual(
    Buffer.from(await attribute(token, master, 'ALLOWED_MECHANISMS')),
    Buffer.from(allowed?.value as Uint8Array),
  )
  const hash = { type: CKM.SHA256_KEY_DERIVATION, parameter: null }
  await assert.rejects(derive(token, hash, master, {}), answers('MECHANISM_INVALID'))
  const fewer = await derive(token, asked, base, { ALLOWED_MECHANISMS: [CKM.TLS_MAC] })
  assert.equal((await attribute(token, fewer, 'ALLOWED_MECHANISMS')).length, 8)
  for (const ALLOWED_MECHANISMS of [[], [CKM.TLS_MAC, CKM.SHA256_HMAC]])
    await assert.rejects(
      derive(token, asked, base, { ALLOWED_MECHANISMS }),
      answers('TEMPLATE_INCONSISTENT'),
    )
})

test('what makes no master secret is refused', async (t) => {
  const token = await open(t)
  const [base, short] = [
    await secret(token, Buffer.alloc(48, 3)),
    await secret(token, Buffer.alloc(32, 3)),
  ]
  const of = (type: number, values: Partial<Parameter> = {}) => ({
    type,
    parameter: masterParameter(values),
  })
  await derive(token, of(CKM.TLS12_MASTER_KEY_DERIVE_DH), short)
  const refused: [ReturnType<typeof of>, number, Named, keyof typeof CKR][] = [
    [of(CKM.TLS12_MASTER_KEY_DERIVE), short, {}, 'KEY_SIZE_RANGE'],
    [
      of(CKM.TLS12_MASTER_KEY_DERIVE_DH, { version: VERSION }),
      short,
      {},
      'MECHANISM_PARAM_INVALID',
    ],
    [
      of(CKM.TLS12_MASTER_KEY_DERIVE, { prfHashMechanism: CKM.TLS_PRF }),
      base,
      {},
      'MECHANISM_PARAM_INVALID',
    ],
    [of(CKM.TLS12_MASTER_KEY_DERIVE), base, { KEY_TYPE: CKK.AES }, 'TEMPLATE_INCONSISTENT'],
    [of(CKM.TLS12_MASTER_KEY_DERIVE), base, { VALUE_LEN: 47 }, 'TEMPLATE_INCONSISTENT'],
  ]
  for (const [asked, key, named, rv] of refused)
    await assert.rejects(derive(token, asked, key, named), answers(rv))
})

test('a pre-master secret begins with the version, and no two are the same', async (t) => {
  const token = await open(t)
  for (const type of [CKM.SSL3_PRE_MASTER_KEY_GEN, CKM.TLS_PRE_MASTER_KEY_GEN]) {
    const generate = async (named: Named) => {
      const mechanism = { type, parameter: { major: 3, minor: 1 } }
      return token.call('C_GenerateKey', [token.session, mechanism, template(named)])
    }
    const values = await Promise.all(
      [OPEN, { ...OPEN, VALUE_LEN: 48, KEY_TYPE: CKK.GENERIC_SECRET }].map(async (named) =>
        valueAt(token, await generate(named)),
      ),
    )
    for (const value of values) assert.match(value, /^0301[\da-f]{92}$/)
    assert.notEqual(values[0], values[1])
    await assert.rejects(generate({ VALUE_LEN: 47 }), answers('TEMPLATE_INCONSISTENT'))
  }
})

/** From the IETF's TLS mailing list, mail-archive/web/tls/current/msg03416.html. */
const prfVectors = [
  {
    hash: CKM.SHA224,
    secret: 'e18828740352b530d69b34c6597dea2e',
    seed: 'f5a3fe6d34e2e28560fdcaf6823f9091',
    made: '224d8af3c0453393a9779789d21cf7da5ee62ae6b617873d489428efc8dd58d1566e7029e2ca3a5ecd355dc64d4d927e2fbd78c4233e8604b14749a77a92a70fddf614bc0df623d798604e4ca5512794d802a258e82f86cf',
  },
  {
    hash: CKM.SHA256,
    secret: '9bbe436ba940f017b17652849a71db35',
    seed: 'a0ba9f936cda311827a6f796ffd5198c',
    made: 'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66',
  },
  {
    hash: CKM.SHA384,
    secret: 'b80b733d6ceefcdc71566ea48e5567df',
    seed: 'cd665cf6a8447dd6ff8b27555edb7465',
    made: '7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f',
  },
  {
    hash: CKM.SHA512,
    secret: 'b0323523c1853599584d88568bbb05eb',
    seed: 'd4640e12e4bcdbfb437f03e6ae418ee5',
    made: '1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc75c45e20eb40c1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fec702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a845658dc9c397545401d40b9f46c7a400ee1b8f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e640d4d898',
  },
]

const exporter = (values: Partial<Parameter> = {}, type: number = CKM.TLS_KDF) => ({
  type,
  parameter: {
    prfMechanism: CKM.SHA256,
    label: Buffer.from('test label'),
    randomInfo: RANDOMS,
    contextData: NOTHING,
    ...values,
  },
})

test('the exporter makes the vectors of the PRF', async (t) => {
  const token = await open(t)
  for (const { hash, secret: value, seed, made } of prfVectors) {
    const base = await secret(token, hex(value))
    for (const type of [CKM.TLS_KDF, CKM.TLS12_KDF]) {
      const randomInfo = randoms(seed.slice(0, 10), seed.slice(10))
      const asked = exporter({ prfMechanism: hash, randomInfo }, type)
      const key = await derive(token, asked, base, { ...OPEN, VALUE_LEN: made.length / 2 })
      assert.equal(await valueAt(token, key), made)
    }
  }
})

test('the exporter puts a context behind its length, and has the older PRF', async (t) => {
  const token = await open(t)
  const base = await secret(token, MASTER)
  const seed = seedOf('test label', hex('c1'.repeat(32)), hex('5e'.repeat(32)))
  const made = async (values: Partial<Parameter>) =>
    valueAt(token, await derive(token, exporter(values), base, { ...OPEN, VALUE_LEN: 100 }))
  const context = Buffer.alloc(300, 6)
  assert.equal(
    await made({ contextData: context }),
    prf('sha256', MASTER, Buffer.concat([seed, hex('012c'), context]), 100).toString('hex'),
  )
  assert.equal(await made({ prfMechanism: CKM.TLS_PRF }), oldPrf(MASTER, seed, 100).toString('hex'))
  for (const values of [{ contextData: Buffer.alloc(65536) }, { prfMechanism: CKM.SHA256_HMAC }])
    await assert.rejects(made(values), answers('MECHANISM_PARAM_INVALID'))
})

test('what is exported is as sensitive as its base key, or more', async (t) => {
  const token = await open(t)
  const [readable, closed] = [await secret(token, MASTER), await hidden(token)]
  const made = async (base: number, named: Named) =>
    policy(token, await derive(token, exporter(), base, { ...named, VALUE_LEN: 16 }))
  assert.equal(await made(readable, {}), '-E---')
  assert.equal(await made(readable, { SENSITIVE: true, EXTRACTABLE: false }), 'S----')
  assert.equal(await made(closed, {}), 'S-AN-')
  await assert.rejects(made(closed, { SENSITIVE: false }), answers('TEMPLATE_INCONSISTENT'))
})

const macOf = (values: Partial<Parameter> = {}, type: number = CKM.TLS_MAC) => ({
  type,
  parameter: { prfHashMechanism: CKM.SHA256, macLength: 12, serverOrClient: 1, ...values },
})

test('the MAC of the handshake is the PRF with the label of one side', async (t) => {
  const token = await open(t)
  const { call, session } = token
  const key = await secret(token, MASTER, { SIGN: true, VERIFY: true })
  const hash = Buffer.alloc(36, 8)
  const sign = async (mechanism: ReturnType<typeof macOf>) => {
    await call('C_SignInit', [session, mechanism, key])
    await call('C_SignUpdate', [session, data(hash.subarray(0, 5))])
    await call('C_SignUpdate', [session, data(hash.subarray(5))])
    return Buffer.from(bytes(await call('C_SignFinal', [session, 4096])))
  }
  const cases: [ReturnType<typeof macOf>, Buffer][] = [
    [macOf(), prf('sha256', MASTER, seedOf('server finished', hash), 12)],
    [
      macOf({ serverOrClient: 2, macLength: 100 }, CKM.TLS12_MAC),
      prf('sha256', MASTER, seedOf('client finished', hash), 100),
    ],
    [
      macOf({ prfHashMechanism: CKM.SHA384 }),
      prf('sha384', MASTER, seedOf('server finished', hash), 12),
    ],
    [macOf({ prfHashMechanism: CKM.TLS_PRF }), oldPrf(MASTER, seedOf('server finished', hash), 12)],
  ]
  for (const [mechanism, expected] of cases) {
    assert.deepEqual(await sign(mechanism), expected)
    const verify = async (signature: Uint8Array) => {
      await call('C_VerifyInit', [session, mechanism, key])
      await call('C_Verify', [session, data(hash), signature])
    }
    await verify(expected)
    await assert.rejects(verify(expected.subarray(1)), answers('SIGNATURE_LEN_RANGE'))
    const wrong = Buffer.from(expected.map((byte) => byte ^ 1))
    await assert.rejects(verify(wrong), answers('SIGNATURE_INVALID'))
  }
  for (const values of [
    { macLength: 11 },
    { macLength: 13, prfHashMechanism: CKM.TLS_PRF },
    { macLength: 16385 },
    { serverOrClient: 0 },
    { serverOrClient: 3 },
    { prfHashMechanism: CKM.SHA256_HMAC },
  ])
    await assert.rejects(
      call('C_SignInit', [session, macOf(values), key]),
      answers('MECHANISM_PARAM_INVALID'),
    )
  await call('C_SignInit', [session, macOf(), key])
  await assert.rejects(
    call('C_Sign', [session, data(Buffer.alloc(65537)), 100]),
    answers('DATA_LEN_RANGE'),
  )
})

test('CKM_TLS_PRF gives its output to the application and makes no key', async (t) => {
  const token = await open(t)
  const base = await secret(token, MASTER)
  const [label, seed] = [Buffer.from('label'), Buffer.from('seed')]
  const { mechanism, given } = answering(CKM.TLS_PRF, { label, seed, output: new Uint8Array(77) })
  const before = await objectsOf(token)
  assert.equal(await derive(token, mechanism, base, {}), CK_INVALID_HANDLE)
  const [{ output }] = given as [Parameter]
  assert.deepEqual(output, Uint8Array.from(oldPrf(MASTER, Buffer.from('labelseed'), 77)))
  assert.equal(await objectsOf(token), before)
  for (const room of [null, NOTHING])
    await assert.rejects(
      derive(token, { type: CKM.TLS_PRF, parameter: { label, seed, output: room } }, base, {}),
      answers('MECHANISM_PARAM_INVALID'),
    )
})

test('CKM_WTLS_PRF is P_hash of RFC 5246, 5, with the digest that its parameter names', async (t) => {
  const token = await open(t)
  const base = await secret(token, MASTER)
  const [label, seed] = [Buffer.from('label'), Buffer.from('seed')]
  const made = async (digestMechanism: number) => {
    const values = { digestMechanism, label, seed, output: new Uint8Array(20) }
    const { mechanism, given } = answering(CKM.WTLS_PRF, values)
    assert.equal(await derive(token, mechanism, base, {}), CK_INVALID_HANDLE)
    return (given as [Parameter])[0].output
  }
  const hmac = (...data: Uint8Array[]) =>
    createHmac('sha1', MASTER).update(Buffer.concat(data)).digest()
  const first = hmac(label, seed)
  assert.deepEqual(await made(CKM.SHA_1), Uint8Array.from(hmac(first, label, seed)))
  await assert.rejects(made(CKM.TLS_PRF), answers('MECHANISM_PARAM_INVALID'))
  await assert.rejects(made(CKM.AES_CBC), answers('MECHANISM_PARAM_INVALID'))
})

test('the default profile has TLS 1.2 and neither SSL 3.0 nor the PRF with MD5', async (t) => {
  const token = await openToken(t)
  const listed = (await token.call('C_GetMechanismList', [0, 1000])) as number[]
  const has = (type: number) => listed.includes(type)
  assert.ok(has(CKM.TLS12_KEY_AND_MAC_DERIVE) && has(CKM.TLS_MAC) && has(CKM.TLS_KDF))
  for (const type of [CKM.SSL3_MASTER_KEY_DERIVE, CKM.TLS_MASTER_KEY_DERIVE, CKM.TLS_PRF])
    assert.ok(!has(type))
})
