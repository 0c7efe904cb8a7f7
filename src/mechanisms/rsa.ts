/** RSA: PKCS #1 v1.5, OAEP, PSS and raw (RFC 8017), X9.31, and key wrap with AES. PKCS #11 3.2, 6.1. */
import { type DigestName, digestLengths } from '../engine/digests.ts'
import type { RsaKey, RsaPadding } from '../engine/rsa.ts'
import { CKK, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Begin, CryptokiObject, Mechanism, MechanismArgument } from './mechanism.ts'
import { hashedMessage, type Message, shortMessage } from './messages.ts'
import { unwrapWithAes, wrapWithAes } from './rsa-aes-key-wrap.ts'
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
  oaep,
  pkcs1,
  pssPadding,
  raw,
  type Scheme,
  tpmOaep,
  tpmPkcs1,
  x931,
} from './rsa-schemes.ts'
import { type SignatureHash, signatureHashes } from './signature-hashes.ts'
import { unwrapThrough, wrapThrough } from './wrapping.ts'

export { rsaKeyType } from './rsa-keys.ts'

const publicKey = (key: CryptokiObject): RsaKey => rsaKeyOf(key, CKO.PUBLIC_KEY)
const privateKey = (key: CryptokiObject): RsaKey => rsaKeyOf(key, CKO.PRIVATE_KEY)

const padded = (key: RsaKey, mechanism: MechanismArgument, scheme: Scheme): Padded => ({
  key,
  ...scheme(key, mechanism),
})

/** What every RSA row says. */
interface Row extends Pick<Mechanism, 'section' | 'parameter' | 'padsWrappedKeys' | 'standing'> {
  readonly name: keyof typeof CKM
}

const rowOf = (row: Row): Mechanism & { name: keyof typeof CKM } => ({
  ...row,
  type: CKM[row.name],
  keyTypes: [CKK.RSA],
  keySize: MODULUS_BITS,
})

/** A mechanism that encrypts short messages and wraps keys. */
function encrypting(row: Row, scheme: Scheme): Mechanism {
  const encrypt = ({ key, mechanism }: Begin) =>
    encryption(padded(publicKey(key), mechanism, scheme))
  const decrypt = decryptingWith(scheme)
  return {
    ...rowOf(row),
    encrypt,
    decrypt,
    wrap: (begin, plain, surrender) => wrapThrough(() => encrypt(begin), plain, surrender),
    unwrap: (begin, wrapped, surrender) => unwrapThrough(() => decrypt(begin), wrapped, surrender),
  }
}

const decryptingWith =
  (scheme: Scheme) =>
  ({ key, mechanism }: Begin) =>
    decryption(padded(privateKey(key), mechanism, scheme))

/** Encapsulation of new keys under a padding; with raw RSA the secret fills the modulus. */
const encapsulating = (scheme: Scheme): Pick<Mechanism, 'encapsulate' | 'decapsulate'> =>
  scheme === raw
    ? secretValueEncapsulation(publicKey, decryptingWith(scheme))
    : keyTransport(
        ({ key, mechanism }) => padded(publicKey(key), mechanism, scheme),
        decryptingWith(scheme),
      )

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
  ...encapsulating(scheme),
  ...signing(scheme, ({ most }) => shortMessage(0, most)),
  signRecover: ({ key, mechanism }) =>
    recoverableSignature(padded(privateKey(key), mechanism, scheme)),
  verifyRecover: ({ key, mechanism }) => recovery(padded(publicKey(key), mechanism, scheme)),
})

const fixed = (padding: RsaPadding): Omit<Padded, 'key'> => ({ padding, most: 0 })

/** FIPS 186-5, 5, with SP 800-131A: every hash but SHA-1. */
const approvedWith = ({ name }: SignatureHash): Pick<Mechanism, 'standing'> =>
  name === 'SHA1' ? {} : { standing: 'approved' }

interface Pkcs1Hash extends Pick<Mechanism, 'standing'> {
  readonly name: SignatureHash['name'] | 'MD5' | 'RIPEMD160'
  readonly digest: DigestName
}

/** 6.1.14: "New implementations shall not use these mechanisms anymore". */
const oldHashes: readonly Pkcs1Hash[] = [
  { name: 'MD5', digest: 'md5', standing: 'legacy' },
  { name: 'RIPEMD160', digest: 'ripemd160', standing: 'legacy' },
]

/** CKM_..._RSA_PKCS: a signature over a digest made here. */
const hashedPkcs1 = ({ name, digest, standing }: Pkcs1Hash): Mechanism => ({
  ...rowOf({ name: `${name}_RSA_PKCS`, section: '6.1.14', ...(standing && { standing }) }),
  ...signing(
    () => fixed({ mode: 'pkcs1', digest }),
    () => hashedMessage(digest),
  ),
})

/** CKM_..._RSA_PKCS_PSS: hashAlg must be the mechanism's own. */
const hashedPss = (hash: SignatureHash): Mechanism => ({
  ...rowOf({
    name: `${hash.name}_RSA_PKCS_PSS`,
    section: '6.1.15',
    parameter: 'CK_RSA_PKCS_PSS_PARAMS',
    ...approvedWith(hash),
  }),
  ...signing(
    (key, mechanism) => {
      const padding = pssPadding(key, mechanism)
      if (padding.digest === hash.digest) return fixed(padding)
      throw new CryptokiError(
        CKR.MECHANISM_PARAM_INVALID,
        'hashAlg is not the hash of the mechanism',
      )
    },
    () => hashedMessage(hash.digest),
  ),
})

/** A message for CKM_RSA_PKCS_PSS is a digest. */
const digestMessage = ({ padding }: Padded): Message => {
  const length = padding.mode === 'pss' ? digestLengths[padding.digest] : 0
  return shortMessage(length, length)
}

/** The byte that every trailer of X9.31 ends in. */
const TRAILER_END = 0xcc

/** CKM_RSA_X9_31: "The trailer field must be applied by the application"; without, nobody could verify. */
function checkTrailer(payload: Uint8Array): Uint8Array {
  if (payload.at(-1) === TRAILER_END) return payload
  throw new CryptokiError(CKR.DATA_INVALID, 'the data does not end with a trailer of X9.31')
}

const withTrailer = (message: Message): Message => ({
  whole: (bytes) => checkTrailer(message.whole(bytes)),
  update: (part) => message.update(part),
  take: async (surrender) => checkTrailer(await message.take(surrender)),
  copy: () => withTrailer(message.copy()),
})

/** Bytes of a trailer: the hash's identifier and the end. */
const TRAILER = 2

const x931Rows: readonly Mechanism[] = [
  {
    ...rowOf({ name: 'RSA_X9_31', section: '6.1.13' }),
    ...signing(x931, ({ most }) => withTrailer(shortMessage(TRAILER, most))),
  },
  {
    ...rowOf({ name: 'SHA1_RSA_X9_31', section: '6.1.16' }),
    ...signing(
      (key, mechanism) => ({ ...x931(key, mechanism), padding: { mode: 'x931', digest: 'sha1' } }),
      () => hashedMessage('sha1'),
    ),
  },
]

export const rsa: readonly Mechanism[] = [
  {
    ...rowOf({ name: 'RSA_PKCS_KEY_PAIR_GEN', section: '6.1.4', standing: 'approved' }),
    generateKeyPair: generateRsaPair,
  },
  universal({ name: 'RSA_PKCS', section: '6.1.6' }, pkcs1),
  universal({ name: 'RSA_X_509', section: '6.1.12', padsWrappedKeys: 'before' }, raw),
  {
    ...encrypting(
      {
        name: 'RSA_PKCS_OAEP',
        section: '6.1.8',
        parameter: 'CK_RSA_PKCS_OAEP_PARAMS',
        standing: 'approved',
      },
      oaep,
    ),
    ...encapsulating(oaep),
  },
  {
    ...rowOf({
      name: 'RSA_PKCS_PSS',
      section: '6.1.10',
      parameter: 'CK_RSA_PKCS_PSS_PARAMS',
      standing: 'approved',
    }),
    ...signing((key, mechanism) => fixed(pssPadding(key, mechanism)), digestMessage),
  },
  ...signatureHashes.map((hash) => hashedPkcs1({ ...hash, ...approvedWith(hash) })),
  ...oldHashes.map(hashedPkcs1),
  ...signatureHashes.map(hashedPss),
  ...x931Rows,
  encrypting({ name: 'RSA_PKCS_TPM_1_1', section: '6.1.17' }, tpmPkcs1),
  encrypting({ name: 'RSA_PKCS_OAEP_TPM_1_1', section: '6.1.18' }, tpmOaep),
  {
    ...rowOf({
      name: 'RSA_AES_KEY_WRAP',
      section: '6.1.19',
      parameter: 'CK_RSA_AES_KEY_WRAP_PARAMS',
      standing: 'approved',
    }),
    wrap: wrapWithAes,
    unwrap: unwrapWithAes,
  },
]
