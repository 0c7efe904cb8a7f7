/** What can be seen of a service from outside, through /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long something may take to come about on a busy machine, in milliseconds. */
const PATIENCE = 20_000

/** Waits until `holds` does; false where it never did. */
export async function becomes(holds: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < PATIENCE; waited += 10) {
    if (holds()) return true
    await sleep(10)
  }
  return holds()
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** The inodes of the stream sockets that belong to connections somebody accepted. */
function accepted(): Set<string> {
  const rows = readFileSync('/proc/net/unix', 'utf8').split('\n').slice(1)
  const named = rows.filter((row) => row.endsWith('.sock')).map((row) => row.trim().split(/\s+/))
  // Fields: Num RefCount Protocol Flags Type St Inode Path; St is 3 where it is connected.
  return new Set(named.filter((fields) => fields[5] === '03').map((fields) => `${fields[6]}`))
}

/** How many connections a service has. */
export function clientsOf(pid: number): number {
  const sockets = accepted()
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1])
    .filter((inode) => inode !== undefined && sockets.has(inode)).length
}
