import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  classAndType,
  create,
  finish,
  type Given,
  type How,
  prepare,
} from '../../src/objects/interpreter.ts'
import type { Attributes } from '../../src/objects/object.ts'
import type { Attribute } from '../../src/standard/calls.ts'
import {
  CK_UNAVAILABLE_INFORMATION,
  CKA,
  CKC,
  CKK,
  CKM,
  CKO,
  CKR,
  CKT,
} from '../../src/standard/constants.ts'
import {
  aesTemplate,
  attributesOf,
  bytes,
  made,
  objectOf,
  openAes,
  refuses,
  rsaPrivateTemplate,
  rsaPublicTemplate,
  securityOfficer,
  templateOf,
  text,
  user,
  VALUE,
} from './templates.ts'

type Named = Parameters<typeof templateOf>[0]

const prepares =
  (how: How, template: Named, given: Given = {}, who = user) =>
  () =>
    prepare(how, templateOf(template), given, who)

const AES = { class: CKO.SECRET_KEY, keyType: CKK.AES }
const RSA_PUBLIC = { class: CKO.PUBLIC_KEY, keyType: CKK.RSA }
const RSA_PRIVATE = { class: CKO.PRIVATE_KEY, keyType: CKK.RSA }

const without = <T extends object>(template: T, name: keyof T): Named =>
  Object.fromEntries(Object.entries(template).filter(([key]) => key !== name)) as Named

/** Some attributes of an object, by name. */
const some = (attributes: Attributes, ...names: (keyof typeof CKA)[]) =>
  Object.fromEntries(names.map((name) => [name, attributes.get(CKA[name])]))

test('footnote 1: what C_CreateObject needs is CKR_TEMPLATE_INCOMPLETE where it is missing', () => {
  for (const name of ['MODULUS', 'PUBLIC_EXPONENT', 'PRIVATE_EXPONENT'] as const)
    refuses(CKR.TEMPLATE_INCOMPLETE, prepares('create', without(rsaPrivateTemplate, name)))
  assert.equal(made('create', rsaPrivateTemplate).attributes.has(CKA.PRIME_1), false)
})

test('footnote 2: what C_CreateObject must not be given is CKR_ATTRIBUTE_READ_ONLY', () => {
  for (const named of [{ VALUE_LEN: 16 }, { LOCAL: false }, { ALWAYS_SENSITIVE: true }])
    refuses(CKR.ATTRIBUTE_READ_ONLY, prepares('create', { ...aesTemplate, ...named }))
})

test('footnote 3: what key generation needs is CKR_TEMPLATE_INCOMPLETE where it is missing', () => {
  refuses(CKR.TEMPLATE_INCOMPLETE, prepares('generate', {}, AES))
  refuses(CKR.TEMPLATE_INCOMPLETE, prepares('generate', {}, RSA_PUBLIC))
  const { template } = prepares('generate', { MODULUS_BITS: 2048 }, RSA_PUBLIC)()
  assert.deepEqual(
    template,
    attributesOf({ MODULUS_BITS: 2048, CLASS: CKO.PUBLIC_KEY, KEY_TYPE: CKK.RSA }),
  )
})

test('footnote 3: a template may leave out what the mechanism supplies', () => {
  const prepared = prepares('generate', {}, { ...AES, supplies: [CKA.VALUE_LEN] })()
  const attributes = finish(prepared, attributesOf({ VALUE, VALUE_LEN: 16 }))
  assert.equal(attributes.get(CKA.VALUE_LEN), 16)
})

test('footnote 4: what key generation must not be given is CKR_ATTRIBUTE_READ_ONLY', () => {
  refuses(CKR.ATTRIBUTE_READ_ONLY, prepares('generate', { VALUE_LEN: 16, VALUE }, AES))
  refuses(CKR.ATTRIBUTE_READ_ONLY, prepares('generate', { PRIME_1: VALUE }, RSA_PRIVATE))
  refuses(CKR.ATTRIBUTE_READ_ONLY, prepares('generate', { LOCAL: true }, RSA_PRIVATE))
})

test('footnote 5: what unwrapping needs is CKR_TEMPLATE_INCOMPLETE where it is missing', () => {
  refuses(CKR.TEMPLATE_INCOMPLETE, prepares('unwrap', { CLASS: CKO.SECRET_KEY }))
  const gost = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GOST28147 }
  refuses(CKR.TEMPLATE_INCOMPLETE, prepares('unwrap', gost))
  prepares('unwrap', { ...gost, GOST28147_PARAMS: VALUE })()
  // Derivation has no such footnote, but the object needs the attribute from somewhere.
  refuses(CKR.TEMPLATE_INCOMPLETE, () =>
    finish(prepares('derive', gost)(), attributesOf({ VALUE })),
  )
})

test('footnote 6: what unwrapping, derivation and encapsulation must not be given is CKR_ATTRIBUTE_READ_ONLY', () => {
  for (const how of ['unwrap', 'derive', 'encapsulate'] as const) {
    refuses(CKR.ATTRIBUTE_READ_ONLY, prepares(how, aesTemplate))
    refuses(CKR.ATTRIBUTE_READ_ONLY, prepares(how, { NEVER_EXTRACTABLE: true }, AES))
    prepares(how, { VALUE_LEN: 16 }, AES)()
  }
})

test('footnote 9: a key takes the defaults of this token, a secret key CKA_SENSITIVE false as 4.11 says', () => {
  const aes = made('create', aesTemplate).attributes
  assert.deepEqual(
    some(aes, 'SENSITIVE', 'EXTRACTABLE', 'ENCRYPT', 'DECRYPT', 'SIGN', 'WRAP', 'UNWRAP', 'DERIVE'),
    {
      SENSITIVE: false,
      EXTRACTABLE: false,
      ENCRYPT: true,
      DECRYPT: true,
      SIGN: true,
      WRAP: false,
      UNWRAP: false,
      DERIVE: false,
    },
  )
  const generic = made('create', { ...aesTemplate, KEY_TYPE: CKK.GENERIC_SECRET }).attributes
  assert.deepEqual(some(generic, 'ENCRYPT', 'SIGN'), { ENCRYPT: false, SIGN: true })
  const kem = made(
    'generate',
    {},
    { class: CKO.PRIVATE_KEY, keyType: CKK.ML_KEM },
    { PARAMETER_SET: 1 },
  )
  assert.deepEqual(some(kem.attributes, 'DECAPSULATE', 'SIGN'), { DECAPSULATE: true, SIGN: false })
})

test('secret and private keys are private objects unless asked otherwise, others are public', () => {
  const isPrivate = (template: Named) => made('create', template).attributes.get(CKA.PRIVATE)
  assert.equal(isPrivate(aesTemplate), true)
  assert.equal(isPrivate(rsaPrivateTemplate), true)
  assert.equal(isPrivate({ ...aesTemplate, PRIVATE: false }), false)
  assert.equal(isPrivate(rsaPublicTemplate), false)
  assert.equal(isPrivate({ CLASS: CKO.DATA }), false)
})

test('a storage object has the defaults of the standard', () => {
  const { attributes } = made('create', { CLASS: CKO.DATA })
  assert.deepEqual(
    attributes,
    attributesOf({
      CLASS: CKO.DATA,
      TOKEN: false,
      PRIVATE: false,
      MODIFIABLE: true,
      LABEL: bytes(),
      COPYABLE: true,
      DESTROYABLE: true,
      APPLICATION: bytes(),
      OBJECT_ID: bytes(),
      VALUE: bytes(),
    }),
  )
})

test('footnote 10: only the security officer makes an object with CKA_TRUSTED', () => {
  const trusted = { ...rsaPublicTemplate, TRUSTED: true }
  refuses(CKR.ATTRIBUTE_READ_ONLY, prepares('create', trusted))
  prepares('create', { ...rsaPublicTemplate, TRUSTED: false })()
  const attributes = finish(prepares('create', trusted, {}, securityOfficer)())
  assert.equal(attributes.get(CKA.TRUSTED), true)
})

test('footnote 13: what the module generates comes from the mechanism and not from a template', () => {
  const crc = bytes(1, 2, 3, 4, 5, 6, 7, 8)
  const given = { MODULUS_BITS: 24, PUBLIC_CRC64_VALUE: crc }
  refuses(CKR.ATTRIBUTE_READ_ONLY, prepares('generate', given, RSA_PUBLIC))
  const values = { ...without(rsaPublicTemplate, 'CLASS'), PUBLIC_CRC64_VALUE: crc }
  const key = made('generate', { MODULUS_BITS: 24 }, RSA_PUBLIC, values)
  assert.deepEqual(key.attributes.get(CKA.PUBLIC_CRC64_VALUE), crc)
})

test('an attribute twice with one value counts once, with two values it is CKR_TEMPLATE_INCONSISTENT', () => {
  const twice = (value: Named) => [
    ...templateOf({ ...aesTemplate, SIGN: true }),
    ...templateOf(value),
  ]
  assert.equal(prepare('create', twice({ SIGN: true }), {}, user).template.get(CKA.SIGN), true)
  refuses(CKR.TEMPLATE_INCONSISTENT, () => prepare('create', twice({ SIGN: false }), {}, user))
})

test('an attribute that does not exist is invalid, one of other objects makes the template inconsistent', () => {
  const unknown: Attribute = { type: 0x80001234, value: bytes(1) }
  refuses(CKR.ATTRIBUTE_TYPE_INVALID, () =>
    prepare('create', [...templateOf(aesTemplate), unknown], {}, user),
  )
  refuses(CKR.TEMPLATE_INCONSISTENT, prepares('create', { ...aesTemplate, MODULUS: VALUE }))
})

test('CKA_UNIQUE_ID in a template is CKR_ATTRIBUTE_READ_ONLY, whatever the object', () => {
  for (const template of [aesTemplate, { CLASS: CKO.DATA }])
    refuses(CKR.ATTRIBUTE_READ_ONLY, prepares('create', { ...template, UNIQUE_ID: text('mine') }))
})

test('a template of more than 1,024 attributes is CKR_TEMPLATE_INCONSISTENT', () => {
  const template = (count: number) =>
    new Array<Attribute[]>(count).fill(templateOf({ CLASS: CKO.DATA })).flat()
  prepare('create', template(1024), {}, user)
  refuses(CKR.TEMPLATE_INCONSISTENT, () => prepare('create', template(1025), {}, user))
})

test('a value that the standard does not list is CKR_ATTRIBUTE_VALUE_INVALID', () => {
  const certificate = { CLASS: CKO.CERTIFICATE, CERTIFICATE_TYPE: CKC.X_509, SUBJECT: VALUE, VALUE }
  prepares('create', { ...certificate, CERTIFICATE_CATEGORY: 3 })()
  refuses(
    CKR.ATTRIBUTE_VALUE_INVALID,
    prepares('create', { ...certificate, CERTIFICATE_CATEGORY: 4 }),
  )
})

test('class and type are read where the template has them', () => {
  assert.deepEqual(classAndType(templateOf(aesTemplate)), { class: CKO.SECRET_KEY, type: CKK.AES })
  assert.deepEqual(classAndType(templateOf({ KEY_TYPE: CKK.AES })), {
    class: undefined,
    type: CKK.AES,
  })
  assert.deepEqual(
    classAndType(templateOf({ CLASS: CKO.CERTIFICATE, CERTIFICATE_TYPE: CKC.WTLS })),
    {
      class: CKO.CERTIFICATE,
      type: CKC.WTLS,
    },
  )
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => classAndType([{ type: CKA.CLASS, value: bytes(4) }]))
})

test('a template may repeat the class and type that a mechanism implies, and no other', () => {
  prepares('generate', { ...AES_KIND, VALUE_LEN: 16 }, AES)()
  const other = { CLASS: CKO.PRIVATE_KEY, VALUE_LEN: 16 }
  refuses(CKR.TEMPLATE_INCONSISTENT, prepares('generate', other, AES))
  refuses(
    CKR.TEMPLATE_INCONSISTENT,
    prepares('generate', { KEY_TYPE: CKK.DES3, VALUE_LEN: 16 }, AES),
  )
})

const AES_KIND = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES }

test('a template that contradicts the values of the mechanism is CKR_TEMPLATE_INCONSISTENT', () => {
  const exponent = { MODULUS_BITS: 24, PUBLIC_EXPONENT: bytes(0, 1, 0, 1) }
  const generated = (PUBLIC_EXPONENT: Uint8Array) => () =>
    made('generate', exponent, RSA_PUBLIC, { MODULUS: VALUE, PUBLIC_EXPONENT })
  refuses(CKR.TEMPLATE_INCONSISTENT, generated(bytes(3)))
  // The same number, and the application finds it as it wrote it.
  assert.deepEqual(
    generated(bytes(1, 0, 1))().attributes.get(CKA.PUBLIC_EXPONENT),
    bytes(0, 1, 0, 1),
  )
})

test('the length of an unwrapped key against the template is CKR_WRAPPED_KEY_LEN_RANGE', () => {
  const values = { VALUE, VALUE_LEN: 16 }
  refuses(CKR.WRAPPED_KEY_LEN_RANGE, () => made('unwrap', { VALUE_LEN: 32 }, AES, values))
  refuses(CKR.TEMPLATE_INCONSISTENT, () => made('derive', { VALUE_LEN: 32 }, AES, values))
})

test('contributed attributes that the class does not have are left out', () => {
  const des3 = { class: CKO.SECRET_KEY, keyType: CKK.DES3 }
  assert.equal(
    made('generate', {}, des3, { VALUE, VALUE_LEN: 16 }).attributes.has(CKA.VALUE_LEN),
    false,
  )
})

test('an object that lacks a value in the end is CKR_TEMPLATE_INCOMPLETE', () => {
  refuses(CKR.TEMPLATE_INCOMPLETE, () => made('generate', { VALUE_LEN: 16 }, AES))
})

const history = (attributes: Attributes) =>
  some(attributes, 'LOCAL', 'ALWAYS_SENSITIVE', 'NEVER_EXTRACTABLE', 'KEY_GEN_MECHANISM')

test('a generated key is local, and remembers that it never was open', () => {
  const mechanism = CKM.AES_KEY_GEN
  const generated = (template: Named) =>
    history(
      made('generate', { VALUE_LEN: 16, ...template }, { ...AES, mechanism }, { VALUE }).attributes,
    )
  assert.deepEqual(generated({ SENSITIVE: true }), {
    LOCAL: true,
    ALWAYS_SENSITIVE: true,
    NEVER_EXTRACTABLE: true,
    KEY_GEN_MECHANISM: mechanism,
  })
  assert.deepEqual(generated({ SENSITIVE: false, EXTRACTABLE: true }), {
    LOCAL: true,
    ALWAYS_SENSITIVE: false,
    NEVER_EXTRACTABLE: false,
    KEY_GEN_MECHANISM: mechanism,
  })
})

const FROM_OUTSIDE = {
  LOCAL: false,
  ALWAYS_SENSITIVE: false,
  NEVER_EXTRACTABLE: false,
  KEY_GEN_MECHANISM: CK_UNAVAILABLE_INFORMATION,
}

test('a created, unwrapped or encapsulated key is not local and was not always sensitive', () => {
  const { attributes } = made('create', { ...aesTemplate, EXTRACTABLE: false })
  assert.deepEqual(history(attributes), FROM_OUTSIDE)
  for (const how of ['unwrap', 'encapsulate'] as const) {
    const key = made(how, { EXTRACTABLE: false }, { ...AES, mechanism: CKM.AES_CBC }, { VALUE })
    assert.deepEqual(history(key.attributes), FROM_OUTSIDE)
  }
})

test('an unwrapped or encapsulated key is extractable unless asked otherwise', () => {
  const isExtractable = (how: How, template: Named) =>
    made(how, template, AES, { VALUE }).attributes.get(CKA.EXTRACTABLE)
  assert.equal(isExtractable('unwrap', {}), true)
  assert.equal(isExtractable('encapsulate', {}), true)
  assert.equal(isExtractable('unwrap', { EXTRACTABLE: false }), false)
  assert.equal(isExtractable('derive', {}), false)
})

test('a derived key was always sensitive only if its base key was', () => {
  const closed = made('generate', { VALUE_LEN: 16, SENSITIVE: true }, AES, { VALUE })
  const open = made('create', openAes)
  const derived = (base: typeof open, template: Named) =>
    history(made('derive', template, { ...AES, base }, { VALUE }).attributes)
  assert.deepEqual(derived(closed, { SENSITIVE: true }), {
    ...FROM_OUTSIDE,
    ALWAYS_SENSITIVE: true,
    NEVER_EXTRACTABLE: true,
  })
  assert.deepEqual(derived(closed, { SENSITIVE: false, EXTRACTABLE: true }), FROM_OUTSIDE)
  assert.deepEqual(derived(open, {}), FROM_OUTSIDE)
})

test('a mechanism with rules of its own about the history of a key is heard', () => {
  const base = made('generate', { VALUE_LEN: 16 }, AES, { VALUE })
  const key = made(
    'derive',
    {},
    { ...AES, base },
    { VALUE, ALWAYS_SENSITIVE: false, SENSITIVE: true },
  )
  assert.equal(key.attributes.get(CKA.ALWAYS_SENSITIVE), false)
  refuses(CKR.TEMPLATE_INCONSISTENT, () =>
    made('derive', { SENSITIVE: false }, { ...AES, base }, { VALUE, SENSITIVE: true }),
  )
})

test('what a key imposes joins the template, and contradicts no attribute of it', () => {
  const imposed = attributesOf({ EXTRACTABLE: false, ENCRYPT: true })
  const key = made('unwrap', { ENCRYPT: true }, { ...AES, imposed }, { VALUE })
  assert.equal(key.attributes.get(CKA.EXTRACTABLE), false)
  refuses(CKR.TEMPLATE_INCONSISTENT, prepares('unwrap', { EXTRACTABLE: true }, { ...AES, imposed }))
  const trusted = attributesOf({ TRUSTED: true })
  refuses(CKR.ATTRIBUTE_READ_ONLY, prepares('unwrap', {}, { ...AES, imposed: trusted }))
})

const withCheckValue = (template: Named, checkValue = bytes(1, 2, 3)) =>
  create(
    'create',
    templateOf({ ...aesTemplate, ...template }),
    { complete: () => attributesOf({ CHECK_VALUE: checkValue, VALUE_LEN: 16 }) },
    user,
  )

test('a check value is calculated, checked, declined, and ignored where it is not supported', () => {
  assert.deepEqual(withCheckValue({}).get(CKA.CHECK_VALUE), bytes(1, 2, 3))
  assert.deepEqual(
    withCheckValue({ CHECK_VALUE: bytes(1, 2, 3) }).get(CKA.CHECK_VALUE),
    bytes(1, 2, 3),
  )
  assert.deepEqual(withCheckValue({ CHECK_VALUE: bytes() }).get(CKA.CHECK_VALUE), bytes())
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => withCheckValue({ CHECK_VALUE: bytes(9, 9, 9) }))
  const unsupported = made('create', { ...aesTemplate, CHECK_VALUE: bytes(9, 9, 9) })
  assert.equal(unsupported.attributes.has(CKA.CHECK_VALUE), false)
})

test('the public key of a private key is calculated, and another one is refused', () => {
  const created = (template: Named, complete?: () => Attributes) => () =>
    create(
      'create',
      templateOf({ ...rsaPrivateTemplate, ...template }),
      complete ? { complete } : {},
      user,
    )
  const info = () => attributesOf({ PUBLIC_KEY_INFO: bytes(7) })
  assert.deepEqual(created({ PUBLIC_KEY_INFO: bytes() }, info)().get(CKA.PUBLIC_KEY_INFO), bytes(7))
  assert.deepEqual(
    created({ PUBLIC_KEY_INFO: bytes(7) }, info)().get(CKA.PUBLIC_KEY_INFO),
    bytes(7),
  )
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, created({ PUBLIC_KEY_INFO: bytes(8) }, info))
  refuses(CKR.ATTRIBUTE_TYPE_INVALID, created({ PUBLIC_KEY_INFO: bytes(8) }))
})

test('key values that an application gave are put into their usual form', () => {
  const attributes = create(
    'create',
    templateOf({
      CLASS: CKO.PUBLIC_KEY,
      KEY_TYPE: CKK.EC,
      EC_PARAMS: bytes(6),
      EC_POINT: bytes(4, 1, 1),
    }),
    { complete: () => attributesOf({ EC_POINT: bytes(4, 3, 4, 1, 1) }) },
    user,
  )
  assert.deepEqual(attributes.get(CKA.EC_POINT), bytes(4, 3, 4, 1, 1))
})

test('a lattice private key is created from its seed, its value, or both', () => {
  const key = { CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.ML_DSA, PARAMETER_SET: 1 }
  prepares('create', { ...key, SEED: VALUE })()
  prepares('create', { ...key, VALUE })()
  prepares('create', { ...key, VALUE, SEED: VALUE })()
  refuses(CKR.TEMPLATE_INCOMPLETE, prepares('create', key))
})

test('a certificate has its value, or its URL with both hashes', () => {
  const certificate = { CLASS: CKO.CERTIFICATE, CERTIFICATE_TYPE: CKC.X_509, SUBJECT: VALUE }
  const URL = text('https://example.com/ca.cer')
  const hashes = { HASH_OF_SUBJECT_PUBLIC_KEY: VALUE, HASH_OF_ISSUER_PUBLIC_KEY: VALUE }
  prepares('create', { ...certificate, VALUE })()
  prepares('create', { ...certificate, VALUE: bytes(), URL, ...hashes })()
  refuses(CKR.TEMPLATE_INCOMPLETE, prepares('create', { ...certificate, URL, ...hashes }))
  refuses(CKR.TEMPLATE_INCONSISTENT, prepares('create', { ...certificate, VALUE: bytes() }))
  refuses(CKR.TEMPLATE_INCONSISTENT, prepares('create', { ...certificate, VALUE: bytes(), URL }))
  const wtls = { ...certificate, CERTIFICATE_TYPE: CKC.WTLS, SUBJECT: bytes() }
  refuses(CKR.TEMPLATE_INCONSISTENT, prepares('create', { ...wtls, VALUE }))
})

test('trust in a certificate needs its hash, distrust does not', () => {
  const trust = { CLASS: CKO.TRUST, ISSUER: VALUE, SERIAL_NUMBER: VALUE }
  prepares('create', { ...trust, TRUST_SERVER_AUTH: CKT.NOT_TRUSTED })()
  refuses(
    CKR.TEMPLATE_INCONSISTENT,
    prepares('create', { ...trust, TRUST_SERVER_AUTH: CKT.TRUSTED }),
  )
  const hashed = { ...trust, TRUST_SERVER_AUTH: CKT.TRUSTED, HASH_OF_CERTIFICATE: VALUE }
  const { attributes } = made('create', hashed)
  assert.deepEqual(some(attributes, 'TRUST_CODE_SIGNING', 'NAME_HASH_ALGORITHM'), {
    TRUST_CODE_SIGNING: CKT.TRUST_UNKNOWN,
    NAME_HASH_ALGORITHM: CKM.SHA_1,
  })
})

test('a key that asks for a login at each use is private', () => {
  const key = { ...rsaPrivateTemplate, ALWAYS_AUTHENTICATE: true }
  prepares('create', key)()
  refuses(CKR.TEMPLATE_INCONSISTENT, prepares('create', { ...key, PRIVATE: false }))
})

test('an HSS private key exists once and stays inside', () => {
  const key = {
    CLASS: CKO.PRIVATE_KEY,
    KEY_TYPE: CKK.HSS,
    HSS_LEVELS: 1,
    HSS_LMS_TYPES: [5],
    HSS_LMOTS_TYPES: [4],
    VALUE,
  }
  assert.equal(made('create', key).attributes.get(CKA.COPYABLE), false)
  for (const wrong of [{ COPYABLE: true }, { SENSITIVE: false }, { EXTRACTABLE: true }])
    refuses(CKR.TEMPLATE_INCONSISTENT, prepares('create', { ...key, ...wrong }))
  refuses(CKR.TEMPLATE_INCONSISTENT, prepares('create', { ...key, HSS_LMS_TYPES: [5, 5] }))
})

test('templates of keys and allowed mechanisms are kept, and absent where they are not given', () => {
  const WRAP_TEMPLATE = attributesOf({ EXTRACTABLE: true, KEY_TYPE: CKK.AES })
  const ALLOWED_MECHANISMS = [CKM.AES_GCM, CKM.AES_KEY_WRAP]
  const { attributes } = made('create', { ...aesTemplate, WRAP_TEMPLATE, ALLOWED_MECHANISMS })
  assert.deepEqual(attributes.get(CKA.WRAP_TEMPLATE), WRAP_TEMPLATE)
  assert.deepEqual(attributes.get(CKA.ALLOWED_MECHANISMS), ALLOWED_MECHANISMS)
  const plain = made('create', aesTemplate).attributes
  assert.equal(plain.has(CKA.WRAP_TEMPLATE) || plain.has(CKA.ALLOWED_MECHANISMS), false)
})

test('both numbers of CKA_ENCAPSULATE_TEMPLATE are one attribute', () => {
  const key = { CLASS: CKO.PUBLIC_KEY, KEY_TYPE: CKK.ML_KEM, PARAMETER_SET: 1, VALUE }
  for (const type of [0x62a, 0x4000062a]) {
    const template = [...templateOf(key), { type, value: templateOf({ EXTRACTABLE: false }) }]
    const { attributes } = objectOf(create('create', template, {}, user))
    assert.deepEqual(attributes.get(CKA.ENCAPSULATE_TEMPLATE), attributesOf({ EXTRACTABLE: false }))
  }
})
