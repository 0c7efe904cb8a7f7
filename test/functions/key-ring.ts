/** Keys of every type, for tests that try all mechanisms. */
import { createDiffieHellmanGroup } from 'node:crypto'
import { inspect } from 'node:util'
import { CK_OTP_PARAM_OPTIONAL, CKA, CKK, CKM, CKO, CKP } from '../../src/standard/constants.ts'
import { bytes, type Opened, template } from '../in-process.ts'
import { domainTemplate } from '../mechanisms/field-keys.ts'
import { dsa1024 } from '../mechanisms/rfc6979-dsa.ts'

export const SECRET = {
  CLASS: CKO.SECRET_KEY,
  SENSITIVE: false,
  EXTRACTABLE: true,
  SIGN: true,
  VERIFY: true,
  ENCRYPT: true,
  DECRYPT: true,
  WRAP: true,
  UNWRAP: true,
  DERIVE: true,
} as const
const OPEN = { SENSITIVE: false, EXTRACTABLE: true } as const

/** How the pairs of a key type are made, and what they are for. */
interface PairRow {
  readonly type: number
  readonly parameters: object
  readonly publicUses: object
  readonly privateUses: object
}

const DERIVING = {
  publicUses: { WRAP: true, ENCAPSULATE: true },
  privateUses: { UNWRAP: true, DERIVE: true, DECAPSULATE: true },
}

const AGREEING = {
  publicUses: { ENCAPSULATE: true },
  privateUses: { DERIVE: true, DECAPSULATE: true },
}

const known = createDiffieHellmanGroup('modp5')
/** RFC 3526, 2. */
const modp1536 = {
  p: new Uint8Array(known.getPrime()),
  g: new Uint8Array(known.getGenerator()),
}

export const PAIRS: ReadonlyMap<number, PairRow> = new Map<number, PairRow>([
  [
    CKK.RSA,
    {
      type: CKM.RSA_PKCS_KEY_PAIR_GEN,
      parameters: { MODULUS_BITS: 2048 },
      publicUses: {
        VERIFY: true,
        VERIFY_RECOVER: true,
        ENCRYPT: true,
        WRAP: true,
        ENCAPSULATE: true,
      },
      privateUses: {
        SIGN: true,
        SIGN_RECOVER: true,
        DECRYPT: true,
        UNWRAP: true,
        DECAPSULATE: true,
      },
    },
  ],
  [
    CKK.EC,
    {
      type: CKM.EC_KEY_PAIR_GEN,
      parameters: { EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex') },
      publicUses: { VERIFY: true, ...DERIVING.publicUses },
      privateUses: { SIGN: true, ...DERIVING.privateUses },
    },
  ],
  [
    CKK.EC_EDWARDS,
    {
      type: CKM.EC_EDWARDS_KEY_PAIR_GEN,
      parameters: { EC_PARAMS: Buffer.from('06032b6570', 'hex') },
      publicUses: { VERIFY: true },
      privateUses: { SIGN: true },
    },
  ],
  [
    CKK.EC_MONTGOMERY,
    {
      type: CKM.EC_MONTGOMERY_KEY_PAIR_GEN,
      parameters: { EC_PARAMS: Buffer.from('06032b656e', 'hex') },
      ...DERIVING,
    },
  ],
  [
    CKK.DSA,
    {
      type: CKM.DSA_KEY_PAIR_GEN,
      parameters: domainTemplate(dsa1024),
      publicUses: { VERIFY: true },
      privateUses: { SIGN: true },
    },
  ],
  [CKK.DH, { type: CKM.DH_PKCS_KEY_PAIR_GEN, parameters: domainTemplate(modp1536), ...AGREEING }],
  [
    CKK.X9_42_DH,
    { type: CKM.X9_42_DH_KEY_PAIR_GEN, parameters: domainTemplate(dsa1024), ...AGREEING },
  ],
  [
    CKK.ML_DSA,
    {
      type: CKM.ML_DSA_KEY_PAIR_GEN,
      parameters: { PARAMETER_SET: CKP.ML_DSA_44 },
      publicUses: { VERIFY: true },
      privateUses: { SIGN: true },
    },
  ],
  [
    CKK.SLH_DSA,
    {
      type: CKM.SLH_DSA_KEY_PAIR_GEN,
      parameters: { PARAMETER_SET: CKP.SLH_DSA_SHA2_128F },
      publicUses: { VERIFY: true },
      privateUses: { SIGN: true },
    },
  ],
  [
    CKK.ML_KEM,
    {
      type: CKM.ML_KEM_KEY_PAIR_GEN,
      parameters: { PARAMETER_SET: CKP.ML_KEM_512 },
      publicUses: { ENCAPSULATE: true },
      privateUses: { DECAPSULATE: true },
    },
  ],
])

/** Bytes of secret keys that are not 32 bytes long. */
export const LENGTHS: Readonly<Record<number, number>> = {
  [CKK.DES]: 8,
  [CKK.DES2]: 16,
  [CKK.DES3]: 24,
  [CKK.SEED]: 16,
  [CKK.IDEA]: 16,
  [CKK.CAST128]: 16,
}

/** Mechanisms whose AES keys have 16 bytes only. */
export const SHORT_KEYS: ReadonlySet<number> = new Set([CKM.AES_XCBC_MAC, CKM.AES_XCBC_MAC_96])

/** Bytes that all differ and all have an odd number of ones, as those of DES keys have. */
const keyBytes = (length: number) => {
  const odd = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => {
    return byte.toString(2).replaceAll('0', '').length % 2 === 1
  })
  return Buffer.from(odd.slice(0, length))
}

/** Keys for an operation and its inverse. */
export interface Keys {
  readonly forward: number
  readonly back: number
}

/** What keys have that are no secret keys: HOTP ones take the counter that is given. */
const OTHER_CLASS: Readonly<Record<number, object>> = {
  [CKK.HOTP]: { CLASS: CKO.OTP_KEY, OTP_COUNTER_REQUIREMENT: CK_OTP_PARAM_OPTIONAL },
}

/** Makes keys of each type once for all mechanisms. */
export class KeyRing {
  readonly #token: Opened
  readonly #made = new Map<string, Promise<Keys>>()
  readonly #others = new Map<string, Promise<Keys>>()

  constructor(token: Opened) {
    this.#token = token
  }

  /** `forward` signs, decrypts and unwraps; `back` verifies, encrypts and wraps. */
  keys(keyType: number, length = LENGTHS[keyType] ?? 32): Promise<Keys> {
    const name = `${keyType} ${length}`
    const made = this.#made.get(name) ?? this.#make(keyType, length)
    this.#made.set(name, made)
    return made
  }

  async #make(keyType: number, length: number): Promise<Keys> {
    const pair = PAIRS.get(keyType)
    if (pair !== undefined) return this.#pair(pair)
    return this.secret(keyType, keyBytes(length))
  }

  /** A secret key with this value. */
  async secret(keyType: number, value: Uint8Array): Promise<Keys> {
    const { call, session } = this.#token
    const named = { ...SECRET, KEY_TYPE: keyType, ...OTHER_CLASS[keyType], VALUE: value }
    const key = await call('C_CreateObject', [session, template(named)])
    return { forward: key, back: key }
  }

  /** A pair with other parameters than the usual ones; made once, too. */
  pair(keyType: number, parameters: object): Promise<Keys> {
    const name = `${keyType} ${inspect(parameters)}`
    const made =
      this.#others.get(name) ?? this.#pair({ ...(PAIRS.get(keyType) as PairRow), parameters })
    this.#others.set(name, made)
    return made
  }

  async #pair({ type, parameters, publicUses, privateUses }: PairRow): Promise<Keys> {
    const { call, session } = this.#token
    const [back, forward] = await call('C_GenerateKeyPair', [
      session,
      { type, parameter: null },
      template({ ...parameters, ...publicUses }),
      template({ ...OPEN, ...privateUses }),
    ])
    return { forward, back }
  }
}

export async function attributeOf(
  { call, session }: Opened,
  handle: number,
  type: number = CKA.VALUE,
): Promise<Uint8Array> {
  const {
    answers: [answer],
  } = await call('C_GetAttributeValue', [session, handle, [{ type, room: 4096 }]])
  return bytes(answer?.value)
}
