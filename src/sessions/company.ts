/**
 * How many sessions call just now. Work of a fraction of a millisecond is done at once for one that is
 * alone; for several it goes to the thread pool, so that they do not wait for each other and all processors
 * work.
 */
import type { Session } from './session.ts'

/** Calls count for so many milliseconds, and for at most as many more. */
const WINDOW = 5

/** Handles of the sessions that called since a moment, and how many others there were before that. */
const seen = new Set<number>()
let since = 0
let before = 0

/** A call on the session begins. Answers how many other sessions call. */
export function companyOf({ handle }: Session): number {
  if (before === 0 && seen.size === 1 && seen.has(handle)) return 0
  const now = performance.now()
  if (now - since > WINDOW) {
    before = now - since > 2 * WINDOW ? 0 : Math.max(0, seen.size - 1)
    since = now
    seen.clear()
  }
  seen.add(handle)
  return Math.max(before, seen.size - 1)
}
