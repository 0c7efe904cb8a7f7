/** How messages are padded for an RSA key, as the parameters of the mechanisms say. PKCS #11 3.2, 6.1. */
import { digestLengths } from '../engine/digests.ts'
import type { RsaKey, RsaPss } from '../engine/rsa.ts'
import { CKR, CKZ } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { bytesIn, type Holder, numberIn } from './parameter.ts'
import type { Padded } from './rsa-operations.ts'
import { digestOfMgf, digestOfType } from './signature-hashes.ts'

/** A padding for a key, as a mechanism's parameter has it, and how many bytes it leaves for a message. */
export type Scheme = (key: RsaKey, mechanism: Holder) => Omit<Padded, 'key'>

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** EMSA-PKCS1-v1_5 and EME-PKCS1-v1_5 take 11 bytes at least. RFC 8017, 7.2.1 and 9.2. */
export const pkcs1: Scheme = ({ bytes }) => ({ padding: { mode: 'pkcs1' }, most: bytes - 11 })

export const raw: Scheme = ({ bytes }) => ({ padding: { mode: 'none' }, most: bytes })

/** Bytes of an OAEP label at most; what is known to use labels has some dozens. */
const LONGEST_LABEL = 65536

/** CK_RSA_PKCS_OAEP_PARAMS, 6.1.7. A source of 0 without data is taken for the default label, as other tokens take it. */
export const oaep: Scheme = ({ bytes }, mechanism) => {
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
export function pssPadding({ bits }: RsaKey, mechanism: Holder): RsaPss {
  const digest = digestOfType(numberIn(mechanism, 'hashAlg'))
  const mgf1 = digestOfMgf(numberIn(mechanism, 'mgf'))
  const saltLength = numberIn(mechanism, 'sLen')
  const most = Math.ceil((bits - 1) / 8) - 2 - digestLengths[digest]
  if (saltLength > most) throw invalid(`the salt has at most ${most} bytes with this key`)
  return { mode: 'pss', digest, mgf1, saltLength }
}

/** 6.1.13: "k must be at least 128 and a multiple of 32", in bytes; the header fills the highest of them. */
export const x931: Scheme = ({ bits, bytes }) => {
  if (bits % 256 !== 0)
    throw new CryptokiError(CKR.KEY_SIZE_RANGE, 'X9.31 takes a modulus of a multiple of 256 bits')
  return { padding: { mode: 'x931' }, most: bytes - 2 }
}

/** TPM_BOUND_DATA (TPM 1.2, part 2, 10.5): version 1.1.0.0, and the payload TPM_PT_BIND. */
const BOUND_DATA = Uint8Array.of(1, 1, 0, 0, 2)

/** 6.1.17: PKCS #1 v1.5 around a TPM_BOUND_DATA. */
export const tpmPkcs1: Scheme = ({ bytes }) => ({
  padding: { mode: 'pkcs1' },
  most: bytes - 11 - BOUND_DATA.length,
  header: BOUND_DATA,
})

/** "TCPA" (TPM 1.1b, 4.30.1): "all of the values of the parameters ... are fixed" (6.1.18). */
const TPM_LABEL = Uint8Array.from(Buffer.from('TCPA', 'latin1'))

/** 6.1.18: OAEP around a TPM_BOUND_DATA. */
export const tpmOaep: Scheme = ({ bytes }) => ({
  padding: { mode: 'oaep', digest: 'sha1', mgf1: 'sha1', label: TPM_LABEL },
  most: bytes - 2 - 2 * digestLengths.sha1 - BOUND_DATA.length,
  header: BOUND_DATA,
})
