/** Processes that a side needs: started with it and ended with the run. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Scope } from '../../test/service.ts'
import { runClient } from '../clients.ts'
import { type Command, NotHere, type Side, SO_PIN } from './peer.ts'

/** Milliseconds until a server that shows no socket, or does not end, is given up. */
const PATIENCE = 10_000
const MANNERS = 3000

const hasEnded = ({ exitCode, signalCode }: ChildProcess) =>
  exitCode !== null || signalCode !== null

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const exit = once(child, 'exit')
  const tooLate = setTimeout(() => child.kill('SIGKILL'), MANNERS)
  child.kill('SIGTERM')
  await exit
  clearTimeout(tooLate)
}

/** Starts a server and waits for its socket; answers its process id. */
export async function serve(scope: Scope, command: Command, socket: string): Promise<number> {
  const { file, args, environment: env } = command
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'ignore'] })
  scope.after(() => end(child))
  const failed = once(child, 'error').catch((error: Error) => error)
  for (let waited = 0; !existsSync(socket); waited += 20) {
    if (waited > PATIENCE || hasEnded(child)) throw new NotHere(`${file} did not start`)
    await Promise.race([sleep(20), failed])
  }
  return child.pid as number
}

/** Makes the side's token through PKCS #11. */
export async function initialise(side: Side): Promise<Side> {
  const { status, stderr } = await runClient(side.command(['0', '0', 'init', SO_PIN]))
  if (status !== 0) throw new NotHere(`its token could not be made: ${stderr.trim()}`)
  return side
}
