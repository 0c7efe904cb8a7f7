/** ML-DSA and HashML-DSA (FIPS 204). PKCS #11 3.2, 6.67. */
import { generateSetPair } from '../engine/parameter-set-keys.ts'
import { muOf, signWithSet, verifyWithSet } from '../engine/parameter-set-signatures.ts'
import { mlDsaSets } from '../engine/parameter-sets.ts'
import { muMessage } from './additional-context.ts'
import type { Mechanism } from './mechanism.ts'
import { generating, parameterSetKeyType } from './parameter-set-keys.ts'
import { familyRow, type SigningFamily, signatureRows } from './parameter-set-signatures.ts'

const family: SigningFamily = {
  name: 'ML_DSA',
  chapter: '6.67',
  sets: mlDsaSets,
  pure: (key, context) => muMessage(muOf(key, context)),
  sign: ({ key, signed, deterministic }) => signWithSet(key, signed, deterministic),
  verify: ({ key, signed }, signature) => verifyWithSet(key, signed, signature),
}

export const mlDsaKeyType = parameterSetKeyType(family)

export const mlDsa: readonly Mechanism[] = [
  {
    ...familyRow(family, 'ML_DSA_KEY_PAIR_GEN', '6.67.4'),
    generateKeyPair: generating(family, generateSetPair),
  },
  ...signatureRows(family),
]
