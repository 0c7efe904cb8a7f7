/**
 * A sequence of calls: the model and the real thing side by side, two applications on one token. Each
 * call goes to both, and both must say the same.
 */
import assert from 'node:assert/strict'
import type { Library } from '../../src/cryptoki.ts'
import type { AnswerOf, Application, FunctionName, InputsOf } from '../../src/standard/calls.ts'
import { CKA, CKF, CKU } from '../../src/standard/constants.ts'
import { nameOfReturnValue, returnValueOf } from '../../src/standard/error.ts'
import { functions } from '../../src/standard/functions.ts'
import { label } from '../in-process.ts'
import {
  type Expectation,
  ModelApplication,
  ModelToken,
  type ReturnValue,
  type Rules,
} from './model.ts'
import { objectRules } from './objects.ts'
import { operationRules } from './operations.ts'
import { sessionRules } from './sessions.ts'

export const SO_PIN = 'so-pin'
export const PIN = 'user-pin'

export const RO = CKF.SERIAL_SESSION
export const RW = CKF.SERIAL_SESSION | CKF.RW_SESSION

const rules: Rules = { ...sessionRules, ...objectRules, ...operationRules }

/** What all sequences together have tried. */
export class Tally {
  calls = 0
  /** Return values by function. */
  readonly seen = new Map<FunctionName, Map<ReturnValue, number>>()

  /** Return values that the standard does not list for the function. */
  get unlisted(): string[] {
    return Array.from(this.seen, ([name, values]) =>
      [...values.keys()]
        .filter((rv) => !(functions[name].returns as readonly string[]).includes(rv))
        .map((rv) => `${name}: ${rv}`),
    ).flat()
  }

  count(name: FunctionName, rv: ReturnValue): void {
    this.calls++
    const byName = this.seen.get(name) ?? new Map<ReturnValue, number>()
    byName.set(rv, (byName.get(rv) ?? 0) + 1)
    this.seen.set(name, byName)
  }
}

/** An application, real and modelled. */
export interface Player {
  readonly name: string
  real: Application
  model: ModelApplication
}

/** A session and whose it is. */
export interface ChosenSession {
  readonly player: Player
  readonly handle: number
}

interface Outcome {
  readonly rv: ReturnValue
  readonly answer?: unknown
}

interface Called {
  readonly who: string
  readonly name: FunctionName
  readonly inputs: readonly unknown[]
  readonly outcome: Outcome
}

const nameOf = (rv: number) => nameOfReturnValue(rv).replace('CKR_', '') as ReturnValue

/** The return value of what was not thrown: 5.2 and 5.7.5. */
function returned(name: FunctionName, inputs: readonly unknown[], answer: unknown): ReturnValue {
  if (typeof answer !== 'object' || answer === null) return 'OK'
  if ('rv' in answer) return nameOf(answer.rv as number)
  const room = functions[name].args.at(-1)?.kind === 'room' ? inputs.at(-1) : null
  return 'needed' in answer && room !== null ? 'BUFFER_TOO_SMALL' : 'OK'
}

async function outcomeOf(
  real: Application,
  name: FunctionName,
  inputs: readonly unknown[],
): Promise<Outcome> {
  try {
    const answer: unknown = await real.call(name, inputs as never)
    return { rv: returned(name, inputs, answer), answer }
  } catch (error) {
    return { rv: nameOf(returnValueOf(error)) }
  }
}

/** Inputs as a line of the log shows them. */
const shown = (inputs: readonly unknown[]) =>
  JSON.stringify(inputs, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && 'data' in value && 'type' in value
      ? Buffer.from(value.data as number[]).toString('hex')
      : value,
  )

export class World {
  readonly token: ModelToken
  readonly players: readonly Player[]
  readonly #library: Library
  readonly #tally: Tally
  /** Every call so far, for whoever looks for the fault. */
  readonly #log: Called[] = []

  /** Makes a token in the free slot. The user is logged in to one application, nobody to the other. */
  static async open(library: Library, tally: Tally): Promise<World> {
    const first = library.open()
    const slots = await first.call('C_GetSlotList', [true, 1 << 20])
    const slot = (slots as readonly number[]).at(-1) as number
    await first.call('C_InitToken', [slot, Buffer.from(SO_PIN), label('model')])
    const world = new World(library, tally, slot, [first, library.open()])
    const [player] = world.players
    if (player) await world.#logIn(player)
    return world
  }

  private constructor(
    library: Library,
    tally: Tally,
    slot: number,
    applications: readonly Application[],
  ) {
    this.#library = library
    this.#tally = tally
    this.token = new ModelToken(slot, SO_PIN)
    this.players = applications.map((real, at) => {
      const model = new ModelApplication(this.token)
      return { name: `application ${at}`, real, model }
    })
  }

  async #logIn(player: Player): Promise<void> {
    for (const one of this.players)
      await this.call(one, 'C_OpenSession', [this.token.slot, RW, false])
    const [handle = 0] = player.model.sessions.keys()
    await this.call(player, 'C_Login', [handle, CKU.SO, Buffer.from(SO_PIN)])
    await this.call(player, 'C_InitPIN', [handle, Buffer.from(PIN)])
    await this.call(player, 'C_Logout', [handle])
    await this.call(player, 'C_Login', [handle, CKU.USER, Buffer.from(PIN)])
  }

  /** Every session that is open. */
  get sessions(): ChosenSession[] {
    return this.players.flatMap((player) =>
      Array.from(player.model.sessions.keys(), (handle) => ({ player, handle })),
    )
  }

  /** Makes a call in the model and in earnest. Throws an AssertionError where they differ. */
  async call<N extends FunctionName>(player: Player, name: N, inputs: InputsOf<N>): Promise<void> {
    const rule = rules[name]
    assert.ok(rule, `the model has no ${name}`)
    const expectation = rule(player.model, ...inputs) as Expectation<AnswerOf<N>>
    const { rv, answer } = await outcomeOf(player.real, name, inputs)
    this.#tally.count(name, rv)
    this.#log.push({ who: player.name, name, inputs, outcome: { rv, answer } })
    const expected = expectation.rv.join(' or CKR_')
    assert.ok(expectation.rv.includes(rv), `${name} is CKR_${rv}, and must be CKR_${expected}`)
    if (answer !== undefined || rv === 'OK')
      await expectation.take?.(answer as AnswerOf<N>, (session, handle) =>
        this.#identify(player, session, handle),
      )
  }

  async #identify(player: Player, session: number, handle: number): Promise<string | undefined> {
    const query = [{ type: CKA.UNIQUE_ID, room: 32 }]
    const inputs: InputsOf<'C_GetAttributeValue'> = [session, handle, query]
    const { rv, answer } = await outcomeOf(player.real, 'C_GetAttributeValue', inputs)
    if (rv === 'OBJECT_HANDLE_INVALID') return undefined
    const [told] = (answer as AnswerOf<'C_GetAttributeValue'>).answers
    return Buffer.from(told?.value as Uint8Array).toString()
  }

  /** C_Finalize and C_Initialize again; between them nothing works. */
  async restart(player: Player): Promise<void> {
    const { slot } = this.token
    await player.real.call('C_Finalize', [])
    player.model.finalize()
    await this.call(player, 'C_OpenSession', [slot, RW, false])
    await this.call(player, 'C_GetSessionInfo', [1])
    player.real = this.#library.open()
    player.model = new ModelApplication(this.token)
  }

  /** Looks at everything that can be seen of the state. */
  async audit(): Promise<void> {
    for (const player of this.players) {
      await this.call(player, 'C_GetTokenInfo', [this.token.slot])
      for (const session of player.model.sessions.values()) {
        await this.call(player, 'C_GetSessionInfo', [session.handle])
        if (session.search !== undefined)
          await this.call(player, 'C_FindObjectsFinal', [session.handle])
        await this.search(player, session.handle)
      }
    }
  }

  /** Finds all objects there are to be seen. */
  async search(player: Player, session: number): Promise<void> {
    await this.call(player, 'C_FindObjectsInit', [session, []])
    await this.call(player, 'C_FindObjects', [session, 1000])
    await this.call(player, 'C_FindObjects', [session, 1])
    await this.call(player, 'C_FindObjectsFinal', [session])
  }

  /** What was called, for the message of a failure. */
  get log(): string {
    return this.#log
      .map(({ who, name, inputs, outcome: { rv, answer } }) => {
        return `${who}: ${name}${shown(inputs)} -> ${rv} ${shown([answer])}`
      })
      .join('\n')
  }

  async close(): Promise<void> {
    for (const { real } of this.players) await real.close()
  }
}
