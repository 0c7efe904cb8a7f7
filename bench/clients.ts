/**
 * Runs of the client. A run of the bench that is interrupted ends them before the services: a module
 * whose service is gone would start another.
 */
import type { ChildProcess } from 'node:child_process'
import { type Ended, Program } from '../test/service.ts'
import type { Command } from './peers/peer.ts'

/** The bench was told to end. */
export class Interrupted extends Error {}

const running = new Set<ChildProcess>()
let interrupted = false

/** Ends every client; whoever waits for one, or begins another, gets Interrupted. */
export function interrupt(): void {
  interrupted = true
  for (const child of running) child.kill('SIGKILL')
}

export function goOn(): void {
  if (interrupted) throw new Interrupted()
}

/** Counts a process as a client for as long as it runs. */
export function asClient<Child extends ChildProcess>(child: Child): Child {
  running.add(child)
  child.once('close', () => running.delete(child))
  return child
}

/** Runs a client to its end. */
export async function runClient({ file, args, environment }: Command): Promise<Ended> {
  goOn()
  const program = new Program(file, args, environment)
  asClient(program.child)
  const ended = await program.end()
  goOn()
  return ended
}
