/** Slot and token management functions. PKCS #11 3.2, 5.5. */

import { isUtf8 } from 'node:buffer'
import { mechanismInfo } from '../mechanisms/table.ts'
import type { ApplicationSessions } from '../sessions/application.ts'
import type { FilledList, Room } from '../standard/calls.ts'
import {
  CK_EFFECTIVELY_INFINITE,
  CK_UNAVAILABLE_INFORMATION,
  CKF,
  CKR,
} from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { PIN_LENGTH } from '../tokens/pins.ts'
import { LIBRARY_VERSION, MANUFACTURER } from './general.ts'
import type { Implementations } from './implementation.ts'

const HARDWARE_VERSION = { major: 0, minor: 0 } as const

/** A list under the convention of section 5.2. */
const fillList = (all: readonly number[], room: Room): FilledList =>
  room === null || room < all.length ? { needed: all.length } : all

/** A label as C_InitToken gives it: 32 bytes of UTF-8, padded with blanks. */
function labelOf(padded: Uint8Array): string {
  if (!isUtf8(padded)) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'the label is not UTF-8')
  return Buffer.from(padded).toString('utf8').trimEnd()
}

function pinOf(pin: Uint8Array | null): Uint8Array {
  if (pin === null)
    throw new CryptokiError(
      CKR.ARGUMENTS_BAD,
      'no PIN: this token has no protected authentication path',
    )
  return pin
}

/** C_WaitForSlotEvent. `signal` stops a call that waits. */
async function waitForSlotEvent(
  { slotEvents }: ApplicationSessions,
  flags: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (flags !== 0 && flags !== CKF.DONT_BLOCK)
    throw new CryptokiError(CKR.ARGUMENTS_BAD, 'the only flag is CKF_DONT_BLOCK')
  if (flags === 0) return slotEvents.next(signal)
  const slot = slotEvents.take()
  if (slot === undefined) throw new CryptokiError(CKR.NO_EVENT, 'nothing happened in any slot')
  return slot
}

export const slots = {
  // Every slot holds a token, so tokenPresent changes nothing.
  C_GetSlotList: ({ application }, _tokenPresent, room) =>
    fillList(
      application.slots.all().map(({ slot }) => slot),
      room,
    ),

  C_GetSlotInfo: (_call, { slot }) => ({
    slotDescription: `Softoki slot ${slot}`,
    manufacturerID: MANUFACTURER,
    flags: CKF.TOKEN_PRESENT,
    hardwareVersion: HARDWARE_VERSION,
    firmwareVersion: LIBRARY_VERSION,
  }),

  C_GetTokenInfo: ({ application }, token) => {
    const sessions = [...application.membership(token).sessions]
    return {
      label: token.label,
      manufacturerID: MANUFACTURER,
      model: 'Softoki',
      serialNumber: token.serial,
      flags: token.flags,
      maxSessionCount: CK_EFFECTIVELY_INFINITE,
      sessionCount: sessions.length,
      maxRwSessionCount: CK_EFFECTIVELY_INFINITE,
      rwSessionCount: sessions.filter((session) => session.readWrite).length,
      maxPinLen: PIN_LENGTH.max,
      minPinLen: PIN_LENGTH.min,
      totalPublicMemory: CK_UNAVAILABLE_INFORMATION,
      freePublicMemory: CK_UNAVAILABLE_INFORMATION,
      totalPrivateMemory: CK_UNAVAILABLE_INFORMATION,
      freePrivateMemory: CK_UNAVAILABLE_INFORMATION,
      hardwareVersion: HARDWARE_VERSION,
      firmwareVersion: LIBRARY_VERSION,
      utcTime: '',
    }
  },

  C_GetMechanismList: (_call, { offered }, room) => fillList([...offered.keys()], room),

  C_GetMechanismInfo: (_call, { offered }, type) => ({ ...mechanismInfo(type, offered) }),

  C_WaitForSlotEvent: ({ application, context }, flags) =>
    waitForSlotEvent(application, flags, context.signal),

  C_InitToken: async ({ application }, token, pin, label) => {
    await token.init(pinOf(pin), labelOf(label))
    await application.slots.offerFree()
    return undefined
  },

  C_InitPIN: async (_call, session, pin) => {
    const { login, token } = session.membership
    if (login?.owner !== 'so')
      throw new CryptokiError(CKR.USER_NOT_LOGGED_IN, 'only the security officer sets a user PIN')
    await token.initPin(login.rootKey, pinOf(pin))
    return undefined
  },

  C_SetPIN: async (_call, session, old, pin) => {
    if (!session.readWrite)
      throw new CryptokiError(CKR.SESSION_READ_ONLY, 'a PIN is changed in a read/write session')
    const owner = session.membership.login?.owner ?? 'user'
    await session.token.setPin(owner, pinOf(old), pinOf(pin))
    return undefined
  },
} satisfies Implementations
