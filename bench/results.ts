/** What is measured and what came of it: rows, their goals, the figures of each side, verdicts. */

/** How much better or worse we are than others, or that we keep below a bound. */
export type Goal =
  /** Our time over theirs. */
  | { readonly of: string; readonly atMost: number }
  /** Our time over that of every peer that can do it. */
  | { readonly ofEveryPeer: true; readonly atMost: number }
  /**
   * Microseconds that a side of ours, the first where it does not say, takes more than theirs for each of
   * the C_ functions that are called, one where it does not say.
   */
  | { readonly of: string; readonly over: number; readonly by?: string; readonly calls?: number }
  /** The figure itself, in the unit of its line. */
  | { readonly below: number }

/** Times are in microseconds, rates in calls a second, memory in MiB. */
export type Unit = 'time' | 'rate' | 'MiB' | '%' | ''

/** A line of work that every side does by the same words. */
export interface Row {
  readonly group: string
  readonly name: string
  /** For the client: WORK [WORD...]. */
  readonly words: readonly string[]
  readonly unit: 'time' | 'rate'
  /** Milliseconds of a round; 300 where it does not say. */
  readonly milliseconds?: number
  /** Calls of a round at least; 3 where it does not say. */
  readonly least?: number
  /** Runs of the client in a round, for works that are done once in a process. */
  readonly runs?: number
  /** Objects that the token has, made beforehand in memory. */
  readonly population?: number
  readonly goals?: readonly Goal[]
}

/** Medians of the rounds, of which `median` is the median. */
export interface Measured {
  readonly median: number
  readonly rounds: readonly number[]
  /** All together. */
  readonly calls: number
}

export interface Missing {
  readonly missing: string
}

export type Outcome = Measured | Missing

export const isMeasured = (outcome: Outcome | undefined): outcome is Measured =>
  outcome !== undefined && 'median' in outcome

/** A goal and what came of it; `reached` is undefined where it could not be measured. */
export interface Verdict {
  readonly goal: string
  readonly measured: string
  readonly reached: boolean | undefined
}

/** A line of a table: the first side is ours. */
export interface Line {
  readonly group: string
  readonly name: string
  readonly unit: Unit
  readonly outcomes: Readonly<Record<string, Outcome>>
  readonly verdicts: readonly Verdict[]
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle] as number
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** Our time over theirs, of times and of rates: below 1 we are ahead. */
export const ratioOf = (unit: Unit, ours: Measured, theirs: Measured): number =>
  unit === 'rate' ? theirs.median / ours.median : ours.median / theirs.median

/** Of the side to which all others are compared: ours. */
export function oursOf({ outcomes }: Pick<Line, 'outcomes'>): Outcome | undefined {
  return Object.values(outcomes)[0]
}

/** The names of the sides that others are compared with us, and their figures. */
const theirsOf = ({ outcomes }: Pick<Line, 'outcomes'>) =>
  Object.entries(outcomes)
    .slice(1)
    .filter((entry): entry is [string, Measured] => isMeasured(entry[1]))

/** The yardstick is no token. */
const YARDSTICK = 'OpenSSL'

/** The sides of Softoki through the C client. */
export const OURS = { usual: 'Softoki', socket: 'Softoki by socket' } as const

/** Whom we should be ahead of. */
const isPeer = (name: string) => name !== YARDSTICK && name !== OURS.socket

const unknown = (goal: string): Verdict => ({ goal, measured: 'not measured', reached: undefined })

const verdictOf = (goal: string, measured: number | undefined, most: number, unit = ''): Verdict =>
  measured === undefined
    ? unknown(goal)
    : {
        goal,
        measured: `${measured.toFixed(measured < 10 ? 2 : 0)}${unit}`,
        reached: measured <= most,
      }

type Judged = Pick<Line, 'outcomes' | 'unit'>

/** Our time over that of the peer that comes nearest to us or is farthest ahead; undefined without any. */
function worstRatio(line: Judged, ours: Measured): number | undefined {
  const ratios = theirsOf(line)
    .filter(([name]) => isPeer(name))
    .map(([, theirs]) => ratioOf(line.unit, ours, theirs))
  return ratios.length === 0 ? undefined : Math.max(...ratios)
}

const rounded = (value: number) => Number(value.toFixed(2))

/** A goal in words, in which `of` and bounds are as the issue has them. */
function textOf(goal: Goal): string {
  if ('below' in goal) return `at most ${goal.below}`
  if ('ofEveryPeer' in goal) return `at most ${rounded(goal.atMost)} of every peer’s time`
  if ('over' in goal)
    return `${goal.by ?? OURS.usual} at most ${goal.over} µs a call over ${goal.of}`
  return `at most ${rounded(goal.atMost)} of ${goal.of}’s time`
}

/** What came of a goal. */
export function judge(goal: Goal, line: Judged): Verdict {
  const text = textOf(goal)
  const by = 'over' in goal ? goal.by : undefined
  const ours = by === undefined ? oursOf(line) : line.outcomes[by]
  if (!isMeasured(ours)) return unknown(text)
  if ('below' in goal) return verdictOf(text, ours.median, goal.below)
  if ('ofEveryPeer' in goal) return verdictOf(text, worstRatio(line, ours), goal.atMost)
  const theirs = line.outcomes[goal.of]
  if (!isMeasured(theirs)) return unknown(text)
  if ('over' in goal) {
    const over = (ours.median - theirs.median) / (goal.calls ?? 1)
    return verdictOf(text, over, goal.over, ' µs')
  }
  return verdictOf(text, ratioOf(line.unit, ours, theirs), goal.atMost)
}
