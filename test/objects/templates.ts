/** Templates, objects and refusals for the tests of this folder. */
import assert from 'node:assert/strict'
import { finish, type Given, type How, prepare } from '../../src/objects/interpreter.ts'
import type { Attributes, CryptokiObject, Value } from '../../src/objects/object.ts'
import { encode } from '../../src/objects/values.ts'
import type { Attribute } from '../../src/standard/calls.ts'
import { CKA, CKK, CKO } from '../../src/standard/constants.ts'
import { CryptokiError, nameOfReturnValue } from '../../src/standard/error.ts'

export const user = { so: false }
export const securityOfficer = { so: true }

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

type Named = Partial<Record<keyof typeof CKA, Value>>

/** Typed attributes by their names without CKA_. */
export const attributesOf = (values: Named): Attributes =>
  new Map(Object.entries(values).map(([name, value]) => [CKA[name as keyof typeof CKA], value]))

/** A template as an application gives it. */
export const templateOf = (values: Named): Attribute[] =>
  Array.from(attributesOf(values), ([type, value]) => ({ type, value: encode(value) }))

export const objectOf = (attributes: Attributes, id = '00'.repeat(16)): CryptokiObject => ({
  id,
  version: 1,
  attributes,
})

/** The object that comes of a template. */
export const made = (how: How, template: Named, given: Given = {}, values: Named = {}) =>
  objectOf(finish(prepare(how, templateOf(template), given, user), attributesOf(values)))

/** What an action throws must be this return value, and no other kind of error. */
export function refuses(rv: number, action: () => unknown): void {
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof CryptokiError, String(error))
    assert.equal(nameOfReturnValue(error.rv), nameOfReturnValue(rv), error.message)
    return true
  })
}

export const VALUE = bytes(...Array.from({ length: 16 }, (_, index) => index))

export const aesTemplate = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES, VALUE } as const

/** An AES key that may leave the token. */
export const openAes = { ...aesTemplate, SENSITIVE: false, EXTRACTABLE: true } as const

export const rsaPublicTemplate = {
  CLASS: CKO.PUBLIC_KEY,
  KEY_TYPE: CKK.RSA,
  MODULUS: bytes(0xc1, 0x02, 0x03),
  PUBLIC_EXPONENT: bytes(1, 0, 1),
} as const

export const rsaPrivateTemplate = {
  ...rsaPublicTemplate,
  CLASS: CKO.PRIVATE_KEY,
  PRIVATE_EXPONENT: bytes(9, 9, 9),
} as const
