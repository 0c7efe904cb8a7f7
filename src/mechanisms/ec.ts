/** Elliptic curves: ECDSA (FIPS 186-5) and ECDH (ANSI X9.63, SEC 1) on P-256, P-384 and P-521. PKCS #11 3.2, 6.3. */
import type { DigestName } from '../engine/digests.ts'
import { type EcKey, ecdh, ecdsaSign, ecdsaVerify, importEcPublic, x963 } from '../engine/ec.ts'
import { CKA, CKD, CKF, CKK, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { ecKeyOf, FIELD_BITS, generateEcPair, readPoint } from './ec-keys.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type {
  Attributes,
  CryptokiObject,
  Made,
  Make,
  Mechanism,
  MechanismArgument,
  Summary,
  Verification,
} from './mechanism.ts'
import { hashedMessage, type Message, shortMessage } from './messages.ts'
import { bytesIn, numberIn } from './parameter.ts'
import { type SignatureHash, signatureHashes } from './signature-hashes.ts'

export { ecKeyType } from './ec-keys.ts'

const FLAGS = CKF.EC_F_P | CKF.EC_OID | CKF.EC_CURVENAME | CKF.EC_UNCOMPRESS

/** What every EC row says. */
const rowOf = (
  row: Pick<Mechanism, 'section' | 'parameter'> & { readonly name: keyof typeof CKM },
): Mechanism => ({
  ...row,
  type: CKM[row.name],
  keyTypes: [CKK.EC],
  keySize: FIELD_BITS,
  flags: FLAGS,
})

const signature = (key: EcKey, message: Message): Summary => ({
  length: 2 * key.curve.bytes,
  update: (part) => message.update(part),
  final: async (surrender) => ecdsaSign(key, await message.take(surrender)),
  copy: () => signature(key, message.copy()),
})

/** 6.3.1: r and s of equal length, which may lack leading zeros. */
function checkLength({ curve }: EcKey, { length }: Uint8Array): void {
  const most = 2 * curve.bytes
  if (length === 0 || length % 2 !== 0 || length > most)
    throw new CryptokiError(
      CKR.SIGNATURE_LEN_RANGE,
      `a signature has an even number of bytes, at most ${most}`,
    )
}

const verification = (key: EcKey, message: Message): Verification => ({
  update: (part) => message.update(part),
  final: async (value, surrender) => {
    checkLength(key, value)
    if (!ecdsaVerify(key, await message.take(surrender), value))
      throw new CryptokiError(
        CKR.SIGNATURE_INVALID,
        'the signature is that of another message or key',
      )
  },
  copy: () => verification(key, message.copy()),
})

const signing = (makeMessage: () => Message): Pick<Mechanism, 'sign' | 'verify'> => ({
  sign: ({ key }) => signature(ecKeyOf(key, CKO.PRIVATE_KEY), makeMessage()),
  verify: ({ key }) => verification(ecKeyOf(key, CKO.PUBLIC_KEY), makeMessage()),
})

/** Bytes of a digest at most: 1,024 bits (6.3.12). No bytes would make a signature that anybody can forge. */
const DIGEST_BYTES = [1, 128] as const

/** CKM_ECDSA_...: over a digest made here. */
const hashedEcdsa = ({ name, digest }: SignatureHash): Mechanism => ({
  ...rowOf({ name: `ECDSA_${name}`, section: '6.3.13' }),
  ...signing(() => hashedMessage(digest)),
})

/** The hash of a key derivation function of ANSI X9.63; undefined for CKD_NULL. */
function hashOf(kdf: number): DigestName | undefined {
  if (kdf === CKD.NULL) return undefined
  const hash = signatureHashes.find(({ name }) => CKD[`${name}_KDF`] === kdf)
  if (hash === undefined)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'unknown key derivation function')
  return hash.digest
}

/** The other side's public key; CKR_PUBLIC_KEY_INVALID comes before CKR_MECHANISM_PARAM_INVALID (5.1.6). */
function peerOf({ curve }: EcKey, mechanism: MechanismArgument): EcKey {
  const point = readPoint(curve, bytesIn(mechanism, 'publicData'))
  const peer = point && importEcPublic(curve, point)
  if (peer === undefined)
    throw new CryptokiError(
      CKR.PUBLIC_KEY_INVALID,
      'the public data is no uncompressed point of the curve',
    )
  return peer
}

/** Bytes that a key type takes where the template does not say; other types take the whole secret. */
const LONGEST_OF_TYPE: ReadonlyMap<unknown, number> = new Map([[CKK.AES, 32]])

/** How long the derived key is; `whole` is what there is without a key derivation function. */
function lengthOf(template: Attributes, whole: number | undefined): number {
  const asked = template.get(CKA.VALUE_LEN)
  const longest = LONGEST_OF_TYPE.get(template.get(CKA.KEY_TYPE))
  const length =
    typeof asked === 'number' ? asked : Math.min(longest ?? Infinity, whole ?? Infinity)
  if (length === Infinity)
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_VALUE_LEN must say how long the key is')
  if (length < 1 || length > (whole ?? LONGEST_SECRET))
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, `no key of ${length} bytes is derived here`)
  return length
}

/** CKM_ECDH1_DERIVE, CK_ECDH1_DERIVE_PARAMS. 6.3.17: what is too long loses its leading bytes. */
function deriveEcdh(base: CryptokiObject, { mechanism, template }: Make): Made {
  const key = ecKeyOf(base, CKO.PRIVATE_KEY)
  const hash = hashOf(numberIn(mechanism, 'kdf'))
  const info = bytesIn(mechanism, 'sharedData')
  if (hash === undefined && info.length > 0)
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'CKD_NULL takes no shared data')
  const length = lengthOf(template, hash === undefined ? key.curve.bytes : undefined)
  const secret = ecdh(key, peerOf(key, mechanism))
  try {
    const value = hash ? x963(hash, secret, info, length) : secret.slice(secret.length - length)
    return new Map([[CKA.VALUE, value]])
  } finally {
    secret.fill(0)
  }
}

export const ec: readonly Mechanism[] = [
  { ...rowOf({ name: 'EC_KEY_PAIR_GEN', section: '6.3.9' }), generateKeyPair: generateEcPair },
  {
    ...rowOf({ name: 'ECDSA', section: '6.3.12' }),
    ...signing(() => shortMessage(...DIGEST_BYTES)),
  },
  ...signatureHashes.map(hashedEcdsa),
  {
    ...rowOf({
      name: 'ECDH1_DERIVE',
      section: '6.3.17',
      parameter: 'CK_ECDH1_DERIVE_PARAMS',
    }),
    derive: deriveEcdh,
  },
]
