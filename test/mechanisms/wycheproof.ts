/**
 * Test vectors of project Wycheproof (C2SP/wycheproof), which are no part of this repository. They
 * are read from a folder beside it; where it is not there, tests say so and pass.
 */
import { existsSync, readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const folder = new URL('../../../shared/vectors/wycheproof/', import.meta.url)

export interface WycheproofCase {
  readonly tcId: number
  readonly comment: string
  readonly flags: readonly string[]
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface WycheproofFile<Group, Case> {
  readonly numberOfTests: number
  readonly testGroups: readonly (Group & { readonly tests: readonly Case[] })[]
}

/**
 * Runs `check` for every case of a file and tells how many there were. A case that does not apply
 * answers why.
 */
export async function everyCase<Group, Case extends WycheproofCase>(
  t: TestContext,
  file: string,
  check: (one: Case, group: Group) => unknown,
): Promise<void> {
  const path = new URL(`${file}_test.json`, folder)
  if (!existsSync(path)) {
    t.diagnostic(`${file}: no vectors at ${fileURLToPath(path)}, nothing was tried`)
    return
  }
  const vectors = JSON.parse(readFileSync(path, 'utf8')) as WycheproofFile<Group, Case>
  let count = 0
  const inapplicable = new Map<string, number>()
  for (const group of vectors.testGroups)
    for (const one of group.tests) {
      const why = await check(one, group)
      if (typeof why === 'string') inapplicable.set(why, (inapplicable.get(why) ?? 0) + 1)
      count++
    }
  if (count !== vectors.numberOfTests) throw new Error(`${count} cases of ${vectors.numberOfTests}`)
  const left = [...inapplicable.values()].reduce((sum, cases) => sum + cases, 0)
  t.diagnostic(`${file}: ${count - left} cases as Wycheproof expects`)
  for (const [why, cases] of inapplicable) t.diagnostic(`${file}: ${cases} not applicable: ${why}`)
}
