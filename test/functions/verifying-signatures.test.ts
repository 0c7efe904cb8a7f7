import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CKM } from '../../src/standard/constants.ts'
import { answers, bytes, data, openToken, template } from '../in-process.ts'

const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
const ECDSA = { type: CKM.ECDSA_SHA256, parameter: null }

async function signed(t: TestContext) {
  const opened = await openToken(t)
  const { call, session } = opened
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.EC_KEY_PAIR_GEN, parameter: null },
    template({ EC_PARAMS: P256 }),
    [],
  ])
  await call('C_SignInit', [session, ECDSA, privateKey])
  const signature = bytes(await call('C_Sign', [session, data('a message'), 64]))
  return { ...opened, publicKey, signature }
}

test('a signature given first is checked over data in one or more parts', async (t) => {
  const { call, session, publicKey, signature } = await signed(t)
  await call('C_VerifySignatureInit', [session, ECDSA, publicKey, signature])
  await call('C_VerifySignature', [session, data('a message')])
  await call('C_VerifySignatureInit', [session, ECDSA, publicKey, signature])
  await call('C_VerifySignatureUpdate', [session, data('a ')])
  await call('C_VerifySignatureUpdate', [session, data('message')])
  await call('C_VerifySignatureFinal', [session])
  await assert.rejects(
    call('C_VerifySignatureFinal', [session]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
})

test('another message, a changed signature and one of another length are refused', async (t) => {
  const { call, session, publicKey, signature } = await signed(t)
  const verify = async (given: Uint8Array, message: string) => {
    await call('C_VerifySignatureInit', [session, ECDSA, publicKey, given])
    await call('C_VerifySignature', [session, data(message)])
  }
  await assert.rejects(verify(signature, 'another'), answers('SIGNATURE_INVALID'))
  const changed = Uint8Array.from(signature)
  changed[5] = (changed[5] ?? 0) ^ 1
  await assert.rejects(verify(changed, 'a message'), answers('SIGNATURE_INVALID'))
  await assert.rejects(
    verify(signature.subarray(0, 63), 'a message'),
    answers('SIGNATURE_LEN_RANGE'),
  )
  await assert.rejects(verify(new Uint8Array(70_000), 'a message'), answers('SIGNATURE_LEN_RANGE'))
  await assert.rejects(
    call('C_VerifySignatureInit', [session, ECDSA, publicKey, null]),
    answers('ARGUMENTS_BAD'),
  )
})

test('it goes on beside C_Verify, and C_VerifySignature ends no operation in parts', async (t) => {
  const { call, session, publicKey, signature } = await signed(t)
  await call('C_VerifySignatureInit', [session, ECDSA, publicKey, signature])
  await call('C_VerifyInit', [session, ECDSA, publicKey])
  await call('C_VerifySignatureUpdate', [session, data('a message')])
  await assert.rejects(
    call('C_VerifySignature', [session, data('')]),
    answers('OPERATION_NOT_INITIALIZED'),
  )
  await call('C_Verify', [session, data('a message'), signature])
})

test('its state is saved with the signature', async (t) => {
  const { call, session, publicKey, signature } = await signed(t)
  await call('C_VerifySignatureInit', [session, ECDSA, publicKey, signature])
  await call('C_VerifySignatureUpdate', [session, data('a ')])
  const state = bytes(await call('C_GetOperationState', [session, 1000]))
  await call('C_VerifySignatureInit', [session, null, 0, null])
  await call('C_SetOperationState', [session, state, 0, publicKey])
  await call('C_VerifySignatureUpdate', [session, data('message')])
  await call('C_VerifySignatureFinal', [session])
})
