/**
 * What work took, kept in a file across restarts: JSON, the times by kind. It is written at most once
 * a minute and at the end, never on the path of a call. A file that is damaged is told of and then
 * counts as none: it only ever helps to guess.
 */
import { readFileSync, statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { Durations, MOST_KINDS, MOST_TIMES } from './durations.ts'

/** Milliseconds between a change and its writing. */
const MINUTE = 60_000

/** Bytes of a file that is read: as many as 256 kinds with 15 times each take, and more. */
const MOST_BYTES = 256 << 10

/** Characters of a kind, and milliseconds that work may have taken: a year. */
const LONGEST_KIND = 200
const LONGEST = 366 * 24 * 3_600_000

const shape = z
  .record(
    z.string().max(LONGEST_KIND),
    z.array(z.number().min(0).max(LONGEST)).min(1).max(MOST_TIMES),
  )
  .refine((times) => Object.keys(times).length <= MOST_KINDS, `more than ${MOST_KINDS} kinds`)

/** Told of what went wrong with the file. */
export type Complain = (error: unknown, doing: string) => void

function read(file: string): [string, number[]][] {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) return []
  if (size > MOST_BYTES) throw new RangeError(`${file} has ${size} bytes`)
  return Object.entries(shape.parse(JSON.parse(readFileSync(file, 'utf8'))))
}

function readOrNone(file: string, complain: Complain): [string, number[]][] {
  try {
    return read(file)
  } catch (error) {
    complain(error, 'reading what work took')
    return []
  }
}

/** The file is whole at every moment: the new one takes the place of the old. */
async function write(file: string, durations: Durations): Promise<void> {
  const next = `${file}.new`
  await rm(next, { force: true })
  const text = JSON.stringify(Object.fromEntries(durations.all()))
  await writeFile(next, text, { mode: 0o600, flag: 'wx' })
  await rename(next, file)
}

export class KeptDurations extends Durations {
  readonly #file: string
  readonly #complain: Complain
  #due: NodeJS.Timeout | undefined
  #written: Promise<void> = Promise.resolve()

  /** In this file, which nobody else writes to; made where there is none. */
  constructor(file: string, complain: Complain) {
    super(readOrNone(file, complain))
    this.#file = file
    this.#complain = complain
  }

  override took(kind: string, milliseconds: number): void {
    super.took(kind, milliseconds)
    this.#due ??= setTimeout(() => this.#write(), MINUTE).unref()
  }

  override async close(): Promise<void> {
    if (this.#due !== undefined) this.#write()
    await this.#written
  }

  #write(): void {
    clearTimeout(this.#due)
    this.#due = undefined
    this.#written = this.#written
      .then(() => write(this.#file, this))
      .catch((error) => this.#complain(error, 'keeping what work took'))
  }
}
