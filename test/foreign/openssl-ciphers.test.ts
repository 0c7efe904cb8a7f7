/** What a token encrypts the openssl command decrypts, and the other way round; their MACs are the same. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { type CipherCCMTypes, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { CKK, CKM } from '../../src/standard/constants.ts'
import { CipherToken, type What } from '../mechanisms/cipher-calls.ts'
import { toHex, ulong } from '../mechanisms/rows.ts'

const PROVIDERS = ['-provider', 'default', '-provider', 'legacy']

/** Sets the lowest bit of each byte so that DES takes it. */
const withParity = (key: Uint8Array): Buffer =>
  Buffer.from(
    key.map((byte) => {
      const ones = (byte >> 1).toString(2).replaceAll('0', '').length
      return (byte & 0xfe) | ((ones + 1) % 2)
    }),
  )

interface Peer {
  readonly type: number
  readonly keyType: number
  /** Bytes of the key. */
  readonly key: number
  /** Bytes of the IV; none where the cipher has none. */
  readonly iv: number
  /** The name of the cipher in `openssl enc`. */
  readonly name: string
  readonly parameter?: (iv: Uint8Array) => What['parameter']
}

const peer = (
  name: string,
  [type, keyType]: readonly [number, number],
  key: number,
  iv: number,
  parameter?: Peer['parameter'],
): Peer => ({ name, type, keyType, key, iv, ...(parameter && { parameter }) })

const counter = (cb: Uint8Array) => ({ counterBits: 64, cb })

const ciphers: readonly Peer[] = [
  ...[16, 24, 32].flatMap((key) => {
    const aes = `aes-${key * 8}`
    return [
      peer(`${aes}-ecb`, [CKM.AES_ECB, CKK.AES], key, 0),
      peer(`${aes}-cbc`, [CKM.AES_CBC, CKK.AES], key, 16),
      peer(`${aes}-cbc`, [CKM.AES_CBC_PAD, CKK.AES], key, 16),
      peer(`${aes}-ctr`, [CKM.AES_CTR, CKK.AES], key, 16, counter),
      peer(`${aes}-ofb`, [CKM.AES_OFB, CKK.AES], key, 16),
      peer(`${aes}-cfb`, [CKM.AES_CFB128, CKK.AES], key, 16),
      peer(`${aes}-cfb8`, [CKM.AES_CFB8, CKK.AES], key, 16),
      peer(`${aes}-cfb1`, [CKM.AES_CFB1, CKK.AES], key, 16),
      peer(`camellia-${key * 8}-cbc`, [CKM.CAMELLIA_CBC_PAD, CKK.CAMELLIA], key, 16),
      peer(`camellia-${key * 8}-ctr`, [CKM.CAMELLIA_CTR, CKK.CAMELLIA], key, 16, counter),
      peer(`aria-${key * 8}-cbc`, [CKM.ARIA_CBC, CKK.ARIA], key, 16),
      peer(`aria-${key * 8}-ecb`, [CKM.ARIA_ECB, CKK.ARIA], key, 0),
    ]
  }),
  peer('seed-cbc', [CKM.SEED_CBC_PAD, CKK.SEED], 16, 16),
  peer('des-ede3-cbc', [CKM.DES3_CBC_PAD, CKK.DES3], 24, 8),
  peer('des-ede3', [CKM.DES3_ECB, CKK.DES3], 24, 0),
  peer('des-ede-cbc', [CKM.DES3_CBC, CKK.DES2], 16, 8),
  peer('des-ede3-ofb', [CKM.DES_OFB64, CKK.DES3], 24, 8),
  peer('des-ede-cfb', [CKM.DES_CFB64, CKK.DES2], 16, 8),
  peer('des-ede3-cfb8', [CKM.DES_CFB8, CKK.DES3], 24, 8),
  peer('des-cbc', [CKM.DES_CBC_PAD, CKK.DES], 8, 8),
  // No IDEA: distributions build openssl without it.
  peer('cast5-cbc', [CKM.CAST128_CBC_PAD, CKK.CAST128], 16, 8),
  peer('bf-cbc', [CKM.BLOWFISH_CBC_PAD, CKK.BLOWFISH], 16, 8),
  peer('rc2-cbc', [CKM.RC2_CBC_PAD, CKK.RC2], 16, 8, (iv) => ({ effectiveBits: 128, iv })),
  peer('rc4', [CKM.RC4, CKK.RC4], 16, 0),
  peer('chacha20', [CKM.CHACHA20, CKK.CHACHA20], 32, 16, (iv) => ({
    blockCounter: iv.subarray(0, 8),
    blockCounterBits: 64,
    nonce: iv.subarray(8),
    nonceBits: 64,
  })),
]

const PADDED: ReadonlySet<number> = new Set([
  CKM.AES_CBC_PAD,
  CKM.CAMELLIA_CBC_PAD,
  CKM.SEED_CBC_PAD,
  CKM.DES3_CBC_PAD,
  CKM.DES_CBC_PAD,
  CKM.CAST128_CBC_PAD,
  CKM.BLOWFISH_CBC_PAD,
  CKM.RC2_CBC_PAD,
])

const DES_KEYS: ReadonlySet<number> = new Set([CKK.DES, CKK.DES2, CKK.DES3])

test('what a token encrypts openssl decrypts, and the other way round', async (t) => {
  const token = await CipherToken.open(t)
  for (const { name, type, keyType, key: keyLength, iv: ivLength, parameter } of ciphers) {
    const key = DES_KEYS.has(keyType) ? withParity(randomBytes(keyLength)) : randomBytes(keyLength)
    const iv = randomBytes(ivLength)
    const plain = randomBytes(PADDED.has(type) ? 1001 : 1008)
    const openssl = (direction: '-e' | '-d', input: Uint8Array) =>
      execFileSync(
        'openssl',
        [
          ...['enc', `-${name}`, direction, '-K', toHex(key), ...PROVIDERS],
          ...(ivLength > 0 ? ['-iv', toHex(iv)] : []),
          ...(PADDED.has(type) ? [] : ['-nopad']),
        ],
        { input, stdio: ['pipe', 'pipe', 'pipe'] },
      )
    const what = { type, keyType, key, parameter: parameter?.(iv) ?? (ivLength > 0 ? iv : null) }
    const given = type === CKM.RC4 ? { ...what, parameter: null } : what
    const encrypted = await token.encrypt(given, plain)
    assert.deepEqual(openssl('-d', encrypted), plain, `${name}: openssl decrypts`)
    const theirs = openssl('-e', plain)
    assert.deepEqual(Buffer.from(await token.decrypt(given, theirs)), plain, `${name}: we decrypt`)
  }
  t.diagnostic(`${ciphers.length} ciphers, both ways`)
})

test('MACs are those of openssl', async (t) => {
  const token = await CipherToken.open(t)
  const message = randomBytes(1001)
  const opensslMac = (key: Uint8Array, cipher: string, ...more: string[]) =>
    execFileSync(
      'openssl',
      ['mac', '-cipher', cipher, '-macopt', `hexkey:${toHex(key)}`, ...more],
      { input: message },
    )
      .toString()
      .trim()
      .toLowerCase()
  const [aes, triple] = [randomBytes(24), withParity(randomBytes(24))]
  const double = withParity(randomBytes(16))
  assert.equal(
    toHex(await token.sign({ type: CKM.AES_CMAC, keyType: CKK.AES, key: aes }, message)),
    opensslMac(aes, 'AES-192-CBC', 'CMAC'),
  )
  assert.equal(
    toHex(await token.sign({ type: CKM.DES3_CMAC, keyType: CKK.DES3, key: triple }, message)),
    opensslMac(triple, 'DES-EDE3-CBC', 'CMAC'),
  )
  assert.equal(
    toHex(await token.sign({ type: CKM.DES3_CMAC, keyType: CKK.DES2, key: double }, message)),
    opensslMac(Buffer.concat([double, double.subarray(0, 8)]), 'DES-EDE3-CBC', 'CMAC'),
  )
  const iv = randomBytes(12)
  const parameter = { iv, ivBits: 96, aad: Buffer.alloc(0), tagBits: 128 }
  assert.equal(
    toHex(await token.sign({ type: CKM.AES_GMAC, keyType: CKK.AES, key: aes, parameter }, message)),
    opensslMac(aes, 'AES-192-GCM', '-macopt', `hexiv:${toHex(iv)}`, 'GMAC'),
  )
})

/** CBC-MAC is the last block of CBC over a message filled up with zeros. */
test('CBC-MACs are the last block that openssl makes', async (t) => {
  const token = await CipherToken.open(t)
  const macs = [
    [CKM.AES_MAC_GENERAL, CKK.AES, 32, 16, 'aes-256-cbc'],
    [CKM.CAMELLIA_MAC_GENERAL, CKK.CAMELLIA, 16, 16, 'camellia-128-cbc'],
    [CKM.ARIA_MAC_GENERAL, CKK.ARIA, 24, 16, 'aria-192-cbc'],
    [CKM.SEED_MAC_GENERAL, CKK.SEED, 16, 16, 'seed-cbc'],
    [CKM.DES3_MAC_GENERAL, CKK.DES3, 24, 8, 'des-ede3-cbc'],
    [CKM.CAST128_MAC_GENERAL, CKK.CAST128, 16, 8, 'cast5-cbc'],
  ] as const
  for (const [type, keyType, keyLength, block, name] of macs) {
    const key = withParity(randomBytes(keyLength))
    for (const length of [1, block, 100]) {
      const message = randomBytes(length)
      const filled = Buffer.alloc(Math.ceil(length / block) * block)
      filled.set(message)
      const blocks = execFileSync(
        'openssl',
        [
          ...['enc', `-${name}`, '-K', toHex(key), '-iv', '00'.repeat(block), '-nopad'],
          ...PROVIDERS,
        ],
        { input: filled },
      )
      const what = { type, keyType, key, parameter: ulong(block) }
      assert.equal(toHex(await token.sign(what, message)), toHex(blocks.subarray(-block)), name)
    }
  }
})

test('authenticated ciphers are those of Node, both ways', async (t) => {
  const token = await CipherToken.open(t)
  for (const [name, type, keyType, tagLength] of [
    ['aes-192-ccm', CKM.AES_CCM, CKK.AES, 10],
    ['chacha20-poly1305', CKM.CHACHA20_POLY1305, CKK.CHACHA20, 16],
  ] as const) {
    const [key, nonce, aad] = [
      randomBytes(name.startsWith('aes') ? 24 : 32),
      randomBytes(12),
      randomBytes(33),
    ]
    const plain = randomBytes(1001)
    const parameter =
      type === CKM.AES_CCM
        ? { dataLen: plain.length, nonce, aad, macLen: tagLength }
        : { nonce, nonceLen: nonce.length, aad }
    const what = { type, keyType, key, parameter }
    const options = { authTagLength: tagLength }
    const told = { plaintextLength: plain.length }

    const cipher = createCipheriv(name as CipherCCMTypes, key, nonce, options).setAAD(aad, told)
    const theirs = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    assert.equal(toHex(await token.encrypt(what, plain)), toHex(theirs))
    assert.deepEqual(Buffer.from(await token.decrypt(what, theirs)), plain)

    const ours = await token.encrypt(what, plain)
    const decipher = createDecipheriv(name as CipherCCMTypes, key, nonce, options)
    decipher.setAuthTag(ours.subarray(plain.length)).setAAD(aad, told)
    const back = decipher.update(ours.subarray(0, plain.length))
    decipher.final()
    assert.deepEqual(back, plain)
  }
})
