/**
 * The smallest and largest keys that each mechanism advertises, for trials with them. Sizes of secret
 * keys follow from the table; those of pairs, and why some are not tried here, are told below.
 */
import assert from 'node:assert/strict'
import { createDiffieHellmanGroup } from 'node:crypto'
import type { MechanismFor, Use } from '../../src/mechanisms/table.ts'
import { CKK, CKP, CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { type Opened, template } from '../in-process.ts'

/** Rows whose sizes are bits (6.8.3; hist: RC2, RC4); those of all other secret keys are bytes. */
const IN_BITS = /^(GENERIC_SECRET_KEY_GEN|SSL3_.*_MAC|RC2_.*|RC4.*)$/

/** Bytes of the smallest and largest secret key; none where the row tells no range. */
export function secretLengths({ name, keySize }: MechanismFor<Use>): readonly number[] {
  const [least, most] = keySize
  if (least === most) return []
  return IN_BITS.test(name) ? [Math.ceil(least / 8), most / 8] : [least, most]
}

/** The value of a key of so many bytes; its halves differ, as those of XTS keys must. */
export const secretOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at % 251) + 1)

/** Parameters of the smallest and largest pair, or why there is no trial with one. */
export interface PairSizes {
  readonly tried: readonly object[]
  readonly elsewhere?: string
}

/** RFC 2409, 6.2 (1,024 bits), and RFC 3526, 7 (8,192 bits). */
function group(name: string) {
  const known = createDiffieHellmanGroup(name)
  return { PRIME: known.getPrime(), BASE: known.getGenerator() }
}

const oid = (hex: string) => ({ EC_PARAMS: Buffer.from(hex, 'hex') })

/** By CKK_ number. */
export const pairSizes: ReadonlyMap<number, PairSizes> = new Map<number, PairSizes>([
  [
    CKK.RSA,
    {
      tried: [{ MODULUS_BITS: 1024 }],
      elsewhere:
        '16,384 bits take minutes to generate: test/mechanisms/rsa-largest.test.ts has a known key',
    },
  ],
  [CKK.EC, { tried: [], elsewhere: 'test/mechanisms/curves.test.ts has every curve' }],
  [CKK.DH, { tried: [group('modp2'), group('modp18')] }],
  [
    CKK.X9_42_DH,
    {
      tried: [],
      elsewhere: 'the usual ones are the smallest; no larger group whose order is told is at hand',
    },
  ],
  [
    CKK.DSA,
    {
      tried: [],
      elsewhere: 'the usual ones are the smallest; 3,072 bits take seconds to generate',
    },
  ],
  [CKK.EC_EDWARDS, { tried: [oid('06032b6571')] }],
  [CKK.EC_MONTGOMERY, { tried: [oid('06032b656f')] }],
  [CKK.ML_DSA, { tried: [{ PARAMETER_SET: CKP.ML_DSA_87 }] }],
  [CKK.ML_KEM, { tried: [{ PARAMETER_SET: CKP.ML_KEM_1024 }] }],
  [
    CKK.SLH_DSA,
    { tried: [], elsewhere: 'slow; test/mechanisms/slh-dsa.test.ts has every parameter set' },
  ],
])

const REFUSALS: ReadonlySet<number> = new Set([
  CKR.KEY_SIZE_RANGE,
  CKR.ATTRIBUTE_VALUE_INVALID,
  CKR.TEMPLATE_INCONSISTENT,
])

/** The generation of a secret key makes those of the sizes it advertises, and none beyond. */
export async function generateAtBounds(
  { call, session }: Opened,
  row: MechanismFor<Use>,
): Promise<void> {
  const [least = 0, most = 0] = secretLengths(row)
  const named = row.makes === undefined ? {} : { CLASS: row.makes }
  const generate = (length: number) =>
    call('C_GenerateKey', [
      session,
      { type: row.type, parameter: null },
      template({ ...named, VALUE_LEN: length }),
    ])
  for (const length of [least, most]) assert.ok((await generate(length)) > 0)
  for (const length of [least - 1, most + 1])
    await assert.rejects(
      generate(length),
      (error) => error instanceof CryptokiError && REFUSALS.has(error.rv),
    )
}
