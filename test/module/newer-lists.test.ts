import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CKG, CKM } from '../../src/standard/constants.ts'
import { BACK, bytes, fakeService, type Respond, u8, u64 } from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { withAnswers } from './usual-answers.ts'

const answers: Record<string, Respond> = {
  C_MessageEncryptInit: (call) => call.answer(''),
  C_EncryptMessage: (call) => {
    const values = [bytes('fixed1234567'), bytes('tag of 16 bytes!')]
    call.tell(BACK, 'W', ...values.flatMap((value) => [u8(1), value]))
    call.answer('f', u8(1), bytes('atad'))
  },
}

test('the functions of 3.0 and 3.2 are passed on', async (t) => {
  const service = await fakeService(withAnswers(answers))
  t.after(() => service.close())
  const program = compiled({ file: 'newer-lists.c' })
  const { code, stderr } = await ran(program, service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.deepEqual(
    service.requests.map(({ name }) => name),
    [
      ...['C_Initialize', 'C_LoginUser', 'C_SignMessage', 'C_EncapsulateKey'],
      ...['C_UnwrapKeyAuthenticated', 'C_AsyncComplete', 'C_OpenSession', 'C_MessageEncryptInit'],
      ...['C_EncryptMessage', 'C_WrapKeyAuthenticated', 'C_Finalize'],
    ],
  )
  // In all three the parameter is CK_GCM_MESSAGE_PARAMS, as values.
  const sent = (iv: string, tag: string) =>
    Buffer.concat([
      ...[u64(CKM.AES_GCM), u8(2), bytes(iv), u64(40), u64(CKG.GENERATE)],
      ...[bytes(tag), u64(128)],
    ])
  const requests = service.requests.filter(({ name }) => /Message|^C_Wrap/.test(name)).slice(1)
  const [made, tag] = ['fixed1234567', 'tag of 16 bytes!']
  assert.deepEqual(
    requests.map(({ values }) => values.toString('hex', 8, 8 + sent(made, tag).length)),
    [
      sent('fixed.......', '.'.repeat(16)),
      sent('fixed.......', '.'.repeat(16)),
      sent(made, tag),
    ].map((bytes) => bytes.toString('hex')),
  )
})
