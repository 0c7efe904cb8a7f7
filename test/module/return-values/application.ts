/** An application that calls what it is told to: application.c, a line a call. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { FunctionName } from '../../../src/standard/calls.ts'
import { CKR } from '../../../src/standard/constants.ts'
import {
  compile,
  type Environment,
  modulePath,
  type Program,
  root,
  type Scope,
  start,
} from '../../service.ts'

/** What a function returned. */
export interface Returned {
  readonly rv: number
  /** What lies at each pointer to output afterwards, in order; the first 4,096 bytes of it. */
  readonly outputs: readonly Buffer[]
}

/** Answers a callback with a CK_RV. */
export type OnCallback = () => number | Promise<number>

interface Waiting {
  readonly onCallback: OnCallback
  readonly resolve: (returned: Returned) => void
}

/** Compiles the program; answers its path. */
export const compileApplication = (t: Scope): string =>
  compile(t, join(root, 'test/module/return-values/application.c'))

export class Application {
  readonly #program: Program
  /** The calls under way in each thread; a later one is made from inside a callback of the one before. */
  readonly #calls = new Map<number, Waiting[]>()

  /** Starts the program; it ends with the test. C_Initialize is not called yet. */
  constructor(t: Scope, program: string, environment: Environment) {
    this.#program = start(t, program, [modulePath()], environment)
    const { stdout } = this.#program.child
    assert.ok(stdout)
    createInterface({ input: stdout }).on('line', (line) => this.#take(line))
  }

  /** Calls a function with these words as arguments, in a thread of the application (0 to 127). */
  call(
    name: FunctionName,
    words: string,
    { thread = 0, onCallback = () => CKR.OK, times = 1 }: CallOptions = {},
  ): Promise<Returned> {
    const { promise, resolve } = Promise.withResolvers<Returned>()
    const calls = this.#calls.get(thread) ?? []
    this.#calls.set(thread, calls)
    calls.push({ onCallback, resolve })
    this.#program.write(`${thread} ${times > 1 ? `${times}*` : ''}${name} ${words}\n`)
    return promise
  }

  /** Ends the program without C_Finalize. */
  end(): Promise<unknown> {
    return this.#program.end()
  }

  #take(line: string): void {
    const [thread, event, ...values] = line.split(' ')
    const number = Number(thread)
    if (event === 'callback') this.#callBack(number)
    else this.#return(number, values)
  }

  async #callBack(thread: number): Promise<void> {
    const rv = await this.#calls.get(thread)?.at(-1)?.onCallback()
    this.#program.write(`${thread} return ${rv}\n`)
  }

  #return(thread: number, [rv, ...outputs]: string[]): void {
    this.#calls
      .get(thread)
      ?.pop()
      ?.resolve({
        rv: Number(rv),
        outputs: outputs.map((output) => Buffer.from(output.slice(1), 'hex')),
      })
  }
}

export interface CallOptions {
  readonly thread?: number
  readonly onCallback?: OnCallback
  /** So often at most, until it answers something else than CKR_OK. */
  readonly times?: number
}
