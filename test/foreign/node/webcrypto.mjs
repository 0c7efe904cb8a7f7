/** WebCrypto by node-webcrypto-p11 on a token; Node's own WebCrypto is the other side. usage: webcrypto.mjs MODULE PIN */
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { Crypto } from 'node-webcrypto-p11'
import { runChecks } from './checks.mjs'

const [, , library, pin] = process.argv
const MESSAGE = Buffer.from('signed through WebCrypto')
const crypto = new Crypto({ library, name: 'Softoki', slot: 0, readWrite: true, pin })
const { subtle } = crypto

const RSA = {
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
  hash: 'SHA-256',
}

/** The token signs, and both it and Node verify with the public key. */
async function signs(algorithm, generation) {
  const { publicKey, privateKey } = await subtle.generateKey(generation, false, ['sign', 'verify'])
  const signature = await subtle.sign(algorithm, privateKey, MESSAGE)
  assert.ok(await subtle.verify(algorithm, publicKey, signature, MESSAGE))
  assert.ok(!(await subtle.verify(algorithm, publicKey, signature, Buffer.from('another'))))
  const exported = await subtle.exportKey('spki', publicKey)
  const key = await webcrypto.subtle.importKey('spki', exported, generation, true, ['verify'])
  assert.ok(await webcrypto.subtle.verify(algorithm, key, signature, MESSAGE))
}

/** Both decrypt what the other encrypted. */
async function encrypts(algorithm) {
  const raw = webcrypto.getRandomValues(new Uint8Array(32))
  const uses = ['encrypt', 'decrypt']
  const here = await subtle.importKey('raw', raw, algorithm, false, uses)
  const there = await webcrypto.subtle.importKey('raw', raw, algorithm, false, uses)
  const encrypted = await subtle.encrypt(algorithm, here, MESSAGE)
  const other = await webcrypto.subtle.encrypt(algorithm, there, MESSAGE)
  assert.deepEqual(Buffer.from(encrypted), Buffer.from(other))
  assert.deepEqual(Buffer.from(await subtle.decrypt(algorithm, here, other)), MESSAGE)
}

async function agrees() {
  const generation = { name: 'ECDH', namedCurve: 'P-256' }
  const own = await subtle.generateKey(generation, false, ['deriveBits'])
  const peer = await webcrypto.subtle.generateKey(generation, true, ['deriveBits'])
  const spki = await webcrypto.subtle.exportKey('spki', peer.publicKey)
  const theirs = await subtle.importKey('spki', spki, generation, true, [])
  const ours = await webcrypto.subtle.importKey(
    'spki',
    await subtle.exportKey('spki', own.publicKey),
    generation,
    true,
    [],
  )
  const here = await subtle.deriveBits({ name: 'ECDH', public: theirs }, own.privateKey, 256)
  const there = await webcrypto.subtle.deriveBits(
    { name: 'ECDH', public: ours },
    peer.privateKey,
    256,
  )
  assert.deepEqual(Buffer.from(here), Buffer.from(there))
}

await runChecks({
  'RSASSA-PKCS1-v1_5': () =>
    signs({ name: 'RSASSA-PKCS1-v1_5' }, { name: 'RSASSA-PKCS1-v1_5', ...RSA }),
  'RSA-PSS': () => signs({ name: 'RSA-PSS', saltLength: 32 }, { name: 'RSA-PSS', ...RSA }),
  'ECDSA, P-256': () =>
    signs({ name: 'ECDSA', hash: 'SHA-256' }, { name: 'ECDSA', namedCurve: 'P-256' }),
  'ECDSA, P-384': () =>
    signs({ name: 'ECDSA', hash: 'SHA-384' }, { name: 'ECDSA', namedCurve: 'P-384' }),
  ECDH: agrees,
  'RSA-OAEP': async () => {
    const uses = ['encrypt', 'decrypt']
    const { publicKey, privateKey } = await subtle.generateKey(
      { name: 'RSA-OAEP', ...RSA },
      false,
      uses,
    )
    const encrypted = await subtle.encrypt({ name: 'RSA-OAEP' }, publicKey, MESSAGE)
    assert.deepEqual(
      Buffer.from(await subtle.decrypt({ name: 'RSA-OAEP' }, privateKey, encrypted)),
      MESSAGE,
    )
  },
  'AES-GCM': () =>
    encrypts({
      name: 'AES-GCM',
      iv: Buffer.alloc(12, 1),
      additionalData: Buffer.from('header'),
      tagLength: 128,
    }),
  'AES-CBC': () => encrypts({ name: 'AES-CBC', iv: Buffer.alloc(16, 1) }),
  HMAC: async () => {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    const key = await subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const mac = await subtle.sign('HMAC', key, MESSAGE)
    assert.ok(await subtle.verify('HMAC', key, mac, MESSAGE))
    const raw = await subtle.exportKey('raw', key)
    const there = await webcrypto.subtle.importKey('raw', raw, algorithm, false, ['verify'])
    assert.ok(await webcrypto.subtle.verify('HMAC', there, mac, MESSAGE))
  },
  'wrapped keys': async () => {
    const wrapping = await subtle.generateKey({ name: 'AES-CBC', length: 256 }, false, [
      'wrapKey',
      'unwrapKey',
    ])
    const key = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['encrypt'])
    const cbc = { name: 'AES-CBC', iv: Buffer.alloc(16) }
    const wrapped = await subtle.wrapKey('raw', key, wrapping, cbc)
    const again = await subtle.unwrapKey('raw', wrapped, wrapping, cbc, 'AES-CBC', true, [
      'encrypt',
    ])
    assert.deepEqual(await subtle.exportKey('raw', again), await subtle.exportKey('raw', key))
  },
  digests: async () =>
    assert.deepEqual(
      await subtle.digest('SHA-512', MESSAGE),
      await webcrypto.subtle.digest('SHA-512', MESSAGE),
    ),
  'random numbers': () =>
    assert.notDeepEqual(crypto.getRandomValues(new Uint8Array(16)), new Uint8Array(16)),
  'stored keys': async () => {
    const generation = { name: 'ECDSA', namedCurve: 'P-256', token: true, label: 'stored' }
    const { privateKey } = await subtle.generateKey(generation, false, ['sign', 'verify'])
    const index = await crypto.keyStorage.setItem(privateKey)
    assert.ok((await crypto.keyStorage.keys()).includes(index))
    const found = await crypto.keyStorage.getItem(index)
    assert.ok(await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, found, MESSAGE))
    await crypto.keyStorage.clear()
    assert.deepEqual(await crypto.keyStorage.keys(), [])
  },
})
crypto.close()
