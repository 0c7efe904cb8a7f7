/** Key derivation: one key or several, whole or not at all. PKCS #11 3.2, 5.18.5. */
import type {
  CryptokiObject,
  Derived,
  FurtherKeys,
  Made,
  Mechanism,
} from '../mechanisms/mechanism.ts'
import { mechanismFor } from '../mechanisms/table.ts'
import type { Prepared } from '../objects/creation.ts'
import { type Attributes, numberOf } from '../objects/object.ts'
import { ULONG, ulongAt } from '../objects/ulong.ts'
import { after } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Attribute, MechanismArgument } from '../standard/calls.ts'
import { CK_INVALID_HANDLE, CKA, CKK, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Call } from './implementation.ts'
import { checkAsksForNoLogin, keyFor, templateIn } from './keys-in-use.ts'
import { blaming, keep, type Part, plan } from './new-objects.ts'

/** Whether a template, or what is imposed on it, tells the type of the key. */
export const hasKeyType = (template: readonly Attribute[], imposed: Attributes | undefined) =>
  imposed?.has(CKA.KEY_TYPE) || template.some(({ type }) => type === CKA.KEY_TYPE)

/** The type of a key whose template names none; undefined where it must, or where there is none. */
function typeImplied(
  row: Mechanism,
  base: CryptokiObject,
  mechanism: MechanismArgument,
): number | undefined {
  if (row.impliedType) return row.impliedType(base, mechanism)
  return row.makes === undefined ? CKK.GENERIC_SECRET : undefined
}

function ulongOf({ type, value }: Attribute): number {
  const number =
    value instanceof Uint8Array && value.length === ULONG ? ulongAt(value, 0) : undefined
  if (number === undefined)
    throw new CryptokiError(CKR.ATTRIBUTE_VALUE_INVALID, `attribute ${type} is no CK_ULONG`)
  return number
}

/** Parts a template from what in it is for the mechanism only (Mechanism.told). */
function partTold(
  { told = [] }: Mechanism,
  template: readonly Attribute[],
): { readonly rest: readonly Attribute[]; readonly values: Attributes } {
  const isTold = ({ type }: Attribute) => told.includes(type)
  const values = new Map(
    template.filter(isTold).map((attribute) => [attribute.type, ulongOf(attribute)]),
  )
  return { rest: template.filter((attribute) => !isTold(attribute)), values }
}

/** The keys that a derivation is to make. */
interface Derivation {
  /** That of the function's own template; undefined where it makes none. */
  readonly own: Prepared | undefined
  readonly further: readonly Prepared[]
  /** Gives the handles of the further keys back. */
  readonly handBack: (handles: readonly (number | undefined)[]) => void
}

const noFurtherKeys: FurtherKeys = { besides: true, templates: [], handles: () => ({}) }

function planDerivation(
  session: Session,
  row: Mechanism,
  base: CryptokiObject,
  argument: MechanismArgument,
  template: readonly Attribute[],
): Derivation {
  const asked = row.furtherKeys?.(argument, template) ?? noFurtherKeys
  const imposed = templateIn(base, CKA.DERIVE_TEMPLATE)
  const objectClass = row.makes ?? CKO.SECRET_KEY
  const planned = (given: readonly Attribute[]) => {
    const keyType = hasKeyType(given, imposed) ? undefined : typeImplied(row, base, argument)
    return plan(session, 'derive', given, { class: objectClass, keyType, imposed, base })
  }
  const handBack: Derivation['handBack'] = (handles) => {
    if (handles.length > 0) argument.answer?.(asked.handles(handles))
  }
  const own = asked.besides ? planned(template) : undefined
  const further = asked.templates.map((given, at) =>
    blaming(
      () => planned(given),
      () => handBack(offender(asked.templates.length, at)),
    ),
  )
  return { own, further, handBack }
}

/** 6.42: the handle of a further key whose template is at fault becomes CK_INVALID_HANDLE. */
const offender = (count: number, at: number): (number | undefined)[] =>
  Array.from({ length: count }, (_, i) => (i === at ? CK_INVALID_HANDLE : undefined))

/** C_DeriveKey. */
export async function deriveKey(
  { surrender, work, keptOperation, cannotBeKept }: Call,
  session: Session,
  argument: MechanismArgument | null,
  handle: number,
  template: readonly Attribute[],
): Promise<number> {
  const row = mechanismFor(argument, 'derive', session.token.offered)
  const base = await baseFor(session, handle, row)
  if (!row.fromAnyUse) checkAsksForNoLogin(base)
  const mechanism = argument as MechanismArgument
  const { rest, values } = partTold(row, template)
  const { own, further, handBack } = planDerivation(session, row, base, mechanism, rest)
  if (further.length > 0) cannotBeKept('it makes several keys')
  const made = await work(() =>
    row.derive(base, {
      mechanism,
      surrender,
      template: new Map([...(own?.template ?? []), ...values]),
      further: further.map((prepared) => prepared.template),
      key: (other, types) => {
        cannotBeKept('its parameter names a further key by its handle')
        return otherKey(session, row, other, types)
      },
    }),
  )
  const planned = own === undefined ? further : [own, ...further]
  const first = planned.length - further.length
  const parts = partsOf(planned, made)
  const handles = await keep(session, parts, keptOperation(), (at) => {
    if (at >= first) handBack(offender(further.length, at - first))
  })
  handBack(handles.slice(first))
  return first === 1 ? (handles[0] as number) : CK_INVALID_HANDLE
}

/** What a derivation starts from. */
function baseFor(
  session: Session,
  handle: number,
  row: Mechanism,
): CryptokiObject | Promise<CryptokiObject> {
  const key = () => keyFor(session, handle, row, row.fromAnyUse ? undefined : 'DERIVE')
  if (!row.fromData) return key()
  return after(session.membership.object(handle), (object) =>
    object !== undefined && numberOf(object, CKA.CLASS) === CKO.DATA ? object : key(),
  )
}

/** A further key that derivation uses (Derive.key in mechanism.ts). */
async function otherKey(
  session: Session,
  row: Mechanism,
  handle: number,
  keyTypes?: readonly number[],
): Promise<CryptokiObject> {
  const { anySecretKey: _, ...rest } = row
  const wanted: Mechanism =
    keyTypes === undefined ? { ...rest, anySecretKey: true } : { ...rest, keyTypes }
  const key = await keyFor(session, handle, wanted, 'DERIVE')
  checkAsksForNoLogin(key)
  return key
}

/** The planned keys with the values that a mechanism's row made for them, one for each. */
function partsOf(planned: readonly Prepared[], made: Derived): Part[] {
  const values = made instanceof Map ? [made] : (made as readonly Made[])
  if (values.length !== planned.length)
    throw new TypeError(`${values.length} keys derived where ${planned.length} were planned`)
  return planned.map((prepared, at) => ({ prepared, values: values[at] as Made }))
}
