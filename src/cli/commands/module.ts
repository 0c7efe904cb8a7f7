/** softoki module: where the PKCS #11 module is, and the header of what it has beyond the standard. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { print } from '../terminal.ts'

const ROOT = new URL('../../../', import.meta.url)

/** What the module is to start: TypeScript here, JavaScript in a published package. */
const SERVICE = new URL(`../../service/main${extname(import.meta.filename)}`, import.meta.url)

const HEADER = new URL('native/module/include/softoki.h', ROOT)

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
    .option('--header', 'print the path of softoki.h: progress for C programs (docs/PROGRESS.md)')
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  pkcs11-tool --module "$(softoki module)" --list-slots\n' +
        '  cc -I "$(dirname "$(softoki module --header)")" program.c',
    )
    .action(async ({ header = false }: { header?: boolean }) =>
      print(header ? fileURLToPath(HEADER) : await built()),
    )
}
