/** What the command line asks for. */
import { parseArgs } from 'node:util'

export const USAGE = `usage: npm run bench -- [options]
  --quick              a few minutes: short rounds, small tokens; figures are rough
  --only REGEX         rows whose 'GROUP, NAME' fits, such as 'P-256' or '^Signing'
  --rounds N           rounds of each row (3; 1 with --quick)
  --peers A,B          these only, such as Softoki,SoftHSM2
  --peer NAME=MODULE   one more; its first slot gets a token that is made anew. Again for more.
                       SOFTOKI_BENCH_PEERS may list some too: NAME=MODULE,NAME=MODULE
  --out FOLDER         where PERFORMANCE.md, performance/bench.json and the plots go
                       (docs for a whole run, else bench/out)
`

export interface Options {
  readonly quick: boolean
  readonly only: RegExp | undefined
  readonly rounds: number
  /** Names, or undefined for all. */
  readonly peers: readonly string[] | undefined
  readonly given: readonly (readonly [name: string, module: string])[]
  readonly out: string | undefined
}

/** The command line is wrong, or asks for help. */
export class UsageError extends Error {}

function givenPeer(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`--peer ${text}: NAME=MODULE is asked for`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function numberOf(text: string): number {
  const rounds = Number(text)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
    throw new UsageError(`--rounds ${text}: a number from 1 to 100 is asked for`)
  return rounds
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string' },
        peers: { type: 'string' },
        peer: { type: 'string', multiple: true, default: [] },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

export function readOptions(
  args: readonly string[],
  listed = process.env.SOFTOKI_BENCH_PEERS ?? '',
): Options {
  const { quick, only, rounds, peers, peer, out, help } = parsed(args)
  if (help) throw new UsageError('')
  return {
    quick,
    only: only === undefined ? undefined : new RegExp(only),
    rounds: rounds === undefined ? (quick ? 1 : 3) : numberOf(rounds),
    peers: peers?.split(','),
    given: [...listed.split(',').filter((text) => text !== ''), ...peer].map(givenPeer),
    out,
  }
}

/** A run of all rows with all their pains: its report may stand for the machine. */
export const isWhole = ({ quick, only, peers }: Options) =>
  !quick && only === undefined && peers === undefined
