/** softoki mechanisms: what a token can do. */
import type { Command } from 'commander'
import type { Application } from '../../standard/calls.ts'
import { Failure } from '../failure.ts'
import { functionNames, mechanismName } from '../names.ts'
import { addTokenOptions } from '../options.ts'
import { inBatches, withApplication } from '../service.ts'
import { chosenToken, slotsOf, type TokenChoice, wholeList } from '../slots.ts'
import { printJson, printTable } from '../terminal.ts'

async function mechanismView(application: Application, slot: number, type: number) {
  const info = await application.call('C_GetMechanismInfo', [slot, type])
  return {
    name: mechanismName(type),
    number: type,
    minKeySize: Number(info.minKeySize),
    maxKeySize: Number(info.maxKeySize),
    functions: functionNames(Number(info.flags)),
  }
}

/** The slot asked for; every token can do the same, so any slot answers where none was. */
async function slotFor(application: Application, choice: TokenChoice): Promise<number> {
  if (choice.token !== undefined || choice.slot !== undefined)
    return (await chosenToken(application, choice)).slot
  const [first] = await slotsOf(application)
  if (first === undefined) throw new Failure('there is no slot: run softoki tokens')
  return first.slot
}

async function run(options: TokenChoice & { json?: true }): Promise<void> {
  const rows = await withApplication(async (application) => {
    const slot = await slotFor(application, options)
    const types = await wholeList((room) => application.call('C_GetMechanismList', [slot, room]))
    return inBatches(types, (type) => mechanismView(application, slot, type))
  })
  if (options.json) return printJson(rows)
  printTable(
    ['MECHANISM', 'NUMBER', 'KEY SIZES', 'FUNCTIONS'],
    rows.map(({ name, number, minKeySize, maxKeySize, functions }) => [
      name,
      `0x${number.toString(16).padStart(4, '0')}`,
      maxKeySize === 0 ? '' : `${minKeySize} to ${maxKeySize}`,
      functions.join(' '),
    ]),
  )
}

export function mechanisms(program: Command): void {
  const command = program
    .command('mechanisms')
    .summary('list what a token can do')
    .description(
      "Lists a token's mechanisms: name, number, key sizes in the standard's unit, functions.",
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  softoki mechanisms --json')
    .action(run)
  addTokenOptions(command)
}
