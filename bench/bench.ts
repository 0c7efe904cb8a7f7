/**
 * Softoki beside its peers, in one run: a table here, PERFORMANCE.md, JSON and plots in a folder.
 * npm run bench -- --help
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, root, type Scope } from '../test/service.ts'
import { Interrupted, interrupt } from './clients.ts'
import { machine, versionOf } from './machine.ts'
import { CALLS, measureGrowth, measureIdle, measurePeak, OBJECTS } from './memory.ts'
import { isWhole, type Options, readOptions, USAGE, UsageError } from './options.ts'
import { given } from './peers/given.ts'
import { nodeApi, pkcs11js } from './peers/node.ts'
import { nss } from './peers/nss.ts'
import { opencryptoki } from './peers/opencryptoki.ts'
import { openssl } from './peers/openssl.ts'
import { NotHere, type Peer, type Side } from './peers/peer.ts'
import { remoting, softhsm } from './peers/softhsm.ts'
import { bySocket, softoki } from './peers/softoki.ts'
import { measurePopulated, populatedSides } from './populations.ts'
import { writeReport } from './report.ts'
import type { Line, Row } from './results.ts'
import { calls } from './rows/calls.ts'
import { data } from './rows/data.ts'
import { inNode } from './rows/node.ts'
import { generation, populated } from './rows/objects.ts'
import { parallel } from './rows/parallel.ts'
import type { Participant, Run } from './run.ts'
import { measureOverhead, measureSurrender, type Surrendered, summarise } from './surrendering.ts'
import { tableOf } from './table.ts'
import { type Effort, isMissing, measureRow } from './turns.ts'

/** All but openssl.c, which is a program of its own. */
const CLIENT = [
  'main',
  'token',
  'keys',
  'signing',
  'data',
  'objects',
  'parallel',
  'memory',
  'surrender',
]

function compileClient(scope: Scope): string {
  const [main, ...others] = CLIENT.map((name) => join(root, 'bench/client', `${name}.c`))
  return compile(scope, main as string, ...others)
}

class Bench {
  readonly #options: Options
  readonly #scope: Scope
  readonly #client: string
  readonly #effort: Effort
  readonly #lines: Line[] = []
  readonly #participants: Participant[] = []
  #surrender: readonly Surrendered[] = []

  constructor(options: Options, scope: Scope) {
    this.#options = options
    this.#scope = scope
    this.#client = compileClient(scope)
    this.#effort = { rounds: options.rounds, share: options.quick ? 0.2 : 1 }
  }

  async run(): Promise<Run> {
    const [began, from] = [new Date(), performance.now()]
    const at = machine()
    await this.#native()
    await this.#populated()
    await this.#alone()
    await this.#inNode()
    return {
      date: began.toISOString(),
      seconds: (performance.now() - from) / 1000,
      quick: this.#options.quick,
      rounds: this.#options.rounds,
      machine: at,
      participants: this.#participants,
      lines: this.#lines,
      surrender: this.#surrender,
    }
  }

  /** Peers through the C client. */
  async #native(): Promise<void> {
    const rows = [...calls, ...data, ...generation, ...parallel].filter((row) => this.#wants(row))
    await this.#measure(rows, this.#peers([softoki, bySocket, ...this.#others(), openssl]))
  }

  async #inNode(): Promise<void> {
    await this.#measure(
      inNode.filter((row) => this.#wants(row)),
      [nodeApi, pkcs11js],
    )
  }

  async #measure(rows: readonly Row[], peers: readonly Peer[]): Promise<void> {
    if (rows.length === 0) return
    const sides: Side[] = []
    const folder = this.#folder(tmpdir())
    for (const peer of peers) {
      const side = await this.#start(peer, folder)
      if (side !== undefined) sides.push(side)
    }
    for (const row of rows) {
      tell(`${row.group}, ${row.name}`)
      this.#lines.push(await measureRow(row, sides, this.#effort))
    }
  }

  /** Tokens with many objects; who could not make so many is not asked for more. */
  async #populated(): Promise<void> {
    const others = this.#others().filter((peer) => peer !== remoting)
    const all = this.#peers([softoki, ...others])
    let peers = all
    const sizes = [...new Set(populated.map((row) => row.population as number))]
    for (const size of sizes) {
      const rows = populated.filter((row) => row.population === size && this.#wants(row))
      if (rows.length === 0 || (this.#options.quick && size > 10_000)) continue
      tell(`tokens with ${size.toLocaleString('en')} objects`)
      const sides = await this.#tokensWith(size, peers)
      this.#lines.push(...(await measurePopulated(rows, sides, this.#effort)))
      peers = peers.filter(({ name }) => !isMissing(sides.get(name) ?? { missing: '' }))
    }
    if (!this.#wantsOne('Memory', 'idle')) return
    tell('memory, idle')
    const sides = await this.#tokensWith(OBJECTS, all)
    this.#lines.push(...(await measureIdle(sides, OBJECTS, this.#effort.share)))
  }

  #tokensWith(size: number, peers: readonly Peer[]) {
    const place = { scope: this.#scope, client: this.#client, folder: this.#folder('/dev/shm') }
    return populatedSides(peers, place, size)
  }

  /** What only Softoki is asked: memory in the long run, and how it surrenders. */
  async #alone(): Promise<void> {
    const [memory, surrender] = ['Memory', 'Surrender'].map((group) => this.#wantsOne(group, ''))
    if (!memory && !surrender) return
    const folder = this.#folder(tmpdir())
    const side = await softoki.start({ scope: this.#scope, client: this.#client, folder })
    if (memory) await this.#memory(side)
    if (surrender) await this.#surrenders(side)
  }

  async #memory(side: Side): Promise<void> {
    tell('memory over many calls')
    const calls = Math.round(CALLS * this.#effort.share * this.#effort.share)
    this.#lines.push(...(await measureGrowth(side, calls)))
    tell('memory of one call of 1 GiB')
    this.#lines.push(await measurePeak(side, 'digest', 'SHA-256'))
    this.#lines.push(await measurePeak(side, 'gcm', 'AES-256-GCM'))
  }

  async #surrenders(side: Side): Promise<void> {
    const { share, rounds } = this.#effort
    const tries = Math.round(100 * share)
    const tellOf = (name: string) => tell(`surrender, ${name}`)
    this.#surrender = await measureSurrender(side, tries, share, tellOf)
    this.#lines.push(...summarise(side, this.#surrender))
    tell('overhead of surrender')
    this.#lines.push(...(await measureOverhead(side, 4 * rounds)))
  }

  #others(): readonly Peer[] {
    const others = this.#options.given.map(([name, module]) => given(name, module))
    return [softhsm, nss, opencryptoki, remoting, ...others]
  }

  /** Ours always; of others those that are asked for. */
  #peers(peers: readonly Peer[]): readonly Peer[] {
    const { peers: names } = this.#options
    return peers.filter((peer) => peer === softoki || (names?.includes(peer.name) ?? true))
  }

  async #start(peer: Peer, folder: string): Promise<Side | undefined> {
    try {
      const side = await peer.start({ scope: this.#scope, client: this.#client, folder })
      const version = peer.version?.() ?? (await versionOf(side))
      this.#participants.push({ name: peer.name, version, missing: undefined })
      return side
    } catch (error) {
      if (!(error instanceof NotHere) || peer === softoki) throw error
      tell(`${peer.name} takes no part: ${error.message}`)
      this.#participants.push({ name: peer.name, version: undefined, missing: error.message })
      return undefined
    }
  }

  #folder(within: string): string {
    const folder = mkdtempSync(join(within, 'softoki-bench-'))
    this.#scope.after(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  #wants({ group, name }: Row): boolean {
    return this.#wantsOne(group, name)
  }

  #wantsOne(group: string, name: string): boolean {
    const { only } = this.#options
    return only === undefined || only.test(`${group}, ${name}`)
  }
}

/** What is being done now; standard output is for the table. */
const tell = (text: string) => console.error(`bench: ${text}`)

async function bench(options: Options): Promise<void> {
  const ends: (() => unknown)[] = []
  const scope = { after: (end: () => unknown) => void ends.unshift(end), diagnostic: tell }
  const folder = options.out ?? join(root, isWhole(options) ? 'docs' : 'bench/out')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt)
  try {
    mkdirSync(folder, { recursive: true })
    const run = await new Bench(options, scope).run()
    if (run.lines.length === 0) throw new UsageError(`no row fits --only ${options.only?.source}`)
    console.log(tableOf(run))
    writeReport(run, folder)
    tell(`wrote ${join(folder, 'PERFORMANCE.md')}`)
  } finally {
    for (const end of ends) await end()
  }
}

/** The exit status for an error; what is no fault of the bench is told in a line. */
function statusOf(error: unknown): number {
  if (error instanceof Interrupted) return 130
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message === '' ? '' : `bench: ${error.message}\n`}${USAGE}`)
  return error.message === '' ? 0 : 2
}

try {
  await bench(readOptions(process.argv.slice(2)))
} catch (error) {
  process.exitCode = statusOf(error)
}
