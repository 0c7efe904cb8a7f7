/**
 * A profile script: calls and what they return, as the OASIS PKCS #11 Profiles 3.2, chapters 3 and 4,
 * write them in XML.
 */
import type { FunctionName } from '../../src/standard/calls.ts'
import { CKR } from '../../src/standard/constants.ts'
import { functions } from '../../src/standard/functions.ts'
import { type Element, readXml } from './xml.ts'

/** One call: the element with its inputs, and the one right behind it with what it returns. */
export interface ScriptCall {
  readonly name: FunctionName
  readonly inputs: Element
  readonly outputs: Element
  /** A return value without CKR_. */
  readonly rv: string
}

/** The published scripts of 3.2 hold lines of text that begin with #; they mean nothing. */
function checkText(element: Element): void {
  const said = element.text.find((line) => !line.startsWith('#'))
  if (said !== undefined)
    throw new Error(`line ${element.line}: "${said}" stands in <${element.name}>`)
  for (const child of element.children) checkText(child)
}

function callOf(inputs: Element, outputs: Element | undefined): ScriptCall {
  const { name, line } = inputs
  const rv = outputs?.attributes.get('rv')
  if (!Object.hasOwn(functions, name)) throw new Error(`line ${line}: there is no function ${name}`)
  if (inputs.attributes.size > 0) throw new Error(`line ${line}: ${name} returns without a call`)
  if (outputs === undefined || outputs.name !== name || rv === undefined)
    throw new Error(`line ${line}: what ${name} returns does not follow`)
  if (!Object.hasOwn(CKR, rv)) throw new Error(`line ${outputs.line}: there is no CKR_${rv}`)
  return { name: name as FunctionName, inputs, outputs, rv }
}

/** The calls of a script in order. Throws an Error that names the line of what is wrong. */
export function readScript(source: string): ScriptCall[] {
  const root = readXml(source)
  if (root.name !== 'PKCS11') throw new Error(`line ${root.line}: the root is not <PKCS11>`)
  checkText(root)
  const calls: ScriptCall[] = []
  for (let at = 0; at < root.children.length; at += 2)
    calls.push(callOf(root.children[at] as Element, root.children[at + 1]))
  return calls
}
