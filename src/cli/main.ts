/** The command line: its commands, and how they end. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { generate } from './commands/generate.ts'
import { init } from './commands/init.ts'
import { mechanisms } from './commands/mechanisms.ts'
import { module } from './commands/module.ts'
import { objects } from './commands/objects.ts'
import { operations } from './commands/operations.ts'
import { serve } from './commands/serve.ts'
import { tokens } from './commands/tokens.ts'
import { Failure, failureOf, STATUS, type Status } from './failure.ts'
import { takePinsFromEnvironment } from './pins.ts'
import { say } from './terminal.ts'

const COMMANDS = [init, tokens, objects, generate, mechanisms, operations, module, serve]

const HELP = `
Environment:
  SOFTOKI_HOME    the folder that holds the tokens
  SOFTOKI_PIN     the user PIN
  SOFTOKI_SO_PIN  the SO PIN of softoki init
  SOFTOKI_LOG     1: every call is told on standard error
  SOFTOKI_NODE    a Node to run on where the usual one is too old
  NO_COLOR        no bold text

Exit status: 0 done, 1 the token or the service refused, 2 called wrongly, 130 after Ctrl-C.

Example:
  softoki init --label ca && softoki generate --token ca --type ec:P-256 --label root`

const version = (): string =>
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version

function program(): Command {
  const softoki = new Command('softoki')
    .description('A software Cryptoki (PKCS #11) token whose long work surrenders.')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .helpCommand('help [command]', 'tell about a command, with an example')
    .addHelpText('after', HELP)
  for (const add of COMMANDS) add(softoki)
  return softoki
}

/** What commander found wrong, in our manner. */
function failureOfUsage(
  error: CommanderError,
  softoki: Command,
  words: readonly string[],
): Failure | undefined {
  if (error.exitCode === 0) return undefined
  // Called without a command: commander has told the help already.
  if (error.code === 'commander.help') return new Failure('', STATUS.usage)
  const command = softoki.commands.find((known) => known.name() === words[0])
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  return new Failure(
    `${message}: softoki help${command ? ` ${command.name()}` : ''} tells more`,
    STATUS.usage,
  )
}

/** A reader that has enough, as in `softoki objects | head`, is no error. */
function leaveWhenNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(STATUS.ok)
  throw error
}

/** Runs the command line; answers the exit status. `words` are the arguments without node and script. */
export async function main(words: readonly string[]): Promise<Status> {
  process.stdout.on('error', leaveWhenNobodyReads)
  takePinsFromEnvironment()
  const softoki = program()
  try {
    await softoki.parseAsync(words, { from: 'user' })
    return STATUS.ok
  } catch (error) {
    const failure =
      error instanceof CommanderError ? failureOfUsage(error, softoki, words) : failureOf(error)
    if (failure?.message) say(failure.message)
    return failure?.status ?? STATUS.ok
  }
}
