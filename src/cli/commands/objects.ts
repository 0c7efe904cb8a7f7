/** softoki objects: the objects of a token. */
import type { Command } from 'commander'
import type { Application } from '../../standard/calls.ts'
import { CKA, CKF, CKO, CKU } from '../../standard/constants.ts'
import { type Attributes, readAttributes } from '../attributes.ts'
import { keySize, SIZE_ATTRIBUTES } from '../key-sizes.ts'
import { className, keyTypeName } from '../names.ts'
import { addTokenOptions } from '../options.ts'
import { addPinOptions, givenPin, type PinOptions, USER_PIN } from '../pins.ts'
import { inBatches, withApplication } from '../service.ts'
import { chosenToken, type TokenChoice } from '../slots.ts'
import { printJson, printTable, say } from '../terminal.ts'

const USES = {
  encrypt: CKA.ENCRYPT,
  decrypt: CKA.DECRYPT,
  sign: CKA.SIGN,
  verify: CKA.VERIFY,
  wrap: CKA.WRAP,
  unwrap: CKA.UNWRAP,
  derive: CKA.DERIVE,
  encapsulate: CKA.ENCAPSULATE,
  decapsulate: CKA.DECAPSULATE,
} as const

const SHOWN = [
  CKA.CLASS,
  CKA.KEY_TYPE,
  CKA.LABEL,
  CKA.ID,
  CKA.TOKEN,
  CKA.PRIVATE,
  ...SIZE_ATTRIBUTES,
  ...Object.values(USES),
]

/** Tells about the token, which has the same ones as every other. */
const isOfTheToken = (object: Attributes) => object.number(CKA.CLASS) === CKO.PROFILE

/** So many handles are asked for at once. */
const HANDLES = 1024

async function objectsIn(application: Application, session: number): Promise<Attributes[]> {
  const objects: Attributes[] = []
  await application.call('C_FindObjectsInit', [session, []])
  for (;;) {
    const handles = await application.call('C_FindObjects', [session, HANDLES])
    if (handles.length === 0) break
    objects.push(
      ...(await inBatches(handles, (handle) =>
        readAttributes(application, session, handle, SHOWN),
      )),
    )
  }
  await application.call('C_FindObjectsFinal', [session])
  return objects.filter((object) => !isOfTheToken(object))
}

function shown(object: Attributes) {
  const keyType = object.number(CKA.KEY_TYPE)
  return {
    class: className(object.number(CKA.CLASS) ?? -1),
    type: keyType === undefined ? '' : keyTypeName(keyType),
    label: object.text(CKA.LABEL),
    id: object.hex(CKA.ID),
    size: keySize(object),
    usage: Object.entries(USES).flatMap(([name, type]) => (object.isTrue(type) ? [name] : [])),
    private: object.isTrue(CKA.PRIVATE),
    token: object.isTrue(CKA.TOKEN),
  }
}

async function run(options: TokenChoice & PinOptions & { json?: true }): Promise<void> {
  await withApplication(async (application) => {
    const { slot } = await chosenToken(application, options)
    const pin = givenPin(USER_PIN, { pin: options.pin, file: options.pinFile })
    const session = await application.call('C_OpenSession', [slot, CKF.SERIAL_SESSION, false])
    if (pin === undefined)
      say('public objects only: --pin-file FILE or SOFTOKI_PIN shows the private ones too')
    else await application.call('C_Login', [session, CKU.USER, pin])
    const objects = (await objectsIn(application, session)).map(shown)
    if (options.json) return printJson(objects)
    if (objects.length === 0) return say('no objects')
    printTable(
      ['CLASS', 'TYPE', 'LABEL', 'ID', 'SIZE', 'USAGE', 'ACCESS'],
      objects.map((object) => [
        object.class,
        object.type,
        object.label,
        object.id,
        object.size,
        object.usage.join(' '),
        `${object.private ? 'private' : 'public'}, ${object.token ? 'token' : 'session'}`,
      ]),
    )
  })
}

export function objects(program: Command): void {
  const command = program
    .command('objects')
    .summary('list the objects of a token')
    .description('Lists the objects of a token; without the user PIN only the public ones.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  softoki objects --token ca\n  SOFTOKI_PIN=... softoki objects --token ca --json',
    )
    .action(run)
  addPinOptions(addTokenOptions(command), USER_PIN)
}
