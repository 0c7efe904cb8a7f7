/** Steps with objects. */
import fc, { type Arbitrary } from 'fast-check'
import type { Attribute, FunctionName, InputsOf } from '../../src/standard/calls.ts'
import { CKA, CKO } from '../../src/standard/constants.ts'
import { template } from '../in-process.ts'
import { type Chosen, forms } from './keys.ts'
import { choice, mostly, objectOf, type Steps, sessionOf, steps } from './steps.ts'
import type { ChosenSession } from './world.ts'

const LABELS = ['one', 'two', 'three'] as const

const chosen: Arbitrary<Chosen> = fc.record({
  label: fc.constantFrom(...LABELS),
  token: fc.boolean(),
  private: fc.boolean(),
  modifiable: mostly(true, false),
  destroyable: mostly(true, false),
  copyable: mostly(true, false),
  sensitive: fc.boolean(),
  extractable: fc.boolean(),
  encrypts: mostly(true, false),
  decrypts: mostly(true, false),
  signs: mostly(true, false),
  verifies: mostly(true, false),
  asksForLogin: fc.boolean(),
  value: fc.nat(60),
})

const flag = <Name extends keyof typeof CKA>(name: Name) =>
  fc.boolean().map((value) => template({ [name]: value }))

const newLabel = fc.constantFrom(...LABELS).map((text) => template({ LABEL: text }))
const classes = fc.constantFrom(CKO.DATA, CKO.SECRET_KEY, CKO.PUBLIC_KEY, CKO.PRIVATE_KEY)
const newClass = classes.map((value) => template({ CLASS: value }))

const several = (...parts: readonly Arbitrary<Attribute[]>[]) =>
  fc.tuple(...parts).map((templates) => templates.flat())

/** New values for attributes of an object, some of which may not be changed. */
const changes = fc.oneof(
  { weight: 4, arbitrary: newLabel },
  { weight: 3, arbitrary: fc.oneof(flag('SENSITIVE'), flag('EXTRACTABLE')) },
  { weight: 3, arbitrary: fc.oneof(flag('ENCRYPT'), flag('SIGN'), flag('VERIFY')) },
  { weight: 1, arbitrary: fc.oneof(newClass, flag('TOKEN'), flag('PRIVATE'), flag('MODIFIABLE')) },
  { weight: 2, arbitrary: several(newLabel, fc.oneof(flag('SENSITIVE'), flag('TOKEN'))) },
)

const copies = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Attribute[]>([]) },
  { weight: 3, arbitrary: fc.oneof(flag('TOKEN'), flag('PRIVATE'), flag('DESTROYABLE')) },
  { weight: 2, arbitrary: several(newLabel, flag('TOKEN'), flag('PRIVATE')) },
  { weight: 2, arbitrary: changes },
)

/** What is searched for. */
const searches = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Attribute[]>([]) },
  { weight: 2, arbitrary: newLabel },
  { weight: 2, arbitrary: newClass },
  { weight: 2, arbitrary: fc.oneof(flag('TOKEN'), flag('PRIVATE'), flag('SENSITIVE')) },
  { weight: 2, arbitrary: fc.nat(60).map((n) => template({ VALUE: Buffer.alloc(16, n) })) },
  { weight: 1, arbitrary: several(newLabel, newClass, flag('TOKEN')) },
)

const ASKED = [
  ...[CKA.CLASS, CKA.TOKEN, CKA.PRIVATE, CKA.LABEL, CKA.VALUE, CKA.VALUE, CKA.UNIQUE_ID],
  ...[CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.SIGN, CKA.ENCRYPT, CKA.MODIFIABLE, CKA.MODULUS],
]

const queries = fc.array(
  fc.record({
    type: fc.constantFrom(...ASKED),
    room: fc.oneof(fc.constant(null), fc.constantFrom(0, 1, 8, 16, 100)),
  }),
  { minLength: 1, maxLength: 4 },
)

type OnObject = FunctionName &
  ('C_CopyObject' | 'C_DestroyObject' | 'C_GetAttributeValue' | 'C_SetAttributeValue')

/** A function on an object. */
const onObject = <N extends OnObject, More extends unknown[]>(
  weight: number,
  name: N,
  more: Arbitrary<More>,
): Steps =>
  steps(
    weight,
    name,
    fc.record({ which: choice, what: choice, more }),
    async (world, { which, what, more: rest }) => {
      const session = await sessionOf(world, which)
      const object = await objectOf(world, session, what)
      const inputs = [session.handle, object, ...rest] as unknown as InputsOf<N>
      return world.call(session.player, name, inputs)
    },
  )

const alone = <T>(arbitrary: Arbitrary<T>): Arbitrary<[T]> => fc.tuple(arbitrary)

const creating = Object.entries(forms).map(([name, form]) =>
  steps(
    7,
    `create ${name}`,
    fc.record({ which: choice, chosen }),
    async (world, { which, chosen }) => {
      const { player, handle } = await sessionOf(world, which)
      return world.call(player, 'C_CreateObject', [handle, form(chosen)])
    },
  ),
)

const isSearching = ({ player, handle }: ChosenSession) =>
  player.model.sessions.get(handle)?.search !== undefined

const searching: readonly Steps[] = [
  steps(6, 'begin a search', fc.record({ which: choice, searches }), async (world, chosen) => {
    const { player, handle } = await sessionOf(world, chosen.which)
    return world.call(player, 'C_FindObjectsInit', [handle, chosen.searches])
  }),
  steps(
    8,
    'go on with a search',
    fc.record({ which: choice, most: fc.constantFrom(0, 1, 2, 100) }),
    async (world, { which, most }) => {
      const { player, handle } = await sessionOf(world, which, isSearching)
      return world.call(player, 'C_FindObjects', [handle, most])
    },
  ),
  steps(3, 'end a search', choice, async (world, which) => {
    const { player, handle } = await sessionOf(world, which, isSearching)
    return world.call(player, 'C_FindObjectsFinal', [handle])
  }),
  steps(5, 'search', choice, async (world, which) => {
    const session = await sessionOf(world, which)
    if (!isSearching(session)) await world.search(session.player, session.handle)
  }),
]

export const objectSteps: readonly Steps[] = [
  ...creating,
  ...searching,
  onObject(8, 'C_CopyObject', alone(copies)),
  onObject(6, 'C_DestroyObject', fc.constant([])),
  onObject(10, 'C_GetAttributeValue', alone(queries)),
  onObject(10, 'C_SetAttributeValue', alone(changes)),
]
