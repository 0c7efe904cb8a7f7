/** The processor time that a process had, as Linux tells it. */
import { readFileSync } from 'node:fs'

const NANOSECONDS = 1e6

/**
 * Milliseconds that the main thread of a process has run: proc(5), /proc/[pid]/schedstat. undefined
 * where the process is gone, and where the kernel does not count.
 */
export function processorTimeOf(pid: number): number | undefined {
  try {
    const [run] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')
    const milliseconds = Number(run) / NANOSECONDS
    return milliseconds > 0 ? milliseconds : undefined
  } catch {
    return undefined
  }
}
