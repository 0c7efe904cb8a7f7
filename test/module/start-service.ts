/**
 * Stands for src/service/main.ts where a test looks at how the module starts it: writes down what it
 * was given, listens, tells so, and ends when it is told to (C_Logout, abruptly) or has no client.
 */
import { readdirSync, readFileSync, readlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fakeService } from './fake-service.ts'
import { withAnswers } from './usual-answers.ts'

const home = process.env.SOFTOKI_HOME as string
const status = readFileSync('/proc/self/status', 'utf8')
const statusOf = (name: string) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, 'm'))?.[1]

/** What the descriptors lead to, without those that Node made for itself. */
function descriptors(): Record<string, string> {
  const all = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [[fd, readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, 'N')] as const]
    } catch {
      return []
    }
  })
  return Object.fromEntries(all.filter(([, to]) => !to.startsWith('anon_inode:')))
}

if (process.env.SOFTOKI_TEST_FAILS === '1') {
  writeSync(2, `a warning\n${process.env.SOFTOKI_TEST_WHY ?? ''}\n`)
  process.exit(1)
}

const service = await fakeService(
  withAnswers({
    C_Logout: () => {
      process.kill(process.pid, 'SIGKILL')
    },
  }),
  home,
)
writeFileSync(
  join(home, `started-${process.pid}.json`),
  JSON.stringify({
    pid: process.pid,
    arguments: process.argv.slice(2),
    environment: process.env,
    descriptors: descriptors(),
    folder: process.cwd(),
    session: Number(readFileSync('/proc/self/stat', 'utf8').split(' ')[5]),
    parent: Number(statusOf('PPid')),
    blocked: statusOf('SigBlk'),
    ignored: statusOf('SigIgn'),
  }),
)
writeSync(Number(process.env.SOFTOKI_READY_FD), 'r')

setInterval(() => {
  const { open, all } = service.connections()
  if (all > 0 && open === 0) process.exit(0)
}, 100)
