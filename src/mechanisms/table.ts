/**
 * The table of all mechanisms and key types. Nothing else lists them: what a token advertises, what
 * a function may begin and how the wire flattens a parameter are read from here.
 */
import type { MechanismArgument } from '../standard/calls.ts'
import { CKF, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { ParameterUse, StructureName } from '../standard/layouts.ts'
import { structures } from '../standard/structures.ts'
import { aes, aesKeyType } from './aes.ts'
import { aesXts, aesXtsKeyType } from './aes-xts.ts'
import { aria, ariaKeyType } from './aria.ts'
import { camellia, camelliaKeyType } from './camellia.ts'
import { chacha20, chacha20KeyType } from './chacha20.ts'
import { des, desKeyTypes } from './des.ts'
import { diffieHellman, diffieHellmanKeyTypes } from './diffie-hellman.ts'
import { digests } from './digests.ts'
import { dsa, dsaKeyType } from './dsa.ts'
import { ec, ecKeyType } from './ec.ts'
import { eddsa, edwardsKeyType } from './eddsa.ts'
import { genericSecret, genericSecretKeyTypes } from './generic-secret.ts'
import { hashDerivations } from './hash-derivations.ts'
import { historicalCiphers, historicalKeyTypes } from './historical-ciphers.ts'
import { hkdf, hkdfKeyType } from './hkdf.ts'
import { hmac } from './hmac.ts'
import { ike } from './ike.ts'
import type { KeyType, Mechanism } from './mechanism.ts'
import { mlDsa, mlDsaKeyType } from './ml-dsa.ts'
import { mlKem, mlKemKeyType } from './ml-kem.ts'
import { montgomery, montgomeryKeyType } from './montgomery.ts'
import { checkForm } from './parameter.ts'
import { pbe } from './pbe.ts'
import { pbkdf2 } from './pbkdf2.ts'
import { poly1305, poly1305KeyType } from './poly1305.ts'
import { publicKeyDerivation } from './public-keys.ts'
import { rsa, rsaKeyType } from './rsa.ts'
import { seed, seedKeyType } from './seed.ts'
import { sha512T } from './sha512-t.ts'
import { simpleDerivations } from './simple-derivations.ts'
import { slhDsa, slhDsaKeyType } from './slh-dsa.ts'
import { sp800108 } from './sp800-108.ts'
import { ssl3Macs } from './ssl3-macs.ts'
import { tlsKeyMaterial } from './tls-key-material.ts'
import { tlsMasterKeys } from './tls-master-keys.ts'
import { tlsPrfs } from './tls-prf.ts'

/** Rows by their number, in their order. A number that comes twice is a mistake of ours. */
function byType<Row extends { type: number; name: string }>(
  rows: readonly Row[],
): ReadonlyMap<number, Row> {
  const table = new Map<number, Row>()
  for (const row of rows) {
    if (table.has(row.type)) throw new TypeError(`${row.name} is in the table already`)
    table.set(row.type, row)
  }
  return table
}

/** Every key type by its CKK_ number. */
export const keyTypes: ReadonlyMap<number, KeyType> = byType([
  rsaKeyType,
  dsaKeyType,
  ...diffieHellmanKeyTypes,
  ecKeyType,
  edwardsKeyType,
  montgomeryKeyType,
  aesKeyType,
  aesXtsKeyType,
  ...desKeyTypes,
  camelliaKeyType,
  ariaKeyType,
  seedKeyType,
  chacha20KeyType,
  ...historicalKeyTypes,
  ...genericSecretKeyTypes,
  mlDsaKeyType,
  slhDsaKeyType,
  mlKemKeyType,
  hkdfKeyType,
  poly1305KeyType,
])

/** Passwords make keys of old types, too, of which the token may not have the ciphers. */
const makesKnownKeys = (row: Mechanism): boolean =>
  row.keyTypes.every((keyType) => keyTypes.has(keyType))

/** The families by the names that policies know them by; their rows in the order of C_GetMechanismList. */
export const families: Readonly<Record<string, readonly Mechanism[]>> = {
  rsa,
  dsa,
  ec,
  eddsa,
  montgomery,
  'diffie-hellman': diffieHellman,
  aes,
  'aes-xts': aesXts,
  des,
  camellia,
  aria,
  seed,
  chacha20,
  'historical-ciphers': historicalCiphers,
  digests,
  hmac,
  'generic-secret': genericSecret,
  'ml-dsa': mlDsa,
  'slh-dsa': slhDsa,
  'ml-kem': mlKem,
  'sha512-t': sha512T,
  'ssl3-macs': ssl3Macs,
  poly1305,
  'hash-derivations': hashDerivations,
  'simple-derivations': simpleDerivations,
  'sp800-108': sp800108,
  hkdf,
  pbkdf2,
  pbe: pbe.filter(makesKnownKeys),
  'tls-master-keys': tlsMasterKeys,
  'tls-key-material': tlsKeyMaterial,
  'tls-prf': tlsPrfs,
  ike,
  'public-keys': [publicKeyDerivation([...keyTypes.values()])],
}

/** Every mechanism by its CKM_ number, in the order of the families. What a token offers of them its policy says. */
export const mechanisms: ReadonlyMap<number, Mechanism> = byType(Object.values(families).flat())

/** What a mechanism is used for, by the maker of its row, with the flag that advertises it (3.5.1). */
const FLAG_OF = {
  encrypt: CKF.ENCRYPT,
  decrypt: CKF.DECRYPT,
  digest: CKF.DIGEST,
  sign: CKF.SIGN,
  verify: CKF.VERIFY,
  signRecover: CKF.SIGN_RECOVER,
  verifyRecover: CKF.VERIFY_RECOVER,
  generateKey: CKF.GENERATE,
  generateKeyPair: CKF.GENERATE_KEY_PAIR,
  wrap: CKF.WRAP,
  unwrap: CKF.UNWRAP,
  derive: CKF.DERIVE,
  encapsulate: CKF.ENCAPSULATE,
  decapsulate: CKF.DECAPSULATE,
} as const satisfies Partial<Record<keyof Mechanism, number>>

export type Use = keyof typeof FLAG_OF

/** Whose parameter a use takes, where it is not that of most functions. */
const PARAMETER_OF: { readonly [U in Use]?: ParameterUse } = { wrap: 'wrap', unwrap: 'wrap' }

/** Every use there is. */
export const uses = Object.keys(FLAG_OF) as readonly Use[]

/** A row that has the maker of a use. */
export type MechanismFor<U extends Use> = Mechanism & Required<Pick<Mechanism, U>>

const isFor = <U extends Use>(row: Mechanism, use: U): row is MechanismFor<U> =>
  row[use] !== undefined

/** Mechanisms by their CKM_ numbers: all, or those that a policy offers. */
export type Offered = ReadonlyMap<number, Mechanism>

/**
 * The row of a mechanism that an application named for a use. Throws CKR_ARGUMENTS_BAD where it
 * named none, CKR_MECHANISM_INVALID for one that is unknown or not for this use, and
 * CKR_MECHANISM_PARAM_INVALID for a parameter whose form is not that of the row.
 */
export function mechanismFor<U extends Use>(
  argument: MechanismArgument | null,
  use: U,
  among: Offered = mechanisms,
): MechanismFor<U> {
  if (argument === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'there is no mechanism')
  const row = rowOf(argument.type, among)
  if (!isFor(row, use))
    throw new CryptokiError(CKR.MECHANISM_INVALID, `CKM_${row.name} is not for ${use}`)
  checkForm(row, argument.parameter, PARAMETER_OF[use])
  return row
}

/** CK_MECHANISM_INFO, its flags those of the makers that the row has. */
export interface MechanismInfo {
  readonly minKeySize: number
  readonly maxKeySize: number
  readonly flags: number
}

/** What C_GetMechanismInfo tells. Throws CKR_MECHANISM_INVALID for an unknown mechanism. */
export function mechanismInfo(type: number, among: Offered = mechanisms): MechanismInfo {
  const row = rowOf(type, among)
  const [minKeySize, maxKeySize] = row.keySize
  const made = uses.filter((use) => isFor(row, use)).map((use) => FLAG_OF[use])
  const flags = made.reduce((all, flag) => all | flag, row.flags ?? 0) >>> 0
  return { minKeySize, maxKeySize, flags }
}

/** A mechanism whose parameter in the functions of a use is a structure with a layout (structures.ts). */
export type ParameterRow = readonly [type: number, structure: StructureName, use: ParameterUse]

/** All of them. */
export function parameterStructures(): ParameterRow[] {
  return [...mechanisms.values()].flatMap((row): ParameterRow[] => {
    const named: [Mechanism['parameter'], ParameterUse][] = [
      [row.parameter, 'mechanism'],
      [row.wrapParameter, 'wrap'],
      [row.messageParameter, 'message'],
    ]
    return named.flatMap(([name, use]): ParameterRow[] =>
      name === undefined || name === 'bytes' || structures[name].layout === null
        ? []
        : [[row.type, name, use]],
    )
  })
}

function rowOf(type: number, among: Offered): Mechanism {
  const row = among.get(type)
  if (row === undefined)
    throw new CryptokiError(CKR.MECHANISM_INVALID, `no mechanism 0x${type.toString(16)}`)
  return row
}
