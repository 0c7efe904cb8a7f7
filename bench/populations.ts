/** Tokens with many objects, in memory: objects are made there in seconds and found as on a disk. */
import type { Peer, Place, Side } from './peers/peer.ts'
import { NotHere } from './peers/peer.ts'
import type { Line, Missing, Row } from './results.ts'
import { type Effort, isMissing, lineOf, measureRow, resultFrom } from './turns.ts'

/** Milliseconds in which a peer must have made its objects: for up to 10,000 of them, and for more. */
const BOUND = 60_000
const MANY = 10_000
const BOUND_OF_MANY = 170_000

interface Populated {
  readonly made: number
  readonly took: number
}

/** Gives a side so many objects, or tells why not. */
export async function populate(side: Side, count: number, share: number) {
  const bound = Math.round((count > MANY ? BOUND_OF_MANY : BOUND) * share)
  const words = ['0', '0', 'populate', String(count), String(bound)]
  const result = await resultFrom<Populated>(side.command(words))
  if (isMissing(result) || result.made === count) return result
  const seconds = (result.took / 1000).toFixed(0)
  return { missing: `given up: ${result.made.toLocaleString('en')} objects in ${seconds} s` }
}

/** Puts up a side of its own for each peer. */
export async function populatedSides(
  peers: readonly Peer[],
  place: Place,
  count: number,
  share: number,
): Promise<Map<string, Side | Missing>> {
  const sides = new Map<string, Side | Missing>()
  for (const peer of peers) {
    const side = await start(peer, place)
    const result = isMissing(side) ? side : await populate(side, count, share)
    sides.set(peer.name, isMissing(result) ? result : side)
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
