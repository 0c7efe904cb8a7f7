import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Mechanism, MechanismArgument, Parameter } from '../../src/mechanisms/mechanism.ts'
import { checkForm } from '../../src/mechanisms/parameter.ts'
import {
  families,
  keyTypes,
  mechanismFor,
  mechanismInfo,
  mechanisms,
  parameterStructures,
  type Use,
  uses,
} from '../../src/mechanisms/table.ts'
import { CKF, CKK, CKM, CKR } from '../../src/standard/constants.ts'
import { structures } from '../../src/standard/structures.ts'
import { mechanism, ulong, withReturnValue } from './rows.ts'

const src = fileURLToPath(new URL('../../src', import.meta.url))

interface StandardMechanism {
  readonly functions: readonly string[]
  readonly section: string
  readonly value: string
}
const standard = (
  JSON.parse(readFileSync(join(src, 'standard/standard.json'), 'utf8')) as {
    mechanisms: Readonly<Record<string, StandardMechanism>>
  }
).mechanisms

/** The columns of the standard's tables "Mechanisms vs. Functions". */
const COLUMN_OF: Readonly<Record<Use, string>> = {
  encrypt: 'ENC&DEC',
  decrypt: 'ENC&DEC',
  sign: 'SIG&VER',
  verify: 'SIG&VER',
  signRecover: 'SIGR&VERR',
  verifyRecover: 'SIGR&VERR',
  digest: 'DIG',
  generateKey: 'GENK/GENKP',
  generateKeyPair: 'GENK/GENKP',
  wrap: 'WRP&UWRP',
  unwrap: 'WRP&UWRP',
  derive: 'DRV',
  encapsulate: 'ENCS&DECS',
  decapsulate: 'ENCS&DECS',
}

test('every family is in the table, and each mechanism once', () => {
  const rows = Object.values(families).flat()
  assert.equal(mechanisms.size, rows.length)
  for (const row of rows) assert.equal(mechanisms.get(row.type), row)
})

test('each row bears the name of its constant', () => {
  for (const { type, name } of mechanisms.values())
    assert.equal(CKM[name as keyof typeof CKM], type, name)
  for (const { type, name } of keyTypes.values())
    assert.equal(CKK[name as keyof typeof CKK], type, name)
})

/** 6.47.7 has its parameter, and no table has it. */
const NOT_TICKED: ReadonlySet<string> = new Set(['CAMELLIA_CTR'])

/** Table 45 of 6.1.14 has them; the table at the head of 6.1 leaves them out, as deprecated. */
const DEPRECATED: Readonly<Record<string, readonly string[]>> = {
  MD5_RSA_PKCS: ['SIG&VER'],
  RIPEMD160_RSA_PKCS: ['SIG&VER'],
}

/** The standard's header numbers these, and its tables forget them: they are of TLS 1.0 and 1.1. */
const NUMBERED_ONLY: Readonly<Record<string, readonly string[]>> = {
  TLS_MASTER_KEY_DERIVE: ['DRV'],
  TLS_MASTER_KEY_DERIVE_DH: ['DRV'],
  TLS_KEY_AND_MAC_DERIVE: ['DRV'],
  TLS_PRF: ['DRV'],
}

test('each row stands in the standard’s table, in the chapter it names', () => {
  for (const { type, name, section } of mechanisms.values()) {
    if (name in DEPRECATED) continue
    if (name in NUMBERED_ONLY) continue
    const row = standard[`CKM_${name}`]
    if (NOT_TICKED.has(name)) continue
    assert.ok(row, `CKM_${name}`)
    assert.equal(Number(row.value), type, name)
    if (row.section.startsWith('hist/')) {
      assert.match(section, /^hist 2\.\d/, name)
      continue
    }
    const chapter = /\/(\d+)\.(\d+)/.exec(row.section)?.slice(1).map(Number).join('.')
    assert.match(section, new RegExp(`^${chapter}(\\.|$)`), name)
  }
})

/**
 * What the table at the head of 6.60 ticks is encryption and wrapping; its text has C_Sign and
 * C_Verify. No table has Camellia in counter mode, which is used as that of AES is.
 */
const TICKED_WRONGLY: Readonly<Record<string, readonly string[]>> = {
  POLY1305: ['SIG&VER'],
  CAMELLIA_CTR: ['ENC&DEC', 'WRP&UWRP'],
}

test('each row has some use, and none that the standard does not tick', () => {
  for (const row of mechanisms.values()) {
    const made = uses.filter((use) => row[use] !== undefined)
    assert.ok(made.length > 0, row.name)
    const { [row.name]: ticked = standard[`CKM_${row.name}`]?.functions ?? [] } = {
      ...TICKED_WRONGLY,
      ...DEPRECATED,
      ...NUMBERED_ONLY,
    }
    for (const use of made) assert.ok(ticked.includes(COLUMN_OF[use]), `CKM_${row.name}: ${use}`)
  }
})

test('every key type that a mechanism names is in the table', () => {
  for (const row of mechanisms.values())
    for (const keyType of row.keyTypes) assert.ok(keyTypes.has(keyType), row.name)
})

/** Client and command line are applications of the library: they name mechanisms as any application does. */
const APPLICATIONS = ['cli', 'client', 'console']

/** How another program's protocol encodes the parameters of the mechanisms that it knows, many of them not ours. */
const FOREIGN_PROTOCOL = 'wire/p11kit-mechanisms.ts'

/** Mechanism numbers that are the value of an attribute (4.6.3, 4.13), not a mechanism in use. */
const ATTRIBUTE_VALUES = ['objects/classes.ts: CMS_SIG', 'objects/defaults.ts: SHA_1']

test('nothing but the families and the standard names a mechanism number', () => {
  const floors = ['mechanisms', 'standard', ...APPLICATIONS].map((floor) => `${floor}/`)
  const named = globSync('**/*.ts', { cwd: src })
    .filter((name) => !floors.some((floor) => name.startsWith(floor)) && name !== FOREIGN_PROTOCOL)
    .flatMap((name) =>
      Array.from(
        readFileSync(join(src, name), 'utf8').matchAll(/\bCKM\s*(?:\.\s*(\w+)|\[)/g),
        ([, constant]) => `${name}: ${constant}`,
      ),
    )
  assert.deepEqual(
    named.filter((use) => !ATTRIBUTE_VALUES.includes(use)),
    [],
  )
})

test('the flags of a mechanism are those of the makers its row has', () => {
  assert.deepEqual(mechanismInfo(CKM.AES_CBC), {
    minKeySize: 16,
    maxKeySize: 32,
    flags: CKF.ENCRYPT | CKF.DECRYPT | CKF.WRAP | CKF.UNWRAP,
  })
  assert.equal(mechanismInfo(CKM.SHA256).flags, CKF.DIGEST)
  assert.equal(mechanismInfo(CKM.SHA256_HMAC).flags, CKF.SIGN | CKF.VERIFY)
  assert.equal(mechanismInfo(CKM.AES_KEY_GEN).flags, CKF.GENERATE)
  assert.ok(mechanismInfo(CKM.RSA_PKCS_KEY_PAIR_GEN).flags & CKF.GENERATE_KEY_PAIR)
  assert.throws(() => mechanismInfo(0x7fffffff), withReturnValue(CKR.MECHANISM_INVALID))
})

test('a mechanism that is missing, unknown or not for the use is refused', () => {
  assert.throws(() => mechanismFor(null, 'encrypt'), withReturnValue(CKR.ARGUMENTS_BAD))
  assert.throws(
    () => mechanismFor(mechanism(0x7fffffff), 'encrypt'),
    withReturnValue(CKR.MECHANISM_INVALID),
  )
  assert.throws(
    () => mechanismFor(mechanism(CKM.SHA256), 'encrypt'),
    withReturnValue(CKR.MECHANISM_INVALID),
  )
  const row = mechanismFor(mechanism(CKM.SHA256), 'digest')
  assert.equal(row.digest({ mechanism: mechanism(CKM.SHA256) }).length, 32)
})

const none = new Uint8Array(0)
const gcm = { iv: new Uint8Array(12), ivBits: 96, aad: none, tagBits: 128 }

test('a parameter is taken where its form is that of the row', () => {
  const taken: [number, Use, MechanismArgument['parameter']][] = [
    [CKM.AES_ECB, 'encrypt', null],
    [CKM.AES_ECB, 'encrypt', none],
    [CKM.AES_CBC, 'encrypt', new Uint8Array(16)],
    [CKM.AES_CTR, 'encrypt', { counterBits: 128, cb: new Uint8Array(16) }],
    [CKM.AES_GCM, 'decrypt', gcm],
    [CKM.AES_KEY_WRAP, 'wrap', null],
    [CKM.AES_KEY_WRAP, 'wrap', none],
    [CKM.AES_KEY_WRAP, 'wrap', new Uint8Array(8)],
    [CKM.SHA256_HMAC_GENERAL, 'sign', ulong(16)],
  ]
  for (const [type, use, parameter] of taken)
    assert.equal(mechanismFor({ type, parameter }, use).type, type)
})

test('a parameter of another form is refused', () => {
  const { aad: _, ...withoutAad } = gcm
  const refused: [number, Use, MechanismArgument['parameter']][] = [
    [CKM.AES_ECB, 'encrypt', new Uint8Array(16)],
    [CKM.SHA256, 'digest', gcm],
    [CKM.AES_CBC, 'encrypt', null],
    [CKM.AES_CBC, 'encrypt', none],
    [CKM.AES_CBC, 'encrypt', gcm],
    [CKM.AES_CTR, 'encrypt', { counterBits: 128, cb: new Uint8Array(15) }],
    [CKM.AES_CTR, 'encrypt', { counterBits: new Uint8Array(8), cb: new Uint8Array(16) }],
    [CKM.AES_GCM, 'encrypt', null],
    [CKM.AES_GCM, 'encrypt', new Uint8Array(48)],
    [CKM.AES_GCM, 'encrypt', withoutAad],
    [CKM.AES_GCM, 'encrypt', { ...gcm, tagBits: none }],
    [CKM.AES_KEY_WRAP, 'wrap', gcm],
  ]
  for (const [type, use, parameter] of refused)
    assert.throws(
      () => mechanismFor({ type, parameter }, use),
      withReturnValue(CKR.MECHANISM_PARAM_INVALID),
    )
})

test('every structure that is a parameter has a layout to travel by', () => {
  const travel = new Map(parameterStructures().map(([type, name, use]) => [`${type} ${use}`, name]))
  for (const { type, name, parameter, wrapParameter, messageParameter } of mechanisms.values()) {
    const uses = { mechanism: parameter, wrap: wrapParameter, message: messageParameter }
    for (const [use, wanted] of Object.entries(uses))
      assert.equal(
        travel.get(`${type} ${use}`),
        wanted === 'bytes' ? undefined : wanted,
        `${name} has a structure without a layout`,
      )
  }
  assert.equal(structures.CK_GCM_PARAMS.layout, 'pupu')
})

test('the form of a parameter is looked at through all its structures', () => {
  const oaep = { hashAlg: 1, mgf: 1, source: 0, sourceData: none }
  const chacha = {
    blockCounter: new Uint8Array(4),
    blockCounterBits: 32,
    nonce: new Uint8Array(12),
    nonceBits: 95,
  }
  const data = { type: 1, value: none }
  const kdf = { prfType: 1, dataParams: [data], additionalDerivedKeys: [{ template: [], key: 0 }] }
  const looked: [Mechanism['parameter'], Parameter, boolean][] = [
    ['CK_RSA_AES_KEY_WRAP_PARAMS', { aesKeyBits: 256, oaepParams: oaep }, true],
    ['CK_RSA_AES_KEY_WRAP_PARAMS', { aesKeyBits: 256, oaepParams: null }, true],
    ['CK_RSA_AES_KEY_WRAP_PARAMS', { aesKeyBits: 256, oaepParams: { ...oaep, mgf: none } }, false],
    ['CK_RSA_AES_KEY_WRAP_PARAMS', { aesKeyBits: 256, oaepParams: [oaep] }, false],
    ['CK_CHACHA20_PARAMS', chacha, true],
    ['CK_CHACHA20_PARAMS', { ...chacha, blockCounter: null }, true],
    ['CK_CHACHA20_PARAMS', { ...chacha, nonceBits: 97 }, false],
    ['CK_CHACHA20_PARAMS', { ...chacha, blockCounterBits: none }, false],
    ['CK_SP800_108_KDF_PARAMS', kdf, true],
    ['CK_SP800_108_KDF_PARAMS', { ...kdf, dataParams: Array(257).fill(data) }, false],
    ['CK_SP800_108_KDF_PARAMS', { ...kdf, dataParams: data }, false],
    ['CK_SP800_108_KDF_PARAMS', { ...kdf, additionalDerivedKeys: [{ template: [] }] }, false],
    ['CK_TLS_PRF_PARAMS', { seed: none, label: none, output: null }, true],
    ['CK_TLS12_MASTER_KEY_DERIVE_PARAMS', { randomInfo: null, version: null }, false],
  ]
  for (const [parameter, values, fits] of looked) {
    const row = { type: 0, name: 'MADE_UP', section: '', parameter } as Partial<Mechanism>
    const check = () => checkForm(row as Mechanism, values)
    if (fits) check()
    else assert.throws(check, withReturnValue(CKR.MECHANISM_PARAM_INVALID))
  }
})
