/** Runs a program on a terminal of its own (util-linux's script), which a test types on. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Scope } from '../service.ts'
import { modulePath } from './programs.ts'

export class Terminal {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #shown = ''

  /**
   * The program's first argument is the module; standard output and error are the terminal, of 80
   * columns or as many as COLUMNS of `env` says.
   */
  constructor(
    t: Scope,
    program: string,
    home: string,
    args: readonly string[],
    env: Record<string, string>,
  ) {
    const words = [program, modulePath(), ...args].map((word) => `'${word}'`).join(' ')
    this.#child = spawn(
      'script',
      [
        '--quiet',
        '--return',
        '--command',
        `stty cols ${env.COLUMNS ?? 80}; exec ${words}`,
        '/dev/null',
      ],
      {
        env: { PATH: process.env.PATH, TERM: 'xterm', HOME: home, SOFTOKI_HOME: home, ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
        timeout: 60_000,
      },
    )
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text
    })
    t.after(() => this.#child.kill())
    this.#ended = once(this.#child, 'close')
  }

  /** Waits until the terminal has shown this, or the program ended. */
  async shows(text: string): Promise<void> {
    while (!this.#shown.includes(text) && this.#child.exitCode === null) await sleep(5)
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Its status, 128 and the number of a signal that ended it, and all that was shown. */
  async end(): Promise<{ readonly status: number | null; readonly shown: string }> {
    await this.#ended
    return { status: this.#child.exitCode, shown: this.#shown }
  }
}
