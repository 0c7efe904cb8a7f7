/**
 * The attribute tables of the standard, set right where a table uses footnotes of its own, where the
 * text beside it says more than its footnotes, or where it is misprinted.
 */
import { type AttributeTable, attributeTables } from '../standard/attributes.ts'

/** A row of a table: footnotes are always those of table 13. */
export interface TableRow {
  readonly name: string
  readonly dataType: string
  readonly footnotes: readonly number[]
}

/** New footnotes for an attribute of a table, and its name where that is misprinted. */
interface Correction {
  readonly name?: string
  readonly footnotes: readonly number[]
}

const footnotes = (...numbers: number[]): Correction => ({ footnotes: numbers })

/** Names in the tables that are a name and a footnote run together. */
const misprints: Record<string, Record<string, Correction>> = {
  'Common Certificate Object Attributes': {
    CKA_TRUSTED10: { name: 'CKA_TRUSTED', footnotes: [10] },
  },
  'GOST 28147-89 Domain Parameter Object Attributes': {
    CKA_VALUE1: { name: 'CKA_VALUE', footnotes: [1] },
  },
}

/** Footnotes 1 to 4 of these tables are their own, and the text tells what may be modified. 4.3, 4.6, 4.7, 4.15. */
const ownFootnotes: Record<string, Record<string, Correction>> = {
  // 1: read only; and no application may create a counter at all.
  'Monotonic Counter Attributes': {
    CKA_RESET_ON_INIT: footnotes(),
    CKA_HAS_RESET: footnotes(),
    CKA_VALUE: footnotes(),
  },
  // What may be empty depends on CKA_URL and CKA_VALUE: consistency.ts.
  'X.509 Certificate Object Attributes': {
    CKA_ID: footnotes(8),
    CKA_ISSUER: footnotes(8),
    CKA_SERIAL_NUMBER: footnotes(8),
    CKA_VALUE: footnotes(1),
    CKA_URL: footnotes(),
    CKA_HASH_OF_SUBJECT_PUBLIC_KEY: footnotes(),
    CKA_HASH_OF_ISSUER_PUBLIC_KEY: footnotes(),
  },
  'WTLS Certificate Object Attributes': {
    CKA_ISSUER: footnotes(8),
    CKA_VALUE: footnotes(1),
    CKA_URL: footnotes(),
    CKA_HASH_OF_SUBJECT_PUBLIC_KEY: footnotes(),
    CKA_HASH_OF_ISSUER_PUBLIC_KEY: footnotes(),
  },
  'X.509 Attribute Certificate Object Attributes': {
    CKA_AC_ISSUER: footnotes(8),
    CKA_SERIAL_NUMBER: footnotes(8),
    CKA_ATTR_TYPES: footnotes(8),
  },
  // 2: needed only beside trust (consistency.ts). Trust may change, or CKA_MODIFIABLE would mean nothing here.
  'Trust Object Attributes': {
    CKA_HASH_OF_CERTIFICATE: footnotes(),
    CKA_NAME_HASH_ALGORITHM: footnotes(),
    CKA_TRUST_SERVER_AUTH: footnotes(8),
    CKA_TRUST_CLIENT_AUTH: footnotes(8),
    CKA_TRUST_CODE_SIGNING: footnotes(8),
    CKA_TRUST_EMAIL_PROTECTION: footnotes(8),
    CKA_TRUST_IPSEC_IKE: footnotes(8),
    CKA_TRUST_TIME_STAMPING: footnotes(8),
    CKA_TRUST_OCSP_SIGNING: footnotes(8),
  },
  // 1: optional.
  'Validation Object Attributes': {
    CKA_VALIDATION_COUNTRY: footnotes(),
    CKA_VALIDATION_CERTIFICATE_IDENTIFIER: footnotes(),
    CKA_VALIDATION_CERTIFICATE_URI: footnotes(),
    CKA_VALIDATION_VENDOR_URI: footnotes(),
    CKA_VALIDATION_PROFILE: footnotes(),
  },
}

/** New in 3.2: no application of before gives it, so it cannot be demanded. */
const CRC64 = footnotes(4, 13)

/** 6.6: such keys can only be derived; all but the public parts and counters are secrets. */
const derived = footnotes(2, 4, 6)
const derivedSecret = footnotes(2, 4, 6, 7)

/** What the text says and the footnotes do not. */
const text: Record<string, Record<string, Correction>> = {
  // 4.4: of these only the label may be modified; "can't be set to TRUE once it is set to FALSE".
  'Common Storage Object Attributes': { CKA_LABEL: footnotes(8), CKA_COPYABLE: footnotes(8, 12) },
  // 4.15: set in ways that conform to a validation only, so by no application.
  'Common Key Attributes': { CKA_OBJECT_VALIDATION_FLAGS: footnotes(2, 4, 6, 9) },
  'Common Public Key Attributes': { CKA_PUBLIC_CRC64_VALUE: CRC64 },
  'Common Private Key Attributes': { CKA_PUBLIC_CRC64_VALUE: CRC64 },
  'RSA Public Key Object Attributes': { CKA_PUBLIC_CRC64_VALUE: CRC64 },
  'RSA Private Key Object Attributes': { CKA_PUBLIC_CRC64_VALUE: CRC64 },
  // 6.67.3, 6.68.3: CKA_SEED will do instead (classes.ts).
  'ML-DSA Private Key Object Attributes': { CKA_VALUE: footnotes(4, 6, 7) },
  'ML-KEM Private Key Object Attributes': { CKA_VALUE: footnotes(4, 6, 7) },
  // It has a default, 60 seconds.
  'RSA SecurID secret key object attributes': { CKA_OTP_TIME_INTERVAL: footnotes() },
  'Double Ratchet Secret Key Object Attributes': {
    CKA_X2RATCHET_RK: derivedSecret,
    CKA_X2RATCHET_HKS: derivedSecret,
    CKA_X2RATCHET_HKR: derivedSecret,
    CKA_X2RATCHET_NHKS: derivedSecret,
    CKA_X2RATCHET_NHKR: derivedSecret,
    CKA_X2RATCHET_CKS: derivedSecret,
    CKA_X2RATCHET_CKR: derivedSecret,
    CKA_X2RATCHET_DHS: derivedSecret,
    CKA_X2RATCHET_DHP: derived,
    CKA_X2RATCHET_DHR: derived,
    CKA_X2RATCHET_NS: derived,
    CKA_X2RATCHET_NR: derived,
    CKA_X2RATCHET_PNS: derived,
    CKA_X2RATCHET_BOBS1STMSG: derived,
    CKA_X2RATCHET_ISALICE: derived,
    CKA_X2RATCHET_BAGSIZE: derived,
    CKA_X2RATCHET_BAG: derivedSecret,
  },
}

/** Attributes that the header names and no table holds: 3.2 has them beside the wrapping templates. */
const withoutTable: Record<string, readonly TableRow[]> = {
  'Encapsulating Public Keys': [
    { name: 'CKA_ENCAPSULATE_TEMPLATE', dataType: 'CK_ATTRIBUTE_PTR', footnotes: [] },
  ],
  'Decapsulating Private Keys': [
    { name: 'CKA_DECAPSULATE_TEMPLATE', dataType: 'CK_ATTRIBUTE_PTR', footnotes: [] },
  ],
}

/** Attributes that the text gives to objects of a table that does not hold them. */
const added: Record<string, readonly TableRow[]> = {
  // 6.2.5: "if CKA_SUBPRIME_BITS is not specified for a call to C_GenerateKey, it takes on a default".
  'DSA Domain Parameter Object Attributes': [
    { name: 'CKA_SUBPRIME_BITS', dataType: 'CK_ULONG', footnotes: [2] },
  ],
}

/** Tables by name. One name stands twice in the standard: ChaCha20's, over the table of Salsa20. */
const nameOf = ({ table, section }: AttributeTable): string =>
  table === 'ChaCha20 Secret Key Object' && section === '06.59_salsa20.md'
    ? 'Salsa20 Secret Key Object'
    : table

function corrected(table: string, row: TableRow): TableRow {
  for (const corrections of [misprints, ownFootnotes, text]) {
    const correction = corrections[table]?.[row.name]
    if (correction !== undefined) return { ...row, ...correction }
  }
  return row
}

/** Every table by its name, set right. */
export const tables: ReadonlyMap<string, readonly TableRow[]> = new Map([
  ...attributeTables.map((table): [string, TableRow[]] => [
    nameOf(table),
    [
      ...table.attributes.map((row) => corrected(nameOf(table), row)),
      ...(added[nameOf(table)] ?? []),
    ],
  ]),
  ...Object.entries(withoutTable),
])
