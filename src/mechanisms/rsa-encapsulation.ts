/**
 * Key encapsulation with RSA: a secret made here and then encrypted (PKCS #1 v1.5, OAEP), or as long as
 * the modulus (RSASVE of SP 800-56B, 7.2.1). PKCS #11 3.2, 6.1.6, 6.1.8 and 6.1.12.
 */
import { randomBytes } from '../engine/random.ts'
import { type RsaKey, rsaEncapsulate } from '../engine/rsa.ts'
import { CKA, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { longestOfType } from './derived-keys.ts'
import type { Attributes, Begin, Cipher, CryptokiObject, Make, Mechanism } from './mechanism.ts'
import { encryption, type Padded } from './rsa-operations.ts'
import { unwrapThrough } from './wrapping.ts'

type Encapsulating = Required<Pick<Mechanism, 'encapsulate' | 'decapsulate'>>

function lengthOf(template: Attributes, most: number): number {
  const length = template.get(CKA.VALUE_LEN) ?? longestOfType(template.get(CKA.KEY_TYPE))
  if (typeof length !== 'number')
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_VALUE_LEN must say how long the key is')
  if (length < 1 || length > most)
    throw new CryptokiError(
      CKR.TEMPLATE_INCONSISTENT,
      `this key encapsulates secrets of 1 to ${most} bytes`,
    )
  return length
}

const decapsulation =
  (decrypt: (begin: Begin) => Cipher): Encapsulating['decapsulate'] =>
  async (key, ciphertext, { mechanism, surrender }) => {
    const secret = await unwrapThrough(() => decrypt({ key, mechanism }), ciphertext, surrender)
    return new Map([[CKA.VALUE, secret]])
  }

/** Encryption wipes its own copy of the secret, not the secret. */
async function encrypt(padded: Padded, secret: Uint8Array, { surrender }: Make) {
  const cipher = encryption(padded)
  await cipher.update(secret)
  return { ciphertext: await cipher.final(surrender), made: new Map([[CKA.VALUE, secret]]) }
}

/**
 * "The secret key is generated in the C_EncapsulateKey function and then wrapped": as long as the
 * template says.
 */
export const keyTransport = (
  paddedFor: (begin: Begin) => Padded,
  decrypt: (begin: Begin) => Cipher,
): Encapsulating => ({
  encapsulate: (key, make) => {
    const padded = paddedFor({ key, mechanism: make.mechanism })
    const length = lengthOf(make.template, padded.most)
    return { length: padded.key.bytes, run: () => encrypt(padded, randomBytes(length), make) }
  },
  decapsulate: decapsulation(decrypt),
})

/** RSASVE: the secret is a random number below the modulus, and as long. */
export const secretValueEncapsulation = (
  keyFor: (key: CryptokiObject) => RsaKey,
  decrypt: (begin: Begin) => Cipher,
): Encapsulating => ({
  encapsulate: (object) => {
    const key = keyFor(object)
    return {
      length: key.bytes,
      run: () => {
        const { ciphertext, secret } = rsaEncapsulate(key)
        return { ciphertext, made: new Map([[CKA.VALUE, secret]]) }
      },
    }
  },
  decapsulate: decapsulation(decrypt),
})
