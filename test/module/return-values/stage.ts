/** A stage for cases: one application, its sessions, and the objects that cases name. */
import assert from 'node:assert/strict'
import type { Attribute, FunctionName } from '../../../src/standard/calls.ts'
import { CKA, CKF, CKR } from '../../../src/standard/constants.ts'
import { nameOfReturnValue } from '../../../src/standard/error.ts'
import { type ArgumentKind, type ArgumentRow, functions } from '../../../src/standard/functions.ts'
import { template } from '../../in-process.ts'
import type { Application, CallOptions } from './application.ts'
import type { Case, ReturnValue, Step } from './cases.ts'
import { rowOf } from './chapters/all.ts'
import { templates } from './objects.ts'
import { logIn, makeTokens, RW, slotOf, type TokenName } from './tokens.ts'
import { type Arguments, type Lookup, wordsOf } from './words.ts'

/** Told of every return value of every call. */
export type Watch = (name: FunctionName, rv: number) => void

export const isOnSession = (name: FunctionName): boolean =>
  functions[name].args[0]?.kind === 'session'

function check(what: string, rv: number, expected: ReturnValue): void {
  assert.equal(nameOfReturnValue(rv), `CKR_${expected}`, what)
}

/** Bytes of output by the length behind it, which counts the elements of a list. */
function filled(name: FunctionName, length: Buffer): number {
  const args: readonly ArgumentRow[] = functions[name].args
  const isList = args.some(({ kind }) => kind === 'list' || kind === 'found')
  return Number(length.readBigUInt64LE()) * (isList ? 8 : 1)
}

/** One session and what its calls put out; or none, for functions that have no session. */
export class Scene implements Lookup {
  readonly session: number
  readonly #stage: Stage
  readonly #token: TokenName
  readonly #outputs = new Map<FunctionName, Buffer>()

  constructor(stage: Stage, token: TokenName, session: number) {
    this.#stage = stage
    this.#token = token
    this.session = session
  }

  named(name: string, kind: ArgumentKind): number | Promise<number> {
    if (kind !== 'slot') return this.#stage.object(this.#token, name)
    return slotOf(name) ?? assert.fail(`there is no token ${name}`)
  }

  output(from: FunctionName): Buffer | undefined {
    return this.#outputs.get(from)
  }

  /** The words of a call in this session. */
  words(name: FunctionName, given: Arguments): Promise<string> {
    const on = isOnSession(name) ? { session: this.session } : {}
    return wordsOf(name, { ...on, ...given }, this)
  }

  /** Answers the return value. */
  async call(name: FunctionName, given: Arguments, options?: CallOptions): Promise<number> {
    const words = await this.words(name, given)
    return this.callWith(name, words, options)
  }

  /** The same with words that are there already. */
  async callWith(name: FunctionName, words: string, options?: CallOptions): Promise<number> {
    const { rv, outputs } = await this.#stage.application.call(name, words, options)
    this.#stage.watch(name, rv)
    const [first, second] = outputs
    if (rv === CKR.OK && first !== undefined)
      this.#outputs.set(name, first.subarray(0, second && filled(name, second)))
    return rv
  }

  async step(step: Step): Promise<void> {
    const {
      call,
      answers = 'OK',
      times = 1,
      ...rest
    } = typeof step === 'string' ? { call: step } : step
    const rv = await this.call(call, { ...rowOf(call).with, ...rest.with }, { times })
    check(`${call} as a step`, rv, answers)
  }

  async steps(steps: readonly Step[] = []): Promise<void> {
    for (const step of steps) await this.step(step)
  }
}

export class Stage {
  readonly application: Application
  readonly watch: Watch
  /** Objects are token objects, found by their labels where they are there already. */
  readonly #lasting: boolean
  readonly #bases = new Map<TokenName, Promise<Scene>>()
  readonly #objects = new Map<string, Promise<number>>()

  constructor(application: Application, watch: Watch, lasting = false) {
    this.application = application
    this.watch = watch
    this.#lasting = lasting
  }

  /** A scene without a session. */
  outside(token: TokenName = 'user'): Scene {
    return new Scene(this, token, 0)
  }

  async initialize(): Promise<void> {
    check('C_Initialize', await this.outside().call('C_Initialize', {}), 'OK')
  }

  /** C_Finalize, and the end of the program. */
  async end(): Promise<void> {
    check('C_Finalize', await this.outside().call('C_Finalize', {}), 'OK')
    await this.application.end()
  }

  async makeTokens(): Promise<void> {
    const outside = this.outside()
    let scene = outside
    const call =
      (rv: ReturnValue = 'OK') =>
      async (name: FunctionName, given: Arguments) =>
        check(`${name} of a new token`, await scene.call(name, given), rv)
    await makeTokens(
      call(),
      async (slotID, work) => {
        scene = await this.#open(slotID, 'user', RW)
        await work(call())
        await scene.call('C_CloseSession', {})
        scene = outside
      },
      call('PIN_INCORRECT'),
    )
  }

  /** A session with a token whose login is as its row says. */
  async scene(token: TokenName, how: SceneOptions = {}): Promise<Scene> {
    await this.#base(token)
    const flags = how.readOnly ? CKF.SERIAL_SESSION : RW
    return this.#open(slotOf(token) as number, token, flags, how.notifies)
  }

  /**
   * Makes a case's call in a session of its own and answers what it returned. `before` is called once
   * the steps are done, `mend` once the call is.
   */
  async play(
    name: FunctionName,
    { with: given, first, after, token, readOnly }: Omit<Case, 'rv'>,
    { before, mend, onCallback, notifies }: PlayOptions = {},
  ): Promise<number> {
    const row = rowOf(name)
    const where = token ?? row.token ?? 'user'
    await this.#base(where)
    const scene = isOnSession(name)
      ? await this.scene(where, { readOnly, notifies })
      : this.outside(where)
    await scene.steps(first ?? row.first)
    const words = await scene.words(name, { ...row.with, ...given })
    await before?.()
    const rv = await scene.callWith(name, words, onCallback && { onCallback })
    await mend?.()
    await scene.steps(after)
    if (scene.session !== 0 && name !== 'C_CloseSession') await scene.call('C_CloseSession', {})
    return rv
  }

  /** The handle of an object of objects.ts on a token, made when it is first asked for. */
  object(token: TokenName, name: string): Promise<number> {
    const key = `${token} ${name}`
    const known = this.#objects.get(key) ?? this.#objectOn(token, name)
    this.#objects.set(key, known)
    return known
  }

  async #objectOn(token: TokenName, name: string): Promise<number> {
    const base = await this.#base(token)
    const made = templates[name] ?? assert.fail(`there is no object ${name}`)
    if ('words' in made) return this.#create(base, made)
    const lasts = this.#lasting || name === 'lasting'
    if (!lasts) return this.#create(base, made)
    return (
      (await this.#find(base, name)) ||
      this.#create(base, [...made, ...template({ TOKEN: true, LABEL: name })])
    )
  }

  async #create(base: Scene, made: Arguments[string]): Promise<number> {
    check('C_CreateObject', await base.call('C_CreateObject', { template: made }), 'OK')
    return Number(base.output('C_CreateObject')?.readBigUInt64LE())
  }

  /** 0 where there is none. */
  async #find(base: Scene, name: string): Promise<number> {
    const labelled: Attribute[] = [{ type: CKA.LABEL, value: Buffer.from(name) }]
    check('C_FindObjectsInit', await base.call('C_FindObjectsInit', { template: labelled }), 'OK')
    check('C_FindObjects', await base.call('C_FindObjects', {}), 'OK')
    check('C_FindObjectsFinal', await base.call('C_FindObjectsFinal', {}), 'OK')
    const found = base.output('C_FindObjects')
    return found === undefined || found.length === 0 ? 0 : Number(found.readBigUInt64LE())
  }

  #base(token: TokenName): Promise<Scene> {
    const base = this.#bases.get(token) ?? this.#openBase(token)
    this.#bases.set(token, base)
    return base
  }

  /** The session that keeps the login, and the objects of the cases. */
  async #openBase(token: TokenName): Promise<Scene> {
    const base = await this.#open(slotOf(token) as number, token, RW)
    await logIn(token, async (name, given) =>
      check(`${name} with the token "${token}"`, await base.call(name, given), 'OK'),
    )
    return base
  }

  async #open(slotID: number, token: TokenName, flags: number, notifies = false): Promise<Scene> {
    const outside = this.outside(token)
    const application = notifies ? { application: { words: '0 @notify' } } : {}
    const rv = await outside.call('C_OpenSession', { slotID, flags, ...application })
    check(`C_OpenSession with the token "${token}"`, rv, 'OK')
    return new Scene(this, token, Number(outside.output('C_OpenSession')?.readBigUInt64LE()))
  }
}

interface SceneOptions {
  readonly readOnly?: boolean | undefined
  /** The session has a callback. */
  readonly notifies?: boolean | undefined
}

interface PlayOptions {
  readonly before?: () => unknown
  readonly mend?: () => unknown
  readonly onCallback?: CallOptions['onCallback']
  readonly notifies?: boolean
}
