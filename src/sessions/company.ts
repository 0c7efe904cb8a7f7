/**
 * Whether calls come from one session alone just now. Work of a fraction of a millisecond is done at once
 * for it; for several it goes to the thread pool, so that they do not wait for each other and all
 * processors work.
 */
import type { Session } from './session.ts'

/** Another session's call counts as company for so many milliseconds. */
const COMPANY = 5

/** The handle of the session that called last, and until when that was not the only one. */
let latest = 0
let until = 0

/** A call on the session begins. Answers until when (performance.now()) there is company. */
export function companyUntil({ handle }: Session): number {
  if (handle !== latest) {
    latest = handle
    until = performance.now() + COMPANY
  }
  return until
}
