/** How far a function is, as it travels: three u64, all ones for what is not known (docs/WIRE.md). */
import { CK_UNAVAILABLE_INFORMATION } from '../standard/constants.ts'
import type { Progress } from '../standard/progress.ts'
import { type Reader, WireError } from './reader.ts'
import type { Writer } from './writer.ts'

/** The fraction done is told in millionths. */
const MILLION = 1_000_000

const bounded = (value: number, most: number): number =>
  Math.max(0, Math.min(most, Math.round(value)))

function write(writer: Writer, value: number | undefined, most: number): void {
  writer.u64(value === undefined ? CK_UNAVAILABLE_INFORMATION : bounded(value, most))
}

function read(reader: Reader, most: number): number | undefined {
  const value = reader.u64()
  if (value === CK_UNAVAILABLE_INFORMATION) return undefined
  if (value > most) throw new WireError(`${value} of at most ${most}`)
  return value
}

/** The fraction done in millionths, the milliseconds since it began, those that are usual. */
export function writeProgress(writer: Writer, progress: Progress | undefined): void {
  const { done, elapsed, usual } = progress ?? {}
  write(writer, done === undefined ? undefined : done * MILLION, MILLION)
  write(writer, elapsed, Number.MAX_SAFE_INTEGER)
  write(writer, usual, Number.MAX_SAFE_INTEGER)
}

/** undefined where the function is not at work. */
export function readProgress(reader: Reader): Progress | undefined {
  const millionths = read(reader, MILLION)
  const elapsed = read(reader, Number.MAX_SAFE_INTEGER)
  const usual = read(reader, Number.MAX_SAFE_INTEGER)
  if (elapsed === undefined) return undefined
  return { done: millionths === undefined ? undefined : millionths / MILLION, elapsed, usual }
}
