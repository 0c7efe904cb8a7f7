import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeService, SURRENDER, surrender } from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { withAnswers } from './usual-answers.ts'

test('calls end when the service does, later ones find it gone, and a new C_Initialize helps', async (t) => {
  const service = await fakeService(
    withAnswers({
      C_WaitForSlotEvent: () => {},
      C_Logout: (call) => {
        call.socket.destroy()
      },
      C_GenerateKey: async (call) => {
        await call.ask(SURRENDER, ...surrender(call.u64(0)))
      },
    }),
  )
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'death.c' }), service.home)
  assert.equal(stderr, '')
  assert.equal(code, 0)
})
