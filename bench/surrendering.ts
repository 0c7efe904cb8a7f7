/** How lengthy functions call back and stop, and what surrender costs. */
import { CKP } from '../src/standard/constants.ts'
import type { Side } from './peers/peer.ts'
import { type Goal, type Line, medianOf, type Unit } from './results.ts'
import { isMissing, lineOf, resultFrom } from './turns.ts'

/** What bench/client/surrender.c prints; milliseconds. */
interface Printed {
  readonly cancelled: boolean
  readonly callbacks: number
  readonly took: number
  readonly longestGap: number
  /** Processor time of the program and of the service, without its workers. */
  readonly around: number
  readonly toReturn: number
  readonly toFree: number
}

/** A work of surrender.c and a size at which it takes long: bits, a parameter set, iterations or MiB. */
interface Lengthy {
  readonly name: string
  readonly work: string
  readonly size: number
}

/** One of each function of src/engine/lengthy.ts, and what goes over data. */
const LENGTHY: readonly Lengthy[] = [
  { name: 'RSA-16384 generation', work: 'rsa', size: 16384 },
  { name: 'DSA parameters, 3072 bits', work: 'dsa', size: 3072 },
  { name: 'DSA primes, 3072 bits', work: 'dsa-primes', size: 3072 },
  { name: 'DH parameters, 8192 bits', work: 'dh', size: 8192 },
  { name: 'X9.42 DH parameters, 8192 bits', work: 'x9.42', size: 8192 },
  { name: 'SLH-DSA-SHA2-256s generation', work: 'slh-dsa', size: CKP.SLH_DSA_SHA2_256S },
  { name: 'SLH-DSA-SHA2-256s signature', work: 'slh-dsa-sign', size: CKP.SLH_DSA_SHA2_256S },
  { name: 'SLH-DSA verification of 64 MiB', work: 'slh-dsa-verify', size: 64 },
  { name: 'PBKDF2, 4 thousand million times', work: 'pbkdf2', size: 2 ** 32 - 1 },
  { name: 'SHA-256 over 1 GiB', work: 'digest', size: 1024 },
  { name: 'HMAC-SHA-256 over 1 GiB', work: 'mac', size: 1024 },
  { name: 'AES-256-GCM over 512 MiB', work: 'encrypt', size: 512 },
  { name: '1 GiB of random bytes', work: 'random', size: 1024 },
]

/** Milliseconds after which the watched run of each is cancelled where it is not over. */
const WATCHED = 2000
/** Milliseconds after which the tries are cancelled, in turns: at the first callback, and later ones. */
const STOPS = [1, 60, 120, 180] as const

export interface Surrendered {
  readonly name: string
  readonly callbacksASecond: number
  /** Milliseconds. */
  readonly longestGap: number
  /** Tries that were cancelled before the work was over. */
  readonly tries: number
  readonly medianToReturn: number
  readonly worstToReturn: number
  readonly worstToFree: number
}

async function surrender(side: Side, { work, size }: Lengthy, stop: number | 'silent') {
  const [service = 0] = side.processes()
  const words = ['surrender', work, String(size), String(stop), String(service)]
  const result = await resultFrom<Printed>(side.command(['0', '0', ...words]))
  if (isMissing(result)) throw new Error(`surrender ${work}: ${result.missing}`)
  return result
}

/** Watches one work, and cancels it so many times. */
async function watch(side: Side, lengthy: Lengthy, tries: number, share: number) {
  const watched = await surrender(side, lengthy, WATCHED * share)
  const all = [watched]
  for (let i = 0; i < tries; i++)
    all.push(await surrender(side, lengthy, STOPS[i % STOPS.length] as number))
  const cancelled = all.filter((one) => one.cancelled)
  const returns = cancelled.map((one) => one.toReturn)
  return {
    name: lengthy.name,
    callbacksASecond: watched.callbacks / (watched.took / 1000),
    longestGap: Math.max(...all.map((one) => one.longestGap)),
    tries: cancelled.length,
    medianToReturn: returns.length === 0 ? 0 : medianOf(returns),
    worstToReturn: Math.max(0, ...returns),
    worstToFree: Math.max(0, ...cancelled.map((one) => one.toFree)),
  }
}

/** At least so many tries over all lengthy works. */
export async function measureSurrender(
  side: Side,
  tries: number,
  share: number,
  tell: (name: string) => void,
): Promise<Surrendered[]> {
  const each = Math.ceil(tries / LENGTHY.length)
  const all: Surrendered[] = []
  for (const lengthy of LENGTHY) {
    tell(lengthy.name)
    all.push(await watch(side, lengthy, each, share))
  }
  return all
}

const summary = (
  side: Side,
  [name, unit, value, below]: readonly [string, Unit, number, number],
): Line => {
  const goals: readonly Goal[] = [{ below }]
  const outcomes = { [side.name]: { median: value, rounds: [value], calls: 1 } }
  return lineOf({ group: 'Surrender', name, unit, goals }, outcomes)
}

/** The worst of all works against the goals. */
export function summarise(side: Side, all: readonly Surrendered[]): Line[] {
  const worst = (of: (one: Surrendered) => number) => Math.max(...all.map(of))
  const tries = all.reduce((sum, one) => sum + one.tries, 0)
  return (
    [
      ['longest gap between callbacks, ms', '', worst((one) => one.longestGap), 100],
      [
        `CKR_CANCEL to return, worst of ${tries} tries, ms`,
        '',
        worst((one) => one.worstToReturn),
        100,
      ],
      [
        `CKR_CANCEL until the processor is free, worst of ${tries} tries, ms`,
        '',
        worst((one) => one.worstToFree),
        200,
      ],
    ] as const
  ).map((row) => summary(side, row))
}

/** What callbacks every 50 ms cost over none, in per cent of the time that the work takes. */
interface Costly extends Lengthy {
  costOf(calling: Printed, silent: Printed): number
}

const byTime: Costly['costOf'] = (calling, silent) => (calling.took / silent.took - 1) * 100

/** The share of a processor that is used beside the worker. */
const aroundOf = ({ around, took }: Printed) => (around / took) * 100

/**
 * The first two always take the same time. How long a generation takes is luck, so what is measured of
 * it is the processor time that it takes beside its worker.
 */
const COSTLY: readonly Costly[] = [
  { name: 'SHA-256 over 512 MiB', work: 'digest', size: 512, costOf: byTime },
  { name: 'PBKDF2 in a worker process', work: 'pbkdf2', size: 2_000_000, costOf: byTime },
  {
    name: 'RSA-4096 generation, processor time beside the worker',
    work: 'rsa',
    size: 4096,
    costOf: (calling, silent) => aroundOf(calling) - aroundOf(silent),
  },
]

/** What one pair costs; the first of two pairs begins in silence, the second does not. */
async function pair(side: Side, costly: Costly, turn: number): Promise<number> {
  const stops = turn % 2 === 0 ? (['silent', 0] as const) : ([0, 'silent'] as const)
  const first = await surrender(side, costly, stops[0])
  const second = await surrender(side, costly, stops[1])
  const [silent, calling] = turn % 2 === 0 ? [first, second] : [second, first]
  return costly.costOf(calling, silent)
}

/** The medians of so many pairs. */
export async function measureOverhead(side: Side, pairs: number): Promise<Line[]> {
  const lines: Line[] = []
  for (const costly of COSTLY) {
    const costs: number[] = []
    for (let turn = 0; turn < pairs; turn++) costs.push(await pair(side, costly, turn))
    const name = `overhead of surrender, ${costly.name}, %`
    lines.push(summary(side, [name, '%', medianOf(costs), 1]))
  }
  return lines
}
