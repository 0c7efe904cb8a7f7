/** Steps with operations. */
import fc, { type Arbitrary } from 'fast-check'
import {
  type Attribute,
  type Data,
  dataOf,
  type FunctionName,
  type Room,
} from '../../src/standard/calls.ts'
import { CKK, CKM, CKU } from '../../src/standard/constants.ts'
import { forms, PLAIN } from './keys.ts'
import { type Kind, type ModelOperation, mechanisms, type Step, USAGE } from './operation.ts'
import {
  type Choice,
  choice,
  chosenOf,
  objectOf,
  type Steps,
  sessionOf,
  steps,
  type Wanted,
} from './steps.ts'
import type { ChosenSession, World } from './world.ts'

const KINDS: readonly Kind[] = ['digest', 'encrypt', 'decrypt', 'sign', 'verify']

interface Begin {
  readonly which: Choice
  readonly mechanism: Choice
  readonly key: Choice
  readonly parameter: 'fit' | 'none' | 'short'
}

const begins: Arbitrary<Begin> = fc.record({
  which: choice,
  mechanism: choice,
  key: choice,
  parameter: fc.oneof(
    { weight: 12, arbitrary: fc.constant('fit' as const) },
    { weight: 1, arbitrary: fc.constantFrom('none' as const, 'short' as const) },
  ),
})

function parameterOf(bytes: number, parameter: Begin['parameter']): Uint8Array | null {
  if (parameter === 'short') return Buffer.alloc(3)
  return parameter === 'none' || bytes === 0 ? null : Buffer.alloc(bytes, 0x17)
}

const NAMES = {
  digest: 'Digest',
  encrypt: 'Encrypt',
  decrypt: 'Decrypt',
  sign: 'Sign',
  verify: 'Verify',
} as const

/** The form of the keys that are fit for a mechanism. */
function formFor(keyType: number | undefined, kind: Kind): string {
  if (keyType === CKK.AES) return 'aes'
  if (keyType === CKK.GENERIC_SECRET) return 'mac'
  return kind === 'sign' ? 'privateKey' : 'publicKey'
}

async function begin(world: World, kind: Kind, chosen: Begin): Promise<void> {
  await beginIn(world, await sessionOf(world, chosen.which), kind, chosen)
}

/** A key for where there is none that is fit: as often on the token as not, private where it may be. */
function keyFor(
  { player: { model }, handle }: ChosenSession,
  keyType: number | undefined,
  kind: Kind,
  which: Choice,
): readonly Attribute[] {
  const token = model.sessions.get(handle)?.readWrite === true && which.at % 2 === 0
  const isPrivate = model.login === 'user' && which.at % 3 > 0
  const like = { ...PLAIN, token, private: isPrivate, asksForLogin: true }
  return forms[formFor(keyType, kind)]?.(like) ?? []
}

async function beginIn(
  world: World,
  session: ChosenSession,
  kind: Kind,
  { mechanism, key, parameter }: Begin,
): Promise<void> {
  const { player, handle } = session
  const fit = mechanisms.filter(({ kinds }) => kinds.includes(kind))
  const row = chosenOf(mechanism.wild ? mechanisms : fit, mechanism)
  const type = row?.type ?? CKM.SHA256
  const argument = { type, parameter: parameterOf(row?.parameter ?? 0, parameter) }
  if (kind === 'digest') return world.call(player, 'C_DigestInit', [handle, argument])
  const wanted: Wanted = {
    isFit: (object) =>
      object.keyType === row?.keyType && (key.at % 8 === 0 || object.is(USAGE[kind])),
    template: keyFor(session, row?.keyType, kind, key),
  }
  const object = await objectOf(world, session, key, wanted)
  return world.call(player, `C_${NAMES[kind]}Init`, [handle, argument, object])
}

const beginning = (weight: number, kind: Kind): Steps =>
  steps(weight, `begin to ${kind}`, begins, (world, chosen) => begin(world, kind, chosen))

interface GoOn {
  /** Which operation there is to go on with; where it is wild, whether there is one or not. */
  readonly which: Choice
  /** What begins one where there is none. */
  readonly begin: Begin
  readonly length: number
  /** Whether data and signatures are right where the model can make them so. */
  readonly right: boolean
  readonly room: Room
}

const length = fc.oneof(
  { weight: 3, arbitrary: fc.nat(50) },
  { weight: 3, arbitrary: fc.nat(4).map((blocks) => blocks * 16) },
  { weight: 1, arbitrary: fc.constant(1000) },
)

const room: Arbitrary<Room> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(2000) },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 15, 16, 31, 32, 33, 48, 63, 64) },
)

const going: Arbitrary<GoOn> = fc.record({
  which: choice,
  begin: begins,
  length,
  right: fc.nat(3).map((n) => n > 0),
  room,
})

/** Data for an operation: its encrypted end where a padded decryption is to end well. */
function dataFor(operation: ModelOperation | undefined, step: Step, { length, right }: GoOn): Data {
  const bytes = Buffer.from(Array.from({ length }, (_, at) => (at * 7 + length) & 0xff))
  const ends = step === 'whole' && right && operation?.waiting === undefined
  if (ends && operation?.kind === 'decrypt' && operation.mechanism === CKM.AES_CBC_PAD)
    return dataOf(operation.padding(bytes))
  return dataOf(bytes)
}

function signatureFor(operation: ModelOperation | undefined, data: Data, chosen: GoOn): Buffer {
  if (operation === undefined || !chosen.right) return Buffer.alloc(chosen.length, 1)
  return operation.signature(data.read(0, data.length) as Uint8Array)
}

const NO_DATA = dataOf(new Uint8Array())

type Active = ChosenSession & { readonly kind: Kind }

const activeIn = ({ player, handle }: ChosenSession): Active[] =>
  Array.from(player.model.sessions.get(handle)?.operations.keys() ?? [], (kind) => ({
    player,
    handle,
    kind,
  }))

/** An operation that is active; one is begun where there is none. */
async function operationOf(world: World, { which, begin: first }: GoOn): Promise<Active> {
  const kind = chosenOf(KINDS, which) as Kind
  if (which.wild) return { ...(await sessionOf(world, first.which)), kind }
  const active = () => world.sessions.flatMap(activeIn)
  if (active().length === 0) await begin(world, kind, first)
  return chosenOf(active(), which) ?? { ...(await sessionOf(world, which)), kind }
}

/** 4.10: mostly the user logs in for the key that asks for it. */
async function logInFor(world: World, { player, handle, kind }: Active, chosen: GoOn) {
  const operation = player.model.sessions.get(handle)?.operations.get(kind)
  const { pins, failures } = world.token
  if (!operation?.awaitsLogin || !chosen.right || failures.user > 0) return
  const pin = Buffer.from(pins.user as string)
  await world.call(player, 'C_Login', [handle, CKU.CONTEXT_SPECIFIC, pin])
}

async function goOn(world: World, step: Step, chosen: GoOn): Promise<void> {
  const active = await operationOf(world, chosen)
  await logInFor(world, active, chosen)
  const { player, handle, kind } = active
  const operation = player.model.sessions.get(handle)?.operations.get(kind)
  const data = dataFor(operation, step, chosen)
  if (kind === 'verify') {
    const signature = signatureFor(operation, step === 'last' ? NO_DATA : data, chosen)
    if (step === 'whole') return world.call(player, 'C_Verify', [handle, data, signature])
    if (step === 'part') return world.call(player, 'C_VerifyUpdate', [handle, data])
    return world.call(player, 'C_VerifyFinal', [handle, signature])
  }
  const name = NAMES[kind]
  if (step === 'whole') return world.call(player, `C_${name}`, [handle, data, chosen.room])
  if (step === 'last') return world.call(player, `C_${name}Final`, [handle, chosen.room])
  if (kind === 'encrypt' || kind === 'decrypt')
    return world.call(player, `C_${NAMES[kind]}Update`, [handle, data, chosen.room])
  return world.call(player, `C_${NAMES[kind]}Update`, [handle, data])
}

const isPadded = (operation: ModelOperation | undefined) =>
  operation?.mechanism === CKM.AES_CBC_PAD && operation.waiting === undefined

/** Puts what is lacking to a padded decryption in with an Update, so that its Final ends well. */
async function complete(world: World, chosen: GoOn): Promise<void> {
  const decrypting = ({ player, handle }: ChosenSession) =>
    player.model.sessions.get(handle)?.operations.get('decrypt')
  const session = await sessionOf(world, chosen.which, (one) => isPadded(decrypting(one)))
  const operation = decrypting(session)
  if (operation === undefined || !isPadded(operation)) return
  const end = dataOf(operation.padding(Buffer.alloc(chosen.length, 3)))
  await world.call(session.player, 'C_DecryptUpdate', [session.handle, end, 2000])
  await world.call(session.player, 'C_DecryptFinal', [session.handle, chosen.room])
}

const DUAL = [
  { name: 'C_DigestEncryptUpdate', kinds: ['digest', 'encrypt'] },
  { name: 'C_DecryptDigestUpdate', kinds: ['decrypt', 'digest'] },
  { name: 'C_SignEncryptUpdate', kinds: ['sign', 'encrypt'] },
  { name: 'C_DecryptVerifyUpdate', kinds: ['decrypt', 'verify'] },
] as const satisfies readonly { readonly name: FunctionName; readonly kinds: readonly Kind[] }[]

/** A dual function, in a session that has both operations where there is one, else after beginning them. */
async function doTwo(world: World, chosen: GoOn): Promise<void> {
  const { which, begin: first } = chosen
  const { name, kinds } = chosenOf(DUAL, first.mechanism) as (typeof DUAL)[number]
  const lacking = (session: ChosenSession) =>
    kinds.filter((kind) => !activeIn(session).some((one) => one.kind === kind))
  const session = await sessionOf(world, which, (one) => lacking(one).length === 0)
  if (chosen.right && !which.wild)
    for (const kind of lacking(session)) await beginIn(world, session, kind, first)
  for (const active of activeIn(session)) await logInFor(world, active, chosen)
  const data = dataFor(undefined, 'part', chosen)
  await world.call(session.player, name, [session.handle, data, chosen.room])
}

export const operationSteps: readonly Steps[] = [
  beginning(6, 'digest'),
  beginning(10, 'encrypt'),
  beginning(12, 'decrypt'),
  beginning(12, 'sign'),
  beginning(8, 'verify'),
  steps(25, 'do it whole', going, (world, chosen) => goOn(world, 'whole', chosen)),
  steps(22, 'do a part', going, (world, chosen) => goOn(world, 'part', chosen)),
  steps(20, 'do the last', going, (world, chosen) => goOn(world, 'last', chosen)),
  steps(6, 'complete a decryption', going, complete),
  steps(10, 'do two at once', going, doTwo),
]
