/** softoki init: makes a token in a slot. */
import type { Command } from 'commander'
import type { Application } from '../../standard/calls.ts'
import { CKF, CKU } from '../../standard/constants.ts'
import { Failure, wrongUsage } from '../failure.ts'
import { slotNumber } from '../options.ts'
import { addPinOptions, newPin, SO_PIN, USER_PIN } from '../pins.ts'
import { withApplication } from '../service.ts'
import { type SlotView, slotNumbered, slotsOf } from '../slots.ts'
import { print, printable, printJson } from '../terminal.ts'

interface Options {
  readonly label: string
  readonly soPin?: string
  readonly soPinFile?: string
  readonly pin?: string
  readonly pinFile?: string
  readonly slot?: number
  readonly force?: true
  readonly erase?: true
  readonly json?: true
}

const HELP = `
PINs not given are asked for. Standard input may bring both: the SO PIN on its first line,
the user PIN on the next.

Examples:
  softoki init --label ca
  printf '%s\\n' "$so_pin" "$pin" | softoki init --label ca --so-pin-file - --pin-file -`

/** CK_TOKEN_INFO has 32 bytes for the label. */
const LONGEST_LABEL = 32

function paddedLabel(label: string): Uint8Array {
  const bytes = Buffer.from(label)
  if (label.trim() === '') throw wrongUsage('the label is empty: --label names the token')
  if (bytes.length > LONGEST_LABEL)
    throw wrongUsage(
      `the label has ${bytes.length} bytes: choose one of at most ${LONGEST_LABEL} bytes`,
    )
  return Buffer.concat([bytes, Buffer.alloc(LONGEST_LABEL - bytes.length, ' ')])
}

/** The slot to use, after everything that speaks against it. */
function slotFor(slots: readonly SlotView[], { label, slot, force, erase }: Options): SlotView {
  const free =
    slot === undefined ? slots.find(({ initialised }) => !initialised) : slotNumbered(slots, slot)
  if (free === undefined)
    throw new Failure('every slot holds a token: --slot N --erase makes one anew')
  if (free.initialised && !erase)
    throw new Failure(
      `slot ${free.slot} holds the token "${printable(free.label)}": --erase destroys it with all its objects`,
    )
  const same = slots.find(
    (view) => view.initialised && view.label === label.trimEnd() && view !== free,
  )
  if (same !== undefined && !force)
    throw new Failure(
      `slot ${same.slot} holds a token named "${printable(label)}" already: choose another --label, or --force makes a second one`,
    )
  return free
}

async function makeToken(
  application: Application,
  slot: number,
  label: Uint8Array,
  soPin: Buffer,
  pin: Buffer,
) {
  await application.call('C_InitToken', [slot, soPin, label])
  const session = await application.call('C_OpenSession', [
    slot,
    CKF.SERIAL_SESSION | CKF.RW_SESSION,
    false,
  ])
  await application.call('C_Login', [session, CKU.SO, soPin])
  await application.call('C_InitPIN', [session, pin])
  await application.call('C_CloseSession', [session])
}

async function run(options: Options): Promise<void> {
  const label = paddedLabel(options.label)
  await withApplication(async (application) => {
    const { slot, pinLength } = slotFor(await slotsOf(application), options)
    const soPin = await newPin(SO_PIN, { pin: options.soPin, file: options.soPinFile }, pinLength)
    const pin = await newPin(USER_PIN, { pin: options.pin, file: options.pinFile }, pinLength)
    await makeToken(application, slot, label, soPin, pin)
    soPin.fill(0)
    pin.fill(0)
    const made = slotNumbered(await slotsOf(application), slot)
    if (options.json) return printJson({ slot, label: made.label, serial: made.serial })
    print(`slot    ${slot}`)
    print(`label   ${printable(made.label)}`)
    print(`serial  ${made.serial}`)
  })
}

export function init(program: Command): void {
  const command = program
    .command('init')
    .summary('make a token')
    .description('Makes a token in the free slot: sets its label, its SO PIN and its user PIN.')
    .requiredOption('--label <label>', 'name of the token, at most 32 bytes')
    .option('--slot <number>', 'the slot to use instead of the free one', slotNumber)
    .option('--force', 'even where another token has this label')
    .option(
      '--erase',
      'with --slot: make the token there anew; needs its SO PIN and destroys all its objects',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(run)
  addPinOptions(addPinOptions(command, SO_PIN), USER_PIN)
}
