/** What was found while cases ran: return values that came as they should, others, and all there were. */
import assert from 'node:assert/strict'
import type { FunctionName } from '../../../src/standard/calls.ts'
import { nameOfReturnValue } from '../../../src/standard/error.ts'
import type { ReturnValue } from './cases.ts'

const without = (name: string): string => name.replace(/^CKR_/, '')

export class Findings {
  readonly #provoked = new Map<FunctionName, Set<string>>()
  readonly #seen = new Map<FunctionName, Set<string>>()
  readonly #failures = new Map<FunctionName, string[]>()

  /** Every call tells what it returned. */
  readonly watch = (name: FunctionName, rv: number): void =>
    this.#add(this.#seen, name, without(nameOfReturnValue(rv)))

  /** Makes a call that is to answer this. What goes wrong is kept for the function's own test. */
  async expect(name: FunctionName, rv: ReturnValue, call: () => Promise<number>): Promise<void> {
    try {
      assert.equal(without(nameOfReturnValue(await call())), rv)
      this.#add(this.#provoked, name, rv)
    } catch (error) {
      const failures = this.#failures.get(name) ?? []
      this.#failures.set(name, [...failures, `${rv}: ${(error as Error).message}`])
    }
  }

  provoked(name: FunctionName): ReadonlySet<string> {
    return this.#provoked.get(name) ?? new Set()
  }

  seen(name: FunctionName): ReadonlySet<string> {
    return this.#seen.get(name) ?? new Set()
  }

  failures(name: FunctionName): readonly string[] {
    return this.#failures.get(name) ?? []
  }

  #add(to: Map<FunctionName, Set<string>>, name: FunctionName, rv: string): void {
    const set = to.get(name) ?? new Set()
    to.set(name, set.add(rv))
  }
}
