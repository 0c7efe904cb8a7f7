/** Encryption and decryption functions. PKCS #11 3.2, 5.8 and 5.10. */
import { data } from '../../in-process.ts'
import { initRow, type Row, row } from '../row.ts'
import { ECB, ecbOf, GCM, gcmOf, LONG, type Scene, SHORT } from '../stage.ts'

const ROOM = LONG.length + 16
const SEALED = gcmOf(LONG)

const beginGcm = ({ call, session, keys }: Scene) => call('C_DecryptInit', [session, GCM, keys.aes])

const ofBytes = (form: string, callbacks: number, plain: Buffer): Row[] => [
  row({
    name: 'C_Encrypt',
    form,
    callbacks,
    call: ({ call, session }, context) => call('C_Encrypt', [session, data(plain), ROOM], context),
  }),
  row({
    name: 'C_EncryptUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_EncryptUpdate', [session, data(plain), ROOM], context),
    result: async ({ call, session }, answer) => [
      answer,
      await call('C_EncryptFinal', [session, 100]),
    ],
  }),
  row({
    name: 'C_Decrypt',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_Decrypt', [session, data(ecbOf(plain)), ROOM], context),
  }),
  row({
    name: 'C_DecryptUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_DecryptUpdate', [session, data(ecbOf(plain)), ROOM], context),
    result: async ({ call, session }, answer) => [
      answer,
      await call('C_DecryptFinal', [session, 100]),
    ],
  }),
]

export const ciphers: readonly Row[] = [
  initRow('C_EncryptInit'),
  initRow('C_DecryptInit'),
  ...ofBytes('short', 1, SHORT),
  ...ofBytes('long', 5, LONG),
  row({
    name: 'C_EncryptFinal',
    begin: async ({ call, session, keys }) => {
      await call('C_EncryptInit', [session, ECB, keys.aes])
      await call('C_EncryptUpdate', [session, data(SHORT), 100])
    },
    call: ({ call, session }, context) => call('C_EncryptFinal', [session, 100], context),
  }),
  row({
    name: 'C_DecryptFinal',
    begin: async ({ call, session, keys }) => {
      await call('C_DecryptInit', [session, ECB, keys.aes])
      await call('C_DecryptUpdate', [session, data(ecbOf(SHORT)), 100])
    },
    call: ({ call, session }, context) => call('C_DecryptFinal', [session, 100], context),
  }),
  // What is decrypted waits for its tag, and is put together once that is right.
  row({
    name: 'C_Decrypt',
    form: 'AES-GCM',
    callbacks: 8,
    begin: beginGcm,
    call: ({ call, session }, context) => call('C_Decrypt', [session, data(SEALED), ROOM], context),
  }),
  row({
    name: 'C_DecryptFinal',
    form: 'AES-GCM',
    callbacks: 4,
    begin: async (scene) => {
      await beginGcm(scene)
      await scene.call('C_DecryptUpdate', [scene.session, data(SEALED), ROOM])
    },
    call: ({ call, session }, context) => call('C_DecryptFinal', [session, ROOM], context),
  }),
]
