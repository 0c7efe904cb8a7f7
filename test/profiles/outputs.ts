/** What came out of a call, against the element of what should. Profiles 3.2, 4.6. */
import type { AttributeAnswer, AttributeAnswers, Filled } from '../../src/standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION } from '../../src/standard/constants.ts'
import type { ArgumentRow } from '../../src/standard/functions.ts'
import { type Comparison, ScriptFailure, type Told } from './compare.ts'
import { attributeName, itemOf } from './inputs.ts'
import { numberOf, attribute as typedAttribute } from './values.ts'
import { attributeOf, type Variables } from './variables.ts'
import type { Element } from './xml.ts'

export const isNeeded = (answer: unknown): answer is { needed: number } =>
  typeof answer === 'object' && answer !== null && 'needed' in answer

const isNothing = (answer: unknown) =>
  answer === undefined || (Array.isArray(answer) && answer.length === 0)

const fieldOf = (item: string) => item.replace(/^./, (first) => first.toLowerCase())

/** `3.2` for an element that tells a version, else its value. */
function fieldText(element: Element): string {
  const { attributes } = element
  if (!attributes.has('major')) return attributeOf(element, 'value')
  return `${attributes.get('major')}.${attributeOf(element, 'minor')}`
}

const isSorted = (one: Iterable<string>, other: Iterable<string>) =>
  [...one].sort().join() === [...other].sort().join()

export class Outputs {
  readonly #variables: Variables
  readonly #comparison: Comparison
  /** The function, with the mechanism it was asked about. */
  readonly #of: string
  readonly #element: Element
  readonly #compared = new Set<Element>()

  constructor(element: Element, of: string, variables: Variables, comparison: Comparison) {
    this.#element = element
    this.#of = of
    this.#variables = variables
    this.#comparison = comparison
  }

  compare(argument: ArgumentRow, answer: unknown): void {
    const { kind } = argument
    // CK_INFO and its kin are <Info> in 3.1, and <SlotInfo> and the like in 3.2.
    const isIt = ({ name }: Element) =>
      kind === 'structureOut' ? name.endsWith('Info') : name === itemOf(argument)
    const element = this.#element.children.find(isIt)
    if (element === undefined && isNothing(answer)) return
    if (element === undefined)
      throw new ScriptFailure(this.#element.line, `nothing is said of <${itemOf(argument)}>`)
    this.#compared.add(element)
    if (kind === 'structureOut') this.#structure(element, answer as Record<string, Told>)
    else if (kind === 'query') this.#attributes(element, answer as AttributeAnswers)
    else if (kind === 'list') this.#list(element, answer)
    else if (kind === 'found') this.#found(element, answer as readonly number[])
    else this.#value(element, answer as number | Filled)
  }

  /** Whatever the script has must have been compared. */
  end(): void {
    const stray = this.#element.children.find((child) => !this.#compared.has(child))
    if (stray !== undefined)
      throw new ScriptFailure(stray.line, `${this.#element.name} returned no <${stray.name}>`)
  }

  #expect(element: Element, item: string, told: Told, expected: string): void {
    this.#comparison.compare({ line: element.line, of: this.#of, item }, told, expected)
  }

  /** Fields are elements, and in 3.1 some are attributes of the element: all of them, and no others. */
  #structure(element: Element, told: Readonly<Record<string, Told>>): void {
    const fields = new Map(element.attributes)
    for (const child of element.children) fields.set(child.name, fieldText(child))
    if (!isSorted(Array.from(fields.keys(), fieldOf), Object.keys(told)))
      throw new ScriptFailure(element.line, `the fields are ${Object.keys(told).join(', ')}`)
    for (const [item, expected] of fields)
      this.#expect(element, item, told[fieldOf(item)] as Told, expected)
  }

  #attributes({ children, line }: Element, { answers }: AttributeAnswers): void {
    if (children.length !== answers.length)
      throw new ScriptFailure(line, `${answers.length} attributes came back`)
    for (const [at, child] of children.entries())
      this.#attribute(child, answers[at] as AttributeAnswer)
  }

  #attribute(child: Element, { value, length }: AttributeAnswer): void {
    const item = attributeName(child)
    if (length === CK_UNAVAILABLE_INFORMATION)
      throw new ScriptFailure(child.line, `CKA_${item} is not available`)
    const expected = child.attributes.get('value')
    if (expected === undefined) this.#expect(child, item, length, attributeOf(child, 'length'))
    else if (value instanceof Uint8Array) this.#attributeValue(child, value, expected)
    else throw new ScriptFailure(child.line, `CKA_${item} came without its value`)
  }

  /** A label is compared as text, anything else as its bytes. */
  #attributeValue(child: Element, value: Uint8Array, expected: string): void {
    const item = attributeName(child)
    if (item === 'LABEL') this.#expect(child, item, Buffer.from(value).toString(), expected)
    else this.#expect(child, item, value, hexOf(item, expected))
  }

  /** How many there are, or entries: a variable takes the one in its place, any other is among them. */
  #list(element: Element, answer: unknown): void {
    const entries = isNeeded(answer) ? [] : (answer as readonly number[])
    const count = isNeeded(answer) ? answer.needed : entries.length
    const length = element.attributes.get('length')
    if (length !== undefined && !this.#variables.binds(length, count))
      this.#expect(element, 'length', count, length)
    for (const [at, child] of element.children.entries()) this.#entry(child, entries, at)
  }

  #entry(child: Element, entries: readonly number[], at: number): void {
    const expected = attributeOf(child, 'value')
    const entry = entries[at]
    if (entry !== undefined && this.#variables.binds(expected, entry)) return
    if (!entries.includes(numberOf(child.name, expected)))
      throw new ScriptFailure(child.line, `${expected} is not in the list`)
    this.#comparison.same++
  }

  #found(element: Element, told: readonly number[]): void {
    const { children } = element
    this.#expect(element, 'Objects', told.length, `${children.length}`)
    for (const [at, child] of children.entries()) this.#value(child, told[at] as number)
  }

  #value(element: Element, answer: number | Filled): void {
    const told = isNeeded(answer) ? answer.needed : (answer as number | Uint8Array)
    const expected = attributeOf(element, isNeeded(answer) ? 'length' : 'value')
    if (typeof told === 'number' && this.#variables.binds(expected, told)) return
    this.#expect(element, element.name, told, expected)
  }
}

const hexOf = (name: string, text: string) =>
  Buffer.from(typedAttribute(name, text).value as Uint8Array).toString('hex')
