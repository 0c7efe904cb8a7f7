/** Attributes in the words of a trace: a truth value, a number or a label is shown, of all others the length. */
import { attributeTables } from '../standard/attributes.ts'
import { CKA, CKC, CKK, CKM, CKO } from '../standard/constants.ts'

/** Names of numbers, with their prefix; a number that has none in hexadecimal. */
export function namesOf(
  prefix: string,
  constants: Readonly<Record<string, number>>,
): (value: number) => string {
  const names = new Map<number, string>()
  // Some numbers have a second, deprecated name, which comes later.
  for (const [name, value] of Object.entries(constants))
    if (!names.has(value)) names.set(value, `${prefix}_${name}`)
  return (value) => names.get(value) ?? `0x${value.toString(16)}`
}

export const nameOfAttribute = namesOf('CKA', CKA)

type Text = (value: Buffer) => string

const size: Text = ({ length }) => `${length} bytes`

const bool: Text = (value) => (value.length === 1 ? String(value[0] !== 0) : size(value))

const numberWith =
  (name: (value: number) => string): Text =>
  (value) =>
    value.length === 8 ? name(Number(value.readBigUInt64LE())) : size(value)

/** How the values of a data type are shown. A type that is not here may hold what is nobody's business. */
const SHOWN: Readonly<Record<string, Text>> = {
  CK_BBOOL: bool,
  BOOL: bool,
  CK_ULONG: numberWith(String),
  ULONG: numberWith(String),
  CK_FLAGS: numberWith((flags) => `0x${flags.toString(16)}`),
  CK_OBJECT_CLASS: numberWith(namesOf('CKO', CKO)),
  CK_KEY_TYPE: numberWith(namesOf('CKK', CKK)),
  CK_CERTIFICATE_TYPE: numberWith(namesOf('CKC', CKC)),
  CK_MECHANISM_TYPE: numberWith(namesOf('CKM', CKM)),
}

const LABEL: Text = (value) => `"${value.toString()}"`

/** Every data type that the tables give an attribute; where two differ, its values are not shown. */
function textsByName(): Map<string, Text> {
  const texts = new Map<string, Text>()
  for (const { name, dataType } of attributeTables.flatMap(({ attributes }) => attributes)) {
    const text = SHOWN[dataType] ?? size
    texts.set(name, (texts.get(name) ?? text) === text ? text : size)
  }
  return texts.set('CKA_LABEL', LABEL)
}

const texts = textsByName()

/** `CKA_CLASS CKO_SECRET_KEY`, `CKA_TOKEN true`, `CKA_VALUE 32 bytes`. */
export function attributeText(type: number, value: Uint8Array): string {
  const name = nameOfAttribute(type)
  const { buffer, byteOffset, byteLength } = value
  return `${name} ${(texts.get(name) ?? size)(Buffer.from(buffer, byteOffset, byteLength))}`
}
