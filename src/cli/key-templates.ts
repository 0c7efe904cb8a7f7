/** The templates of keys that softoki generate makes: they last, are private and sensitive. */
import { CKA } from '../standard/constants.ts'
import { bytes, flag, text } from './attributes.ts'
import type { WantedKey } from './key-types.ts'
import { type Use, useFlags } from './key-uses.ts'

/** What a key is to be like. */
export interface KeyWishes {
  readonly type: WantedKey
  readonly label?: string
  /** Where it is not given, the type's own. */
  readonly usage?: readonly Use[]
  readonly extractable?: true
}

/** The templates of the public, the private and the secret key; `id` is their CKA_ID. */
export function keyTemplates(
  { type, label, usage = type.row.uses, extractable }: KeyWishes,
  id: Uint8Array,
) {
  const name = label === undefined ? [] : [text(CKA.LABEL, label)]
  const all = [flag(CKA.TOKEN, true), bytes(CKA.ID, id), ...name]
  const hidden = [
    flag(CKA.PRIVATE, true),
    flag(CKA.SENSITIVE, true),
    flag(CKA.EXTRACTABLE, extractable === true),
  ]
  const own = useFlags('own', usage)
  const counterpart = useFlags('counterpart', usage)
  return {
    publicKey: [...all, ...counterpart, ...type.sized],
    privateKey: [...all, ...hidden, ...own],
    secretKey: [
      ...all,
      ...hidden,
      ...useFlags('own', usage, true),
      ...useFlags('counterpart', usage, true),
      ...type.sized,
    ],
  }
}
