/** Vectors of MACs: C_Sign and C_Verify, whole and in parts. */
import assert from 'node:assert/strict'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKK } from '../../src/standard/constants.ts'
import { hex, ulong } from '../mechanisms/rows.ts'
import { mechanism, refused, secretKey } from './vector-token.ts'
import { type VectorCase, type VectorFile, type VectorRow, vectorFile } from './wycheproof.ts'

interface MacCase extends VectorCase {
  readonly key: string
  readonly msg: string
  readonly tag: string
  readonly iv?: string
}

/** Sizes in bits. */
interface MacGroup {
  readonly ivSize?: number
  readonly tagSize: number
}

interface MacFile extends Pick<VectorRow<MacGroup, MacCase>, 'file' | 'mechanisms'> {
  readonly keyType: number
  /** The mechanisms that make a case's MAC. */
  readonly how: (one: MacCase, group: MacGroup) => readonly MechanismArgument[]
}

const macFile = ({ file, mechanisms, keyType, how }: MacFile): VectorFile =>
  vectorFile<MacGroup, MacCase>({
    file,
    mechanisms,
    check: async (token, one, group) => {
      const [message, tag] = [hex(one.msg), hex(one.tag)]
      const named = secretKey(keyType, hex(one.key))
      if (one.flags?.includes('InvalidKeySize')) {
        await refused(token.key(named), 'ATTRIBUTE_VALUE_INVALID')
        return undefined
      }
      const key = await token.key(named)
      for (const each of how(one, group)) {
        const verifications = [
          () => token.verify(each, key, message, tag),
          () => token.verifyInParts(each, key, message, tag),
        ]
        for (const verification of verifications)
          if (one.result === 'invalid') await refused(verification(), 'SIGNATURE_INVALID')
          else await verification()
        if (one.result === 'invalid') continue
        assert.equal(await token.sign(each, key, message), one.tag)
        assert.equal(await token.signInParts(each, key, message), one.tag)
      }
      return undefined
    },
  })

/** HMAC whose tag is as long as the parameter says; where it is whole, by both mechanisms. */
const hmacFile = (file: string, hash: 'SHA_1' | 'SHA256', bits: number): VectorFile =>
  macFile({
    file,
    mechanisms: [`${hash}_HMAC`, `${hash}_HMAC_GENERAL`],
    keyType: CKK.GENERIC_SECRET,
    how: (_, { tagSize }) => [
      mechanism(`${hash}_HMAC_GENERAL`, ulong(tagSize / 8)),
      ...(tagSize === bits ? [mechanism(`${hash}_HMAC`)] : []),
    ],
  })

export const macs: readonly VectorFile[] = [
  hmacFile('hmac_sha1', 'SHA_1', 160),
  hmacFile('hmac_sha256', 'SHA256', 256),
  macFile({
    file: 'aes_cmac',
    mechanisms: ['AES_CMAC', 'AES_CMAC_GENERAL'],
    keyType: CKK.AES,
    how: (_, { tagSize }) => [
      mechanism('AES_CMAC'),
      mechanism('AES_CMAC_GENERAL', ulong(tagSize / 8)),
    ],
  }),
  macFile({
    file: 'aes_gmac',
    mechanisms: ['AES_GMAC'],
    keyType: CKK.AES,
    how: ({ iv = '' }, { ivSize = 0, tagSize }) => [
      mechanism('AES_GMAC', { iv: hex(iv), ivBits: ivSize, aad: hex(''), tagBits: tagSize }),
    ],
  }),
]
