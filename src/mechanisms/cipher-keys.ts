/** Keys of ciphers: their types, and the mechanisms that generate them. PKCS #11 3.2, 4.11 and the sections of the ciphers. */
import { cipherStream } from '../engine/ciphers.ts'
import { CKA, CKK } from '../standard/constants.ts'
import { numbered } from './cipher-rows.ts'
import type { KeyType, Made, Make, Mechanism } from './mechanism.ts'
import { completeSecret, generateOfLength, generateSecret, WrongKeyValue } from './secret-keys.ts'

/** The keys of a cipher. */
export interface CipherKeys {
  readonly name: keyof typeof CKK
  /** Bytes of a key: one length, or which ones there are. */
  readonly length: number | ((bytes: number) => boolean)
  /** What CKA_CHECK_VALUE is the start of; absent where the standard does not say. */
  readonly checksum?: (value: Uint8Array) => Uint8Array
  /** What is wrong with a value of the right length; undefined where nothing is. */
  readonly wrong?: (value: Uint8Array) => string | undefined
  /** Makes a key of random or derived bytes, in place. */
  readonly correct?: (value: Uint8Array) => void
}

/** Whether keys have so many bytes. */
export const fitting = ({ length }: CipherKeys): ((bytes: number) => boolean) =>
  typeof length === 'number' ? (bytes) => bytes === length : length

/** 4.11: a block of zeros encrypted in ECB, by OpenSSL's name of the cipher. */
export const zerosEncrypted =
  (name: (value: Uint8Array) => string, block: number, keyOf = (value: Uint8Array) => value) =>
  (value: Uint8Array): Uint8Array =>
    cipherStream({
      name: name(value),
      direction: 'encrypt',
      key: keyOf(value),
      iv: null,
      options: { padding: 0 },
    }).update(new Uint8Array(block))

export const cipherKeyType = (keys: CipherKeys): KeyType => ({
  type: CKK[keys.name],
  name: keys.name,
  ...(keys.correct && { correct: keys.correct }),
  complete: (_objectClass, attributes) => {
    const additions = completeSecret(attributes, fitting(keys), keys.checksum)
    const why = keys.wrong?.(attributes.get(CKA.VALUE) as Uint8Array)
    if (why !== undefined) throw new WrongKeyValue(why)
    return additions
  },
})

/** Random bytes that are wrong come once in 2^128 times; then others are taken. */
function generated(keys: CipherKeys, make: Make): Made {
  const { length, wrong, correct } = keys
  const made =
    typeof length === 'number' ? generateOfLength(make, length) : generateSecret(make, length)
  const value = made.get(CKA.VALUE) as Uint8Array
  correct?.(value)
  return wrong?.(value) === undefined ? made : generated(keys, make)
}

/** CKM_..._KEY_GEN. The standard lets every template for keys of one length leave that length out. */
export const keyGeneration = (
  keys: CipherKeys,
  row: Pick<Mechanism, 'section' | 'keySize' | 'standing'> & { readonly name?: string },
): Mechanism => ({
  ...row,
  ...numbered(row.name ?? `${keys.name}_KEY_GEN`),
  keyTypes: [CKK[keys.name]],
  ...(typeof keys.length === 'number' && { supplies: [CKA.VALUE_LEN] }),
  generateKey: (make) => generated(keys, make),
})
