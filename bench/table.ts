/** The table that the terminal shows. */
import { byGroup, cellOf, reachedText, sidesOf } from './figures.ts'
import type { Line } from './results.ts'
import type { Run } from './run.ts'

/** Cells in columns of their own width; the first is to the left. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

/** What was aimed at and what came of it. */
export const goalsOf = ({ verdicts }: Line): string =>
  verdicts
    .map(({ goal, measured, reached }) =>
      reached === undefined
        ? `${goal}: not measured`
        : `${goal}: ${measured}, ${reachedText(reached)}`,
    )
    .join('; ')

function groupTable(group: string, lines: readonly Line[]): string {
  const sides = sidesOf(lines)
  const rows = lines.map((line) => [
    line.name,
    ...sides.map((side) => cellOf(line, line.outcomes[side])),
    goalsOf(line),
  ])
  return aligned([[group, ...sides, 'goal'], ...rows])
}

/** Why sides have no figure, each reason once. */
export function reasonsOf(lines: readonly Line[]): string[] {
  const reasons = lines.flatMap(({ outcomes }) =>
    Object.entries(outcomes).flatMap(([side, outcome]) =>
      'missing' in outcome ? [`${side}: ${outcome.missing}`] : [],
    ),
  )
  return [...new Set(reasons)]
}

function surrenderTable({ surrender }: Run): string {
  const head = ['Each lengthy work', 'callbacks/s', 'longest gap', 'tries', 'to return', 'to free']
  const rows = surrender.map((one) => [
    one.name,
    one.callbacksASecond.toFixed(1),
    `${one.longestGap.toFixed(1)} ms`,
    String(one.tries),
    `${one.worstToReturn.toFixed(2)} ms`,
    `${one.worstToFree.toFixed(0)} ms`,
  ])
  return surrender.length === 0 ? '' : aligned([head, ...rows])
}

/** Figures with, in brackets, our time over theirs. */
export function tableOf(run: Run): string {
  const groups = Array.from(byGroup(run.lines), ([group, lines]) => groupTable(group, lines))
  const reasons = reasonsOf(run.lines).map((reason) => `- ${reason}`)
  const parts = [...groups, surrenderTable(run), reasons.join('\n')]
  return parts.filter((part) => part !== '').join('\n\n')
}
