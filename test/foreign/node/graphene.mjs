/** Graphene, objects over pkcs11js, on a token. usage: graphene.mjs MODULE PIN */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import graphene from 'graphene-pk11'
import { runChecks } from './checks.mjs'

const { KeyGenMechanism, KeyType, MechanismEnum, NamedCurve, ObjectClass, SessionFlag, UserType } =
  graphene
const [, , path, pin] = process.argv
const MESSAGE = Buffer.from('signed through Graphene')

const module = graphene.Module.load(path, 'Softoki')
module.initialize()
const slot = module.getSlots(0, true)
const session = slot.open(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)

const generateRsa = () =>
  session.generateKeyPair(
    KeyGenMechanism.RSA,
    {
      keyType: KeyType.RSA,
      modulusBits: 2048,
      publicExponent: Buffer.of(1, 0, 1),
      token: true,
      label: 'graphene',
      verify: true,
      encrypt: true,
      wrap: true,
    },
    {
      keyType: KeyType.RSA,
      token: true,
      label: 'graphene',
      sign: true,
      decrypt: true,
      unwrap: true,
    },
  )

const generateEc = () =>
  session.generateKeyPair(
    KeyGenMechanism.EC,
    { keyType: KeyType.EC, paramsEC: NamedCurve.getByName('secp256r1').value, verify: true },
    { keyType: KeyType.EC, sign: true, derive: true },
  )

const generateAes = (template = {}) =>
  session.generateKey(KeyGenMechanism.AES, {
    keyType: KeyType.AES,
    valueLen: 32,
    encrypt: true,
    decrypt: true,
    ...template,
  })

function signs(mechanism, { publicKey, privateKey }) {
  const signature = session.createSign(mechanism, privateKey).once(MESSAGE)
  const verifies = (message) => session.createVerify(mechanism, publicKey).once(message, signature)
  assert.ok(verifies(MESSAGE))
  assert.ok(!verifies(Buffer.from('another')))
}

function encrypts(mechanism, encrypting, decrypting) {
  const encrypted = session.createCipher(mechanism, encrypting).once(MESSAGE, Buffer.alloc(512))
  const plain = session.createDecipher(mechanism, decrypting).once(encrypted, Buffer.alloc(512))
  assert.deepEqual(plain, MESSAGE)
}

let rsa

await runChecks({
  'it tells about slots, tokens and mechanisms': () => {
    assert.equal(slot.getToken().label.trim(), 'test')
    const mechanisms = slot.getMechanisms()
    assert.ok(mechanisms.length > 0)
    for (let i = 0; i < mechanisms.length; i++) assert.ok(mechanisms.items(i).maxKeySize >= 0)
  },
  'it logs in': () => session.login(pin, UserType.USER),
  'it generates RSA keys and finds them': () => {
    rsa = generateRsa()
    const found = session.find({ class: ObjectClass.PRIVATE_KEY, label: 'graphene' })
    assert.equal(found.length, 1)
    assert.equal(found.items(0).toType().type, KeyType.RSA)
    assert.equal(rsa.publicKey.getAttribute({ modulusBits: null }).modulusBits, 2048)
  },
  'it signs with RSA': () => {
    signs({ name: 'SHA256_RSA_PKCS' }, rsa)
    const pss = new graphene.RsaPssParams(MechanismEnum.SHA256, graphene.RsaMgf.MGF1_SHA256, 32)
    signs({ name: 'SHA256_RSA_PKCS_PSS', params: pss }, rsa)
  },
  'it signs with ECDSA': () => signs({ name: 'ECDSA_SHA256' }, generateEc()),
  'it encrypts with RSA-OAEP and AES': () => {
    const oaep = new graphene.RsaOaepParams(MechanismEnum.SHA1, graphene.RsaMgf.MGF1_SHA1)
    encrypts({ name: 'RSA_PKCS_OAEP', params: oaep }, rsa.publicKey, rsa.privateKey)
    const key = generateAes()
    encrypts({ name: 'AES_CBC_PAD', params: Buffer.alloc(16) }, key, key)
    const gcm = new graphene.AesGcm240Params(Buffer.alloc(12), Buffer.from('header'), 128)
    encrypts({ name: 'AES_GCM', params: gcm }, key, key)
  },
  'it encrypts in parts': () => {
    const key = generateAes()
    const mechanism = { name: 'AES_CBC_PAD', params: Buffer.alloc(16) }
    const cipher = session.createCipher(mechanism, key)
    const encrypted = Buffer.concat([
      cipher.update(MESSAGE),
      cipher.update(MESSAGE),
      cipher.final(),
    ])
    const decipher = session.createDecipher(mechanism, key)
    const plain = Buffer.concat([decipher.update(encrypted), decipher.final()])
    assert.deepEqual(plain, Buffer.concat([MESSAGE, MESSAGE]))
  },
  'it wraps and unwraps': () => {
    const [wrapping, key] = [
      generateAes({ wrap: true, unwrap: true }),
      generateAes({ extractable: true }),
    ]
    const wrapped = session.wrapKey('AES_KEY_WRAP', wrapping, key)
    const template = { class: ObjectClass.SECRET_KEY, keyType: KeyType.AES, encrypt: true }
    const again = session.unwrapKey('AES_KEY_WRAP', wrapping, wrapped, template)
    assert.equal(again.toType().type, KeyType.AES)
  },
  'it derives with ECDH': () => {
    const [one, other] = [generateEc(), generateEc()]
    const { pointEC } = other.publicKey.getAttribute({ pointEC: null })
    const parameters = new graphene.EcdhParams(graphene.EcKdf.NULL, null, pointEC.subarray(2))
    const mechanism = { name: 'ECDH1_DERIVE', params: parameters }
    const template = { class: ObjectClass.SECRET_KEY, keyType: KeyType.AES, valueLen: 32 }
    const derived = session.deriveKey(mechanism, one.privateKey, { ...template, encrypt: true })
    assert.equal(derived.getAttribute({ valueLen: null }).valueLen, 32)
  },
  'its MACs and digests are those of Node': () => {
    const template = { class: ObjectClass.SECRET_KEY, keyType: KeyType.GENERIC_SECRET, sign: true }
    const key = session.create({ ...template, value: MESSAGE }).toType()
    const mac = session.createSign('SHA256_HMAC', key).once(MESSAGE)
    assert.deepEqual(mac, createHmac('sha256', MESSAGE).update(MESSAGE).digest())
    const digest = session.createDigest('SHA256')
    digest.update(MESSAGE)
    assert.deepEqual(digest.final(), createHash('sha256').update(MESSAGE).digest())
  },
  'it copies and destroys objects': () => {
    const template = { class: ObjectClass.DATA, label: 'one', value: MESSAGE, token: true }
    const copy = session.copy(session.create(template), { label: 'two' })
    assert.equal(copy.getAttribute({ label: null }).label, 'two')
    assert.equal(session.find({ class: ObjectClass.DATA }).length, 2)
    session.destroy({ class: ObjectClass.DATA })
    assert.equal(session.find({ class: ObjectClass.DATA }).length, 0)
    rsa.publicKey.destroy()
    rsa.privateKey.destroy()
  },
  'it logs out and ends': () => {
    session.logout()
    session.close()
    module.finalize()
  },
})
