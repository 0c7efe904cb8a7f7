/** Dual-function cryptographic functions. PKCS #11 3.2, 5.17. */
import { data } from '../../in-process.ts'
import { type Row, row } from '../row.ts'
import { ecbOf, LONG, macOf, SHORT } from '../stage.ts'

const ROOM = LONG.length

const ofBytes = (form: string, callbacks: number, plain: Buffer): Row[] => [
  row({
    name: 'C_DigestEncryptUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_DigestEncryptUpdate', [session, data(plain), ROOM], context),
    result: async ({ call, session }, answer) => [
      answer,
      await call('C_EncryptFinal', [session, 0]),
      await call('C_DigestFinal', [session, 32]),
    ],
  }),
  row({
    name: 'C_DecryptDigestUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_DecryptDigestUpdate', [session, data(ecbOf(plain)), ROOM], context),
    result: async ({ call, session }, answer) => [
      answer,
      await call('C_DecryptFinal', [session, 0]),
      await call('C_DigestFinal', [session, 32]),
    ],
  }),
  row({
    name: 'C_SignEncryptUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_SignEncryptUpdate', [session, data(plain), ROOM], context),
    result: async ({ call, session }, answer) => [
      answer,
      await call('C_EncryptFinal', [session, 0]),
      await call('C_SignFinal', [session, 32]),
    ],
  }),
  row({
    name: 'C_DecryptVerifyUpdate',
    form,
    callbacks,
    call: ({ call, session }, context) =>
      call('C_DecryptVerifyUpdate', [session, data(ecbOf(plain)), ROOM], context),
    result: async ({ call, session }, answer) => [
      answer,
      await call('C_DecryptFinal', [session, 0]),
      await call('C_VerifyFinal', [session, macOf(plain)]),
    ],
  }),
]

export const dual: readonly Row[] = [...ofBytes('short', 1, SHORT), ...ofBytes('long', 5, LONG)]
