/** What goes into a call, from the element of a script. Profiles 3.2, 4.1, 4.2 and 4.6. */
import {
  type Attribute,
  type AttributeQuery,
  dataOf,
  IN_KINDS,
  type MechanismArgument,
  type Room,
} from '../../src/standard/calls.ts'
import type { ArgumentRow } from '../../src/standard/functions.ts'
import { ScriptFailure } from './compare.ts'
import {
  attributeType,
  booleanOf,
  bytesOf,
  numberOf,
  attribute as typedAttribute,
} from './values.ts'
import { attributeOf, childNamed, type Variables } from './variables.ts'
import type { Element } from './xml.ts'

/** `SlotID` for slotID, `Object` for phObject. */
export const itemOf = ({ name }: ArgumentRow): string =>
  name.replace(/^ph(?=[A-Z])/, '').replace(/^./, (first) => first.toUpperCase())

/** The type of an attribute of a template, without CKA_. */
export function attributeName(element: Element): string {
  if (element.name !== 'Attribute')
    throw new ScriptFailure(element.line, `a template has no <${element.name}>`)
  return attributeOf(element, 'type')
}

type Read = (element: Element, variables: Variables) => unknown

const number = (element: Element, variables: Variables) =>
  numberOf(element.name, variables.resolve(element, 'value'))

const room = (element: Element, variables: Variables): Room =>
  element.attributes.has('length') ? Number(variables.resolve(element, 'length')) : null

const template = ({ children }: Element, variables: Variables): Attribute[] =>
  children.map((child) => typedAttribute(attributeName(child), variables.resolve(child, 'value')))

const query = ({ children }: Element, variables: Variables): AttributeQuery[] =>
  children.map((child) => ({
    type: attributeType(attributeName(child)),
    room: room(child, variables),
  }))

function mechanism(element: Element, variables: Variables): MechanismArgument {
  const type = childNamed(element, 'Type')
  if (type === undefined) throw new ScriptFailure(element.line, 'a mechanism has a <Type>')
  const parameter = childNamed(element, 'Parameter')?.attributes.get('value')
  return {
    type: number(type, variables),
    parameter: parameter === undefined ? null : bytesOf(parameter),
  }
}

/** By the kind of the argument. */
const READERS: Readonly<Record<string, Read>> = {
  session: number,
  slot: number,
  object: number,
  ulong: number,
  bool: (element, variables) => booleanOf(variables.resolve(element, 'value')),
  pin: (element, variables) => Buffer.from(variables.resolve(element, 'value')),
  data: (element, variables) => dataOf(bytesOf(variables.resolve(element, 'value'))),
  template,
  mechanism,
  room,
  list: room,
  found: (element, variables) => Number(variables.resolve(element, 'length')),
  query,
}

function input(call: Element, argument: ArgumentRow, variables: Variables): unknown {
  // Callbacks are left out of the scripts (4.2).
  if (argument.kind === 'notify') return false
  const item = itemOf(argument)
  const element = childNamed(call, item)
  if (element === undefined) throw new ScriptFailure(call.line, `${call.name} lacks its <${item}>`)
  const read = READERS[argument.kind]
  if (read === undefined) throw new TypeError(`no script has had a ${argument.kind} yet`)
  return read(element, variables)
}

/** The inputs of a call in order. Whatever stands in its element must be one of them. */
export function inputsOf(
  call: Element,
  args: readonly ArgumentRow[],
  variables: Variables,
): unknown[] {
  const items = new Set(args.map(itemOf))
  const stray = call.children.find(({ name }) => !items.has(name))
  if (stray !== undefined)
    throw new ScriptFailure(stray.line, `${call.name} has no <${stray.name}>`)
  return args
    .filter(({ kind }) => IN_KINDS.has(kind))
    .map((argument) => input(call, argument, variables))
}
