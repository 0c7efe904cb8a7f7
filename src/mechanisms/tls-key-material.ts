/**
 * The keys and IVs of a connection from its master secret. PKCS #11 3.2, 6.39.6, 6.40.6 and 6.40.7;
 * RFC 6101, 6.2.2; RFC 4346 and 5246, 6.3. The keys of the export suites, which had 40 bits, are not
 * made.
 */
import { MOST_SSL3 } from '../engine/tls-prf.ts'
import type { Attribute } from '../standard/calls.ts'
import { CK_INVALID_HANDLE, CKA, CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { derivedLength, derivedValue } from './derived-keys.ts'
import { samePolicy } from './derived-policy.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type {
  Attributes,
  CryptokiObject,
  Derive,
  FurtherKeys,
  Made,
  Mechanism,
  MechanismArgument,
  Parameter,
} from './mechanism.ts'
import { booleanIn, numberIn, structureIn } from './parameter.ts'
import {
  MASTER_SECRET,
  type ProtocolPrf,
  randomsIn,
  secretOf,
  ssl3,
  TLS_KEY_TYPES,
  tls10,
  tls12,
} from './tls-parameters.ts'

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

interface Row extends Pick<Mechanism, 'section' | 'standing'> {
  readonly name: keyof typeof CKM
  readonly parameter: 'CK_SSL3_KEY_MAT_PARAMS' | 'CK_TLS12_KEY_MAT_PARAMS'
  readonly prf: (mechanism: MechanismArgument) => ProtocolPrf
  /** Bytes that the key block can have at most. */
  readonly most: number
  /** CKA_ attributes that say what the MAC keys are for. */
  readonly macUses: readonly number[]
  readonly withoutIv?: true
}

/** Bytes of each of the two MAC keys, keys and IVs. */
interface Sizes {
  readonly mac: number
  readonly key: number
  readonly iv: number
}

function bytesAsked(mechanism: MechanismArgument, name: string): number {
  const bits = numberIn(mechanism, name)
  if (bits % 8 !== 0 || bits > LONGEST_SECRET * 8) throw invalid(`${name} is not so many bytes`)
  return bits / 8
}

function sizesOf({ withoutIv, most }: Row, mechanism: MechanismArgument): Sizes {
  if (booleanIn(mechanism, 'isExport')) throw invalid('keys for export are not made')
  const sizes = {
    mac: bytesAsked(mechanism, 'macSizeInBits'),
    key: bytesAsked(mechanism, 'keySizeInBits'),
    iv: withoutIv ? 0 : bytesAsked(mechanism, 'ivSizeInBits'),
  }
  const all = 2 * (sizes.mac + sizes.key + sizes.iv)
  if (all === 0 || all > most) throw invalid(`no key block of ${all} bytes is made`)
  return sizes
}

/** What both kinds of keys take of the template: the rest tells about the keys that encrypt. */
const SHARED: ReadonlySet<number> = new Set([
  CKA.TOKEN,
  CKA.PRIVATE,
  CKA.MODIFIABLE,
  CKA.COPYABLE,
  CKA.DESTROYABLE,
  CKA.LABEL,
  CKA.SENSITIVE,
  CKA.EXTRACTABLE,
])

const ulong = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

const macTemplate = ({ macUses }: Row, template: readonly Attribute[]): readonly Attribute[] => [
  ...template.filter(({ type }) => SHARED.has(type)),
  { type: CKA.KEY_TYPE, value: ulong(CKK.GENERIC_SECRET) },
  ...macUses.map((type) => ({ type, value: Uint8Array.of(1) })),
]

const MAC_HANDLES = ['clientMacSecret', 'serverMacSecret'] as const
const KEY_HANDLES = ['clientKey', 'serverKey'] as const

/** The keys there are: none where their size is 0, and then the handles are CK_INVALID_HANDLE. */
function furtherKeys(
  row: Row,
  mechanism: MechanismArgument,
  template: readonly Attribute[],
): FurtherKeys {
  if (structureIn(mechanism, 'returnedKeyMaterial') === null)
    throw invalid('pReturnedKeyMaterial is NULL')
  const { mac, key } = sizesOf(row, mechanism)
  const names = [...(mac > 0 ? MAC_HANDLES : []), ...(key > 0 ? KEY_HANDLES : [])]
  const absent = [...MAC_HANDLES, ...KEY_HANDLES].filter((name) => !names.includes(name))
  const templates = [
    ...(mac > 0 ? MAC_HANDLES.map(() => macTemplate(row, template)) : []),
    ...(key > 0 ? KEY_HANDLES.map(() => template) : []),
  ]
  const handles = (made: readonly (number | undefined)[]): Parameter => ({
    returnedKeyMaterial: Object.fromEntries([
      ...absent.map((name) => [name, CK_INVALID_HANDLE]),
      ...names.flatMap((name, at) => (made[at] === undefined ? [] : [[name, made[at]]])),
    ]),
  })
  return { besides: false, templates, handles }
}

/** Cuts a block into pieces, one after the other. */
function cutter(block: Uint8Array): (length: number) => Uint8Array {
  let at = 0
  return (length) => {
    at += length
    return block.slice(at - length, at)
  }
}

/** 6.40.6: by default keys that encrypt, decrypt and derive. */
const KEY_USES = [CKA.ENCRYPT, CKA.DECRYPT, CKA.DERIVE] as const

function madeKey(template: Attributes, value: Uint8Array): Made {
  derivedLength(new Map([[CKA.VALUE_LEN, value.length], ...template]), { most: value.length })
  const uses = KEY_USES.filter((type) => !template.has(type)).map((type) => [type, true] as const)
  return new Map([...derivedValue(template, value), ...uses])
}

function giveIvs(mechanism: MechanismArgument, ivClient: Uint8Array, ivServer: Uint8Array): void {
  const material = structureIn(mechanism, 'returnedKeyMaterial')?.parameter as Parameter
  if (material.ivClient === null || material.ivServer === null)
    throw invalid('there is no room for the IVs')
  mechanism.answer?.({ returnedKeyMaterial: { ivClient, ivServer } })
}

function derive(row: Row, base: CryptokiObject, { mechanism, further = [] }: Derive): Made[] {
  const { mac, key, iv } = sizesOf(row, mechanism)
  const secret = secretOf(base, MASTER_SECRET)
  const { client, server } = randomsIn(mechanism)
  const label = Buffer.from('key expansion')
  const block = row.prf(mechanism)(secret, label, [server, client], 2 * (mac + key + iv))
  const cut = cutter(block)
  const policy = samePolicy(base)
  const made = further.map((template, at) => {
    const isMac = mac > 0 && at < MAC_HANDLES.length
    const value = cut(isMac ? mac : key)
    return new Map([
      ...(isMac ? [[CKA.VALUE, value] as const] : madeKey(template, value)),
      ...policy,
    ])
  })
  if (iv > 0) giveIvs(mechanism, cut(iv), cut(iv))
  block.fill(0)
  return made
}

const rowOf = (row: Row): Mechanism => ({
  type: CKM[row.name],
  name: row.name,
  section: row.section,
  keyTypes: TLS_KEY_TYPES,
  keySize: [MASTER_SECRET, MASTER_SECRET],
  ...(row.standing && { standing: row.standing }),
  parameter: row.parameter,
  furtherKeys: (mechanism, template) => furtherKeys(row, mechanism, template),
  derive: (base, make) => derive(row, base, make),
})

const ssl3Row = {
  standing: 'legacy',
  parameter: 'CK_SSL3_KEY_MAT_PARAMS',
  macUses: [CKA.SIGN, CKA.VERIFY, CKA.DERIVE],
} as const
const tls12Row = {
  standing: 'approved',
  parameter: 'CK_TLS12_KEY_MAT_PARAMS',
  prf: tls12,
  most: LONGEST_SECRET,
  macUses: [CKA.SIGN, CKA.VERIFY],
} as const

export const tlsKeyMaterial: readonly Mechanism[] = [
  rowOf({
    ...ssl3Row,
    name: 'SSL3_KEY_AND_MAC_DERIVE',
    section: '6.39.6',
    prf: ssl3,
    most: MOST_SSL3,
  }),
  rowOf({
    ...ssl3Row,
    name: 'TLS_KEY_AND_MAC_DERIVE',
    section: '6.40',
    prf: tls10,
    most: LONGEST_SECRET,
  }),
  rowOf({ ...tls12Row, name: 'TLS12_KEY_AND_MAC_DERIVE', section: '6.40.6' }),
  rowOf({ ...tls12Row, name: 'TLS12_KEY_SAFE_DERIVE', section: '6.40.7', withoutIv: true }),
]
