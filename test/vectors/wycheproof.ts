/**
 * Test vectors of project Wycheproof (C2SP/wycheproof), which are no part of this repository. They
 * are read from a folder beside it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { CKM } from '../../src/standard/constants.ts'
import type { VectorToken } from './vector-token.ts'

const folder = new URL('../../../shared/vectors/wycheproof/', import.meta.url)
const SUFFIX = '_test.json'

/** Whether the vectors are there; where they are not, tests say so and pass. */
export const areThere = existsSync(folder)

/** Every file of the folder, without `_test.json`. */
export const files = (): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort()

export interface VectorCase {
  readonly tcId: number
  readonly comment: string
  readonly flags?: readonly string[]
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface Vectors<Group, Case> {
  readonly numberOfTests: number
  readonly testGroups: readonly (Group & { readonly tests: readonly Case[] })[]
}

const read = <Group, Case>(file: string): Vectors<Group, Case> =>
  JSON.parse(readFileSync(new URL(file + SUFFIX, folder), 'utf8'))

/** How many cases a file says it has. */
export const numberOfTests = (file: string): number => read(file).numberOfTests

/**
 * What became of a case that came out as it should: nothing to add; how the token decides a case
 * that may be either way; or why the expectation of a case cannot apply to PKCS #11.
 */
export type Verdict = undefined | { readonly decided: string } | { readonly inapplicable: string }

export interface VectorRow<Group, Case extends VectorCase> {
  readonly file: string
  /** The mechanisms it tries, without CKM_. */
  readonly mechanisms: readonly (keyof typeof CKM)[]
  /** How cases that may be either way are decided, and why others cannot apply: every one occurs. */
  readonly decided?: readonly string[]
  readonly inapplicable?: readonly string[]
  /** Throws where a case does not come out as it should. */
  readonly check: (token: VectorToken, one: Case, group: Group) => Promise<Verdict>
}

/** What came of the cases of a file. */
export interface Tally {
  readonly cases: number
  readonly passed: number
  /** How many cases for each reason; those decided are among the passed ones. */
  readonly decided: ReadonlyMap<string, number>
  readonly inapplicable: ReadonlyMap<string, number>
  /** What was wrong with which case. */
  readonly failures: readonly string[]
}

/** A file of vectors whose types of groups and cases only its row knows. */
export interface VectorFile
  extends Pick<VectorRow<unknown, VectorCase>, 'file' | 'mechanisms' | 'decided' | 'inapplicable'> {
  readonly run: (token: VectorToken) => Promise<Tally>
}

const count = (counts: Map<string, number>, why: string) =>
  counts.set(why, (counts.get(why) ?? 0) + 1)

/** Says what is wrong with a verdict that does not fit what the file says of the case. */
function misfit({ result }: VectorCase, verdict: Verdict): string | undefined {
  if (verdict !== undefined && 'inapplicable' in verdict) return undefined
  const isDecided = verdict !== undefined
  if (isDecided === (result === 'acceptable')) return undefined
  return `${result}, yet ${isDecided ? 'decided' : 'nothing is said of what the token does'}`
}

async function tally<Group, Case extends VectorCase>(
  { file, check }: VectorRow<Group, Case>,
  token: VectorToken,
): Promise<Tally> {
  const decided = new Map<string, number>()
  const inapplicable = new Map<string, number>()
  const failures: string[] = []
  let [cases, passed] = [0, 0]
  const tried = async (one: Case, group: Group) => {
    cases++
    const verdict = await check(token, one, group)
    const wrong = misfit(one, verdict)
    if (wrong !== undefined) throw new Error(wrong)
    if (verdict !== undefined && 'inapplicable' in verdict)
      return count(inapplicable, verdict.inapplicable)
    if (verdict !== undefined) count(decided, verdict.decided)
    return passed++
  }
  for (const group of read<Group, Case>(file).testGroups)
    for (const one of group.tests)
      await tried(one, group).catch((error: unknown) =>
        failures.push(`case ${one.tcId} (${one.result}, ${one.comment}): ${error}`),
      )
  return { cases, passed, decided, inapplicable, failures }
}

export const vectorFile = <Group, Case extends VectorCase>(
  row: VectorRow<Group, Case>,
): VectorFile => ({ ...row, run: (token) => tally(row, token) })
