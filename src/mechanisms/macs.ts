/** What all MACs share: they are made in full or cut to a length, and compared. */
import { equalInConstantTime, type Mac } from '../engine/macs.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Begin, Mechanism, MechanismArgument, Summary, Verification } from './mechanism.ts'
import { numberIn, ulongOf } from './parameter.ts'

/** The MAC of all of a message. */
function macOf(mac: Mac, message: Uint8Array): Uint8Array {
  if (mac.whole !== undefined) return mac.whole(message)
  mac.update(message)
  return mac.digest()
}

const summary = (mac: Mac, length: number): Summary => ({
  length,
  whole: (message) => macOf(mac, message).subarray(0, length),
  update: (part) => mac.update(part),
  final: () => mac.digest().subarray(0, length),
  copy: () => summary(mac.copy(), length),
})

/** The first bytes of a MAC against the signature, which is as long as they are. */
function compare(found: Uint8Array, length: number, signature: Uint8Array): void {
  if (signature.length !== length)
    throw new CryptokiError(CKR.SIGNATURE_LEN_RANGE, `the MAC has not ${length} bytes`)
  if (!equalInConstantTime(found.subarray(0, length), signature))
    throw new CryptokiError(CKR.SIGNATURE_INVALID, 'the MAC is that of another message or key')
}

const verification = (mac: Mac, length: number): Verification => ({
  whole: (message, signature) => compare(macOf(mac, message), length, signature),
  update: (part) => mac.update(part),
  final: (signature) => compare(mac.digest(), length, signature),
  copy: () => verification(mac.copy(), length),
})

/** A MAC that was begun, and how many bytes of it count. */
export interface Begun {
  readonly mac: Mac
  readonly length: number
}

/** The makers of a mechanism that signs and verifies with the first bytes of a MAC. */
export const signingWith = (begin: (what: Begin) => Begun): Pick<Mechanism, 'sign' | 'verify'> => {
  const beginning =
    <T>(make: (mac: Mac, length: number) => T) =>
    (what: Begin) => {
      const { mac, length } = begin(what)
      return make(mac, length)
    }
  return { sign: beginning(summary), verify: beginning(verification) }
}

/**
 * The bytes of a MAC that the parameter asks for, CK_MAC_GENERAL_PARAMS or a structure with
 * `macLength`; CKR_MECHANISM_PARAM_INVALID out of these bounds.
 */
export function lengthAsked(mechanism: MechanismArgument, least: number, most: number): number {
  const { parameter } = mechanism
  const isPlain = parameter === null || parameter instanceof Uint8Array
  const length = isPlain ? ulongOf(mechanism) : numberIn(mechanism, 'macLength')
  if (length < least || length > most)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, `such a MAC has ${least} to ${most} bytes`)
  return length
}
