/** Digesting, signing and verifying functions. PKCS #11 3.2, 5.12, 5.13 and 5.15. */
import { CKH, CKM } from '../../../src/standard/constants.ts'
import { bytes, data } from '../../in-process.ts'
import { initRow, type Row, row } from '../row.ts'
import { LONG, macOf, mechanism, type Scene, SHORT } from '../stage.ts'

const SLH_DSA = mechanism(CKM.SLH_DSA, {
  hedgeVariant: CKH.DETERMINISTIC_REQUIRED,
  context: Buffer.alloc(0),
})

const digested = async ({ call, session }: Scene) => call('C_DigestFinal', [session, 32])

const ofBytes = (form: string, callbacks: number, message: Buffer): Row[] => [
  row({
    name: 'C_Digest',
    form,
    callbacks,
    call: ({ call, session }, context) => call('C_Digest', [session, data(message), 32], context),
  }),
  row({
    name: 'C_DigestUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) => call('C_DigestUpdate', [session, data(message)], context),
    result: digested,
  }),
  row({
    name: 'C_Sign',
    form,
    callbacks,
    call: ({ call, session }, context) => call('C_Sign', [session, data(message), 32], context),
  }),
  row({
    name: 'C_SignUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) => call('C_SignUpdate', [session, data(message)], context),
    result: ({ call, session }) => call('C_SignFinal', [session, 32]),
  }),
  row({
    name: 'C_Verify',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_Verify', [session, data(message), macOf(message)], context),
  }),
  row({
    name: 'C_VerifyUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) => call('C_VerifyUpdate', [session, data(message)], context),
    result: ({ call, session }) => call('C_VerifyFinal', [session, macOf(message)]),
  }),
]

const givenFirst = (message: Buffer) => ({
  begin: ({ call, session, keys }: Scene) =>
    call('C_VerifySignatureInit', [session, mechanism(CKM.SHA256_HMAC), keys.hmac, macOf(message)]),
})

const verifyingSignatures = (form: string, callbacks: number, message: Buffer): Row[] => [
  row({
    name: 'C_VerifySignature',
    form,
    callbacks,
    ...givenFirst(message),
    call: ({ call, session }, context) =>
      call('C_VerifySignature', [session, data(message)], context),
  }),
  row({
    name: 'C_VerifySignatureUpdate',
    form,
    callbacks,
    ...givenFirst(message),
    call: ({ call, session }, context) =>
      call('C_VerifySignatureUpdate', [session, data(message)], context),
    result: ({ call, session }) => call('C_VerifySignatureFinal', [session]),
  }),
]

/** The signature of SHORT, once it is checked. */
async function slhDsaVerifies({ call, session, keys }: Scene, signature: unknown) {
  await call('C_VerifyInit', [session, SLH_DSA, keys.slhDsa[0]])
  await call('C_Verify', [session, data(SHORT), bytes(signature)])
  return signature
}

export const summaries: readonly Row[] = [
  initRow('C_DigestInit'),
  initRow('C_SignInit'),
  initRow('C_SignRecoverInit'),
  initRow('C_VerifyInit'),
  initRow('C_VerifyRecoverInit'),
  initRow('C_VerifySignatureInit'),
  ...ofBytes('short', 1, SHORT),
  ...ofBytes('long', 5, LONG),
  ...verifyingSignatures('short', 1, SHORT),
  ...verifyingSignatures('long', 5, LONG),
  row({
    name: 'C_DigestKey',
    call: ({ call, session, keys }, context) => call('C_DigestKey', [session, keys.aes], context),
    result: digested,
  }),
  row({
    name: 'C_DigestFinal',
    begin: async ({ call, session }) => {
      await call('C_DigestInit', [session, mechanism(CKM.SHA256)])
      await call('C_DigestUpdate', [session, data(SHORT)])
    },
    call: ({ call, session }, context) => call('C_DigestFinal', [session, 32], context),
  }),
  row({
    name: 'C_SignFinal',
    begin: async ({ call, session, keys }) => {
      await call('C_SignInit', [session, mechanism(CKM.SHA256_HMAC), keys.hmac])
      await call('C_SignUpdate', [session, data(SHORT)])
    },
    call: ({ call, session }, context) => call('C_SignFinal', [session, 32], context),
  }),
  row({
    name: 'C_Sign',
    form: 'RSA',
    callbacks: 5,
    waits: true,
    begin: ({ call, session, keys }) =>
      call('C_SignInit', [session, mechanism(CKM.SHA256_RSA_PKCS), keys.rsa[1]]),
    call: ({ call, session }, context) => call('C_Sign', [session, data(LONG), 128], context),
  }),
  row({
    name: 'C_Sign',
    form: 'SLH-DSA',
    waits: true,
    begin: ({ call, session, keys }) => call('C_SignInit', [session, SLH_DSA, keys.slhDsa[1]]),
    call: ({ call, session }, context) => call('C_Sign', [session, data(SHORT), 20_000], context),
    result: slhDsaVerifies,
  }),
  row({
    name: 'C_SignFinal',
    form: 'SLH-DSA',
    waits: true,
    begin: async ({ call, session, keys }) => {
      await call('C_SignInit', [session, SLH_DSA, keys.slhDsa[1]])
      await call('C_SignUpdate', [session, data(SHORT)])
    },
    call: ({ call, session }, context) => call('C_SignFinal', [session, 20_000], context),
    result: slhDsaVerifies,
  }),
  row({
    name: 'C_SignRecover',
    waits: true,
    call: ({ call, session }, context) =>
      call('C_SignRecover', [session, data(SHORT), 128], context),
  }),
  row({
    name: 'C_VerifyFinal',
    begin: async ({ call, session, keys }) => {
      await call('C_VerifyInit', [session, mechanism(CKM.SHA256_HMAC), keys.hmac])
      await call('C_VerifyUpdate', [session, data(SHORT)])
    },
    call: ({ call, session }, context) => call('C_VerifyFinal', [session, macOf(SHORT)], context),
  }),
  row({
    name: 'C_VerifyRecover',
    waits: true,
    call: ({ call, session, keys }, context) =>
      call('C_VerifyRecover', [session, keys.recoverable, 128], context),
  }),
  row({
    name: 'C_VerifySignatureFinal',
    begin: async (scene) => {
      await givenFirst(SHORT).begin(scene)
      await scene.call('C_VerifySignatureUpdate', [scene.session, data(SHORT)])
    },
    call: ({ call, session }, context) => call('C_VerifySignatureFinal', [session], context),
  }),
]
