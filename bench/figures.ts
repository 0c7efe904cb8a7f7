/** Figures as people read them. */
import { isMeasured, type Line, type Outcome, oursOf, ratioOf, type Unit } from './results.ts'

const three = (value: number) =>
  value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3)

function timeOf(microseconds: number): string {
  if (microseconds < 1000) return `${three(microseconds)} µs`
  if (microseconds < 1e6) return `${three(microseconds / 1000)} ms`
  return `${three(microseconds / 1e6)} s`
}

/** A figure with its unit where the line does not tell it. */
export function figureOf(value: number, unit: Unit): string {
  if (unit === 'time') return timeOf(value)
  if (unit === 'rate') return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) < 10 ? 2 : 0)
}

export const ratio = (value: number) => three(value)

/** What a side came to: a figure, and our time over its own where it is not ours. */
export function cellOf(line: Line, outcome: Outcome | undefined): string {
  if (outcome === undefined) return ''
  if (!isMeasured(outcome)) return '-'
  const figure = figureOf(outcome.median, line.unit)
  const ours = oursOf(line)
  if (outcome === ours || !isMeasured(ours) || (line.unit !== 'time' && line.unit !== 'rate'))
    return figure
  return `${figure} (${ratio(ratioOf(line.unit, ours, outcome))})`
}

/** How far the rounds of a side lie apart, in per cent of their median. */
export function spreadOf(outcome: Outcome | undefined): string {
  if (!isMeasured(outcome) || outcome.rounds.length < 2) return ''
  const spread = (Math.max(...outcome.rounds) - Math.min(...outcome.rounds)) / outcome.median
  return `${Math.round(spread * 100)} %`
}

export const reachedText = (reached: boolean | undefined) =>
  reached === undefined ? 'not measured' : reached ? 'reached' : 'not reached'

/** Names of the sides of some lines, ours first. */
export const sidesOf = (lines: readonly Line[]): string[] => [
  ...new Set(lines.flatMap(({ outcomes }) => Object.keys(outcomes))),
]

/** Lines by their group, in the order in which groups first come. */
export function byGroup(lines: readonly Line[]): Map<string, Line[]> {
  const groups = new Map<string, Line[]>()
  for (const line of lines) groups.set(line.group, [...(groups.get(line.group) ?? []), line])
  return groups
}
