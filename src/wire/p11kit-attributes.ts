/**
 * Attributes as p11-kit sends them (p11-kit/rpc-message.c, rpc-server.c). A value travels by the type
 * of its attribute; here it is bytes again, as an application has it in memory. The protocol's
 * versions are 0 (to p11-kit 0.24), 1 (0.25.0 to 0.25.5) and 2 (from 0.25.6).
 */
import type {
  Attribute,
  AttributeAnswer,
  AttributeAnswers,
  AttributeQuery,
} from '../standard/calls.ts'
import { CK_UNAVAILABLE_INFORMATION, CKA } from '../standard/constants.ts'
import { ATTRIBUTE_SIZE } from './attributes.ts'
import type { Codec } from './codec.ts'
import { type Reader, WireError } from './reader.ts'

import type { Writer } from './writer.ts'

const MOST_ATTRIBUTES = 1024
const MOST_DEPTH = 8
const ULONG = 8

/** How the value of an attribute travels; bytes (dates too) where it is none of these. */
type Form = 'byte' | 'ulong' | 'mechanisms' | 'template'

const VENDOR = 0x80000000

const BYTES: readonly number[] = [
  CKA.TOKEN,
  CKA.PRIVATE,
  CKA.TRUSTED,
  CKA.SENSITIVE,
  CKA.ENCRYPT,
  CKA.DECRYPT,
  CKA.WRAP,
  CKA.UNWRAP,
  CKA.SIGN,
  CKA.SIGN_RECOVER,
  CKA.VERIFY,
  CKA.VERIFY_RECOVER,
  CKA.DERIVE,
  CKA.EXTRACTABLE,
  CKA.LOCAL,
  CKA.NEVER_EXTRACTABLE,
  CKA.ALWAYS_SENSITIVE,
  CKA.MODIFIABLE,
  CKA.COPYABLE,
  CKA.SECONDARY_AUTH,
  CKA.ALWAYS_AUTHENTICATE,
  CKA.WRAP_WITH_TRUSTED,
  CKA.RESET_ON_INIT,
  CKA.HAS_RESET,
  CKA.COLOR,
  // IBM: RESTRICTABLE, NEVER_MODIFIABLE, RETAINKEY, ATTRBOUND, USE_AS_DATA, PROTKEY_EXTRACTABLE and _NEVER_
  ...[0x10001, 0x10002, 0x10003, 0x10004, 0x10008, 0x1000c, 0x1000d].map((n) => VENDOR + n),
]

const ULONGS: readonly number[] = [
  CKA.CLASS,
  CKA.CERTIFICATE_TYPE,
  CKA.CERTIFICATE_CATEGORY,
  CKA.JAVA_MIDP_SECURITY_DOMAIN,
  CKA.KEY_TYPE,
  CKA.MODULUS_BITS,
  CKA.PRIME_BITS,
  CKA.SUB_PRIME_BITS,
  CKA.VALUE_BITS,
  CKA.VALUE_LEN,
  CKA.KEY_GEN_MECHANISM,
  CKA.AUTH_PIN_FLAGS,
  CKA.HW_FEATURE_TYPE,
  CKA.PIXEL_X,
  CKA.PIXEL_Y,
  CKA.RESOLUTION,
  CKA.CHAR_ROWS,
  CKA.CHAR_COLUMNS,
  CKA.BITS_PER_PIXEL,
  CKA.MECHANISM_TYPE,
  // IBM: KEYTYPE, STD_COMPLIANCE1, DILITHIUM_KEYFORM, KYBER_KEYFORM, CCA_AES_KEY_MODE
  ...[0x10005, 0x1000a, 0xd0001, 0xd0009, 0xd0101].map((n) => VENDOR + n),
]

const forms = new Map<number, Form>([
  ...BYTES.map((type): [number, Form] => [type, 'byte']),
  ...ULONGS.map((type): [number, Form] => [type, 'ulong']),
  [CKA.ALLOWED_MECHANISMS, 'mechanisms'],
  [CKA.WRAP_TEMPLATE, 'template'],
  [CKA.UNWRAP_TEMPLATE, 'template'],
])

/** The form of a type; CKA_DERIVE_TEMPLATE was bytes before version 1. */
const formOf = (type: number, version: number): Form | undefined =>
  type === CKA.DERIVE_TEMPLATE && version > 0 ? 'template' : forms.get(type)

/** u64 big-endian on the wire, a CK_ULONG little-endian in memory: the bytes the other way round. */
export const turned = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes).reverse()

interface Place {
  readonly version: number
  readonly depth: number
}

const within = ({ version, depth }: Place): Place => {
  if (depth >= MOST_DEPTH) throw new WireError('attributes too deep within each other')
  return { version, depth: depth + 1 }
}

/** An attribute in a template or in an answer; length is 2^64 where it is told to be invalid. */
function readEntries(reader: Reader, place: Place): AttributeAnswer[] {
  const count = reader.elements(5, MOST_ATTRIBUTES)
  return Array.from({ length: count }, () => {
    const type = reader.u32()
    if (reader.u8() === 0) return { type, value: null, length: CK_UNAVAILABLE_INFORMATION }
    const length = reader.u32()
    const value = readValue(reader, formOf(type, place.version), place)
    // The length is what the application gave: a CK_ULONG of 4 bytes shall not pass for one of 8.
    return { type, length, value: value instanceof Uint8Array ? value.subarray(0, length) : value }
  })
}

const asAttribute = ({ type, value }: AttributeAnswer): Attribute => ({
  type,
  value:
    value === null || value instanceof Uint8Array ? (value ?? NOTHING) : value.map(asAttribute),
})

const NOTHING = new Uint8Array(0)

function readValue(reader: Reader, form: Form | undefined, place: Place): AttributeAnswer['value'] {
  if (form === 'byte') return reader.raw(1)
  if (form === 'ulong') return turned(reader.raw(ULONG))
  if (form === 'template') return readEntries(reader, within(place))
  if (form === 'mechanisms') {
    const count = reader.count(ULONG)
    return Buffer.concat(Array.from({ length: count }, () => turned(reader.raw(ULONG))))
  }
  return reader.bytesOrNone()
}

/** An attribute as p11-kit writes it, in a template or in an answer: type, then length and value or none. */
function writeAttribute(
  writer: Writer,
  { type, value, length }: AttributeAnswer,
  version: number,
): void {
  const form = formOf(type, version)
  writer.u32(type)
  const valid = length !== CK_UNAVAILABLE_INFORMATION && fits(value, form)
  writer.bool(valid)
  if (!valid) return
  writer.u32(length)
  writeValue(writer, form, value, version)
}

function fits(value: AttributeAnswer['value'], form: Form | undefined): boolean {
  if (value === null) return true
  if (!(value instanceof Uint8Array)) return form === 'template'
  if (form === 'byte') return value.length <= 1
  if (form === 'ulong') return value.length <= ULONG
  return form !== 'template'
}

/** Where there is no value, one that leaves the length as told: nothing, or zeros. */
function writeValue(
  writer: Writer,
  form: Form | undefined,
  value: AttributeAnswer['value'],
  version: number,
): void {
  const bytes = value instanceof Uint8Array ? value : null
  if (form === 'template') writeTemplate(writer, value, version)
  else if (form === 'byte') writer.u8(bytes?.[0] ?? 0)
  else if (form === 'ulong') writeUlong(writer, bytes ?? NOTHING)
  else if (form === 'mechanisms') writeMechanisms(writer, bytes ?? NOTHING)
  else writer.bytes(bytes)
}

/** At most 8 bytes as a CK_ULONG. */
function writeUlong(writer: Writer, bytes: Uint8Array): void {
  const whole = new Uint8Array(ULONG)
  whole.set(bytes)
  writer.raw(whole.reverse())
}

function writeMechanisms(writer: Writer, bytes: Uint8Array): void {
  const count = Math.floor(bytes.length / ULONG)
  writer.u32(count)
  for (let at = 0; at < count; at++)
    writeUlong(writer, bytes.subarray(at * ULONG, (at + 1) * ULONG))
}

function writeTemplate(writer: Writer, value: AttributeAnswer['value'], version: number): void {
  const list = value instanceof Uint8Array || value === null ? [] : value
  writer.u32(list.length)
  for (const attribute of list) writeAttribute(writer, attribute, version)
}

const withLength = ({ type, value }: Attribute): AttributeAnswer =>
  value instanceof Uint8Array
    ? { type, value, length: value.length }
    : { type, value: value.map(withLength), length: value.length * ATTRIBUTE_SIZE }

/** A template in a version of the protocol. */
export const template = (version: number): Codec<readonly Attribute[]> => ({
  letters: 'aA',
  write(writer, value) {
    writer.u32(value.length)
    for (const attribute of value) writeAttribute(writer, withLength(attribute), version)
  },
  read: (reader) => readEntries(reader, { version, depth: 0 }).map(asAttribute),
})

/**
 * Where the queries of an attribute array follow its own. p11-kit 0.25.4 and 0.25.5 send them for
 * every attribute array, later ones where it has room, earlier ones never; 0.25.0 to 0.25.5 all
 * say version 1, and only one of the ways makes the message end where it should.
 */
type Nesting = 'with room' | 'always' | 'never'

const nestings: readonly (readonly Nesting[])[] = [
  ['never'],
  ['with room', 'always', 'never'],
  ['with room'],
]

function readQueries(reader: Reader, nesting: Nesting, place: Place): AttributeQuery[] {
  const count = reader.elements(8, MOST_ATTRIBUTES)
  return Array.from({ length: count }, (): AttributeQuery => {
    const type = reader.u32()
    const length = reader.u32()
    const room = length === 0 ? null : length
    const isArray = nesting !== 'never' && formOf(type, 1) === 'template'
    if (!isArray || (room === null && nesting === 'with room')) return { type, room }
    const queries = readQueries(reader, nesting, within(place))
    if (room === null || queries.length === 0) return { type, room: null }
    return { type, room: queries.length * ATTRIBUTE_SIZE, within: queries }
  })
}

function writeQueries(writer: Writer, queries: readonly AttributeQuery[]): void {
  writer.u32(queries.length)
  for (const { type, room, within } of queries) {
    writer.u32(type)
    writer.u32(room ?? 0)
    if (within !== undefined) writeQueries(writer, within)
  }
}

/** The queries of C_GetAttributeValue; the last of its arguments. */
export const query = (version: number): Codec<readonly AttributeQuery[]> => ({
  letters: 'fA',
  write: writeQueries,
  read(reader) {
    for (const nesting of nestings[version] ?? []) {
      const queries = reader.attempt(() => {
        const read = readQueries(reader, nesting, { version, depth: 0 })
        reader.end()
        return read
      })
      if (queries !== undefined) return queries
    }
    throw new WireError('the queries do not end with the message')
  },
})

/** What C_GetAttributeValue answers. */
export const answers = (version: number): Codec<AttributeAnswers> => ({
  letters: 'aAu',
  write(writer, value) {
    writer.u32(value.answers.length)
    for (const answer of value.answers) writeAttribute(writer, answer, version)
    writer.u64(value.rv)
  },
  read: (reader) => ({ answers: readEntries(reader, { version, depth: 0 }), rv: reader.u64() }),
})
