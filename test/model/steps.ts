/** A step of a sequence: something chosen at random, done in a world whatever its state is. */
import fc, { type Arbitrary, type AsyncCommand } from 'fast-check'
import type { Attribute } from '../../src/standard/calls.ts'
import { forms, PLAIN } from './keys.ts'
import type { ModelObject } from './object.ts'
import { type ChosenSession, type Player, RW, type World } from './world.ts'

/** A handle that was never given. */
const BOGUS = 2 ** 40

export class Step implements AsyncCommand<World, World> {
  readonly #name: string
  readonly #run: (world: World) => Promise<void>

  constructor(name: string, run: (world: World) => Promise<void>) {
    this.#name = name
    this.#run = run
  }

  check(): boolean {
    return true
  }

  run(_model: World, world: World): Promise<void> {
    return this.#run(world)
  }

  toString(): string {
    return this.#name
  }
}

/** Steps that come `weight` times as often as one of weight 1. */
export interface Steps {
  readonly weight: number
  readonly arbitrary: Arbitrary<Step>
}

export const steps = <Chosen>(
  weight: number,
  name: string,
  choices: Arbitrary<Chosen>,
  act: (world: World, chosen: Chosen) => Promise<void>,
): Steps => ({
  weight,
  arbitrary: choices.map((chosen) => new Step(name, (world) => act(world, chosen))),
})

/** One of some things that are known only when the step is done; `wild`: one that is not fit. */
export interface Choice {
  readonly at: number
  readonly wild: boolean
}

const rarely = fc.nat(11).map((number) => number === 11)

export const choice: Arbitrary<Choice> = fc.record({ at: fc.nat(99), wild: rarely })

export const chosenOf = <T>(things: readonly T[], { at }: Choice): T | undefined =>
  things[at % things.length]

/** `often` in most cases, one of the others in some. */
export const mostly = <T>(often: T, ...others: readonly T[]): Arbitrary<T> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(often) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  )

export const playerOf = (world: World, which: Choice): Player =>
  chosenOf(world.players, which) as Player

/**
 * An open session, one that is fit where there is one; where the choice is wild, any that ever was,
 * another's or none at all. Where none is open, one is opened: otherwise most of a sequence would go
 * nowhere, and so it is with objects.
 */
export async function sessionOf(
  world: World,
  which: Choice,
  isFit: (session: ChosenSession) => boolean = () => true,
): Promise<ChosenSession> {
  const player = playerOf(world, which)
  if (which.wild)
    return { player, handle: chosenOf([...world.token.sessions, 0, BOGUS], which) ?? 0 }
  if (world.sessions.length === 0)
    await world.call(player, 'C_OpenSession', [world.token.slot, RW, false])
  const live = chosenOf(world.sessions.filter(isFit), which) ?? chosenOf(world.sessions, which)
  return live ?? { player, handle: BOGUS }
}

/** What an object must be, and the template for one where there is none. */
export interface Wanted {
  readonly isFit: (object: ModelObject) => boolean
  readonly template: readonly Attribute[]
}

const anything: Wanted = { isFit: () => true, template: forms.data?.(PLAIN) ?? [] }

/** A handle of an object that is fit; where the choice is wild, any that ever was, or none at all. */
export async function objectOf(
  world: World,
  { player, handle }: ChosenSession,
  which: Choice,
  { isFit, template }: Wanted = anything,
): Promise<number> {
  const { model } = player
  if (which.wild) return chosenOf([...model.given.keys(), 0, BOGUS], which) ?? 0
  const fit = () => [...model.handles].flatMap(([object, known]) => (isFit(known) ? [object] : []))
  if (fit().length === 0) await world.call(player, 'C_CreateObject', [handle, template])
  return chosenOf(fit(), which) ?? BOGUS
}
