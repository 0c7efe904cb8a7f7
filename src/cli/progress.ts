/** Progress in words. */
import type { Progress } from '../standard/progress.ts'

const SECOND = 1000
const MINUTE = 60
const HOUR = 60 * MINUTE

/** How long: "3.2 s", "5 min 20 s", "1 h 12 min". */
export function inWords(milliseconds: number): string {
  const seconds = milliseconds / SECOND
  if (seconds < MINUTE) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`
  const whole = Math.floor(seconds)
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s`
  return `${Math.floor(whole / HOUR)} h ${Math.floor((whole % HOUR) / MINUTE)} min`
}

const percent = (done: number): string => `${Math.floor(done * 100)} %`

/** The share done and the time it took; else the time, and what is usual. */
export function progressText({ done, elapsed, usual }: Progress): string {
  const time = inWords(elapsed)
  if (done !== undefined) return `${percent(done)}, ${time}`
  return usual === undefined ? time : `${time}, usually about ${inWords(usual)}`
}

/** Columns of a bar, and the fewest that are worth one. */
const BAR = 20
const SHORTEST_BAR = 8

function bar(done: number, columns: number): string {
  const width = Math.min(BAR, columns - '[] '.length)
  if (width < SHORTEST_BAR) return ''
  return `[${'='.repeat(Math.floor(done * width)).padEnd(width)}] `
}

/** A line about work that Ctrl-C cancels, in fewer than `columns`: a longer one would wrap. */
export function progressLine(what: string, progress: Progress, columns: number): string {
  const head = `softoki: ${what}: `
  const tail = `${progressText(progress)}, Ctrl-C cancels`
  const most = columns - 1
  const drawn =
    progress.done === undefined ? '' : bar(progress.done, most - head.length - tail.length)
  return `${head}${drawn}${tail}`.slice(0, Math.max(0, most))
}
