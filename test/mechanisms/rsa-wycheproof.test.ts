import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MechanismArgument } from '../../src/mechanisms/mechanism.ts'
import { rsa, rsaKeyType } from '../../src/mechanisms/rsa.ts'
import { signatureHashes } from '../../src/mechanisms/signature-hashes.ts'
import { CKA, CKG, CKM, CKO, CKR, CKZ } from '../../src/standard/constants.ts'
import { keyObject, using } from './keys.ts'
import { hex, toHex, withReturnValue } from './rows.ts'
import { everyCase, type WycheproofCase } from './wycheproof.ts'

interface PublicKey {
  readonly modulus: string
  readonly publicExponent: string
}

interface SignatureGroup {
  readonly publicKey: PublicKey
  readonly sha: string
  readonly mgfSha?: string
  readonly sLen?: number
}

interface SignatureCase extends WycheproofCase {
  readonly msg: string
  readonly sig: string
}

const hashNamed = (name: string) => {
  const found = signatureHashes.find((hash) => hash.name === name.replace('-', ''))
  assert.ok(found)
  return found
}

function publicUse({ modulus, publicExponent }: PublicKey) {
  const publicKey = keyObject(rsaKeyType, CKO.PUBLIC_KEY, [
    [CKA.MODULUS, hex(modulus)],
    [CKA.PUBLIC_EXPONENT, hex(publicExponent)],
  ])
  return using(rsa, { publicKey, privateKey: publicKey })
}

/** Every case of a file of signatures; those that may be either way must be refused. */
const signatures = (
  t: TestContext,
  file: string,
  suffix: 'RSA_PKCS' | 'RSA_PKCS_PSS',
  parameterOf: (group: SignatureGroup) => MechanismArgument['parameter'],
) =>
  everyCase<SignatureGroup, SignatureCase>(t, file, async (one, group) => {
    const type = CKM[`${hashNamed(group.sha).name}_${suffix}`]
    const verified = publicUse(group.publicKey).verify(
      type,
      hex(one.msg),
      hex(one.sig),
      parameterOf(group),
    )
    if (one.result === 'valid') return verified
    await assert.rejects(
      verified,
      withReturnValue(CKR.SIGNATURE_INVALID, CKR.SIGNATURE_LEN_RANGE),
      `${file} ${one.tcId} ${one.comment}`,
    )
  })

for (const file of ['2048_sha256', '2048_sha512', '3072_sha384'])
  test(`Wycheproof: RSASSA-PKCS1-v1_5, ${file}`, (t) =>
    signatures(t, `rsa_signature_${file}`, 'RSA_PKCS', () => null))

for (const file of [
  '2048_sha256_mgf1_0',
  '2048_sha256_mgf1_32',
  '2048_sha256_mgf1sha1_20',
  '4096_sha512_mgf1_64',
])
  test(`Wycheproof: RSASSA-PSS, ${file}`, (t) =>
    signatures(t, `rsa_pss_${file}`, 'RSA_PKCS_PSS', ({ sha, mgfSha = sha, sLen = 0 }) => ({
      hashAlg: hashNamed(sha).type,
      mgf: CKG[`MGF1_${hashNamed(mgfSha).name}`],
      sLen,
    })))

interface DecryptionGroup {
  readonly privateKeyPkcs8: string
  readonly sha: string
  readonly mgfSha: string
}

interface DecryptionCase extends WycheproofCase {
  readonly msg: string
  readonly ct: string
  readonly label?: string
}

function privateUse({ privateKeyPkcs8 }: DecryptionGroup) {
  const values = rsaKeyType.fromPkcs8?.(hex(privateKeyPkcs8)) as ReadonlyMap<number, Uint8Array>
  const privateKey = keyObject(rsaKeyType, CKO.PRIVATE_KEY, values)
  return using(rsa, { publicKey: privateKey, privateKey })
}

const notDecrypted = withReturnValue(CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE)

for (const file of ['sha1_mgf1sha1', 'sha256_mgf1sha1', 'sha256_mgf1sha256'])
  test(`Wycheproof: RSAES-OAEP, ${file}`, (t) =>
    everyCase<DecryptionGroup, DecryptionCase>(t, `rsa_oaep_2048_${file}`, async (one, group) => {
      const decrypted = privateUse(group).decrypt(CKM.RSA_PKCS_OAEP, hex(one.ct), {
        hashAlg: hashNamed(group.sha).type,
        mgf: CKG[`MGF1_${hashNamed(group.mgfSha).name}`],
        source: CKZ.DATA_SPECIFIED,
        sourceData: hex(one.label ?? ''),
      })
      if (one.result === 'valid') assert.equal(toHex(await decrypted), one.msg)
      else await assert.rejects(decrypted, notDecrypted, `${one.tcId} ${one.comment}`)
    }))

test('Wycheproof: RSAES-PKCS1-v1_5, where a bad padding decrypts to something else', (t) =>
  everyCase<DecryptionGroup, DecryptionCase>(t, 'rsa_pkcs1_2048', async (one, group) => {
    const decrypted = privateUse(group).decrypt(CKM.RSA_PKCS, hex(one.ct))
    if (one.result === 'valid') assert.equal(toHex(await decrypted), one.msg)
    else if (one.flags.includes('InvalidPkcs1Padding')) assert.ok((await decrypted).length <= 245)
    else await assert.rejects(decrypted, notDecrypted, `${one.tcId} ${one.comment}`)
  }))
