/** pkcs11js, the C_ functions as they are, on a token. usage: pkcs11js.mjs MODULE PIN */
import assert from 'node:assert/strict'
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto'
import p11 from 'pkcs11js'
import { runChecks } from './checks.mjs'

const [, , path, pin] = process.argv
const MESSAGE = Buffer.from('signed through pkcs11js')
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
/** pkcs11js has no name for it. */
const CKZ_DATA_SPECIFIED = 1
/** A SubjectPublicKeyInfo on P-256 up to its point. */
const P256_INFO = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')

const module = new p11.PKCS11()
module.load(path)
module.C_Initialize({ flags: p11.CKF_OS_LOCKING_OK })
const [slot] = module.C_GetSlotList(true)
const session = module.C_OpenSession(slot, p11.CKF_RW_SESSION | p11.CKF_SERIAL_SESSION)

const template = (values) =>
  Object.entries(values).map(([name, value]) => ({ type: p11[`CKA_${name}`], value }))
const mechanismOf = (name, parameter) => ({ mechanism: p11[`CKM_${name}`], parameter })

const attributeOf = (object, name) =>
  module.C_GetAttributeValue(session, object, [{ type: p11[`CKA_${name}`] }])[0].value

function find(values) {
  module.C_FindObjectsInit(session, template(values))
  const found = module.C_FindObjects(session, 100)
  module.C_FindObjectsFinal(session)
  return found
}

function signWith(mechanism, key, message = MESSAGE) {
  module.C_SignInit(session, mechanism, key)
  return module.C_Sign(session, message, Buffer.alloc(512))
}

const rsaPair = () =>
  module.C_GenerateKeyPairAsync(
    session,
    mechanismOf('RSA_PKCS_KEY_PAIR_GEN'),
    template({ MODULUS_BITS: 2048, PUBLIC_EXPONENT: Buffer.of(1, 0, 1), LABEL: 'rsa' }),
    template({ LABEL: 'rsa', SIGN: true, DECRYPT: true }),
  )

const ecPair = (derive) =>
  module.C_GenerateKeyPair(
    session,
    mechanismOf('EC_KEY_PAIR_GEN'),
    template({ EC_PARAMS: P256 }),
    template({ DERIVE: derive }),
  )

const aesKey = (values = {}) =>
  module.C_GenerateKey(
    session,
    mechanismOf('AES_KEY_GEN'),
    template({ VALUE_LEN: 32, LABEL: 'aes', ...values }),
  )

/** The uncompressed point, out of its OCTET STRING. */
const pointOf = (publicKey) => attributeOf(publicKey, 'EC_POINT').subarray(2)

let rsa

await runChecks({
  'it tells about the module, the slot and the token': () => {
    assert.ok(module.C_GetInfo().manufacturerID)
    assert.ok(module.C_GetSlotInfo(slot).flags & p11.CKF_TOKEN_PRESENT)
    assert.equal(module.C_GetTokenInfo(slot).label.trim(), 'test')
    for (const mechanism of module.C_GetMechanismList(slot))
      module.C_GetMechanismInfo(slot, mechanism)
  },
  'a wrong PIN is CKR_PIN_INCORRECT': () =>
    assert.throws(() => module.C_Login(session, p11.CKU_USER, 'wrong'), {
      code: p11.CKR_PIN_INCORRECT,
    }),
  'it logs in': () => module.C_Login(session, p11.CKU_USER, pin),
  'it generates RSA keys in a thread': async () => {
    rsa = await rsaPair()
    assert.equal(attributeOf(rsa.publicKey, 'MODULUS').length, 256)
    assert.throws(() => attributeOf(rsa.privateKey, 'PRIVATE_EXPONENT'), {
      code: p11.CKR_ATTRIBUTE_SENSITIVE,
    })
  },
  'it finds them': () => {
    assert.deepEqual(find({ CLASS: p11.CKO_PRIVATE_KEY, LABEL: 'rsa' }), [rsa.privateKey])
    assert.equal(find({ LABEL: 'rsa' }).length, 2)
  },
  'Node verifies its RSA signatures': () => {
    const jwk = {
      kty: 'RSA',
      n: attributeOf(rsa.publicKey, 'MODULUS').toString('base64url'),
      e: 'AQAB',
    }
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    assert.ok(
      verify('sha256', MESSAGE, key, signWith(mechanismOf('SHA256_RSA_PKCS'), rsa.privateKey)),
    )
    const pss = {
      type: p11.CK_PARAMS_RSA_PSS,
      hashAlg: p11.CKM_SHA256,
      mgf: p11.CKG_MGF1_SHA256,
      saltLen: 32,
    }
    const signature = signWith(mechanismOf('SHA256_RSA_PKCS_PSS', pss), rsa.privateKey)
    assert.ok(verify('sha256', MESSAGE, { key, padding: 6, saltLength: 32 }, signature))
  },
  'it verifies, and refuses another message': () => {
    const signature = signWith(mechanismOf('SHA256_RSA_PKCS'), rsa.privateKey)
    module.C_VerifyInit(session, mechanismOf('SHA256_RSA_PKCS'), rsa.publicKey)
    module.C_VerifyUpdate(session, MESSAGE)
    assert.ok(module.C_VerifyFinal(session, signature))
    module.C_VerifyInit(session, mechanismOf('SHA256_RSA_PKCS'), rsa.publicKey)
    assert.throws(() => module.C_Verify(session, Buffer.from('another'), signature), {
      code: p11.CKR_SIGNATURE_INVALID,
    })
  },
  'it encrypts with RSA-OAEP': () => {
    const oaep = {
      type: p11.CK_PARAMS_RSA_OAEP,
      hashAlg: p11.CKM_SHA256,
      mgf: p11.CKG_MGF1_SHA256,
      source: CKZ_DATA_SPECIFIED,
    }
    module.C_EncryptInit(session, mechanismOf('RSA_PKCS_OAEP', oaep), rsa.publicKey)
    const encrypted = module.C_Encrypt(session, MESSAGE, Buffer.alloc(256))
    module.C_DecryptInit(session, mechanismOf('RSA_PKCS_OAEP', oaep), rsa.privateKey)
    assert.deepEqual(module.C_Decrypt(session, encrypted, Buffer.alloc(256)), MESSAGE)
  },
  'Node verifies its ECDSA signatures': () => {
    const { publicKey, privateKey } = ecPair(false)
    const info = Buffer.concat([P256_INFO, pointOf(publicKey)])
    const key = createPublicKey({ key: info, format: 'der', type: 'spki' })
    const signature = signWith(mechanismOf('ECDSA_SHA256'), privateKey)
    assert.ok(verify('sha256', MESSAGE, { key, dsaEncoding: 'ieee-p1363' }, signature))
  },
  'both sides of ECDH agree': () => {
    const [one, other] = [ecPair(true), ecPair(true)]
    const secret = (own, peer) => {
      const parameter = {
        type: p11.CK_PARAMS_EC_DH,
        kdf: p11.CKD_NULL,
        publicData: pointOf(peer),
      }
      const values = { CLASS: p11.CKO_SECRET_KEY, KEY_TYPE: p11.CKK_GENERIC_SECRET, VALUE_LEN: 32 }
      const derived = module.C_DeriveKey(
        session,
        mechanismOf('ECDH1_DERIVE', parameter),
        own,
        template({ ...values, SENSITIVE: false, EXTRACTABLE: true }),
      )
      return attributeOf(derived, 'VALUE')
    }
    assert.deepEqual(
      secret(one.privateKey, other.publicKey),
      secret(other.privateKey, one.publicKey),
    )
  },
  'it encrypts with AES in parts and at once': () => {
    const key = aesKey()
    const cbc = mechanismOf('AES_CBC_PAD', Buffer.alloc(16))
    module.C_EncryptInit(session, cbc, key)
    const encrypted = Buffer.concat([
      module.C_EncryptUpdate(session, MESSAGE.subarray(0, 17), Buffer.alloc(64)),
      module.C_EncryptUpdate(session, MESSAGE.subarray(17), Buffer.alloc(64)),
      module.C_EncryptFinal(session, Buffer.alloc(64)),
    ])
    module.C_DecryptInit(session, cbc, key)
    assert.deepEqual(module.C_Decrypt(session, encrypted, Buffer.alloc(64)), MESSAGE)
  },
  'it encrypts with AES-GCM in a thread': async () => {
    const key = aesKey()
    const parameter = {
      type: p11.CK_PARAMS_AES_GCM,
      iv: Buffer.alloc(12),
      aad: Buffer.from('header'),
      ivBits: 96,
      tagBits: 128,
    }
    module.C_EncryptInit(session, mechanismOf('AES_GCM', parameter), key)
    const encrypted = await module.C_EncryptAsync(session, MESSAGE, Buffer.alloc(64))
    assert.equal(encrypted.length, MESSAGE.length + 16)
    module.C_DecryptInit(session, mechanismOf('AES_GCM', parameter), key)
    assert.deepEqual(await module.C_DecryptAsync(session, encrypted, Buffer.alloc(64)), MESSAGE)
  },
  'it wraps and unwraps': () => {
    const [wrapping, wrapped] = [
      aesKey({ WRAP: true, UNWRAP: true }),
      aesKey({ EXTRACTABLE: true }),
    ]
    const mechanism = mechanismOf('AES_KEY_WRAP')
    const bytes = module.C_WrapKey(session, mechanism, wrapping, wrapped, Buffer.alloc(64))
    assert.equal(bytes.length, 40)
    const values = { CLASS: p11.CKO_SECRET_KEY, KEY_TYPE: p11.CKK_AES, EXTRACTABLE: true }
    const again = module.C_UnwrapKey(session, mechanism, wrapping, bytes, template(values))
    assert.equal(attributeOf(again, 'VALUE_LEN').readBigUInt64LE(), 32n)
  },
  'its MACs and digests are those of Node': () => {
    const values = { CLASS: p11.CKO_SECRET_KEY, KEY_TYPE: p11.CKK_SHA256_HMAC }
    const key = module.C_CreateObject(session, template({ ...values, VALUE: MESSAGE }))
    const mac = createHmac('sha256', MESSAGE).update(MESSAGE).digest()
    assert.deepEqual(signWith(mechanismOf('SHA256_HMAC'), key), mac)
    module.C_DigestInit(session, mechanismOf('SHA512'))
    const digest = createHash('sha512').update(MESSAGE).digest()
    assert.deepEqual(module.C_Digest(session, MESSAGE, Buffer.alloc(64)), digest)
  },
  'it copies, changes and destroys objects': () => {
    const values = { CLASS: p11.CKO_DATA, LABEL: 'one', VALUE: MESSAGE, TOKEN: true }
    const one = module.C_CreateObject(session, template(values))
    const two = module.C_CopyObject(session, one, template({ LABEL: 'two' }))
    module.C_SetAttributeValue(session, one, template({ LABEL: 'first' }))
    assert.deepEqual(find({ LABEL: 'first' }), [one])
    assert.deepEqual(attributeOf(two, 'VALUE'), MESSAGE)
    for (const object of [one, two]) module.C_DestroyObject(session, object)
    assert.deepEqual(find({ CLASS: p11.CKO_DATA }), [])
  },
  'it makes random numbers': () =>
    assert.notDeepEqual(module.C_GenerateRandom(session, Buffer.alloc(32)), Buffer.alloc(32)),
  'a too small buffer is told and the operation goes on': () => {
    module.C_DigestInit(session, mechanismOf('SHA256'))
    assert.throws(() => module.C_Digest(session, MESSAGE, Buffer.alloc(8)), {
      code: p11.CKR_BUFFER_TOO_SMALL,
    })
    assert.equal(module.C_Digest(session, MESSAGE, Buffer.alloc(32)).length, 32)
  },
  'it logs out and ends': () => {
    module.C_Logout(session)
    module.C_CloseSession(session)
    module.C_Finalize()
    module.close()
  },
})
