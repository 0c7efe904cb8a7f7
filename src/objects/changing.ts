/** Changing, copying and destroying objects. PKCS #11 3.2, 4.1.2, 4.1.3, 5.7.2, 5.7.3 and 5.7.6. */
import type { Attribute } from '../standard/calls.ts'
import { CKA, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { ofTheToken } from './classes.ts'
import { checkConsistency } from './consistency.ts'
import type { Attributes, CryptokiObject, Value } from './object.ts'
import { type Change, type Row, type Rows, rowsOfObject } from './rows.ts'
import { checkSecurityOfficer, readOnly, readTemplate, type Who } from './template.ts'
import { equal } from './values.ts'

/** Throws CKR_ACTION_PROHIBITED where an attribute of the object, or its class, forbids an action. */
function checkAllowed({ attributes }: CryptokiObject, by: number, name: string): void {
  if (ofTheToken.has(attributes.get(CKA.CLASS) as number))
    throw new CryptokiError(CKR.ACTION_PROHIBITED, 'the object belongs to the token')
  if (attributes.get(by) === false)
    throw new CryptokiError(CKR.ACTION_PROHIBITED, `${name} of the object is CK_FALSE`)
}

/**
 * The attributes after C_SetAttributeValue: all of the template or nothing. Throws
 * CKR_ACTION_PROHIBITED, and what a template can be wrong with.
 */
export function set(object: CryptokiObject, template: readonly Attribute[], who: Who): Attributes {
  checkAllowed(object, CKA.MODIFIABLE, 'CKA_MODIFIABLE')
  checkTrustedCertificate(object, who)
  return changed(object, template, who, SETTABLE)
}

/** 4.6.2: "Trusted certificates cannot be modified", except by whoever made them trusted. */
function checkTrustedCertificate({ attributes }: CryptokiObject, { so }: Who): void {
  const isCertificate = attributes.get(CKA.CLASS) === CKO.CERTIFICATE
  if (isCertificate && attributes.get(CKA.TRUSTED) === true && !so)
    throw new CryptokiError(CKR.ACTION_PROHIBITED, 'a trusted certificate cannot be modified')
}

/**
 * The attributes of a copy. What the key was before is true of its copy as well, so
 * CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL and CKA_TRUSTED go along.
 */
export function copy(object: CryptokiObject, template: readonly Attribute[], who: Who): Attributes {
  checkAllowed(object, CKA.COPYABLE, 'CKA_COPYABLE')
  return changed(object, template, who, COPIABLE)
}

/** C_DestroyObject. Throws CKR_ACTION_PROHIBITED. */
export function mayDestroy(object: CryptokiObject): void {
  checkAllowed(object, CKA.DESTROYABLE, 'CKA_DESTROYABLE')
}

const SETTABLE: ReadonlySet<Change> = new Set(['free', 'empty'])
const COPIABLE: ReadonlySet<Change> = new Set(['free', 'empty', 'copy'])

function changed(
  { attributes }: CryptokiObject,
  template: readonly Attribute[],
  who: Who,
  changes: ReadonlySet<Change>,
): Attributes {
  const rows = rowsOfObject(attributes)
  const news = readTemplate(rows, template, (row, value) => {
    if (!changes.has(row.change)) throw readOnly(row, 'cannot be changed')
    checkChange(rows, row, attributes.get(row.type), value, who)
  })
  const result = new Map([...attributes, ...news])
  checkConsistency(rows, result)
  return result
}

function checkChange(
  rows: Rows,
  row: Row,
  before: Value | undefined,
  value: Value,
  who: Who,
): void {
  if (row.change === 'empty' && !isEmpty(value)) throw readOnly(row, 'can only be emptied')
  if (before !== undefined && equal(before, value)) return
  if (row.finalAt !== undefined && before === row.finalAt)
    throw readOnly(row, `is ${row.finalAt} for good`)
  checkSecurityOfficer(row, value, who)
  if (row.bySecurityOfficer && !who.so)
    throw readOnly(row, 'is changed by the security officer only')
  if (row.calculated && rows.of.class === CKO.PRIVATE_KEY && !isEmpty(value))
    throw wrongPublicKey(row)
}

/** 4.10: it was calculated when the key was made, so another one is of another key. */
const wrongPublicKey = (row: Row) =>
  new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `${row.name} is not that of the private key`)

const isEmpty = (value: Value): boolean => value instanceof Uint8Array && value.length === 0
