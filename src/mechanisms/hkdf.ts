/** HKDF: keys and data objects derived from keys and data objects. PKCS #11 3.2, 6.62; RFC 5869. */
import { type DigestName, digestLengths } from '../engine/digests.ts'
import { hkdfExpand, hkdfExtract, mostExpanded } from '../engine/hkdf.ts'
import { bytesOf, numberOf } from '../objects/object.ts'
import { CKA, CKF, CKK, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { derivedLength, derivedValue } from './derived-keys.ts'
import { fitsSecret, LONGEST_SECRET, secretKeyType } from './generic-secret.ts'
import type { Attributes, CryptokiObject, Derive, KeyType, Made, Mechanism } from './mechanism.ts'
import { booleanIn, dataIn, numberIn } from './parameter.ts'
import { digestOfMechanism } from './prfs.ts'
import { generateSecret, secretValue } from './secret-keys.ts'

const KEY_TYPES = [CKK.HKDF, CKK.GENERIC_SECRET] as const

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

type Salt = Uint8Array | undefined

/** The salt of each CKF_HKDF_SALT_; undefined for that of zeros. */
const salts: ReadonlyMap<number, (make: Derive) => Salt | Promise<Salt>> = new Map<
  number,
  (make: Derive) => Salt | Promise<Salt>
>([
  [CKF.HKDF_SALT_NULL, () => undefined],
  [CKF.HKDF_SALT_DATA, ({ mechanism }) => dataIn(mechanism, 'salt')],
  [
    CKF.HKDF_SALT_KEY,
    async (make) => secretValue(await make.key(numberIn(make.mechanism, 'saltKey'))),
  ],
])

async function saltOf(make: Derive): Promise<Salt> {
  const read = salts.get(numberIn(make.mechanism, 'saltType'))
  if (read === undefined) throw invalid('unknown ulSaltType')
  return read(make)
}

const isData = (base: CryptokiObject) => numberOf(base, CKA.CLASS) === CKO.DATA

/**
 * What a data object gives: as many bytes as the hash function, to be extracted with a salt. So TLS 1.3
 * makes its master secret from zeros.
 */
function dataValue(base: CryptokiObject, digest: DigestName, hasSalt: boolean): Uint8Array {
  const value = bytesOf(base, CKA.VALUE) ?? new Uint8Array(0)
  if (!hasSalt) throw invalid('a data object is extracted from with a salt')
  if (value.length !== digestLengths[digest])
    throw new CryptokiError(CKR.KEY_SIZE_RANGE, 'the data object is not as long as the hash')
  return value
}

/** RFC 5869, 2.3: what is only expanded is at least as long as the hash. */
function pseudorandomKey(base: CryptokiObject, digest: DigestName): Uint8Array {
  const value = secretValue(base, KEY_TYPES)
  if (value.length < digestLengths[digest])
    throw new CryptokiError(CKR.KEY_SIZE_RANGE, 'the key is shorter than the hash')
  return value
}

async function extract(base: CryptokiObject, digest: DigestName, make: Derive) {
  const salt = await saltOf(make)
  const material = isData(base)
    ? dataValue(base, digest, salt !== undefined)
    : secretValue(base, KEY_TYPES)
  return hkdfExtract(digest, salt, material)
}

/** Bytes of what is made. Extracting makes as many as the hash, and the template can only say the same. */
function lengthOf(template: Attributes, digest: DigestName, expands: boolean): number {
  if (expands) return derivedLength(template, { most: mostExpanded(digest) })
  const most = digestLengths[digest]
  const asked = template.get(CKA.VALUE_LEN) ?? most
  if (asked !== most)
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, `extracting makes ${most} bytes`)
  return derivedLength(new Map([...template, [CKA.VALUE_LEN, most]]), { most })
}

async function derive(base: CryptokiObject, make: Derive): Promise<Made> {
  const { mechanism, template } = make
  const [extracts, expands] = [booleanIn(mechanism, 'extract'), booleanIn(mechanism, 'expand')]
  if (!extracts && !expands) throw invalid('neither bExtract nor bExpand')
  if (isData(base) && !extracts) throw invalid('a data object is only extracted from')
  const digest = digestOfMechanism(numberIn(mechanism, 'prfHashMechanism'))
  const length = lengthOf(template, digest, expands)
  const key = extracts ? await extract(base, digest, make) : pseudorandomKey(base, digest)
  if (!expands) return derivedValue(template, key)
  try {
    return derivedValue(template, hkdfExpand(digest, key, dataIn(mechanism, 'info'), length))
  } finally {
    if (extracts) key.fill(0)
  }
}

const rowOf = (name: 'HKDF_DERIVE' | 'HKDF_DATA', section: string): Mechanism => ({
  type: CKM[name],
  name,
  section,
  keyTypes: KEY_TYPES,
  fromData: true,
  keySize: [1, LONGEST_SECRET],
  standing: 'approved',
  parameter: 'CK_HKDF_PARAMS',
  derive,
})

export const hkdfKeyType: KeyType = secretKeyType('HKDF')

export const hkdf: readonly Mechanism[] = [
  rowOf('HKDF_DERIVE', '6.62.3'),
  { ...rowOf('HKDF_DATA', '6.62.4'), makes: CKO.DATA, told: [CKA.VALUE_LEN] },
  {
    type: CKM.HKDF_KEY_GEN,
    name: 'HKDF_KEY_GEN',
    section: '6.62.5',
    keyTypes: [CKK.HKDF],
    keySize: [1, LONGEST_SECRET],
    standing: 'approved',
    generateKey: (make) => generateSecret(make, fitsSecret),
  },
]
