/** The files of project Wycheproof about symmetric ciphers and their MACs, through the C_ functions. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CKK, CKM } from '../../src/standard/constants.ts'
import { answers } from '../in-process.ts'
import { CipherToken, type Given, type What } from './cipher-calls.ts'
import { hex, toHex } from './rows.ts'
import { everyCase, type WycheproofCase } from './wycheproof.ts'

interface CipherCase extends WycheproofCase {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

interface Sizes {
  readonly ivSize: number
  readonly tagSize: number
}

/** Return values that refuse a case. */
const refused =
  (...names: readonly Parameters<typeof answers>[0][]) =>
  (error: unknown) => {
    for (const name of names) {
      try {
        return answers(name)(error)
      } catch {
        // It was another one.
      }
    }
    throw error
  }

async function cipherCase(
  token: CipherToken,
  what: What,
  { msg, result, tcId }: CipherCase,
  encrypted: string,
): Promise<void> {
  const name = `case ${tcId}`
  if (result === 'invalid')
    return assert.rejects(
      token.decrypt(what, hex(encrypted)),
      refused('ENCRYPTED_DATA_INVALID', 'ENCRYPTED_DATA_LEN_RANGE', 'MECHANISM_PARAM_INVALID'),
      name,
    )
  assert.equal(toHex(await token.encrypt(what, hex(msg))), encrypted, name)
  assert.equal(toHex(await token.decrypt(what, hex(encrypted))), msg, name)
  assert.equal(toHex(await token.decrypt(what, hex(encrypted), 7)), msg, name)
}

/** A file of ciphers whose parameter follows from the case. */
const cipherFile = (
  file: string,
  { type, keyType }: { readonly type: number; readonly keyType: number },
  parameter: (one: CipherCase, group: Sizes) => Given,
) =>
  test(`Wycheproof: ${file}`, async (t: TestContext) => {
    const token = await CipherToken.open(t)
    await everyCase<Sizes, CipherCase>(t, file, (one, group) => {
      const what = { type, keyType, key: hex(one.key), parameter: parameter(one, group) }
      return cipherCase(token, what, one, one.ct + (one.tag ?? ''))
    })
  })

cipherFile('aes_cbc_pkcs5', { type: CKM.AES_CBC_PAD, keyType: CKK.AES }, ({ iv }) => hex(iv))

cipherFile('camellia_cbc_pkcs5', { type: CKM.CAMELLIA_CBC_PAD, keyType: CKK.CAMELLIA }, ({ iv }) =>
  hex(iv),
)

cipherFile('aes_gcm', { type: CKM.AES_GCM, keyType: CKK.AES }, ({ iv, aad }, { tagSize }) => ({
  iv: hex(iv),
  ivBits: iv.length * 4,
  aad: hex(aad),
  tagBits: tagSize,
}))

cipherFile('aes_ccm', { type: CKM.AES_CCM, keyType: CKK.AES }, ({ iv, aad, msg }, { tagSize }) => ({
  dataLen: msg.length / 2,
  nonce: hex(iv),
  aad: hex(aad),
  macLen: tagSize / 8,
}))

cipherFile(
  'chacha20_poly1305',
  { type: CKM.CHACHA20_POLY1305, keyType: CKK.CHACHA20 },
  ({ iv, aad }) => ({ nonce: hex(iv), nonceLen: iv.length * 4, aad: hex(aad) }),
)

test('Wycheproof: aes_xts', async (t) => {
  const token = await CipherToken.open(t)
  await everyCase<Sizes, CipherCase>(t, 'aes_xts', async (one) => {
    const key = hex(one.key)
    if (key.length === 48) return 'CKK_AES_XTS has keys of 32 and 64 bytes'
    // The sequence number is little-endian, so that zeros behind it make it 16 bytes.
    const parameter = Buffer.alloc(16)
    parameter.set(hex(one.iv))
    const what = { type: CKM.AES_XTS, keyType: CKK.AES_XTS, key, parameter }
    return cipherCase(token, what, one, one.ct)
  })
})

test('Wycheproof: aria_gcm is for a mode that no mechanism has', (t) =>
  everyCase(t, 'aria_gcm', () => 'PKCS #11 has no CKM_ARIA_GCM'))

interface MacCase extends WycheproofCase {
  readonly key: string
  readonly iv: string
  readonly msg: string
  readonly tag: string
}

async function macCase(token: CipherToken, what: What, one: MacCase): Promise<void> {
  const [message, tag, name] = [hex(one.msg), hex(one.tag), `case ${one.tcId}`]
  const verification = () => token.verify(what, message, tag)
  if (one.result === 'invalid')
    return assert.rejects(verification, answers('SIGNATURE_INVALID'), name)
  assert.equal(toHex(await token.sign(what, message)), one.tag, name)
  assert.equal(toHex(await token.sign(what, message, 5)), one.tag, name)
  await verification()
}

test('Wycheproof: aes_cmac', async (t) => {
  const token = await CipherToken.open(t)
  await everyCase<Sizes, MacCase>(t, 'aes_cmac', async (one) => {
    const what = { type: CKM.AES_CMAC, keyType: CKK.AES, key: hex(one.key) }
    if (one.flags.includes('InvalidKeySize'))
      return assert.rejects(token.sign(what, hex(one.msg)), answers('ATTRIBUTE_VALUE_INVALID'))
    return macCase(token, what, one)
  })
})

test('Wycheproof: aes_gmac', async (t) => {
  const token = await CipherToken.open(t)
  await everyCase<Sizes, MacCase>(t, 'aes_gmac', (one, { ivSize, tagSize }) => {
    const parameter = { iv: hex(one.iv), ivBits: ivSize, aad: hex(''), tagBits: tagSize }
    const what = { type: CKM.AES_GMAC, keyType: CKK.AES, key: hex(one.key), parameter }
    return macCase(token, what, one)
  })
})

/** Data of these cases have a length that KW does not wrap. */
const UNWRAPPABLE = ['EmptyKey', 'ShortKey', 'WrongDataSize']

for (const [file, type] of [
  ['aes_wrap', CKM.AES_KEY_WRAP],
  ['aes_kwp', CKM.AES_KEY_WRAP_KWP],
] as const)
  test(`Wycheproof: ${file}`, async (t) => {
    const token = await CipherToken.open(t)
    await everyCase<Sizes, CipherCase>(t, file, async (one) => {
      const what = { type, keyType: CKK.AES, key: hex(one.key) }
      const name = `case ${one.tcId}`
      if (one.flags.some((flag) => UNWRAPPABLE.includes(flag)))
        await assert.rejects(token.encrypt(what, hex(one.msg)), answers('DATA_LEN_RANGE'), name)
      if (one.result !== 'valid')
        return assert.rejects(
          token.decrypt(what, hex(one.ct)),
          refused('ENCRYPTED_DATA_INVALID', 'ENCRYPTED_DATA_LEN_RANGE'),
          name,
        )
      assert.equal(toHex(await token.encrypt(what, hex(one.msg))), one.ct, name)
      assert.equal(toHex(await token.decrypt(what, hex(one.ct))), one.msg, name)
    })
  })
