/**
 * A structure of the header becomes a size, a layout string and the names of its values. The grammar
 * of the string is told in src/standard/layouts.ts.
 */
import type { Standard, Structure } from './tables.ts'

const BYTES = /^CK_(BYTE|VOID|UTF8CHAR|CHAR)_PTR$/

/** pSourceData and ulSourceDataLen are named sourceData; hashAlg stays; pAAD is aad. */
export function plainName(name: string): string {
  const bare = name.replace(/^(p|ul|b|h)(?=[A-Z])/, '')
  return bare.replace(/^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]/, (start) => start.toLowerCase())
}

/** What a mechanism writes back: `!` where it reads it, too, `>` where it only writes. */
const MARKS: readonly (readonly [pattern: RegExp, mark: string])[] = [
  [/^CK_(GCM|CCM)_(MESSAGE|WRAP)_PARAMS\.p(Iv|Nonce|Tag|MAC)$/, '!'],
  [/^CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS\.pTag$/, '!'],
  // 6.2.1.1: returned by one mechanism, passed into another.
  [/^CK_DSA_PARAMETER_GEN_PARAM\.pSeed$/, '!'],
  [/^CK_PBE_PARAMS\.pInitVector$/, '>'],
  [/^CK_W?(SSL3|TLS|TLS12|TLS12_EXTENDED)_MASTER_KEY_DERIVE_PARAMS\.pVersion$/, '>'],
  [/^CK_(SSL3|WTLS)_KEY_MAT_OUT\./, '>'],
  [/^CK_W?TLS_PRF_PARAMS\.pOutput$/, '>'],
  [/^CK_DERIVED_KEY\.phKey$/, '>'],
]

/** Pointers whose length does not stand beside them, by the sections that define the structures. */
const LENGTHS: Readonly<Record<string, string>> = {
  // 6.37: "8-byte initialization vector (IV), if an IV is required".
  'CK_PBE_PARAMS.pInitVector': 'b8',
  'CK_SSL3_KEY_MAT_OUT.pIVClient': 'b/2',
  'CK_SSL3_KEY_MAT_OUT.pIVServer': 'b/2',
  'CK_WTLS_KEY_MAT_OUT.pIV': 'b/3',
  // A version of one byte.
  'CK_WTLS_MASTER_KEY_DERIVE_PARAMS.pVersion': 'b1',
  'CK_KEA_DERIVE_PARAMS.pRandomA': 'b@1',
  'CK_KEA_DERIVE_PARAMS.pRandomB': 'b@1',
  'CK_GCM_MESSAGE_PARAMS.pTag': 'b/4',
  'CK_CHACHA20_PARAMS.pBlockCounter': 'b/1',
  'CK_CHACHA20_PARAMS.pNonce': 'b/3',
  // A block counter of 64 bits, a tag of Poly1305.
  'CK_SALSA20_PARAMS.pBlockCounter': 'b8',
  'CK_SALSA20_PARAMS.pNonce': 'b/2',
  // 6.61.3 tells bits, and many an application bytes: no nonce has 64 bytes.
  'CK_SALSA20_CHACHA20_POLY1305_PARAMS.pNonce': 'b~1',
  'CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS.pNonce': 'b~1',
  'CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS.pTag': 'b16',
}

/**
 * Bytes whose length stands behind the pointer, or is pointed to: 2.40 had CK_PKCS5_PBKD2_PARAMS with
 * a CK_ULONG_PTR by mistake, its errata added CK_PKCS5_PBKD2_PARAMS2, and applications have either.
 */
const EITHER = /^CK_PKCS5_PBKD2_PARAMS2?\.pPassword$/

/** With these C_DeriveKey answers no key of its own, and phKey should be NULL (6.39 to 6.41). */
const WITHOUT_KEY = /^CK_(SSL3|TLS12|WTLS)_KEY_MAT_PARAMS$|^CK_W?TLS_PRF_PARAMS$/

/** Parts of other structures whose lengths stand there. */
const PARTS: ReadonlySet<string> = new Set(['CK_SSL3_KEY_MAT_OUT', 'CK_WTLS_KEY_MAT_OUT'])

/** What a part of a structure becomes: its letters, the names of its values, the fields it takes. */
interface Flat {
  readonly layout: string
  readonly names: readonly string[]
  readonly takes: number
}

type Field = Structure['fields'][number]

function resolve(type: string, standard: Standard): string {
  let at = type
  while (
    standard.typedefs[at] !== undefined &&
    at !== 'CK_ULONG' &&
    at !== 'CK_BYTE' &&
    at !== standard.typedefs[at]
  )
    at = standard.typedefs[at] as string
  return at
}

/** pPublicData2 and ulPublicDataLen2, pLabel and ulLabelLength, pData and ulLen. */
function isLengthOf(length: string, pointer: string): boolean {
  const [, stem, digits] = pointer.match(/^p(.*?)(\d*)$/) ?? []
  const names = [`ul${stem}Len${digits}`, `ul${stem}Length${digits}`, 'ulLen', 'length']
  return names.some((name) => name.toLowerCase() === length.toLowerCase())
}

const isCountOf = (count: string, pointer: string): boolean => {
  const stem = pointer.replace(/^p/, '')
  return count === `ul${stem}` || count === `ulNumberOf${stem}`
}

/** The structure that a pointer of this type points to. */
function pointedTo(type: string, standard: Standard): string | undefined {
  const name = resolve(type, standard).replace(/\*$/, '')
  return type.endsWith('_PTR') && standard.structures[name] !== undefined ? name : undefined
}

const one = (layout: string, { name, type }: Field, takes = 1): Flat => ({
  layout,
  names: [plainName(type === 'CK_OBJECT_HANDLE_PTR' ? name.replace(/^p/, '') : name)],
  takes,
})

/** Bytes: in place, or behind a pointer beside its length. */
function bytes(field: Field, next: Field | undefined, standard: Standard): Flat | undefined {
  const base = resolve(field.type, standard)
  if (field.array !== undefined)
    return base === 'CK_BYTE' ? one(`f${field.array}`, field) : undefined
  if (next === undefined) return undefined
  const isPointer = BYTES.test(field.type)
  if (isPointer && next.type === 'CK_ULONG_PTR') return one('r', field, 2)
  if (isPointer && isLengthOf(next.name, field.name)) return one('p', field, 2)
  const isLength = base === 'CK_ULONG' && BYTES.test(next.type) && isLengthOf(field.name, next.name)
  return isLength ? one('q', next, 2) : undefined
}

/** A structure in place, or pointers to one and to many. */
function nested(field: Field, next: Field | undefined, standard: Standard): Flat | undefined {
  const within = (letter: string, named: Field, type: string | undefined, takes: number) => {
    const flat = type === undefined ? undefined : flatten(type, standard)
    if (flat === undefined) return undefined
    const { names } = one('', named)
    return { layout: `${letter}{${flat.layout}}`, names: [...names, ...flat.names], takes }
  }
  if (field.type === 'CK_VERSION') return one('v', field)
  if (field.type === 'CK_ATTRIBUTE_PTR') return one('t', field, 2)
  if (field.type === 'CK_VERSION_PTR') return one('*v', field)
  if (field.type === 'CK_OBJECT_HANDLE_PTR') return one('*u', field)
  if (standard.structures[field.type] !== undefined) return within('', field, field.type, 1)
  const type = pointedTo(field.type, standard)
  if (type !== undefined)
    return next?.name === 'ulCount' ? within('a', field, type, 2) : within('*', field, type, 1)
  return next !== undefined && isCountOf(field.name, next.name)
    ? within('c', next, pointedTo(next.type, standard), 2)
    : undefined
}

function plain(field: Field, standard: Standard): Flat | undefined {
  const letter = { CK_ULONG: 'u', CK_BYTE: 'y' }[resolve(field.type, standard)]
  return letter === undefined || field.array !== undefined ? undefined : one(letter, field)
}

function flatField(
  structure: string,
  field: Field,
  next: Field | undefined,
  standard: Standard,
): Flat | undefined {
  const place = `${structure}.${field.name}`
  if (EITHER.test(place)) return one('s', field, 2)
  const length = LENGTHS[place]
  const flat =
    length !== undefined
      ? one(length, field)
      : (bytes(field, next, standard) ?? nested(field, next, standard) ?? plain(field, standard))
  const mark = MARKS.find(([pattern]) => pattern.test(place))?.[1] ?? ''
  return flat && { ...flat, layout: mark + flat.layout }
}

/** undefined for a structure that holds what does not travel. */
function flatten(name: string, standard: Standard): Flat | undefined {
  const { fields } = standard.structures[name] as Structure
  const parts: Flat[] = []
  for (let at = 0; at < fields.length; ) {
    const part = flatField(name, fields[at] as Field, fields[at + 1], standard)
    if (part === undefined) return undefined
    parts.push(part)
    at += part.takes
  }
  const layout = parts.map((part) => part.layout).join('')
  return { layout, names: parts.flatMap((part) => part.names), takes: 1 }
}

export function structureRow(name: string, { size }: Structure, standard: Standard): string {
  const flat = PARTS.has(name) ? undefined : flatten(name, standard)
  const layout = flat && `${WITHOUT_KEY.test(name) ? '-' : ''}${flat.layout}`
  const text = layout === undefined ? 'null' : `'${layout}'`
  const names = flat?.names ?? []
  return `  ${name}: { size: ${size}, layout: ${text}, names: [${names.map((n) => `'${n}'`).join(', ')}] },`
}
