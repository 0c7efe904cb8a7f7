/** The tokens that cases name, each in a slot of its own. */
import type { FunctionName } from '../../../src/standard/calls.ts'
import { CKF, CKU } from '../../../src/standard/constants.ts'
import { label } from '../../in-process.ts'
import type { Arguments } from './words.ts'

export const SO_PIN = Buffer.from('the officer')
export const PIN = Buffer.from('the user')
export const WRONG_PIN = Buffer.from('anybody')

/** Wrong PINs in a row that lock it. */
export const TRIES = 10

export const RW = CKF.SERIAL_SESSION | CKF.RW_SESSION

interface TokenRow {
  /** The slot's token is initialised. */
  readonly initialized: boolean
  /** It has a user PIN. */
  readonly pin: boolean
  /** Who is logged in while cases work with it. */
  readonly login?: 'user' | 'so'
}

/** In the order of their slots. */
const rows = {
  user: { initialized: true, pin: true, login: 'user' },
  public: { initialized: true, pin: true },
  so: { initialized: true, pin: true, login: 'so' },
  /** The user PIN was tried too often. */
  locked: { initialized: true, pin: true },
  withoutPin: { initialized: true, pin: false },
  /** Nobody keeps a session with these three. */
  crowded: { initialized: true, pin: false },
  spare: { initialized: true, pin: false },
  toBeLocked: { initialized: true, pin: false },
  empty: { initialized: false, pin: false },
} as const satisfies Record<string, TokenRow>

export type TokenName = keyof typeof rows

const names = Object.keys(rows) as TokenName[]

/** The slot of a token; undefined for a name that is none. */
export function slotOf(name: string): number | undefined {
  const slot = names.indexOf(name as TokenName)
  return slot < 0 ? undefined : slot
}

type CallOnSession = (name: FunctionName, given: Arguments) => Promise<unknown>

/** Logs in whom a token's cases expect. */
export async function logIn(name: TokenName, call: CallOnSession): Promise<void> {
  const { login }: TokenRow = rows[name]
  if (login === 'user') await call('C_Login', { userType: CKU.USER, pin: PIN })
  if (login === 'so') await call('C_Login', { userType: CKU.SO, pin: SO_PIN })
}

/** Makes all tokens. `withSession` opens a session in a slot for what is done there, and closes it. */
export async function makeTokens(
  call: CallOnSession,
  withSession: (slotID: number, work: (call: CallOnSession) => Promise<void>) => Promise<void>,
  refused: CallOnSession,
): Promise<void> {
  for (const [slotID, name] of names.entries()) {
    const { initialized, pin }: TokenRow = rows[name]
    if (initialized) await call('C_InitToken', { slotID, pin: SO_PIN, label: label(name) })
    if (pin)
      await withSession(slotID, async (onSession) => {
        await onSession('C_Login', { userType: CKU.SO, pin: SO_PIN })
        await onSession('C_InitPIN', { pin: PIN })
      })
  }
  await withSession(slotOf('locked') as number, async () => {
    for (let i = 0; i < TRIES; i++) await refused('C_Login', { userType: CKU.USER, pin: WRONG_PIN })
  })
}
