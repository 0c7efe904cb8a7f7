/** Tokens with many objects, in memory: objects are made there in seconds and found as on a disk. */
import type { Peer, Place, Side } from './peers/peer.ts'
import { NotHere } from './peers/peer.ts'
import type { Line, Missing, Row } from './results.ts'
import { type Effort, isMissing, lineOf, measureRow, resultFrom } from './turns.ts'

/**
 * Milliseconds an object that a peer may take to make them, for up to 10,000 of them and for more. They
 * are made by several runs of the client, none of which lasts long; few objects have some seconds at
 * least.
 */
const PACE = 6
const MANY = 10_000
const PACE_OF_MANY = 3
const RUN = 5000
const LEAST_BOUND = 20_000

interface Populated {
  readonly made: number
  readonly took: number
}

/** Makes one run's share of a side's objects. */
async function makeObjects(side: Side, from: number, count: number, pace: number) {
  const bound = Math.max(LEAST_BOUND, count * pace)
  const words = ['0', '0', 'populate', String(from), String(count), String(bound)]
  return resultFrom<Populated>(side.command(words))
}

/** Gives a side so many objects, or tells why not. */
async function populate(side: Side, count: number): Promise<Side | Missing> {
  const pace = count > MANY ? PACE_OF_MANY : PACE
  let took = 0
  for (let from = 0; from < count; from += RUN) {
    const asked = Math.min(RUN, count - from)
    const result = await makeObjects(side, from, asked, pace)
    if (isMissing(result)) return result
    took += result.took / 1000
    if (result.made < asked) return givenUp(from + result.made, took)
  }
  return side
}

const givenUp = (made: number, seconds: number): Missing => ({
  missing: `given up: ${made.toLocaleString('en')} objects in ${seconds.toFixed(0)} s`,
})

/** Puts up a side of its own for each peer. */
export async function populatedSides(
  peers: readonly Peer[],
  place: Place,
  count: number,
): Promise<Map<string, Side | Missing>> {
  const sides = new Map<string, Side | Missing>()
  for (const peer of peers) {
    const side = await start(peer, place)
    sides.set(peer.name, isMissing(side) ? side : await populate(side, count))
  }
  return sides
}

async function start(peer: Peer, place: Place): Promise<Side | Missing> {
  try {
    return await peer.start(place)
  } catch (error) {
    if (error instanceof NotHere) return { missing: error.message }
    throw error
  }
}

/** Measures rows on tokens of one size. */
export async function measurePopulated(
  rows: readonly Row[],
  sides: ReadonlyMap<string, Side | Missing>,
  effort: Effort,
): Promise<Line[]> {
  const names = [...sides.keys()]
  const ready = [...sides.values()].filter((side): side is Side => !isMissing(side))
  const lines: Line[] = []
  for (const row of rows) {
    const { outcomes } = await measureRow(row, ready, effort)
    const missing = (name: string) => sides.get(name) as Missing
    const all = names.map((name) => [name, outcomes[name] ?? missing(name)] as const)
    lines.push(lineOf(row, Object.fromEntries(all)))
  }
  return lines
}
