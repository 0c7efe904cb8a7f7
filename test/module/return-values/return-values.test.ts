/**
 * Every function of 2.40 through its return values: each that the standard lists for it is got out of
 * the real module and a real service, or stands in unprovoked.ts with the reason why it cannot be.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startService } from '../../service.ts'
import * as acts from './acts.ts'
import { Application, compileApplication } from './application.ts'
import { names2_40, returnsOf, rowOf } from './chapters/all.ts'
import { Findings } from './findings.ts'
import { Stage } from './stage.ts'
import { protect } from './store.ts'
import { holdsFor, reasons, reasonsFor } from './unprovoked.ts'

/** Plays all acts on one service; answers what they found. */
async function play(t: TestContext): Promise<Findings> {
  const service = await startService(t, { SOFTOKI_SURRENDER_MS: '0' })
  const program = compileApplication(t)
  const findings = new Findings()
  const stageIn = (environment = service.environment, lasting = false): acts.Setting => ({
    stage: new Stage(new Application(t, program, environment), findings.watch, lasting),
    findings,
    service,
  })
  /** An application of its own, which is ended afterwards unless an act has done so. */
  const inOrder = async (lasting: boolean, ...played: readonly acts.Act[]) => {
    const setting = stageIn(service.environment, lasting)
    await setting.stage.initialize()
    for (const act of played) await act(setting)
    return setting.stage
  }

  await acts.withoutService(stageIn({ ...service.environment, SOFTOKI_HOME: 'nowhere' }))
  const first = stageIn()
  await acts.beforeInitialize(first)
  await first.stage.makeTokens()
  for (const act of acts.withTokens) await act(first)

  await (await inOrder(true, acts.storeObjects, acts.fullStore)).end()
  await service.restart()
  await (await inOrder(true, acts.damagedStore)).end()

  await inOrder(false, acts.serviceKilled)
  await service.restart()
  await inOrder(false, acts.serviceStopped)
  protect(service.home)
  await service.restart()
  await (await inOrder(false, acts.protectedStore)).end()
  return findings
}

test('every function of 2.40 answers each of its return values', async (t) => {
  const findings = await play(t)
  let provoked = 0
  for (const name of names2_40)
    await t.test(name, () => {
      assert.deepEqual(findings.failures(name), [])
      const listed = returnsOf(name)
      for (const rv of listed) {
        const isProvoked = findings.provoked(name).has(rv)
        const found = [...(isProvoked ? ['a case'] : []), ...reasonsFor(name, rv)]
        assert.equal(found.length, 1, `CKR_${rv} is to have a case or a reason: ${found}`)
        if (isProvoked) provoked++
      }
      const unlisted: readonly string[] = (rowOf(name).unlisted ?? []).map(({ rv }) => rv)
      for (const rv of unlisted) assert.ok(!listed.includes(rv), `CKR_${rv} is listed`)
      for (const rv of findings.seen(name))
        assert.ok([...listed, ...unlisted].includes(rv), `CKR_${rv} is not listed`)
    })
  const all = names2_40.flatMap(returnsOf).length
  t.diagnostic(`${provoked} of ${all} listed return values came, ${all - provoked} have a reason`)
})

test('every reason is needed by some function', () => {
  for (const reason of reasons)
    assert.ok(
      names2_40.some((name) => returnsOf(name).includes(reason.rv) && holdsFor(reason, name)),
      `CKR_${reason.rv}: ${reason.why}`,
    )
})
