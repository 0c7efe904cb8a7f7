/** Measures in Node as bench/client/measure.h does in C, and prints the same line. */

/** Microseconds that a batch takes at least; milliseconds after which warming up is over. */
const BATCH = 20
const WARM = 50

/** What is done again and again; whether it waits is its own matter. */
export type Once = () => unknown

/** Microseconds a call, of so many calls in a row. */
async function timeOf(once: Once, calls: number): Promise<number> {
  const before = performance.now()
  for (let i = 0; i < calls; i++) {
    const answer = once()
    if (answer instanceof Promise) await answer
  }
  return ((performance.now() - before) * 1e3) / calls
}

async function warmUp(once: Once): Promise<void> {
  const end = performance.now() + WARM
  do await timeOf(once, 1)
  while (performance.now() < end)
}

const printed = (times: readonly number[], calls: number) => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] as number
  return { calls, median: at(0.5), least: at(0), p95: at(0.95), most: at(1) }
}

/** For so many milliseconds and at least so many calls; prints microseconds. */
export async function measure(once: Once, milliseconds: number, least: number): Promise<void> {
  await warmUp(once)
  const one = await timeOf(once, 1)
  const batch = one >= BATCH ? 1 : Math.floor(BATCH / (one + 0.01)) + 1
  const times: number[] = []
  const end = performance.now() + milliseconds
  while (performance.now() < end || times.length * batch < least)
    times.push(await timeOf(once, batch))
  console.log(JSON.stringify(printed(times, times.length * batch)))
}
