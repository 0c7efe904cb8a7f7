/**
 * The conformance scripts of the OASIS PKCS #11 Profiles 3.1 and 3.2: Baseline Provider (BL),
 * Extended Provider (EXT), Authentication Token (AUTH) and Public Certificates Token (CERT). OASIS
 * publishes them at docs.oasis-open.org/pkcs11/pkcs11-profiles; they are not ours to give, so they are
 * read where they lie beside this project, or in the folder that PKCS11_PROFILES names.
 */
import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { dataOf } from '../../src/standard/calls.ts'
import { CKF, CKK, CKM, CKO } from '../../src/standard/constants.ts'
import { template } from '../in-process.ts'
import { root } from '../service.ts'
import type { Variation, Variations } from './compare.ts'
import { execute } from './execute.ts'
import { type Open, openTokenLibrary, openTokenService } from './libraries.ts'
import {
  authentication,
  certificates,
  type Prepare,
  type PublishedKey,
  publishedKey,
} from './tokens.ts'

const folder = process.env.PKCS11_PROFILES ?? join(root, '../shared/standard/profiles')

/** Answers the script, or says that it is not here. */
function scriptOf(t: TestContext, profile: string, version: string): string | undefined {
  const file = join(folder, `v${version}`, `${profile}-M-1-${version.replace('.', '')}.xml`)
  if (existsSync(file)) return readFileSync(file, 'utf8')
  t.diagnostic(
    `left out: ${file} is not here; OASIS publishes it, PKCS11_PROFILES names its folder`,
  )
  return undefined
}

const is = (value: string, why: string): Variation => ({ holds: (told) => told === value, why })

const unknown = is('UnavailableInformation', 'nobody counts it, and 0 would say that none is left')

const SCRIPT_TOKEN_FLAGS =
  CKF.RNG |
  CKF.LOGIN_REQUIRED |
  CKF.USER_PIN_INITIALIZED |
  CKF.RESTORE_KEY_NOT_NEEDED |
  CKF.TOKEN_INITIALIZED

const MORE_RSA_FLAGS = CKF.SIGN_RECOVER | CKF.VERIFY_RECOVER | CKF.ENCAPSULATE | CKF.DECAPSULATE

const SCRIPT_RSA_FLAGS = CKF.ENCRYPT | CKF.DECRYPT | CKF.SIGN | CKF.VERIFY | CKF.WRAP | CKF.UNWRAP

const OF_MESSAGES = CKF.MESSAGE_SIGN | CKF.MESSAGE_VERIFY | CKF.MULTI_MESSAGE

/** What of our answers is not as the scripts have it, beyond what the profiles let vary. */
const OURS: Variations = {
  'C_GetTokenInfo.Flags': {
    why: 'dual functions and asynchronous sessions as well',
    holds: (told) =>
      Number(told) ===
      (SCRIPT_TOKEN_FLAGS | CKF.DUAL_CRYPTO_OPERATIONS | CKF.ASYNC_SESSION_SUPPORTED),
  },
  'C_GetTokenInfo.TotalPublicMemory': unknown,
  'C_GetTokenInfo.FreePublicMemory': unknown,
  'C_GetTokenInfo.TotalPrivateMemory': unknown,
  'C_GetTokenInfo.FreePrivateMemory': unknown,
  'C_GetMechanismInfo(RSA_PKCS_KEY_PAIR_GEN).MinKeySize': is('1024', '512 bits are broken'),
  'C_GetMechanismInfo(RSA_PKCS).MinKeySize': is('1024', '512 bits are broken'),
  'C_GetMechanismInfo(RSA_PKCS).Flags': {
    why: 'recovery, encapsulation and messages one after another as well',
    holds: (told) => Number(told) === (SCRIPT_RSA_FLAGS | MORE_RSA_FLAGS | OF_MESSAGES),
  },
}

/** Beside it, of the scripts of 3.1. */
const OLDER: Variations = {
  'C_GetInfo.CryptokiVersion': is('3.2', 'the scripts of 3.1 have their own version'),
}

/** What those scripts find whose token holds nothing. */
const EMPTY: Variations = {
  'C_FindObjects.Objects': is('1', 'the profiles demand CKO_PROFILE objects, and objects may vary'),
}

const WAYS: readonly (readonly [how: string, open: Open])[] = [
  ['in this process', openTokenLibrary],
  ['on a service', openTokenService],
]

const VERSIONS = ['3.1', '3.2'] as const

interface Case {
  readonly profile: string
  readonly version: string
  readonly open: Open
}

/** Runs a script, says how many values were compared, and how those that differ do. */
async function conforms(
  t: TestContext,
  { profile, version, open }: Case,
  source: string,
  prepare?: Prepare,
  variations: Variations = {},
): Promise<void> {
  const { initialize, variables } = await open(t, prepare)
  const all = { ...OURS, ...(version === '3.2' ? {} : OLDER), ...variations }
  const { calls, comparison } = await execute(source, { initialize, variables, variations: all })
  const { same, permitted, varied } = comparison
  t.diagnostic(
    `${profile} ${version}: ${calls} calls; ${same} values the same, ${permitted} differ as 3.1.1 permits, ${varied.length} besides`,
  )
  for (const line of varied) t.diagnostic(line)
}

for (const [how, open] of WAYS)
  for (const version of VERSIONS) {
    for (const profile of ['BL', 'EXT'])
      test(`${profile} of ${version} runs ${how} and answers what it has, but for what is named`, async (t) => {
        const source = scriptOf(t, profile, version)
        if (source) await conforms(t, { profile, version, open }, source, undefined, EMPTY)
      })

    test(`CERT of ${version} runs ${how} on a token with the published certificate`, async (t) => {
      const source = scriptOf(t, 'CERT', version)
      if (source)
        await conforms(t, { profile: 'CERT', version, open }, source, certificates(source))
    })

    test(`AUTH of ${version} runs ${how} with a private key of our own`, async (t) => {
      const source = scriptOf(t, 'AUTH', version)
      if (source) await authenticates(t, { profile: 'AUTH', version, open }, source)
    })
  }

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

function isSignature(modulus: Uint8Array, { exponent, data }: PublishedKey, signature: string) {
  const jwk = { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) }
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return verify('sha256', data, key, Buffer.from(signature, 'hex'))
}

async function authenticates(t: TestContext, which: Case, source: string): Promise<void> {
  const key = publishedKey(source)
  let modulus = new Uint8Array()
  const prepare = authentication(key, (ours) => {
    modulus = Uint8Array.from(ours)
  })
  const signature = {
    why: 'the published private key is not told; the signature is one of our key over the same data',
    holds: (told: string) => isSignature(modulus, key, told),
  }
  await conforms(t, which, source, prepare, { 'C_Sign.Signature': signature })
}

test('the signature that AUTH publishes verifies with the public key that it publishes', async (t) => {
  for (const version of VERSIONS) {
    const source = scriptOf(t, 'AUTH', version)
    if (source === undefined) return
    const { modulus, exponent, data, signature } = publishedKey(source)
    const { initialize } = await openTokenLibrary(t)
    const application = await initialize()
    const session = await application.call('C_OpenSession', [0, CKF.SERIAL_SESSION, false])
    const publicKey = {
      CLASS: CKO.PUBLIC_KEY,
      KEY_TYPE: CKK.RSA,
      VERIFY: true,
      MODULUS: modulus,
      PUBLIC_EXPONENT: exponent,
    }
    const handle = await application.call('C_CreateObject', [session, template(publicKey)])
    const mechanism = { type: CKM.SHA256_RSA_PKCS, parameter: null }
    await application.call('C_VerifyInit', [session, mechanism, handle])
    await application.call('C_Verify', [session, dataOf(data), signature])
    assert.ok(
      isSignature(modulus, { modulus, exponent, data, signature }, signature.toString('hex')),
    )
  }
})
