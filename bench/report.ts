/** docs/PERFORMANCE.md, the JSON beside it and the plots. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { byGroup, cellOf, reachedText, sidesOf, spreadOf } from './figures.ts'
import { plotOf } from './plot.ts'
import { type Line, oursOf } from './results.ts'
import type { Run } from './run.ts'
import { goalsOf, reasonsOf } from './table.ts'

const row = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(row)].join('\n')

const fileOf = (group: string) =>
  `${(group.split(':')[0] as string)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')}.svg`

function headOf({ date, seconds, machine, quick, rounds }: Run): string {
  const { processor, cores, memoryGiB, kernel, node, openssl, commit, load } = machine
  return `# Performance

Written by \`npm run bench\`; figures are of this run and this machine only.

${table(
  ['what', 'which'],
  [
    ['date', `${date.slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds / 60)} minutes`],
    ['machine', `${processor}, ${cores} cores, ${memoryGiB} GiB, ${kernel}`],
    ['load before', load.toFixed(2)],
    ['Softoki', `commit ${commit}, Node ${node} with OpenSSL ${openssl}`],
    ['rounds', `${rounds}${quick ? ', quick: the figures are rough' : ''}`],
  ],
)}`
}

const participantsOf = ({ participants }: Run) =>
  table(
    ['side', 'version'],
    participants.map(({ name, version, missing }) => [name, version ?? `no part: ${missing}`]),
  )

const METHOD = `The same C client loads every module, logs in and measures; each side has a token of its own in a temporary folder. Sides take turns in short rounds, so that what else the machine does falls on all. A figure is the median of single calls (of small batches where a call takes less than 20 µs), and of those the median of the rounds. In brackets stands our time over theirs: below 1 Softoki is faster, and of rates the same is meant. \`-\` means that a side cannot do it; the reasons are at the end.

What to know when comparing:

- **Softoki's keys are in another process**, and so are those behind p11-kit. SoftHSM2, NSS and opencryptoki work in the program's own process: a call of theirs is a call of a C function, and a bug of the program reaches their keys.
- **Durability.** Softoki has a token object on the disk before the call answers (SQLite, synchronous FULL). SoftHSM2 2.6.1 calls neither fsync nor fdatasync in C_CreateObject or C_GenerateKeyPair (seen with strace): its objects are in the page cache and a power cut loses them; what takes it time on a disk is the ftruncate of each file that it writes over. opencryptoki does not wait for the disk either. NSS waits for the disk as Softoki does. So figures of token objects come twice: on the disk, and in memory (/dev/shm), where waiting for the disk costs nobody anything.
- **Softoki by socket** is Softoki with SOFTOKI_SHARED_MEMORY=0: what a call costs where no memory is shared.
- **OpenSSL** is the yardstick, not a token: the system's libcrypto in the process, with keys and contexts kept. Node brings another version of it along, which Softoki uses.
- **C_Login** of Softoki takes as long as Argon2id does over the PIN: slow by intent, for whoever steals the file.
- RSA signs a ready DigestInfo (CKM_RSA_PKCS), ECDSA a ready digest of 32 or 48 bytes; EdDSA and ML-DSA a message of 32 bytes.`

function groupPart(group: string, lines: readonly Line[], plots: ReadonlyMap<string, string>) {
  const sides = sidesOf(lines)
  const goals = lines.some(({ verdicts }) => verdicts.length > 0)
  const head = ['work', ...sides, 'spread', ...(goals ? ['goal'] : [])]
  const rows = lines.map((line) => [
    line.name,
    ...sides.map((side) => cellOf(line, line.outcomes[side])),
    spreadOf(oursOf(line)),
    ...(goals ? [goalsOf(line)] : []),
  ])
  const plot = plots.has(group) ? `\n\n![${group}](performance/${fileOf(group)})` : ''
  return `### ${group}\n\n${table(head, rows)}${plot}`
}

function goalsPart({ lines }: Run): string {
  const rows = lines.flatMap((line) =>
    line.verdicts.map(({ goal, measured, reached }) => [
      `${line.group.split(':')[0]}: ${line.name}`,
      goal,
      measured,
      reachedText(reached),
    ]),
  )
  if (rows.length === 0) return ''
  return `## Goals\n\n${table(['work', 'goal', 'measured', 'verdict'], rows)}`
}

function surrenderPart({ surrender }: Run): string {
  if (surrender.length === 0) return ''
  const head = [
    'work',
    'callbacks a second',
    'longest gap, ms',
    'cancelled tries',
    'to return: median, ms',
    'worst, ms',
    'processor free: worst, ms',
  ]
  const rows = surrender.map((one) => [
    one.name,
    one.callbacksASecond.toFixed(1),
    one.longestGap.toFixed(1),
    String(one.tries),
    one.medianToReturn.toFixed(2),
    one.worstToReturn.toFixed(2),
    one.worstToFree.toFixed(0),
  ])
  return `### How each lengthy work surrenders

The interval is 50 ms. A work is watched for two seconds, then cancelled again and again at early and later callbacks. The processor counts as busy while the service and its workers use more than a tenth of a core in 5 ms.

${table(head, rows)}`
}

function reasonsPart({ lines }: Run): string {
  const reasons = reasonsOf(lines).map((reason) => `- ${reason}`)
  return reasons.length === 0 ? '' : `## What sides cannot do\n\n${reasons.join('\n')}`
}

/** The text of PERFORMANCE.md; `plots` are the SVGs by their group. */
export function reportOf(run: Run, plots: ReadonlyMap<string, string>): string {
  const groups = Array.from(byGroup(run.lines), ([group, lines]) => groupPart(group, lines, plots))
  const parts = [
    headOf(run),
    participantsOf(run),
    goalsPart(run),
    `## Method\n\n${METHOD}`,
    '## Figures',
    ...groups,
    surrenderPart(run),
    reasonsPart(run),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function plotsOf(lines: readonly Line[]): Map<string, string> {
  const plots = new Map<string, string>()
  const sides = sidesOf(lines)
  for (const [group, of] of byGroup(lines)) {
    const plot = plotOf(group, of, sides)
    if (plot !== undefined) plots.set(group, plot)
  }
  return plots
}

/** Writes PERFORMANCE.md, performance/bench.json and a plot for each table into a folder. */
export function writeReport(run: Run, folder: string): void {
  const plots = plotsOf(run.lines)
  const beside = join(folder, 'performance')
  mkdirSync(beside, { recursive: true })
  writeFileSync(join(folder, 'PERFORMANCE.md'), reportOf(run, plots))
  writeFileSync(join(beside, 'bench.json'), `${JSON.stringify(run, null, 2)}\n`)
  for (const [group, plot] of plots) writeFileSync(join(beside, fileOf(group)), plot)
}
