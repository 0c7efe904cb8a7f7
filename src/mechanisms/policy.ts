/**
 * Which mechanisms a token offers: a profile, and what a configuration allows or denies beside it. A
 * mechanism that is not offered is as if it did not exist: it is not in C_GetMechanismList, and what
 * names it answers CKR_MECHANISM_INVALID.
 */
import { CKM } from '../standard/constants.ts'
import { newMechanisms } from '../standard/versions.ts'
import type { Mechanism } from './mechanism.ts'
import { families, mechanisms } from './table.ts'

/** The versions of the standard that mechanisms came with. */
export const versions = ['2.40', '3.0', '3.1', '3.2'] as const

/** The named profiles. `standing` of a row tells what it is for (mechanism.ts). */
export const profiles = {
  /** Everything there is. */
  legacy: () => true,
  /** All but what is broken or obsolete. */
  default: ({ standing }: Mechanism) => standing !== 'legacy',
  /** What FIPS 140-3 has as approved (SP 800-140C and D). It makes no validated module of this one. */
  'fips-approved': ({ standing }: Mechanism) => standing === 'approved',
} as const satisfies Record<string, (row: Mechanism) => boolean>

export type Profile = keyof typeof profiles

/**
 * Rules name a mechanism (`CKM_SHA_1` or `SHA_1`), a family (`rsa`), or all that came with a version
 * (`3.2`). What is denied is not offered, whatever the profile and `allow` say.
 */
export interface Policy {
  readonly profile?: Profile | undefined
  readonly allow?: readonly string[] | undefined
  readonly deny?: readonly string[] | undefined
}

const versionOf = ({ name }: Mechanism) => newMechanisms[name] ?? '2.40'

const withoutPrefix = (rule: string) => rule.replace(/^CKM_/, '')

/** Whether a rule names anything there is. */
export const isRule = (rule: string): boolean =>
  rule in families || versions.some((version) => version === rule) || withoutPrefix(rule) in CKM

const names = (rule: string, row: Mechanism): boolean =>
  withoutPrefix(rule) === row.name ||
  rule === versionOf(row) ||
  (families[rule]?.includes(row) ?? false)

/** The mechanisms that a policy offers, by their numbers, in the order of the table. */
export function offered({
  profile = 'default',
  allow = [],
  deny = [],
}: Policy = {}): ReadonlyMap<number, Mechanism> {
  const isNamed = (rules: readonly string[], row: Mechanism) =>
    rules.some((rule) => names(rule, row))
  const rows = [...mechanisms].filter(
    ([, row]) => !isNamed(deny, row) && (profiles[profile](row) || isNamed(allow, row)),
  )
  return new Map(rows)
}
