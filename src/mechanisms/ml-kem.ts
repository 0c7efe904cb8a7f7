/** ML-KEM (FIPS 203). PKCS #11 3.2, 6.68. */
import { decapsulate, encapsulate, SHARED_SECRET } from '../engine/key-encapsulation.ts'
import { generateSetPair } from '../engine/parameter-set-keys.ts'
import { mlKemSets } from '../engine/parameter-sets.ts'
import { CKA, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { CryptokiObject, Encapsulation, Made, Make, Mechanism } from './mechanism.ts'
import {
  type Family,
  generating,
  parameterSetKeyOf,
  parameterSetKeyType,
} from './parameter-set-keys.ts'
import { familyRow } from './parameter-set-signatures.ts'

const family: Family = { name: 'ML_KEM', sets: mlKemSets }

export const mlKemKeyType = parameterSetKeyType(family)

/** The whole secret is the key's value; a template cannot ask for a part of it. */
function checkLength({ template }: Make): void {
  const asked = template.get(CKA.VALUE_LEN)
  if (asked !== undefined && asked !== SHARED_SECRET)
    throw new CryptokiError(
      CKR.TEMPLATE_INCONSISTENT,
      `ML-KEM makes keys of ${SHARED_SECRET} bytes`,
    )
}

const madeOf = (secret: Uint8Array): Made => new Map([[CKA.VALUE, secret]])

function encapsulation(publicKey: CryptokiObject, make: Make): Encapsulation {
  const key = parameterSetKeyOf(family, publicKey, CKO.PUBLIC_KEY)
  checkLength(make)
  return {
    length: key.set.outputBytes,
    run: () => {
      const { ciphertext, secret } = encapsulate(key)
      return { ciphertext, made: madeOf(secret) }
    },
  }
}

function decapsulated(privateKey: CryptokiObject, ciphertext: Uint8Array, make: Make): Made {
  const key = parameterSetKeyOf(family, privateKey, CKO.PRIVATE_KEY)
  checkLength(make)
  const { name, outputBytes } = key.set
  if (ciphertext.length !== outputBytes)
    throw new CryptokiError(
      CKR.WRAPPED_KEY_LEN_RANGE,
      `a ciphertext of ${name} has ${outputBytes} bytes`,
    )
  return madeOf(decapsulate(key, ciphertext))
}

export const mlKem: readonly Mechanism[] = [
  {
    ...familyRow(family, 'ML_KEM_KEY_PAIR_GEN', '6.68.4'),
    generateKeyPair: generating(family, generateSetPair),
  },
  {
    ...familyRow(family, 'ML_KEM', '6.68.5'),
    encapsulate: encapsulation,
    decapsulate: decapsulated,
  },
]
