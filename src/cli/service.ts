/** How commands reach the tokens: as an application of the service, like any other program. */
import { surrenderInterval } from '../service/home.ts'
import { connectToService } from '../service/start.ts'
import { traceLog } from '../service/trace-log.ts'
import type { Application } from '../standard/calls.ts'
import { connect } from '../wire/client.ts'

/** Starts the service where none runs, is its application for a while, and leaves it running. */
export async function withApplication<T>(
  use: (application: Application) => Promise<T>,
): Promise<T> {
  const application = await connect(await connectToService(), 'softoki', {
    say: traceLog(),
    interval: surrenderInterval(),
  })
  try {
    return await use(application)
  } finally {
    await application.close()
  }
}

/** So many calls are under way at once; the service takes no more than 1,024 of one connection. */
const BATCH = 64

/** Answers `ask` for each item, in order. */
export async function inBatches<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let from = 0; from < items.length; from += BATCH)
    answers.push(...(await Promise.all(items.slice(from, from + BATCH).map(ask))))
  return answers
}
