/** Vectors of AES key wrap: C_Encrypt and C_Decrypt, and C_WrapKey and C_UnwrapKey of generic secrets. */
import assert from 'node:assert/strict'
import { CKK } from '../../src/standard/constants.ts'
import { hex } from '../mechanisms/rows.ts'
import { mechanism, refused, secretKey, type VectorToken } from './vector-token.ts'
import { type VectorCase, type VectorFile, type Verdict, vectorFile } from './wycheproof.ts'

interface WrapCase extends VectorCase {
  readonly key: string
  readonly msg: string
  readonly ct: string
}

/** Flags of data whose length KW does not wrap: it takes two semiblocks at least. */
const UNWRAPPABLE = ['EmptyKey', 'ShortKey', 'WrongDataSize']

const ONE_SEMIBLOCK = 'data of one semiblock are refused (SP 800-38F, 5.3.1)'

type How = ReturnType<typeof mechanism>

const secretOf = (token: VectorToken, value: string) =>
  token.key(secretKey(CKK.GENERIC_SECRET, hex(value)))

/** Hex digits of a semiblock. */
const SEMIBLOCK = 16

/** C_WrapKey fills a secret up with zeros; where two semiblocks come of it, there is what it wraps. */
async function wrappedFilled(token: VectorToken, how: How, key: number, value: string) {
  const wrap = async () => token.wrap(how, key, await secretOf(token, value))
  if (value.length <= SEMIBLOCK) return refused(wrap(), 'KEY_SIZE_RANGE')
  const filled = value.padEnd(Math.ceil(value.length / SEMIBLOCK) * SEMIBLOCK, '0')
  assert.equal(await token.unwrap(how, key, hex(await wrap()), CKK.GENERIC_SECRET), filled)
}

async function refusedBothWays(token: VectorToken, how: How, key: number, one: WrapCase) {
  if (one.flags?.some((flag) => UNWRAPPABLE.includes(flag))) {
    await refused(token.encrypt(how, key, hex(one.msg)), 'DATA_LEN_RANGE')
    // A secret of no bytes is no key.
    if (one.msg !== '') await wrappedFilled(token, how, key, one.msg)
  }
  await refused(
    token.decrypt(how, key, hex(one.ct)),
    'ENCRYPTED_DATA_INVALID',
    'ENCRYPTED_DATA_LEN_RANGE',
  )
  await refused(
    token.unwrap(how, key, hex(one.ct), CKK.GENERIC_SECRET),
    'WRAPPED_KEY_INVALID',
    'WRAPPED_KEY_LEN_RANGE',
  )
}

async function takenBothWays(token: VectorToken, how: How, key: number, one: WrapCase) {
  assert.equal(await token.encrypt(how, key, hex(one.msg)), one.ct)
  assert.equal(await token.encryptInParts(how, key, hex(one.msg)), one.ct)
  assert.equal(await token.decrypt(how, key, hex(one.ct)), one.msg)
  assert.equal(await token.decryptInParts(how, key, hex(one.ct)), one.msg)
  assert.equal(await token.wrap(how, key, await secretOf(token, one.msg)), one.ct)
  assert.equal(await token.unwrap(how, key, hex(one.ct), CKK.GENERIC_SECRET), one.msg)
}

const check =
  (name: 'AES_KEY_WRAP' | 'AES_KEY_WRAP_KWP') =>
  async (token: VectorToken, one: WrapCase): Promise<Verdict> => {
    const how = mechanism(name)
    const key = await token.key(secretKey(CKK.AES, hex(one.key)))
    if (one.result === 'valid') await takenBothWays(token, how, key, one)
    else await refusedBothWays(token, how, key, one)
    return one.result === 'acceptable' ? { decided: ONE_SEMIBLOCK } : undefined
  }

export const keyWraps: readonly VectorFile[] = [
  vectorFile({
    file: 'aes_wrap',
    mechanisms: ['AES_KEY_WRAP'],
    decided: [ONE_SEMIBLOCK],
    check: check('AES_KEY_WRAP'),
  }),
  vectorFile({
    file: 'aes_kwp',
    mechanisms: ['AES_KEY_WRAP_KWP'],
    check: check('AES_KEY_WRAP_KWP'),
  }),
]
