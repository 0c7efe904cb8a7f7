/** Parameters and messages that fit each mechanism, for tests that try all of them. */
import type { MechanismArgument } from '../../src/standard/calls.ts'
import {
  CK_OTP_COUNTER,
  CK_SP800_108_BYTE_ARRAY,
  CK_SP800_108_ITERATION_VARIABLE,
  CKD,
  CKF,
  CKG,
  CKH,
  CKM,
  CKP,
  CKZ,
} from '../../src/standard/constants.ts'
import { dsa1024 } from '../mechanisms/rfc6979-dsa.ts'
import { ulong as ulongOf } from '../mechanisms/rows.ts'

export const MESSAGE = Buffer.from('thirty-two bytes of message text')
export const nothing = Buffer.alloc(0)

/** Messages to sign where any message will not do: none for an OTP, one that ends with a trailer of X9.31. */
export const messages: ReadonlyMap<number, Buffer> = new Map([
  [CKM.HOTP, nothing],
  [CKM.RSA_X9_31, Buffer.concat([MESSAGE, Buffer.of(0x33, 0xcc)])],
])

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
export const parameters: Record<
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
  CK_WTLS_PRF_PARAMS: () => ({
    digestMechanism: CKM.SHA_1,
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
  CK_OTP_PARAMS: () => ({ params: [{ type: CK_OTP_COUNTER, value: Buffer.alloc(8) }] }),
}
