/** The acts: each sets a stage for some return values and gets them out of the functions that list them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FunctionName } from '../../../src/standard/calls.ts'
import { CKM, CKR } from '../../../src/standard/constants.ts'
import { template } from '../../in-process.ts'
import { childrenOf, type Service } from '../../service.ts'
import type { ReturnValue } from './cases.ts'
import { names2_40, returnsOf, rowOf } from './chapters/all.ts'
import { common, lasting } from './common.ts'
import type { Findings } from './findings.ts'
import { lastingNames } from './objects.ts'
import type { Scene, Stage } from './stage.ts'
import {
  damaged,
  full,
  TOUCHES_STORE,
  type Trouble,
  WRITE_PROTECTED,
  WRITES_STORE,
} from './store.ts'
import { reasonsFor } from './unprovoked.ts'
import { type Lookup, wordsOf } from './words.ts'

/** What an act works with. */
export interface Setting {
  readonly stage: Stage
  readonly findings: Findings
  readonly service: Service
}

/** One situation, and the calls in it. */
export type Act = (setting: Setting) => Promise<void>

/** C_Initialize and C_Finalize make and end the stage: they have acts of their own. */
const LIFE: readonly FunctionName[] = ['C_Initialize', 'C_Finalize']

/** The functions that list a return value and have no reason why it cannot be. */
const listing = (rv: ReturnValue): FunctionName[] =>
  names2_40.filter((name) => returnsOf(name).includes(rv) && reasonsFor(name, rv).length === 0)

/** Where there are no objects yet every name stands for 1. */
const nothingThere: Lookup = { named: () => 1, output: () => undefined }

/** Before C_Initialize: the functions that need it, and what it can be given. */
export const beforeInitialize: Act = async ({ stage, findings }) => {
  const outside = stage.outside()
  for (const name of listing('CRYPTOKI_NOT_INITIALIZED')) {
    const words = await wordsOf(name, rowOf(name).with ?? {}, nothingThere)
    await findings.expect(name, 'CRYPTOKI_NOT_INITIALIZED', () => outside.callWith(name, words))
  }
  const mutexes = (create: string) => `[ @${create} @does_nothing @does_nothing @does_nothing 0 0 ]`
  const initialize = (rv: ReturnValue, words: string) =>
    findings.expect('C_Initialize', rv, () => outside.callWith('C_Initialize', words))
  await initialize('ARGUMENTS_BAD', '[ 0 0 0 0 0 z1 ]')
  await initialize('CANT_LOCK', mutexes('cannot_create'))
  await initialize('HOST_MEMORY', mutexes('has_no_memory'))
  await initialize('OK', '0')
  await initialize('CRYPTOKI_ALREADY_INITIALIZED', '0')
}

/** C_Initialize of an application whose environment leads to no service. */
export const withoutService: Act = ({ stage, findings }) =>
  findings.expect('C_Initialize', 'FUNCTION_FAILED', () =>
    stage.outside().callWith('C_Initialize', '0'),
  )

/** Every function's own cases, and those that it shares with others. */
export const ordinaryCases: Act = async ({ stage, findings }) => {
  for (const name of names2_40.filter((candidate) => !LIFE.includes(candidate))) {
    const { cases = [], unlisted = [] } = rowOf(name)
    const own = new Set(cases.map(({ rv }) => rv))
    for (const { rv, call } of common) {
      const made = own.has(rv) || !listing(rv).includes(name) ? undefined : call(name)
      if (made !== undefined) await findings.expect(name, rv, () => stage.play(name, made))
    }
    for (const made of [...cases, ...unlisted])
      await findings.expect(name, made.rv, () => stage.play(name, made))
  }
  await findings.expect('C_Finalize', 'ARGUMENTS_BAD', () =>
    stage.outside().callWith('C_Finalize', 'z8'),
  )
}

/** The application answers CKR_CANCEL to the callback of the call, and only of that. */
export const cancelledCalls: Act = async ({ stage, findings }) => {
  const onCallback = () => CKR.CANCEL
  for (const name of listing('FUNCTION_CANCELED'))
    await findings.expect(name, 'FUNCTION_CANCELED', () =>
      stage.play(name, rowOf(name), { notifies: true, onCallback }),
    )
}

/** Calls from inside a callback, on the session whose function called back. */
export const callsFromInsideCallback: Act = async ({ stage, findings }) => {
  const scene = await stage.scene('user', { notifies: true })
  const inside = (rv: ReturnValue) => async (name: FunctionName) => {
    const words = await scene.words(name, { ...rowOf(name).with, ...ofSlot(name) })
    await findings.expect(name, rv, () => scene.callWith(name, words))
  }
  const onCallback = async () => {
    for (const name of listing('OPERATION_ACTIVE')) await inside('OPERATION_ACTIVE')(name)
    for (const name of ['C_CloseSession', 'C_CloseAllSessions', 'C_Finalize'] as const)
      await inside('FUNCTION_FAILED')(name)
    return CKR.OK
  }
  // What a call is about is made before: from inside the callback it could not be.
  for (const name of listing('OPERATION_ACTIVE')) await scene.words(name, rowOf(name).with ?? {})
  await scene.call('C_GenerateRandom', { randomData: 16 }, { onCallback })
  await scene.call('C_CloseSession', {})
}

const ofSlot = (name: FunctionName) => (name === 'C_CloseAllSessions' ? { slotID: 'user' } : {})

/** Threads of the application: one keeps the session busy, one closes it, the others wait for their turn. */
const BUSY = 1
const CLOSER = 2
const FIRST_WAITING = 3

/** How often the calls that came too late, after the session was closed, are made again. */
const ROUNDS = 20

/** One thread closes the session while others use it. */
export const sessionClosedMeanwhile: Act = async ({ stage, findings }) => {
  let left: readonly FunctionName[] = listing('SESSION_CLOSED')
  for (let round = 1; round <= ROUNDS && left.length > 0; round++) {
    const late: FunctionName[] = []
    await closeWhile(stage, left, 50 * round, async (name, returned) => {
      const rv = await returned
      if (rv === CKR.SESSION_HANDLE_INVALID && round < ROUNDS) late.push(name)
      else await findings.expect(name, 'SESSION_CLOSED', async () => rv)
    })
    left = late
  }
}

async function closeWhile(
  stage: Stage,
  names: readonly FunctionName[],
  patience: number,
  take: (name: FunctionName, returned: Promise<number>) => Promise<void>,
): Promise<void> {
  const scene = await stage.scene('public', { notifies: true })
  const lines = new Map<FunctionName, string>()
  for (const name of names) lines.set(name, await scene.words(name, rowOf(name).with ?? {}))
  const waiting: Promise<void>[] = []
  const onCallback = async () => {
    for (const [at, [name, words]] of [...lines].entries())
      waiting.push(take(name, scene.callWith(name, words, { thread: FIRST_WAITING + at })))
    await sleep(patience)
    await scene.call('C_CloseAllSessions', { slotID: 'public' }, { thread: CLOSER })
    return CKR.OK
  }
  const random = { thread: BUSY, onCallback }
  await take('C_GenerateRandom', scene.call('C_GenerateRandom', { randomData: 16 }, random))
  await Promise.all(waiting)
}

/** A process that the service works in is killed. */
export const workerKilled: Act = async ({ stage, findings, service }) => {
  const onCallback = () => {
    for (const pid of childrenOf(service.pid)) process.kill(pid, 'SIGKILL')
    return CKR.OK
  }
  const given = {
    mechanism: { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
    publicKeyTemplate: template({ MODULUS_BITS: 16384, PRIVATE: false }),
  }
  await findings.expect('C_GenerateKeyPair', 'FUNCTION_FAILED', () =>
    stage.play('C_GenerateKeyPair', { with: given }, { notifies: true, onCallback }),
  )
}

/** C_Finalize ends the application. */
export const finalize: Act = async ({ stage, findings }) => {
  await findings.expect('C_Finalize', 'OK', () => stage.outside().callWith('C_Finalize', '0'))
  await stage.application.end()
}

/** What is played once the tokens are made; the last ends the application. */
export const withTokens: readonly Act[] = [
  ordinaryCases,
  cancelledCalls,
  callsFromInsideCallback,
  workerKilled,
  sessionClosedMeanwhile,
  finalize,
]

/** Functions that touch the store, while it is in trouble. What objects they need is on the token already. */
const inTrouble =
  (rv: ReturnValue, names: readonly FunctionName[], trouble: Trouble): Act =>
  async ({ stage, findings, service }) => {
    for (const name of names) {
      const made = { ...rowOf(name), ...onStored(name), after: [] }
      const before = () => trouble.begin(service.home)
      const mend = () => trouble.mend(service.home)
      await findings.expect(name, rv, () => stage.play(name, made, { before, mend }))
    }
  }

const STORED: readonly FunctionName[] = ['C_DestroyObject', 'C_SetAttributeValue']

/** The call with an object of the token, or for one. */
function onStored(name: FunctionName) {
  const { with: given } = rowOf(name)
  const object = STORED.includes(name) ? { object: 'lasting' } : {}
  return {
    with: { ...given, ...lasting(name), ...object },
    ...(STORED.includes(name) ? { first: [] } : {}),
  }
}

/** Puts on the token what the next acts need, which are to find it there and not in memory. */
export const storeObjects: Act = async ({ stage }) => {
  for (const name of lastingNames) await stage.object('user', name)
  await stage.object('public', 'lasting')
}

export const damagedStore = inTrouble('DEVICE_ERROR', TOUCHES_STORE, damaged)
export const fullStore = inTrouble('DEVICE_MEMORY', WRITES_STORE, full)

/** The store can only be read: so nobody is logged in. */
export const protectedStore: Act = async ({ stage, findings }) => {
  for (const name of WRITE_PROTECTED) {
    const made = { ...rowOf(name), ...onStored(name), token: 'public' as const }
    await findings.expect(name, 'TOKEN_WRITE_PROTECTED', () => stage.play(name, made))
  }
  await findings.expect('C_Login', 'DEVICE_ERROR', () =>
    stage.play('C_Login', { ...rowOf('C_Login'), after: [] }),
  )
}

/** What a function answers once the service is gone. */
const GONE: Readonly<Partial<Record<FunctionName, ReturnValue>>> = {
  C_GetInfo: 'FUNCTION_FAILED',
  C_GetSlotList: 'FUNCTION_FAILED',
  C_WaitForSlotEvent: 'FUNCTION_FAILED',
  C_GetSlotInfo: 'DEVICE_ERROR',
}

/** The service is told to stop while a call waits for an event. */
export const serviceStopped: Act = async ({ stage, findings, service }) => {
  await findings.expect('C_WaitForSlotEvent', 'FUNCTION_FAILED', async () => {
    const waits = stage.outside().call('C_WaitForSlotEvent', {}, { thread: BUSY })
    await sleep(50)
    await service.stop()
    return waits
  })
}

/** The service is killed, as a power cut would. */
export const serviceKilled: Act = async ({ stage, findings, service }) => {
  const scene: Scene = await stage.scene('user')
  const names = [...listing('DEVICE_REMOVED'), ...(Object.keys(GONE) as FunctionName[])]
  const lines = new Map<FunctionName, string>()
  for (const name of names) lines.set(name, await scene.words(name, rowOf(name).with ?? {}))
  await service.kill9()
  for (const [name, words] of lines)
    await findings.expect(name, GONE[name] ?? 'DEVICE_REMOVED', () => scene.callWith(name, words))
}
