/** Key encapsulation and decapsulation. PKCS #11 3.2, 5.18.8 and 5.18.9. */
import { mechanismFor } from '../mechanisms/table.ts'
import type { Attributes, CryptokiObject } from '../objects/object.ts'
import { fits } from '../objects/search.ts'
import type { Session } from '../sessions/session.ts'
import type { Attribute, Filled, MechanismArgument, Room } from '../standard/calls.ts'
import { CKA, CKK, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { hasKeyType } from './derivation.ts'
import type { Call, Implementations } from './implementation.ts'
import { checkAsksForNoLogin, keyFor, templateIn } from './keys-in-use.ts'
import { keepOne, plan } from './new-objects.ts'

/** Bytes of a ciphertext at most: that of RSA-16384 has 2,048. */
const MOST_CIPHERTEXT = 2048

/** Both functions make a secret key, a generic one where the template does not say. */
const given = (template: readonly Attribute[], imposed?: Attributes) => ({
  class: CKO.SECRET_KEY,
  keyType: hasKeyType(template, imposed) ? undefined : CKK.GENERIC_SECRET,
  imposed,
})

function checkMayBeEncapsulated(publicKey: CryptokiObject, key: CryptokiObject): void {
  const demanded = templateIn(publicKey, CKA.ENCAPSULATE_TEMPLATE)
  if (demanded !== undefined && !fits(key, demanded))
    throw new CryptokiError(
      CKR.KEY_HANDLE_INVALID,
      'CKA_ENCAPSULATE_TEMPLATE of the public key asks for another key',
    )
}

async function encapsulateKey(
  { surrender, work, keptOperation }: Call,
  session: Session,
  argument: MechanismArgument | null,
  handle: number,
  template: readonly Attribute[],
  room: Room,
): Promise<[Filled, number]> {
  const row = mechanismFor(argument, 'encapsulate', session.token.offered)
  const publicKey = await keyFor(session, handle, row, 'ENCAPSULATE')
  const prepared = plan(session, 'encapsulate', template, given(template))
  const mechanism = argument as MechanismArgument
  const make = { mechanism, surrender, template: prepared.template }
  const encapsulation = row.encapsulate(publicKey, make)
  // No key is made where the ciphertext that goes with it finds no room.
  if (room === null || room < encapsulation.length) return [{ needed: encapsulation.length }, 0]
  const { ciphertext, made } = await work(() => encapsulation.run())
  const accept = (object: CryptokiObject) => checkMayBeEncapsulated(publicKey, object)
  const key = await keepOne(session, prepared, made, keptOperation(), accept)
  return [ciphertext, key]
}

async function decapsulateKey(
  { surrender, work, keptOperation }: Call,
  session: Session,
  argument: MechanismArgument | null,
  handle: number,
  template: readonly Attribute[],
  ciphertext: Uint8Array | null,
): Promise<number> {
  const row = mechanismFor(argument, 'decapsulate', session.token.offered)
  const complaints = {
    handle: CKR.UNWRAPPING_KEY_HANDLE_INVALID,
    type: CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
  }
  const privateKey = await keyFor(session, handle, row, 'DECAPSULATE', complaints)
  checkAsksForNoLogin(privateKey)
  if (ciphertext === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no ciphertext')
  if (ciphertext.length > MOST_CIPHERTEXT)
    throw new CryptokiError(
      CKR.WRAPPED_KEY_LEN_RANGE,
      `a ciphertext has at most ${MOST_CIPHERTEXT} bytes`,
    )
  const imposed = templateIn(privateKey, CKA.DECAPSULATE_TEMPLATE)
  const prepared = plan(session, 'decapsulate', template, given(template, imposed))
  const mechanism = argument as MechanismArgument
  const make = { mechanism, surrender, template: prepared.template }
  const values = await work(() => row.decapsulate(privateKey, ciphertext, make))
  return keepOne(session, prepared, values, keptOperation())
}

export const encapsulation = {
  C_EncapsulateKey: encapsulateKey,
  C_DecapsulateKey: decapsulateKey,
} satisfies Implementations
