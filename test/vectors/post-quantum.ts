/** Vectors of ML-DSA and ML-KEM: keys of their seeds, signatures, decapsulation. */
import assert from 'node:assert/strict'
import { CKH, CKK, CKP } from '../../src/standard/constants.ts'
import { hex } from '../mechanisms/rows.ts'
import {
  mechanism,
  type Named,
  privateKey,
  publicKey,
  type ReturnValue,
  refused,
  type VectorToken,
} from './vector-token.ts'
import { type VectorCase, type VectorFile, vectorFile } from './wycheproof.ts'

interface MlDsaCase extends VectorCase {
  /** Absent where only mu is given, the hash of the message that FIPS 204 makes inside. */
  readonly msg?: string
  readonly ctx?: string
  readonly sig: string
}

/** Deterministic, as the vectors are. */
const mlDsa = ({ ctx = '' }: MlDsaCase) =>
  mechanism('ML_DSA', { hedgeVariant: CKH.DETERMINISTIC_REQUIRED, context: hex(ctx) })

const mlDsaPublic = (set: 'ML_DSA_44' | 'ML_DSA_65', value: string): Named =>
  publicKey(CKK.ML_DSA, { PARAMETER_SET: CKP[set], VALUE: hex(value) })

/** Return values by flags; what has none of these flags has a signature that is wrong. An empty seed is as none. */
const MALFORMED: Readonly<Record<string, readonly ReturnValue[]>> = {
  InvalidContext: ['MECHANISM_PARAM_INVALID'],
  IncorrectSignatureLength: ['SIGNATURE_LEN_RANGE'],
  IncorrectPublicKeyLength: ['ATTRIBUTE_VALUE_INVALID'],
  IncorrectPrivateKeyLength: ['ATTRIBUTE_VALUE_INVALID', 'TEMPLATE_INCOMPLETE'],
}

const refusalsOf = ({ flags = [] }: VectorCase): readonly ReturnValue[] =>
  flags.map((flag) => MALFORMED[flag]).find((names) => names !== undefined) ?? ['SIGNATURE_INVALID']

const verification: VectorFile = vectorFile<{ readonly publicKey: string }, MlDsaCase>({
  file: 'mldsa_44_verify',
  mechanisms: ['ML_DSA'],
  check: async (token, one, group) => {
    const [message, signature] = [hex(one.msg ?? ''), hex(one.sig)]
    const whole = async () => {
      const key = await token.key(mlDsaPublic('ML_DSA_44', group.publicKey))
      await token.verify(mlDsa(one), key, message, signature)
    }
    const inParts = async () => {
      const key = await token.key(mlDsaPublic('ML_DSA_44', group.publicKey))
      await token.verifyInParts(mlDsa(one), key, message, signature)
    }
    for (const verified of [whole, inParts])
      if (one.result === 'valid') await verified()
      else await refused(verified(), ...refusalsOf(one))
    return undefined
  },
})

interface SignGroup {
  readonly privateSeed: string
  readonly publicKey: string
}

const EXTERNAL_MU = 'mu in place of a message: 3.2 has no mechanism that takes it'
const GIVEN_RANDOMNESS = 'a given rnd: CK_SIGN_ADDITIONAL_CONTEXT has no place for it'

/** Signs, and verifies with the public key that the file tells. */
async function signed(token: VectorToken, one: MlDsaCase, group: SignGroup): Promise<string> {
  const values = { PARAMETER_SET: CKP.ML_DSA_65, SEED: hex(group.privateSeed), SIGN: true }
  const key = await token.key(privateKey(CKK.ML_DSA, values))
  const info = await token.attribute(key, 'PUBLIC_KEY_INFO')
  assert.ok(info.endsWith(group.publicKey))
  const message = hex(one.msg ?? '')
  const signature = await token.sign(mlDsa(one), key, message)
  assert.equal(await token.signInParts(mlDsa(one), key, message), signature)
  const peer = await token.key(mlDsaPublic('ML_DSA_65', group.publicKey))
  await token.verify(mlDsa(one), peer, message, hex(signature))
  return signature
}

const signing: VectorFile = vectorFile<SignGroup, MlDsaCase>({
  file: 'mldsa_65_sign_seed',
  mechanisms: ['ML_DSA'],
  inapplicable: [EXTERNAL_MU, GIVEN_RANDOMNESS],
  check: async (token, one, group) => {
    if (one.msg === undefined) return { inapplicable: EXTERNAL_MU }
    if (one.flags?.includes('Randomized')) {
      const peer = await token.key(mlDsaPublic('ML_DSA_65', group.publicKey))
      await token.verify(mlDsa(one), peer, hex(one.msg), hex(one.sig))
      return { inapplicable: GIVEN_RANDOMNESS }
    }
    if (one.result === 'valid') assert.equal(await signed(token, one, group), one.sig)
    else await refused(signed(token, one, group), ...refusalsOf(one))
    return undefined
  },
})

interface KemCase extends VectorCase {
  readonly seed: string
  /** The public key; absent where the seed is none. */
  readonly ek?: string
  readonly c: string
  readonly K: string
}

const kemPrivate = (seed: string): Named =>
  privateKey(CKK.ML_KEM, {
    PARAMETER_SET: CKP.ML_KEM_768,
    SEED: hex(seed),
    DECAPSULATE: true,
  })

/** Bytes of a ciphertext of ML-KEM-768 (FIPS 203, table 3). */
const KEM_CIPHERTEXT = 1088

const decapsulation: VectorFile = vectorFile<unknown, KemCase>({
  file: 'mlkem_768',
  mechanisms: ['ML_KEM'],
  check: async (token, one) => {
    const how = mechanism('ML_KEM')
    const secret = async (ciphertext: string) => {
      const key = await token.key(kemPrivate(one.seed))
      return token.decapsulate(how, key, hex(ciphertext), CKK.GENERIC_SECRET)
    }
    if (one.result === 'valid') assert.equal(await secret(one.c), one.K)
    else
      await refused(
        secret(one.c),
        one.c.length === 2 * KEM_CIPHERTEXT ? 'ATTRIBUTE_VALUE_INVALID' : 'WRAPPED_KEY_LEN_RANGE',
      )
    if (one.ek === undefined) return undefined
    const values = { PARAMETER_SET: CKP.ML_KEM_768, VALUE: hex(one.ek), ENCAPSULATE: true }
    const peer = await token.key(publicKey(CKK.ML_KEM, values))
    const made = await token.encapsulate(how, peer, CKK.GENERIC_SECRET)
    assert.equal(await secret(made.ciphertext), made.secret)
    return undefined
  },
})

interface KeyCase extends VectorCase {
  readonly seed: string
  readonly ek: string
  readonly dk: string
}

const keys: VectorFile = vectorFile<unknown, KeyCase>({
  file: 'mlkem_768_keygen_seed',
  mechanisms: ['ML_KEM'],
  check: async (token, one) => {
    assert.equal(one.result, 'valid')
    const key = await token.key(kemPrivate(one.seed))
    assert.equal(await token.attribute(key, 'VALUE'), one.dk)
    // SubjectPublicKeyInfo ends with the key.
    assert.ok((await token.attribute(key, 'PUBLIC_KEY_INFO')).endsWith(one.ek))
    return undefined
  },
})

export const postQuantum: readonly VectorFile[] = [verification, signing, decapsulation, keys]
