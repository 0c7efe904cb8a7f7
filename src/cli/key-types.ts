/** The types of keys that `softoki generate --type` makes, one row each. */
import { curveIdentifier, curves, isCalled } from '../engine/curves.ts'
import { domainOfGroup, knownGroups } from '../engine/diffie-hellman.ts'
import { edwardsCurves, montgomeryCurves, type OctetCurve } from '../engine/octet-curves.ts'
import { mlDsaSets, mlKemSets, type ParameterSet, slhDsaSets } from '../engine/parameter-sets.ts'
import { numberOfSet } from '../mechanisms/parameter-set-keys.ts'
import type { Attribute } from '../standard/calls.ts'
import { CKA, CKM } from '../standard/constants.ts'
import { bytes, ulong } from './attributes.ts'
import { wrongUsage } from './failure.ts'
import type { Use } from './key-uses.ts'

interface KeyTypeRow {
  /** The mechanism that generates it. */
  readonly mechanism: number
  /** Whether it makes a public and a private key. */
  readonly pair: boolean
  /** The sizes there are, for people; absent where there is but one, which is not written. */
  readonly sizes?: string
  /** What it is, where no sizes tell. */
  readonly about?: string
  /** The attributes that tell the size, for the public or the secret key; undefined for a bad size. */
  sized(size: string): Attribute[] | undefined
  /** What it is for where --usage does not tell. */
  readonly uses: readonly Use[]
}

/** A decimal number of bits, at most 99,999, that makes whole bytes. */
const bitsOf = (size: string): number | undefined =>
  /^[1-9]\d{0,4}$/.test(size) && Number(size) % 8 === 0 ? Number(size) : undefined

const ofLength = (bits: number | undefined): Attribute[] | undefined =>
  bits === undefined ? undefined : [ulong(CKA.VALUE_LEN, bits / 8)]

/** F4 = 65537, the exponent everybody uses. */
const PUBLIC_EXPONENT = Uint8Array.of(1, 0, 1)

const rsa: KeyTypeRow = {
  mechanism: CKM.RSA_PKCS_KEY_PAIR_GEN,
  pair: true,
  sizes: 'bits of the modulus, such as rsa:3072',
  sized(size) {
    const bits = bitsOf(size)
    if (bits === undefined) return undefined
    return [ulong(CKA.MODULUS_BITS, bits), bytes(CKA.PUBLIC_EXPONENT, PUBLIC_EXPONENT)]
  },
  uses: ['sign', 'decrypt'],
}

const ec: KeyTypeRow = {
  mechanism: CKM.EC_KEY_PAIR_GEN,
  pair: true,
  sizes: 'a curve, such as P-256, P-384, P-521, secp256k1, brainpoolP256r1, K-283',
  sized(size) {
    const curve = curves.find((curve) => isCalled(curve, size))
    return curve === undefined ? undefined : [bytes(CKA.EC_PARAMS, curveIdentifier(curve))]
  },
  uses: ['sign'],
}

/** The well-known groups: p and g go with the public key. */
const dh: KeyTypeRow = {
  mechanism: CKM.DH_PKCS_KEY_PAIR_GEN,
  pair: true,
  sizes: 'a group: ffdhe or modp with 2048, 3072, 4096, 6144 or 8192, such as dh:ffdhe3072',
  sized(size) {
    const domain = knownGroups.includes(size) ? domainOfGroup(size) : undefined
    return domain && [bytes(CKA.PRIME, domain.p), bytes(CKA.BASE, domain.g)]
  },
  uses: ['derive'],
}

/** Ed25519, Ed448, X25519 and X448: the name tells everything. */
const octets = (
  curves: readonly OctetCurve[],
  row: Pick<KeyTypeRow, 'mechanism' | 'about' | 'uses'>,
): [string, KeyTypeRow][] =>
  curves.map((curve) => [
    curve.name.toLowerCase(),
    {
      ...row,
      pair: true,
      sized: (size) => (size === '' ? [bytes(CKA.EC_PARAMS, curveIdentifier(curve))] : undefined),
    },
  ])

/** Keys of ciphers that have some lengths. */
const cipher = (mechanism: number, ...sizes: readonly string[]): KeyTypeRow => ({
  mechanism,
  pair: false,
  sizes: `bits: ${sizes.join(', ')}`,
  sized: (size) => ofLength(sizes.includes(size) ? Number(size) : undefined),
  uses: ['decrypt', 'unwrap'],
})

/** Keys of ciphers that have one length: the name tells everything. */
const fixedCipher = (mechanism: number, about: string): KeyTypeRow => ({
  mechanism,
  pair: false,
  about,
  sized: (size) => (size === '' ? [] : undefined),
  uses: ['decrypt', 'unwrap'],
})

const ciphers = {
  aes: cipher(CKM.AES_KEY_GEN, '128', '192', '256'),
  'aes-xts': cipher(CKM.AES_XTS_KEY_GEN, '256', '512'),
  camellia: cipher(CKM.CAMELLIA_KEY_GEN, '128', '192', '256'),
  aria: cipher(CKM.ARIA_KEY_GEN, '128', '192', '256'),
  seed: fixedCipher(CKM.SEED_KEY_GEN, 'a key for SEED'),
  des3: fixedCipher(CKM.DES3_KEY_GEN, 'a key for triple DES'),
  chacha20: fixedCipher(CKM.CHACHA20_KEY_GEN, 'a key for ChaCha20 and ChaCha20-Poly1305'),
}

const generic: KeyTypeRow = {
  mechanism: CKM.GENERIC_SECRET_KEY_GEN,
  pair: false,
  sizes: 'bits of a secret for HMAC or derivation, such as generic:256',
  sized: (size) => ofLength(bitsOf(size)),
  uses: ['sign', 'derive'],
}

/** Types whose parameter sets are called after them: ML-DSA-65 is written ml-dsa:65. */
const ofSets = (
  prefix: string,
  sets: readonly ParameterSet[],
  row: Pick<KeyTypeRow, 'mechanism' | 'sizes' | 'uses'>,
): KeyTypeRow => ({
  ...row,
  pair: true,
  sized(size) {
    const set = sets.find(({ name }) => name.toLowerCase() === `${prefix}-${size}`)
    return set === undefined ? undefined : [ulong(CKA.PARAMETER_SET, numberOfSet(set))]
  },
})

const postQuantum = {
  'ml-dsa': ofSets('ml-dsa', mlDsaSets, {
    mechanism: CKM.ML_DSA_KEY_PAIR_GEN,
    sizes: '44, 65, 87',
    uses: ['sign'],
  }),
  'slh-dsa': ofSets('slh-dsa', slhDsaSets, {
    mechanism: CKM.SLH_DSA_KEY_PAIR_GEN,
    sizes: 'sha2- or shake- with 128, 192 or 256 and s or f, such as slh-dsa:sha2-128s',
    uses: ['sign'],
  }),
  'ml-kem': ofSets('ml-kem', mlKemSets, {
    mechanism: CKM.ML_KEM_KEY_PAIR_GEN,
    sizes: '512, 768, 1024',
    uses: ['decapsulate'],
  }),
}

const KEY_TYPES: ReadonlyMap<string, KeyTypeRow> = new Map([
  ...Object.entries({ rsa, ec, dh }),
  ...octets(edwardsCurves, {
    mechanism: CKM.EC_EDWARDS_KEY_PAIR_GEN,
    about: 'a key pair for EdDSA',
    uses: ['sign'],
  }),
  ...octets(montgomeryCurves, {
    mechanism: CKM.EC_MONTGOMERY_KEY_PAIR_GEN,
    about: 'a key pair to agree on secrets with',
    uses: ['derive'],
  }),
  ...Object.entries({ ...postQuantum, ...ciphers, generic }),
])

/** What `--type` asks for. */
export interface WantedKey {
  /** As it was typed: `rsa:4096`. */
  readonly written: string
  readonly row: KeyTypeRow
  readonly sized: readonly Attribute[]
}

/** Reads NAME:SIZE, or NAME alone where there is but one size. */
export function wantedKey(written: string): WantedKey {
  const [name = '', size = ''] = written.split(/:(.*)/s)
  const row = KEY_TYPES.get(name)
  if (row === undefined)
    throw wrongUsage(`no key type "${name}": --type takes ${[...KEY_TYPES.keys()].join(', ')}`)
  const sized = row.sized(size)
  if (sized !== undefined) return { written, row, sized }
  if (row.sizes === undefined) throw wrongUsage(`${name} has no sizes: write --type ${name}`)
  throw wrongUsage(`no size "${size}" for ${name}: --type ${name}:SIZE takes ${row.sizes}`)
}

/** One line a key type, for the help. */
export const keyTypeHelp = (): string =>
  [...KEY_TYPES]
    .map(([name, { sizes, about }]) =>
      sizes === undefined
        ? `  ${name.padEnd(14)}${about}`
        : `  ${`${name}:SIZE`.padEnd(14)}${sizes}`,
    )
    .join('\n')
