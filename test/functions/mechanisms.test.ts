/** Every advertised (mechanism, flag) pair works: flags come from C_GetMechanismInfo, work goes through the C_ functions. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { isFor, type MechanismFor, mechanisms, type Use, uses } from '../../src/mechanisms/table.ts'
import type { Image, MechanismArgument, Parameter } from '../../src/standard/calls.ts'
import { CK_INVALID_HANDLE, CKA, CKF, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { endWarmWorkers } from '../../src/surrender/workers.ts'
import { answers, bytes, data, type Opened, openToken, template } from '../in-process.ts'
import { dsa1024 } from '../mechanisms/rfc6979-dsa.ts'
import { attributeOf, KeyRing, type Keys, LENGTHS, PAIRS, SECRET, SHORT_KEYS } from './key-ring.ts'
import { generateAtBounds, pairSizes, secretLengths, secretOf } from './key-sizes.ts'
import { edgesOf } from './mechanism-edges.ts'
import { MESSAGE, messages, nothing, parameters } from './mechanism-parameters.ts'
import {
  ccmMemory,
  chachaMemory,
  gcmMemory,
  type MessageMemory,
  noParameter,
} from './message-memory.ts'

/** Bytes of the longest signature, one of SLH-DSA-128f. */
const ROOM = 17088

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

/** The first value of an HOTP key, six characters behind what tells of it. */
async function signOtp({ token: { call, session }, mechanism, keys }: Trial): Promise<void> {
  await call('C_SignInit', [session, mechanism, keys.forward])
  const { image } = (await call('C_Sign', [session, data(nothing), ROOM])) as Image
  await call('C_VerifyInit', [session, mechanism, keys.back])
  const value = image.subarray(16 + 3 * 24, 16 + 3 * 24 + 6)
  await call('C_Verify', [session, data(nothing), value])
}

/** Mechanisms that are not tried as the others are. */
const ownTrials: ReadonlyMap<
  number,
  Partial<Record<Use, (trial: Trial) => Promise<void>>>
> = new Map([[CKM.HOTP, { sign: signOtp, verify: async () => {} }]])

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

const AAD = Buffer.from('additional data')

/** Fitting parameters of messages, by their structure. */
const memories: Readonly<Record<string, () => MessageMemory>> = {
  CK_GCM_MESSAGE_PARAMS: gcmMemory,
  CK_CCM_MESSAGE_PARAMS: () => ccmMemory(MESSAGE.length),
  CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS: chachaMemory,
}

function memoryFor({ messageParameter }: MechanismFor<Use>): MessageMemory {
  const make = memories[messageParameter ?? '']
  assert.ok(make, `test parameters of ${messageParameter}`)
  return make()
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
      template({ ...SECRET, CLASS: row.makes ?? CKO.SECRET_KEY, ...type, ...told }),
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
  messageEncrypt: async ({ token: { call, session }, row, keys }) => {
    const memory = memoryFor(row)
    const begun = { type: row.type, parameter: null }
    await call('C_MessageEncryptInit', [session, begun, keys.back])
    const encrypted = bytes(
      await call('C_EncryptMessage', [session, memory.argument, AAD, data(MESSAGE), 4096]),
    )
    await call('C_MessageEncryptFinal', [session])
    assert.notDeepEqual(Buffer.from(encrypted), MESSAGE)
    await call('C_MessageDecryptInit', [session, begun, keys.forward])
    const decrypted = bytes(
      await call('C_DecryptMessage', [session, memory.argument, AAD, data(encrypted), 4096]),
    )
    await call('C_MessageDecryptFinal', [session])
    assert.deepEqual(Buffer.from(decrypted), MESSAGE)
  },
  messageDecrypt: (trial) => trials.messageEncrypt(trial),
  messageSign: async ({ token: { call, session }, mechanism, keys }) => {
    await call('C_MessageSignInit', [session, mechanism, keys.forward])
    await call('C_MessageVerifyInit', [session, mechanism, keys.back])
    const first = messages.get(mechanism.type) ?? MESSAGE
    const second = Buffer.from(first.map((byte, at) => (at === 0 ? byte ^ 1 : byte)))
    for (const message of [first, second]) {
      const signature = bytes(
        await call('C_SignMessage', [session, noParameter, data(message), ROOM]),
      )
      await call('C_VerifyMessage', [session, noParameter, data(message), signature])
    }
    await call('C_MessageSignFinal', [session])
    await call('C_MessageVerifyFinal', [session])
  },
  messageVerify: (trial) => trials.messageSign(trial),
  wrapAuthenticated: async ({ token, row, keys }) => {
    const { call, session } = token
    const memory = memoryFor(row)
    const key = await call('C_CreateObject', [
      session,
      template({ ...SECRET, KEY_TYPE: CKK.GENERIC_SECRET, VALUE: MESSAGE }),
    ])
    const wrapped = bytes(
      await call('C_WrapKeyAuthenticated', [session, memory.argument, keys.back, key, AAD, 4096]),
    )
    const unwrapped = await call('C_UnwrapKeyAuthenticated', [
      session,
      memory.argument,
      keys.forward,
      wrapped,
      template({ ...SECRET, KEY_TYPE: CKK.GENERIC_SECRET }),
      AAD,
    ])
    assert.deepEqual(Buffer.from(await attributeOf(token, unwrapped)), MESSAGE)
  },
  unwrapAuthenticated: (trial) => trials.wrapAuthenticated(trial),
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
  messageEncrypt: CKF.MESSAGE_ENCRYPT | CKF.MULTI_MESSAGE,
  messageDecrypt: CKF.MESSAGE_DECRYPT | CKF.MULTI_MESSAGE,
  messageSign: CKF.MESSAGE_SIGN | CKF.MULTI_MESSAGE,
  messageVerify: CKF.MESSAGE_VERIFY | CKF.MULTI_MESSAGE,
  wrapAuthenticated: CKF.WRAP,
  unwrapAuthenticated: CKF.UNWRAP,
}

const isAuthenticated = (use: Use) => use.endsWith('Authenticated')

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
    const advertised = uses.filter((use) => ((flags as number) & FLAGS[use]) === FLAGS[use])
    // Wrapping with additional data has no flag of its own.
    for (const use of advertised.filter((one) => !isAuthenticated(one) || isFor(row, one))) {
      await t.test(`CKM_${row.name} ${use}`, () =>
        (ownTrials.get(type)?.[use] ?? trials[use])({ token, mechanism, row, keys }),
      )
      pairs++
      await tryEdges(t, ring, { token, mechanism, row, keys }, use)
      await trySizes(t, ring, { token, mechanism, row, keys }, use)
    }
  }
  return pairs
}

/** The mechanism of a use with a parameter that fits: another one for messages and encapsulated keys. */
function mechanismOf(use: Use, row: MechanismFor<Use>, usual: MechanismArgument) {
  if (use === 'encapsulate' || use === 'decapsulate') return withoutPublicData(usual)
  if (use === 'messageEncrypt' || use === 'messageDecrypt') return { ...usual, parameter: null }
  return isAuthenticated(use) ? memoryFor(row).argument : usual
}

/** Uses whose key is the one that is given away. */
const WITH_PUBLIC_KEY: readonly Use[] = [
  'encrypt',
  'verify',
  'verifyRecover',
  'wrap',
  'encapsulate',
  'messageEncrypt',
  'messageVerify',
  'wrapAuthenticated',
]

/** What the pair does with what does not fit. */
async function tryEdges(t: TestContext, ring: KeyRing, trial: Trial, use: Use): Promise<void> {
  const { token, mechanism, row, keys } = trial
  const { forward, back } = keys
  const other = await ring.keys(PAIRS.has(row.keyTypes[0] ?? -1) ? CKK.AES : CKK.RSA)
  const [key, inverse, wrongKey] = WITH_PUBLIC_KEY.includes(use)
    ? [back, forward, other.back]
    : [forward, back, other.forward]
  const edge = {
    ...{ token, row, use, key, inverse, wrongKey },
    mechanism: mechanismOf(use, row, mechanism),
    message: messages.get(row.type) ?? MESSAGE,
  }
  for (const { name, run } of edgesOf(edge))
    await t.test(`CKM_${row.name} ${use}: ${name}`, () => run(edge))
}

/** The pair works with the smallest and the largest keys, too. */
async function trySizes(t: TestContext, ring: KeyRing, trial: Trial, use: Use): Promise<void> {
  const { row, token, mechanism } = trial
  const [keyType] = row.keyTypes
  if (keyType === undefined) return
  const name = `CKM_${row.name} ${use}`
  const attempt = (size: string, keys: Keys) =>
    t.test(`${name} with a key of ${size}`, () =>
      (ownTrials.get(row.type)?.[use] ?? trials[use])({ ...trial, keys }),
    )
  const sizes = pairSizes.get(keyType)
  for (const parameters of sizes?.tried ?? [])
    await attempt(inspect(parameters), await ring.pair(keyType, parameters))
  if (PAIRS.has(keyType) || (mechanism.parameter !== null && use === 'generateKey')) return
  if (use === 'generateKey' && secretLengths(row).length > 0)
    await t.test(`${name} within its bounds`, () => generateAtBounds(token, row))
  else
    for (const length of secretLengths(row))
      await attempt(`${length} bytes`, await ring.secret(keyType, secretOf(length)))
}

/** What is tried elsewhere is told; a family of pairs that nobody has sizes for is, too. */
function tellSizes(t: TestContext): void {
  for (const keyType of PAIRS.keys()) {
    const { elsewhere } = pairSizes.get(keyType) ?? { elsewhere: 'no sizes are told' }
    if (elsewhere) t.diagnostic(`sizes of CKK ${keyType}: ${elsewhere}`)
  }
}

test('every advertised (mechanism, flag) pair works', async (t) => {
  t.after(endWarmWorkers)
  const pairs = await tryAll(await openToken(t, 50, { profile: 'legacy' }), t)
  t.diagnostic(`${pairs} pairs`)
  tellSizes(t)
  assert.ok(pairs > 100, `${pairs} pairs`)
})
