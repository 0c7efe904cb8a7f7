/** The worker process: runs one lengthy function of the engine at a time, for its parent. */
import { setPriority } from 'node:os'
import { dieWithParent } from '../engine/binding.ts'
import { type Expect, lengthy } from '../engine/lengthy.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Expectation, Job, Outcome } from './workers.ts'

// A native call cannot notice that the parent is gone; the kernel does.
dieWithParent()
// It may have gone before that.
if (process.ppid !== Number(process.argv[2])) process.exit(0)
process.on('disconnect', () => process.exit(0))
// Short calls of other applications come first.
setPriority(5)

/** Told at once: the native call that follows lets nothing out. */
const expect: Expect = (expects) =>
  new Promise((sent) => {
    process.send?.({ expects } satisfies Expectation, () => sent())
  })

async function outcomeOf({ name, input }: Job): Promise<Outcome> {
  try {
    const run = lengthy[name as keyof typeof lengthy] as (input: unknown, expect: Expect) => unknown
    return { output: await run(input, expect) }
  } catch (error) {
    if (error instanceof CryptokiError) return { rv: error.rv, detail: error.message }
    return { rv: CKR.FUNCTION_FAILED, detail: `${name}: ${(error as Error).message}` }
  }
}

process.on('message', async (job: Job) => {
  process.send?.(await outcomeOf(job))
})
