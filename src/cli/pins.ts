/**
 * Where a PIN comes from, the first that there is: the option, the file, the environment, a
 * question on the terminal. A PIN is UTF-8.
 */
import { isCancel, password } from '@clack/prompts'
import type { Command } from 'commander'
import { Failure, interrupted, wrongUsage } from './failure.ts'
import { pinFromFile } from './pin-file.ts'
import type { SlotView } from './slots.ts'
import { canAsk, isWatched, say } from './terminal.ts'

/** One of the two PINs: its name in messages, and where it may come from. */
interface PinKind {
  readonly name: string
  readonly option: string
  readonly variable: string
}

export const USER_PIN: PinKind = { name: 'user PIN', option: 'pin', variable: 'SOFTOKI_PIN' }
export const SO_PIN: PinKind = { name: 'SO PIN', option: 'so-pin', variable: 'SOFTOKI_SO_PIN' }

/** What was given for one PIN. */
export interface PinGiven {
  readonly pin?: string | undefined
  readonly file?: string | undefined
}

export interface PinOptions {
  readonly pin?: string
  readonly pinFile?: string
}

const environment = new Map<string, string>()

/** Takes the PINs out of the environment, so that no program started from here inherits them. */
export function takePinsFromEnvironment(): void {
  for (const { variable } of [USER_PIN, SO_PIN]) {
    const value = process.env[variable]
    if (value) environment.set(variable, value)
    delete process.env[variable]
  }
}

/** Adds the options of a PIN to a command. */
export const addPinOptions = (command: Command, kind: PinKind): Command =>
  command
    .option(
      `--${kind.option} <pin>`,
      `the ${kind.name}; others may see it in the list of processes`,
    )
    .option(
      `--${kind.option}-file <file>`,
      `read the ${kind.name} from the first line of a file; - is standard input`,
    )

/** The PIN where it was given in any way, else undefined. Asks nobody. */
export function givenPin(kind: PinKind, { pin, file }: PinGiven): Buffer | undefined {
  if (pin !== undefined && file !== undefined)
    throw wrongUsage(
      `the ${kind.name} was given twice: leave out --${kind.option} or --${kind.option}-file`,
    )
  if (pin !== undefined) {
    if (isWatched())
      say(
        `others may see a PIN on the command line: --${kind.option}-file or ${kind.variable} hides it`,
      )
    return Buffer.from(pin)
  }
  if (file !== undefined) return pinFromFile(file)
  const variable = environment.get(kind.variable)
  return variable === undefined ? undefined : Buffer.from(variable)
}

/** The PIN, asked for on the terminal where it was not given. */
export async function pinFor(kind: PinKind, given: PinGiven): Promise<Buffer> {
  return givenPin(kind, given) ?? Buffer.from(await ask(kind, `${kind.name}`))
}

/** A PIN to be set: asked for twice, and of a length that the token takes. */
export async function newPin(
  kind: PinKind,
  given: PinGiven,
  length: SlotView['pinLength'],
): Promise<Buffer> {
  const pin = givenPin(kind, given) ?? (await askTwice(kind))
  if (pin.length >= length.min && pin.length <= length.max) return pin
  throw wrongUsage(
    `the ${kind.name} has ${pin.length} bytes: choose one of ${length.min} to ${length.max} bytes`,
  )
}

async function askTwice(kind: PinKind): Promise<Buffer> {
  const first = await ask(kind, `new ${kind.name}`)
  if ((await ask(kind, `the same ${kind.name} again`)) !== first)
    throw new Failure(`the two entries of the ${kind.name} differ: run the command again`)
  return Buffer.from(first)
}

async function ask(kind: PinKind, message: string): Promise<string> {
  if (!canAsk())
    throw wrongUsage(
      `no ${kind.name}: give it with --${kind.option}-file FILE or in ${kind.variable}`,
    )
  // A terminal that does not tell its width says 0, and would get one letter a line.
  if (process.stderr.columns === 0) process.stderr.columns = 80
  const answer = await password({
    message,
    input: process.stdin,
    output: process.stderr,
    withGuide: false,
  })
  if (isCancel(answer)) throw interrupted(`no ${kind.name} was entered: nothing was changed`)
  return answer ?? ''
}
