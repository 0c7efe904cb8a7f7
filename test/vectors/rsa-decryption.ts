/** Vectors of RSA decryption: C_Decrypt, and C_UnwrapKey of generic secrets. */
import assert from 'node:assert/strict'
import { CKG, CKK, CKM, CKZ } from '../../src/standard/constants.ts'
import { hex } from '../mechanisms/rows.ts'
import { mechanism, type Named, privateKey, refused, type VectorToken } from './vector-token.ts'
import { type VectorCase, type VectorFile, vectorFile } from './wycheproof.ts'

type Part =
  | 'modulus'
  | 'publicExponent'
  | 'privateExponent'
  | 'prime1'
  | 'prime2'
  | 'exponent1'
  | 'exponent2'
  | 'coefficient'

interface DecryptionGroup {
  readonly privateKey: Readonly<Record<Part, string>>
}

interface DecryptionCase extends VectorCase {
  readonly msg: string
  readonly ct: string
  readonly label?: string
}

const keyOf = ({ privateKey: parts }: DecryptionGroup): Named =>
  privateKey(CKK.RSA, {
    MODULUS: hex(parts.modulus),
    PUBLIC_EXPONENT: hex(parts.publicExponent),
    PRIVATE_EXPONENT: hex(parts.privateExponent),
    PRIME_1: hex(parts.prime1),
    PRIME_2: hex(parts.prime2),
    EXPONENT_1: hex(parts.exponent1),
    EXPONENT_2: hex(parts.exponent2),
    COEFFICIENT: hex(parts.coefficient),
    DECRYPT: true,
    UNWRAP: true,
  })

type How = ReturnType<typeof mechanism>

async function decrypted(token: VectorToken, how: How, key: number, one: DecryptionCase) {
  assert.equal(await token.decrypt(how, key, hex(one.ct)), one.msg)
  assert.equal(await token.decryptInParts(how, key, hex(one.ct)), one.msg)
  // A secret of no bytes is no key.
  if (one.msg !== '')
    assert.equal(await token.unwrap(how, key, hex(one.ct), CKK.GENERIC_SECRET), one.msg)
}

async function refusedEveryWay(token: VectorToken, how: How, key: number, one: DecryptionCase) {
  const names = ['ENCRYPTED_DATA_INVALID', 'ENCRYPTED_DATA_LEN_RANGE'] as const
  await refused(token.decrypt(how, key, hex(one.ct)), ...names)
  await refused(token.decryptInParts(how, key, hex(one.ct)), ...names)
  await refused(
    token.unwrap(how, key, hex(one.ct), CKK.GENERIC_SECRET),
    'WRAPPED_KEY_INVALID',
    'WRAPPED_KEY_LEN_RANGE',
  )
}

const oaepFile = (
  hash: 'SHA_1' | 'SHA256',
  mgfHash: 'SHA1' | 'SHA256',
  names: string,
): VectorFile =>
  vectorFile<DecryptionGroup, DecryptionCase>({
    file: `rsa_oaep_2048_${names}`,
    mechanisms: ['RSA_PKCS_OAEP'],
    check: async (token, one, group) => {
      const how = mechanism('RSA_PKCS_OAEP', {
        hashAlg: CKM[hash],
        mgf: CKG[`MGF1_${mgfHash}`],
        source: CKZ.DATA_SPECIFIED,
        sourceData: hex(one.label ?? ''),
      })
      const key = await token.key(keyOf(group))
      if (one.result === 'valid') await decrypted(token, how, key, one)
      else await refusedEveryWay(token, how, key, one)
      return undefined
    },
  })

const IMPLICIT_REJECTION =
  'a bad padding decrypts to the same random bytes each time, so that nothing tells it from a good one'

/** Bytes of the longest message of PKCS #1 v1.5 under 2048 bits. */
const MOST = 245

const pkcs1: VectorFile = vectorFile<DecryptionGroup, DecryptionCase>({
  file: 'rsa_pkcs1_2048',
  mechanisms: ['RSA_PKCS'],
  inapplicable: [IMPLICIT_REJECTION],
  check: async (token, one, group) => {
    const how = mechanism('RSA_PKCS')
    const key = await token.key(keyOf(group))
    if (one.flags?.includes('InvalidPkcs1Padding')) {
      const made = await token.decrypt(how, key, hex(one.ct))
      assert.ok(made.length <= 2 * MOST)
      assert.notEqual(made, one.msg)
      assert.equal(await token.decryptInParts(how, key, hex(one.ct)), made)
      return { inapplicable: IMPLICIT_REJECTION }
    }
    if (one.result === 'valid') await decrypted(token, how, key, one)
    else await refusedEveryWay(token, how, key, one)
    return undefined
  },
})

export const rsaDecryption: readonly VectorFile[] = [
  oaepFile('SHA_1', 'SHA1', 'sha1_mgf1sha1'),
  oaepFile('SHA256', 'SHA1', 'sha256_mgf1sha1'),
  oaepFile('SHA256', 'SHA256', 'sha256_mgf1sha256'),
  pkcs1,
]
