import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copy, finish, mayDestroy, prepare, set } from '../../src/objects/interpreter.ts'
import { CKA, CKC, CKO, CKR } from '../../src/standard/constants.ts'
import {
  aesTemplate,
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
type Change = typeof set

const aes = made('create', openAes)

/** An attribute of an object after a change. */
const after = (change: Change, object: typeof aes, template: Named, name: keyof typeof CKA) =>
  change(object, templateOf(template), user).get(CKA[name])

test('footnote 8: what may be modified changes by C_SetAttributeValue and in a copy', () => {
  for (const change of [set, copy]) {
    assert.deepEqual(after(change, aes, { ID: text('new') }, 'ID'), text('new'))
    assert.equal(after(change, aes, { ENCRYPT: false }, 'ENCRYPT'), false)
    assert.deepEqual(after(change, aes, { LABEL: text('new') }, 'LABEL'), text('new'))
  }
})

test('what has no footnote 8 is CKR_ATTRIBUTE_READ_ONLY, even with the value it has', () => {
  for (const change of [set, copy])
    for (const template of [
      { CLASS: CKO.SECRET_KEY },
      { VALUE },
      { LOCAL: false },
      { VALUE_LEN: 16 },
    ])
      refuses(CKR.ATTRIBUTE_READ_ONLY, () => change(aes, templateOf(template), user))
})

test('CKA_UNIQUE_ID is CKR_ATTRIBUTE_READ_ONLY', () => {
  for (const change of [set, copy])
    refuses(CKR.ATTRIBUTE_READ_ONLY, () => change(aes, templateOf({ UNIQUE_ID: text('x') }), user))
})

test('footnote 10: only the security officer trusts an object, or ends the trust', () => {
  const key = made('create', rsaPublicTemplate)
  const yes = templateOf({ TRUSTED: true })
  const no = templateOf({ TRUSTED: false })
  refuses(CKR.ATTRIBUTE_READ_ONLY, () => set(key, yes, user))
  const trusted = objectOf(set(key, yes, securityOfficer))
  assert.equal(trusted.attributes.get(CKA.TRUSTED), true)
  refuses(CKR.ATTRIBUTE_READ_ONLY, () => set(trusted, no, user))
  assert.equal(set(trusted, no, securityOfficer).get(CKA.TRUSTED), false)
})

test('a trusted certificate is modified by the security officer only', () => {
  const certificate = { CLASS: CKO.CERTIFICATE, CERTIFICATE_TYPE: CKC.X_509, SUBJECT: VALUE, VALUE }
  const template = templateOf({ ...certificate, TRUSTED: true })
  const object = objectOf(finish(prepare('create', template, {}, securityOfficer)))
  const label = templateOf({ LABEL: text('x') })
  refuses(CKR.ACTION_PROHIBITED, () => set(object, label, user))
  assert.deepEqual(set(object, label, securityOfficer).get(CKA.LABEL), text('x'))
})

test('footnote 11: what is true for good cannot become false, by setting or in a copy', () => {
  for (const change of [set, copy])
    for (const name of ['SENSITIVE', 'WRAP_WITH_TRUSTED'] as const) {
      const once = objectOf(change(aes, templateOf({ [name]: true }), user))
      assert.equal(once.attributes.get(CKA[name]), true)
      refuses(CKR.ATTRIBUTE_READ_ONLY, () => change(once, templateOf({ [name]: false }), user))
      assert.equal(after(change, once, { [name]: true }, name), true)
    }
})

test('footnote 12: what is false for good cannot become true, by setting or in a copy', () => {
  for (const change of [set, copy]) {
    const closed = objectOf(change(aes, templateOf({ EXTRACTABLE: false }), user))
    refuses(CKR.ATTRIBUTE_READ_ONLY, () => change(closed, templateOf({ EXTRACTABLE: true }), user))
  }
  const single = objectOf(set(aes, templateOf({ COPYABLE: false }), user))
  refuses(CKR.ATTRIBUTE_READ_ONLY, () => set(single, templateOf({ COPYABLE: true }), user))
})

test('a key that was open once keeps that in its history, and so do its copies', () => {
  const closing = { SENSITIVE: true, EXTRACTABLE: false }
  for (const change of [set, copy]) {
    assert.equal(after(change, aes, closing, 'NEVER_EXTRACTABLE'), false)
    assert.equal(after(change, aes, closing, 'ALWAYS_SENSITIVE'), false)
  }
})

test('a copy may get new values for four more attributes', () => {
  for (const name of ['TOKEN', 'PRIVATE', 'MODIFIABLE', 'DESTROYABLE'] as const)
    for (const value of [true, false]) {
      assert.equal(after(copy, aes, { [name]: value }, name), value)
      refuses(CKR.ATTRIBUTE_READ_ONLY, () => set(aes, templateOf({ [name]: value }), user))
    }
})

test('a copy is local where its original was', () => {
  const given = { class: CKO.SECRET_KEY, keyType: aesTemplate.KEY_TYPE }
  const generated = made('generate', { VALUE_LEN: 16, SENSITIVE: true }, given, { VALUE })
  for (const name of ['LOCAL', 'ALWAYS_SENSITIVE', 'NEVER_EXTRACTABLE'] as const)
    assert.equal(after(copy, generated, { LABEL: text('copy') }, name), true)
})

test('objects that may not be modified, copied or destroyed are CKR_ACTION_PROHIBITED', () => {
  const data = (template: Named) => made('create', { CLASS: CKO.DATA, ...template })
  refuses(CKR.ACTION_PROHIBITED, () => set(data({ MODIFIABLE: false }), [], user))
  refuses(CKR.ACTION_PROHIBITED, () => copy(data({ COPYABLE: false }), [], user))
  refuses(CKR.ACTION_PROHIBITED, () => mayDestroy(data({ DESTROYABLE: false })))
  mayDestroy(data({ MODIFIABLE: false, COPYABLE: false }))
  // Against this there is CKA_COPYABLE (4.4).
  assert.equal(after(copy, data({ MODIFIABLE: false }), { MODIFIABLE: true }, 'MODIFIABLE'), true)
})

test('a change is made whole or not at all', () => {
  const before = new Map(aes.attributes)
  refuses(CKR.ATTRIBUTE_READ_ONLY, () =>
    set(aes, templateOf({ LABEL: text('x'), VALUE_LEN: 1 }), user),
  )
  set(aes, templateOf({ LABEL: text('x') }), user)
  assert.deepEqual(aes.attributes, before)
})

test('a template with something wrong is refused as on creation', () => {
  const invalid = [{ type: CKA.SIGN, value: bytes(2) }]
  const unknown = [{ type: 0x80001234, value: bytes(2) }]
  const signs = templateOf({ SIGN: true })
  for (const change of [set, copy]) {
    refuses(CKR.ATTRIBUTE_VALUE_INVALID, () => change(aes, invalid, user))
    refuses(CKR.ATTRIBUTE_TYPE_INVALID, () => change(aes, unknown, user))
    refuses(CKR.TEMPLATE_INCONSISTENT, () => change(aes, templateOf({ SUBJECT: VALUE }), user))
    const both = [...signs, ...templateOf({ SIGN: false })]
    refuses(CKR.TEMPLATE_INCONSISTENT, () => change(aes, both, user))
    assert.equal(change(aes, [...signs, ...signs], user).get(CKA.SIGN), true)
  }
})

test('a change that breaks a rule between attributes is CKR_TEMPLATE_INCONSISTENT', () => {
  const key = made('create', { ...rsaPrivateTemplate, ALWAYS_AUTHENTICATE: true })
  refuses(CKR.TEMPLATE_INCONSISTENT, () => copy(key, templateOf({ PRIVATE: false }), user))
})

test('a check value can be emptied and not set', () => {
  const attributes = new Map(aes.attributes).set(CKA.CHECK_VALUE, bytes(1, 2, 3))
  const key = objectOf(attributes)
  assert.deepEqual(after(set, key, { CHECK_VALUE: bytes() }, 'CHECK_VALUE'), bytes())
  refuses(CKR.ATTRIBUTE_READ_ONLY, () =>
    set(key, templateOf({ CHECK_VALUE: bytes(4, 5, 6) }), user),
  )
})

test('the public key of a private key cannot become another', () => {
  const { attributes } = made('create', rsaPrivateTemplate)
  const key = objectOf(new Map(attributes).set(CKA.PUBLIC_KEY_INFO, bytes(7)))
  assert.deepEqual(after(set, key, { PUBLIC_KEY_INFO: bytes(7) }, 'PUBLIC_KEY_INFO'), bytes(7))
  refuses(CKR.ATTRIBUTE_VALUE_INVALID, () =>
    set(key, templateOf({ PUBLIC_KEY_INFO: bytes(8) }), user),
  )
})
