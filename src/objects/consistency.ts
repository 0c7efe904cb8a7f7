/** What the attributes of one object must be to one another, after creation and after every change. */
import { CKA, CKC, CKK, CKO, CKR, CKT } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Attributes } from './object.ts'
import type { Rows } from './rows.ts'

interface Rule {
  readonly class: number
  /** All types of the class where absent. */
  readonly types?: readonly number[]
  readonly holds: (attributes: Attributes) => boolean
  /** Said with CKR_TEMPLATE_INCONSISTENT where it does not hold. */
  readonly why: string
}

function isEmpty(attributes: Attributes, type: number): boolean {
  const value = attributes.get(type)
  return !(value instanceof Uint8Array) || value.length === 0
}

const TRUSTS: readonly number[] = [
  CKA.TRUST_SERVER_AUTH,
  CKA.TRUST_CLIENT_AUTH,
  CKA.TRUST_CODE_SIGNING,
  CKA.TRUST_EMAIL_PROTECTION,
  CKA.TRUST_IPSEC_IKE,
  CKA.TRUST_TIME_STAMPING,
  CKA.TRUST_OCSP_SIGNING,
]

const NO_TRUST: ReadonlySet<unknown> = new Set([CKT.TRUST_UNKNOWN, CKT.NOT_TRUSTED])

const countOf = (attributes: Attributes, type: number): number | undefined => {
  const value = attributes.get(type)
  return Array.isArray(value) ? value.length : undefined
}

/** Where a list has its length in CKA_HSS_LEVELS, they agree. */
const hasLevels = (attributes: Attributes, type: number): boolean => {
  const count = countOf(attributes, type)
  return count === undefined || count === attributes.get(CKA.HSS_LEVELS)
}

const PUBLIC_KEY_CERTIFICATES = [CKC.X_509, CKC.WTLS]

const rules: readonly Rule[] = [
  {
    // 4.6.3, 4.6.4: footnotes 2 and 3.
    class: CKO.CERTIFICATE,
    types: PUBLIC_KEY_CERTIFICATES,
    holds: (attributes) => !isEmpty(attributes, CKA.VALUE) || !isEmpty(attributes, CKA.URL),
    why: 'a certificate has CKA_VALUE or CKA_URL',
  },
  {
    // Footnote 4.
    class: CKO.CERTIFICATE,
    types: PUBLIC_KEY_CERTIFICATES,
    holds: (attributes) =>
      isEmpty(attributes, CKA.URL) ||
      (!isEmpty(attributes, CKA.HASH_OF_SUBJECT_PUBLIC_KEY) &&
        !isEmpty(attributes, CKA.HASH_OF_ISSUER_PUBLIC_KEY)),
    why: 'beside CKA_URL stand the hashes of both public keys',
  },
  {
    // 4.6.4: footnote 1.
    class: CKO.CERTIFICATE,
    types: [CKC.WTLS],
    holds: (attributes) => !isEmpty(attributes, CKA.SUBJECT) || isEmpty(attributes, CKA.VALUE),
    why: 'beside CKA_VALUE stands CKA_SUBJECT',
  },
  {
    // 4.7: footnote 2. CKA_NAME_HASH_ALGORITHM has a default.
    class: CKO.TRUST,
    holds: (attributes) =>
      !isEmpty(attributes, CKA.HASH_OF_CERTIFICATE) ||
      TRUSTS.every((type) => NO_TRUST.has(attributes.get(type))),
    why: 'trust needs CKA_HASH_OF_CERTIFICATE',
  },
  {
    // 4.10
    class: CKO.PRIVATE_KEY,
    holds: (attributes) =>
      attributes.get(CKA.ALWAYS_AUTHENTICATE) !== true || attributes.get(CKA.PRIVATE) === true,
    why: 'a key with CKA_ALWAYS_AUTHENTICATE is private',
  },
  {
    // 6.65.3: two copies of a state would sign twice with one one-time key.
    class: CKO.PRIVATE_KEY,
    types: [CKK.HSS],
    holds: (attributes) =>
      attributes.get(CKA.SENSITIVE) === true &&
      attributes.get(CKA.EXTRACTABLE) === false &&
      attributes.get(CKA.COPYABLE) === false,
    why: 'an HSS private key is sensitive, and neither extractable nor copyable',
  },
  {
    class: CKO.PRIVATE_KEY,
    types: [CKK.HSS],
    holds: (attributes) =>
      hasLevels(attributes, CKA.HSS_LMS_TYPES) && hasLevels(attributes, CKA.HSS_LMOTS_TYPES),
    why: 'an HSS private key has a type for each level',
  },
]

/** Throws CKR_TEMPLATE_INCONSISTENT where attributes, complete with their defaults, break a rule. */
export function checkConsistency({ of }: Rows, attributes: Attributes): void {
  const broken = rules.find(
    (rule) =>
      rule.class === of.class &&
      (rule.types === undefined || (of.type !== undefined && rule.types.includes(of.type))) &&
      !rule.holds(attributes),
  )
  if (broken !== undefined) throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, broken.why)
}
