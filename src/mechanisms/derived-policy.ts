/**
 * What the policy of keys says of the keys derived from them, where a mechanism has rules of its own.
 * Without any, a derived key always was sensitive where it is and the base key always was, and so for
 * CKA_NEVER_EXTRACTABLE (objects/creation.ts). What is contributed here a template cannot contradict.
 */
import { isTrue } from '../objects/object.ts'
import { CKA } from '../standard/constants.ts'
import type { Attributes, CryptokiObject, Made } from './mechanism.ts'

const some = (keys: readonly CryptokiObject[], type: number, value: boolean) =>
  keys.some((key) => isTrue(key, type) === value)

/**
 * 6.43.3 to 6.43.7 and 6.40.8: a key from a sensitive one is sensitive, one from an unextractable one
 * unextractable, and it always was if all the others always were.
 */
export const strictest = (made: Made, ...keys: readonly CryptokiObject[]): Made =>
  new Map([
    ...made,
    ...(some(keys, CKA.SENSITIVE, true) ? [[CKA.SENSITIVE, true] as const] : []),
    ...(some(keys, CKA.EXTRACTABLE, false) ? [[CKA.EXTRACTABLE, false] as const] : []),
    [CKA.ALWAYS_SENSITIVE, !some(keys, CKA.ALWAYS_SENSITIVE, false)],
    [CKA.NEVER_EXTRACTABLE, !some(keys, CKA.NEVER_EXTRACTABLE, false)],
  ])

/** What a template says of a policy, or else the base key. */
const askedOr = (template: Attributes, base: CryptokiObject, type: number): boolean => {
  const asked = template.get(type)
  return typeof asked === 'boolean' ? asked : isTrue(base, type)
}

/** Sensitive and extractable as the base key is, unless the template says otherwise. */
export const likeBase = (template: Attributes, base: CryptokiObject): Made =>
  new Map(
    [CKA.SENSITIVE, CKA.EXTRACTABLE].map((type) => [type, askedOr(template, base, type)] as const),
  )

/**
 * 6.42.7: as likeBase has it; and it always was sensitive where it is and any of the keys always was,
 * and so for CKA_NEVER_EXTRACTABLE.
 */
export function loosest(
  template: Attributes,
  base: CryptokiObject,
  others: readonly CryptokiObject[],
): Made {
  const now = likeBase(template, base)
  const keys = [base, ...others]
  const [sensitive, extractable] = [now.get(CKA.SENSITIVE), now.get(CKA.EXTRACTABLE)]
  return new Map([
    ...now,
    [CKA.ALWAYS_SENSITIVE, sensitive === true && some(keys, CKA.ALWAYS_SENSITIVE, true)],
    [CKA.NEVER_EXTRACTABLE, extractable === false && some(keys, CKA.NEVER_EXTRACTABLE, true)],
  ])
}

/** 6.39.6 and 6.40.6: all four attributes are those of the base key. */
export const samePolicy = (base: CryptokiObject): Made =>
  new Map(
    [CKA.SENSITIVE, CKA.EXTRACTABLE, CKA.ALWAYS_SENSITIVE, CKA.NEVER_EXTRACTABLE].map(
      (type) => [type, isTrue(base, type)] as const,
    ),
  )
