/**
 * The manners of the terminal:
 *
 * - Results go to standard output, and nothing else does: what a script reads there is the answer.
 * - Everything else, hints and errors, goes to standard error, one line each with `softoki: ` before
 *   it, no capital at the start and no full stop. An error tells the next step.
 * - Progress and bold text are for terminals only. NO_COLOR takes the bold away, TERM=dumb the
 *   progress line too; a progress line is erased when the work is done.
 * - Questions are asked on standard error, only where both it and standard input are terminals.
 * - Text that comes from a token is shown with its control characters escaped.
 */
import { styleText } from 'node:util'
import type { Progress } from '../standard/progress.ts'
import { progressLine } from './progress.ts'

/** Writes one line of the result. */
export const print = (line: string): void => void process.stdout.write(`${line}\n`)

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

/** Tells the user something that is not the result. */
export const say = (message: string): void => void process.stderr.write(`softoki: ${message}\n`)

/** Whether somebody watches standard error. */
export const isWatched = (): boolean => process.stderr.isTTY === true

/** Whether somebody is there to answer a question. */
export const canAsk = (): boolean => isWatched() && process.stdin.isTTY === true

/** Bold on a terminal that wants it. */
export const bold = (text: string): string => styleText('bold', text, { stream: process.stdout })

/** Text with the characters escaped that would move the cursor, change colours or turn the writing. */
export const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )

/** Prints rows under their headings, each column as wide as it needs to be. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const shown = rows.map((row) => row.map(printable))
  const widths = headings.map((heading, i) =>
    shown.reduce((width, row) => Math.max(width, [...(row[i] ?? '')].length), heading.length),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - [...cell].length))
      .join('  ')
      .trimEnd()
  print(bold(line(headings)))
  for (const row of shown) print(line(row))
}

const ERASE_LINE = '\r\x1b[2K'

/** Columns of a terminal that does not say. */
const COLUMNS = 80

/** A line that shows how far something is, redrawn with each tick. */
export class ProgressLine {
  readonly #what: string
  readonly #shown = isWatched() && process.env.TERM !== 'dumb'

  constructor(what: string) {
    this.#what = what
  }

  tick(progress: Progress): void {
    if (!this.#shown) return
    const columns = process.stderr.columns || COLUMNS
    process.stderr.write(`${ERASE_LINE}${progressLine(this.#what, progress, columns)}`)
  }

  erase(): void {
    if (this.#shown) process.stderr.write(ERASE_LINE)
  }
}
