/** The mechanisms that cases name. */
import type { MechanismArgument } from '../../../../src/standard/calls.ts'
import { CKD, CKG, CKM, CKZ } from '../../../../src/standard/constants.ts'
import { IV, POINT } from '../objects.ts'
import type { Words } from '../words.ts'

const plain = (type: number): MechanismArgument => ({ type, parameter: null })

export const CBC: MechanismArgument = { type: CKM.AES_CBC, parameter: IV }
export const CBC_PAD: MechanismArgument = { type: CKM.AES_CBC_PAD, parameter: IV }
export const SHA256 = plain(CKM.SHA256)
export const HMAC = plain(CKM.SHA256_HMAC)
export const ECDSA = plain(CKM.ECDSA)
export const AES_KEY = plain(CKM.AES_KEY_GEN)
export const EC_PAIR = plain(CKM.EC_KEY_PAIR_GEN)
export const RSA_PAIR = plain(CKM.RSA_PKCS_KEY_PAIR_GEN)

/** A counter of 8 bits that wraps after one block. */
const ALL_ONES = 2n ** 64n - 1n
export const WRAPPING_COUNTER: Words = {
  words: `[ ${CKM.AES_CTR} [ 8 ${ALL_ONES} ${ALL_ONES} ] 24 ]`,
}

/** 128 bytes that are a number below the modulus, or are not; at most 117 with padding. */
export const RSA_RAW = plain(CKM.RSA_X_509)
export const RSA = plain(CKM.RSA_PKCS)
export const TOO_LONG_FOR_RSA = Buffer.alloc(200)
export const ABOVE_MODULUS = Buffer.alloc(128, 0xff)

/** Two SHA-512 are longer than a modulus of 1024 bits. */
export const OAEP_TOO_LONG: MechanismArgument = {
  type: CKM.RSA_PKCS_OAEP,
  parameter: {
    hashAlg: CKM.SHA512,
    mgf: CKG.MGF1_SHA512,
    source: CKZ.DATA_SPECIFIED,
    sourceData: new Uint8Array(0),
  },
}

export const ecdh = (kdf: number = CKD.NULL, publicData = POINT): MechanismArgument => ({
  type: CKM.ECDH1_DERIVE,
  parameter: { kdf, sharedData: new Uint8Array(0), publicData },
})
