/** Message-based functions. PKCS #11 3.2, 5.9, 5.11, 5.14 and 5.16. */
import { CKF } from '../../../src/standard/constants.ts'
import { data } from '../../in-process.ts'
import { operations } from '../operations.ts'
import { initRow, type Row, row } from '../row.ts'
import { gcmMessage, gcmOf, LONG, macOf, mechanism, type Scene, SHORT } from '../stage.ts'

const AAD = Buffer.from('aad')
const NO_PARAMETER = mechanism(0)
const ROOM = LONG.length

const tagOf = (plain: Uint8Array) => gcmOf(plain).subarray(-16)
const sealedOf = (plain: Uint8Array) => gcmOf(plain).subarray(0, -16)

const beginning = {
  encrypt: async (scene: Scene) => {
    await operations.messageEncrypt.begin(scene)
    await scene.call('C_EncryptMessageBegin', [scene.session, gcmMessage(), AAD])
  },
  decrypt: async (scene: Scene) => {
    await operations.messageDecrypt.begin(scene)
    await scene.call('C_DecryptMessageBegin', [scene.session, gcmMessage(), AAD])
  },
  sign: async (scene: Scene) => {
    await operations.messageSign.begin(scene)
    await scene.call('C_SignMessageBegin', [scene.session, NO_PARAMETER])
  },
  verify: async (scene: Scene) => {
    await operations.messageVerify.begin(scene)
    await scene.call('C_VerifyMessageBegin', [scene.session, NO_PARAMETER])
  },
}

const ciphers = (form: string, callbacks: number, plain: Buffer): Row[] => [
  row({
    name: 'C_EncryptMessage',
    form,
    callbacks,
    call: async ({ call, session }, context) => {
      let tag: Uint8Array | undefined
      const message = gcmMessage(Buffer.alloc(16), (given) => {
        tag = given
      })
      return [
        await call('C_EncryptMessage', [session, message, AAD, data(plain), ROOM], context),
        tag,
      ]
    },
  }),
  row({
    name: 'C_EncryptMessageNext',
    form,
    callbacks,
    begin: beginning.encrypt,
    call: async ({ call, session }, context) => {
      let tag: Uint8Array | undefined
      const message = gcmMessage(Buffer.alloc(16), (given) => {
        tag = given
      })
      const inputs = [session, message, data(plain), ROOM, CKF.END_OF_MESSAGE] as const
      return [await call('C_EncryptMessageNext', [...inputs], context), tag]
    },
  }),
  row({
    name: 'C_DecryptMessage',
    form,
    callbacks,
    call: ({ call, session }, context) => {
      const message = gcmMessage(tagOf(plain))
      return call('C_DecryptMessage', [session, message, AAD, data(sealedOf(plain)), ROOM], context)
    },
  }),
  row({
    name: 'C_DecryptMessageNext',
    form,
    callbacks,
    begin: beginning.decrypt,
    call: ({ call, session }, context) => {
      const message = gcmMessage(tagOf(plain))
      const inputs = [session, message, data(sealedOf(plain)), ROOM, CKF.END_OF_MESSAGE] as const
      return call('C_DecryptMessageNext', [...inputs], context)
    },
  }),
]

const signatures = (form: string, callbacks: number, message: Buffer): Row[] => [
  row({
    name: 'C_SignMessage',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_SignMessage', [session, NO_PARAMETER, data(message), 32], context),
  }),
  row({
    name: 'C_SignMessageNext',
    form,
    callbacks,
    begin: beginning.sign,
    call: ({ call, session }, context) =>
      call('C_SignMessageNext', [session, NO_PARAMETER, data(message), 32], context),
  }),
  row({
    name: 'C_VerifyMessage',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_VerifyMessage', [session, NO_PARAMETER, data(message), macOf(message)], context),
  }),
  row({
    name: 'C_VerifyMessageNext',
    form,
    callbacks,
    begin: beginning.verify,
    call: ({ call, session }, context) =>
      call('C_VerifyMessageNext', [session, NO_PARAMETER, data(message), macOf(message)], context),
  }),
]

const beginnings: readonly Row[] = [
  row({
    name: 'C_EncryptMessageBegin',
    call: ({ call, session }, context) =>
      call('C_EncryptMessageBegin', [session, gcmMessage(), AAD], context),
    result: ({ call, session }) =>
      call('C_EncryptMessageNext', [session, gcmMessage(), data(SHORT), 16, CKF.END_OF_MESSAGE]),
  }),
  row({
    name: 'C_DecryptMessageBegin',
    call: ({ call, session }, context) =>
      call('C_DecryptMessageBegin', [session, gcmMessage(), AAD], context),
    result: ({ call, session }) => {
      const message = gcmMessage(tagOf(SHORT))
      const inputs = [session, message, data(sealedOf(SHORT)), 16, CKF.END_OF_MESSAGE] as const
      return call('C_DecryptMessageNext', [...inputs])
    },
  }),
  row({
    name: 'C_SignMessageBegin',
    call: ({ call, session }, context) =>
      call('C_SignMessageBegin', [session, NO_PARAMETER], context),
    result: ({ call, session }) =>
      call('C_SignMessageNext', [session, NO_PARAMETER, data(SHORT), 32]),
  }),
  row({
    name: 'C_VerifyMessageBegin',
    call: ({ call, session }, context) =>
      call('C_VerifyMessageBegin', [session, NO_PARAMETER], context),
    result: ({ call, session }) =>
      call('C_VerifyMessageNext', [session, NO_PARAMETER, data(SHORT), macOf(SHORT)]),
  }),
]

const ENDS = [
  'C_MessageEncryptFinal',
  'C_MessageDecryptFinal',
  'C_MessageSignFinal',
  'C_MessageVerifyFinal',
] as const

export const messages: readonly Row[] = [
  initRow('C_MessageEncryptInit'),
  initRow('C_MessageDecryptInit'),
  initRow('C_MessageSignInit'),
  initRow('C_MessageVerifyInit'),
  ...beginnings,
  ...ciphers('short', 1, SHORT),
  ...ciphers('long', 5, LONG),
  ...signatures('short', 1, SHORT),
  ...signatures('long', 5, LONG),
  ...ENDS.map((name) =>
    row({ name, call: ({ call, session }, context) => call(name, [session], context) }),
  ),
]
