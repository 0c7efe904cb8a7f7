/** On what and with what it was measured. */
import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { root } from '../test/service.ts'
import type { Side } from './peers/peer.ts'
import { isMissing, resultFrom } from './turns.ts'

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  readonly openssl: string
  /** Processes that wanted a core in the last minute before the run; more than a few disturb it. */
  readonly load: number
  readonly commit: string
}

/** The commit that is measured; "+" where files are not as committed. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no').trim() !== ''
    return `${git('rev-parse', '--short', 'HEAD').trim()}${changed ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}

export const machine = (): Machine => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: `Linux ${release()}`,
  node: process.versions.node,
  openssl: process.versions.openssl ?? 'unknown',
  load: loadavg()[0] as number,
  commit: commit(),
})

/** The version that a side’s module, or libcrypto, gives itself. */
export async function versionOf(side: Side): Promise<string> {
  const result = await resultFrom<{ about: string }>(side.command(['0', '0', 'about']))
  return isMissing(result) ? 'unknown' : result.about
}
