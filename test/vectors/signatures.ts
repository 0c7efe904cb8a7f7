/** Vectors of signatures with RSA, DSA and on elliptic curves: C_Verify, whole and in parts. */
import { octetString } from '../../src/engine/der.ts'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKG, CKK, CKM } from '../../src/standard/constants.ts'
import { hex } from '../mechanisms/rows.ts'
import { mechanism, type Named, publicKey, refused, type VectorToken } from './vector-token.ts'
import { type VectorCase, type VectorFile, type VectorRow, vectorFile } from './wycheproof.ts'

export interface SignatureCase extends VectorCase {
  readonly msg: string
  readonly sig: string
}

interface SignatureFile<Group>
  extends Pick<VectorRow<Group, SignatureCase>, 'file' | 'decided' | 'inapplicable'> {
  readonly mechanism: keyof typeof CKM
  readonly parameter?: (group: Group) => MechanismArgument['parameter']
  readonly key: (group: Group) => Named
  /** How cases with these flags are decided that may be either way; all are refused. */
  readonly refusedWhere?: Readonly<Record<string, string>>
  /** Why the expectation of cases with these flags cannot apply: their signatures are right. */
  readonly rightWhere?: Readonly<Record<string, string>>
}

const verification = async (
  token: VectorToken,
  how: MechanismArgument,
  key: number,
  { msg, sig }: SignatureCase,
): Promise<void> => {
  await token.verify(how, key, hex(msg), hex(sig))
  await token.verifyInParts(how, key, hex(msg), hex(sig))
}

const refusal = async (
  token: VectorToken,
  how: MechanismArgument,
  key: number,
  { msg, sig }: SignatureCase,
): Promise<void> => {
  const names = ['SIGNATURE_INVALID', 'SIGNATURE_LEN_RANGE'] as const
  await refused(token.verify(how, key, hex(msg), hex(sig)), ...names)
  await refused(token.verifyInParts(how, key, hex(msg), hex(sig)), ...names)
}

const reasonFor = ({ flags = [] }: VectorCase, reasons: Readonly<Record<string, string>> = {}) =>
  flags.map((flag) => reasons[flag]).find((reason) => reason !== undefined)

const signatureFile = <Group>(row: SignatureFile<Group>): VectorFile =>
  vectorFile<Group, SignatureCase>({
    file: row.file,
    mechanisms: [row.mechanism],
    decided: Object.values(row.refusedWhere ?? {}),
    inapplicable: Object.values(row.rightWhere ?? {}),
    check: async (token, one, group) => {
      const key = await token.key(row.key(group))
      const how = mechanism(row.mechanism, row.parameter?.(group) ?? null)
      const inapplicable = reasonFor(one, row.rightWhere)
      const decided = reasonFor(one, row.refusedWhere)
      if (one.result === 'valid' || inapplicable !== undefined)
        await verification(token, how, key, one)
      else await refusal(token, how, key, one)
      if (inapplicable !== undefined) return { inapplicable }
      return decided === undefined ? undefined : { decided }
    },
  })

interface EcdsaGroup {
  /** The point, uncompressed. */
  readonly publicKey: { readonly uncompressed: string }
}

/** CKA_EC_PARAMS: the object identifiers of RFC 5480, RFC 5639 and RFC 8410. */
const CURVES = {
  secp256r1: '06082a8648ce3d030107',
  secp384r1: '06052b81040022',
  brainpoolP256r1: '06092b2403030208010107',
  ed25519: '06032b6570',
} as const

const ecdsaFile = (
  curve: 'secp256r1' | 'secp384r1' | 'brainpoolP256r1',
  hash: 'SHA256' | 'SHA384',
): VectorFile =>
  signatureFile<EcdsaGroup>({
    file: `ecdsa_${curve}_${hash.toLowerCase()}_p1363`,
    mechanism: `ECDSA_${hash}`,
    key: ({ publicKey: { uncompressed } }) =>
      publicKey(CKK.EC, {
        EC_PARAMS: hex(CURVES[curve]),
        EC_POINT: octetString(hex(uncompressed)),
      }),
    rightWhere: {
      SignatureSize:
        'a signature without leading zeros, which PKCS #11 allows: verified (3.2, 6.3.1)',
    },
  })

interface EddsaGroup {
  readonly publicKey: { readonly pk: string }
}

const ed25519: VectorFile = signatureFile<EddsaGroup>({
  file: 'ed25519',
  mechanism: 'EDDSA',
  key: ({ publicKey: { pk } }) =>
    publicKey(CKK.EC_EDWARDS, {
      EC_PARAMS: hex(CURVES.ed25519),
      EC_POINT: octetString(hex(pk)),
    }),
})

interface DsaGroup {
  readonly publicKey: Readonly<Record<'p' | 'q' | 'g' | 'y', string>>
}

const dsa: VectorFile = signatureFile<DsaGroup>({
  file: 'dsa_2048_256_sha256_p1363',
  mechanism: 'DSA_SHA256',
  key: ({ publicKey: { p, q, g, y } }) =>
    publicKey(CKK.DSA, { PRIME: hex(p), SUBPRIME: hex(q), BASE: hex(g), VALUE: hex(y) }),
})

interface RsaGroup {
  readonly publicKey: { readonly modulus: string; readonly publicExponent: string }
}

const rsaKey = ({ publicKey: { modulus, publicExponent } }: RsaGroup): Named =>
  publicKey(CKK.RSA, { MODULUS: hex(modulus), PUBLIC_EXPONENT: hex(publicExponent) })

/** RSASSA-PKCS1-v1_5. */
const pkcs1File = (bits: number, hash: 'SHA256' | 'SHA384' | 'SHA512'): VectorFile =>
  signatureFile<RsaGroup>({
    file: `rsa_signature_${bits}_${hash.toLowerCase()}`,
    mechanism: `${hash}_RSA_PKCS`,
    key: rsaKey,
    refusedWhere: {
      MissingNull: 'an AlgorithmIdentifier without its NULL is refused (RFC 8017, 9.2)',
    },
  })

interface PssGroup extends RsaGroup {
  /** Bytes of salt. */
  readonly sLen: number
}

const pssFile = (
  file: string,
  hash: 'SHA256' | 'SHA512',
  mgfHash: 'SHA1' | 'SHA256' | 'SHA512' = hash,
): VectorFile =>
  signatureFile<PssGroup>({
    file: `rsa_pss_${file}`,
    mechanism: `${hash}_RSA_PKCS_PSS`,
    parameter: ({ sLen }) => ({ hashAlg: CKM[hash], mgf: CKG[`MGF1_${mgfHash}`], sLen }),
    key: rsaKey,
  })

export const signatures: readonly VectorFile[] = [
  ecdsaFile('secp256r1', 'SHA256'),
  ecdsaFile('secp384r1', 'SHA384'),
  ecdsaFile('brainpoolP256r1', 'SHA256'),
  ed25519,
  dsa,
  pkcs1File(2048, 'SHA256'),
  pkcs1File(2048, 'SHA512'),
  pkcs1File(3072, 'SHA384'),
  pssFile('2048_sha256_mgf1_0', 'SHA256'),
  pssFile('2048_sha256_mgf1_32', 'SHA256'),
  pssFile('2048_sha256_mgf1sha1_20', 'SHA256', 'SHA1'),
  pssFile('4096_sha512_mgf1_64', 'SHA512'),
]
