/** What SOFTOKI_LOG shows: one line for every call that says what was asked, what was answered and why. */
import type { CallContext, FunctionName } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError, nameOfReturnValue } from '../standard/error.ts'
import { answerText, callText } from './trace-text.ts'

/** Takes a line: printable, without line feed, of at most 2,000 characters, with no secret in it. */
export type Say = (line: string) => void

const LONGEST = 2000

/** A call that is not over after so many milliseconds is told of before its end. */
const LONG = 2000

/** What is not printed could make two lines of one, or steer a terminal. */
export const printable = (text: string): string =>
  (text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text).replaceAll(/\p{C}/gu, '?')

/** The return value of an error, and why it was chosen. What nobody foresaw could hold anything: only its name is told. */
export const reasonOf = (error: unknown): string =>
  error instanceof CryptokiError
    ? error.message
    : `${nameOfReturnValue(CKR.GENERAL_ERROR)}: ${(error as Error).name} that nobody foresaw, see the service's log`

/** A context whose callbacks are counted. */
class CountedContext
  implements Required<{ [Key in keyof CallContext]: CallContext[Key] | undefined }>
{
  callbacks = 0
  readonly notify: CallContext['notify']
  readonly put: CallContext['put']
  readonly claim: CallContext['claim']
  readonly release: CallContext['release']
  readonly #context: CallContext

  constructor(context: CallContext) {
    const { notify, put, claim, release } = context
    this.#context = context
    this.put = put
    this.claim = claim
    this.release = release
    this.notify =
      notify &&
      ((...event) => {
        this.callbacks++
        return notify(...event)
      })
  }

  get signal(): AbortSignal | undefined {
    return this.#context.signal
  }

  get isAborted(): boolean | undefined {
    return this.#context.isAborted
  }
}

/**
 * Says a call once it is over; `run` is the call itself, with the context it is to have. A call that
 * takes long is said before its end too.
 */
export function tracedCall<Answer>(
  name: FunctionName,
  inputs: readonly unknown[],
  given: CallContext,
  say: Say,
  run: (context: CallContext) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const call = callText(name, inputs)
  const context = new CountedContext(given)
  const began = performance.now()
  const tell = (outcome: string) => {
    const took = `${(performance.now() - began).toFixed(1)} ms`
    const callbacks = context.callbacks > 0 ? `, ${context.callbacks} callbacks` : ''
    say(printable(`${call} = ${outcome} (${took}${callbacks})`))
  }
  const done = (answer: Answer): Answer => {
    tell(answerText(name, inputs, answer))
    return answer
  }
  const failed = (error: unknown): never => {
    tell(reasonOf(error))
    throw error
  }
  let answer: Answer | Promise<Answer>
  try {
    answer = run(context)
  } catch (error) {
    return failed(error)
  }
  if (!(answer instanceof Promise)) return done(answer)
  const goesOn = setTimeout(() => say(printable(`${call} goes on`)), LONG)
  return answer.finally(() => clearTimeout(goesOn)).then(done, failed)
}
