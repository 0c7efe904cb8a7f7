/** Every advertised (mechanism, flag) pair works: flags come from C_GetMechanismInfo, work goes through the C_ functions. */
import assert from 'node:assert/strict'
import { createDiffieHellmanGroup } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type MechanismFor, mechanisms, type Use, uses } from '../../src/mechanisms/table.ts'
import type { MechanismArgument, Parameter } from '../../src/standard/calls.ts'
import {
  CK_INVALID_HANDLE,
  CK_SP800_108_BYTE_ARRAY,
  CK_SP800_108_ITERATION_VARIABLE,
  CKA,
  CKD,
  CKF,
  CKG,
  CKH,
  CKK,
  CKM,
  CKO,
  CKP,
  CKZ,
} from '../../src/standard/constants.ts'
import { endWarmWorkers } from '../../src/surrender/workers.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'
import { domainTemplate } from '../mechanisms/field-keys.ts'
import { dsa1024 } from '../mechanisms/rfc6979-dsa.ts'
import { ulong as ulongOf } from '../mechanisms/rows.ts'

const MESSAGE = Buffer.from('thirty-two bytes of message text')
const nothing = Buffer.alloc(0)

/** Messages to sign where any message will not do: one that ends with a trailer of X9.31. */
const messages: ReadonlyMap<number, Buffer> = new Map([
  [CKM.RSA_X9_31, Buffer.concat([MESSAGE, Buffer.of(0x33, 0xcc)])],
])

/** Bytes of the longest signature, one of SLH-DSA-128f. */
const ROOM = 17088

/** Encoded CK_ULONG. */
const ulong = (value: number) => Buffer.from(ulongOf(value))

/** Of ciphers with blocks of 8 bytes. */
const SHORT_IV = Buffer.alloc(8, 7)

/** CK_..._CBC_ENCRYPT_DATA_PARAMS. */
const encryptData = (iv: number) => () => ({ iv: Buffer.alloc(iv, 7), data: Buffer.alloc(32, 5) })

/** A PSS parameter with the hash of the mechanism's name; SHA-256 where it names none. */
function pssParameter(name: string) {
  const hash = name.match(/^(SHA\w+)_RSA/)?.[1] ?? 'SHA256'
  const hashAlg = CKM[(hash === 'SHA1' ? 'SHA_1' : hash) as 'SHA256']
  return { hashAlg, mgf: CKG[`MGF1_${hash}` as 'MGF1_SHA256'], sLen: 20 }
}

/** Fitting plain parameters by what the mechanism's name has in it; `other` is a secret key's handle. */
const plainParameters = (other: number): [string, Buffer | null][] => [
  ['HMAC_GENERAL', ulong(10)],
  ['MAC_GENERAL', ulong(8)],
  ['RC2', ulong(128)],
  ['SHA512_T', ulong(224)],
  ['SSL3', ulong(8)],
  ['EXTRACT', ulong(3)],
  ['CONCATENATE', ulong(other)],
  ['DH_PKCS', Buffer.of(2)],
  ['KEY_WRAP', null],
  ['DES', SHORT_IV],
  ['BLOWFISH', SHORT_IV],
  ['CAST128', SHORT_IV],
  ['IDEA', SHORT_IV],
  ['', Buffer.alloc(16, 7)],
]

const RANDOMS = { clientRandom: Buffer.alloc(32, 1), serverRandom: Buffer.alloc(32, 2) }

const keyMaterial = {
  macSizeInBits: 160,
  keySizeInBits: 128,
  ivSizeInBits: 0,
  isExport: 0,
  randomInfo: RANDOMS,
  returnedKeyMaterial: {
    clientMacSecret: 0,
    serverMacSecret: 0,
    clientKey: 0,
    serverKey: 0,
    ivClient: nothing,
    ivServer: nothing,
  },
  prfHashMechanism: CKM.SHA256,
}

/** In counter mode the iteration variable is a counter and has a format. */
const sp800108 = (name: string) => ({
  prfType: CKM.SHA256_HMAC,
  dataParams: [
    {
      type: CK_SP800_108_ITERATION_VARIABLE,
      value: name.includes('COUNTER') ? Buffer.concat([ulong(0), ulong(8)]) : nothing,
    },
    { type: CK_SP800_108_BYTE_ARRAY, value: Buffer.from('label') },
  ],
  iv: nothing,
  additionalDerivedKeys: [],
})

const master = () => ({
  randomInfo: RANDOMS,
  sessionHash: Buffer.alloc(32, 3),
  version: null,
  prfHashMechanism: CKM.SHA256,
})

/** A fitting parameter for a row, by its structure. */
const parameters: Record<
  string,
  (name: string, peer: Uint8Array, other: number) => MechanismArgument['parameter']
> = {
  bytes: (name, _peer, other) =>
    plainParameters(other).find(([part]) => name.includes(part))?.[1] ?? null,
  CK_KEY_DERIVATION_STRING_DATA: () => ({ data: Buffer.alloc(32, 5) }),
  CK_RSA_PKCS_PSS_PARAMS: pssParameter,
  CK_RSA_PKCS_OAEP_PARAMS: () => ({
    hashAlg: CKM.SHA256,
    mgf: CKG.MGF1_SHA1,
    source: CKZ.DATA_SPECIFIED,
    sourceData: Buffer.from('label'),
  }),
  CK_RSA_AES_KEY_WRAP_PARAMS: () => ({
    aesKeyBits: 256,
    oaepParams: {
      hashAlg: CKM.SHA256,
      mgf: CKG.MGF1_SHA256,
      source: CKZ.DATA_SPECIFIED,
      sourceData: nothing,
    },
  }),
  CK_DSA_PARAMETER_GEN_PARAM: () => ({ hash: CKM.SHA256, seed: Buffer.alloc(32, 6), index: 1 }),
  CK_X9_42_DH1_DERIVE_PARAMS: () => ({
    kdf: CKD.NULL,
    otherInfo: nothing,
    publicData: dsa1024.g,
  }),
  CK_X9_42_DH2_DERIVE_PARAMS: (_name, _peer, other) => ({
    kdf: CKD.SHA1_KDF_CONCATENATE,
    otherInfo: Buffer.from('other info'),
    publicData: dsa1024.g,
    privateDataLen: 20,
    privateData: other,
    publicData2: dsa1024.y,
  }),
  CK_ECDH1_DERIVE_PARAMS: (_name, publicData) => ({
    kdf: CKD.NULL,
    sharedData: nothing,
    publicData,
  }),
  CK_ECDH_AES_KEY_WRAP_PARAMS: () => ({
    aesKeyBits: 256,
    kdf: CKD.SHA256_KDF,
    sharedData: Buffer.from('shared'),
  }),
  CK_EDDSA_PARAMS: () => ({ phFlag: 0, contextData: Buffer.from('context') }),
  CK_GCM_PARAMS: (name) => ({
    iv: Buffer.alloc(12, 3),
    ivBits: 96,
    aad: Buffer.from(name === 'AES_GMAC' ? '' : 'aad'),
    tagBits: 128,
  }),
  CK_CCM_PARAMS: () => ({
    dataLen: MESSAGE.length,
    nonce: Buffer.alloc(12, 3),
    aad: Buffer.from('aad'),
    macLen: 8,
  }),
  CK_SALSA20_CHACHA20_POLY1305_PARAMS: () => ({
    nonce: Buffer.alloc(12, 3),
    nonceLen: 96,
    aad: Buffer.from('aad'),
  }),
  CK_CHACHA20_PARAMS: () => ({
    blockCounter: Buffer.alloc(4),
    blockCounterBits: 32,
    nonce: Buffer.alloc(12, 3),
    nonceBits: 96,
  }),
  CK_DES_CBC_ENCRYPT_DATA_PARAMS: encryptData(8),
  CK_AES_CBC_ENCRYPT_DATA_PARAMS: encryptData(16),
  CK_CAMELLIA_CBC_ENCRYPT_DATA_PARAMS: encryptData(16),
  CK_ARIA_CBC_ENCRYPT_DATA_PARAMS: encryptData(16),
  CK_SEED_CBC_ENCRYPT_DATA_PARAMS: encryptData(16),
  CK_RC2_CBC_PARAMS: () => ({ effectiveBits: 128, iv: SHORT_IV }),
  CK_RC2_MAC_GENERAL_PARAMS: () => ({ effectiveBits: 128, macLength: 8 }),
  CK_CAMELLIA_CTR_PARAMS: () => ({ counterBits: 32, cb: Buffer.alloc(16, 1) }),
  CK_SIGN_ADDITIONAL_CONTEXT: () => ({
    hedgeVariant: CKH.HEDGE_REQUIRED,
    context: Buffer.from('context'),
  }),
  CK_HASH_SIGN_ADDITIONAL_CONTEXT: () => ({
    hedgeVariant: CKH.DETERMINISTIC_REQUIRED,
    context: Buffer.from('context'),
    hash: CKM.SHA256,
  }),
  CK_AES_CTR_PARAMS: () => ({ counterBits: 32, cb: Buffer.alloc(16, 1) }),
  CK_HKDF_PARAMS: () => ({
    extract: 1,
    expand: 1,
    prfHashMechanism: CKM.SHA256,
    saltType: CKF.HKDF_SALT_NULL,
    salt: nothing,
    saltKey: 0,
    info: nothing,
  }),
  CK_PKCS5_PBKD2_PARAMS2: () => ({
    saltSource: CKZ.SALT_SPECIFIED,
    saltSourceData: Buffer.from('salt'),
    iterations: 10,
    prf: CKP.PKCS5_PBKD2_HMAC_SHA256,
    prfData: nothing,
    password: Buffer.from('password'),
  }),
  CK_PBE_PARAMS: () => ({
    initVector: Buffer.alloc(8),
    password: Buffer.from('password'),
    salt: Buffer.alloc(8, 1),
    iteration: 10,
  }),
  CK_SP800_108_KDF_PARAMS: sp800108,
  CK_SP800_108_FEEDBACK_KDF_PARAMS: sp800108,
  CK_VERSION: () => ({ major: 3, minor: 3 }),
  CK_SSL3_MASTER_KEY_DERIVE_PARAMS: master,
  CK_TLS12_MASTER_KEY_DERIVE_PARAMS: master,
  CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS: master,
  CK_SSL3_KEY_MAT_PARAMS: () => keyMaterial,
  CK_TLS12_KEY_MAT_PARAMS: () => keyMaterial,
  CK_TLS_MAC_PARAMS: () => ({ prfHashMechanism: CKM.SHA256, macLength: 12, serverOrClient: 1 }),
  CK_TLS_KDF_PARAMS: () => ({
    prfMechanism: CKM.SHA256,
    label: Buffer.from('label'),
    randomInfo: RANDOMS,
    contextData: nothing,
  }),
  CK_TLS_PRF_PARAMS: () => ({
    seed: Buffer.from('seed'),
    label: Buffer.from('label'),
    output: Buffer.alloc(16),
  }),
  CK_IKE_PRF_DERIVE_PARAMS: () => ({
    prfMechanism: CKM.SHA256_HMAC,
    dataAsKey: 0,
    rekey: 0,
    ni: Buffer.alloc(16, 1),
    nr: Buffer.alloc(16, 2),
    newKey: 0,
  }),
  CK_IKE1_PRF_DERIVE_PARAMS: (_name, _peer, other) => ({
    prfMechanism: CKM.SHA256_HMAC,
    hasPrevKey: 0,
    keygxy: other,
    prevKey: 0,
    ckYi: Buffer.alloc(8, 1),
    ckYr: Buffer.alloc(8, 2),
    keyNumber: 0,
  }),
  CK_IKE2_PRF_PLUS_DERIVE_PARAMS: () => ({
    prfMechanism: CKM.SHA256_HMAC,
    hasSeedKey: 0,
    seedKey: 0,
    seedData: Buffer.from('seed'),
  }),
  CK_IKE1_EXTENDED_DERIVE_PARAMS: () => ({
    prfMechanism: CKM.SHA256_HMAC,
    hasKeygxy: 0,
    keygxy: 0,
    extraData: Buffer.from('extra'),
  }),
}

const SECRET = {
  CLASS: CKO.SECRET_KEY,
  SENSITIVE: false,
  EXTRACTABLE: true,
  SIGN: true,
  VERIFY: true,
  ENCRYPT: true,
  DECRYPT: true,
  WRAP: true,
  UNWRAP: true,
  DERIVE: true,
} as const
const OPEN = { SENSITIVE: false, EXTRACTABLE: true } as const

/** How the pairs of a key type are made, and what they are for. */
interface PairRow {
  readonly type: number
  readonly parameters: object
  readonly publicUses: object
  readonly privateUses: object
}

const DERIVING = { publicUses: { WRAP: true }, privateUses: { UNWRAP: true, DERIVE: true } }

const AGREEING = {
  publicUses: { ENCAPSULATE: true },
  privateUses: { DERIVE: true, DECAPSULATE: true },
}

const known = createDiffieHellmanGroup('modp5')
/** RFC 3526, 2. */
const modp1536 = {
  p: new Uint8Array(known.getPrime()),
  g: new Uint8Array(known.getGenerator()),
}

const PAIRS: ReadonlyMap<number, PairRow> = new Map<number, PairRow>([
  [
    CKK.RSA,
    {
      type: CKM.RSA_PKCS_KEY_PAIR_GEN,
      parameters: { MODULUS_BITS: 2048 },
      publicUses: {
        VERIFY: true,
        VERIFY_RECOVER: true,
        ENCRYPT: true,
        WRAP: true,
        ENCAPSULATE: true,
      },
      privateUses: {
        SIGN: true,
        SIGN_RECOVER: true,
        DECRYPT: true,
        UNWRAP: true,
        DECAPSULATE: true,
      },
    },
  ],
  [
    CKK.EC,
    {
      type: CKM.EC_KEY_PAIR_GEN,
      parameters: { EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex') },
      publicUses: { VERIFY: true, ...DERIVING.publicUses },
      privateUses: { SIGN: true, ...DERIVING.privateUses },
    },
  ],
  [
    CKK.EC_EDWARDS,
    {
      type: CKM.EC_EDWARDS_KEY_PAIR_GEN,
      parameters: { EC_PARAMS: Buffer.from('06032b6570', 'hex') },
      publicUses: { VERIFY: true },
      privateUses: { SIGN: true },
    },
  ],
  [
    CKK.EC_MONTGOMERY,
    {
      type: CKM.EC_MONTGOMERY_KEY_PAIR_GEN,
      parameters: { EC_PARAMS: Buffer.from('06032b656e', 'hex') },
      ...DERIVING,
    },
  ],
  [
    CKK.DSA,
    {
      type: CKM.DSA_KEY_PAIR_GEN,
      parameters: domainTemplate(dsa1024),
      publicUses: { VERIFY: true },
      privateUses: { SIGN: true },
    },
  ],
  [CKK.DH, { type: CKM.DH_PKCS_KEY_PAIR_GEN, parameters: domainTemplate(modp1536), ...AGREEING }],
  [
    CKK.X9_42_DH,
    { type: CKM.X9_42_DH_KEY_PAIR_GEN, parameters: domainTemplate(dsa1024), ...AGREEING },
  ],
  [
    CKK.ML_DSA,
    {
      type: CKM.ML_DSA_KEY_PAIR_GEN,
      parameters: { PARAMETER_SET: CKP.ML_DSA_44 },
      publicUses: { VERIFY: true },
      privateUses: { SIGN: true },
    },
  ],
  [
    CKK.SLH_DSA,
    {
      type: CKM.SLH_DSA_KEY_PAIR_GEN,
      parameters: { PARAMETER_SET: CKP.SLH_DSA_SHA2_128F },
      publicUses: { VERIFY: true },
      privateUses: { SIGN: true },
    },
  ],
  [
    CKK.ML_KEM,
    {
      type: CKM.ML_KEM_KEY_PAIR_GEN,
      parameters: { PARAMETER_SET: CKP.ML_KEM_512 },
      publicUses: { ENCAPSULATE: true },
      privateUses: { DECAPSULATE: true },
    },
  ],
])

/** Bytes of secret keys that are not 32 bytes long. */
const LENGTHS: Readonly<Record<number, number>> = {
  [CKK.DES]: 8,
  [CKK.DES2]: 16,
  [CKK.DES3]: 24,
  [CKK.SEED]: 16,
  [CKK.IDEA]: 16,
  [CKK.CAST128]: 16,
}

/** Mechanisms whose AES keys have 16 bytes only. */
const SHORT_KEYS: ReadonlySet<number> = new Set([CKM.AES_XCBC_MAC, CKM.AES_XCBC_MAC_96])

/** Bytes that all differ and all have an odd number of ones, as those of DES keys have. */
const keyBytes = (length: number) => {
  const odd = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => {
    return byte.toString(2).replaceAll('0', '').length % 2 === 1
  })
  return Buffer.from(odd.slice(0, length))
}

/** Keys for an operation and its inverse. */
interface Keys {
  readonly forward: number
  readonly back: number
}

/** Makes keys of each type once for all mechanisms. */
class KeyRing {
  readonly #token: Opened
  readonly #made = new Map<string, Promise<Keys>>()

  constructor(token: Opened) {
    this.#token = token
  }

  /** `forward` signs, decrypts and unwraps; `back` verifies, encrypts and wraps. */
  keys(keyType: number, length = LENGTHS[keyType] ?? 32): Promise<Keys> {
    const name = `${keyType} ${length}`
    const made = this.#made.get(name) ?? this.#make(keyType, length)
    this.#made.set(name, made)
    return made
  }

  async #make(keyType: number, length: number): Promise<Keys> {
    const pair = PAIRS.get(keyType)
    if (pair !== undefined) return this.#pair(pair)
    const { call, session } = this.#token
    const value = { ...SECRET, KEY_TYPE: keyType, VALUE: keyBytes(length) }
    const key = await call('C_CreateObject', [session, template(value)])
    return { forward: key, back: key }
  }

  async #pair({ type, parameters, publicUses, privateUses }: PairRow): Promise<Keys> {
    const { call, session } = this.#token
    const [back, forward] = await call('C_GenerateKeyPair', [
      session,
      { type, parameter: null },
      template({ ...parameters, ...publicUses }),
      template({ ...OPEN, ...privateUses }),
    ])
    return { forward, back }
  }
}

async function attributeOf(
  { call, session }: Opened,
  handle: number,
  type: number = CKA.VALUE,
): Promise<Uint8Array> {
  const {
    answers: [answer],
  } = await call('C_GetAttributeValue', [session, handle, [{ type, room: 4096 }]])
  return bytes(answer?.value)
}

interface Trial {
  readonly token: Opened
  readonly mechanism: MechanismArgument
  readonly row: MechanismFor<Use>
  readonly keys: Keys
}

/** Domain parameters that are generated quickly. */
const domains: ReadonlyMap<number, object> = new Map<number, object>([
  [CKM.DH_PKCS_PARAMETER_GEN, { PRIME_BITS: 1024 }],
  [CKM.DSA_FIPS_G_GEN, { PRIME: dsa1024.p, SUBPRIME: dsa1024.q }],
])

async function generateDomain(token: Opened, mechanism: MechanismArgument): Promise<void> {
  const { call, session } = token
  const sizes = domains.get(mechanism.type) ?? { PRIME_BITS: 1024, SUBPRIME_BITS: 160 }
  const made = await call('C_GenerateKey', [session, mechanism, template(sizes)])
  assert.equal((await attributeOf(token, made, CKA.PRIME)).length, 128)
  assert.equal((await attributeOf(token, made, CKA.LOCAL))[0], 1)
}

/** Diffie-Hellman encapsulates with the parameter of its derivation, less the other side's public value. */
function withoutPublicData({ type, parameter }: MechanismArgument): MechanismArgument {
  if (type === CKM.DH_PKCS_DERIVE) return { type, parameter: null }
  const isStructure = parameter !== null && !(parameter instanceof Uint8Array)
  if (!isStructure || !('publicData' in parameter)) return { type, parameter }
  return { type, parameter: { ...parameter, publicData: nothing } }
}

type Named = Parameters<typeof template>[0]

const MASTER_SECRET: readonly [number, Named] = [48, SECRET]

/** The bytes that a derivation makes and its template, where they are not a key's of AES-128; 0 for none. */
const DERIVED: Readonly<Record<string, readonly [number, Named]>> = {
  HKDF_DATA: [42, { VALUE_LEN: 42 }],
  SSL3_MASTER_KEY_DERIVE: MASTER_SECRET,
  SSL3_MASTER_KEY_DERIVE_DH: MASTER_SECRET,
  TLS_MASTER_KEY_DERIVE: MASTER_SECRET,
  TLS_MASTER_KEY_DERIVE_DH: MASTER_SECRET,
  TLS12_MASTER_KEY_DERIVE: MASTER_SECRET,
  TLS12_MASTER_KEY_DERIVE_DH: MASTER_SECRET,
  TLS12_EXTENDED_MASTER_KEY_DERIVE: MASTER_SECRET,
  TLS12_EXTENDED_MASTER_KEY_DERIVE_DH: MASTER_SECRET,
  IKE_PRF_DERIVE: [32, SECRET],
  PUB_KEY_FROM_PRIV_KEY: [0, {}],
}

/** What each use must do; a pair of uses that undo each other is tried together. */
const trials: Record<Use, (trial: Trial) => Promise<void>> = {
  encrypt: async ({ token: { call, session }, mechanism, keys }) => {
    await call('C_EncryptInit', [session, mechanism, keys.back])
    const encrypted = bytes(await call('C_Encrypt', [session, data(MESSAGE), 4096]))
    await call('C_DecryptInit', [session, mechanism, keys.forward])
    const decrypted = bytes(await call('C_Decrypt', [session, data(encrypted), 4096]))
    assert.deepEqual(Buffer.from(decrypted.subarray(decrypted.length - MESSAGE.length)), MESSAGE)
    assert.notDeepEqual(Buffer.from(encrypted), MESSAGE)
  },
  decrypt: (trial) => trials.encrypt(trial),
  digest: async ({ token: { call, session }, mechanism }) => {
    await call('C_DigestInit', [session, mechanism])
    const whole = bytes(await call('C_Digest', [session, data(MESSAGE), 4096]))
    await call('C_DigestInit', [session, mechanism])
    await call('C_DigestUpdate', [session, data(MESSAGE.subarray(0, 5))])
    await call('C_DigestUpdate', [session, data(MESSAGE.subarray(5))])
    assert.deepEqual(bytes(await call('C_DigestFinal', [session, 4096])), whole)
  },
  sign: async ({ token: { call, session }, mechanism, keys }) => {
    const message = messages.get(mechanism.type) ?? MESSAGE
    await call('C_SignInit', [session, mechanism, keys.forward])
    const signature = bytes(await call('C_Sign', [session, data(message), ROOM]))
    await call('C_VerifyInit', [session, mechanism, keys.back])
    await call('C_Verify', [session, data(message), signature])
    await call('C_VerifyInit', [session, mechanism, keys.back])
    const other = Buffer.from(message.map((byte, at) => (at === 0 ? byte ^ 1 : byte)))
    await assert.rejects(
      call('C_Verify', [session, data(other), signature]),
      answers('SIGNATURE_INVALID'),
    )
  },
  verify: (trial) => trials.sign(trial),
  signRecover: async ({ token: { call, session }, mechanism, keys }) => {
    await call('C_SignRecoverInit', [session, mechanism, keys.forward])
    const signature = bytes(await call('C_SignRecover', [session, data(MESSAGE), 4096]))
    await call('C_VerifyRecoverInit', [session, mechanism, keys.back])
    const message = bytes(await call('C_VerifyRecover', [session, signature, 4096]))
    assert.deepEqual(Buffer.from(message.subarray(message.length - MESSAGE.length)), MESSAGE)
  },
  verifyRecover: (trial) => trials.signRecover(trial),
  generateKey: async ({ token, mechanism, row }) => {
    if (row.makes === CKO.DOMAIN_PARAMETERS) return generateDomain(token, mechanism)
    const [least, most] = row.keySize
    const usual = row.name.includes('CAST128_CBC') ? 8 : (LENGTHS[row.keyTypes[0] ?? -1] ?? 32)
    const length = least === most && most > 0 ? most : usual
    const type = row.anySecretKey ? { KEY_TYPE: CKK.GENERIC_SECRET } : {}
    // Keys of one length have no CKA_VALUE_LEN, except some.
    const told = row.supplies === undefined || row.anySecretKey ? { VALUE_LEN: length } : {}
    const made = await token.call('C_GenerateKey', [
      token.session,
      mechanism,
      template({ ...SECRET, ...type, ...told }),
    ])
    assert.equal((await attributeOf(token, made)).length, length)
    assert.deepEqual(
      await attributeOf(token, made, CKA.KEY_GEN_MECHANISM),
      new Uint8Array(template({ VALUE_LEN: row.type })[0]?.value as Uint8Array),
    )
  },
  // The ring made its pairs with the mechanism; that they sign and verify is shown by those that use them.
  generateKeyPair: async ({ token, keys }) => {
    assert.equal((await attributeOf(token, keys.forward, CKA.LOCAL))[0], 1)
    assert.equal((await attributeOf(token, keys.back, CKA.LOCAL))[0], 1)
  },
  wrap: async ({ token, mechanism, keys }) => {
    const { call, session } = token
    const key = await call('C_CreateObject', [
      session,
      template({ ...SECRET, KEY_TYPE: CKK.GENERIC_SECRET, VALUE: MESSAGE }),
    ])
    const wrapped = bytes(await call('C_WrapKey', [session, mechanism, keys.back, key, 4096]))
    const unwrapped = await call('C_UnwrapKey', [
      session,
      mechanism,
      keys.forward,
      wrapped,
      template({ ...SECRET, KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: MESSAGE.length }),
    ])
    assert.deepEqual(Buffer.from(await attributeOf(token, unwrapped)), MESSAGE)
  },
  unwrap: (trial) => trials.wrap(trial),
  derive: async ({ token, mechanism, row, keys }) => {
    const given: Parameter[] = []
    const [length, named] = DERIVED[row.name] ?? [
      16,
      { ...SECRET, KEY_TYPE: CKK.AES, VALUE_LEN: 16 },
    ]
    const key = await token.call('C_DeriveKey', [
      token.session,
      { ...mechanism, answer: (values) => given.push(values) },
      keys.forward,
      template(named),
    ])
    if (key === CK_INVALID_HANDLE) assert.ok(given.length > 0, 'keys or bytes are given back')
    else if (length > 0) assert.equal((await attributeOf(token, key)).length, length)
    else assert.ok((await attributeOf(token, key, CKA.PUBLIC_KEY_INFO)).length > 0)
  },
  encapsulate: async ({ token, mechanism: deriving, row, keys }) => {
    const { call, session } = token
    const mechanism = withoutPublicData(deriving)
    // Raw RSA makes secrets as long as its modulus; the others fit an AES key.
    const keyType = row.type === CKM.RSA_X_509 ? CKK.GENERIC_SECRET : CKK.AES
    const secret = template({ ...SECRET, KEY_TYPE: keyType })
    const [ciphertext, key] = await call('C_EncapsulateKey', [
      session,
      mechanism,
      keys.back,
      secret,
      ROOM,
    ])
    const same = await call('C_DecapsulateKey', [
      session,
      mechanism,
      keys.forward,
      secret,
      bytes(ciphertext),
    ])
    const [made, taken] = [await attributeOf(token, key), await attributeOf(token, same)]
    assert.ok(made.length >= 32)
    assert.deepEqual(Buffer.from(taken), Buffer.from(made))
  },
  decapsulate: (trial) => trials.encapsulate(trial),
}

/** Flags of C_GetMechanismInfo, by the use they advertise. */
const FLAGS: Record<Use, number> = {
  encrypt: CKF.ENCRYPT,
  decrypt: CKF.DECRYPT,
  digest: CKF.DIGEST,
  sign: CKF.SIGN,
  verify: CKF.VERIFY,
  signRecover: CKF.SIGN_RECOVER,
  verifyRecover: CKF.VERIFY_RECOVER,
  generateKey: CKF.GENERATE,
  generateKeyPair: CKF.GENERATE_KEY_PAIR,
  wrap: CKF.WRAP,
  unwrap: CKF.UNWRAP,
  derive: CKF.DERIVE,
  encapsulate: CKF.ENCAPSULATE,
  decapsulate: CKF.DECAPSULATE,
}

async function tryAll(token: Opened, t: TestContext): Promise<number> {
  const ring = new KeyRing(token)
  const peer = await attributeOf(token, (await ring.keys(CKK.EC)).back, CKA.EC_POINT)
  const listed = (await token.call('C_GetMechanismList', [token.slot, 1000])) as number[]
  let pairs = 0
  for (const type of listed) {
    const row = mechanisms.get(type) as MechanismFor<Use>
    const make = parameters[row.parameter ?? '']
    const keyType = row.anySecretKey ? CKK.GENERIC_SECRET : row.keyTypes[0]
    const length = SHORT_KEYS.has(type) ? 16 : row.keySize[0] === 48 ? 48 : undefined
    const keys = keyType === undefined ? { forward: 0, back: 0 } : await ring.keys(keyType, length)
    const parameter = make === undefined ? null : make(row.name, peer, keys.forward)
    const mechanism = { type, parameter }
    const { flags } = await token.call('C_GetMechanismInfo', [token.slot, type])
    for (const use of uses.filter((candidate) => ((flags as number) & FLAGS[candidate]) !== 0)) {
      await t.test(`CKM_${row.name} ${use}`, () => trials[use]({ token, mechanism, row, keys }))
      pairs++
    }
  }
  return pairs
}

test('every advertised (mechanism, flag) pair works', async (t) => {
  t.after(endWarmWorkers)
  const pairs = await tryAll(await openToken(t, 50, { profile: 'legacy' }), t)
  t.diagnostic(`${pairs} pairs`)
  assert.ok(pairs > 100, `${pairs} pairs`)
})
