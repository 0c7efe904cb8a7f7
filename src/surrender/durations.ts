/**
 * What similar work took here before: the times of the latest of each kind, in milliseconds. It tells
 * of kinds and sizes only, and is bounded whatever is done.
 */

/** Kinds that are remembered; those that were not done for longest go first. */
export const MOST_KINDS = 256

/** Times of a kind, the latest. */
export const MOST_TIMES = 15

export class Durations {
  readonly #times: Map<string, readonly number[]>

  /** `known` holds the times of each kind, the kind that was done last being the last. */
  constructor(known: Iterable<readonly [string, readonly number[]]> = []) {
    this.#times = new Map(known)
  }

  /** The median of what this kind of work took, in milliseconds; undefined where none was done. */
  usual(kind: string): number | undefined {
    const times = this.#times.get(kind)?.toSorted((one, other) => one - other) ?? []
    const [lower, upper] = [times[(times.length - 1) >> 1], times[times.length >> 1]]
    return lower === undefined || upper === undefined ? undefined : (lower + upper) / 2
  }

  /** Work of this kind was done, whole, in so many milliseconds. */
  took(kind: string, milliseconds: number): void {
    const times = [...(this.#times.get(kind) ?? []), Math.round(milliseconds)]
    this.#times.delete(kind)
    this.#times.set(kind, times.slice(-MOST_TIMES))
    const [oldest] = this.#times.keys()
    if (this.#times.size > MOST_KINDS && oldest !== undefined) this.#times.delete(oldest)
  }

  /** All that is known. */
  all(): Iterable<readonly [string, readonly number[]]> {
    return this.#times
  }

  /** What is to last is kept; nothing is added after that. */
  async close(): Promise<void> {}
}
