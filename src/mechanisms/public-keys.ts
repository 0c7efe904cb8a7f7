/** The public key that belongs to a private key. PKCS #11 3.2, 6.43.8. */
import { numberOf } from '../objects/object.ts'
import { CKA, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Attributes, CryptokiObject, Derive, KeyType, Made, Mechanism } from './mechanism.ts'

/** What the public key may do, by what the private key may. The list of 6.43.8 has not encapsulation yet. */
const USES: readonly (readonly [publicUse: number, privateUse: number])[] = [
  [CKA.ENCRYPT, CKA.DECRYPT],
  [CKA.VERIFY, CKA.SIGN],
  [CKA.VERIFY_RECOVER, CKA.SIGN_RECOVER],
  [CKA.WRAP, CKA.UNWRAP],
  [CKA.ENCAPSULATE, CKA.DECAPSULATE],
]

/** What is copied. The private key has no CKA_TRUSTED, and CKA_PUBLIC_KEY_INFO follows from the values. */
const COPIED: readonly number[] = [
  CKA.DERIVE,
  CKA.ID,
  CKA.START_DATE,
  CKA.END_DATE,
  CKA.SUBJECT,
  CKA.ALLOWED_MECHANISMS,
]

const entry = (base: CryptokiObject, to: number, from: number = to) => {
  const value = base.attributes.get(from)
  return value === undefined ? [] : ([[to, value]] as const)
}

/** The defaults of 6.43.8 that are not those of every public key. */
const defaultsOf = (base: CryptokiObject): Attributes =>
  new Map([
    ...USES.flatMap(([publicUse, privateUse]) => entry(base, publicUse, privateUse)),
    ...COPIED.flatMap((type) => entry(base, type)),
    [CKA.DESTROYABLE, false] as const,
  ])

function derive(
  types: ReadonlyMap<number, KeyType>,
  base: CryptokiObject,
  { template }: Derive,
): Made {
  const values = types.get(numberOf(base, CKA.KEY_TYPE) ?? -1)?.publicValues
  if (values === undefined || numberOf(base, CKA.CLASS) !== CKO.PRIVATE_KEY)
    throw new CryptokiError(CKR.KEY_TYPE_INCONSISTENT, 'no public key is made of this key')
  if (template.get(CKA.KEY_TYPE) !== numberOf(base, CKA.KEY_TYPE))
    throw new CryptokiError(
      CKR.TEMPLATE_INCONSISTENT,
      'the public key is of the private key’s type',
    )
  const defaults = [...defaultsOf(base)].filter(([type]) => !template.has(type))
  return new Map([...values(base), ...defaults, ...entry(base, CKA.KEY_GEN_MECHANISM)])
}

/** CKM_PUB_KEY_FROM_PRIV_KEY, for those key types that tell the values of a public key. */
export function publicKeyDerivation(keyTypes: readonly KeyType[]): Mechanism {
  const types = new Map(
    keyTypes.filter(({ publicValues }) => publicValues).map((row) => [row.type, row]),
  )
  return {
    type: CKM.PUB_KEY_FROM_PRIV_KEY,
    name: 'PUB_KEY_FROM_PRIV_KEY',
    section: '6.43.8',
    keyTypes: [...types.keys()],
    keySize: [0, 0],
    makes: CKO.PUBLIC_KEY,
    fromAnyUse: true,
    impliedType: (base) => numberOf(base, CKA.KEY_TYPE),
    derive: (base, make) => derive(types, base, make),
  }
}
