/** softoki module: where the PKCS #11 module is. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { print } from '../terminal.ts'

const ROOT = new URL('../../../', import.meta.url)

/** What the module is to start: TypeScript here, JavaScript in a published package. */
const SERVICE = new URL(`../../service/main${extname(import.meta.filename)}`, import.meta.url)

/** native/module/build.mjs, which leaves alone what is up to date. */
type Build = (options: { readonly root: string; readonly service: string }) => string

async function built(): Promise<string> {
  const { default: build } = (await import(new URL('native/module/build.mjs', ROOT).href)) as {
    default: Build
  }
  try {
    return build({ root: fileURLToPath(ROOT), service: fileURLToPath(SERVICE) })
  } catch (error) {
    throw new Failure(
      'the module cannot be built: it takes a C compiler, installed as cc or named in CC',
      undefined,
      {
        cause: error,
      },
    )
  }
}

export function module(program: Command): void {
  program
    .command('module')
    .summary('tell where the PKCS #11 module is')
    .description(
      'Prints the path of the PKCS #11 module, and builds it where it is missing or out of date.',
    )
    .addHelpText('after', '\nExample:\n  pkcs11-tool --module "$(softoki module)" --list-slots')
    .action(async () => print(await built()))
}
