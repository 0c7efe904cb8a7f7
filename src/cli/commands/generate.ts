/** softoki generate: makes a key or a key pair that lasts. */
import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { Application, CallContext } from '../../standard/calls.ts'
import { CKF, CKU } from '../../standard/constants.ts'
import { type KeyWishes, keyTemplates } from '../key-templates.ts'
import { keyTypeHelp, wantedKey } from '../key-types.ts'
import { USE_NAMES, uses } from '../key-uses.ts'
import { addTokenOptions, hexadecimal } from '../options.ts'
import { addPinOptions, type PinOptions, pinFor, USER_PIN } from '../pins.ts'
import { withApplication } from '../service.ts'
import { chosenToken, type TokenChoice } from '../slots.ts'
import { cancellable } from '../surrendering.ts'
import { printJson, printTable } from '../terminal.ts'

interface Options extends TokenChoice, PinOptions, KeyWishes {
  readonly id?: Buffer
  readonly json?: true
}

const HELP = `
Types:
${keyTypeHelp()}

Uses: ${USE_NAMES}.
The other half of a pair gets the counterpart: verify, encrypt, wrap. A secret key gets both.

Ctrl-C cancels; nothing is created then.

Examples:
  softoki generate --token ca --type rsa:4096 --label root
  softoki generate --token ca --type ec:P-256 --label tls --id 01 --usage sign,derive
  softoki generate --token ca --type aes:256 --label backup --pin-file pin.txt`

/** Logs in, makes the key, and answers what was made. */
async function generateOn(application: Application, slot: number, pin: Buffer, options: Options) {
  const flags = CKF.SERIAL_SESSION | CKF.RW_SESSION
  const session = await application.call('C_OpenSession', [slot, flags, true])
  await application.call('C_Login', [session, CKU.USER, pin])
  pin.fill(0)
  const { id = randomBytes(8), label = '', type } = options
  const made = await cancellable(`generating ${type.written}`, (context) =>
    makeKeys(application, session, options, id, context),
  )
  return made.map((key) => ({ ...key, id: id.toString('hex'), label }))
}

async function makeKeys(
  application: Application,
  session: number,
  wishes: KeyWishes,
  id: Buffer,
  context: CallContext,
) {
  const { mechanism: type, pair } = wishes.type.row
  const { publicKey, privateKey, secretKey } = keyTemplates(wishes, id)
  const mechanism = { type, parameter: null }
  if (!pair) {
    const inputs = [session, mechanism, secretKey] as const
    return [
      {
        class: 'secret key',
        handle: await application.call('C_GenerateKey', [...inputs], context),
      },
    ]
  }
  const inputs = [session, mechanism, publicKey, privateKey] as const
  const handles = await application.call('C_GenerateKeyPair', [...inputs], context)
  return [
    { class: 'public key', handle: handles[0] },
    { class: 'private key', handle: handles[1] },
  ]
}

async function run(options: Options): Promise<void> {
  const made = await withApplication(async (application) => {
    const { slot } = await chosenToken(application, options)
    const pin = await pinFor(USER_PIN, { pin: options.pin, file: options.pinFile })
    return generateOn(application, slot, pin, options)
  })
  if (options.json) return printJson(made)
  printTable(
    ['CLASS', 'HANDLE', 'ID', 'LABEL'],
    made.map((key) => [key.class, String(key.handle), key.id, key.label]),
  )
}

export function generate(program: Command): void {
  const command = program
    .command('generate')
    .summary('make a key or a key pair')
    .description('Generates a key or a key pair on a token. It lasts, is private and sensitive.')
    .requiredOption('--type <type>', 'type and size of the key, see below', wantedKey)
    .option('--label <label>', 'CKA_LABEL of the key, of both keys of a pair')
    .option('--id <hex>', 'CKA_ID in hexadecimal; where not given, 8 random bytes', hexadecimal)
    .option('--usage <uses>', 'what the key may be used for, with commas between', uses)
    .option('--extractable', 'the key may be wrapped and so leave the token')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(run)
  addPinOptions(addTokenOptions(command), USER_PIN)
}
