/** Plots as SVG: our time over that of others, on a logarithmic axis; to the left of 1 we are ahead. */

import { ratio } from './figures.ts'
import { isMeasured, type Line, oursOf, ratioOf } from './results.ts'

/** Pixels. */
const WIDTH = 860
const LABELS = 300
const RIGHT = 70
const BAR = 9
const GAP = 12
const TOP = 64

/** They can be told apart in light and dark, and by those who see red and green alike. */
const COLOURS = [
  '#8a8f98',
  '#3b82c4',
  '#e08a1e',
  '#2a9d8f',
  '#b565a7',
  '#c8b400',
  '#d1495b',
  '#6c757d',
] as const

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.faint { fill: #6e7781 }
.small { font-size: 10px }
.grid { stroke: #d0d7de }
.one { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.faint { fill: #9198a1 }
.grid { stroke: #3d444d }
.one { stroke: #e6edf3 }
}
</style>`

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

interface Bar {
  readonly peer: string
  readonly value: number
}

const barsOf = (line: Line): Bar[] => {
  if (line.unit !== 'time' && line.unit !== 'rate') return []
  const ours = oursOf(line)
  if (!isMeasured(ours) || ours.median <= 0) return []
  return Object.entries(line.outcomes)
    .slice(1)
    .flatMap(([peer, outcome]) =>
      isMeasured(outcome) && outcome.median > 0
        ? [{ peer, value: ratioOf(line.unit, ours, outcome) }]
        : [],
    )
}

/** Powers of ten around all values, 1 among them. */
function decadesOf(values: readonly number[]): number[] {
  const logs = values.map(Math.log10)
  const from = Math.floor(Math.min(-1, ...logs))
  const to = Math.ceil(Math.max(1, ...logs))
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

const text = (x: number, y: number, content: string, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${more}>${escaped(content)}</text>`

/** What the axis is and what the colours mean. */
function head(title: string, peers: readonly string[], colour: Colour): string {
  let x = LABELS
  const legend = peers.map((peer) => {
    const at = x
    x += 28 + peer.length * 7
    const square = `<rect x="${at}" y="27" width="10" height="10" fill="${colour(peer)}"/>`
    return square + text(at + 15, 36, peer)
  })
  return text(10, 20, title, ' class="title"') + legend.join('')
}

type Colour = (peer: string) => string

/** A peer has one colour in all plots of a run. */
const colourAmong =
  (all: readonly string[]): Colour =>
  (peer) =>
    COLOURS[all.indexOf(peer) % COLOURS.length] as string

function gridOf(decades: readonly number[], x: (log: number) => number, bottom: number): string {
  const line = (decade: number) => {
    const at = x(decade).toFixed(1)
    const kind = decade === 0 ? 'one' : 'grid'
    const label = decade < 0 ? `1/${10 ** -decade}` : String(10 ** decade)
    return (
      `<line class="${kind}" x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${bottom}"/>` +
      text(x(decade), TOP - 10, label, ' text-anchor="middle" class="faint"')
    )
  }
  return decades.map(line).join('')
}

interface Scale {
  readonly x: (log: number) => number
  readonly colour: Colour
}

/** A bar from 1 to the ratio, and the ratio behind it. */
function barOf({ peer, value }: Bar, { x, colour }: Scale, y: number): string {
  const [one, end] = [x(0), x(Math.log10(value))]
  const [from, to] = [Math.min(one, end), Math.max(one, end)]
  const width = Math.max(1, to - from).toFixed(1)
  const place = `x="${from.toFixed(1)}" y="${y}" width="${width}" height="${BAR}"`
  const label = value < 1 ? ' text-anchor="end" class="faint small"' : ' class="faint small"'
  const at = value < 1 ? from - 4 : to + 4
  return `<rect ${place} fill="${colour(peer)}"/>${text(at, y + BAR - 0.5, ratio(value), label)}`
}

interface Bars {
  readonly line: Line
  readonly bars: readonly Bar[]
}

const heightOf = ({ bars }: Bars) => bars.length * BAR + GAP

function rowOf({ line, bars }: Bars, scale: Scale, y: number): string {
  const middle = y + (bars.length * BAR) / 2 + 4
  const label = text(LABELS - 46, middle, line.name, ' text-anchor="end"')
  return label + bars.map((bar, i) => barOf(bar, scale, y + i * BAR)).join('')
}

const scaleOf = (decades: readonly number[], colour: Colour): Scale => {
  const [from, to] = [decades[0] as number, decades.at(-1) as number]
  return { colour, x: (log) => LABELS + ((log - from) / (to - from)) * (WIDTH - LABELS - RIGHT) }
}

/** Each row below the last; answers where they end. */
function rowsOf(rows: readonly Bars[], scale: Scale): [drawn: string[], bottom: number] {
  let y = TOP
  const drawn = rows.map((row) => {
    const at = y
    y += heightOf(row)
    return rowOf(row, scale, at)
  })
  return [drawn, y]
}

const FOOT = 'our time over theirs: left of 1 Softoki is faster'

/**
 * A plot of one table; undefined where nobody is compared with us in it. `sides` are the names of all
 * of the run.
 */
export function plotOf(
  title: string,
  lines: readonly Line[],
  sides: readonly string[],
): string | undefined {
  const rows = lines
    .map((line) => ({ line, bars: barsOf(line) }))
    .filter(({ bars }) => bars.length > 0)
  if (rows.length === 0) return undefined
  const all = rows.flatMap(({ bars }) => bars)
  const decades = decadesOf(all.map(({ value }) => value))
  const scale = scaleOf(decades, colourAmong(sides))
  const [drawn, bottom] = rowsOf(rows, scale)
  const peers = [...new Set(all.map(({ peer }) => peer))]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 24}" role="img" aria-label="${escaped(title)}">
${STYLE}
${head(title, peers, scale.colour)}
${gridOf(decades, scale.x, bottom)}
${drawn.join('\n')}
${text(LABELS, bottom + 14, FOOT, ' class="faint"')}
</svg>
`
}
