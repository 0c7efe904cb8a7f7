/** Memory of the program and of what works for it, from /proc. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { asClient, goOn } from './clients.ts'
import type { Side } from './peers/peer.ts'
import type { Goal, Line, Missing, Outcome } from './results.ts'
import { isMissing, lineOf } from './turns.ts'

const MIB = 1024
const GIB = 1 << 30

/** Objects of the token while nothing is done; calls over which memory must not grow; stages of them. */
export const OBJECTS = 1000
export const CALLS = 1_000_000
const STAGES = 10

/** Milliseconds without work after which a service is idle: time to give memory back. */
const IDLE = 10_000

/** MiB that allocators may take after the first stages and still count as flat. */
const FLAT = 8

/** A line of a file of /proc, in MiB; 0 where the process is gone. */
function figure(pid: number, file: string, name: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8')
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / MIB
  } catch {
    return 0
  }
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)
const resident = (pids: readonly number[]) =>
  sum(pids.map((pid) => figure(pid, 'smaps_rollup', 'Rss')))
const proportional = (pids: readonly number[]) =>
  sum(pids.map((pid) => figure(pid, 'smaps_rollup', 'Pss')))
const peak = (pids: readonly number[]) => sum(pids.map((pid) => figure(pid, 'status', 'VmHWM')))

/** Peaks count from here on. */
function forgetPeaks(pids: readonly number[]): void {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** MiB of the program and of the processes that work for it. */
interface Look {
  readonly program: number
  readonly service: number
  readonly serviceResident: number
}

type Taken = 'now' | 'peak'

/** Runs the client's hold and looks whenever it stands still; the program is the innermost process. */
async function looksAt(side: Side, words: readonly string[], taken: Taken): Promise<Look[]> {
  const { file, args, environment } = side.command(['0', '0', 'hold', ...words])
  goOn()
  const stdio: ['pipe', 'pipe', 'inherit'] = ['pipe', 'pipe', 'inherit']
  const child = asClient(spawn(file, args, { env: environment, stdio }))
  const exit = once(child, 'exit')
  const looks: Look[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'ready') continue
    looks.push(lookAt(child.pid as number, side.processes(), taken))
    if (taken === 'peak') forgetPeaks([child.pid as number, ...side.processes()])
    child.stdin.write('\n')
  }
  await exit
  goOn()
  return looks
}

function lookAt(program: number, service: readonly number[], taken: Taken): Look {
  const of = taken === 'peak' ? peak : proportional
  return { program: of([program]), service: of(service), serviceResident: resident(service) }
}

const outcome = (value: number | undefined): Outcome =>
  value === undefined
    ? { missing: 'the program failed' }
    : { median: value, rounds: [value], calls: 1 }

const mib = (
  name: string,
  values: Readonly<Record<string, Outcome>>,
  goals: readonly Goal[] = [],
) => lineOf({ group: 'Memory, MiB', name, unit: 'MiB', goals }, values)

/** Each side with so many objects, doing nothing. */
export async function measureIdle(
  sides: ReadonlyMap<string, Side | Missing>,
  objects: number,
  share: number,
): Promise<Line[]> {
  await sleep(IDLE * share)
  const looks = new Map<string, Look | Missing>()
  for (const [name, side] of sides) {
    const [look] = isMissing(side) ? [side] : await looksAt(side, ['idle'], 'now')
    looks.set(name, look ?? { missing: 'the program failed' })
  }
  const line = (what: string, of: (look: Look) => number, goals: readonly Goal[] = []) => {
    const values = Array.from(looks, ([name, look]) => {
      return [name, isMissing(look) ? look : outcome(of(look))] as const
    })
    const among = `with ${objects.toLocaleString('en')} objects`
    return mib(`${what}, idle ${among}`, Object.fromEntries(values), goals)
  }
  return [
    line('the program (PSS)', ({ program }) => program),
    line('the service (PSS)', ({ service }) => service),
    line('the service (RSS)', ({ serviceResident }) => serviceResident, [{ below: 120 }]),
  ]
}

/** Whether memory is flat: what the last stages need more than the first two. */
export async function measureGrowth(side: Side, calls: number): Promise<Line[]> {
  const looks = await looksAt(side, ['calls', String(calls), String(STAGES)], 'now')
  const grown = (of: (look: Look) => number) => {
    const [before, after] = [looks[2], looks.at(-1)]
    return before && after && looks.length > STAGES ? of(after) - of(before) : undefined
  }
  const many = calls.toLocaleString('en')
  const line = (what: string, value: number | undefined, goals: readonly Goal[] = []) =>
    mib(what, { [side.name]: outcome(value) }, goals)
  return [
    line(`the service (PSS), after ${many} calls`, looks.at(-1)?.service),
    line(
      `the service, growth over the last 80 % of ${many} calls`,
      grown((l) => l.service),
      [{ below: FLAT }],
    ),
    line(
      `the program, growth over the last 80 % of ${many} calls`,
      grown((l) => l.program),
      [{ below: FLAT }],
    ),
  ]
}

/** The peak of both processes in one single-part call, over its data of one GiB. */
export async function measurePeak(side: Side, work: string, name: string): Promise<Line> {
  const looks = await looksAt(side, ['once', work, String(GIB)], 'peak')
  const last = looks[1]
  const ratio = last && (last.program + last.service) / (GIB / MIB / MIB)
  const row = { group: 'Memory, peak of all processes over the data', unit: '' as const }
  return lineOf(
    { ...row, name: `${name}, one call of 1 GiB`, goals: [{ below: 3 }] },
    { [side.name]: outcome(ratio) },
  )
}
