/**
 * Return values that many functions have for the same reason: how the usual call of each is changed
 * to get them. A function's own case for the same value comes first.
 */
import type { Attribute, FunctionName } from '../../../src/standard/calls.ts'
import { CKM } from '../../../src/standard/constants.ts'
import { type ArgumentKind, type FunctionRow, functions } from '../../../src/standard/functions.ts'
import { template } from '../../in-process.ts'
import type { Call, ReturnValue } from './cases.ts'
import { rowOf } from './chapters/all.ts'
import { type Arguments, type Given, withNull, zeros } from './words.ts'

/** No session, slot, object or key has it. */
const NO_HANDLE = 4711

/** No message is longer than 16 MiB. */
const TOO_LONG = 17 << 20
const HALF_TOO_LONG = 12 << 20

const argsOf = (name: FunctionName) => (functions[name] as FunctionRow).args

/** The name of a function's first argument of one of these kinds. */
const argumentOf = (name: FunctionName, ...kinds: ArgumentKind[]): string | undefined =>
  argsOf(name).find(({ kind }) => kinds.includes(kind))?.name

function changed(
  name: FunctionName,
  kind: ArgumentKind,
  change: (usual: Given | undefined) => Given,
): Call | undefined {
  const argument = argumentOf(name, kind)
  if (argument === undefined) return undefined
  return { with: { [argument]: change(rowOf(name).with?.[argument]) } }
}

const withMore =
  (more: Attribute[]) =>
  (name: FunctionName): Call | undefined =>
    changed(name, 'template', (usual) => [...(usual as Attribute[]), ...more])

/** The arguments that make a message too long for the module to take memory for it. */
const tooLong: Readonly<Partial<Record<ArgumentKind, Given>>> = {
  bytes: zeros(TOO_LONG),
  pin: zeros(TOO_LONG),
  template: {
    words: `[ 0 i${HALF_TOO_LONG} ${HALF_TOO_LONG} 3 i${HALF_TOO_LONG} ${HALF_TOO_LONG} ] 2`,
  },
  mechanism: {
    // CK_GCM_PARAMS with additional data of 16 MiB.
    words: `[ ${CKM.AES_GCM} [ i12 12 96 i${16 << 20} ${16 << 20} 128 ] 48 ]`,
  },
}

function withTooLong(name: FunctionName): Call | undefined {
  const argument = argsOf(name).find(({ kind }) => tooLong[kind] !== undefined)
  return argument && { with: { [argument.name]: tooLong[argument.kind] as Given } }
}

/** Whether a function takes what can be too long for a message. */
export const takesLong = (name: FunctionName): boolean => withTooLong(name) !== undefined

const badParameter = (usual: Given | undefined): Given => ({
  type: (usual as { type: number }).type,
  parameter: Buffer.alloc(3),
})

interface Common {
  readonly rv: ReturnValue
  /** The call that answers it; undefined where the function has no argument for that. */
  readonly call: (name: FunctionName) => Call | undefined
}

const object: ArgumentKind = 'object'

export const common: readonly Common[] = [
  { rv: 'OK', call: (name) => rowOf(name) },
  {
    rv: 'SESSION_HANDLE_INVALID',
    call: (name) => ({ ...changed(name, 'session', () => NO_HANDLE), first: [] }),
  },
  { rv: 'SLOT_ID_INVALID', call: (name) => changed(name, 'slot', () => NO_HANDLE) },
  { rv: 'ARGUMENTS_BAD', call: (name) => ({ with: withNull(name) }) },
  { rv: 'HOST_MEMORY', call: withTooLong },
  { rv: 'OPERATION_NOT_INITIALIZED', call: () => ({ first: [] }) },
  {
    rv: 'BUFFER_TOO_SMALL',
    call: (name) => changed(name, 'room', () => 0) ?? changed(name, 'list', () => 0),
  },
  {
    rv: 'MECHANISM_INVALID',
    call: (name) =>
      changed(name, 'mechanism', () => ({ type: CKM.VENDOR_DEFINED, parameter: null })),
  },
  { rv: 'MECHANISM_PARAM_INVALID', call: (name) => changed(name, 'mechanism', badParameter) },
  { rv: 'OBJECT_HANDLE_INVALID', call: (name) => changed(name, object, () => NO_HANDLE) },
  { rv: 'KEY_HANDLE_INVALID', call: (name) => changed(name, object, () => NO_HANDLE) },
  {
    rv: 'ATTRIBUTE_TYPE_INVALID',
    call: withMore([{ type: 0x7fff0000, value: Buffer.alloc(1) }]),
  },
  { rv: 'ATTRIBUTE_VALUE_INVALID', call: withMore(template({ PRIVATE: Buffer.alloc(2) })) },
  { rv: 'ATTRIBUTE_READ_ONLY', call: withMore(template({ UNIQUE_ID: 'chosen' })) },
  {
    rv: 'SESSION_READ_ONLY',
    call: (name) => ({ ...withMore(template({ TOKEN: true }))(name), readOnly: true }),
  },
  {
    rv: 'USER_NOT_LOGGED_IN',
    call: (name) => {
      const isPrivate = (rowOf(name).with?.template ?? rowOf(name).with?.publicKeyTemplate) as
        | readonly Attribute[]
        | undefined
      if (isPrivate === undefined) return undefined
      const argument = argumentOf(name, 'template') as string
      const made = [...withoutPrivate(isPrivate), ...template({ PRIVATE: true })]
      return { with: { [argument]: made }, token: 'public' }
    },
  },
]

const PRIVATE = template({ PRIVATE: true })[0]?.type

const withoutPrivate = (attributes: readonly Attribute[]): Attribute[] =>
  attributes.filter(({ type }) => type !== PRIVATE)

/** The usual arguments of a function that makes an object, for one that lasts. */
export function lasting(name: FunctionName): Arguments {
  const { with: given = {} } = rowOf(name)
  const more = template({ TOKEN: true })
  return Object.fromEntries(
    argsOf(name).flatMap(({ kind, name: argument }) =>
      kind === 'template' && argsOf(name).at(-1)?.kind === 'ulongOut'
        ? [[argument, [...((given[argument] as Attribute[]) ?? []), ...more]]]
        : [],
    ),
  )
}
