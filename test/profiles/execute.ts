/** Executes a profile script: makes each call, compares what it returns, and binds the variables. */
import {
  type Application,
  type AttributeAnswers,
  IN_KINDS,
  OUT_KINDS,
} from '../../src/standard/calls.ts'
import { CKR } from '../../src/standard/constants.ts'
import { nameOfReturnValue, returnValueOf } from '../../src/standard/error.ts'
import { type ArgumentRow, type FunctionRow, functions } from '../../src/standard/functions.ts'
import { Comparison, ScriptFailure, type Variations } from './compare.ts'
import { inputsOf } from './inputs.ts'
import { isNeeded, Outputs } from './outputs.ts'
import { readScript, type ScriptCall } from './script.ts'
import { childNamed, Variables } from './variables.ts'

export interface Execution {
  /** C_Initialize. */
  initialize(): Application | Promise<Application>
  /** What the script takes as bound already: `Pin`. */
  readonly variables?: Readonly<Record<string, string>>
  readonly variations?: Variations
}

export interface Executed {
  readonly calls: number
  readonly comparison: Comparison
}

/** Runs a script to its end. Throws a ScriptFailure at the first thing that is not as it should be. */
export async function execute(source: string, execution: Execution): Promise<Executed> {
  const calls = readScript(source)
  const run = new Run(execution)
  try {
    for (const call of calls) await run.call(call)
  } finally {
    await run.end()
  }
  return { calls: calls.length, comparison: run.comparison }
}

interface Outcome {
  readonly rv: number
  /** One for each argument that brings something out; none where an error was thrown. */
  readonly answers: readonly unknown[]
}

class Run {
  readonly comparison: Comparison
  readonly #variables: Variables
  readonly #initialize: Execution['initialize']
  #application: Application | undefined

  constructor({ initialize, variables = {}, variations = {} }: Execution) {
    this.#initialize = initialize
    this.#variables = new Variables(variables)
    this.comparison = new Comparison(variations)
  }

  /** Ends the application where the script did not. */
  async end(): Promise<void> {
    await this.#application?.close()
  }

  async call(call: ScriptCall): Promise<void> {
    const { name, inputs, outputs } = call
    const row: FunctionRow = functions[name]
    const { rv, answers } = await this.#outcome(call, row)
    if (rv !== CKR[call.rv as keyof typeof CKR])
      throw new ScriptFailure(
        outputs.line,
        `${name} is ${nameOfReturnValue(rv)}, not CKR_${call.rv}`,
      )
    const mechanism = childNamed(inputs, 'Type')?.attributes.get('value')
    const of = mechanism === undefined ? name : `${name}(${mechanism})`
    const compared = new Outputs(outputs, of, this.#variables, this.comparison)
    for (const [at, argument] of outsOf(row).entries())
      if (at < answers.length) compared.compare(argument, answers[at])
    compared.end()
  }

  async #outcome({ name, inputs: element }: ScriptCall, row: FunctionRow): Promise<Outcome> {
    if (name === 'C_Initialize') {
      this.#application = await this.#initialize()
      return { rv: CKR.OK, answers: [] }
    }
    if (this.#application === undefined)
      throw new ScriptFailure(element.line, `${name} before C_Initialize`)
    const inputs = inputsOf(element, row.args, this.#variables)
    try {
      const answer: unknown = await this.#application.call(name, inputs as never)
      return outcomeOf(row, inputs, answer)
    } catch (error) {
      return { rv: returnValueOf(error), answers: [] }
    }
  }
}

const outsOf = ({ args }: FunctionRow): ArgumentRow[] =>
  args.filter(({ kind }) => OUT_KINDS.has(kind))

const isAttributeAnswers = (answer: unknown): answer is AttributeAnswers =>
  typeof answer === 'object' && answer !== null && 'answers' in answer

/** The return value that goes with an answer: room that was too small (5.2), or what 5.7.5 says. */
function outcomeOf(row: FunctionRow, inputs: readonly unknown[], answer: unknown): Outcome {
  const outs = outsOf(row)
  const answers = outs.length > 1 ? (answer as unknown[]) : [answer]
  const ins = row.args.filter(({ kind }) => IN_KINDS.has(kind))
  const tooSmall = outs.some(
    (argument, at) => isNeeded(answers[at]) && inputs[ins.indexOf(argument)] !== null,
  )
  const rv = answers.find(isAttributeAnswers)?.rv ?? CKR.OK
  return { rv: tooSmall ? CKR.BUFFER_TOO_SMALL : rv, answers }
}
