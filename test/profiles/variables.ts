/** The variables of a profile script, `${Session}` and the like: Profiles 3.2, chapter 3. */
import { ScriptFailure } from './compare.ts'
import type { Element } from './xml.ts'

const VARIABLE = /^\$\{(.+)\}$/

export class Variables {
  readonly #values: Map<string, string>

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = new Map(Object.entries(values))
  }

  /** The text of an attribute of an element, or what the variable there is bound to. */
  resolve(element: Element, name: 'value' | 'length'): string {
    const text = attributeOf(element, name)
    const variable = VARIABLE.exec(text)?.[1]
    const value = variable === undefined ? text : this.#values.get(variable)
    if (value === undefined) throw new ScriptFailure(element.line, `${text} is not bound`)
    return value
  }

  /** True where the text is a variable, which takes the value. */
  binds(text: string, value: number): boolean {
    const variable = VARIABLE.exec(text)?.[1]
    if (variable !== undefined) this.#values.set(variable, value.toString())
    return variable !== undefined
  }
}

/** The text of an attribute that an element must have. */
export function attributeOf(element: Element, name: string): string {
  const text = element.attributes.get(name)
  if (text === undefined)
    throw new ScriptFailure(element.line, `<${element.name}> lacks its ${name}`)
  return text
}

export const childNamed = (element: Element, name: string): Element | undefined =>
  element.children.find((child) => child.name === name)
