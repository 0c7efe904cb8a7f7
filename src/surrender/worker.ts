/** The worker process: runs one lengthy function of the engine at a time, for its parent. */
import { setPriority } from 'node:os'
import { dieWithParent } from '../engine/binding.ts'
import { lengthy } from '../engine/lengthy.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Job, Outcome } from './workers.ts'

// A native call cannot notice that the parent is gone; the kernel does.
dieWithParent()
// It may have gone before that.
if (process.ppid !== Number(process.argv[2])) process.exit(0)
process.on('disconnect', () => process.exit(0))
// Short calls of other applications come first.
setPriority(5)

async function outcomeOf({ name, input }: Job): Promise<Outcome> {
  try {
    const run = lengthy[name as keyof typeof lengthy] as (input: unknown) => unknown
    return { output: await run(input) }
  } catch (error) {
    if (error instanceof CryptokiError) return { rv: error.rv, detail: error.message }
    return { rv: CKR.FUNCTION_FAILED, detail: `${name}: ${(error as Error).message}` }
  }
}

process.on('message', async (job: Job) => {
  process.send?.(await outcomeOf(job))
})
