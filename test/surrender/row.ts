/** What the suite knows of one function: how it is called, and what tells that it did its work. */
import type { CallContext, FunctionName } from '../../src/standard/calls.ts'
import { type FunctionRow, functions } from '../../src/standard/functions.ts'
import { operations } from './operations.ts'
import type { Scene } from './stage.ts'

export interface Row {
  readonly name: FunctionName
  /** What sets it apart from other rows of the function. */
  readonly form: string
  /** Begins the operations that the function goes on with. */
  begin(scene: Scene): Promise<unknown>
  call(scene: Scene, context?: CallContext): Promise<unknown>
  /** The same at every run: the function's answer, and that of what comes after it. */
  result(scene: Scene, answer: unknown): Promise<unknown> | unknown
  /**
   * Callbacks with interval 0 at least: as the function begins, and before each step of its work here.
   * lengthy.test.ts cancels work in other processes.
   */
  readonly callbacks: number
  /** It waits for work in another process or thread and calls back meanwhile: how often differs. */
  readonly waits: boolean
  /** Objects that it makes. */
  readonly makes: number
}

type Given = Pick<Row, 'name' | 'call'> & Partial<Row>

const rowOf = (name: FunctionName): FunctionRow => functions[name]

/** Begins every operation of the function, except where the function begins it. */
async function beginAll(name: FunctionName, scene: Scene): Promise<void> {
  if (name.endsWith('Init')) return
  for (const kind of rowOf(name).operations) await operations[kind].begin(scene)
}

/** A function that answers with no more than what it did, where nothing else is said. */
export const row = (given: Given): Row => ({
  form: 'short',
  begin: (scene) => beginAll(given.name, scene),
  result: (_scene, answer) => answer,
  callbacks: 1,
  waits: false,
  makes: 0,
  ...given,
})

/** An Init function: the operation that it began does its work. */
export const initRow = (name: FunctionName, ...more: readonly Partial<Row>[]): Row => {
  const [kind] = rowOf(name).operations
  const operation = operations[kind as keyof typeof operations]
  return row({
    name,
    call: (scene, context) => operation.begin(scene, context),
    result: (scene) => operation.end(scene),
    ...Object.assign({}, ...more),
  })
}
