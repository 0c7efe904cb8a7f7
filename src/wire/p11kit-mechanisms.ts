/**
 * How p11-kit encodes the parameters of mechanisms (p11-kit/rpc-message.c): it has a list of those
 * that have a parameter, and since version 2 of its protocol one of those that have none, which
 * both ends must know to find where a mechanism ends.
 */
import type { MechanismArgument, Parameter } from '../standard/calls.ts'
import { CKM } from '../standard/constants.ts'
import type { Aside, Codec } from './codec.ts'
import { type Field, fieldsOf, type StructureName, structureFields } from './layouts.ts'
import { turned } from './p11kit-attributes.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** CKM_VENDOR_DEFINED; IBM's mechanisms are numbered from here. */
const VENDOR = 0x80000000

const withStructure = {
  CK_RSA_PKCS_PSS_PARAMS: [
    CKM.RSA_PKCS_PSS,
    CKM.SHA1_RSA_PKCS_PSS,
    CKM.SHA224_RSA_PKCS_PSS,
    CKM.SHA256_RSA_PKCS_PSS,
    CKM.SHA384_RSA_PKCS_PSS,
    CKM.SHA512_RSA_PKCS_PSS,
  ],
  CK_RSA_PKCS_OAEP_PARAMS: [CKM.RSA_PKCS_OAEP],
  CK_ECDH1_DERIVE_PARAMS: [CKM.ECDH1_DERIVE],
  CK_AES_CTR_PARAMS: [CKM.AES_CTR],
  CK_GCM_PARAMS: [CKM.AES_GCM],
} as const satisfies Partial<Record<StructureName, readonly number[]>>

/** CK_MAC_GENERAL_PARAMS: a CK_ULONG, which is plain bytes elsewhere. */
const macGeneral: readonly number[] = [
  CKM.SHA_1_HMAC_GENERAL,
  CKM.SHA224_HMAC_GENERAL,
  CKM.SHA256_HMAC_GENERAL,
  CKM.SHA384_HMAC_GENERAL,
  CKM.SHA512_HMAC_GENERAL,
  CKM.SHA512_224_HMAC_GENERAL,
  CKM.SHA512_256_HMAC_GENERAL,
  CKM.AES_MAC_GENERAL,
  CKM.AES_CMAC_GENERAL,
  CKM.DES3_MAC_GENERAL,
  CKM.DES3_CMAC_GENERAL,
]

/** IBM's own: read, so that the token can refuse them; ECDSA_OTHER, ATTRIBUTEBOUND_WRAP, EC_X25519, EC_X448, BTC_DERIVE, KYBER. */
const ibmLayouts: readonly (readonly [number, string])[] = [
  [VENDOR + 0x10031, 'u'],
  [VENDOR + 0x20004, 'u'],
  [VENDOR + 0x1001b, 'upp'],
  [VENDOR + 0x1001e, 'upp'],
  [VENDOR + 0x70001, 'uupu'],
  [VENDOR + 0x10024, 'uuuyppu'],
]

/** What follows a mechanism's number: the values of a structure, a CK_ULONG, or (not listed) bytes. */
type ParameterForm = readonly Field[] | 'ulong'

/** By CKM_ number. IVs and public values are bytes, and so is what nobody knows. */
const parameterForms: ReadonlyMap<number, ParameterForm> = new Map([
  ...Object.entries(withStructure).flatMap(([name, types]) =>
    types.map((type): [number, ParameterForm] => [
      type,
      structureFields(name as StructureName) ?? [],
    ]),
  ),
  ...ibmLayouts.map(([type, layout]): [number, ParameterForm] => [type, fieldsOf(layout)]),
  ...macGeneral.map((type): [number, ParameterForm] => [type, 'ulong']),
])

const IBM_WITHOUT = [
  0x10001, 0x10002, 0x10003, 0x10004, 0x10007, 0x10023, 0x10025, 0x10026, 0x10027, 0x10028, 0x1001c,
  0x1001f,
]

/** Mechanisms after whose number nothing follows, in version 2. */
const withoutParameter: ReadonlySet<number> = new Set<number>([
  CKM.RSA_PKCS_KEY_PAIR_GEN,
  CKM.RSA_X9_31_KEY_PAIR_GEN,
  CKM.RSA_PKCS,
  CKM.RSA_9796,
  CKM.RSA_X_509,
  CKM.RSA_X9_31,
  CKM.MD2_RSA_PKCS,
  CKM.MD5_RSA_PKCS,
  CKM.SHA1_RSA_PKCS,
  CKM.SHA224_RSA_PKCS,
  CKM.SHA256_RSA_PKCS,
  CKM.SHA384_RSA_PKCS,
  CKM.SHA512_RSA_PKCS,
  CKM.RIPEMD128_RSA_PKCS,
  CKM.RIPEMD160_RSA_PKCS,
  CKM.SHA1_RSA_X9_31,
  CKM.DSA_KEY_PAIR_GEN,
  CKM.DSA_PARAMETER_GEN,
  CKM.DSA,
  CKM.DSA_SHA1,
  CKM.FORTEZZA_TIMESTAMP,
  CKM.EC_KEY_PAIR_GEN,
  CKM.ECDSA,
  CKM.ECDSA_SHA1,
  CKM.ECDSA_SHA224,
  CKM.ECDSA_SHA256,
  CKM.ECDSA_SHA384,
  CKM.ECDSA_SHA512,
  CKM.DH_PKCS_KEY_PAIR_GEN,
  CKM.DH_PKCS_PARAMETER_GEN,
  CKM.X9_42_DH_KEY_PAIR_GEN,
  CKM.X9_42_DH_PARAMETER_GEN,
  CKM.KEA_KEY_PAIR_GEN,
  CKM.GENERIC_SECRET_KEY_GEN,
  CKM.RC2_KEY_GEN,
  CKM.RC4_KEY_GEN,
  CKM.RC4,
  CKM.RC5_KEY_GEN,
  CKM.AES_KEY_GEN,
  CKM.AES_ECB,
  CKM.AES_MAC,
  CKM.AES_CMAC,
  CKM.DES_KEY_GEN,
  CKM.DES2_KEY_GEN,
  CKM.DES3_KEY_GEN,
  CKM.CDMF_KEY_GEN,
  CKM.CAST_KEY_GEN,
  CKM.CAST3_KEY_GEN,
  CKM.CAST128_KEY_GEN,
  CKM.IDEA_KEY_GEN,
  CKM.SSL3_PRE_MASTER_KEY_GEN,
  CKM.TLS_PRE_MASTER_KEY_GEN,
  CKM.SKIPJACK_KEY_GEN,
  CKM.BATON_KEY_GEN,
  CKM.JUNIPER_KEY_GEN,
  CKM.RC2_ECB,
  CKM.DES_ECB,
  CKM.DES3_ECB,
  CKM.CDMF_ECB,
  CKM.CAST_ECB,
  CKM.CAST3_ECB,
  CKM.CAST128_ECB,
  CKM.RC5_ECB,
  CKM.IDEA_ECB,
  CKM.RC2_MAC,
  CKM.DES_MAC,
  CKM.DES3_MAC,
  CKM.DES3_CMAC,
  CKM.CDMF_MAC,
  CKM.CAST_MAC,
  CKM.CAST3_MAC,
  CKM.RC5_MAC,
  CKM.IDEA_MAC,
  CKM.SSL3_MD5_MAC,
  CKM.SSL3_SHA1_MAC,
  CKM.SKIPJACK_WRAP,
  CKM.BATON_WRAP,
  CKM.JUNIPER_WRAP,
  CKM.MD2,
  CKM.MD2_HMAC,
  CKM.MD5,
  CKM.MD5_HMAC,
  CKM.SHA_1,
  CKM.SHA_1_HMAC,
  CKM.SHA1_KEY_DERIVATION,
  CKM.SHA224,
  CKM.SHA224_HMAC,
  CKM.SHA224_KEY_DERIVATION,
  CKM.SHA256,
  CKM.SHA256_HMAC,
  CKM.SHA256_KEY_DERIVATION,
  CKM.SHA384,
  CKM.SHA384_HMAC,
  CKM.SHA384_KEY_DERIVATION,
  CKM.SHA512,
  CKM.SHA512_HMAC,
  CKM.SHA512_KEY_DERIVATION,
  CKM.SHA512_T,
  CKM.SHA512_T_HMAC,
  CKM.SHA512_T_KEY_DERIVATION,
  CKM.SHA512_224,
  CKM.SHA512_224_HMAC,
  CKM.SHA512_224_KEY_DERIVATION,
  CKM.SHA512_256,
  CKM.SHA512_256_HMAC,
  CKM.SHA512_256_KEY_DERIVATION,
  CKM.FASTHASH,
  CKM.RIPEMD128,
  CKM.RIPEMD128_HMAC,
  CKM.RIPEMD160,
  CKM.RIPEMD160_HMAC,
  CKM.KEY_WRAP_LYNKS,
  ...IBM_WITHOUT.map((number) => VENDOR + number),
])

/** Stands for a mechanism pointer that is NULL. */
const NULL_MECHANISM = 0xffffffff

const ULONG = 8

function readMechanism(reader: Reader, version: number): MechanismArgument | null {
  const type = reader.u32()
  if (type === NULL_MECHANISM) return null
  if (version > 1 && (withoutParameter.has(type) || reader.u8() === 0))
    return { type, parameter: null }
  const form = parameterForms.get(type)
  if (form === 'ulong') return { type, parameter: turned(reader.raw(ULONG)) }
  if (form !== undefined) return { type, parameter: readStructure(reader, form) }
  const bytes = reader.bytesOrNone()
  return { type, parameter: bytes.length === 0 ? null : bytes }
}

function readStructure(reader: Reader, fields: readonly Field[]): Parameter {
  const values: Record<string, number | Uint8Array> = {}
  for (const { letter, name } of fields)
    values[name] =
      letter === 'u' ? reader.u64() : letter === 'y' ? reader.u8() : reader.bytesOrNone()
  return values
}

function writeMechanism(writer: Writer, { type, parameter }: MechanismArgument, version: number) {
  writer.u32(type)
  if (version > 1) {
    if (withoutParameter.has(type)) return
    writer.bool(parameter !== null)
    if (parameter === null) return
  }
  const form = parameterForms.get(type)
  if (parameter === null) writer.bytes(null)
  else if (!(parameter instanceof Uint8Array)) writeStructure(writer, form, parameter)
  else if (form === 'ulong') writer.raw(turned(parameter))
  else writer.bytes(parameter)
}

function writeStructure(writer: Writer, form: ParameterForm | undefined, parameter: Parameter) {
  if (form === undefined || form === 'ulong') throw new TypeError('a structure for plain bytes')
  for (const { letter, name } of form) {
    const value = parameter[name]
    if (value instanceof Uint8Array) writer.bytes(value)
    else if (letter === 'y') writer.u8(Number(value ?? 0))
    else writer.u64(Number(value ?? 0))
  }
}

/** A mechanism in a version of the protocol. */
export const mechanism = (version: number): Codec<MechanismArgument | null> => ({
  letters: 'M',
  write(writer, value) {
    if (value === null) writer.u32(NULL_MECHANISM)
    else writeMechanism(writer, value, version)
  },
  read: (reader) => readMechanism(reader, version),
})

/**
 * What C_DeriveKey of version 2 tells of its mechanism: whether it has a parameter. Only IBM's
 * mechanisms have one that changes.
 */
export const updatedParameter = (at: number): Aside => ({
  letters: 'P',
  write(writer, inputs) {
    const mechanism = inputs[at] as MechanismArgument | null
    if (mechanism !== null && !withoutParameter.has(mechanism.type))
      writer.bool(mechanism.parameter !== null)
  },
  read(reader, inputs) {
    const mechanism = inputs[at] as MechanismArgument | null
    if (mechanism !== null && !withoutParameter.has(mechanism.type)) reader.u8()
  },
})
