/** A Cryptoki object in memory: its attributes, typed. PKCS #11 3.2, chapter 4. */
import { CKA } from '../standard/constants.ts'

/**
 * An attribute value by the data type of its row: CK_BBOOL, CK_ULONG and its kin, bytes (big
 * integers, strings, CK_DATE), a list of CK_ULONG (CKA_ALLOWED_MECHANISMS), a template.
 */
export type Value = boolean | number | Uint8Array | readonly number[] | Attributes

/** Attributes by CKA_ number. */
export type Attributes = ReadonlyMap<number, Value>

export const isTemplate = (value: Value): value is Attributes => value instanceof Map

export interface CryptokiObject {
  /** CKA_UNIQUE_ID: 32 hexadecimal characters. */
  readonly id: string
  /** From 1, one more with each change. */
  version: number
  attributes: Attributes
  /**
   * The key as the engine parsed it, kept until the object changes or leaves memory. Only a
   * mechanism family knows what is in it.
   */
  parsed?: unknown
}

export const numberOf = (object: CryptokiObject, type: number): number | undefined => {
  const value = object.attributes.get(type)
  return typeof value === 'number' ? value : undefined
}

export const bytesOf = (object: CryptokiObject, type: number): Uint8Array | undefined => {
  const value = object.attributes.get(type)
  return value instanceof Uint8Array ? value : undefined
}

/** True only for an attribute that is there and CK_TRUE. */
export const isTrue = (object: CryptokiObject, type: number): boolean =>
  object.attributes.get(type) === true

export const isTokenObject = (object: CryptokiObject): boolean => isTrue(object, CKA.TOKEN)
export const isPrivateObject = (object: CryptokiObject): boolean => isTrue(object, CKA.PRIVATE)
