import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isRule, offered, type Policy } from '../../src/mechanisms/policy.ts'
import { families, mechanisms } from '../../src/mechanisms/table.ts'
import type { FilledList } from '../../src/standard/calls.ts'
import { CKM } from '../../src/standard/constants.ts'
import { answers, openToken, template } from '../in-process.ts'

const listed = async (t: TestContext, policy?: Policy) => {
  const { call } = await openToken(t, 50, policy)
  return new Set((await call('C_GetMechanismList', [0, 2000])) as FilledList & number[])
}

test('a mechanism that is denied by name is not offered, and the others are', async (t) => {
  const { call, session } = await openToken(t, 50, { deny: ['CKM_SHA_1', 'AES_KEY_GEN'] })
  const list = (await call('C_GetMechanismList', [0, 2000])) as number[]
  assert.ok(!list.includes(CKM.SHA_1) && !list.includes(CKM.AES_KEY_GEN))
  assert.ok(list.includes(CKM.SHA256) && list.includes(CKM.AES_CBC))
  await assert.rejects(call('C_GetMechanismInfo', [0, CKM.SHA_1]), answers('MECHANISM_INVALID'))
  const sha1 = { type: CKM.SHA_1, parameter: null }
  await assert.rejects(call('C_DigestInit', [session, sha1]), answers('MECHANISM_INVALID'))
  const generation = { type: CKM.AES_KEY_GEN, parameter: null }
  const aes = template({ VALUE_LEN: 16 })
  await assert.rejects(
    call('C_GenerateKey', [session, generation, aes]),
    answers('MECHANISM_INVALID'),
  )
  await call('C_DigestInit', [session, { type: CKM.SHA256, parameter: null }])
})

test('a family and a version of the standard are denied as a whole', async (t) => {
  const list = await listed(t, { profile: 'legacy', deny: ['rsa', '3.0'] })
  for (const { type } of families.rsa ?? []) assert.ok(!list.has(type))
  assert.ok(!list.has(CKM.SHA3_256) && !list.has(CKM.AES_KEY_WRAP_KWP))
  assert.ok(list.has(CKM.SHA256) && list.has(CKM.ECDSA))
})

test('what is allowed comes in addition to the profile, and what is denied never does', () => {
  const approved = offered({ profile: 'fips-approved' })
  for (const [type, { standing }] of mechanisms)
    assert.equal(approved.has(type), standing === 'approved')
  const more = offered({ profile: 'fips-approved', allow: ['digests'], deny: ['SHA_1'] })
  assert.ok(more.has(CKM.SHA224) && !more.has(CKM.SHA_1))
})

test('the profile legacy offers everything, and default all but what is broken', async (t) => {
  assert.deepEqual([...offered({ profile: 'legacy' }).keys()], [...mechanisms.keys()])
  const usual = await listed(t)
  for (const [type, { standing, name }] of mechanisms)
    assert.equal(usual.has(type), standing !== 'legacy', name)
})

test('a rule names a mechanism, a family or a version', () => {
  for (const rule of ['CKM_SHA_1', 'SHA_1', 'rsa', '2.40', '3.2']) assert.ok(isRule(rule), rule)
  for (const rule of ['', 'CKM_', 'CKM_RSA', 'RSA', '3', '4.0']) assert.ok(!isRule(rule), rule)
})
