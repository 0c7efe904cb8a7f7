/** RSA: PKCS #1 v1.5, OAEP, PSS and raw (RFC 8017). PKCS #11 3.2, 6.1. */
import { digestLengths } from '../engine/digests.ts'
import type { RsaKey, RsaPadding, RsaPss } from '../engine/rsa.ts'
import { CKK, CKM, CKO, CKR, CKZ } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Begin, CryptokiObject, Mechanism, MechanismArgument } from './mechanism.ts'
import { hashedMessage, type Message, shortMessage } from './messages.ts'
import { bytesIn, numberIn } from './parameter.ts'
import { keyTransport, secretValueEncapsulation } from './rsa-encapsulation.ts'
import { generateRsaPair, MODULUS_BITS, rsaKeyOf } from './rsa-keys.ts'
import {
  decryption,
  encryption,
  type Padded,
  recoverableSignature,
  recovery,
  signature,
  verification,
} from './rsa-operations.ts'
import {
  digestOfMgf,
  digestOfType,
  type SignatureHash,
  signatureHashes,
} from './signature-hashes.ts'
import { unwrapThrough, wrapThrough } from './wrapping.ts'

export { rsaKeyType } from './rsa-keys.ts'

/** A padding for a key, as a mechanism's parameter has it, and how many bytes it leaves for a message. */
type Scheme = (key: RsaKey, mechanism: MechanismArgument) => Omit<Padded, 'key'>

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** EMSA-PKCS1-v1_5 and EME-PKCS1-v1_5 take 11 bytes at least. RFC 8017, 7.2.1 and 9.2. */
const pkcs1: Scheme = ({ bytes }) => ({ padding: { mode: 'pkcs1' }, most: bytes - 11 })

const raw: Scheme = ({ bytes }) => ({ padding: { mode: 'none' }, most: bytes })

/** Bytes of an OAEP label at most; what is known to use labels has some dozens. */
const LONGEST_LABEL = 65536

/** CK_RSA_PKCS_OAEP_PARAMS, 6.1.7. A source of 0 without data is taken for the default label, as other tokens take it. */
const oaep: Scheme = ({ bytes }, mechanism) => {
  const digest = digestOfType(numberIn(mechanism, 'hashAlg'))
  const mgf1 = digestOfMgf(numberIn(mechanism, 'mgf'))
  const source = numberIn(mechanism, 'source')
  const label = bytesIn(mechanism, 'sourceData')
  if (source !== CKZ.DATA_SPECIFIED && !(source === 0 && label.length === 0))
    throw invalid('the source of the label must be CKZ_DATA_SPECIFIED')
  if (label.length > LONGEST_LABEL) throw invalid(`a label has at most ${LONGEST_LABEL} bytes`)
  const most = bytes - 2 - 2 * digestLengths[digest]
  if (most < 0) throw new CryptokiError(CKR.KEY_SIZE_RANGE, 'the key is too short for this hash')
  return { padding: { mode: 'oaep', digest, mgf1, label }, most }
}

/** CK_RSA_PKCS_PSS_PARAMS, 6.1.9. The salt fits into the bits of the modulus less one (RFC 8017, 9.1.1). */
function pssPadding({ bits }: RsaKey, mechanism: MechanismArgument): RsaPss {
  const digest = digestOfType(numberIn(mechanism, 'hashAlg'))
  const mgf1 = digestOfMgf(numberIn(mechanism, 'mgf'))
  const saltLength = numberIn(mechanism, 'sLen')
  const most = Math.ceil((bits - 1) / 8) - 2 - digestLengths[digest]
  if (saltLength > most) throw invalid(`the salt has at most ${most} bytes with this key`)
  return { mode: 'pss', digest, mgf1, saltLength }
}

const publicKey = (key: CryptokiObject): RsaKey => rsaKeyOf(key, CKO.PUBLIC_KEY)
const privateKey = (key: CryptokiObject): RsaKey => rsaKeyOf(key, CKO.PRIVATE_KEY)

const padded = (key: RsaKey, mechanism: MechanismArgument, scheme: Scheme): Padded => ({
  key,
  ...scheme(key, mechanism),
})

/** What every RSA row says. */
interface Row extends Pick<Mechanism, 'section' | 'parameter' | 'padsWrappedKeys'> {
  readonly name: keyof typeof CKM
}

const rowOf = (row: Row): Mechanism & { name: keyof typeof CKM } => ({
  ...row,
  type: CKM[row.name],
  keyTypes: [CKK.RSA],
  keySize: MODULUS_BITS,
})

/** A mechanism that encrypts short messages, wraps keys and encapsulates new ones. */
function encrypting(row: Row, scheme: Scheme): Mechanism {
  const paddedFor = ({ key, mechanism }: Begin) => padded(publicKey(key), mechanism, scheme)
  const encrypt = (begin: Begin) => encryption(paddedFor(begin))
  const decrypt = ({ key, mechanism }: Begin) =>
    decryption(padded(privateKey(key), mechanism, scheme))
  return {
    ...rowOf(row),
    encrypt,
    decrypt,
    wrap: (begin, plain, surrender) => wrapThrough(() => encrypt(begin), plain, surrender),
    unwrap: (begin, wrapped, surrender) => unwrapThrough(() => decrypt(begin), wrapped, surrender),
    // Raw RSA has no padding around a secret that is made here: its secret fills the modulus.
    ...(scheme === raw
      ? secretValueEncapsulation(publicKey, decrypt)
      : keyTransport(paddedFor, decrypt)),
  }
}

type Signing = Pick<Mechanism, 'sign' | 'verify'>

/** Signatures; `messageFor` says what they are made over. */
const signing = (
  scheme: Scheme,
  messageFor: (padded: Padded) => Message,
): Signing & Required<Signing> => ({
  sign: ({ key, mechanism }) => {
    const made = padded(privateKey(key), mechanism, scheme)
    return signature(made, messageFor(made))
  },
  verify: ({ key, mechanism }) => {
    const made = padded(publicKey(key), mechanism, scheme)
    return verification(made, messageFor(made))
  },
})

/** A mechanism that does everything with short messages: CKM_RSA_PKCS and CKM_RSA_X_509. */
const universal = (row: Row, scheme: Scheme): Mechanism => ({
  ...encrypting(row, scheme),
  ...signing(scheme, ({ most }) => shortMessage(0, most)),
  signRecover: ({ key, mechanism }) =>
    recoverableSignature(padded(privateKey(key), mechanism, scheme)),
  verifyRecover: ({ key, mechanism }) => recovery(padded(publicKey(key), mechanism, scheme)),
})

const fixed = (padding: RsaPadding): Omit<Padded, 'key'> => ({ padding, most: 0 })

/** CKM_..._RSA_PKCS: a signature over a digest made here. */
const hashedPkcs1 = ({ name, digest }: SignatureHash): Mechanism => ({
  ...rowOf({ name: `${name}_RSA_PKCS`, section: '6.1.14' }),
  ...signing(
    () => fixed({ mode: 'pkcs1', digest }),
    () => hashedMessage(digest),
  ),
})

/** CKM_..._RSA_PKCS_PSS: hashAlg must be the mechanism's own. */
const hashedPss = ({ name, digest }: SignatureHash): Mechanism => ({
  ...rowOf({
    name: `${name}_RSA_PKCS_PSS`,
    section: '6.1.15',
    parameter: 'CK_RSA_PKCS_PSS_PARAMS',
  }),
  ...signing(
    (key, mechanism) => {
      const padding = pssPadding(key, mechanism)
      if (padding.digest !== digest) throw invalid('hashAlg is not the hash of the mechanism')
      return fixed(padding)
    },
    () => hashedMessage(digest),
  ),
})

/** A message for CKM_RSA_PKCS_PSS is a digest. */
const digestMessage = ({ padding }: Padded): Message => {
  const length = padding.mode === 'pss' ? digestLengths[padding.digest] : 0
  return shortMessage(length, length)
}

export const rsa: readonly Mechanism[] = [
  {
    ...rowOf({ name: 'RSA_PKCS_KEY_PAIR_GEN', section: '6.1.4' }),
    generateKeyPair: generateRsaPair,
  },
  universal({ name: 'RSA_PKCS', section: '6.1.6' }, pkcs1),
  universal({ name: 'RSA_X_509', section: '6.1.12', padsWrappedKeys: 'before' }, raw),
  encrypting(
    { name: 'RSA_PKCS_OAEP', section: '6.1.8', parameter: 'CK_RSA_PKCS_OAEP_PARAMS' },
    oaep,
  ),
  {
    ...rowOf({
      name: 'RSA_PKCS_PSS',
      section: '6.1.10',
      parameter: 'CK_RSA_PKCS_PSS_PARAMS',
    }),
    ...signing((key, mechanism) => fixed(pssPadding(key, mechanism)), digestMessage),
  },
  ...signatureHashes.map(hashedPkcs1),
  ...signatureHashes.map(hashedPss),
]
