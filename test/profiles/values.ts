/** Values as the profile scripts write them. OASIS PKCS #11 Profiles 3.2, 4.3 and 4.6. */
import type { Attribute } from '../../src/standard/calls.ts'
import {
  CK_EFFECTIVELY_INFINITE,
  CK_UNAVAILABLE_INFORMATION,
  CKA,
  CKF,
  CKK,
  CKM,
  CKO,
  CKU,
} from '../../src/standard/constants.ts'
import { template } from '../in-process.ts'

type Names = Readonly<Record<string, number>>

/** What stands for numbers by name, by the XML name of the item. */
const ENUMERATIONS: Readonly<Record<string, Names>> = {
  Flags: CKF,
  UserType: CKU,
  Type: CKM,
  CLASS: CKO,
  KEY_TYPE: CKK,
}

const SPECIAL: Names = {
  UnavailableInformation: CK_UNAVAILABLE_INFORMATION,
  EffectivelyInfinite: CK_EFFECTIVELY_INFINITE,
}

function numberNamed(name: string, names: Names): number {
  if (/^(0x[0-9a-fA-F]+|\d+)$/.test(name)) return Number(name)
  const value = names[name] ?? SPECIAL[name]
  if (value === undefined) throw new Error(`"${name}" is no number and names none`)
  return value
}

/** A number of an item: in digits, by name, or flags with | or a blank between them. */
export function numberOf(item: string, text: string): number {
  const names = ENUMERATIONS[item] ?? {}
  if (item !== 'Flags') return numberNamed(text, names)
  const parts = text.split(/[ |]+/).filter((part) => part !== '')
  return parts.reduce((all, part) => (all | numberNamed(part, names)) >>> 0, 0)
}

export function booleanOf(text: string): boolean {
  if (!/^(true|false)$/i.test(text)) throw new Error(`"${text}" is neither true nor false`)
  return text.toLowerCase() === 'true'
}

export function bytesOf(text: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw new Error(`"${text}" is not hexadecimal`)
  return Buffer.from(text, 'hex')
}

/** How the scripts write each attribute they use. */
const ATTRIBUTES = {
  CLASS: numberOf,
  KEY_TYPE: numberOf,
  TOKEN: (_item: string, text: string) => booleanOf(text),
  PRIVATE: (_item: string, text: string) => booleanOf(text),
  LABEL: (_item: string, text: string) => Buffer.from(text),
  ID: (_item: string, text: string) => bytesOf(text),
  VALUE: (_item: string, text: string) => bytesOf(text),
  MODULUS: (_item: string, text: string) => bytesOf(text),
  PUBLIC_EXPONENT: (_item: string, text: string) => bytesOf(text),
} as const satisfies Partial<
  Record<keyof typeof CKA, (item: string, text: string) => number | boolean | Uint8Array>
>

type KnownAttribute = keyof typeof ATTRIBUTES

function known(name: string): KnownAttribute {
  if (!Object.hasOwn(ATTRIBUTES, name)) throw new Error(`how CKA_${name} is written is not known`)
  return name as KnownAttribute
}

/** The CKA_ number of an attribute by its name. */
export const attributeType = (name: string): number => CKA[known(name)]

/** An attribute with the bytes that a program would give. */
export function attribute(name: string, text: string): Attribute {
  const of = known(name)
  return template({ [of]: ATTRIBUTES[of](of, text) })[0] as Attribute
}
