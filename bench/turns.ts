/** Measures rows in short rounds, one side after the other, so that what else the machine does falls on all. */
import { CKR } from '../src/standard/constants.ts'
import { type Ended, resultOf } from '../test/service.ts'
import { runClient } from './clients.ts'
import type { Command, Side } from './peers/peer.ts'
import {
  judge,
  type Line,
  type Measured,
  type Missing,
  medianOf,
  type Outcome,
  type Row,
} from './results.ts'

/** How long a run takes pains: a factor for times, and rounds. */
export interface Effort {
  readonly rounds: number
  /** 1 for a whole run. */
  readonly share: number
}

const MILLISECONDS = 300
const LEAST = 3

/** What the client prints of one round. */
interface Printed {
  readonly calls: number
  readonly median?: number
  readonly rate?: number
}

const nameOf = (rv: number) =>
  Object.entries(CKR).find(([, value]) => value === rv)?.[0] ?? `0x${rv.toString(16)}`

/** Why a client failed: the function and its return value, or the last words. */
export function reasonOf({ stderr, signal, status }: Ended): string {
  const [, called, rv] = /(C_\w+)\(.*answered 0x([0-9a-f]+)/.exec(stderr) ?? []
  if (called && rv) return `${called}: CKR_${nameOf(Number.parseInt(rv, 16))}`
  return stderr.trim().split('\n').at(-1) || `ended by ${signal ?? `status ${status}`}`
}

/** Runs a command; its result or why there is none. */
export async function resultFrom<Result>(command: Command): Promise<Result | Missing> {
  const ended = await runClient(command)
  return ended.status === 0 ? resultOf<Result>(ended) : { missing: reasonOf(ended) }
}

export const isMissing = (result: object): result is Missing => 'missing' in result

function wordsOf({ words, milliseconds = MILLISECONDS, least = LEAST }: Row, share: number) {
  const atLeast = Math.max(1, Math.round(least * share))
  return [String(Math.ceil(milliseconds * share)), String(atLeast), ...words]
}

/** One round of one side. */
async function sample(side: Side, row: Row, { share }: Effort): Promise<Printed[] | Missing> {
  const printed: Printed[] = []
  for (let i = 0; i < (row.runs ?? 1); i++) {
    const result = await resultFrom<Printed>(side.command(wordsOf(row, share)))
    if (isMissing(result)) return result
    printed.push(result)
  }
  return printed
}

const summed = (samples: readonly Printed[]): Measured => {
  const rounds = samples.map(({ median, rate }) => median ?? rate ?? 0)
  const calls = samples.reduce((sum, { calls }) => sum + calls, 0)
  return { median: medianOf(rounds), rounds, calls }
}

/** Measures a row on every side, in turns; a side that fails once is left out of further rounds. */
export async function measureRow(row: Row, sides: readonly Side[], effort: Effort): Promise<Line> {
  const samples = new Map(sides.map((side) => [side, [] as Printed[]]))
  const missing = new Map<Side, Missing>()
  for (let round = 0; round < effort.rounds; round++)
    for (const [side, taken] of samples) {
      if (missing.has(side)) continue
      const result = await sample(side, row, effort)
      if (isMissing(result)) missing.set(side, result)
      else taken.push(...result)
    }
  return lineOf(
    row,
    Object.fromEntries(
      Array.from(samples, ([side, taken]) => [side.name, missing.get(side) ?? summed(taken)]),
    ),
  )
}

/** A line from what came of a row. */
export const lineOf = (
  { group, name, unit, goals = [] }: Pick<Row, 'group' | 'name' | 'goals'> & Pick<Line, 'unit'>,
  outcomes: Readonly<Record<string, Outcome>>,
): Line => ({
  group,
  name,
  unit,
  outcomes,
  verdicts: goals.map((goal) => judge(goal, { outcomes, unit })),
})
