/** softoki operations: the functions that are pending, in a program or kept beyond it. */
import type { Command } from 'commander'
import type { OperationView } from '../../functions/operations.ts'
import { connectToService } from '../../service/start.ts'
import { operationsOf } from '../../wire/operations.ts'
import { Failure, wrongUsage } from '../failure.ts'
import { progressText } from '../progress.ts'
import { print, printJson, printTable, say } from '../terminal.ts'

/** Ids are below 2^47. */
const ID = /^[1-9]\d{0,14}$/

const toSeconds = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')

const stateOf = ({ state, kept }: OperationView): string => (kept ? `${state}, kept` : state)

async function list({ json }: { json?: true }): Promise<void> {
  const operations = await operationsOf(connectToService).list()
  if (json)
    return printJson(
      operations.map(({ begun, ...shown }) => ({ ...shown, begun: new Date(begun).toISOString() })),
    )
  if (operations.length === 0) return say('no function is pending')
  printTable(
    ['ID', 'FUNCTION', 'TOKEN', 'PROGRAM', 'SINCE', 'STATE', 'PROGRESS'],
    operations.map((operation) => [
      String(operation.id),
      operation.name,
      operation.token,
      operation.program,
      toSeconds(operation.begun),
      stateOf(operation),
      operation.progress ? progressText(operation.progress) : '',
    ]),
  )
}

async function cancel(id: string): Promise<void> {
  if (!ID.test(id)) throw wrongUsage(`"${id}" is no id: softoki operations lists them`)
  if (!(await operationsOf(connectToService).cancel(Number(id))))
    throw new Failure(`no function of the id ${id} is pending: softoki operations lists them`)
  print(`cancelled  ${id}`)
}

export function operations(program: Command): void {
  const command = program
    .command('operations')
    .summary('list and cancel pending functions')
    .description(
      'Lists the functions of asynchronous sessions that are pending, and those that are kept beyond their session.',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
States: working; done, which waits to be fetched; interrupted, which begins again when it is joined.
Progress: the share done where it is known, and the time since the work began; else what similar work
took here before, too. JSON has the share as "done", from 0 to 1, and milliseconds.
A kept one goes on without its program; C_AsyncJoin takes it up by its id.

Examples:
  softoki operations --json
  softoki operations cancel 70368744177663`,
    )
    .action(list)
  command
    .command('cancel')
    .argument('<id>', 'the id that softoki operations lists')
    .summary('cancel one')
    .description('Cancels a pending function, done or not: nothing of it is left.')
    .action(cancel)
}
