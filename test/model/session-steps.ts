/** Steps with sessions, logins and PINs. */
import fc from 'fast-check'
import { CKF, CKU } from '../../src/standard/constants.ts'
import { label } from '../in-process.ts'
import { choice, mostly, playerOf, type Steps, sessionOf, steps } from './steps.ts'
import { PIN, RO, RW, SO_PIN, type World } from './world.ts'

const NEW_PIN = 'another-pin'
const NO_SLOT = 2 ** 40

const flags = fc.oneof(
  { weight: 8, arbitrary: fc.constant(RW) },
  { weight: 4, arbitrary: fc.constant(RO) },
  { weight: 1, arbitrary: fc.constantFrom(CKF.RW_SESSION, 0) },
)

/** The PIN that is right, or one that is not. */
type PinChoice = 'right' | 'wrong' | 'empty' | 'null'

const pinChoice = mostly<PinChoice>('right', 'wrong', 'wrong', 'empty', 'null')

function pinFor({ token }: World, owner: 'so' | 'user', which: PinChoice): Buffer | null {
  if (which === 'null') return null
  if (which === 'empty') return Buffer.alloc(0)
  return Buffer.from(which === 'right' ? (token.pins[owner] ?? PIN) : 'a-wrong-pin')
}

const newPin = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(PIN, NEW_PIN, SO_PIN) },
  { weight: 1, arbitrary: fc.constantFrom('', 'abc', 'x'.repeat(256)) },
)

const userType = fc.oneof(
  { weight: 10, arbitrary: fc.constant(CKU.USER) },
  { weight: 3, arbitrary: fc.constant(CKU.SO) },
  { weight: 3, arbitrary: fc.constant(CKU.CONTEXT_SPECIFIC) },
  { weight: 1, arbitrary: fc.constant(77) },
)

const ownerOf = (type: number) => (type === CKU.SO ? 'so' : 'user')

export const sessionSteps: readonly Steps[] = [
  steps(
    12,
    'open a session',
    fc.record({ who: choice, flags, slot: choice }),
    (world, { who, flags: how, slot }) =>
      world.call(playerOf(world, who), 'C_OpenSession', [
        slot.wild && slot.at === 0 ? NO_SLOT : world.token.slot,
        how,
        false,
      ]),
  ),
  steps(5, 'close a session', choice, async (world, which) => {
    const { player, handle } = await sessionOf(world, which)
    return world.call(player, 'C_CloseSession', [handle])
  }),
  steps(1, 'close all sessions', choice, (world, who) =>
    world.call(playerOf(world, who), 'C_CloseAllSessions', [world.token.slot]),
  ),
  steps(1, 'begin again', choice, (world, who) => world.restart(playerOf(world, who))),
  steps(3, 'look at a session', choice, async (world, which) => {
    const { player, handle } = await sessionOf(world, which)
    return world.call(player, 'C_GetSessionInfo', [handle])
  }),
  steps(3, 'look at the token', choice, (world, who) =>
    world.call(playerOf(world, who), 'C_GetTokenInfo', [world.token.slot]),
  ),
  steps(
    20,
    'log in',
    fc.record({ which: choice, type: userType, pin: pinChoice }),
    async (world, { which, type, pin }) => {
      const { player, handle } = await sessionOf(world, which)
      return world.call(player, 'C_Login', [handle, type, pinFor(world, ownerOf(type), pin)])
    },
  ),
  steps(
    2,
    'try wrong PINs',
    fc.record({ which: choice, type: userType, times: fc.integer({ min: 2, max: 12 }) }),
    async (world, { which, type, times }) => {
      const { player, handle } = await sessionOf(world, which)
      for (let time = 0; time < times; time++)
        await world.call(player, 'C_Login', [handle, type, Buffer.from(`wrong-${time}`)])
    },
  ),
  steps(4, 'log out', choice, async (world, which) => {
    const { player, handle } = await sessionOf(world, which)
    return world.call(player, 'C_Logout', [handle])
  }),
  steps(2, 'set the user PIN', fc.record({ which: choice, newPin }), async (world, chosen) => {
    const { player, handle } = await sessionOf(world, chosen.which)
    return world.call(player, 'C_InitPIN', [handle, Buffer.from(chosen.newPin)])
  }),
  steps(
    2,
    'change a PIN',
    fc.record({ which: choice, pin: mostly<PinChoice>('right', 'wrong', 'empty'), newPin }),
    async (world, { which, pin, newPin: fresh }) => {
      const { player, handle } = await sessionOf(world, which)
      const old = pinFor(world, player.model.login ?? 'user', pin)
      return world.call(player, 'C_SetPIN', [handle, old, Buffer.from(fresh)])
    },
  ),
  steps(
    2,
    'initialise the token',
    fc.record({
      who: choice,
      pin: mostly<PinChoice>('right', 'wrong'),
      closing: mostly(true, false),
    }),
    async (world, { who, pin, closing }) => {
      const { slot } = world.token
      const player = playerOf(world, who)
      if (closing)
        for (const one of world.players) await world.call(one, 'C_CloseAllSessions', [slot])
      await world.call(player, 'C_InitToken', [slot, pinFor(world, 'so', pin), label('again')])
    },
  ),
]
