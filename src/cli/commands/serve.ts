/** softoki serve: the service in the foreground. */
import type { Command } from 'commander'

const HELP = `
Other commands and the PKCS #11 module start the service by themselves where none runs.

Examples:
  softoki serve
  ssh host softoki serve --stdio`

async function run({ stdio }: { stdio?: true }): Promise<void> {
  // The other commands need none of what the service is made of, and start faster without it.
  const { serve } = await import('../../service/main.ts')
  await serve({ stdio })
}

export function serve(program: Command): void {
  program
    .command('serve')
    .summary('run the service in the foreground')
    .description(
      'Runs the service that holds the tokens until Ctrl-C; its log goes to standard error.',
    )
    .option('--stdio', 'serve one client on standard input and output, as p11-kit and ssh want it')
    .addHelpText('after', HELP)
    .action(run)
}
