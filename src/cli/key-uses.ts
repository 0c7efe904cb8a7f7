/** What keys may be used for, in the words of --usage. */
import type { Attribute } from '../standard/calls.ts'
import { CKA } from '../standard/constants.ts'
import { flag } from './attributes.ts'
import { wrongUsage } from './failure.ts'

/** The attribute of a private or secret key, and that of the public half. */
const USES = {
  sign: { own: CKA.SIGN, counterpart: CKA.VERIFY },
  decrypt: { own: CKA.DECRYPT, counterpart: CKA.ENCRYPT },
  unwrap: { own: CKA.UNWRAP, counterpart: CKA.WRAP },
  derive: { own: CKA.DERIVE },
  decapsulate: { own: CKA.DECAPSULATE, counterpart: CKA.ENCAPSULATE },
} as const

export type Use = keyof typeof USES

export const USE_NAMES = Object.keys(USES).join(', ')

/** Reads uses with commas between. */
export const uses = (written: string): readonly Use[] =>
  written.split(',').map((use) => {
    if (Object.hasOwn(USES, use)) return use as Use
    throw wrongUsage(`no use "${use}": --usage takes ${USE_NAMES}, with commas between`)
  })

/** What secret keys are not for, so that they do not even have the attributes. */
const FOR_PAIRS: readonly Use[] = ['decapsulate']

/**
 * Every use that the kind of key has is told, also those the key is not for, since the token's
 * defaults allow more.
 */
export function useFlags(
  side: 'own' | 'counterpart',
  wanted: readonly Use[],
  secret = false,
): Attribute[] {
  return (Object.keys(USES) as Use[]).flatMap((use) => {
    const attributes: { readonly own: number; readonly counterpart?: number } = USES[use]
    const type = attributes[side]
    if (type === undefined || (secret && FOR_PAIRS.includes(use))) return []
    return [flag(type, wanted.includes(use))]
  })
}
