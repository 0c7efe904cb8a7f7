/**
 * Every function of 2.40 through its return values: each that the standard lists for it is got out of
 * the real module and a real service, or stands in unprovoked.ts with the reason why it cannot be.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startService } from '../../service.ts'
import * as acts from './acts.ts'
import { Application, compileApplication } from './application.ts'
import { names2_40, returnsOf } from './chapters/all.ts'
import { Findings } from './findings.ts'
import { Stage } from './stage.ts'
import { protect } from './store.ts'
import { reasonsFor } from './unprovoked.ts'

test('every function of 2.40 answers each of its return values', async (t) => {
  const service = await startService(t, { SOFTOKI_SURRENDER_MS: '0' })
  const program = compileApplication(t)
  const findings = new Findings()
  const stageIn = (environment = service.environment, lasting = false) =>
    new Stage(new Application(t, program, environment), findings.watch, lasting)
  const fresh = async (lasting = false) => {
    const stage = stageIn(service.environment, lasting)
    await stage.initialize()
    return { stage, findings, service }
  }

  const nowhere = stageIn({ ...service.environment, SOFTOKI_HOME: 'nowhere' })
  await acts.withoutService({ stage: nowhere, findings, service })

  const stage = stageIn()
  const main = { stage, findings, service }
  await acts.beforeInitialize(main)
  await stage.makeTokens()
  await acts.ordinaryCases(main)
  await acts.cancelledCalls(main)
  await acts.callsFromInsideCallback(main)
  await acts.workerKilled(main)
  await acts.sessionClosedMeanwhile(main)
  await acts.finalize(main)

  const storing = await fresh(true)
  await acts.storeObjects(storing)
  await acts.fullStore(storing)
  await storing.stage.end()
  await service.restart()
  const damaging = await fresh(true)
  await acts.damagedStore(damaging)
  await damaging.stage.end()

  await acts.serviceKilled(await fresh())
  await service.restart()
  await service.stop()
  protect(service.home)
  await service.restart()
  const reading = await fresh()
  await acts.protectedStore(reading)
  await reading.stage.end()

  for (const name of names2_40)
    await t.test(name, () => {
      assert.deepEqual(findings.failures(name), [])
      const listed = returnsOf(name)
      for (const rv of listed) {
        const provoked = findings.provoked(name).has(rv) ? ['provoked'] : []
        const found = [...provoked, ...reasonsFor(name, rv)]
        assert.equal(found.length, 1, `CKR_${rv} is to have a case or a reason: ${found}`)
      }
      for (const rv of findings.seen(name))
        assert.ok(listed.includes(rv), `CKR_${rv} is not listed`)
    })
})
