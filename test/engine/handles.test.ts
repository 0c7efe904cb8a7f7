import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isNativeError, type Native, native } from '../../src/engine/binding.ts'

const bytes = new Uint8Array(16)

/** The binding as somebody without types would call it. */
const untyped = () => native() as unknown as Record<keyof Native, (...values: unknown[]) => unknown>

const isArgumentError = (error: unknown) => {
  assert.ok(isNativeError(error, 'OPENSSL_ARGUMENT'), String((error as { code?: string }).code))
  return true
}

const cipher = () => native().cipher('AES-128-CBC', 'encrypt', bytes, bytes)
const gcm = () => native().cipher('AES-128-GCM', 'encrypt', bytes, new Uint8Array(12))
const mac = () => native().mac('HMAC', bytes, { digest: 'SHA256' })
const digest = () => native().digest('SHA256')

test('arguments of a wrong type are refused by what works in parts', () => {
  const n = untyped()
  const refused: (() => unknown)[] = [
    () => n.cipher(),
    () => n.cipher('AES-128-CBC', 'encrypt', bytes),
    () => n.cipher('AES-128-CBC', 'both', bytes, bytes),
    () => n.cipher('AES-128-CBC', 'encrypt', 'key', bytes),
    () => n.cipher('AES-128-CBC', 'encrypt', bytes, 'iv'),
    () => n.cipher('AES-128-CBC', 'encrypt', bytes, bytes, 'options'),
    () => n.cipher('AES-128-CBC', 'encrypt', bytes, bytes, { padding: 'none' }),
    () => n.cipher('AES-128-CBC', 'encrypt', bytes, bytes, { padding: [0, [1]] }),
    () => n.cipherUpdate(cipher()),
    () => n.cipherUpdate(mac(), bytes),
    () => n.cipherUpdate({}, bytes),
    () => n.cipherUpdate(cipher(), 'text'),
    () => n.cipherAad(cipher(), bytes),
    () => n.cipherLength(cipher(), 16),
    () => n.cipherLength(gcm(), 16),
    () => n.cipherTag(gcm(), 16),
    () => n.cipherFinal(digest()),
    () => n.cipherCopy(native().generate('ED25519', {})),
    () => n.digest(7),
    () => n.digestUpdate(cipher(), bytes),
    () => n.digestFinal(digest(), 16),
    () => n.digestFinal(digest(), 'long'),
    () => n.digestFinal(native().digest('SHAKE-256')),
    () => n.digestFinal(native().digest('SHAKE-256'), (1 << 20) + 1),
    () => n.digestFinal(native().digest('SHAKE-256'), 0),
    () => n.mac('HMAC'),
    () => n.mac('HMAC', 'key'),
    () => n.macUpdate(digest(), bytes),
    () => n.macFinal(cipher()),
    () => n.kdf('HKDF', {}),
    () => n.has('cipher'),
    () => n.has('colour', 'red'),
    () => n.encapsulate(bytes),
    () => n.decapsulate(native().generate('ML-KEM-512', {}), 'text'),
    () => n.generateParameters(mac(), {}),
    () => n.numberComponent(bytes, 'bits'),
    () => n.textComponent(native().generate('ED25519', {}), 5),
  ]
  for (const [at, call] of refused.entries())
    assert.throws(call, isArgumentError, `call ${at}: ${call}`)
})

test('what is finished takes nothing more', () => {
  const n = native()
  const [c, g, m, d] = [cipher(), gcm(), mac(), digest()]
  n.cipherFinal(c)
  n.cipherFinal(g)
  n.macFinal(m)
  n.digestFinal(d)
  const refused: (() => unknown)[] = [
    () => n.cipherUpdate(c, bytes),
    () => n.cipherFinal(c),
    () => n.cipherCopy(c),
    () => n.cipherAad(g, bytes),
    () => n.cipherOptions(g, {}),
    () => n.cipherTag(g, 0),
    () => n.cipherTag(g, 17),
    () => n.macUpdate(m, bytes),
    () => n.macFinal(m),
    () => n.macCopy(m),
    () => n.digestUpdate(d, bytes),
    () => n.digestFinal(d),
    () => n.digestCopy(d),
  ]
  for (const call of refused) assert.throws(call, isArgumentError, String(call))
  assert.equal(n.cipherTag(g, 12).length, 12)
  assert.throws(() => n.cipherTag(c, 16))
})

test('options that change what lengths mean are not there', () => {
  for (const options of [{ 'use-bits': 1 }, { 'tls-version': 0x303 }, { 'tls-mac-size': 20 }])
    assert.throws(
      () => native().cipher('AES-128-CFB1', 'encrypt', bytes, bytes, options),
      (error) => isNativeError(error, 'OPENSSL_OPTION'),
    )
  for (const name of ['AES-128-CBC-HMAC-SHA1', 'RC4-HMAC-MD5', 'AES-128-CFB17'])
    assert.throws(
      () => native().cipher(name, 'encrypt', bytes, bytes),
      (error) => isNativeError(error, 'OPENSSL_UNKNOWN'),
    )
})

test('the binding says which algorithms there are', () => {
  const there = [
    ['cipher', 'RC4'],
    ['cipher', 'ChaCha20'],
    ['mac', 'KMAC-128'],
    ['digest', 'MDC2'],
    ['kdf', 'KBKDF'],
    ['key', 'ML-KEM-768'],
    ['key', 'DHX'],
    ['signature', 'ED25519ph'],
    ['kem', 'ML-KEM-512'],
  ] as const
  for (const [kind, name] of there) assert.ok(native().has(kind, name), name)
  const missing = [
    ['cipher', 'RC5-CBC'],
    ['digest', 'MD2'],
    ['key', 'GOST'],
    ['mac', 'CBC-MAC'],
  ] as const
  for (const [kind, name] of missing) assert.ok(!native().has(kind, name), name)
})

test('handles that nobody holds any more are freed', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held: unknown[] = []
  /** How much the process grows while it makes 30,000 handles. */
  const growth = async (hold: boolean) => {
    const { rss } = process.memoryUsage()
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 1000; i++) {
        const made = [gcm(), mac(), digest()]
        if (hold) held.push(made)
      }
      collect()
      await setImmediate()
    }
    return process.memoryUsage().rss - rss
  }
  await growth(false)
  const freed = await growth(false)
  assert.ok(freed < (await growth(true)) / 2)
  assert.equal(held.length, 10_000)
})
