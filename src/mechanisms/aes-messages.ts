/** AES-GCM and AES-CCM as the message-based functions and authenticated wrapping have them. PKCS #11 3.2, 6.13. */
import { type Ccm, CcmMessage, ccmLongest } from '../engine/ccm.ts'
import { GCM_PLAINTEXT, gcmDecryption, gcmEncryption } from '../engine/gcm.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { MechanismArgument } from './mechanism.ts'
import type { AeadCipher, AeadMessage } from './message-ciphers.ts'
import { bytesIn, numberIn } from './parameter.ts'

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** The tag lengths of SP 800-38D, 5.2.1.2, in bits. The section allows 0 to 128 and leaves it to the token. */
const TAG_BITS: ReadonlySet<number> = new Set([32, 64, 96, 104, 112, 120, 128])

/** Bytes of the tag that ulTagBits of a parameter tells. */
export function gcmTagLength(mechanism: MechanismArgument): number {
  const tagBits = numberIn(mechanism, 'tagBits')
  if (!TAG_BITS.has(tagBits)) throw invalid(`no GCM tag has ${tagBits} bits`)
  return tagBits / 8
}

/** Throws CKR_MECHANISM_PARAM_INVALID for an IV that GCM does not take. */
export function checkGcmIv(iv: Uint8Array): void {
  if (iv.length === 0) throw invalid('GCM needs an IV')
}

/** The lengths of 6.13.7.5, in bytes. */
const CCM_TAGS: ReadonlySet<number> = new Set([4, 6, 8, 10, 12, 14, 16])
const CCM_NONCE = [7, 13] as const

/** Throws CKR_MECHANISM_PARAM_INVALID for lengths that CCM has not. */
export function checkCcm({
  nonce,
  tagLength,
  dataLength,
}: Pick<Ccm, 'nonce' | 'tagLength' | 'dataLength'>): void {
  const [shortest, longest] = CCM_NONCE
  if (nonce.length < shortest || nonce.length > longest)
    throw invalid(`a CCM nonce has ${shortest} to ${longest} bytes`)
  if (!CCM_TAGS.has(tagLength)) throw invalid(`no CCM tag has ${tagLength} bytes`)
  if (dataLength > ccmLongest(nonce.length))
    throw invalid(`with this nonce CCM takes at most ${ccmLongest(nonce.length)} bytes`)
}

/** CK_GCM_MESSAGE_PARAMS. 6.13.7.3. */
export const gcmMessages: AeadCipher = {
  parameter: 'CK_GCM_MESSAGE_PARAMS',
  names: {
    iv: 'iv',
    tag: 'tag',
    generator: { which: 'ivGenerator', fixedBits: 'ivFixedBits' },
  },
  tagLength: gcmTagLength,
  check: ({ iv }) => checkGcmIv(iv),
  allowed: () => ({ most: GCM_PLAINTEXT }),
  seal: (key, message) => gcmEncryption(key, message),
  open: (key, message) => gcmDecryption(key, message),
}

const ccm = (key: Uint8Array, { iv, ...message }: AeadMessage) =>
  new CcmMessage(key, { nonce: iv, ...message })

/** CK_CCM_MESSAGE_PARAMS. 6.13.7.6. */
export const ccmMessages: AeadCipher = {
  parameter: 'CK_CCM_MESSAGE_PARAMS',
  names: {
    iv: 'nonce',
    tag: 'mac',
    generator: { which: 'nonceGenerator', fixedBits: 'nonceFixedBits' },
    dataLength: 'dataLen',
  },
  tagLength: (parameter) => bytesIn(parameter, 'mac').length,
  check: ({ iv, tagLength, dataLength }) => checkCcm({ nonce: iv, tagLength, dataLength }),
  allowed: ({ dataLength }) => ({ least: dataLength, most: dataLength }),
  seal: (key, message) => {
    const sealed = ccm(key, message)
    return { update: (part) => sealed.encrypt(part), tag: () => sealed.tag() }
  },
  open: (key, message) => {
    const opened = ccm(key, message)
    return { update: (part) => opened.decrypt(part), verify: (tag) => opened.verify(tag) }
  },
}
