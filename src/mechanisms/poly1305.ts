/** Poly1305 (RFC 8439, 2.5). PKCS #11 3.2, 6.60. A key is for one message only. */

import { digestOf } from '../engine/digests.ts'
import { poly1305 as poly1305Of } from '../engine/macs.ts'
import { CKA, CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { signingWith } from './macs.ts'
import type { KeyType, Mechanism } from './mechanism.ts'
import { completeSecret, generateOfLength, secretValue } from './secret-keys.ts'

/** Bytes of a key, and of the MAC (6.60.3). */
const KEY = 32
const MAC = 16

const fits = (bytes: number) => bytes === KEY

/** 6.60 names no CKA_CHECK_VALUE: that of generic secrets, SHA-1 of the value (6.8.2). */
export const poly1305KeyType: KeyType = {
  type: CKK.POLY1305,
  name: 'POLY1305',
  complete: (_objectClass, attributes) =>
    completeSecret(attributes, fits, (value) => digestOf('sha1', value)),
}

function checkedValue(value: Uint8Array): Uint8Array {
  if (!fits(value.length))
    throw new CryptokiError(CKR.KEY_SIZE_RANGE, `a Poly1305 key has ${KEY} bytes`)
  return value
}

export const poly1305: readonly Mechanism[] = [
  {
    type: CKM.POLY1305_KEY_GEN,
    name: 'POLY1305_KEY_GEN',
    section: '6.60',
    keyTypes: [CKK.POLY1305],
    keySize: [KEY, KEY],
    supplies: [CKA.VALUE_LEN],
    generateKey: (make) => generateOfLength(make, KEY),
  },
  // The table at the head of 6.60 ticks encryption and wrapping; the text has C_Sign and C_Verify.
  {
    type: CKM.POLY1305,
    name: 'POLY1305',
    section: '6.60.3',
    keyTypes: [CKK.POLY1305],
    keySize: [KEY, KEY],
    ...signingWith(({ key }) => ({
      mac: poly1305Of(checkedValue(secretValue(key, [CKK.POLY1305]))),
      length: MAC,
    })),
  },
]
