/**
 * The worker processes that lengthy work runs in. A native call in a thread cannot be stopped; a
 * process can: cancelling kills it, the processor is free at once, and the next lengthy call starts
 * another (about 30 ms). A worker that finished its work stays warm for the next.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { lengthy } from '../engine/lengthy.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type Input, kindOf, type LengthyName } from './kinds.ts'
import { processorTimeOf } from './processor-time.ts'
import type { Surrender } from './surrender.ts'

type Lengthy = typeof lengthy
type Output<N extends LengthyName> = Awaited<ReturnType<Lengthy[N]>>

/** What a worker is told, and what it answers. */
export interface Job {
  readonly name: string
  readonly input: unknown
}
export type Outcome =
  | { readonly output: unknown }
  | { readonly rv: number; readonly detail: string }

/** What it may tell before: the processor time that the work will take, in milliseconds, an estimate. */
export interface Expectation {
  readonly expects: number
}

/** Workers at work at once, so that a short generation does not wait behind a long one; further lengthy calls wait their turn, surrendering meanwhile. */
const MOST = Math.max(8, availableParallelism())
/** What is estimated is never told as done. */
const NEARLY = 0.99
/** A warm worker leaves after so many milliseconds without work. */
const IDLE = 60_000

const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url),
)

class Worker {
  readonly process: ChildProcess
  #retire: NodeJS.Timeout | undefined
  /** Processor time in milliseconds: what it had when the work began, and what that will take. */
  #estimate: { readonly from: number; readonly expects: number } | undefined

  constructor() {
    this.process = fork(entry, [String(process.pid)], {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    // A failure to start shows as the end of the process; without a listener it would be thrown.
    this.process.on('error', () => {})
    this.#hold(false)
  }

  get alive(): boolean {
    const { connected, killed, exitCode, signalCode } = this.process
    return connected && !killed && exitCode === null && signalCode === null
  }

  /**
   * The fraction done of the work it is at, where that told what it expects to take: the processor
   * time it had is counted, so that a busy machine slows the fraction down with the work.
   */
  get done(): number | undefined {
    const estimate = this.#estimate
    const now = estimate && this.#processorTime
    if (estimate === undefined || now === undefined) return undefined
    return Math.min(NEARLY, (now - estimate.from) / estimate.expects)
  }

  get #processorTime(): number | undefined {
    const { pid } = this.process
    return pid === undefined ? undefined : processorTimeOf(pid)
  }

  #expect({ expects }: Expectation): void {
    const from = this.#processorTime
    this.#estimate = from === undefined ? undefined : { from, expects }
  }

  run(job: Job): Promise<unknown> {
    clearTimeout(this.#retire)
    this.#estimate = undefined
    this.#hold(true)
    const child = this.process
    return new Promise((resolve, reject) => {
      const settle = () => {
        child.off('message', onMessage).off('exit', onExit)
        this.#hold(false)
      }
      const onMessage = (outcome: Outcome | Expectation) => {
        if ('expects' in outcome) return this.#expect(outcome)
        settle()
        if ('output' in outcome) resolve(outcome.output)
        else reject(new CryptokiError(outcome.rv, outcome.detail))
      }
      const onExit = (code: number | null, signal: string | null) => {
        settle()
        reject(
          new CryptokiError(
            CKR.FUNCTION_FAILED,
            `the worker ended (${signal ?? code}) in ${job.name}`,
          ),
        )
      }
      child.on('message', onMessage).on('exit', onExit)
      child.send(job)
    })
  }

  rest(retire: () => void): void {
    this.#retire = setTimeout(retire, IDLE).unref()
  }

  end(): void {
    clearTimeout(this.#retire)
    this.process.kill('SIGKILL')
  }

  /** A worker at work keeps this process alive; a warm one does not. */
  #hold(working: boolean): void {
    if (working) {
      this.process.ref()
      this.process.channel?.ref()
    } else {
      this.process.unref()
      this.process.channel?.unref()
    }
  }
}

const warm: Worker[] = []
const waiting: (() => void)[] = []
let working = 0

function takeWarm(): Worker | undefined {
  for (let worker = warm.pop(); worker !== undefined; worker = warm.pop())
    if (worker.alive) return worker
  return undefined
}

function keepWarm(worker: Worker): void {
  if (!worker.alive) return
  warm.push(worker)
  worker.rest(() => {
    const at = warm.indexOf(worker)
    if (at >= 0) warm.splice(at, 1)
    worker.end()
  })
}

/** A place to work in. `giveUp` leaves the queue. */
function place(): { free: Promise<void>; giveUp: () => void } {
  if (working < MOST) {
    working++
    return { free: Promise.resolve(), giveUp: release }
  }
  let enter = () => {}
  const free = new Promise<void>((resolve) => {
    enter = resolve
  })
  waiting.push(enter)
  const giveUp = () => {
    const at = waiting.indexOf(enter)
    if (at >= 0) waiting.splice(at, 1)
    else release()
  }
  return { free, giveUp }
}

function release(): void {
  const next = waiting.shift()
  if (next) next()
  else working--
}

/**
 * Runs one of the engine's lengthy functions in a worker process and surrenders meanwhile. On cancel
 * the process is killed before the error is thrown.
 */
export async function lengthily<N extends LengthyName>(
  name: N,
  input: Input<N>,
  surrender: Surrender,
): Promise<Output<N>> {
  const { free, giveUp } = place()
  await surrender.during(free, giveUp)
  const worker = takeWarm() ?? new Worker()
  try {
    const extent = { kind: kindOf(name, input), done: () => worker.done }
    const output = await surrender.during(worker.run({ name, input }), () => worker.end(), extent)
    return output as Output<N>
  } finally {
    keepWarm(worker)
    release()
  }
}

/** Ends the warm workers; those at work end with their calls. */
export function endWarmWorkers(): void {
  for (const worker of warm.splice(0)) worker.end()
}
