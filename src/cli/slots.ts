/** Slots and the tokens in them, as the command line shows and chooses them. */
import type { Application, FilledList, Room, StructureValues } from '../standard/calls.ts'
import { CKF } from '../standard/constants.ts'
import { Failure, wrongUsage } from './failure.ts'
import { inBatches } from './service.ts'
import { printable } from './terminal.ts'

/** CK_TOKEN_INFO, as far as the command line wants it. */
export interface SlotView {
  readonly slot: number
  /** Empty where the token is not initialised. */
  readonly label: string
  readonly serial: string
  readonly initialised: boolean
  readonly userPinSet: boolean
  readonly userPinLastTry: boolean
  readonly userPinLocked: boolean
  readonly soPinLocked: boolean
  /** Bytes. */
  readonly pinLength: { readonly min: number; readonly max: number }
}

type Value = StructureValues[string]

/** Text of a structure, without its padding. */
const textOf = (value: Value | undefined): string =>
  (value instanceof Uint8Array
    ? Buffer.from(value).toString('utf8')
    : String(value ?? '')
  ).trimEnd()

/** A whole list under the convention of section 5.2: how long it is, then the list. */
export async function wholeList(
  ask: (room: Room) => FilledList | Promise<FilledList>,
): Promise<readonly number[]> {
  let answer = await ask(null)
  while ('needed' in answer) answer = await ask(answer.needed)
  return answer
}

async function slotView(application: Application, slot: number): Promise<SlotView> {
  const info = await application.call('C_GetTokenInfo', [slot])
  const flags = Number(info.flags)
  return {
    slot,
    label: textOf(info.label),
    serial: textOf(info.serialNumber),
    initialised: (flags & CKF.TOKEN_INITIALIZED) !== 0,
    userPinSet: (flags & CKF.USER_PIN_INITIALIZED) !== 0,
    userPinLastTry: (flags & CKF.USER_PIN_FINAL_TRY) !== 0,
    userPinLocked: (flags & CKF.USER_PIN_LOCKED) !== 0,
    soPinLocked: (flags & CKF.SO_PIN_LOCKED) !== 0,
    pinLength: { min: Number(info.minPinLen), max: Number(info.maxPinLen) },
  }
}

/** Every slot, in order of its number. */
export async function slotsOf(application: Application): Promise<readonly SlotView[]> {
  const slots = await wholeList((room) => application.call('C_GetSlotList', [true, room]))
  return inBatches(slots, (slot) => slotView(application, slot))
}

/** The slot with a number. */
export function slotNumbered(slots: readonly SlotView[], number: number): SlotView {
  const found = slots.find(({ slot }) => slot === number)
  if (found === undefined)
    throw new Failure(`there is no slot ${number}: softoki tokens lists the slots`)
  return found
}

/** How a command names a token. */
export interface TokenChoice {
  readonly token?: string
  readonly slot?: number
}

/** The one initialised token that the options choose. */
export async function chosenToken(
  application: Application,
  choice: TokenChoice,
): Promise<SlotView> {
  const all = await slotsOf(application)
  if (choice.slot !== undefined) return initialised(slotNumbered(all, choice.slot))
  const { token } = choice
  if (token === undefined)
    throw wrongUsage('which token? --token LABEL names it, softoki tokens lists them')
  const label = printable(token)
  const [found, ...others] = all.filter((view) => view.initialised && view.label === token)
  if (found === undefined)
    throw new Failure(`no token named "${label}": softoki init --label ${quoted(label)} makes one`)
  if (others.length > 0) {
    const numbers = [found, ...others].map(({ slot }) => slot).join(', ')
    throw new Failure(
      `more than one token is named "${label}", in slots ${numbers}: --slot picks one of them`,
    )
  }
  return found
}

function initialised(view: SlotView): SlotView {
  if (view.initialised) return view
  throw new Failure(
    `the token in slot ${view.slot} is not initialised: softoki init --slot ${view.slot} --label LABEL does it`,
  )
}

/** A label as it can be typed in a shell. */
export const quoted = (label: string): string =>
  /^[\w@%+=:,./-]+$/.test(label) ? label : `'${label.replaceAll("'", "'\\''")}'`
