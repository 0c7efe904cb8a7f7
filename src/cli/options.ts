/** Values of options as they are typed, and what they mean. */
import type { Command } from 'commander'
import { wrongUsage } from './failure.ts'

/** A CK_SLOT_ID. */
export function slotNumber(written: string): number {
  if (/^\d{1,9}$/.test(written)) return Number(written)
  throw wrongUsage(`"${written}" is no slot number: softoki tokens lists the slots`)
}

/** Bytes in hexadecimal, at most 255 of them. */
export function hexadecimal(written: string): Buffer {
  if (/^([0-9a-f]{2}){1,255}$/i.test(written)) return Buffer.from(written, 'hex')
  throw wrongUsage(`"${written}" is not hexadecimal: two digits a byte, such as 01af`)
}

/** The options that choose a token. */
export const addTokenOptions = (command: Command): Command =>
  command
    .option('--token <label>', 'the token with this label')
    .option('--slot <number>', 'the token in this slot', slotNumber)
