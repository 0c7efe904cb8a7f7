/** One run: what was measured with what, and all that came of it. */
import type { Machine } from './machine.ts'
import type { Line } from './results.ts'
import type { Surrendered } from './surrendering.ts'

export interface Participant {
  readonly name: string
  /** undefined where it takes no part. */
  readonly version: string | undefined
  readonly missing: string | undefined
}

export interface Run {
  /** ISO 8601, when the run began. */
  readonly date: string
  readonly seconds: number
  readonly quick: boolean
  readonly rounds: number
  readonly machine: Machine
  readonly participants: readonly Participant[]
  readonly lines: readonly Line[]
  readonly surrender: readonly Surrendered[]
}
