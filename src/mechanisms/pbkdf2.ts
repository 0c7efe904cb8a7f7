/** PBKDF2: secret keys of any type from a password. PKCS #11 3.2, 6.37.3 and 6.37.4; RFC 8018, 5.2. */
import type { DigestName } from '../engine/digests.ts'
import { CKA, CKM, CKP, CKR, CKZ } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { derivedLength, derivedValue } from './derived-keys.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type { Made, Make, Mechanism, MechanismArgument } from './mechanism.ts'
import { dataIn, numberIn } from './parameter.ts'
import { fromPassword, iterationsIn } from './password-derivation.ts'

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** The digests of the CKP_PKCS5_PBKD2_HMAC_ functions; OpenSSL has no GOST R 34.11-94. */
const digests: ReadonlyMap<number, DigestName> = new Map([
  [CKP.PKCS5_PBKD2_HMAC_SHA1, 'sha1'],
  [CKP.PKCS5_PBKD2_HMAC_SHA224, 'sha224'],
  [CKP.PKCS5_PBKD2_HMAC_SHA256, 'sha256'],
  [CKP.PKCS5_PBKD2_HMAC_SHA384, 'sha384'],
  [CKP.PKCS5_PBKD2_HMAC_SHA512, 'sha512'],
  [CKP.PKCS5_PBKD2_HMAC_SHA512_224, 'sha512-224'],
  [CKP.PKCS5_PBKD2_HMAC_SHA512_256, 'sha512-256'],
])

function digestIn(mechanism: MechanismArgument): DigestName {
  const digest = digests.get(numberIn(mechanism, 'prf'))
  if (digest === undefined) throw invalid('unknown pseudorandom function')
  if (dataIn(mechanism, 'prfData').length > 0) throw invalid('the PRFs here take no pPrfData')
  return digest
}

async function generate({ mechanism, template, surrender }: Make): Promise<Made> {
  if (numberIn(mechanism, 'saltSource') !== CKZ.SALT_SPECIFIED) throw invalid('unknown saltSource')
  const derivation = {
    method: 'PBKDF2',
    digest: digestIn(mechanism),
    password: dataIn(mechanism, 'password'),
    salt: dataIn(mechanism, 'saltSourceData'),
    iterations: iterationsIn(mechanism, 'iterations'),
    length: derivedLength(template, { most: LONGEST_SECRET }),
  } as const
  return derivedValue(template, await fromPassword(derivation, surrender))
}

export const pbkdf2: readonly Mechanism[] = [
  {
    type: CKM.PKCS5_PBKD2,
    name: 'PKCS5_PBKD2',
    section: '6.37.4',
    keyTypes: [],
    anySecretKey: true,
    keySize: [1, LONGEST_SECRET],
    standing: 'approved',
    supplies: [CKA.VALUE_LEN],
    parameter: 'CK_PKCS5_PBKD2_PARAMS2',
    generateKey: generate,
  },
]
