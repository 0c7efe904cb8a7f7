/** Plots as SVG: our time over that of others, on a logarithmic axis; to the left of 1 we are ahead. */

import { ratio, sidesOf } from './figures.ts'
import { isMeasured, type Line, oursOf, ratioOf } from './results.ts'

/** Pixels. */
const WIDTH = 860
const LABELS = 300
const RIGHT = 70
const BAR = 9
const GAP = 12
const TOP = 64

/** They can be told apart in light and dark, and by those who see red and green alike. */
const COLOURS = ['#3b82c4', '#e08a1e', '#2a9d8f', '#b565a7', '#8a8f98', '#c8b400'] as const

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.faint { fill: #6e7781 }
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
function head(title: string, peers: readonly string[]): string {
  let x = LABELS
  const legend = peers.map((peer, i) => {
    const at = x
    x += 28 + peer.length * 7
    const square = `<rect x="${at}" y="27" width="10" height="10" fill="${colour(i)}"/>`
    return square + text(at + 15, 36, peer)
  })
  return text(10, 20, title, ' class="title"') + legend.join('')
}

const colour = (peer: number) => COLOURS[peer % COLOURS.length] as string

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

/** A bar from 1 to the ratio, and the ratio behind it. */
function barOf(
  { peer, value }: Bar,
  peers: readonly string[],
  x: (log: number) => number,
  y: number,
) {
  const [one, end] = [x(0), x(Math.log10(value))]
  const [from, to] = [Math.min(one, end), Math.max(one, end)]
  const rect = `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="${BAR}" rx="1.5" fill="${colour(peers.indexOf(peer))}"/>`
  const side = value < 1 ? ' text-anchor="end"' : ''
  return (
    rect +
    text(
      value < 1 ? from - 4 : to + 4,
      y + BAR - 0.5,
      ratio(value),
      `${side} class="faint" style="font-size:10px"`,
    )
  )
}

/** A plot of one table; undefined where nobody is compared with us in it. */
export function plotOf(title: string, lines: readonly Line[]): string | undefined {
  const rows = lines
    .map((line) => ({ line, bars: barsOf(line) }))
    .filter(({ bars }) => bars.length > 0)
  if (rows.length === 0) return undefined
  const peers = sidesOf(lines).slice(1)
  const decades = decadesOf(rows.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const [from, to] = [decades[0] as number, decades.at(-1) as number]
  const x = (log: number) => LABELS + ((log - from) / (to - from)) * (WIDTH - LABELS - RIGHT)
  let y = TOP
  const drawn = rows.map(({ line, bars }) => {
    const label = text(
      LABELS - 46,
      y + (bars.length * BAR) / 2 + 4,
      line.name,
      ' text-anchor="end"',
    )
    const all = bars.map((bar, i) => barOf(bar, peers, x, y + i * BAR)).join('')
    y += bars.length * BAR + GAP
    return label + all
  })
  const foot = text(
    LABELS,
    y + 14,
    'our time over theirs: left of 1 Softoki is faster',
    ' class="faint"',
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 24}" role="img" aria-label="${escaped(title)}">
${STYLE}
${head(title, peers)}
${gridOf(decades, x, y)}
${drawn.join('\n')}
${foot}
</svg>
`
}
