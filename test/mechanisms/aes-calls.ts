/** How tests call the AES rows: as C_EncryptInit and its like do, with keys made by hand. */
import { aes } from '../../src/mechanisms/aes.ts'
import type { MechanismArgument } from '../../src/mechanisms/mechanism.ts'
import { CKK } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { hex, maker, mechanism, secretKey, through } from './rows.ts'

export type Use = 'encrypt' | 'decrypt'
export type Given = MechanismArgument['parameter']

const aesKey = (value: Uint8Array) => secretKey(CKK.AES, value)

/** Begins an operation as C_EncryptInit and C_DecryptInit do. */
export const begin = async (use: Use, type: number, key: Uint8Array, parameter: Given = null) =>
  maker(aes, type, use)({ key: aesKey(key), mechanism: mechanism(type, parameter) })

export const run = async (
  use: Use,
  type: number,
  key: Uint8Array,
  parameter: Given,
  data: Uint8Array,
  size?: number,
) => through(await begin(use, type, key, parameter), data, size)

export const wrap = async (type: number, key: Uint8Array, parameter: Given, plain: Uint8Array) =>
  maker(aes, type, 'wrap')(
    { key: aesKey(key), mechanism: mechanism(type, parameter) },
    plain,
    new Surrender(),
  )

export const unwrap = async (
  type: number,
  key: Uint8Array,
  parameter: Given,
  wrapped: Uint8Array,
) =>
  maker(aes, type, 'unwrap')(
    { key: aesKey(key), mechanism: mechanism(type, parameter) },
    wrapped,
    new Surrender(),
  )

export const gcm = (iv: Uint8Array, aad: Uint8Array, tagBits = 128) => ({
  iv,
  ivBits: iv.length * 8,
  aad,
  tagBits,
})

export const none = new Uint8Array(0)

export const key128 = hex('2b7e151628aed2a6abf7158809cf4f3c')
export const iv16 = hex('000102030405060708090a0b0c0d0e0f')
export const gcmAad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2')
