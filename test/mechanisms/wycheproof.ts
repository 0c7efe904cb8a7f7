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

/** Runs `check` for every case of a file and tells how many there were. */
export async function everyCase<Group, Case extends WycheproofCase>(
  t: TestContext,
  file: string,
  check: (one: Case, group: Group) => void | Promise<void>,
): Promise<void> {
  const path = new URL(`${file}_test.json`, folder)
  if (!existsSync(path)) {
    t.diagnostic(`${file}: no vectors at ${fileURLToPath(path)}, nothing was tried`)
    return
  }
  const vectors = JSON.parse(readFileSync(path, 'utf8')) as WycheproofFile<Group, Case>
  let count = 0
  for (const group of vectors.testGroups)
    for (const one of group.tests) {
      await check(one, group)
      count++
    }
  if (count !== vectors.numberOfTests) throw new Error(`${count} cases of ${vectors.numberOfTests}`)
  t.diagnostic(`${file}: ${count} cases as Wycheproof expects`)
}
