/** softoki tokens: the slots and the tokens in them. */
import type { Command } from 'commander'
import { withApplication } from '../service.ts'
import { type SlotView, slotsOf } from '../slots.ts'
import { printJson, printTable } from '../terminal.ts'

function stateOf(view: SlotView): string {
  if (!view.initialised) return 'free'
  return [
    'initialised',
    view.userPinSet ? 'user PIN set' : 'no user PIN',
    ...(view.userPinLastTry ? ['one try of the user PIN left'] : []),
    ...(view.userPinLocked ? ['user PIN locked'] : []),
    ...(view.soPinLocked ? ['SO PIN locked'] : []),
  ].join(', ')
}

async function run({ json }: { json?: true }): Promise<void> {
  const slots = await withApplication(slotsOf)
  if (json) return printJson(slots.map(({ pinLength: _, ...shown }) => shown))
  printTable(
    ['SLOT', 'LABEL', 'SERIAL', 'STATE'],
    slots.map((view) => [String(view.slot), view.label, view.serial, stateOf(view)]),
  )
}

export function tokens(program: Command): void {
  program
    .command('tokens')
    .summary('list slots and tokens')
    .description('Lists every slot with the label, the serial number and the state of its token.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA free slot is where softoki init makes the next token.\n\nExample:\n  softoki tokens --json',
    )
    .action(run)
}
