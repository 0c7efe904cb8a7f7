/** A function that surrenders, run from the command line: each callback shows progress, Ctrl-C cancels. */
import type { CallContext } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Progress } from '../standard/progress.ts'
import { interrupted, STATUS } from './failure.ts'
import { ProgressLine, say } from './terminal.ts'

/**
 * One Ctrl-C may come twice, from the terminal and from a parent that passes it on; one that comes
 * later than so many milliseconds is a second wish, and ends the program without waiting.
 */
const SAME_WISH = 500

/** Runs a function with a context whose callback answers CKR_CANCEL after Ctrl-C. */
export async function cancellable<T>(
  what: string,
  run: (context: CallContext) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine(what)
  let since: number | undefined
  const onInterrupt = () => {
    since ??= performance.now()
    if (performance.now() - since < SAME_WISH) return
    line.erase()
    say('left without waiting: the service stops the work by itself')
    process.exit(STATUS.interrupted)
  }
  const notify = (_event: number, progress: Progress) => {
    if (since !== undefined) return CKR.CANCEL
    line.tick(progress)
    return CKR.OK
  }
  process.on('SIGINT', onInterrupt)
  try {
    const result = await run({ notify })
    line.erase()
    if (since !== undefined) say('it was done before it could be cancelled')
    return result
  } catch (error) {
    line.erase()
    const cancelled = error instanceof CryptokiError && error.rv === CKR.FUNCTION_CANCELED
    if (cancelled && since !== undefined) throw interrupted('cancelled: nothing was created')
    throw error
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}
