/**
 * The first figures: how steadily a generation calls back, how soon a cancelled one returns, and what
 * a signature takes beside SoftHSM 2 in the same run. node bench/first.ts
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  compile,
  type Environment,
  environmentWith,
  library,
  modulePath,
  PIN,
  report,
  root,
  SO_PIN,
  startToken,
  temporaryFolder,
  tool,
} from '../test/service.ts'

/** Seconds of signing with one key in one round. */
const SECONDS = 2
const ROUNDS = 3

const ends: (() => unknown)[] = []
const scope = {
  after: (end: () => unknown) => void ends.unshift(end),
  diagnostic: (message: string) => console.log(message),
}

/** Microseconds. */
interface Timed {
  readonly calls: number
  readonly median: number
  readonly slowest: number
}
type Signatures = Readonly<Record<'P-256' | 'RSA-2048', Timed>>

/** A module to measure, and the environment it works in. */
interface Peer {
  readonly name: string
  readonly module: string
  readonly environment: Environment
}

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number

async function softokiPeer(): Promise<Peer> {
  const { environment } = await startToken(scope)
  return { name: 'Softoki', module: modulePath(), environment }
}

/** SoftHSM 2 with a token in a temporary folder, where it is installed. */
function softhsmPeer(): Peer | undefined {
  const [module, command] = [library(scope, 'libsofthsm2.so'), tool(scope, 'softhsm2-util')]
  if (module === undefined || command === undefined) return undefined
  const folder = temporaryFolder(scope)
  const configuration = join(folder, 'softhsm2.conf')
  mkdirSync(join(folder, 'tokens'))
  writeFileSync(
    configuration,
    `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`,
  )
  const environment = environmentWith({ SOFTHSM2_CONF: configuration })
  const words = ['--init-token', '--free', '--label', 'bench', '--so-pin', SO_PIN, '--pin', PIN]
  execFileSync(command, words, { env: environment, stdio: ['ignore', 'ignore', 'inherit'] })
  return { name: 'SoftHSM2', module, environment }
}

async function showSurrenders({ module, environment }: Peer): Promise<void> {
  const program = compile(scope, join(root, 'test/foreign/surrender.c'))
  const watch = <Result>(...words: string[]) =>
    report<Result>(program, [module, PIN, ...words], environment)
  for (const bits of ['4096', '8192']) {
    const { callbacks, took, longestGap } = await watch<Record<string, number>>('rsa', bits, '0')
    console.log(
      `RSA-${bits} generation: ${callbacks} callbacks in ${took} ms, longest gap ${longestGap} ms`,
    )
  }
  const { latencies } = await watch<{ latencies: number[] }>('latency', '20')
  const worst = Math.max(...latencies)
  console.log(`CKR_CANCEL to return, 20 tries: median ${medianOf(latencies)} ms, worst ${worst} ms`)
}

/** Runs the peers in turn, so that what else the machine does falls on all of them. */
async function measureSignatures(peers: readonly Peer[]): Promise<Map<Peer, Signatures[]>> {
  const program = compile(scope, join(import.meta.dirname, 'sign.c'))
  const measured = new Map(peers.map((peer) => [peer, [] as Signatures[]]))
  for (let round = 0; round < ROUNDS; round++)
    for (const [{ module, environment }, results] of measured)
      results.push(await report<Signatures>(program, [module, PIN, `${SECONDS}`], environment))
  return measured
}

function showSignatures(measured: Map<Peer, Signatures[]>): void {
  for (const [key, what] of [
    ['P-256', 'CKM_ECDSA, 32 bytes'],
    ['RSA-2048', 'CKM_SHA256_RSA_PKCS'],
  ] as const) {
    const medians = Array.from(measured, ([peer, results]) => ({
      name: peer.name,
      median: medianOf(results.map((result) => result[key].median)),
    }))
    const shown = medians.map(({ name, median }) => `${name} ${median.toFixed(1)} µs`).join(', ')
    const [ours, theirs] = medians
    const ratio = ours && theirs ? `, ratio ${(ours.median / theirs.median).toFixed(2)}` : ''
    console.log(`C_SignInit + C_Sign, ${key} (${what}), median: ${shown}${ratio}`)
  }
}

try {
  const softoki = await softokiPeer()
  const softhsm = softhsmPeer()
  await showSurrenders(softoki)
  showSignatures(await measureSignatures(softhsm ? [softoki, softhsm] : [softoki]))
} finally {
  for (const end of ends) await end()
}
