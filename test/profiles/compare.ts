/**
 * Compares what a function returned with what a script has. Values may differ where the profiles
 * permit it (OASIS PKCS #11 Profiles 3.2, 3.1.1), and where a test says so and why.
 */
import { CK_UNAVAILABLE_INFORMATION } from '../../src/standard/constants.ts'
import { bytesOf, numberOf } from './values.ts'

/** What is wrong, and the line of the script it is about. */
export class ScriptFailure extends Error {
  override readonly name = 'ScriptFailure'

  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`)
  }
}

/** A value of ours that is not the script's, and why that is right. */
export interface Variation {
  readonly why: string
  holds(told: string): boolean
}

/** By function and item: `C_GetInfo.CryptokiVersion`, `C_GetMechanismInfo(RSA_PKCS).Flags`. */
export type Variations = Readonly<Record<string, Variation>>

/**
 * What a provider may tell about itself, by XML name (3.1.1). Objects, sessions and slots may differ as
 * well: those are bound to variables. Attributes may, too, and are compared all the same, since the
 * tokens here are made for the scripts.
 */
const MAY_VARY: ReadonlySet<string> = new Set([
  'LibraryDescription',
  'LibraryVersion',
  'ManufacturerID',
  'SlotDescription',
  'HardwareVersion',
  'FirmwareVersion',
  'serialNumber',
  'label',
  'model',
  'utcTime',
])

export interface Version {
  readonly major: number
  readonly minor: number
}

/** A value of an answer. */
export type Told = number | string | Uint8Array | Version

/** Where a value stands: in the script, and by function and item. */
export interface Place {
  readonly line: number
  readonly of: string
  readonly item: string
}

const textOf = (told: Told): string => {
  if (told === CK_UNAVAILABLE_INFORMATION) return 'UnavailableInformation'
  if (typeof told === 'number') return told.toString()
  if (typeof told === 'string') return told
  if (told instanceof Uint8Array) return Buffer.from(told).toString('hex')
  return `${told.major}.${told.minor}`
}

/** The beginning of what is long. */
const brief = (text: string) => (text.length > 100 ? `${text.slice(0, 32)}...` : text)

/** A C string of the scripts may or may not count the zero behind it. */
const sameText = (told: string, expected: string) =>
  told.trimEnd() === expected.trimEnd() || told === `${expected}\0`

function isSame(told: Told, expected: string, item: string): boolean {
  if (typeof told === 'number') return told === numberOf(item, expected)
  if (typeof told === 'string') return sameText(told, expected)
  if (told instanceof Uint8Array) return Buffer.compare(told, bytesOf(expected)) === 0
  return textOf(told) === expected
}

/** Text that varies has room in the field, which the script shows with its blanks. */
const fits = (told: Told, expected: string) =>
  typeof told !== 'string' || Buffer.byteLength(told) <= expected.length

/** Every comparison of a script, and what came of it. */
export class Comparison {
  readonly #variations: Variations
  /** Values that are exactly the script's. */
  same = 0
  /** Values that differ as the profiles permit. */
  permitted = 0
  /** What else differs, each with its reason. */
  readonly varied: string[] = []

  constructor(variations: Variations) {
    this.#variations = variations
  }

  compare({ line, of, item }: Place, told: Told, expected: string): void {
    const name = `${of}.${item}`
    const variation = this.#variations[name]
    const same = isSame(told, expected, item)
    if (same && variation !== undefined)
      throw new ScriptFailure(line, `${name} is as the script has it: take its variation away`)
    if (same) this.same++
    else if (variation?.holds(textOf(told)))
      this.varied.push(
        `${name} is ${brief(textOf(told))}, not ${brief(expected)}: ${variation.why}`,
      )
    else if (MAY_VARY.has(item) && fits(told, expected)) this.permitted++
    else throw new ScriptFailure(line, `${name} is ${textOf(told)}, not ${expected}`)
  }
}
